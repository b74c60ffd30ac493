"""Bilinear sampling on a grid of 1/32 pixel, in the fixed-point arithmetic of the reference.

Source positions are rounded to 1/32 pixel by way of 1/1024 pixel row and column terms, so that a
position does not depend on the order of evaluation. What lies outside the picture counts as zero,
neighbour by neighbour. These functions are compiled kernels.
"""

from __future__ import annotations

import numpy as np

from pyfaceau.numerics._jit import kernel
from pyfaceau.numerics._pixel import mix_pixels
from pyfaceau.types import Float32, Float64, UInt8

_1 = np.float32(1)
_0 = np.float32(0)
_STEP = np.float32(0.03125)


@kernel
def invert_affine(m: Float64) -> Float64:
    """Return the inverse of an affine map.

    Parameters
    ----------
    m : (2, 3) float64
        Matrix.

    Returns
    -------
    (2, 3) float64
        Matrix of the inverse map.
    """
    d = 1.0 / (m[0, 0] * m[1, 1] - m[0, 1] * m[1, 0])
    out = np.empty((2, 3), np.float64)
    out[0, 0], out[0, 1] = m[1, 1] * d, -m[0, 1] * d
    out[1, 0], out[1, 1] = -m[1, 0] * d, m[0, 0] * d
    out[0, 2] = -out[0, 0] * m[0, 2] - out[0, 1] * m[1, 2]
    out[1, 2] = -out[1, 0] * m[0, 2] - out[1, 1] * m[1, 2]
    return out


@kernel
def row_terms(m: Float64, y: int) -> tuple[int, int]:
    """Return the source position of the pixel (0, y), half of 1/32 pixel added to round.

    Parameters
    ----------
    m : (2, 3) float64
        Maps destination to source.
    y : int
        Row.

    Returns
    -------
    x : int64
        Column, in 1/1024 pixels.
    y : int64
        Row, in 1/1024 pixels.
    """
    x0 = np.int64(np.rint((m[0, 1] * y + m[0, 2]) * 1024.0)) + 16
    y0 = np.int64(np.rint((m[1, 1] * y + m[1, 2]) * 1024.0)) + 16
    return x0, y0


@kernel
def bilinear(p00: float, p01: float, p10: float, p11: float, x32: int, y32: int) -> float:
    """Return the bilinear mean of four neighbours.

    Parameters
    ----------
    p00, p01, p10, p11 : float32
        Upper left, upper right, lower left and lower right pixel.
    x32, y32 : int64
        Position in 1/32 pixels; whole pixels do not matter.

    Returns
    -------
    float32
        Their mean, weighted by nearness.
    """
    fx = np.float32(x32 & 31) * _STEP
    fy = np.float32(y32 & 31) * _STEP
    gx, gy = _1 - fx, _1 - fy
    return p00 * (gy * gx) + p01 * (gy * fx) + p10 * (fy * gx) + p11 * (fy * fx)


@kernel
def sample_f32(image: Float32 | UInt8, x32: int, y32: int) -> float:
    """Sample a picture at one position.

    Parameters
    ----------
    image : (H, W) float32 or uint8
        Picture.
    x32, y32 : int64
        Position in 1/32 pixels.

    Returns
    -------
    float32
        Bilinear mean of the four neighbours; those outside count as 0.
    """
    height, width = image.shape
    column, row = x32 >> 5, y32 >> 5
    p00 = p01 = p10 = p11 = _0
    left, right = 0 <= column < width, -1 <= column < width - 1
    if 0 <= row < height:
        if left:
            p00 = np.float32(image[row, column])
        if right:
            p01 = np.float32(image[row, column + 1])
    if -1 <= row < height - 1:
        if left:
            p10 = np.float32(image[row + 1, column])
        if right:
            p11 = np.float32(image[row + 1, column + 1])
    return bilinear(p00, p01, p10, p11, x32, y32)


@kernel
def warp_affine_u8(image: UInt8, m: Float64, out: UInt8) -> None:
    """Warp a colour picture with integer weights that sum to 1024.

    Parameters
    ----------
    image : (H, W, 3) uint8
        Source.
    m : (2, 3) float64
        Maps pixels of `out` to pixels of `image`.
    out : (h, w, 3) uint8
        Receives the result.
    """
    height, width = image.shape[0], image.shape[1]
    flat = image.reshape(-1)
    columns = np.empty((2, out.shape[1]), np.int64)
    for x in range(out.shape[1]):
        columns[0, x] = np.rint(m[0, 0] * x * 1024.0)
        columns[1, x] = np.rint(m[1, 0] * x * 1024.0)
    for y in range(out.shape[0]):
        x0, y0 = row_terms(m, y)
        for x in range(out.shape[1]):
            xs, ys = (x0 + columns[0, x]) >> 5, (y0 + columns[1, x]) >> 5
            column, row = xs >> 5, ys >> 5
            if 0 <= column < width - 2 and 0 <= row < height - 1:
                at = 3 * (row * width + column)
                blue, green, red = mix_pixels(flat, at, at + 3 * width, xs & 31, ys & 31)
                out[y, x, 0], out[y, x, 1], out[y, x, 2] = blue, green, red
            else:
                _sample_border(image, xs, ys, out[y, x])


@kernel
def _sample_border(image: UInt8, x32: int, y32: int, out: UInt8) -> None:
    """Sample a colour picture where neighbours may lie outside."""
    height, width = image.shape[0], image.shape[1]
    column, row = x32 >> 5, y32 >> 5
    fx, fy = np.int32(x32 & 31), np.int32(y32 & 31)
    left, right = 0 <= column < width, -1 <= column < width - 1
    for c in range(3):
        total = 512
        if 0 <= row < height:
            if left:
                total += (32 - fy) * (32 - fx) * image[row, column, c]
            if right:
                total += (32 - fy) * fx * image[row, column + 1, c]
        if -1 <= row < height - 1:
            if left:
                total += fy * (32 - fx) * image[row + 1, column, c]
            if right:
                total += fy * fx * image[row + 1, column + 1, c]
        out[c] = total >> 10


@kernel
def warp_halves_u8(
    image: UInt8, here: Float64, there: Float64, normal: Float64, out: UInt8
) -> None:
    """Warp a colour picture one way before a line and another way beyond it, as `warp_affine_u8`.

    Parameters
    ----------
    image : (H, W, 3) uint8
        Source.
    here, there : (2, 3) float64
        Map pixels of `out` to pixels of `image`, before and beyond the line.
    normal : (3,) float64
        a, b, c: a pixel of `out` is beyond the line where a x + b y + c is positive.
    out : (h, w, 3) uint8
        Receives the result.
    """
    height, width = image.shape[0], image.shape[1]
    flat = image.reshape(-1)
    columns = np.empty((4, out.shape[1]), np.int64)
    for x in range(out.shape[1]):
        columns[0, x] = np.rint(here[0, 0] * x * 1024.0)
        columns[1, x] = np.rint(here[1, 0] * x * 1024.0)
        columns[2, x] = np.rint(there[0, 0] * x * 1024.0)
        columns[3, x] = np.rint(there[1, 0] * x * 1024.0)
    for y in range(out.shape[0]):
        x_here, y_here = row_terms(here, y)
        x_there, y_there = row_terms(there, y)
        offset = normal[1] * y + normal[2]
        for x in range(out.shape[1]):
            if normal[0] * x + offset > 0:
                xs, ys = (x_there + columns[2, x]) >> 5, (y_there + columns[3, x]) >> 5
            else:
                xs, ys = (x_here + columns[0, x]) >> 5, (y_here + columns[1, x]) >> 5
            column, row = xs >> 5, ys >> 5
            if 0 <= column < width - 2 and 0 <= row < height - 1:
                at = 3 * (row * width + column)
                blue, green, red = mix_pixels(flat, at, at + 3 * width, xs & 31, ys & 31)
                out[y, x, 0], out[y, x, 1], out[y, x, 2] = blue, green, red
            else:
                _sample_border(image, xs, ys, out[y, x])


@kernel
def gray_from_bgr(image: UInt8) -> UInt8:
    """Convert to gray, (3735 B + 19235 G + 9798 R + 16384) >> 15 (the reference's BT.601 weights).

    Parameters
    ----------
    image : (H, W, 3) uint8
        BGR, contiguous.

    Returns
    -------
    (H, W) uint8
        Gray.
    """
    out = np.empty((image.shape[0], image.shape[1]), np.uint8)
    for y in range(image.shape[0]):
        source, target = image[y].reshape(-1), out[y]
        for x in range(target.shape[0]):
            blue = np.int32(source[3 * x]) * np.int32(3735)
            green = np.int32(source[3 * x + 1]) * np.int32(19235)
            red = np.int32(source[3 * x + 2]) * np.int32(9798)
            target[x] = np.uint8((blue + green + red + np.int32(16384)) >> np.int32(15))
    return out
