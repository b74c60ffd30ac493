"""Levels of the frames so far: those of the whole-video pass on what was seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pyfaceau.live.calibration import LiveUnits
from pyfaceau.prediction.whole_video import finish_intensities, zero_levels
from pyfaceau.types import AUPrediction, FaceFeatures
from tests.live.doubles import models
from tests.output.results import face

RESULT = face()


def scored(values: np.ndarray):
    return replace(RESULT, action_units=AUPrediction(values, np.ones(18)))


def take(live: LiveUnits, result):
    return live.update(result.action_units, result.features)


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.sampled_from([-1.0, 0.0, 0.3, 0.9]))
@settings(max_examples=30)
def test_each_frame_is_the_last_of_the_video_that_ends_there(
    seed: int, count: int, cutoff: float
) -> None:
    scores = np.random.default_rng(seed).normal(1, 2, (count, 17))
    live = LiveUnits(models(cutoff))
    ok = np.ones(count, bool)
    for end in range(1, count + 1):
        got = take(live, scored(scores[end - 1]))
        assert got is not None
        levels = zero_levels(scores[:end], ok[:end], np.full(17, cutoff))
        expected = finish_intensities(scores[:end], ok[:end], levels, smooth=False)
        np.testing.assert_array_equal(got.intensities, expected[-1])


def test_a_frame_without_face_has_no_units_and_counts_not() -> None:
    live = LiveUnits(models(0.0))
    assert take(live, face(seen=False)) is None
    assert live.take_neutral() is None
    high = take(live, scored(np.full(17, 3.0)))
    assert high is not None
    assert not high.intensities.any()


def test_the_neutral_face_that_is_taken_has_intensity_zero() -> None:
    """The scores that follow are those of the pipeline with the calibration that is returned."""
    machine = models()
    live = LiveUnits(machine)
    faces = [FaceFeatures(np.full(4464, v, np.float32), np.zeros(238)) for v in (0.1, 0.2, 0.3)]
    for features in faces:
        take(live, replace(scored(np.zeros(17)), features=features))
    calibration = live.take_neutral()
    assert calibration is not None
    np.testing.assert_allclose(calibration.neutral[:4464], 0.2, atol=0.001)
    neutral = machine.neutral_scores(calibration.neutral)
    for features, sign in ((faces[1], 0), (faces[2], 1)):
        raw = (machine.scores(features) - neutral)[:17]
        got = take(live, replace(scored(raw), features=features))
        assert got is not None
        np.testing.assert_allclose(got.intensities, sign * 0.1 * np.arange(1, 18), atol=1e-6)
    assert live.taken
    live.reset()
    assert not live.taken
