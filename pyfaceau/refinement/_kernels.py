"""Compiled kernels that the kinds of patch experts share: sampling and normalised patches.

Every number is a fixed sequence of float32 operations, so that a response map does not depend on
the machine. The loops run over the positions of a window, which are independent of each other:
they vectorise without changing the order within any sum. A window of w x w positions lies in rows
of `LANES` floats, position (row i, column j) at ``i * w + j``; what lies behind is scratch.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from pyfaceau.numerics._jit import kernel
from pyfaceau.types import Float32, UInt8

SIDE = 11
"""Side of a patch, pixels; the experts of all models have it."""
AREA = SIDE * SIDE
LANES = 240
"""Floats per row of the position buffers: a 15 x 15 window, rounded up to 16."""
STRIDE = 32
"""Floats per row of an area of interest."""
SQUARE = STRIDE * STRIDE + 96
"""Integers from one scratch square to the next; a multiple of 4 KiB apart would be slow."""
MAX_WINDOW = 15


@kernel
def sample_area(
    gray: UInt8, x: float, y: float, a: float, b: float, side: int, out: Float32
) -> None:
    """Sample a square around a landmark under a similarity, bilinearly, 0 outside the picture.

    Destination to source is ``[[a, -b], [b, a]]`` about the centre. Source positions are rounded to
    1/32 pixel in fixed point (10 fractional bits per term, then 5), as image libraries do; the
    weights are then multiples of 1/1024 and the sum of 8-bit pixels is exact.

    Parameters
    ----------
    gray : (H, W) uint8
        Picture.
    x, y : float32
        Landmark, pixels.
    a, b : float32
        Picture pixels per pixel of the square, times cosine and sine.
    side : int
        Side of the square, pixels.
    out : (STRIDE, STRIDE) float32
        Receives the square in its first `side` rows and columns; the columns behind are scratch.
    """
    height, width = gray.shape
    a_, b_, last = np.float32(a), np.float32(b), np.float32(side - 1)
    half_a, half_b = a_ * last / np.float32(2), b_ * last / np.float32(2)
    m02 = np.float64(np.float32(x) - half_a + half_b)
    m12 = np.float64(np.float32(y) - half_a - half_b)
    m00, m10 = np.float64(a_), np.float64(b_)
    terms = np.empty(4 * STRIDE, np.int64)
    for k in range(STRIDE):
        step = np.float64(k)
        terms[k] = np.int64(np.rint((-m10 * step + m02) * 1024.0)) + 16
        terms[k + STRIDE] = np.int64(np.rint((m00 * step + m12) * 1024.0)) + 16
        terms[k + 2 * STRIDE] = np.int64(np.rint(m00 * step * 1024.0))
        terms[k + 3 * STRIDE] = np.int64(np.rint(m10 * step * 1024.0))
    inside = max(height, width) < 1 << 15
    for axis, size in enumerate((width, height)):
        rows, columns = terms[axis * STRIDE :], terms[(axis + 2) * STRIDE :]
        lowest = min(rows[0], rows[side - 1]) + min(columns[side - 1], 0)
        highest = max(rows[0], rows[side - 1]) + max(columns[side - 1], 0)
        inside &= lowest >= 0 and highest >> 10 < size - 1
    if inside:
        _sample_inside(gray, terms, side, out.reshape(-1))
    else:
        _sample_border(gray, terms, side, out)


@kernel
def _sample_inside(gray: UInt8, terms: NDArray[np.int64], side: int, out: Float32) -> None:
    """Sample where all pixels exist, in three passes: where, which pixels, blending."""
    pixels = gray.reshape(-1)
    width = np.int32(gray.shape[1])
    right, below = np.uint64(1), np.uint64(gray.shape[1])
    byte, bits = np.int32(255), np.int32(8)
    columns = terms[2 * STRIDE :].astype(np.int32)
    scratch = np.empty(3 * SQUARE, np.int32)
    for row in range(side):
        x0, y0 = np.int32(terms[row]), np.int32(terms[row + STRIDE])
        line = scratch[row * STRIDE :]
        for c in range(STRIDE):
            x = np.int32(x0 + columns[c]) >> np.int32(5)
            y = np.int32(y0 + columns[c + STRIDE]) >> np.int32(5)
            line[c] = (x & np.int32(31)) | ((y & np.int32(31)) << bits)
            line[c + SQUARE] = np.int32(y >> np.int32(5)) * width + np.int32(x >> np.int32(5))
    for row in range(side):
        line = scratch[row * STRIDE :]
        for c in range(side):
            at = np.uint64(np.uint32(line[c + SQUARE]))
            upper = np.uint16(pixels[at]) | (np.uint16(pixels[at + right]) << np.uint16(8))
            at += below
            lower = np.uint16(pixels[at]) | (np.uint16(pixels[at + right]) << np.uint16(8))
            line[c + 2 * SQUARE] = np.int32(upper) | (np.int32(lower) << np.int32(16))
    for k in range(side * STRIDE):
        fx, fy, four = scratch[k] & byte, scratch[k] >> bits, scratch[k + 2 * SQUARE]
        gx, gy = np.int32(32) - fx, np.int32(32) - fy
        top = np.int32(four & byte) * gx + np.int32((four >> bits) & byte) * fx
        four >>= np.int32(16)
        bottom = np.int32(four & byte) * gx + np.int32((four >> bits) & byte) * fx
        out[k] = np.float32(np.int32(top * gy + bottom * fy)) * np.float32(1 / 1024)


@kernel
def _sample_border(gray: UInt8, terms: NDArray[np.int64], side: int, out: Float32) -> None:
    height, width = gray.shape
    for row in range(side):
        for column in range(side):
            x = (terms[row] + terms[column + 2 * STRIDE]) >> 5
            y = (terms[row + STRIDE] + terms[column + 3 * STRIDE]) >> 5
            left, top, fx, fy = x >> 5, y >> 5, x & 31, y & 31
            total = 0
            for dy in range(2):
                for dx in range(2):
                    if 0 <= left + dx < width and 0 <= top + dy < height:
                        weight = (fx if dx else 32 - fx) * (fy if dy else 32 - fy)
                        total += gray[top + dy, left + dx] * weight
            out[row, column] = np.float32(total) * np.float32(1 / 1024)


@intrinsic
def copy16(typingctx: Any, source: Any, start: Any, target: Any, to: Any) -> Any:
    """Copy 16 floats between contiguous float32 arrays, by flat index, as one vector."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> None:
        vector = ir.VectorType(ir.FloatType(), 16).as_pointer()
        source_type, _, target_type, _ = signature.args
        pointers = []
        for type_, array, index in (
            (source_type, args[0], args[1]),
            (target_type, args[2], args[3]),
        ):
            data = context.make_array(type_)(context, builder, array).data
            pointers.append(builder.bitcast(builder.gep(data, [index]), vector))
        builder.store(builder.load(pointers[0], align=4), pointers[1], align=4)

    return types.void(source, types.int64, target, types.int64), codegen


@kernel
def unfold(area: Float32, window: int, patches: Float32) -> None:
    """Lay out the patches of all positions of a window, one row per patch pixel.

    Parameters
    ----------
    area : (STRIDE * STRIDE,) float32
        Area of interest, of side ``window + SIDE - 1``, rows STRIDE apart.
    window : int
        Side w of the window.
    patches : (AREA * LANES,) float32
        Receives pixel (dy, dx) of the patch at position (i, j) in row ``dx * SIDE + dy``, lane
        ``i * w + j``. Rows are written 16 floats at a time; what is too much is overwritten by the
        next.
    """
    for dx in range(SIDE):
        for dy in range(SIDE):
            at = (dx * SIDE + dy) * LANES
            for i in range(window):
                copy16(area, (i + dy) * STRIDE + dx, patches, at + i * window)


@kernel
def normalise(patches: Float32, lanes: int, mean: Float32, scale: Float32) -> None:
    """Subtract from every patch its mean and divide it by its Euclidean norm.

    Parameters
    ----------
    patches : (AREA * LANES,) float32
        Changed in place; a constant patch becomes zeros.
    lanes : int
        Positions in use, a multiple of 8.
    mean, scale : (LANES,) float32
        Scratch. The mean is a running float32 sum in row order, the norm one in column order.
    """
    mean[:lanes] = np.float32(0)
    scale[:lanes] = np.float32(0)
    for dy in range(SIDE):
        for q in range(lanes):
            total = mean[q]
            for dx in range(SIDE):
                total += patches[(dx * SIDE + dy) * LANES + q]
            mean[q] = total
    for q in range(lanes):
        mean[q] /= np.float32(AREA)
    for dx in range(SIDE):
        for q in range(lanes):
            total = scale[q]
            centre = mean[q]
            for dy in range(SIDE):
                value = patches[(dx * SIDE + dy) * LANES + q] - centre
                patches[(dx * SIDE + dy) * LANES + q] = value
                total += value * value
            scale[q] = total
    for q in range(lanes):
        norm = np.sqrt(scale[q])
        scale[q] = np.float32(1.0 / np.float64(norm)) if norm != 0 else np.float32(1)
    for k in range(AREA):
        for q in range(lanes):
            patches[k * LANES + q] *= scale[q]
