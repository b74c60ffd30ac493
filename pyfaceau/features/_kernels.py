"""Kernels of the feature stage: FHOG votes and blocks, histogram medians."""

from __future__ import annotations

import numpy as np

from pyfaceau.numerics._jit import kernel
from pyfaceau.types import Float32, Float64, UInt8, UInt16, UInt32

_SIMD_END = 105
"""First column of the reference's scalar tail, where ties and roundings go another way."""


@kernel
def _fhog_votes(image: UInt8, bins: UInt8, histogram: Float32) -> None:
    """Add every pixel's gradient to the four nearest cells.

    `image` (112, 112, 3) BGR; `bins` (511, 511) orientation of (gy + 255, gx + 255); `histogram`
    (16, 16, 18) zeros, cell (r, c) at [r + 1, c + 1], the rim takes the votes that fall outside.
    """
    half = np.float32(0.0625)
    eighth = np.float32(0.125)
    one = np.float32(1)
    for y in range(1, 111):
        row = (y + 4) // 8
        fy = eighth * np.float32((y + 4) % 8) + half
        for x in range(1, 111):
            bx = np.int32(image[y, x + 1, 0]) - np.int32(image[y, x - 1, 0])
            by = np.int32(image[y + 1, x, 0]) - np.int32(image[y - 1, x, 0])
            gx = np.int32(image[y, x + 1, 1]) - np.int32(image[y, x - 1, 1])
            gy = np.int32(image[y + 1, x, 1]) - np.int32(image[y - 1, x, 1])
            dx = np.int32(image[y, x + 1, 2]) - np.int32(image[y, x - 1, 2])
            dy = np.int32(image[y + 1, x, 2]) - np.int32(image[y - 1, x, 2])
            blue = bx * bx + by * by
            green = gx * gx + gy * gy
            best = dx * dx + dy * dy
            vector = x < _SIMD_END
            if green > best or (vector and green == best):
                best, dx, dy = green, gx, gy
            if blue > best or (vector and blue == best):
                best, dx, dy = blue, bx, by
            if best == 0:
                continue
            o = bins[dy + 255, dx + 255]
            v = np.sqrt(np.float32(best))
            column = (x + 4) // 8
            fx = eighth * np.float32((x + 4) % 8) + half
            if vector:
                left, right = (one - fx) * v, fx * v
                histogram[row, column, o] += (one - fy) * left
                histogram[row + 1, column, o] += fy * left
                histogram[row, column + 1, o] += (one - fy) * right
                histogram[row + 1, column + 1, o] += fy * right
            else:
                histogram[row, column, o] += (one - fy) * (one - fx) * v
                histogram[row + 1, column, o] += fy * (one - fx) * v
                histogram[row, column + 1, o] += (one - fy) * fx * v
                histogram[row + 1, column + 1, o] += fy * fx * v


@kernel
def _fhog_blocks(histogram: Float32, energy: Float32, out: Float32) -> None:
    """Normalise 12x12 cells by their four blocks.

    `histogram` as filled by `_fhog_votes`; `energy` (14, 14) scratch; `out` (12, 12, 31).
    """
    for r in range(14):
        for c in range(14):
            total = np.float32(0)
            for o in range(9):
                both = histogram[r + 1, c + 1, o] + histogram[r + 1, c + 1, o + 9]
                total += both * both
            energy[r, c] = total
    eps = np.float32(1e-4)
    cap = np.zeros(4, np.float32)
    gain = np.zeros(4, np.float32)
    for y in range(12):
        for x in range(12):
            for q in range(4):
                r, c = y + 1 - q % 2, x + 1 - q // 2
                block = energy[r, c] + energy[r, c + 1] + energy[r + 1, c] + energy[r + 1, c + 1]
                cap[q] = np.float32(0.2) * np.sqrt(block + eps)
                gain[q] = np.float32(0.1) / cap[q]
            _describe(histogram[y + 2, x + 2], cap, gain, out[y, x])


@kernel
def _describe(h: Float32, cap: Float32, gain: Float32, out: Float32) -> None:
    """Write one cell's 31 values: 18 signed, 9 unsigned orientations, 4 textures."""
    t0 = t1 = t2 = t3 = np.float32(0)
    for o in range(0, 18, 3):
        s0 = s1 = s2 = s3 = np.float32(0)
        for k in range(o, o + 3):
            a = min(h[k], cap[0]) * gain[0]
            b = min(h[k], cap[1]) * gain[1]
            c = min(h[k], cap[2]) * gain[2]
            d = min(h[k], cap[3]) * gain[3]
            out[k] = (a + c) + (b + d)
            s0, s1, s2, s3 = s0 + a, s1 + b, s2 + c, s3 + d
        t0, t1, t2, t3 = t0 + s0, t1 + s1, t2 + s2, t3 + s3
    for o in range(9):
        both = h[o] + h[o + 9]
        a = min(both, cap[0]) * gain[0]
        b = min(both, cap[1]) * gain[1]
        c = min(both, cap[2]) * gain[2]
        d = min(both, cap[3]) * gain[3]
        out[18 + o] = (a + c) + (b + d)
    scale = np.float32(0.4714)
    out[27], out[28], out[29], out[30] = t0 * scale, t1 * scale, t2 * scale, t3 * scale


@kernel
def fhog(image: UInt8, bins: UInt8) -> Float32:
    """Describe a face, (4464,) float32; `image` and `bins` as for `_fhog_votes`."""
    histogram = np.zeros((16, 16, 18), np.float32)
    _fhog_votes(image, bins, histogram)
    out = np.empty((12, 12, 31), np.float32)
    _fhog_blocks(histogram, np.empty((14, 14), np.float32), out)
    return out.reshape(-1)


@kernel
def histogram_medians(
    values: Float32 | Float64,
    low: float,
    high: float,
    cut: int,
    histogram: UInt16 | UInt32,
    below: UInt32,
    at: UInt32,
    out: Float64,
) -> None:
    """Count each value in its dimension's histogram, fill `out` with the centre of the median bin.

    `values` (d,), those outside go to the end bins; `histogram` (d, bins); `at` (d,) the first bin
    whose cumulative count is `cut` (1 or more), `below` (d,) the count in the bins before it, both
    kept true. The walk to the median starts where the last one ended: a new value moves it by one
    order statistic. Each dimension is done with while its histogram is in the processor's cache.
    """
    bins = histogram.shape[1]
    width = (high - low) / bins
    for d in range(values.shape[0]):
        position = (np.float64(values[d]) - low) * bins / (high - low)
        b = np.uint32(min(max(position, 0.0), bins - 1.0))
        histogram[d, b] += np.uint32(1)
        j, under = at[d], below[d]
        if b < j:
            under += np.uint32(1)
        while under >= cut:
            j -= np.uint32(1)
            under -= histogram[d, j]
        while under + histogram[d, j] < cut:
            under += histogram[d, j]
            j += np.uint32(1)
        at[d], below[d] = j, under
        out[d] = low + np.float64(j) * width + 0.5 * width


@kernel
def offsets_and_parameters(basis_t: Float32, params_local: Float32, out: Float64) -> None:
    """Fill `out` (3n + m,) with V p and p in float64, each sum in the order of the modes.

    `basis_t` (m, 3n) the modes V transposed, `params_local` (m,) p.
    """
    count = basis_t.shape[1]
    out[:count] = 0.0
    for k in range(basis_t.shape[0]):
        p = np.float64(params_local[k])
        out[count + k] = p
        for i in range(count):
            out[i] += np.float64(basis_t[k, i]) * p
