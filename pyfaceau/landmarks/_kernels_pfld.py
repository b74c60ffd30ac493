"""Kernels of PFLD's layers: sums in a stated order, positions as lanes, so one result everywhere.

Maps are (channels, length) float32, a picture's rows one after another; `length` is a multiple of
16, what is beyond the picture is computed and never read. Every sum is one chain of fused
multiply-adds over the inputs, in their order.
"""

from __future__ import annotations

import numpy as np

from pyfaceau.numerics._jit import fma, kernel
from pyfaceau.numerics._tile import limited_tile
from pyfaceau.numerics._vector import WIDTH, fma8, larger, load, load_apart, spread, store, zeros
from pyfaceau.types import Float32, Int64

_0 = np.float32(0)

ROWS = (6, 4, 2, 1)
"""Rows of sums that are computed together, as many as there are."""

MIX, EACH, UNFOLD = range(3)
"""Layers: sums over all maps, a kernel for each map, neighbourhoods as maps."""


@kernel
def pointwise(x: Float32, weights: Float32, kept: Float32, positive: bool, out: Float32) -> None:
    """Set `out` (q, n) to weighted sums of `x` (k, n), begun with `kept` where it has rows.

    `weights` come in blocks of `ROWS`, (1 + k, rows) each, first what is added to all positions;
    where `positive`, what is below 0 becomes 0.
    """
    inputs, length = x.shape
    panel = np.empty(16 * (inputs + 1), np.float32)
    panel[:16] = np.float32(1)
    start, fresh = panel.ctypes.data, len(kept) == 0
    least = _0 if positive else np.float32(-np.inf)
    flat = x.reshape(-1)
    for at in range(0, length, 16):
        for k in range(inputs):
            store(panel, 16 * k + 16, load(flat, k * length + at))
            store(panel, 16 * k + 24, load(flat, k * length + at + WIDTH))
        q = 0
        while q < len(out):
            w, place = weights.ctypes.data + 4 * q * (inputs + 1), 4 * (q * length + at)
            target = out.ctypes.data + place
            before = target if fresh else kept.ctypes.data + place
            left = len(out) - q
            if left >= 6:
                limited_tile(6, w, start, inputs + 1, before, fresh, least, target, length)
                q += 6
            elif left >= 4:
                limited_tile(4, w, start, inputs + 1, before, fresh, least, target, length)
                q += 4
            elif left >= 2:
                limited_tile(2, w, start, inputs + 1, before, fresh, least, target, length)
                q += 2
            else:
                limited_tile(1, w, start, inputs + 1, before, fresh, least, target, length)
                q += 1


@kernel
def depthwise(
    x: Float32, side: int, step: int, weights: Float32, bias: Float32, positive: bool, out: Float32
) -> None:
    """Correlate each map of `side` x `side` with its 3 x 3 kernel, zeros around it.

    Below 0 the input counts as 0, and where `positive`, the output too. `step` 1 or 2; weights
    (9 q,). A sum begins with the bias.
    """
    wide, inner = side + 2, side // step
    padded = np.zeros(wide * wide, np.float32)
    flat, flat_out = x.reshape(-1), out.reshape(-1)
    for q in range(len(out)):
        for y in range(side):
            source, target = q * x.shape[1] + y * side, (y + 1) * wide + 1
            for i in range(0, side, WIDTH):
                at = min(i, side - WIDTH)  # the last reaches back
                store(padded, target + at, larger(load(flat, source + at), zeros()))
        b, w = spread(bias, q), 9 * q
        w0, w1, w2 = spread(weights, w), spread(weights, w + 1), spread(weights, w + 2)
        w3, w4, w5 = spread(weights, w + 3), spread(weights, w + 4), spread(weights, w + 5)
        w6, w7, w8 = spread(weights, w + 6), spread(weights, w + 7), spread(weights, w + 8)
        for y in range(inner):
            for i in range(0, inner, WIDTH):
                at = min(i, inner - WIDTH)
                top = y * step * wide + at * step
                middle, bottom = top + wide, top + 2 * wide
                if step == 1:
                    total = fma8(load(padded, top), w0, b)
                    total = fma8(load(padded, top + 1), w1, total)
                    total = fma8(load(padded, top + 2), w2, total)
                    total = fma8(load(padded, middle), w3, total)
                    total = fma8(load(padded, middle + 1), w4, total)
                    total = fma8(load(padded, middle + 2), w5, total)
                    total = fma8(load(padded, bottom), w6, total)
                    total = fma8(load(padded, bottom + 1), w7, total)
                    total = fma8(load(padded, bottom + 2), w8, total)
                else:
                    total = fma8(load_apart(padded, top), w0, b)
                    total = fma8(load_apart(padded, top + 1), w1, total)
                    total = fma8(load_apart(padded, top + 2), w2, total)
                    total = fma8(load_apart(padded, middle), w3, total)
                    total = fma8(load_apart(padded, middle + 1), w4, total)
                    total = fma8(load_apart(padded, middle + 2), w5, total)
                    total = fma8(load_apart(padded, bottom), w6, total)
                    total = fma8(load_apart(padded, bottom + 1), w7, total)
                    total = fma8(load_apart(padded, bottom + 2), w8, total)
                if positive:
                    total = larger(total, zeros())
                store(flat_out, q * out.shape[1] + y * inner + at, total)


@kernel
def unfold(x: Float32, side: int, out: Float32) -> None:
    """Lay out the 3 x 3 neighbourhoods of every second pixel, zeros around, (9 maps, n)."""
    inner = side // 2
    for c in range(len(x)):
        for t in range(9):
            target = out[9 * c + t]
            for y in range(inner):
                row = 2 * y + t // 3 - 1
                for i in range(inner):
                    column = 2 * i + t % 3 - 1
                    inside = 0 <= row < side and 0 <= column < side
                    target[y * inner + i] = x[c, row * side + column] if inside else _0


@kernel
def mean(x: Float32, count: int, out: Float32) -> None:
    """Average the first `count` elements of each row, summed one after another."""
    for q in range(len(x)):
        total = _0
        for i in range(count):
            total += x[q, i]
        out[q] = total / np.float32(count)


@kernel
def dense(x: Float32, weights: Float32, out: Float32) -> None:
    """Add to `out` (n,) the products of `x` (k,) and `weights` (k, n), k after k."""
    for k in range(len(x)):
        value, row = x[k], weights[k]
        for i in range(len(out)):
            out[i] = fma(value, row[i], out[i])


@kernel
def run(program: Int64, constants: Float32, buffers: Float32) -> None:
    """Apply layers, one row of `program` (layers, 11) after the other.

    A row: kind, source buffer, target buffer, buffer that is added or -1, maps in, maps out, side
    of the input, step, whether negative values become 0, and where weights and bias begin in
    `constants`. `buffers` (b, n) hold maps one after another, each of a multiple of 16.
    """
    for layer in range(len(program)):
        step = program[layer]
        kind, maps, more, side, stride = step[0], step[4], step[5], step[6], step[7]
        inner = side // stride
        length, out_length = _padded(side), _padded(inner)
        x = buffers[step[1], : maps * length].reshape(maps, length)
        out = buffers[step[2], : more * out_length].reshape(more, out_length)
        weights, bias = constants[step[9] :], constants[step[10] :]
        if kind == MIX:
            kept = buffers[max(step[3], 0), : (more if step[3] >= 0 else 0) * length]
            pointwise(x, weights, kept.reshape(-1, length), step[8] != 0, out)
        elif kind == EACH:
            depthwise(x, side, stride, weights, bias, step[8] != 0, out)
        else:
            unfold(x, side, out)


@kernel
def _padded(side: int) -> int:
    return (side * side + 15) // 16 * 16
