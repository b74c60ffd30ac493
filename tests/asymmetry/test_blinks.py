"""Blinks: found by hand, lag, closures, sides exchanged."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfaceau.asymmetry.blinks import blink_table, closures
from pyfaceau.errors import InputError

TIMES = np.arange(100) / 25


def eye(*peaks: tuple[int, float], width: int = 2) -> np.ndarray:
    """Return an eye that closes at some frames: triangles of a half width, in frames."""
    values = np.zeros(100)
    for frame, height in peaks:
        for k in range(-width, width + 1):
            values[frame + k] = height * (1 - abs(k) / (width + 1))
    return values


def test_a_blink_by_hand() -> None:
    [blink] = closures("left", eye((50, 3.0)), TIMES)
    assert (blink.start, blink.end, blink.peak) == pytest.approx((1.96, 2.04, 2.0))
    assert blink.height == 3.0
    assert blink.duration == pytest.approx(0.08)
    assert blink.blink


def test_small_movements_and_noise_are_no_blinks() -> None:
    assert closures("left", eye((50, 0.4)), TIMES) == []
    noisy = 0.3 * np.random.default_rng(1).standard_normal(100)
    assert closures("left", noisy, TIMES) == []
    assert closures("left", np.full(100, np.nan), TIMES) == []


def test_a_long_closure_is_no_blink() -> None:
    values = np.zeros(100)
    values[30:48] = 3.0
    [closure] = closures("right", values, TIMES)
    assert closure.duration == pytest.approx(17 / 25)
    assert not closure.blink


def test_lag_and_single_eyes() -> None:
    table = pd.DataFrame(
        {
            "timestamp": TIMES,
            "AU45_r_left": eye((21, 3.0), (80, 2.0)),
            "AU45_r_right": eye((20, 2.0), (50, 2.0)),
        }
    )
    blinks = blink_table(table)
    assert blinks["lag"].round(3).tolist()[0] == 0.04
    assert blinks["lag"].isna().tolist() == [False, True, True]
    assert blinks["height_left"].tolist()[0] == 3.0
    assert blinks["height_left"].isna().tolist() == [False, True, False]
    assert blinks["height_right"].isna().tolist() == [False, False, True]


@given(st.lists(st.integers(5, 94), max_size=4), st.lists(st.integers(5, 94), max_size=4))
def test_sides_swap(one: list[int], other: list[int]) -> None:
    left, right = (eye(*((k, 2.0) for k in peaks)) for peaks in (one, other))
    names = ["AU45_r_left", "AU45_r_right"]
    plain = blink_table(pd.DataFrame({"timestamp": TIMES, names[0]: left, names[1]: right}))
    swapped = blink_table(pd.DataFrame({"timestamp": TIMES, names[0]: right, names[1]: left}))
    pd.testing.assert_series_equal(
        plain["duration_left"], swapped["duration_right"], check_names=False
    )
    pd.testing.assert_series_equal(plain["lag"], -swapped["lag"])


def test_refused() -> None:
    with pytest.raises(InputError, match="--split-face"):
        blink_table(pd.DataFrame({"timestamp": TIMES}))
    with pytest.raises(InputError, match="expected 'left' or 'right', got 'both'"):
        closures("both", eye(), TIMES)
