"""Eyes of a face whose landmarks are known: the hierarchy's own, small faces, no face."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pyfaceau.media.video import VideoReader
from pyfaceau.numerics.warp import gray_from_bgr
from pyfaceau.refinement.eyes import EyeFitter
from pyfaceau.refinement.face_model import FaceModel
from pyfaceau.types import ShapeFit, TrackedFace, UInt8


@pytest.fixture(scope="module")
def model(weights_dir: Path) -> FaceModel:
    return FaceModel.load(weights_dir / "main_clnf_general.txt")


@pytest.fixture(scope="module")
def gray(shared: Path) -> UInt8:
    with VideoReader(shared / "samples/video/single_face.mp4") as video:
        return gray_from_bgr(next(iter(video)).image)


def face_of(model: FaceModel, shape: ShapeFit) -> TrackedFace:
    return TrackedFace(True, True, 0.98, model.main.pdm.shape_2d(shape), shape)


@pytest.fixture(scope="module")
def shape(shared: Path) -> ShapeFit:
    with np.load(shared / "reference/stages/single_face/stages.npz") as arrays:
        return ShapeFit(arrays["main_global"].ravel(), arrays["main_local"].ravel())


def test_eyes_are_those_of_the_hierarchy(model: FaceModel, gray: UInt8, shape: ShapeFit) -> None:
    """Without the inner face, OpenFace's hierarchy is these eyes and the fit to their points."""
    fitter = EyeFitter.of(model)
    assert fitter is not None
    face = fitter.refine(gray, face_of(model, shape))
    alone = replace(model, parts=(fitter.left, fitter.right))
    expected, landmarks, parts = alone._refine(gray, shape)
    np.testing.assert_array_equal(face.landmarks, landmarks)
    np.testing.assert_array_equal(face.shape.params_local, expected.params_local)
    assert face.eyes is not None
    for eye, (fitted, points) in zip(face.eyes, parts, strict=True):
        np.testing.assert_array_equal(eye.points, points)
        np.testing.assert_array_equal(eye.shape.params_global, fitted.params_global)


def test_a_small_face_keeps_its_landmarks(model: FaceModel, gray: UInt8, shape: ShapeFit) -> None:
    fitter = EyeFitter.of(model)
    assert fitter is not None
    small = ShapeFit(shape.params_global * np.float32([0.3, 1, 1, 1, 1, 1]), shape.params_local)
    face = face_of(model, small)
    refined = fitter.refine(gray, face)
    assert refined.shape is small
    np.testing.assert_array_equal(refined.landmarks, face.landmarks)
    assert refined.eyes is not None
    lids = refined.eyes[0].points[[8, 14]]  # corners of the eye
    corners = face.landmarks[[36, 39]]
    assert np.abs(lids - corners).max() < 0.1 * np.ptp(face.landmarks[:, 0])


def test_nothing_is_zero(model: FaceModel) -> None:
    fitter = EyeFitter.of(model)
    assert fitter is not None
    for eye in fitter.nothing():
        assert eye.points.shape == (28, 2)
        assert not eye.points.any()
        np.testing.assert_array_equal(eye.shape.params_global, [1, 0, 0, 0, 0, 0])


def test_a_model_without_eyes_fits_none(model: FaceModel) -> None:
    assert EyeFitter.of(replace(model, parts=model.parts[:1])) is None
