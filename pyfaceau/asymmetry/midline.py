"""The midline of a face in its picture, and reflection about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pyfaceau.asymmetry._kernels import complete, lay_line
from pyfaceau.errors import InputError, check_array
from pyfaceau.types import Float64, Int64
from pyfaceau.types.arrays import store


def _partners() -> Int64:
    """Return each landmark's partner on the other side; itself on the midline."""
    partner = np.arange(68, dtype=np.int64)
    runs = [(0, 17), (17, 27), (31, 36), (48, 55), (55, 60), (60, 65), (65, 68)]
    for first, end in runs:
        partner[first:end] = np.arange(first, end)[::-1]
    partner[36:48] = [45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40]
    return partner


PARTNERS = _partners()
"""(68,) int64: iBUG number of the landmark that a mirror puts in place of each."""

PARTNERS.setflags(write=False)

_ON_AXIS = np.array([27, 28, 29, 30, 33, 51, 8])
"""Nose bridge to tip, base of the nose, philtrum's end at the lip, chin."""

_FAR = 0.1
"""Distances between the outer eye corners that two points must be apart for a slope."""


@dataclass(frozen=True, eq=False)
class Midline:
    """A straight line that divides a face into its halves.

    Attributes
    ----------
    point : (2,) float64
        A point of the line, pixels.
    direction : (2,) float64
        Unit vector along it, from brow to chin (y positive for an upright face).
    """

    point: Float64
    direction: Float64

    def __post_init__(self) -> None:
        for name in ("point", "direction"):
            store(self, name, check_array(name, getattr(self, name), (2,), np.float64))

    @property
    def reflection(self) -> Float64:
        """(2, 3) float64: matrix that reflects pixels about the line."""
        x, y = self.direction
        px, py = self.point
        first, both, last = 2 * x * x - 1, 2 * x * y, 2 * y * y - 1
        to_x, to_y = px - (first * px + both * py), py - (both * px + last * py)
        return np.array([[first, both, to_x], [both, last, to_y]])

    def beyond(self, points: Any) -> Float64:
        """Return the signed distance of points from the line.

        Parameters
        ----------
        points : (..., 2) array_like
            Pixels.

        Returns
        -------
        (...) float64
            Pixels; positive towards the image's right of an upright face.
        """
        offset = np.asarray(points, np.float64) - self.point
        x, y = self.direction
        distance: Float64 = offset[..., 0] * y - offset[..., 1] * x
        return distance


def find_midline(landmarks: Any) -> Midline:
    """Lay a robust straight line through the middle of a face.

    The points are nose bridge and tip (27 to 30), base of the nose (33), upper lip under the
    philtrum (51), chin (8) and the midpoint of the inner eye corners (39, 42). In a frame whose y
    axis is perpendicular to the mean of the lines through outer and inner eye corners, the slope
    is the repeated median of the points' slopes to each other and the offset the median of the
    points' (A. F. Siegel, Robust regression using repeated medians, Biometrika 1982): mouth and
    chin that are drawn to one side do not take the line with them. Of a head that is turned the
    line runs where its nose is in the picture.

    Parameters
    ----------
    landmarks : (68, 2) array_like
        Pixels, iBUG order.

    Returns
    -------
    Midline
        The line.

    Raises
    ------
    InputError
        If the landmarks are not as described, or lie in one place.
    """
    points = check_array("landmarks", landmarks, (68, 2), np.float64)
    across = (points[45] - points[36]) + (points[42] - points[39])
    width = float(np.hypot(*across))
    if width == 0:
        raise InputError("landmarks: expected two eyes apart, got both in one place")
    line = np.empty(4)
    lay_line(points, _ON_AXIS, _FAR, line)
    return Midline(line[:2], line[2:])


def half_made_whole(landmarks: Any, line: Midline) -> Float64:
    """Return the face that the half on the image's left makes with its own reflection.

    Parameters
    ----------
    landmarks : (68, 2) array_like
        Pixels.
    line : Midline
        Its midline.

    Returns
    -------
    (68, 2) float64
        Landmarks on the image's left where they were, those of the midline moved onto the line,
        the others reflections of their partners.
    """
    points = check_array("landmarks", landmarks, (68, 2), np.float64)
    whole: Float64 = complete(points, PARTNERS, _LEFT, line.reflection)
    return whole


def left_half() -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return which landmarks are those of the image's left half.

    Returns
    -------
    (68,) bool
        Without those of the midline.
    """
    left = np.zeros(68, np.bool_)
    for first, end in [(0, 8), (17, 22), (31, 33), (36, 42), (48, 51), (58, 62), (67, 68)]:
        left[first:end] = True
    return left


_LEFT = left_half()
