"""The midline and what is reflected about it, by hand and by its laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfaceau.asymmetry.midline import PARTNERS, find_midline, half_made_whole, left_half
from pyfaceau.errors import InputError
from tests.asymmetry.faces import symmetric_face


def test_partners_are_a_mirror() -> None:
    assert (PARTNERS[PARTNERS] == np.arange(68)).all()
    assert PARTNERS[[36, 39, 48, 60, 0, 17, 31]].tolist() == [45, 42, 54, 64, 16, 26, 35]
    middle = np.arange(68) == PARTNERS
    assert np.flatnonzero(middle).tolist() == [8, 27, 28, 29, 30, 33, 51, 57, 62, 66]
    assert (left_half()[PARTNERS] == ~(left_half() | middle)).all()


@given(st.floats(-0.6, 0.6), st.floats(20, 400), st.floats(-200, 200))
def test_midline_of_a_symmetric_face_is_its_axis(roll: float, size: float, shift: float) -> None:
    turn = np.array([[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]])
    points = symmetric_face() * size @ turn.T + shift
    line = find_midline(points)
    np.testing.assert_allclose(line.direction, turn @ (0.0, 1.0), atol=1e-9)
    np.testing.assert_allclose(line.beyond(points[[27, 30, 8]]), 0.0, atol=1e-7 * size)
    assert (line.beyond(points[left_half()]) < 0).all()
    np.testing.assert_allclose(half_made_whole(points, line), points, atol=1e-7 * size)


def test_mouth_and_chin_drawn_aside_do_not_take_the_line_with_them() -> None:
    points = symmetric_face() * 100.0
    points[[8, 51]] += (15.0, 0.0)
    line = find_midline(points)
    np.testing.assert_allclose(line.direction, (0.0, 1.0), atol=1e-12)
    np.testing.assert_allclose(line.beyond(points[30]), 0.0, atol=1e-12)


@given(st.integers(0, 2**32 - 1), st.floats(-3, 3))
def test_the_line_is_of_repeated_medians(seed: int, roll: float) -> None:
    turn = np.array([[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]])
    noise = np.random.default_rng(seed).normal(0, 8, (68, 2))
    noise[36:48] = 0  # an upright face but for its roll
    points = (symmetric_face() * 100 + noise) @ turn.T
    upright = points @ turn
    local = np.vstack([upright[[27, 28, 29, 30, 33, 51, 8]], upright[[39, 42]].mean(axis=0)])
    local -= local[-1]
    far = 0.1 * (upright[42, 0] - upright[39, 0] + upright[45, 0] - upright[36, 0])
    medians = []
    for one in local:
        apart = (one - local)[np.abs(one[1] - local[:, 1]) > far]
        if len(apart):
            medians.append(np.median(apart[:, 0] / apart[:, 1]))
    slope = np.median(medians)
    offset = np.median(local[:, 0] - slope * local[:, 1])
    line = find_midline(points)
    along = turn @ (slope, 1.0) / np.hypot(slope, 1.0)
    np.testing.assert_allclose(line.direction, along, atol=1e-9)
    inner = points[[39, 42]].mean(axis=0)
    np.testing.assert_allclose(line.beyond(inner + turn @ (offset, 0.0)), 0, atol=1e-7)


def test_half_made_whole_is_symmetric_and_keeps_the_left() -> None:
    rng = np.random.default_rng(3)
    points = symmetric_face() * 100.0 + rng.normal(0, 2, (68, 2))
    line = find_midline(points)
    whole = half_made_whole(points, line)
    mirror = line.reflection
    np.testing.assert_allclose(whole[PARTNERS] @ mirror[:, :2].T + mirror[:, 2], whole, atol=1e-9)
    np.testing.assert_array_equal(whole[left_half()], points[left_half()])


def test_no_face_is_refused() -> None:
    with pytest.raises(InputError, match="two eyes apart"):
        find_midline(np.ones((68, 2)))
