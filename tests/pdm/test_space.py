"""Landmarks in camera space."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyfaceau.errors import InputError
from pyfaceau.numerics.rotation import euler_to_matrix
from pyfaceau.pdm._kernels_pose import lift
from pyfaceau.pdm.model import PDM
from pyfaceau.pdm.space import landmarks_3d
from pyfaceau.types import Camera, ShapeFit

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

CAMERA = Camera(500.0, 500.0, 320.0, 240.0)


def small_pdm() -> PDM:
    """Return a model of three points: the origin, 10 mm right, 20 mm back; its mode is depth."""
    mean = np.array([0, 10, 0, 0, 0, 0, 0, 0, 20], np.float32)
    basis = np.zeros((9, 1), np.float32)
    basis[8] = 1
    return PDM(mean, basis, np.ones(1, np.float32))


def fit_of(scale: float, angles: tuple[float, float, float], depth: float = 0.0) -> ShapeFit:
    """Return parameters of the small model."""
    return ShapeFit(np.array([scale, *angles, 0, 0], np.float32), np.array([depth], np.float32))


def test_by_hand() -> None:
    landmarks = [[320.0, 240.0], [325.0, 240.0], [320.0, 190.0]]
    got = landmarks_3d(small_pdm(), fit_of(0.5, (0, 0, 0), depth=-1.0), landmarks, CAMERA)
    # a scale of 0.5 px/mm is 1000 mm away; the third point 19 mm further
    np.testing.assert_allclose(got, [[0, 0, 1000], [10, 0, 1000], [0, -101.9, 1019]], rtol=1e-6)


def test_golden_frames(shared: Path, weights_dir: Path) -> None:
    pdm = PDM.load(weights_dir / "In-the-wild_aligned_PDM_68.txt")
    camera = Camera.for_size(640, 360)
    with np.load(shared / "reference" / "stages" / "single_face" / "stages.npz") as golden:
        inputs = zip(golden["f_global"], golden["f_local"], golden["f_lmk"], strict=True)
        got = [
            landmarks_3d(pdm, ShapeFit(g, p), xy.reshape(2, -1).T, camera).T.ravel()
            for g, p, xy in inputs
        ]
        np.testing.assert_array_equal(got, golden["f_shape3d"])


def lift_twin(
    shape: NDArray[np.float32],
    rotation: NDArray[np.float32],
    scale: np.float32,
    landmarks: NDArray[np.float32],
    camera: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Return what the kernel fills, in numpy."""
    r, s = rotation[2].astype(np.float64), shape.reshape(3, -1).astype(np.float64)
    turned = (r[0] * s[0] + r[1] * s[1] + r[2] * s[2]).astype(np.float32)
    z = camera[0] / scale + turned
    return np.column_stack([z * ((landmarks - camera[2:]) / camera[:2]).T[i] for i in (0, 1)] + [z])


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_kernel_agrees_with_its_twin(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = rng.normal(0, 50, 204).astype(np.float32)
    rotation = rng.normal(0, 1, (3, 3)).astype(np.float32)
    landmarks = rng.uniform(0, 640, (68, 2)).astype(np.float32)
    camera = np.array([437.5, 440.0, 320.0, 180.0], np.float32)
    scale = np.float32(rng.uniform(0.2, 4))
    got = lift(shape, rotation, scale, landmarks, camera)
    np.testing.assert_array_equal(got, lift_twin(shape, rotation, scale, landmarks, camera))


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.2, 4))
def test_one_call_lifts_as_three_do(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    pdm = PDM(rng.normal(0, 50, 204), rng.normal(0, 1, (204, 3)), np.ones(3))
    fit = ShapeFit([scale, *rng.normal(0, 1, 3), 0, 0], rng.normal(0, 5, 3))
    landmarks = rng.uniform(0, 640, (68, 2)).astype(np.float32)
    shape, turn = pdm.shape_3d(fit.params_local), euler_to_matrix(fit.params_global[1:4])
    expected = lift(shape, turn, fit.params_global[0], landmarks, CAMERA.lens)
    np.testing.assert_array_equal(landmarks_3d(pdm, fit, landmarks, CAMERA), expected)


@settings(max_examples=25, deadline=None)
@given(st.floats(0.1, 5), st.floats(-0.9, 0.9), st.floats(-0.9, 0.9))
def test_points_stay_on_the_rays_of_their_pixels(scale: float, pitch: float, yaw: float) -> None:
    landmarks = np.array([[100.0, 50.0], [600.0, 400.0], [320.0, 10.0]])
    points = landmarks_3d(small_pdm(), fit_of(scale, (pitch, yaw, 0)), landmarks, CAMERA)
    back = points[:, :2] / points[:, 2:] * 500 + [320, 240]
    np.testing.assert_allclose(back, landmarks, atol=1e-3)


def test_no_scale_is_no_depth() -> None:
    got = landmarks_3d(small_pdm(), fit_of(0.0, (0, 0, 0)), np.zeros((3, 2)), CAMERA)
    np.testing.assert_array_equal(got, np.zeros((3, 3)))


def test_wrong_landmarks_are_named() -> None:
    with pytest.raises(
        InputError, match=r"landmarks: expected \(3, 2\) float32, got shape \(4, 2\)"
    ):
        landmarks_3d(small_pdm(), fit_of(1.0, (0, 0, 0)), np.zeros((4, 2)), CAMERA)
