"""Halves made whole: the mirror law to the byte, hidden surface, columns of the table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pyfaceau
from pyfaceau.alignment.aligner import FaceAligner
from pyfaceau.alignment.mask import read_triangles
from pyfaceau.asymmetry._kernels import reflect_beyond
from pyfaceau.asymmetry.half import HalfFitter
from pyfaceau.asymmetry.midline import PARTNERS, Midline, find_midline
from pyfaceau.asymmetry.split import FaceSplitter
from pyfaceau.asymmetry.units import SplitPredictor
from pyfaceau.errors import InputError
from pyfaceau.landmarks.pfld import PFLD
from pyfaceau.media.video import VideoReader
from pyfaceau.output.openface_csv import SPLIT, OpenFaceCSV
from pyfaceau.pdm.model import PDM
from pyfaceau.prediction.models import AUModels
from pyfaceau.prediction.predictor import AUPredictor
from pyfaceau.refinement.eyes import EyeFitter
from pyfaceau.refinement.face_model import FaceModel
from pyfaceau.refinement.face_refiner import FaceRefiner
from pyfaceau.tracking.stages import Refiner
from pyfaceau.types import SPLIT_UNITS, FaceFeatures, Float32, Float64, ShapeFit, SplitFace, UInt8


@pytest.fixture(scope="module")
def pdm(weights_dir: Path) -> PDM:
    """Return the shape model."""
    return PDM.load(weights_dir / "In-the-wild_aligned_PDM_68.txt")


@pytest.fixture(scope="module")
def face(shared: Path) -> tuple[UInt8, Float32]:
    """Return a frame and the reference's landmarks, on a grid that mirroring keeps."""
    with VideoReader(shared / "samples" / "video" / "single_face.mp4") as video:
        image = next(iter(video)).image
    table = pyfaceau.read(shared / "reference" / "precise" / "single_face.csv.gz")
    row = table.iloc[0]
    points = np.array([[row[f"x_{i}"], row[f"y_{i}"]] for i in range(68)])
    return image, (np.round(points * 1024) / 1024).astype(np.float32)


def splitter(
    pdm: PDM,
    weights: Path,
    mirrored_input: bool = False,
    refiner: Refiner | None = None,
    threads: int = 1,
    **more: Any,
) -> FaceSplitter:
    """Return what divides faces."""
    file = weights / "tris_68_full.txt"
    fitter = HalfFitter(pdm, refiner, **more)
    return FaceSplitter(
        pdm, FaceAligner(pdm, file), read_triangles(file), mirrored_input, fitter, threads
    )


class Told:
    """A refiner that remembers what it was given and says what it was told."""

    needs_landmarks = False

    def __init__(self, shift: float = 0.0) -> None:
        self.shift, self.starts, self.pictures = shift, [], []

    def fit(
        self, gray: UInt8, start: ShapeFit, landmarks: Float32 | None, trusted: bool
    ) -> ShapeFit:
        """Return the start, moved to the right, pixels."""
        assert landmarks is None
        assert trusted
        self.starts.append(start)
        self.pictures.append(gray)
        params = start.params_global.copy()
        params[4] += self.shift
        return ShapeFit(params, start.params_local)


def equal(one: FaceFeatures | None, other: FaceFeatures | None) -> bool:
    """Tell whether two halves are the same to the byte."""
    assert one is not None
    assert other is not None
    return (one.hog == other.hog).all() and (one.geometry == other.geometry).all()


def test_mirrored_picture_swaps_sides_exactly(
    pdm: PDM, weights_dir: Path, face: tuple[UInt8, Float32]
) -> None:
    image, points = face
    turned = points[PARTNERS]
    turned[:, 0] = image.shape[1] - 1 - turned[:, 0]
    plain = splitter(pdm, weights_dir).split(image, points).result()
    mirror = splitter(pdm, weights_dir).split(np.ascontiguousarray(image[:, ::-1]), turned).result()
    assert equal(plain.left, mirror.right)
    assert equal(plain.right, mirror.left)
    assert plain.hidden == mirror.hidden
    assert not equal(plain.left, plain.right)
    selfie = splitter(pdm, weights_dir, mirrored_input=True).split(image, points).result()
    assert equal(plain.left, selfie.right)


def test_left_is_the_half_on_the_images_right(
    pdm: PDM, weights_dir: Path, face: tuple[UInt8, Float32]
) -> None:
    image, points = face
    middle = int(points[27, 0])
    changed = image.copy()
    changed[:, middle + 20 :] = 0
    before, after = (splitter(pdm, weights_dir).split(i, points).result() for i in (image, changed))
    assert equal(before.right, after.right)
    assert not equal(before.left, after.left)


def test_hidden_share_grows_with_yaw(pdm: PDM, weights_dir: Path) -> None:
    made = splitter(pdm, weights_dir)
    turned = [made.hidden(np.array([0.0, yaw, 0.0], np.float32)) for yaw in (0, 0.2, 0.5, 1.0)]
    other = [made.hidden(np.array([0.0, -yaw, 0.0], np.float32)) for yaw in (0.2, 0.5)]
    worse = [max(a, b) for a, b in zip(turned[1:3], other, strict=True)]
    assert turned[0] == pytest.approx(0.0, abs=1e-6)
    assert 0.02 < worse[0] < worse[1] < 1.0
    assert min(turned[1], other[0]) == 0.0


def test_turned_face_has_no_split(pdm: PDM, weights_dir: Path) -> None:
    shape = pdm.mean.reshape(3, -1).astype(np.float64)
    yaw = np.radians(45)
    x = shape[0] * np.cos(yaw) + shape[2] * np.sin(yaw)
    points = (np.stack([x, shape[1]], axis=1) * 1.5 + 160).astype(np.float32)
    split = splitter(pdm, weights_dir).split(np.zeros((320, 320, 3), np.uint8), points).result()
    assert split.left is None
    assert split.right is None
    assert split.hidden > 0.3


def test_refined_halves_swap_with_the_mirror_too(
    pdm: PDM, weights_dir: Path, face: tuple[UInt8, Float32]
) -> None:
    image, points = face
    refiner = FaceRefiner(FaceModel.load("main_clnf_general.txt"))
    turned = points[PARTNERS]
    turned[:, 0] = image.shape[1] - 1 - turned[:, 0]
    made = splitter(pdm, weights_dir, refiner=refiner)
    plain = made.split(image, points).result()
    mirror = made.split(np.ascontiguousarray(image[:, ::-1]), turned).result()
    assert equal(plain.left, mirror.right)
    assert equal(plain.right, mirror.left)
    assert not equal(plain.left, splitter(pdm, weights_dir).split(image, points).result().left)
    again = made.split(image, points, before=plain).result()
    starts = [fit.params_global for fit in plain.fits]
    moves = [np.abs(a.params_global - b) for a, b in zip(again.fits, starts, strict=True)]
    assert max(move[4:].max() for move in moves) < 1.0  # pixels: it was nearly there
    assert not equal(plain.left, again.left)


def test_watched_halves_with_eyes_swap_with_the_mirror_on_any_threads(
    pdm: PDM, weights_dir: Path, face: tuple[UInt8, Float32]
) -> None:
    image, points = face
    model = FaceModel.load("main_clnf_general.txt")
    network, eyes, refiner = PFLD(), EyeFitter.of(model), FaceRefiner(model)
    asked = []

    class Asked:
        def predict_crops(self, picture: UInt8, crops: Float64) -> Float32:
            asked.append(picture.shape)
            return network.predict_crops(picture, crops)

    def other_way(places: Float32) -> Float32:
        turned = places[PARTNERS]
        turned[:, 0] = image.shape[1] - 1 - turned[:, 0]
        return turned

    seen = points + np.float32([0, 64])  # far below: every half is in doubt
    mirrored = np.ascontiguousarray(image[:, ::-1])
    made, beside, selfie = (
        splitter(pdm, weights_dir, mirrors, refiner, threads, network=Asked(), eyes=eyes)
        for mirrors, threads in ((False, 1), (False, 2), (True, 1))
    )
    plain = mirror = same = turned = None
    for _ in range(2):
        plain = made.split(image, points, before=plain, network_points=seen).result()
        same = beside.split(image, points, before=same, network_points=seen).result()
        turned = selfie.split(image, points, before=turned, network_points=seen).result()
        mirror = made.split(
            mirrored, other_way(points), before=mirror, network_points=other_way(seen)
        ).result()
        assert equal(plain.left, mirror.right)
        assert equal(plain.right, mirror.left)
        assert equal(plain.left, same.left)
        assert equal(plain.right, same.right)
        assert equal(plain.left, turned.right)
    assert len(asked) == 16
    without = splitter(pdm, weights_dir, refiner=refiner).split(image, points).result()
    assert not equal(plain.left, without.left)
    with pytest.raises(InputError, match="network_points"):
        made.split(image, points, network_points=seen[:5]).result()


def test_fits_go_on_from_the_frame_before_unless_that_is_far(
    pdm: PDM, weights_dir: Path, face: tuple[UInt8, Float32]
) -> None:
    image, points = face
    told = Told(shift=0.5)
    made = splitter(pdm, weights_dir, refiner=told)
    first = made.split(image, points).result()
    second = made.split(image, points, before=first).result()
    assert told.starts[2:] == list(first.fits)
    assert second.fits[0].params_global[4] == first.fits[0].params_global[4] + 0.5
    far = ShapeFit(first.fits[0].params_global + np.float32([0, 0, 0, 0, 60, 0]), pdm_zero(pdm))
    made.split(image, points, before=SplitFace(None, None, 0.0, fits=(far, far))).result()
    np.testing.assert_array_equal(told.starts[4].params_global, told.starts[0].params_global)


def test_a_lost_fit_leaves_the_whole_faces_landmarks(
    pdm: PDM, weights_dir: Path, face: tuple[UInt8, Float32]
) -> None:
    image, points = face
    lost = splitter(pdm, weights_dir, refiner=Told(shift=80.0)).split(image, points).result()
    plain = splitter(pdm, weights_dir).split(image, points).result()
    assert equal(lost.left, plain.left)
    assert equal(lost.right, plain.right)


def test_what_is_refined_is_the_half_face_picture(
    pdm: PDM, weights_dir: Path, face: tuple[UInt8, Float32]
) -> None:
    image, points = face
    told = Told()
    gray = np.random.default_rng(3).integers(0, 256, image.shape[:2]).astype(np.uint8)
    splitter(pdm, weights_dir, refiner=told).split(image, points, gray=gray).result()
    line = find_midline(points.astype(np.float64))
    seen = told.pictures[1]  # the patient's right: the image's left, unmirrored
    y, x = (int(v) for v in points[33][::-1])
    at = np.array([[x - 20.0, y], [x + 20.0, y]])
    kept, filled = (line.beyond(at) > 0).tolist()
    assert (kept, filled) == (False, True)
    assert seen[y, x - 20] == gray[y, x - 20]
    source = line.reflection @ (x + 20.0, y, 1.0)
    assert abs(int(seen[y, x + 20]) - sampled(gray, *source)) <= 8


def sampled(gray: UInt8, x: float, y: float) -> float:
    """Return a pixel between others."""
    i, j = int(np.floor(y)), int(np.floor(x))
    fy, fx = y - i, x - j
    rows = gray[i : i + 2, j : j + 2].astype(np.float64)
    return float(np.array([1 - fy, fy]) @ rows @ np.array([1 - fx, fx]))


@pytest.mark.parametrize("angle", [0.1, 0.0, -0.7, np.pi / 2, 2.8])
def test_reflection_kernel_is_its_numpy_twin(angle: float) -> None:
    rng = np.random.default_rng(4)
    gray = rng.integers(0, 256, (30, 40)).astype(np.uint8)
    line = Midline(np.array([18.3, 14.0]), np.array([np.sin(angle), np.cos(angle)]))
    normal = np.array([line.direction[1], -line.direction[0], 0.0])
    normal[2] = -normal[:2] @ line.point
    out = gray.copy()
    reflect_beyond(gray, line.reflection, normal, np.array([5, 3, 36, 28]), out)
    expected = gray.astype(np.float64)
    padded = np.pad(gray, 90).astype(np.uint8)
    for y in range(3, 28):
        for x in range(5, 36):
            if line.beyond((x, y)) > 0:
                sx, sy = line.reflection @ (x, y, 1.0)
                # In steps of 1/32 pixel, as the kernel has it.
                sx, sy = np.floor(sx * 32 + 0.5) / 32, np.floor(sy * 32 + 0.5) / 32
                expected[y, x] = np.floor(sampled(padded, sx + 90, sy + 90) + 0.5)
    # Positions are rounded by way of 1/1024 pixel: now and then to the next 1/32.
    assert (np.abs(out - expected) <= 1).mean() > 0.98
    assert np.abs(out - expected).max() <= 12
    outside = np.ones(gray.shape, bool)
    outside[3:28, 5:36] = False
    np.testing.assert_array_equal(out[outside], gray[outside])


def pdm_zero(pdm: PDM) -> Float32:
    """Return the mean shape's parameters."""
    return np.zeros(pdm.n_modes, np.float32)


def test_columns_and_gaps(weights_dir: Path) -> None:
    models = AUModels.load(weights_dir / "AU_predictors")
    sides = SplitPredictor(AUPredictor(models), AUPredictor(models))
    rng = np.random.default_rng(5)
    one, two = (FaceFeatures(rng.random(4464, np.float32), rng.normal(0, 1, 238)) for _ in range(2))
    told = [
        sides.update(half) for half in (SplitFace(one, two, 0.1), SplitFace(None, None, 0.7), None)
    ]
    for units, features in zip(told[0], (one, two), strict=True):
        expected = AUPredictor(models).update(features)
        np.testing.assert_array_equal(units.intensities, expected.intensities)
    assert told[1:] == [(None, None), (None, None)]
    values = sides.finish()
    assert values.shape == (3, len(SPLIT_UNITS)) == (3, 71)
    assert np.isfinite(values[0]).all()
    assert np.isnan(values[1:, :-1]).all()
    assert values[:, -1].tolist() == [0.1, 0.7, 1.0]
    assert SPLIT_UNITS[:3] == ("AU01_r_left", "AU01_r_right", "AU02_r_left")
    assert SPLIT_UNITS[-2:] == ("AU45_c_right", "split_hidden")


def test_the_table_ends_with_the_halves(tmp_path: Path) -> None:
    with OpenFaceCSV(tmp_path / "t.csv", layout=SPLIT) as table:
        assert table.columns[-71:] == SPLIT_UNITS
        assert table.columns[-72] == "AU45_c"
