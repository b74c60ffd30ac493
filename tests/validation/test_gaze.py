"""Angles and distances of eyes, by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from validation.gaze import compare


def table(turn: float = 0.0, shift: float = 0.0, success: tuple[int, ...] = (1, 1)) -> pd.DataFrame:
    """Return two frames of a face whose eyes are 100 pixels apart."""
    values: dict[str, object] = {"frame": [1, 2], "success": success}
    for eye in (0, 1):
        gaze = (np.sin(np.radians(turn)), 0.0, -np.cos(np.radians(turn)))
        values |= {f"gaze_{eye}_{axis}": value for axis, value in zip("xyz", gaze, strict=True)}
    values |= {f"{axis}_{i}": 0.0 for axis in "xy" for i in range(68)}
    values["x_45"] = 100.0
    for i in range(56):
        values[f"eye_lmk_x_{i}"] = float(i) + shift * (i % 28 < 8)
        values[f"eye_lmk_y_{i}"] = 0.0
    return pd.DataFrame(values)


def test_equal_eyes_are_not_apart():
    eyes = compare(table(), table())
    assert (eyes.angles.max(), eyes.iris.max(), eyes.lid.max()) == (0, 0, 0)
    assert eyes.holds


def test_a_turn_and_a_shift_are_measured():
    eyes = compare(table(), table(turn=3.0, shift=2.5))
    assert eyes.angles == pytest.approx(np.full(4, 3.0))
    assert eyes.iris == pytest.approx(np.full(4, 2.5))
    assert eyes.lid.max() == 0
    assert not eyes.holds


def test_only_frames_in_which_both_succeed_count():
    assert compare(table(), table(turn=1.0, success=(0, 1))).angles == pytest.approx([1.0, 1.0])
