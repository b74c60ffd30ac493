"""The whole-video pass by hand, on short videos, and its properties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pyfaceau.errors import InputError
from pyfaceau.prediction.whole_video import finish_intensities, finish_presences, zero_levels

SCORES = hnp.arrays(
    np.float64, st.tuples(st.integers(0, 12), st.just(3)), elements=st.floats(-9, 9)
)


def test_zero_level_is_the_truncated_rank_of_good_frames():
    scores = np.array([[4.0], [-9.0], [1.0], [3.0], [2.0]])
    ok = np.array([True, False, True, True, True])
    assert zero_levels(scores, ok, [0.55]) == [3.0]  # trunc(4 * 0.55) = 2 of 1, 2, 3, 4
    assert zero_levels(scores, ok, [0.0]) == [1.0]
    assert zero_levels(scores, ok, [-1.0]) == [0.0]
    assert zero_levels(scores, np.zeros(5, bool), [0.55]) == [0.0]


def test_intensities_are_clipped_before_they_are_smoothed_and_leak_into_failed_frames():
    scores = np.array([[8.0], [2.5], [9.0], [-4.0], [1.0]])
    ok = np.array([True, True, False, True, True])
    got = finish_intensities(scores, ok, [1.0])
    # Clipped: 5, 1.5, 0, 0, 0.
    np.testing.assert_allclose(got[:, 0], [5, 6.5 / 3, 0.5, 0, 0])


def test_presences_follow_the_majority_of_seven_but_at_the_ends():
    one = np.array([1, 0, 1, 0, 1, 0, 1, 0, 0, 1])
    # Windows around frames 3 to 6 hold 4, 3, 3, 3 of seven.
    expected = [1, 0, 1, 1, 0, 0, 0, 0, 0, 1]
    np.testing.assert_array_equal(finish_presences(one[:, None])[:, 0], expected)


@pytest.mark.parametrize("frames", [0, 1, 2])
def test_short_videos_are_not_smoothed(frames):
    scores = np.full((frames, 2), [6.0, 1.0])
    got = finish_intensities(scores, np.ones(frames, bool), [0.0, 0.5])
    np.testing.assert_array_equal(got, np.full((frames, 2), [5.0, 0.5]))
    np.testing.assert_array_equal(finish_presences(scores > 5), scores > 5)


@given(scores=SCORES, data=st.data())
def test_results_are_in_range_and_do_not_depend_on_failed_scores(scores, data):
    ok = data.draw(hnp.arrays(np.bool_, len(scores)))
    cutoffs = [0.3, 0.99, -1.0]
    got = finish_intensities(scores, ok, zero_levels(scores, ok, cutoffs))
    assert got.shape == scores.shape
    assert ((got >= 0) & (got <= 5)).all()
    other = np.where(ok[:, None], scores, 77.0)
    np.testing.assert_array_equal(
        got, finish_intensities(other, ok, zero_levels(other, ok, cutoffs))
    )


@given(hnp.arrays(np.bool_, st.tuples(st.integers(0, 20), st.just(2))))
def test_presences_of_the_opposite_are_the_opposite_of_the_presences(present):
    got = finish_presences(present)
    np.testing.assert_array_equal(1 - got, finish_presences(~present))


@pytest.mark.parametrize(
    ("scores", "ok", "levels", "name"),
    [
        (np.zeros(3), np.ones(3, bool), [0.0], "intensities"),
        (np.zeros((3, 1)), np.ones(2, bool), [0.0], "ok"),
        (np.zeros((3, 1)), np.ones(3, bool), [0.0, 0.0], "levels"),
        (np.full((3, 1), np.nan), np.ones(3, bool), [0.0], "intensities"),
    ],
)
def test_tables_that_do_not_fit_are_refused(scores, ok, levels, name):
    with pytest.raises(InputError, match=f"{name}: expected"):
        finish_intensities(scores, ok, levels)
