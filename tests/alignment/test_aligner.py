"""Aligner: an unturned face by hand, the reference's pixels, what it must not depend on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyfaceau.alignment.aligner import FaceAligner
from pyfaceau.errors import InputError
from pyfaceau.pdm.model import PDM
from pyfaceau.types import ShapeFit


@pytest.fixture(scope="module")
def pdm(weights_dir):
    return PDM.load(weights_dir / "In-the-wild_aligned_PDM_68.txt")


@pytest.fixture(scope="module")
def aligner(pdm, weights_dir):
    return FaceAligner(pdm, weights_dir / "tris_68_full.txt")


def pose(pdm, scale=0.7, roll=0.0, x=56.0, y=56.0):
    fit = ShapeFit(np.array([scale, 0, 0, roll, x, y]), np.zeros(34))
    return pdm.shape_2d(fit), fit


def noise(height=112, width=112, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_a_face_in_place_stays_where_it_is(pdm, aligner):
    image = noise()
    landmarks, fit = pose(pdm)
    face = aligner.align(image, landmarks, fit, mask=False)
    np.testing.assert_allclose(face.warp, [[1, 0, 0], [0, 1, 0]], atol=1e-4)
    np.testing.assert_array_equal(face.image, image)
    masked = aligner.align(image, landmarks, fit).image
    inside = masked.any(axis=2)
    np.testing.assert_array_equal(masked[inside], image[inside])
    assert inside[56, 56]
    assert not inside[[0, 0, -1, -1], [0, -1, 0, -1]].any()


def test_faces_of_a_video_equal_the_reference_pixel_for_pixel(shared, aligner):
    import av

    folder = shared / "reference/stages/single_face"
    stages, expected = (
        np.load(folder / "stages.npz"),
        np.load(folder / "aligned_bgr.npz")["aligned"],
    )
    with av.open(str(shared / "samples/video/single_face.mp4")) as video:
        for i, frame in zip(range(3), video.decode(video=0), strict=False):
            picture = frame.reformat(
                format="bgr24", src_colorspace="ITU601", dst_colorspace="ITU601"
            ).to_ndarray()
            landmarks = stages["f_lmk"][i].reshape(2, 68).T
            fit = ShapeFit(stages[f"fa_global{i + 1}"], stages[f"fa_local{i + 1}"].ravel())
            got = aligner.align(picture, landmarks, fit)
            np.testing.assert_array_equal(got.image, expected[i])
            whole = aligner.align(picture, landmarks, fit, mask=False)
            np.testing.assert_array_equal(whole.image, stages[f"aligned_nomask{i + 1}"])


@given(dx=st.integers(-40, 40), dy=st.integers(-40, 40), roll=st.floats(-0.5, 0.5))
@settings(max_examples=15, deadline=None)
def test_where_the_face_is_does_not_matter(pdm, aligner, dx, dy, roll):
    image = np.zeros((300, 300, 3), np.uint8)
    image[100:200, 100:200] = noise(100, 100)
    landmarks, fit = pose(pdm, 1.1, roll, 150, 150)
    moved = ShapeFit(fit.params_global + np.float32([0, 0, 0, 0, dx, dy]), fit.params_local)
    first = aligner.align(image, landmarks, fit).image.astype(int)
    shifted = np.roll(image, (dy, dx), axis=(0, 1))
    second = aligner.align(shifted, landmarks + np.float32([dx, dy]), moved).image.astype(int)
    # Positions are rounded to 1/32 pixel: now and then one lands on the other side.
    assert np.mean(np.abs(first - second)) < 0.5


def test_size_and_scale(pdm, aligner):
    landmarks, fit = pose(pdm)
    face = aligner.align(noise(), landmarks, fit, size=225, scale=1.4)
    assert face.image.shape == (225, 225, 3)
    np.testing.assert_allclose(face.warp, [[2, 0, 0], [0, 2, 0]], atol=1e-3)


def test_a_face_outside_the_frame_is_black(pdm, aligner):
    landmarks, fit = pose(pdm, x=5000, y=-5000)
    assert not aligner.align(noise(), landmarks, fit).image.any()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"image": np.zeros((9, 9), np.uint8)}, "image: expected"),
        ({"landmarks": np.zeros((67, 2))}, "landmarks: expected"),
        ({"landmarks": np.full((68, 2), np.nan)}, "landmarks: expected finite"),
        ({"size": 0}, "size: expected a whole number from 1 to 4096, got 0"),
        ({"size": 10**7}, "size: expected a whole number"),
        ({"size": 112.5}, "size: expected a whole number"),
        ({"scale": float("nan")}, "scale: expected a positive number, got nan"),
        ({"fit": np.zeros(40)}, "fit: expected a ShapeFit, got ndarray"),
    ],
)
def test_bad_input_is_refused(pdm, aligner, change, says):
    landmarks, fit = pose(pdm)
    good = {"image": noise(), "landmarks": landmarks, "fit": fit}
    with pytest.raises(InputError, match=says):
        aligner.align(**good | change)


def test_a_shape_model_of_other_points_is_refused(weights_dir):
    eyes = PDM(np.ones(6), np.ones((6, 1)), np.ones(1))
    with pytest.raises(InputError, match="pdm: expected a model of 68 points, got 2"):
        FaceAligner(eyes, weights_dir / "tris_68_full.txt")
