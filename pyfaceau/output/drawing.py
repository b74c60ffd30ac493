"""Drawing what was measured onto the picture it was measured in."""

from __future__ import annotations

import math

import cv2
import numpy as np

from pyfaceau.numerics.rotation import euler_to_matrix
from pyfaceau.types import Camera, Float64, FrameResult, UInt8

_SHIFT = 4
_RED, _BLUE = (0, 0, 255), (255, 0, 0)
_GAZE = (110, 220, 0)
_GAZE_LENGTH = 50.0
_HEAD = 100.0
_EYE_CURVES = (slice(0, 8), slice(8, 20), slice(20, 28))
_FAR = 30_000.0


def draw_face(image: UInt8, result: FrameResult, camera: Camera, gaze: bool = True) -> None:
    """Draw a face's landmarks, head box, eyes and gaze into a picture.

    Landmarks are red and blue dots; the head box is the cube of 200 mm around the head, blue where
    the confidence is 1 and red where it is 0; eye contours and gaze (50 mm from each iris) are
    green. Lines grow with the picture's width.

    Parameters
    ----------
    image : (H, W, 3) uint8
        BGR picture, changed in place.
    result : FrameResult
        The face.
    camera : Camera
        Which the face's place in space was measured with.
    gaze : bool
        Draw eyes and gaze, where there are any.
    """
    width = image.shape[1]
    thin, thick = math.ceil(width / 640), math.ceil(3 * width / 640)
    for point in _fixed(result.face.landmarks):
        cv2.circle(image, point, 1 << _SHIFT, _RED, thick, cv2.LINE_AA, _SHIFT)
        cv2.circle(image, point, 1 << _SHIFT, _BLUE, thin, cv2.LINE_AA, _SHIFT)
    _draw_box(image, result, camera, math.ceil(2 * width / 640))
    if gaze:
        _draw_gaze(image, result, camera, thin)


def _draw_box(image: UInt8, result: FrameResult, camera: Camera, thickness: int) -> None:
    """Draw the edges of the cube around the head."""
    sure = min(max(result.face.confidence, 0.0), 1.0)
    color = (255 * sure, 0, 255 * (1 - sure))
    signs = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], np.float64)
    turn = euler_to_matrix(result.pose.rotation).astype(np.float64)
    corners = signs * _HEAD @ turn.T + result.pose.translation
    for i, one in enumerate(signs):
        for j in range(i):
            if np.abs(one - signs[j]).sum() == 2:
                _draw_line(image, corners[[j, i]], camera, color, thickness)


def _draw_gaze(image: UInt8, result: FrameResult, camera: Camera, thickness: int) -> None:
    """Draw eye contours and the directions of gaze."""
    if result.face.eyes is None or result.gaze is None or result.eyes_3d is None:
        return
    for eye in result.face.eyes:
        for curve in _EYE_CURVES:
            points = np.array(_fixed(eye.points[curve]), np.int32)
            cv2.polylines(image, [points], True, _GAZE, thickness, cv2.LINE_AA, _SHIFT)
    for number, vector in enumerate(result.gaze.vectors.astype(np.float64)):
        iris = result.eyes_3d[28 * number : 28 * number + 8].astype(np.float64).mean(axis=0)
        ends = np.stack([iris, iris + _GAZE_LENGTH * vector])
        _draw_line(image, ends, camera, _GAZE, 2 * thickness)


def _draw_line(
    image: UInt8, ends: Float64, camera: Camera, color: tuple[float, ...], thickness: int
) -> None:
    """Draw a line in camera space (mm), where all of it lies before the camera."""
    if (ends[:, 2] <= 0).any():
        return
    focal, centre = (camera.fx, camera.fy), (camera.cx, camera.cy)
    start, end = _fixed(ends[:, :2] / ends[:, 2:] * focal + centre)
    cv2.line(image, start, end, color, thickness, cv2.LINE_AA, _SHIFT)


def _fixed(points: np.ndarray) -> list[tuple[int, int]]:
    """Return pixel coordinates in the fixed point of OpenCV's drawing; kept from overflowing."""
    near = np.clip(points, -_FAR, _FAR)
    return [(round(x), round(y)) for x, y in (near * (1 << _SHIFT)).tolist()]
