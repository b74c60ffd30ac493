"""The whole-face refiner: OpenFace's own fit where that has no eyes, from near and from afar."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from pyfaceau.errors import InputError
from pyfaceau.refinement.face_model import FaceModel
from pyfaceau.refinement.face_refiner import FaceRefiner
from pyfaceau.types import ShapeFit


@pytest.fixture(scope="module")
def model(weights_dir: Path) -> FaceModel:
    return FaceModel.load(weights_dir / "main_clnf_general.txt")


@pytest.fixture(scope="module")
def gray(shared: Path) -> np.ndarray:
    return cv2.imread(str(shared / "samples/image/lp_s6.jpg"), cv2.IMREAD_GRAYSCALE)


@pytest.fixture(scope="module")
def truth(shared: Path) -> np.ndarray:
    """Return OpenFace's landmarks of the picture."""
    row = pd.read_csv(shared / "reference/image/lp_s6.csv.gz", skipinitialspace=True).iloc[0]
    return np.array([[row[f"x_{i}"], row[f"y_{i}"]] for i in range(68)], np.float32)


def error(points: np.ndarray, truth: np.ndarray) -> float:
    return float(np.hypot(*(points - truth).T).mean() / np.hypot(*(truth[36] - truth[45])))


def test_is_the_face_model_without_eyes(
    model: FaceModel, gray: np.ndarray, truth: np.ndarray
) -> None:
    start = model.main.pdm.calc_params(truth + 2)
    without_eyes = replace(model, parts=model.parts[:1])
    for trusted in (True, False):
        found = FaceRefiner(model).fit(gray, start, trusted=trusted)
        expected = without_eyes.fit(gray, start, tracked=trusted).shape
        np.testing.assert_array_equal(found.params_global, expected.params_global)
        np.testing.assert_array_equal(found.params_local, expected.params_local)


def test_without_inner_face_is_the_68_point_model(
    model: FaceModel, gray: np.ndarray, truth: np.ndarray
) -> None:
    start = model.main.pdm.calc_params(truth + 2)
    found = FaceRefiner(model, inner=False).fit(gray, start)
    expected = model.main.fit(gray, start, (0, 9, 7, 0)).shape
    np.testing.assert_array_equal(found.params_local, expected.params_local)


@pytest.mark.parametrize(("shift", "scale"), [((6, 0), 1.0), ((0, -6), 1.0), ((0, 0), 1.06)])
def test_a_displaced_start_is_mended(
    model: FaceModel,
    gray: np.ndarray,
    truth: np.ndarray,
    shift: tuple[float, float],
    scale: float,
) -> None:
    pdm = model.main.pdm
    middle = truth.mean(axis=0)
    start = pdm.calc_params((truth - middle) * scale + middle + np.array(shift))
    refined = pdm.shape_2d(FaceRefiner(model).fit(gray, start))
    assert error(refined, truth) < 0.02
    assert error(refined, truth) < 0.6 * error(pdm.shape_2d(start), truth)


def test_a_face_far_too_small_stays_a_shape(model: FaceModel, gray: np.ndarray) -> None:
    small = ShapeFit(np.array([0.1, 0, 0, 0, 50, 50], np.float32), np.zeros(34, np.float32))
    found = FaceRefiner(model).fit(gray, small)
    assert np.isfinite(found.params_global).all()
    assert np.isfinite(found.params_local).all()


def test_bad_picture_is_refused(model: FaceModel, truth: np.ndarray) -> None:
    start = model.main.pdm.calc_params(truth)
    with pytest.raises(InputError, match="gray: expected"):
        FaceRefiner(model).fit(np.zeros((5, 5, 3), np.uint8), start)
