"""Neutral faces that are declared: of an interval, or known beforehand."""

from __future__ import annotations

import numpy as np
import pytest

from pyfaceau.errors import InputError
from pyfaceau.features.neutral import FixedNeutral, IntervalMedian
from pyfaceau.types import FaceFeatures


def face(value: float) -> FaceFeatures:
    return FaceFeatures(np.full(4464, value, "f4"), np.full(238, 10 * value))


def test_only_faces_of_the_interval_count():
    calibration = IntervalMedian.parse("1.0-2.0")
    seen = [(0.5, face(0.9)), (1.0, face(0.1)), (1.5, None), (1.6, face(0.2)), (2.0, face(0.3))]
    told = [calibration.update(features, time) for time, features in [*seen, (2.1, face(0.9))]]
    assert told == [False, True, False, True, True, False]
    assert calibration.faces == 3
    np.testing.assert_allclose(calibration.neutral[:4464], 0.2, atol=0.001005)
    np.testing.assert_allclose(calibration.neutral[4464:], 2.0, atol=0.012)


def test_a_new_video_starts_from_nothing():
    calibration = IntervalMedian(0, 1)
    calibration.update(face(0.5), 0.5)
    calibration.reset()
    assert calibration.faces == 0
    assert not calibration.neutral.any()


@pytest.mark.parametrize("text", ["", "2", "4-2", "2-2", "-1-2", "a-b", "1-2-3", "0-inf", "nan-1"])
def test_other_intervals_are_refused(text: str):
    with pytest.raises(InputError, match="neutral: expected"):
        IntervalMedian.parse(text)


def test_a_known_neutral_face_is_told_once_per_video():
    calibration = FixedNeutral(np.full(4702, 0.25))
    for _ in range(2):
        assert [calibration.update(None, 0.0), calibration.update(face(1), 0.1)] == [True, False]
        calibration.reset()
    assert (calibration.neutral == 0.25).all()


def test_a_neutral_face_of_another_length_is_refused():
    with pytest.raises(InputError, match="neutral: expected"):
        FixedNeutral(np.zeros(4464))
