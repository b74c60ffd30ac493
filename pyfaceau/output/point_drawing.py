"""Drawing landmarks onto a picture: points, contours, mesh."""

from __future__ import annotations

import cv2
import numpy as np

from pyfaceau.types import Float32, Float64, Int32, UInt8

_SHIFT = 4
_FAR = 30_000.0
_POINT, _LINE, _MESH, _BOX = (60, 220, 60), (255, 200, 80), (150, 150, 150), (60, 180, 255)

CONTOURS: tuple[tuple[range, bool], ...] = (
    (range(17), False),
    (range(17, 22), False),
    (range(22, 27), False),
    (range(27, 31), False),
    (range(31, 36), False),
    (range(36, 42), True),
    (range(42, 48), True),
    (range(48, 60), True),
    (range(60, 68), True),
)
"""Lines of the 68 iBUG points, and whether each is closed."""


def draw_points(
    image: UInt8,
    points: Float32 | Float64,
    *,
    point_size: int = 2,
    line_width: int = 1,
    contours: bool = True,
    mesh: Int32 | None = None,
) -> None:
    """Draw the landmarks of a face.

    Parameters
    ----------
    image : (H, W, 3) uint8
        BGR picture, changed in place.
    points : (n, 2) float
        Pixels; a point that is not finite is left out, and so is each line to it.
    point_size : int
        Radius of the points, pixels; 0 leaves them out.
    line_width : int
        Of contours and mesh, pixels.
    contours : bool
        Join the points of brows, eyes, nose, lips and jaw; of 68 points only.
    mesh : (m, 3) int32, optional
        Triangles to draw, numbers of points; of 68 points only.
    """
    seen = np.asarray(np.isfinite(points).all(axis=1))
    places = np.rint(np.clip(np.nan_to_num(points), -_FAR, _FAR) * (1 << _SHIFT)).astype(np.int32)
    if len(points) == 68 and mesh is not None:
        for corners in mesh[seen[mesh].all(axis=1)]:
            _lines(image, places[corners], True, _MESH, line_width)
    if len(points) == 68 and contours:
        for line, closed in CONTOURS:
            if seen[line].all():
                _lines(image, places[line], closed, _LINE, line_width)
    if point_size > 0:
        for x, y in places[seen].tolist():
            cv2.circle(image, (x, y), point_size << _SHIFT, _POINT, -1, cv2.LINE_AA, _SHIFT)


def draw_crop(image: UInt8, corners: tuple[float, float, float, float], line_width: int) -> None:
    """Draw the frame of what a network saw.

    Parameters
    ----------
    image : (H, W, 3) uint8
        BGR picture, changed in place.
    corners : tuple of float
        x0, y0, x1, y1, pixels.
    line_width : int
        Pixels.
    """
    x0, y0, x1, y1 = (round(min(max(value, -_FAR), _FAR)) for value in corners)
    cv2.rectangle(image, (x0, y0), (x1, y1), _BOX, line_width, cv2.LINE_AA)


def _lines(
    image: UInt8, places: Int32, closed: bool, color: tuple[int, int, int], width: int
) -> None:
    cv2.polylines(image, [places.reshape(-1, 1, 2)], closed, color, width, cv2.LINE_AA, _SHIFT)
