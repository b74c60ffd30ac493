"""Gaze of both eyes."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyfaceau.errors import InputError
from pyfaceau.gaze._kernels import eyeball_centre, gaze_vector
from pyfaceau.gaze.gaze import estimate_gaze, eye_landmarks_3d
from pyfaceau.models.weights import locate
from pyfaceau.pdm.model import PDM
from pyfaceau.types import Camera, EyeFit, HeadPose, ShapeFit

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

STRAIGHT = HeadPose(np.array([0, 0, 500], np.float32), np.zeros(3, np.float32))
EYE_FILES = ("pdm_28_l_eye_3D_closed.txt", "pdm_28_eye_3D_closed.txt")


def face_and_eyes(pupils: list[list[float]]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return a face with eye corners 15 mm about (-30, 0, 500) and (30, 0, 500), and pupils."""
    face = np.zeros((68, 3), np.float32)
    for x, corners in ((-30, (36, 39)), (30, (42, 45))):
        face[corners[0]], face[corners[1]] = [x - 15, 0, 500], [x + 15, 0, 500]
    eyes = np.repeat(np.array(pupils, np.float32), 28, axis=0)
    return face, eyes


def test_by_hand() -> None:
    # centres at (-30, -3.5, 507) and (30, -3.5, 507); pupils on the rays to those centres
    face, eyes = face_and_eyes([[-30, -3.5, 507], [30, -3.5, 507]])
    gaze = estimate_gaze(face, eyes, STRAIGHT)
    towards_camera = -np.array([[-30, -3.5, 507], [30, -3.5, 507]]) / np.sqrt(
        30**2 + 3.5**2 + 507**2
    )
    np.testing.assert_allclose(gaze.vectors, towards_camera, atol=1e-5)
    np.testing.assert_allclose(gaze.angles, [0, np.arctan2(3.5, 507)], atol=1e-5)


def test_golden_frames(shared: Path, weights_dir: Path) -> None:
    pdms = tuple(PDM.load(locate(name)) for name in EYE_FILES)
    camera = Camera.for_size(640, 360)
    with np.load(shared / "reference" / "stages" / "single_face" / "stages.npz") as golden:
        arrays = {name: golden[name] for name in golden.files if name.startswith("f_")}
    for i, expected in enumerate(arrays["f_gaze"]):
        eyes = tuple(
            EyeFit(
                arrays[f"f_part{k}_lmk"][i].reshape(2, -1).T,
                ShapeFit(arrays[f"f_part{k}_g"][i], arrays[f"f_part{k}_l"][i]),
            )
            for k in (1, 2)
        )
        pose = HeadPose(arrays["f_pose"][i][:3], arrays["f_pose"][i][3:])
        face = arrays["f_shape3d"][i].reshape(3, -1).T
        gaze = estimate_gaze(face, eye_landmarks_3d(pdms, eyes, camera), pose)
        np.testing.assert_array_equal([*gaze.vectors.ravel(), *gaze.angles], expected)


def test_columns_are_the_references(shared: Path) -> None:
    folder = shared / "reference"
    precise = pd.read_csv(folder / "precise" / "d0.csv.gz", skipinitialspace=True)
    lines = gzip.decompress((folder / "video" / "d0.csv.gz").read_bytes()).decode()
    header, *rows = [line.split(", ") for line in lines.splitlines()]
    first = header.index("gaze_0_x")

    def points(prefix: str, count: int) -> NDArray[np.float32]:
        columns = [[f"{prefix}{axis}_{i}" for i in range(count)] for axis in "XYZ"]
        return np.stack([precise[names].to_numpy("f4") for names in columns], axis=2)

    face, eyes = points("", 68), points("eye_lmk_", 56)
    pose = precise[[f"pose_{c}" for c in ("Tx", "Ty", "Tz", "Rx", "Ry", "Rz")]].to_numpy("f4")
    equal = 0
    for i, row in enumerate(rows):
        gaze = estimate_gaze(face[i], eyes[i], HeadPose(pose[i, :3], pose[i, 3:]))
        got = [f"{v:.6f}" for v in gaze.vectors.ravel()] + [f"{v:.3f}" for v in gaze.angles]
        equal += sum(a == b for a, b in zip(got, row[first : first + 8], strict=True))
    # seven decimals of the input angles leave about one in 300 sixth decimals open
    assert equal >= 0.99 * 8 * len(rows)


def gaze_twin(eye: NDArray[np.float32], centre: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the gaze vector in float64 numpy."""
    ray = eye[:8].astype(np.float64).mean(axis=0)
    ray /= np.linalg.norm(ray)
    c = centre.astype(np.float64)
    along = ray @ c
    discriminant = along**2 - (c @ c - 144)
    hit = ray * (along - np.sqrt(discriminant)) if discriminant >= 0 else np.array([0, 0, -1.0])
    return (hit - c) / np.linalg.norm(hit - c)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_kernel_agrees_with_its_twin(seed: int) -> None:
    rng = np.random.default_rng(seed)
    centre = np.array([*rng.uniform(-100, 100, 2), rng.uniform(300, 800)], np.float32)
    eye = (centre + rng.uniform(-4, 4, 3) + rng.normal(0, 1, (28, 3))).astype(np.float32)
    got = np.empty(3, np.float32)
    gaze_vector(eye, centre, got)
    # float32 squares of a distance of metres leave about 0.1 mm on the 12 mm sphere
    np.testing.assert_allclose(got, gaze_twin(eye, centre), atol=0.02)
    assert np.linalg.norm(got) == pytest.approx(1, abs=1e-6)


def test_a_ray_that_misses() -> None:
    centre, got = np.array([100, 0, 500], np.float32), np.empty(3, np.float32)
    eye = np.tile(np.array([0, 0, 500], np.float32), (28, 1))
    gaze_vector(eye, centre, got)
    np.testing.assert_allclose(got, np.array([-100, 0, -501]) / np.hypot(100, 501), atol=1e-6)


def test_the_centre_turns_with_the_head() -> None:
    corner, got = np.zeros(3, np.float32), np.empty(3, np.float32)
    quarter_turn = np.array([[0, 0, 1], [0, 1, 0], [-1, 0, 0]], np.float32)
    eyeball_centre(corner, corner, quarter_turn, got)
    np.testing.assert_array_equal(got, [7, -3.5, 0])


def test_pupils_at_the_camera_give_finite_numbers() -> None:
    gaze = estimate_gaze(np.zeros((68, 3)), np.zeros((56, 3)), STRAIGHT)
    assert np.isfinite(gaze.vectors).all()


def test_wrong_eyes_are_named() -> None:
    with pytest.raises(InputError, match=r"eyes: expected \(56, 3\) float32, got shape \(28, 3\)"):
        estimate_gaze(np.zeros((68, 3)), np.zeros((28, 3)), STRAIGHT)
