"""What five points of a face are good for: is it frontal, and the face made upright."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import ArrayLike

from pyfaceau.errors import InputError, check_array, check_image
from pyfaceau.types import Float64, UInt8

MAX_YAW = 20.0
"""A face that is turned by no more than this is frontal, degrees."""

NOSE_DEPTH = 0.585
"""The tip of the nose before the line through the eye centres, in units of their distance: 38.4 of
65.7 mm in the mean shape of OpenFace's 68-point model."""

TEMPLATE = (
    (38.2946, 51.6963),
    (73.5318, 51.5014),
    (56.0252, 71.7366),
    (41.5493, 92.3655),
    (70.7299, 92.2041),
)
"""Where the five points of an upright face lie in a picture of 112x112 pixels: ArcFace's template
(Deng et al., "ArcFace", CVPR 2019; the values are those of InsightFace's alignment)."""


def yaw(points: ArrayLike) -> float:
    """Estimate how far a face is turned aside.

    Under parallel projection the eyes' distance shrinks with the cosine of the yaw and the tip of
    the nose moves aside with its sine: tan(yaw) = s / 0.585, where s is the way of the nose along
    the line of the eyes, from their middle, in units of their distance in the picture.

    Parameters
    ----------
    points : (5, 2) array_like
        Eye on the image's left, eye on its right, nose, mouth corners left and right, pixels.

    Returns
    -------
    float
        Degrees, -90 to 90; positive turns the nose to the image's right. A few degrees off for
        noses that are longer or shorter than the mean shape's.

    Raises
    ------
    InputError
        If the array has another shape, is not finite, or both eyes are one point.
    """
    left, right, nose, *_ = check_array("points", points, (5, 2), np.float64)
    line = right - left
    distance = float(np.hypot(*line))
    if distance == 0:
        raise InputError("points: expected two eyes, got one point for both")
    aside = float((nose - (left + right) / 2) @ line) / distance**2
    return math.degrees(math.atan(aside / NOSE_DEPTH))


def is_frontal(points: ArrayLike, max_yaw: float = MAX_YAW) -> bool:
    """Tell whether a face looks ahead.

    The rule: the `yaw` is within `max_yaw` to either side, and seen along the face the nose lies
    below the eyes and above the mouth. Roll does not count, as it can be turned away.

    Parameters
    ----------
    points : (5, 2) array_like
        As for `yaw`.
    max_yaw : float
        Degrees.

    Returns
    -------
    bool
        Whether it is frontal.

    Raises
    ------
    InputError
        As from `yaw`, or if `max_yaw` is not within 0 to 90.
    """
    if not 0 <= max_yaw <= 90:
        raise InputError(f"max_yaw: expected 0 to 90 degrees, got {max_yaw}")
    turned = yaw(points)
    left, right, nose, *mouth = np.asarray(points, np.float64)
    eyes, lips = (left + right) / 2, (mouth[0] + mouth[1]) / 2
    line = right - left
    down = np.array([-line[1], line[0]])
    between = 0 < (nose - eyes) @ down < (lips - eyes) @ down
    return bool(abs(turned) <= max_yaw and between)


def align_face(image: UInt8, points: ArrayLike, size: int = 112) -> UInt8:
    """Cut a face out, upright and of one size, as face-recognition networks want it.

    The similarity (turn, scale, shift) that brings the five points nearest to `TEMPLATE` in the
    least-squares sense (Umeyama, IEEE TPAMI 13, 1991, eq. 40-42).

    Parameters
    ----------
    image : (H, W, 3) or (H, W) uint8
        BGR or gray.
    points : (5, 2) array_like
        As for `yaw`, pixels of `image`.
    size : int
        Side of the result, pixels.

    Returns
    -------
    (size, size, 3) or (size, size) uint8
        The face; black where it reaches outside the picture.

    Raises
    ------
    InputError
        If `image` is no picture, `points` have another shape, are not finite or lie in one place,
        or `size` is no positive number of pixels.
    """
    picture = check_image("image", image)
    five = check_array("points", points, (5, 2), np.float64)
    if not 1 <= size <= 4096:
        raise InputError(f"size: expected 1 to 4096 pixels, got {size}")
    warp = _similarity(five, np.array(TEMPLATE) * (size / 112))
    face = cv2.warpAffine(picture, warp, (int(size), int(size)), flags=cv2.INTER_LINEAR)
    return np.asarray(face, dtype=np.uint8)


def _similarity(source: Float64, target: Float64) -> Float64:
    """Return the (2, 3) matrix of the similarity that takes `source` nearest to `target`."""
    a, b = source - source.mean(axis=0), target - target.mean(axis=0)
    spread = float((a**2).sum())
    if spread < 1e-9:
        raise InputError("points: expected five points of a face, got one place")
    cosine = float((a * b).sum()) / spread
    sine = float((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum()) / spread
    turn = np.array([[cosine, -sine], [sine, cosine]])
    return np.concatenate([turn, (target.mean(axis=0) - turn @ source.mean(axis=0))[:, None]], 1)
