"""Kernels of `pyfaceau.numerics.cnn`: sums of products in a fixed order, positions as lanes.

Every output element is one or two chains of fused multiply-adds in float32. The chains of
neighbouring elements run side by side, so vectors of any width give the same result on every
machine. In a convolution five kernels at two times eight positions are summed in registers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pyfaceau.numerics._jit import kernel
from pyfaceau.numerics._tile import sum_taps
from pyfaceau.numerics._vector import WIDTH, larger, load, load_apart, store
from pyfaceau.types import Float32

Int64 = NDArray[np.int64]

RUN = 64
"""Vectors of positions, an even number, on which all kernels work in turn: so their inputs stay in
the second-level cache."""


@kernel
def cover(chosen: NDArray[np.bool_]) -> Int64:
    """Return vectors that cover the runs of chosen positions, (v, 2): first one, length up to 8."""
    vectors = np.empty((chosen.size, 2), np.int64)
    count = 0
    at = 0
    while at < chosen.size:
        stop = at
        while stop < min(at + WIDTH, chosen.size) and chosen[stop]:
            stop += 1
        if stop > at:
            vectors[count, 0], vectors[count, 1] = at, stop - at
            count += 1
        at = max(stop, at + 1)
    return vectors[:count].copy()


@kernel
def cut_strips(x: Float32, columns: int, strips: Float32) -> None:
    """Lay out maps so that a tap of a convolution is one run of floats for all output positions.

    Strip (m, dx) has the columns dx to dx + w of map m, w = width - columns + 1, row after row of
    picture after picture. A last strip of ones is the bias's input.

    x : (m, n, height, width) float32. columns : int, width of the kernels.
    strips : ((m * columns + 1) * n * height * w + WIDTH,) float32; the end is read
    by vectors of which some lanes do not count.
    """
    maps, pictures, height, width = x.shape
    flat = x.reshape(-1)
    inner = width - columns + 1
    at = 0
    for m in range(maps):
        for dx in range(columns):
            first = m * pictures * height * width + dx
            for row in range(first, first + pictures * height * width, width):
                if inner < WIDTH:
                    for i in range(inner):
                        strips[at + i] = flat[row + i]
                else:
                    for i in range(0, inner - WIDTH, WIDTH):
                        store(strips, at + i, load(flat, row + i))
                    last = inner - WIDTH  # reaches back
                    store(strips, at + last, load(flat, row + last))
                at += inner
    strips[at:-WIDTH] = np.float32(1)
    strips[-WIDTH:] = np.float32(0)


@kernel
def convolve(
    x: Float32,
    columns: int,
    offsets: Int64,
    weights: Float32,
    ends: Int64,
    jobs: Int64,
    vectors: Int64,
    out: Float32,
) -> None:
    """Correlate maps with kernels, each output element in one of two orders of summation.

    x : (m, pictures, height, width) float32. columns : int, width of the kernels.
    offsets : (2, k) int64, for each order where its taps begin in the strips of `cut_strips`.
    weights : (2, q, k) float32, in the same orders.
    ends : (2, blocks, 3) int64, where each block's first chain begins and ends, and its second.
    jobs : (j, 5) int64, first kernel and end of kernels, order, first vector and end of vectors;
    a later job overwrites an earlier one.
    vectors : (v, 2) int64, positions of a picture's output that are summed together: the first of
    them and how many, up to 8; within a job no two overlap.
    out : (q, pictures, height, width) float32.
    """
    maps, pictures, height = x.shape[:3]
    inner = out.shape[3]
    strips = np.empty((maps * columns + 1) * pictures * height * inner + WIDTH, np.float32)
    cut_strips(x, columns, strips)
    maps_out = out.reshape(len(out), -1)
    for j in range(len(jobs)):
        first, stop, order = jobs[j, 0], jobs[j, 1], jobs[j, 2]
        used = vectors[jobs[j, 3] : jobs[j, 4]]
        places = _places(used, pictures, height * inner, out.shape[2] * inner)
        kernels = weights[order, first:stop]
        fresh = np.bool_(True)  # no literal, which would have a compilation of its own
        _sum_rows(kernels, strips, offsets[order], ends[order], places, maps_out[first:stop], fresh)


@kernel
def _places(vectors: Int64, pictures: int, step: int, out_step: int) -> Int64:
    """Return where the vectors of all pictures lie, (n + 1, 3) int64, as `_sum_block` takes it."""
    count = len(vectors)
    places = np.zeros((pictures * count + 1, 3), np.int64)
    for picture in range(pictures):
        for v in range(count):
            place = places[picture * count + v]
            place[0] = picture * step + vectors[v, 0]
            place[1] = picture * out_step + vectors[v, 0]
            place[2] = vectors[v, 1]
    return places


@kernel
def _sum_rows(
    weights: Float32,
    x: Float32,
    offsets: Int64,
    ends: Int64,
    places: Int64,
    out: Float32,
    fresh: bool | np.bool_,
) -> None:
    """Sum weights[r, k] x[offsets[k] + place] for all rows and places, one block after another.

    weights : (q, k) float32. x : float32. offsets : (k,) int64. ends : (blocks, 3) int64.
    places : from `_places`. out : (q, n) float32, which the sums are added to unless it is fresh.
    """
    for first in range(0, len(places) - 1, RUN):
        run = places[first : first + RUN + 1]
        for b in range(len(ends)):
            clear = fresh and b == 0
            q = 0
            while q < len(out):
                rows = 5 if (len(out) - q) % 5 == 0 else 4 if len(out) - q >= 4 else 1
                _sum_block(rows, weights[q:], x, offsets, ends[b], run, out[q:], clear)
                q += rows


@kernel
def _sum_block(
    rows: int,
    weights: Float32,
    x: Float32,
    offsets: Int64,
    ends: Int64,
    places: Int64,
    out: Float32,
    fresh: bool | np.bool_,
) -> None:
    """Add one block of inputs to the first `rows` rows of sums, two vectors at a time.

    places : (n + 1, 3) int64, for each vector where its first input lies in `x`, its first sum in a
    row of `out`, and how many of its lanes count; the last one fills up the last pair.
    """
    w, w_r = weights.ctypes.data, weights.shape[1]
    taps, span = offsets.ctypes.data, (ends[0], ends[1], ends[2])
    scratch = np.empty((5, 2, WIDTH), np.float32)
    for i in range(0, len(places) - 1, 2):
        at = x.ctypes.data + 4 * places[i, 0]
        gap = places[i + 1, 0] - places[i, 0]
        whole = places[i, 2] == WIDTH and places[i + 1, 2] == WIDTH
        to, to_r, to_gap = scratch.ctypes.data, 2 * WIDTH, WIDTH
        if whole:
            to, to_r = out.ctypes.data + 4 * places[i, 1], out.shape[1]
            to_gap = places[i + 1, 1] - places[i, 1]
        clear = fresh or not whole
        if rows == 5:
            sum_taps(5, w, w_r, at, gap, taps, span, to, to_r, to_gap, clear)
        elif rows == 4:
            sum_taps(4, w, w_r, at, gap, taps, span, to, to_r, to_gap, clear)
        else:
            sum_taps(1, w, w_r, at, gap, taps, span, to, to_r, to_gap, clear)
        if whole:
            continue
        for r in range(rows):
            for v in range(2):
                for c in range(places[i + v, 2]):
                    value, place = scratch[r, v, c], places[i + v, 1] + c
                    out[r, place] = value if fresh else out[r, place] + value


@kernel
def dense_single(
    vectors: Float32, weights: Float32, bias: Float32, ends: Int64, out: Float32
) -> None:
    """out[i] = bias + weights.T @ vectors[i], one float32 chain for each block of inputs.

    vectors : (n, k) float32. weights : (tiles, k, 2 * WIDTH) float32, sixteen outputs in a tile.
    bias : (m,) float32. ends : (blocks, 3) int64, where each block of inputs begins and, twice,
    ends. out : (n, m) float32.
    """
    tiles, inputs, lanes = weights.shape
    places = np.zeros((2 * tiles + 1, 3), np.int64)
    for v in range(2 * tiles):
        places[v, 0] = v // 2 * inputs * lanes + v % 2 * WIDTH
        places[v, 1] = v * WIDTH
        places[v, 2] = max(min(out.shape[1] - v * WIDTH, WIDTH), 0)
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = bias[j]
    offsets = np.empty(inputs, np.int64)
    for k in range(inputs):
        offsets[k] = k * lanes
    _sum_rows(vectors, weights.reshape(-1), offsets, ends, places, out, np.bool_(False))


@kernel
def dense_double(vectors: Float32, weights: Float32, bias: Float32, out: Float32) -> None:
    """out[i] = float32(weights.T @ vectors[i] + bias), summed in float64; shapes as above."""
    acc = np.empty(weights.shape[1], np.float64)
    for i in range(vectors.shape[0]):
        acc[:] = 0.0
        for k in range(weights.shape[0]):
            value = np.float64(vectors[i, k])
            for j in range(acc.size):
                acc[j] += value * np.float64(weights[k, j])
        for j in range(acc.size):
            out[i, j] = np.float32(acc[j] + np.float64(bias[j]))


@kernel
def dense_pointwise(x: Float32, weights: Float32, bias: Float32, out: Float32) -> None:
    """out[j, f] = float32(sum over c of weights[c, j] * x[c, f]) + bias[j], summed in float64.

    x : (c, positions) float32. weights : (c, m) float32. bias : (m,). out : (m, positions).
    """
    acc = np.empty(x.shape[1], np.float64)
    for j in range(out.shape[0]):
        acc[:] = 0.0
        for c in range(x.shape[0]):
            weight = np.float64(weights[c, j])
            for f in range(acc.size):
                acc[f] += weight * np.float64(x[c, f])
        for f in range(acc.size):
            out[j, f] = np.float32(acc[f]) + bias[j]


@kernel
def prelu(x: Float32, slopes: Float32) -> None:
    """In place: x[c, i] = x[c, i] where it is 0 or more, else slopes[c] * x[c, i]."""
    for c in range(x.shape[0]):
        slope = slopes[c]
        row = x[c]
        for i in range(row.size):
            row[i] = row[i] if row[i] >= 0 else slope * row[i]


@kernel
def rectify(x: Float32) -> None:
    """In place: x[i] = 0 where it is 0 or less, -0 among them."""
    for i in range(x.size):
        x[i] = np.float32(0) if x[i] <= 0 else x[i]


@kernel
def max_pool(x: Float32, height: int, width: int, step_y: int, step_x: int, out: Float32) -> None:
    """Largest value of each height x width window, clipped at the border; x, out : (n, h, w).

    Of equal values the first is taken, row by row. With steps of two, eight windows are looked at
    together; those past the last whole one of a row are overwritten by what comes next.
    """
    flat, flat_out = x.reshape(-1), out.reshape(-1)
    maps, rows, columns = x.shape
    whole = (columns - width) // 2 + 1 if step_x == 2 else 0
    to = 0
    for n in range(maps):
        for y in range(0, out.shape[1] * step_y, step_y):
            first = (n * rows + y) * columns
            last = (n * rows + min(y + height, rows) - 1) * columns
            inside = min(flat_out.size - WIDTH - to, (flat.size - 2 * WIDTH - width - last) // 2)
            j = 0
            while j < whole and j <= inside:
                best = load_apart(flat, first + 2 * j)
                for row in range(first, last + 1, columns):
                    for k in range(row + 2 * j, row + 2 * j + width):
                        best = larger(load_apart(flat, k), best)
                store(flat_out, to + j, best)
                j += WIDTH
            for i in range(min(j, whole), out.shape[2]):
                value = flat[first + i * step_x]
                for row in range(first, last + 1, columns):
                    for k in range(row + i * step_x, row + min(i * step_x + width, columns)):
                        value = max(value, flat[k])
                flat_out[to + i] = value
            to += out.shape[2]
