"""Kernels of `pyfaceau.numerics.cnn`: sums of products in a fixed order, positions as lanes.

Every output element is one or two chains of fused multiply-adds in float32. The chains of
neighbouring elements run side by side, so the compiler may use vectors of any width and the
result is the same on every machine.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pyfaceau.numerics._jit import fma, kernel
from pyfaceau.types import Float32, UInt8

Int64 = NDArray[np.int64]

TILE = 512
"""Positions worked on at a time: the taps of one tile stay in the first-level cache."""


@kernel
def chain(
    x: Float32,
    start: int,
    offsets: Int64,
    weights: Float32,
    first: int,
    stop: int,
    step: int,
    acc: Float32,
) -> None:
    """acc[f] = fma(weights[k], x[start + offsets[k] + f], acc[f]) for k = first, first + step, ...

    x, weights, acc : 1-D float32; offsets : int64. Eight terms at a time stay in a register.
    """
    n = acc.size
    k = first
    while k + 7 * step < stop:
        w0, w1, w2, w3 = weights[k], weights[k + step], weights[k + 2 * step], weights[k + 3 * step]
        x0 = x[start + offsets[k] :][:n]
        x1 = x[start + offsets[k + step] :][:n]
        x2 = x[start + offsets[k + 2 * step] :][:n]
        x3 = x[start + offsets[k + 3 * step] :][:n]
        k += 4 * step
        w4, w5, w6, w7 = weights[k], weights[k + step], weights[k + 2 * step], weights[k + 3 * step]
        x4 = x[start + offsets[k] :][:n]
        x5 = x[start + offsets[k + step] :][:n]
        x6 = x[start + offsets[k + 2 * step] :][:n]
        x7 = x[start + offsets[k + 3 * step] :][:n]
        k += 4 * step
        for f in range(n):
            a = fma(w0, x0[f], acc[f])
            a = fma(w1, x1[f], a)
            a = fma(w2, x2[f], a)
            a = fma(w3, x3[f], a)
            a = fma(w4, x4[f], a)
            a = fma(w5, x5[f], a)
            a = fma(w6, x6[f], a)
            acc[f] = fma(w7, x7[f], a)
    while k < stop:
        weight = weights[k]
        taps = x[start + offsets[k] :][:n]
        for f in range(n):
            acc[f] = fma(weight, taps[f], acc[f])
        k += step


@kernel
def _even_odd(
    x: Float32,
    start: int,
    offsets: Int64,
    weights: Float32,
    first: int,
    stop: int,
    even: Float32,
    odd: Float32,
) -> None:
    """Leave the block's sum in `even`: two chains over even and odd k, the rest below 8 to even."""
    taps = offsets.size
    eights = first + (stop - first) // 8 * 8
    even[:] = np.float32(0)
    odd[:] = np.float32(0)
    chain(x, start, offsets, weights, first, min(eights, taps), 2, even)
    chain(x, start, offsets, weights, first + 1, min(eights, taps), 2, odd)
    chain(x, start, offsets, weights, eights, min(stop, taps), 1, even)
    if stop > taps:
        if eights == stop:
            odd += weights[taps]
        else:
            even += weights[taps]
    even += odd


@kernel
def convolve(
    x: Float32,
    offsets: Int64,
    weights: Float32,
    blocks: Int64,
    masks: UInt8,
    reach: int,
    out: Float32,
) -> None:
    """Correlate x with each row of weights at every flat position.

    x : (n,) float32, all maps one after another.
    offsets : (k,) int64, where each weight's input lies relative to the position.
    weights : (q, k + 1) float32, the last one the bias, whose input is 1.
    blocks : int64, ends of the blocks of weights that are summed separately, from 0 to k + 1.
    masks : (ceil(q / 8), positions) uint8, for each eight kernels 1 where they take two chains.
    reach : int, how far the last weight's input lies from the position within a map; that many
    positions at the end are left as they are.
    out : (q, positions) float32.
    """
    taps = offsets.size
    positions = out.shape[1] - reach
    single = np.empty(TILE, np.float32)
    even = np.empty(TILE, np.float32)
    odd = np.empty(TILE, np.float32)
    for start in range(0, positions, TILE):
        n = min(TILE, positions - start)
        for q in range(out.shape[0]):
            mask = masks[q // 8, start : start + n]
            total = out[q, start : start + n]
            total[:] = np.float32(0)
            for block in range(blocks.size - 1):
                first, stop = blocks[block], blocks[block + 1]
                acc = single[:n]
                acc[:] = np.float32(0)
                chain(x, start, offsets, weights[q], first, min(stop, taps), 1, acc)
                if stop > taps:
                    acc += weights[q, taps]
                if mask.any():
                    _even_odd(x, start, offsets, weights[q], first, stop, even[:n], odd[:n])
                    for f in range(n):
                        if mask[f]:
                            acc[f] = even[f]
                total += acc


@kernel
def dense_single(
    vectors: Float32, weights: Float32, bias: Float32, blocks: Int64, out: Float32
) -> None:
    """out[i] = bias + weights.T @ vectors[i], one float32 chain for each block of inputs.

    vectors : (n, k) float32. weights : (k, m) float32. bias : (m,) float32. blocks : int64, ends
    of the blocks, from 0 to k. out : (n, m) float32.
    """
    inputs, outputs = weights.shape
    offsets = np.arange(inputs) * outputs
    acc = np.empty(outputs, np.float32)
    for i in range(vectors.shape[0]):
        out[i] = bias
        for block in range(blocks.size - 1):
            acc[:] = np.float32(0)
            first, stop = blocks[block], blocks[block + 1]
            chain(weights.ravel(), 0, offsets, vectors[i], first, stop, 1, acc)
            out[i] += acc


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
def max_pool(x: Float32, height: int, width: int, step_y: int, step_x: int, out: Float32) -> None:
    """Largest value of each height x width window, clipped at the border; x, out : (n, h, w)."""
    for n in range(out.shape[0]):
        for i in range(out.shape[1]):
            y0 = i * step_y
            y1 = min(y0 + height, x.shape[1])
            for j in range(out.shape[2]):
                x0 = j * step_x
                best = x[n, y0, x0]
                for y in range(y0, y1):
                    for k in range(x0, min(x0 + width, x.shape[2])):
                        best = max(best, x[n, y, k])
                out[n, i, j] = best
