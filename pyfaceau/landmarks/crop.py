"""Crops in whole pixels, for networks that see a face cut out of its picture."""

from __future__ import annotations

import cv2
import numpy as np

from pyfaceau.errors import InputError
from pyfaceau.types import FaceBox, UInt8

Crop = tuple[int, int, int, int]
"""x0, y0, x1, y1: its first and last pixels, which may lie outside the picture."""


def whole(image: UInt8) -> Crop:
    """Return the crop that is a whole picture.

    Parameters
    ----------
    image : (H, W, ...) uint8
        The picture.

    Returns
    -------
    tuple of int
        x0, y0, x1, y1.
    """
    return 0, 0, image.shape[1] - 1, image.shape[0] - 1


def crop_from_box(box: FaceBox, margin: float = 0.25) -> Crop:
    """Return the square crop of a detected face.

    Parameters
    ----------
    box : FaceBox
        RetinaFace's box: brow to chin, pixels.
    margin : float
        How much wider than the box's longer side it is, in units of that side.

    Returns
    -------
    tuple of int
        x0, y0, x1, y1; may reach outside the picture.

    Raises
    ------
    InputError
        If `margin` is not within 0 to 5.
    """
    if not 0 <= margin <= 5:
        raise InputError(f"margin: expected 0 to 5, got {margin}")
    side = max(1, round(max(box.width, box.height) * (1 + margin)))
    x0 = round(box.x + box.width / 2 - side / 2)
    y0 = round(box.y + box.height / 2 - side / 2)
    return x0, y0, x0 + side - 1, y0 + side - 1


def cut(image: UInt8, crop: Crop) -> UInt8:
    """Cut a crop out of a picture.

    Parameters
    ----------
    image : (H, W, 3) uint8
        The picture.
    crop : tuple of int
        x0, y0, x1, y1, first and last pixels.

    Returns
    -------
    (h, w, 3) uint8
        Black where the crop reaches outside the picture.

    Raises
    ------
    InputError
        If the crop is empty or lies outside.
    """
    x0, y0, x1, y1 = crop
    height, width = image.shape[:2]
    if x1 < x0 or y1 < y0 or x1 < 0 or y1 < 0 or x0 >= width or y0 >= height:
        raise InputError(f"crop: expected a part of the {width}x{height} picture, got {crop}")
    inside = image[max(y0, 0) : y1 + 1, max(x0, 0) : x1 + 1]
    rims = (max(-y0, 0), max(y1 + 1 - height, 0), max(-x0, 0), max(x1 + 1 - width, 0))
    if not any(rims):
        return inside
    return np.asarray(cv2.copyMakeBorder(inside, *rims, cv2.BORDER_CONSTANT), dtype=np.uint8)
