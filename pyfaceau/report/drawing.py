"""A frame with what a table says of it drawn in: for people, at any size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np

from pyfaceau.asymmetry.midline import find_midline
from pyfaceau.output.drawing import draw_axes, draw_box, draw_gaze, draw_landmarks
from pyfaceau.report.faces import RowFace
from pyfaceau.types import Camera, Float64, UInt8

_BLACK, _WHITE, _RED, _GREEN = (0, 0, 0), (255, 255, 255), (40, 40, 230), (80, 200, 0)
_FULL = 5.0
"""Intensity at which a bar is full."""


def draw_row(
    image: UInt8,
    face: RowFace | None,
    camera: Camera | None = None,
    bars: Mapping[str, float] | None = None,
    mirrored: bool = False,
) -> None:
    """Draw a row of a table into its frame.

    Landmarks are dots, the midline is a white line with L and R at the patient's sides; around the
    face stands a frame, green where the row counts as a success, else red and crossed out. With a
    camera, head box, axes and gaze too.

    Parameters
    ----------
    image : (H, W, 3) uint8
        BGR picture of the source's size, changed in place.
    face : RowFace or None
        The face; None where nothing was found, which is written.
    camera : Camera, optional
        Which the table was reckoned with.
    bars : mapping of str to float, optional
        Names and intensities, 0 to 5, drawn as bars on the image's left.
    mirrored : bool
        The recording is mirrored: the patient's left is the image's left.
    """
    if face is None:
        _write(image, "no face", (0.02, 0.05))
        return
    draw_midline(image, face.landmarks, mirrored)
    draw_landmarks(image, face.landmarks)
    _frame(image, face)
    if camera is not None and face.pose is not None and face.trusted:
        draw_box(image, face.pose, face.confidence, camera)
        draw_axes(image, face.pose, camera)
        if face.eyes is not None and face.eyes_3d is not None and face.gaze is not None:
            draw_gaze(image, face.eyes, face.eyes_3d, face.gaze, camera)
    _write(image, f"confidence {face.confidence:.2f}", (0.02, 0.05))
    if bars:
        _bars(image, bars)


def draw_midline(image: UInt8, landmarks: Any, mirrored: bool = False) -> None:
    """Draw the face's midline, and L and R at the patient's sides.

    Parameters
    ----------
    image : (H, W, 3) uint8
        BGR picture, changed in place.
    landmarks : (68, 2) array_like
        Pixels.
    mirrored : bool
        The patient's left is the image's left.
    """
    points = np.asarray(landmarks, np.float64)
    line = find_midline(points)
    along = (points - line.point) @ line.direction
    ends = [line.point + t * line.direction for t in (along.min() * 1.3, along.max() * 1.1)]
    width = _line_width(image)
    cv2.line(image, _whole(ends[0]), _whole(ends[1]), _BLACK, width + 2, cv2.LINE_AA)
    cv2.line(image, _whole(ends[0]), _whole(ends[1]), _WHITE, width, cv2.LINE_AA)
    across = line.beyond(points)
    normal = np.array([line.direction[1], -line.direction[0]])
    for letter, reach in (("R", across.min()), ("L", across.max())):
        shown = letter if not mirrored else {"R": "L", "L": "R"}[letter]
        place = line.point + along.max() * 0.8 * line.direction + normal * reach * 1.2
        _write(image, shown, tuple(place / image.shape[1::-1]), max(0.45, image.shape[1] / 600))


def eyes_blurred(image: UInt8, landmarks: Any) -> UInt8:
    """Return a picture whose eyes cannot be recognised.

    Parameters
    ----------
    image : (H, W, 3) uint8
        BGR.
    landmarks : (68, 2) array_like
        Pixels.

    Returns
    -------
    (H, W, 3) uint8
        A copy in which a band over both eyes and brows, wider than the face by a fifth, is replaced
        by the mean colour of its pixels in a coarse grid.
    """
    points = np.asarray(landmarks, np.float64)
    axis = points[42:48].mean(axis=0) - points[36:42].mean(axis=0)
    axis /= max(float(np.hypot(*axis)), 1e-9)
    frame = np.stack([axis, [-axis[1], axis[0]]])
    region = points[np.r_[17:27, 36:48, 0, 16]] @ frame.T
    low, high = region.min(axis=0), region[:-2].max(axis=0)
    high[0] = region[:, 0].max()
    margin = 0.1 * (high[0] - low[0])
    low, high = low - margin, high + margin
    corners = np.array([low, [high[0], low[1]], high, [low[0], high[1]]]) @ frame
    mask = np.zeros(image.shape[:2], np.uint8)
    cv2.fillConvexPoly(mask, np.round(corners).astype(np.int32), 1)
    cell = max(1, round((high[0] - low[0]) / 6))
    height, width = image.shape[:2]
    small = (max(1, width // cell), max(1, height // cell))
    coarse = cv2.resize(image, small, interpolation=cv2.INTER_AREA)
    coarse = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_NEAREST)
    out: UInt8 = np.where(mask[:, :, None] == 1, coarse, image).astype(np.uint8)
    return out


def face_cut(image: UInt8, landmarks: Any, height: int) -> tuple[UInt8, Float64]:
    """Return the part of a picture around a face, at a given height, and the face in it.

    Parameters
    ----------
    image : (H, W, 3) uint8
        BGR.
    landmarks : (68, 2) array_like
        Pixels.
    height : int
        Of what is returned, pixels.

    Returns
    -------
    cut : (height, w, 3) uint8
        The face with a margin of a third of its size.
    landmarks : (68, 2) float64
        Pixels of `cut`.
    """
    points = np.asarray(landmarks, np.float64)
    size = np.ptp(points, axis=0)
    low, high = points.min(axis=0) - size * (0.35, 0.45), points.max(axis=0) + size * (0.35, 0.2)
    left, top = np.maximum(np.floor(low), 0).astype(int)
    right, bottom = np.minimum(np.ceil(high), image.shape[1::-1]).astype(int)
    if right - left < 2 or bottom - top < 2:  # a face outside the picture
        left, top, (right, bottom) = 0, 0, image.shape[1::-1]
    part = image[top:bottom, left:right]
    scale = height / part.shape[0]
    width = max(1, round(part.shape[1] * scale))
    smooth = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    cut = np.asarray(cv2.resize(part, (width, height), interpolation=smooth), np.uint8)
    return cut, (points - (left, top) + 0.5) * scale - 0.5


def _frame(image: UInt8, face: RowFace) -> None:
    """Frame a face; one that is not trusted is crossed out."""
    low, high = _whole(face.landmarks.min(axis=0) - 4), _whole(face.landmarks.max(axis=0) + 4)
    color, width = _GREEN if face.trusted else _RED, _line_width(image)
    cv2.rectangle(image, low, high, color, width, cv2.LINE_AA)
    if not face.trusted:
        cv2.line(image, low, high, _RED, width, cv2.LINE_AA)


def _bars(image: UInt8, bars: Mapping[str, float]) -> None:
    """Draw intensities as bars, one under the other."""
    height, width = image.shape[:2]
    step = 0.86 / max(len(bars), 18)
    size = step * height / 40
    for number, (name, value) in enumerate(bars.items()):
        y = 0.1 + number * step
        _write(image, name, (0.02, y), size)
        left, full = 0.02 * width + 170 * size, 0.12 * width
        top, bottom = round((y - 0.45 * step) * height), round((y + 0.1 * step) * height)
        share = 0.0 if np.isnan(value) else min(max(value / _FULL, 0.0), 1.0)
        cv2.rectangle(image, (round(left), top), (round(left + full), bottom), _WHITE, 1)
        end = (round(left + full * share), bottom)
        cv2.rectangle(image, (round(left), top), end, _GREEN, -1)


def _write(image: UInt8, text: str, place: tuple[float, float], size: float = 0.0) -> None:
    """Write in white on black, at a place in shares of the picture."""
    height, width = image.shape[:2]
    scale = size or max(0.45, width / 1400)
    origin = (round(place[0] * width), round(place[1] * height))
    for color, bold in ((_BLACK, 3), (_WHITE, 1)):
        thickness = bold * max(1, round(scale))
        cv2.putText(
            image, text, origin, cv2.FONT_HERSHEY_SIMPLEX, scale, color, thickness, cv2.LINE_AA
        )


def _line_width(image: UInt8) -> int:
    return max(1, round(float(image.shape[1]) / 640))


def _whole(point: Float64) -> tuple[int, int]:
    x, y = np.clip(point, -30_000, 30_000)
    return round(float(x)), round(float(y))
