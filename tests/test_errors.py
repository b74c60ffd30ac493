"""The checks at the edge: what came in place of what was expected is named."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pyfaceau.errors import InputError, check_array, check_image, check_type
from pyfaceau.landmarks.pfld import crop_from_box
from pyfaceau.prediction.models import AUModels
from pyfaceau.prediction.predictor import AUPredictor
from pyfaceau.types import Camera, FaceBox


def test_an_array_that_fits_is_the_callers_own() -> None:
    array = np.arange(6, dtype=np.float32).reshape(3, 2)
    assert check_array("a", array, (None, 2), np.float32) is array


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.zeros((3, 3)), r"a: expected \(n, 2\) float32, got shape \(3, 3\) float64"),
        ([["1", "2"]], r"a: expected \(n, 2\) float32, got dtype <U1"),
        ([[1, 2j]], r"a: expected \(n, 2\) float32, got dtype complex128"),
        ([[1.0, math.nan]], "a: expected finite numbers, got NaN or infinity"),
        ([[1.0, 2.0], [3.0]], "a: expected an array, got rows of unequal length"),
    ],
)
def test_an_array_that_does_not_fit_is_described(value: object, message: str) -> None:
    with pytest.raises(InputError, match=f"^{message}$"):
        check_array("a", value, (None, 2), np.float32)


FLOATS = st.sampled_from((np.float32, np.float64))


@given(st.data(), FLOATS, st.sampled_from((math.nan, math.inf, -math.inf)))
def test_one_number_that_is_none_is_found_wherever_it_stands(
    data: st.DataObject, dtype: type[np.floating], bad: float
) -> None:
    finite = st.floats(width=32, allow_nan=False, allow_infinity=False)
    array = data.draw(arrays(dtype, st.tuples(st.integers(1, 9), st.just(2)), elements=finite))
    assert check_array("a", array, (None, 2), dtype) is array
    array.flat[data.draw(st.integers(0, array.size - 1))] = bad
    with pytest.raises(InputError, match=r"^a: expected finite numbers, got NaN or infinity$"):
        check_array("a", array, (None, 2), dtype)
    assert check_array("a", array, (None, 2), dtype, finite=False) is array


@given(FLOATS, st.integers(0, 600), st.floats(1e-45, 3e38), st.sampled_from((-1, 1)))
def test_the_largest_numbers_are_finite(
    dtype: type[np.floating], count: int, size: float, sign: int
) -> None:
    """Their sum and their squares are not, in float32."""
    array = np.full(count, sign * size, dtype)
    assert check_array("a", array, (None,), dtype) is array


@given(arrays(np.float64, (4, 3), elements=st.floats(-1e6, 1e6)))
def test_what_lies_otherwise_in_memory_is_copied_in_order(array: np.ndarray) -> None:
    for value in (array.T, array.astype(np.float32).T, array.astype(">f8").T, array[::-1].T):
        checked = check_array("a", value, (3, None), np.float64)
        assert checked.flags.c_contiguous
        assert checked.dtype == np.float64
        assert checked.dtype.isnative
        np.testing.assert_array_equal(checked, value)


def test_a_picture_of_one_channel_is_gray() -> None:
    assert check_image("image", np.zeros((4, 5, 1), np.uint8)).shape == (4, 5)


@pytest.mark.parametrize(
    "value",
    [
        None,
        [[1, 2], [3]],
        np.zeros((4, 5)),
        np.zeros((4, 5, 4), np.uint8),
        np.zeros((0, 5, 3), "u1"),
    ],
)
def test_what_is_no_picture_is_refused(value: object) -> None:
    with pytest.raises(InputError, match=r"^image: expected"):
        check_image("image", value)


def test_a_value_of_another_type_is_named() -> None:
    box = FaceBox(1, 2, 3, 4)
    assert check_type("box", box, FaceBox) is box
    with pytest.raises(InputError, match=r"^box: expected a FaceBox, got tuple$"):
        crop_from_box((1, 2, 3, 4))  # type: ignore[arg-type]


def test_a_plain_array_is_no_features_and_changes_nothing(weights_dir: Path) -> None:
    predictor = AUPredictor(AUModels.load(weights_dir / "AU_predictors"))
    with pytest.raises(InputError, match=r"^features: expected a FaceFeatures, got ndarray$"):
        predictor.update(np.zeros(4702))  # type: ignore[arg-type]
    assert predictor.finish()[0].shape == (0, 17)


@pytest.mark.parametrize("fx", [0.0, math.nan, math.inf, "500"])
def test_a_camera_without_a_focal_length_is_refused(fx: object) -> None:
    with pytest.raises(InputError, match=r"^fx, fy"):
        Camera(fx, 500.0, 320.0, 240.0)  # type: ignore[arg-type]
