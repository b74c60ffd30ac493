"""The midline of a face in its picture, and reflection about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pyfaceau.errors import InputError, check_array
from pyfaceau.types import Float64
from pyfaceau.types.arrays import store


def _partners() -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Return each landmark's partner on the other side; itself on the midline."""
    partner = np.arange(68)
    runs = [(0, 17), (17, 27), (31, 36), (48, 55), (55, 60), (60, 65), (65, 68)]
    for first, end in runs:
        partner[first:end] = np.arange(first, end)[::-1]
    partner[36:48] = [45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40]
    return partner


PARTNERS = _partners()
"""(68,) intp: iBUG number of the landmark that a mirror puts in place of each."""

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
        mirror = np.array([[2 * x * x - 1, 2 * x * y], [2 * x * y, 2 * y * y - 1]])
        return np.column_stack([mirror, self.point - mirror @ self.point])

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
    x, y = across / width
    axes = np.array([[x, y], [-y, x]])
    centre = (points[39] + points[42]) / 2
    local = np.vstack([(points[_ON_AXIS] - centre) @ axes.T, np.zeros(2)])
    apart = local[:, None] - local
    far = np.abs(apart[:, :, 1]) > _FAR * width  # of points side by side no slope is known
    slopes = np.divide(apart[:, :, 0], apart[:, :, 1], out=np.full(far.shape, np.nan), where=far)
    known = slopes[far.any(axis=1)]
    slope = _median(_row_medians(known)) if len(known) else 0.0
    offset = _median(local[:, 0] - slope * local[:, 1])
    direction = np.array([slope, 1.0]) / np.hypot(slope, 1.0)
    return Midline(centre + axes.T @ np.array([offset, 0.0]), axes.T @ direction)


def _median(values: Float64) -> float:
    """Return the median of numbers; faster than NumPy's for a handful."""
    ordered = np.sort(values)
    count = len(ordered)
    return float((ordered[(count - 1) // 2] + ordered[count // 2]) / 2)


def _row_medians(values: Float64) -> Float64:
    """Return the median of each row's numbers; every row has one."""
    ordered = np.sort(values, axis=1)  # NaN last
    count = np.isfinite(values).sum(axis=1)
    rows = np.arange(len(values))
    medians: Float64 = (ordered[rows, (count - 1) // 2] + ordered[rows, count // 2]) / 2
    return medians


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
    mirror = line.reflection
    reflected = points[PARTNERS] @ mirror[:, :2].T + mirror[:, 2]
    whole = np.where(_LEFT[:, None], points, reflected)
    middle = np.arange(68) == PARTNERS
    whole[middle] = (points[middle] + reflected[middle]) / 2
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
