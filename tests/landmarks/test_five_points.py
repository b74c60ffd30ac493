"""Five points: yaw by hand, the rule of a frontal face, alignment against the template."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfaceau.errors import InputError
from pyfaceau.landmarks import align_face, is_frontal
from pyfaceau.landmarks.five_points import NOSE_DEPTH, TEMPLATE, yaw

FRONTAL = np.array([[30.0, 40], [70, 40], [50, 60], [35, 80], [65, 80]])


def turned(degrees: float) -> np.ndarray:
    """Return the points of a head that is turned: the nose alone stands before the face."""
    angle = math.radians(degrees)
    points = FRONTAL.copy()
    points[:, 0] = (points[:, 0] - 50) * math.cos(angle)
    points[2, 0] += 40 * NOSE_DEPTH * math.sin(angle)
    return points + np.array([50, 0])


@given(st.floats(-80, 80), st.floats(-3, 3), st.floats(0.1, 10))
def test_yaw_is_that_of_the_turned_head(degrees: float, roll: float, scale: float) -> None:
    c, s = scale * math.cos(roll), scale * math.sin(roll)
    points = turned(degrees) @ np.array([[c, s], [-s, c]])
    assert yaw(points) == pytest.approx(degrees, abs=1e-6)


def test_the_rule_of_a_frontal_face() -> None:
    assert is_frontal(FRONTAL)
    assert is_frontal(turned(19))
    assert not is_frontal(turned(-21))
    assert is_frontal(turned(-21), max_yaw=25)
    upwards = FRONTAL.copy()
    upwards[2, 1] = 39  # the nose above the eyes
    assert not is_frontal(upwards)


def test_the_template_stays_where_it_is() -> None:
    image = np.random.default_rng(0).integers(0, 256, (112, 112, 3), dtype=np.uint8)
    np.testing.assert_array_equal(align_face(image, TEMPLATE), image)


def test_a_turned_face_is_made_upright() -> None:
    """A gradient along the turned face's own axis becomes one along the picture's."""
    y, x = np.mgrid[:300, :300].astype(float)
    angle = math.radians(30)
    along = (x - 150) * math.cos(angle) + (y - 150) * math.sin(angle)
    image = np.clip(128 + along / 2, 0, 255).astype(np.uint8)
    c, s = 2 * math.cos(angle), 2 * math.sin(angle)
    points = (np.array(TEMPLATE) - 56) @ np.array([[c, s], [-s, c]]) + 150
    face = align_face(image, points, size=56).astype(float)
    np.testing.assert_allclose(np.diff(face[5:50, 5:50], axis=1).mean(), 2, atol=0.05)
    assert np.abs(np.diff(face[5:50, 5:50], axis=0)).max() <= 1


def test_what_is_no_face_is_refused() -> None:
    nan = np.full((5, 2), np.nan)
    with pytest.raises(InputError, match="points: expected finite numbers"):
        is_frontal(nan)
    with pytest.raises(InputError, match="points: expected two eyes"):
        yaw(np.ones((5, 2)))
    picture = np.zeros((10, 10), np.uint8)
    with pytest.raises(InputError, match="points: expected five points of a face"):
        align_face(picture, np.ones((5, 2)))
    with pytest.raises(InputError, match="size: expected 1 to 4096"):
        align_face(picture, FRONTAL, size=0)
    with pytest.raises(InputError, match="max_yaw: expected 0 to 90"):
        is_frontal(FRONTAL, -1)
