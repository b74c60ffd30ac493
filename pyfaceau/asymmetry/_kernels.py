"""Compiled loops of split faces: a half of a gray picture reflected about a line."""

from __future__ import annotations

import numpy as np

from pyfaceau.numerics._jit import kernel
from pyfaceau.numerics.warp import row_terms, sample_f32
from pyfaceau.types import Float64, Int64, UInt8


@kernel
def reflect_beyond(gray: UInt8, mirror: Float64, normal: Float64, box: Int64, out: UInt8) -> None:
    """Fill the pixels of a box that lie beyond a line with their reflections.

    Parameters
    ----------
    gray : (H, W) uint8
        Picture.
    mirror : (2, 3) float64
        Reflects pixels about the line.
    normal : (3,) float64
        a, b, c: a pixel is beyond the line where a x + b y + c is positive.
    box : (4,) int64
        Left, top, right, bottom; the last two are not part of it.
    out : (H, W) uint8
        Receives them; the other pixels are left alone.
    """
    height, width = gray.shape
    flat = gray.reshape(-1)
    columns = np.empty((2, box[2]), np.int64)
    for x in range(box[0], box[2]):
        columns[0, x] = np.rint(mirror[0, 0] * x * 1024.0)
        columns[1, x] = np.rint(mirror[1, 0] * x * 1024.0)
    for y in range(box[1], box[3]):
        x0, y0 = row_terms(mirror, y)
        offset = normal[1] * y + normal[2]
        first = box[0]
        while first < box[2] and normal[0] * first + offset <= 0:
            first += 1
        for x in range(first, box[2]):
            if normal[0] * x + offset <= 0:
                break
            x32, y32 = (x0 + columns[0, x]) >> 5, (y0 + columns[1, x]) >> 5
            column, row = x32 >> 5, y32 >> 5
            if 0 <= column < width - 1 and 0 <= row < height - 1:
                at = row * width + column
                fx, fy = x32 & 31, y32 & 31
                upper = (32 - fx) * flat[at] + fx * flat[at + 1]
                lower = (32 - fx) * flat[at + width] + fx * flat[at + width + 1]
                out[y, x] = np.uint8(((32 - fy) * upper + fy * lower + 512) >> 10)
            else:
                out[y, x] = np.uint8(sample_f32(gray, x32, y32) + np.float32(0.5))
