"""Kernels around the landmark network: its crop, its input, its answer; sums in a fixed order."""

from __future__ import annotations

import math

import numpy as np

from pyfaceau.numerics._jit import kernel
from pyfaceau.numerics.warp import invert_affine, warp_affine_u8
from pyfaceau.types import Float32, Float64, UInt8


@kernel
def square_crop(
    x: float, y: float, side: float, c: float, s: float, pixels: int, out: Float64
) -> None:
    """Fill `out` (2, 3) with the similarity from a picture to a crop of `pixels`.

    The square's centre (x, y) goes to the crop's middle, direction (c, s) to the right.
    """
    scale, middle = pixels / side, (pixels - 1) / 2
    out[0, 0], out[0, 1] = scale * c, scale * s
    out[1, 0], out[1, 1] = scale * -s, scale * c
    out[0, 2] = middle - (out[0, 0] * x + out[0, 1] * y)
    out[1, 2] = middle - (out[1, 0] * x + out[1, 1] * y)


@kernel
def crop_around(points: Float64, factor: float, down: float, pixels: int, out: Float64) -> bool:
    """Fill `out` as `square_crop` with the crop of a face, the line through its eyes level.

    `points` (68, 2); side and centre are `factor` and `down` times the longer side of the points'
    box. Return whether the points have an extent.
    """
    dx = dy = 0.0
    for i in range(6):
        dx += points[42 + i, 0] - points[36 + i, 0]
        dy += points[42 + i, 1] - points[36 + i, 1]
    length = math.sqrt(dx * dx + dy * dy)
    c, s = (dx / length, dy / length) if length > 0 else (1.0, 0.0)
    left = top = np.inf
    right = bottom = -np.inf
    for i in range(points.shape[0]):
        x = points[i, 0] * c + points[i, 1] * s
        y = points[i, 1] * c - points[i, 0] * s
        left, right = min(left, x), max(right, x)
        top, bottom = min(top, y), max(bottom, y)
    longer = max(right - left, bottom - top)
    if not longer > 0:
        return False
    x, y = (left + right) / 2, (top + bottom) / 2 + down * longer
    square_crop(x * c - y * s, x * s + y * c, factor * longer, c, s, pixels, out)
    return True


@kernel
def network_input(image: UInt8, crops: Float64, out: Float32) -> None:
    """Fill `out` (k, 3, h, w) with crops of `image` (H, W, 3) BGR, as red, green, blue in 0 to 1.

    `crops` (k, 2, 3) take pixels of the picture to those of the crop; outside of it is black.
    """
    crop = np.empty((out.shape[2], out.shape[3], 3), np.uint8)
    unit = np.float32(1 / 255)
    for k in range(out.shape[0]):
        warp_affine_u8(image, invert_affine(crops[k]), crop)
        for y in range(crop.shape[0]):
            for x in range(crop.shape[1]):
                for c in range(3):
                    out[k, c, y, x] = np.float32(crop[y, x, 2 - c]) * unit


@kernel
def points_in_picture(
    answer: Float32, crops: Float64, side: float, dx: float, dy: float, out: Float32
) -> None:
    """Fill `out` (k, n, 2) with a network's points, pixels of the picture.

    `answer` (k, n, 2) in units of the crop's `side`; (dx, dy) is taken off, crop pixels; `crops`
    as for `network_input`.
    """
    for k in range(out.shape[0]):
        m = invert_affine(crops[k])
        for i in range(out.shape[1]):
            x = np.float64(answer[k, i, 0]) * side - dx - crops[k, 0, 2]
            y = np.float64(answer[k, i, 1]) * side - dy - crops[k, 1, 2]
            out[k, i, 0] = x * m[0, 0] + y * m[0, 1]
            out[k, i, 1] = x * m[1, 0] + y * m[1, 1]
