"""A frame with what was measured in it, for the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from pyfaceau.app.measuring import Measured

if TYPE_CHECKING:
    from pyfaceau.types import Float64, UInt8

_MIDLINE = (27, 28, 29, 30, 33, 51, 62, 66, 57, 8)
_GREEN, _WHITE, _BLUE, _RED = (80, 200, 0), (255, 255, 255), (255, 120, 0), (40, 40, 230)


def marked_picture(measured: Measured, row: int, frame: int | None = None) -> UInt8:
    """Return a frame with landmarks, box, midline and score drawn into it.

    Parameters
    ----------
    measured : Measured
        The video.
    row : int
        Of the table, from 0.
    frame : int, optional
        Of the video, from 0; `row` if not given.

    Returns
    -------
    (h, w, 3) uint8
        RGB.
    """
    image = measured.picture(row if frame is None else frame).copy()
    record = measured.data.iloc[row]
    scale = image.shape[1] / measured.size[0]
    points = np.stack(
        [record[[f"{axis}_{n}" for n in range(68)]].to_numpy(np.float64) for axis in "xy"], axis=1
    )
    trusted = bool(record.get("success", record["confidence"] > 0.7))
    if points.any():
        _draw(image, (points + 0.5) * scale - 0.5, trusted)
    words = f"confidence {record['confidence']:.2f}" if points.any() else "no face"
    for colour, thickness in ((_WHITE, 3), ((0, 0, 0), 1)):
        cv2.putText(
            image, words, (8, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.5, colour, thickness, cv2.LINE_AA
        )
    return np.ascontiguousarray(image[:, :, ::-1])


def _draw(image: UInt8, points: Float64, trusted: bool) -> None:
    """Draw one face; one that is not trusted is crossed out."""
    low, high = points.min(axis=0) - 4, points.max(axis=0) + 4
    corner, opposite = _whole(low), _whole(high)
    cv2.rectangle(image, corner, opposite, _GREEN if trusted else _RED, 1, cv2.LINE_AA)
    if not trusted:
        cv2.line(image, corner, opposite, _RED, 1, cv2.LINE_AA)
    middle = points[list(_MIDLINE)]
    direction = np.linalg.svd(middle - middle.mean(axis=0))[2][0]
    reach = direction * (high - low).max() / 2
    centre = middle.mean(axis=0)
    cv2.line(image, _whole(centre - reach), _whole(centre + reach), _WHITE, 1, cv2.LINE_AA)
    for x, y in points:
        cv2.circle(image, (round(16 * x), round(16 * y)), 20, _BLUE, -1, cv2.LINE_AA, 4)


def _whole(point: Float64) -> tuple[int, int]:
    return round(float(point[0])), round(float(point[1]))
