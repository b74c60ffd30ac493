"""Kernels of the conversion to BGR: integers alone, so every machine gives the same bytes."""

from __future__ import annotations

import numpy as np

from pyfaceau.numerics._fixed import high16, lift16, plus16, to_byte, twice
from pyfaceau.numerics._jit import kernel
from pyfaceau.types import Int16, Int32, Int64, UInt8, UInt16

Samples = UInt8 | UInt16 | Int16

_i16 = np.int16
_i32 = np.int32


@kernel
def paint_pairs(
    luma: Samples,
    cb: Samples,
    cr: Samples,
    down: int,
    lifts: Int16,
    rounder: int,
    k: Int16,
    out: UInt8,
) -> None:
    """Convert where two pixels of a row share chroma; 16-bit arithmetic on 11-bit values.

    Rows of `luma`, `cb`, `cr` may be longer than the picture; `lifts` shifts luma and chroma left
    to 11 bits; row y takes its chroma from row `y >> down`; `k` (6,) is the offset of luma and what
    multiplies luma, Cb in B, Cb and Cr in G, Cr in R, in 1/8192; `rounder` is added to luma.
    """
    height, width = out.shape[0], out.shape[1]
    pairs = (width + 1) >> 1
    twins = np.empty((3, pairs), np.int32)
    shares = twins.view(np.int16)
    flat = out.reshape(height, 3 * width)
    offset = _i16(rounder - k[0])
    now = -1
    for y in range(height):
        if y >> down != now:
            now = y >> down
            _shares(cb[now], cr[now], lifts[1], k, twins[0], twins[1], twins[2])
        _paint_row(luma[y], lifts[0], offset, k[1], shares[0], shares[1], shares[2], flat[y])


@kernel
def _shares(
    cb: Samples, cr: Samples, lift: int, k: Int16, blue: Int32, green: Int32, red: Int32
) -> None:
    """Find what chroma adds to each channel, twice each."""
    half = _i16(-1024)
    for x in range(len(blue)):
        u = plus16(lift16(cb[x], lift), half)
        v = plus16(lift16(cr[x], lift), half)
        blue[x] = twice(high16(u, k[2]))
        green[x] = twice(plus16(high16(u, k[3]), high16(v, k[4])))
        red[x] = twice(high16(v, k[5]))


@kernel
def _paint_row(
    luma: Samples, lift: int, offset: int, k: int, blue: Int16, green: Int16, red: Int16, out: UInt8
) -> None:
    """Add luma and chroma, and lay the channels side by side."""
    for x in range(len(out) // 3):
        light = high16(plus16(lift16(luma[x], lift), offset), k)
        out[3 * x] = to_byte(plus16(light, blue[x]))
        out[3 * x + 1] = to_byte(plus16(light, green[x]))
        out[3 * x + 2] = to_byte(plus16(light, red[x]))


@kernel
def blend_rows(
    plane: Samples, lift: int, first: Int64, weights: Int16, rounder: int, out: Int16
) -> None:
    """Sum rows weighted in 1/4096, each product rounded down to 11 bits; `lift` makes 15."""
    for y in range(out.shape[0]):
        row = out[y]
        row[:] = rounder
        for j in range(weights.shape[1]):
            weight = weights[y, j]
            if weight != 0:
                source = plane[first[y] + j]
                for x in range(len(row)):
                    row[x] = plus16(row[x], high16(lift16(source[x], lift), weight))


@kernel
def widen(plane: Samples, lift: int, first: Int64, weights: Int16, out: Int16) -> None:
    """Resample rows by columns weighted in 1/16384, at 15 bits, which `lift` makes."""
    for y in range(out.shape[0]):
        source, row = plane[y], out[y]
        for x in range(len(row)):
            total = _i32(0)
            for j in range(weights.shape[1]):
                total += _i32(weights[x, j]) * _i32(lift16(source[first[x] + j], lift))
            row[x] = min(max(total >> 14, -32768), 32767)


@kernel
def paint_pixels(
    luma: Samples,
    lift: int,
    cb: Int16,
    cr: Int16,
    first: Int64,
    weights: Int16,
    k: Int32,
    out: UInt8,
) -> None:
    """Convert where every pixel has its own chroma; in 32 bits, where very bright blue wraps.

    `cb`, `cr` (rows, w) int16 of 15 bits, blended by `weights` (h, taps) int16 in 1/4096 from row
    `first` (h,) on; `k` (6,) int32 as in `paint_pairs`, in 1/8192.
    """
    height, width = out.shape[0], out.shape[1]
    flat = out.reshape(height, 3 * width)
    u, v = np.empty(width, np.int32), np.empty(width, np.int32)
    for y in range(height):
        u[:] = _i32(512 - (128 << 19))
        v[:] = _i32(512 - (128 << 19))
        for j in range(weights.shape[1]):
            weight = _i32(weights[y, j])
            if weight != 0:
                _accumulate(cb[first[y] + j], weight, u)
                _accumulate(cr[first[y] + j], weight, v)
        _paint_pixels_row(luma[y], lift, u, v, k, flat[y])


@kernel
def _accumulate(row: Int16, weight: int, total: Int32) -> None:
    for x in range(len(total)):
        total[x] += _i32(_i32(row[x]) * weight)


@kernel
def _paint_pixels_row(luma: Samples, lift: int, u: Int32, v: Int32, k: Int32, out: UInt8) -> None:
    half = _i32(1 << 21)
    for x in range(len(u)):
        light = _i32((_i32(lift16(luma[x], lift)) * _i32(4) - k[0]) * k[1] + half)
        blue, red = u[x] >> _i32(10), v[x] >> _i32(10)
        out[3 * x] = _top(_i32(light + blue * k[2]))
        out[3 * x + 1] = _top(_i32(light + blue * k[3] + red * k[4]))
        out[3 * x + 2] = _top(_i32(light + red * k[5]))


@kernel
def _top(value: int) -> int:
    return np.uint8(min(max(value >> _i32(22), _i32(0)), _i32(255)))
