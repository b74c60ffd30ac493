"""Drawing what was measured onto the picture it was measured in."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np

from pyfaceau.numerics.rotation import euler_to_matrix
from pyfaceau.types import Camera, Float64, FrameResult, HeadPose, UInt8

_SHIFT = 4
_RED, _BLUE = (0, 0, 255), (255, 0, 0)
_GAZE = (110, 220, 0)
_GAZE_LENGTH = 50.0
_HEAD, _AXIS = 100.0, 60.0
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
    face, pose = result.face, result.pose
    draw_landmarks(image, face.landmarks)
    draw_box(image, pose, face.confidence, camera)
    if gaze and face.eyes is not None and result.gaze is not None and result.eyes_3d is not None:
        eyes = np.stack([eye.points for eye in face.eyes])
        draw_gaze(image, eyes, result.eyes_3d, result.gaze.vectors, camera)


def draw_landmarks(image: UInt8, landmarks: Any) -> None:
    """Draw landmarks as red and blue dots.

    Parameters
    ----------
    image : (H, W, 3) uint8
        BGR picture, changed in place.
    landmarks : (68, 2) array_like
        Pixels.
    """
    width = image.shape[1]
    thin, thick = math.ceil(width / 640), math.ceil(3 * width / 640)
    for point in _fixed(np.asarray(landmarks)):
        cv2.circle(image, point, 1 << _SHIFT, _RED, thick, cv2.LINE_AA, _SHIFT)
        cv2.circle(image, point, 1 << _SHIFT, _BLUE, thin, cv2.LINE_AA, _SHIFT)


def draw_box(image: UInt8, pose: HeadPose, confidence: float, camera: Camera) -> None:
    """Draw the edges of the cube of 200 mm around the head.

    Parameters
    ----------
    image : (H, W, 3) uint8
        BGR picture, changed in place.
    pose : HeadPose
        Where the head is.
    confidence : float
        Blue at 1, red at 0.
    camera : Camera
        Which the pose was measured with.
    """
    sure = min(max(confidence, 0.0), 1.0)
    color = (255 * sure, 0, 255 * (1 - sure))
    thickness = math.ceil(2 * image.shape[1] / 640)
    signs = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], np.float64)
    turn = euler_to_matrix(pose.rotation).astype(np.float64)
    corners = signs * _HEAD @ turn.T + pose.translation
    for i, one in enumerate(signs):
        for j in range(i):
            if np.abs(one - signs[j]).sum() == 2:
                _draw_line(image, corners[[j, i]], camera, color, thickness)


def draw_axes(image: UInt8, pose: HeadPose, camera: Camera) -> None:
    """Draw the head's axes from its centre: x red, y green, z (out of the face) blue.

    Parameters
    ----------
    image : (H, W, 3) uint8
        BGR picture, changed in place.
    pose : HeadPose
        Where the head is.
    camera : Camera
        Which the pose was measured with.
    """
    turn = euler_to_matrix(pose.rotation).astype(np.float64)
    thickness = math.ceil(2 * image.shape[1] / 640)
    for axis, sign, color in ((0, 1, _RED), (1, 1, _GAZE), (2, -1, _BLUE)):
        end = pose.translation + sign * _AXIS * turn[:, axis]
        _draw_line(image, np.stack([pose.translation, end]), camera, color, thickness)


def draw_gaze(image: UInt8, eyes: Any, eyes_3d: Any, vectors: Any, camera: Camera) -> None:
    """Draw eye contours and, 50 mm long, the directions of gaze.

    Parameters
    ----------
    image : (H, W, 3) uint8
        BGR picture, changed in place.
    eyes : (2, 28, 2) array_like
        Eye landmarks, pixels; first the eye on the image's left.
    eyes_3d : (56, 3) array_like
        The same in camera space, mm.
    vectors : (2, 3) array_like
        Unit vectors of gaze in camera space.
    camera : Camera
        Which they were measured with.
    """
    thickness = math.ceil(image.shape[1] / 640)
    for eye in np.asarray(eyes):
        for curve in _EYE_CURVES:
            points = np.array(_fixed(eye[curve]), np.int32)
            cv2.polylines(image, [points], True, _GAZE, thickness, cv2.LINE_AA, _SHIFT)
    for number, vector in enumerate(np.asarray(vectors, np.float64)):
        iris = np.asarray(eyes_3d, np.float64)[28 * number : 28 * number + 8].mean(axis=0)
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
