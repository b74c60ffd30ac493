"""Compiled kernels of the CCNF patch experts: normalised patches, neurons, response maps.

The patches of a window overlap: eleven strips hold all of them. Strip dx has the columns dx to
dx + w - 1 of the area of interest, row after row, so that pixel (dy, dx) of the patches at all
w x w positions, row by row, is one contiguous run from ``strip + dy * w`` on. Eight positions are
worked on at a time, in registers; every sum keeps its order.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pyfaceau.numerics._jit import fma, kernel
from pyfaceau.numerics._vector import WIDTH, fma8, load, spread, store, zeros
from pyfaceau.numerics.libm import expf
from pyfaceau.refinement._kernels import AREA, SIDE, STRIDE, copy16, sample_area
from pyfaceau.types import Float32, Float64, UInt8

NEURONS = 7
"""Neurons of an expert; the order of their sums is known for exactly so many."""
ROW = 1 + AREA
"""Floats of a neuron: bias, then weights column by column of the patch."""
STRIP = 384
"""Floats from strip to strip: 25 rows of 15 columns, rounded up."""
STRIPS = (SIDE + 1) * STRIP
"""Floats of all strips; loads of scratch positions reach behind the last."""
LANES = 272
"""Floats per row of the position buffers: a 15 x 15 window in steps of 32, rounded up."""
GROUP = 4 * WIDTH
"""Positions whose mean and norm are summed at a time."""


@kernel
def cut_strips(area: Float32, window: int, strips: Float32) -> None:
    """Lay out the strips of an area of interest.

    Parameters
    ----------
    area : (STRIDE * STRIDE,) float32
        Area of interest, of side ``window + SIDE - 1``, rows STRIDE apart.
    window : int
        Side w of the window, at most 15.
    strips : (STRIPS,) float32
        Receives pixel (row, dx + j) of the area at ``dx * STRIP + row * w + j``. Rows are written
        16 floats at a time; what is too much is overwritten by the next.
    """
    for dx in range(SIDE):
        for row in range(window + SIDE - 1):
            copy16(area, row * STRIDE + dx, strips, dx * STRIP + row * window)


@kernel
def mean_and_scale(strips: Float32, window: int, mean: Float32, scale: Float32) -> None:
    """Compute the mean and the inverse Euclidean norm about it of the patches of a window.

    Parameters
    ----------
    strips : (STRIPS,) float32
        From `cut_strips`.
    window : int
        Side w of the window.
    mean, scale : (LANES,) float32
        Receive them for position (row i, column j) at ``i * w + j``, and scratch behind the last.
        The mean is a running float32 sum in row order, the norm one in column order; the scale of
        a constant patch is 1.
    """
    positions = window * window
    for q in range(0, positions, GROUP):
        _add_pixels(strips, window, q, mean)
    for q in range(positions):
        mean[q] /= np.float32(AREA)
    for q in range(0, positions, GROUP):
        _add_squares(strips, window, q, mean, scale)
    for q in range(positions):
        norm = np.sqrt(scale[q])
        scale[q] = np.float32(1.0 / np.float64(norm)) if norm != 0 else np.float32(1)


@kernel
def _add_pixels(strips: Float32, window: int, q: int, sums: Float32) -> None:
    t0, t1, t2, t3 = zeros(), zeros(), zeros(), zeros()
    for dy in range(SIDE):
        for dx in range(SIDE):
            at = dx * STRIP + dy * window + q
            t0 = t0 + load(strips, at)
            t1 = t1 + load(strips, at + WIDTH)
            t2 = t2 + load(strips, at + 2 * WIDTH)
            t3 = t3 + load(strips, at + 3 * WIDTH)
    store(sums, q, t0)
    store(sums, q + WIDTH, t1)
    store(sums, q + 2 * WIDTH, t2)
    store(sums, q + 3 * WIDTH, t3)


@kernel
def _add_squares(strips: Float32, window: int, q: int, mean: Float32, sums: Float32) -> None:
    m0, m1 = load(mean, q), load(mean, q + WIDTH)
    m2, m3 = load(mean, q + 2 * WIDTH), load(mean, q + 3 * WIDTH)
    t0, t1, t2, t3 = zeros(), zeros(), zeros(), zeros()
    for dx in range(SIDE):
        for dy in range(SIDE):
            at = dx * STRIP + dy * window + q
            x0, x1 = load(strips, at) - m0, load(strips, at + WIDTH) - m1
            x2, x3 = load(strips, at + 2 * WIDTH) - m2, load(strips, at + 3 * WIDTH) - m3
            t0, t1, t2, t3 = t0 + x0 * x0, t1 + x1 * x1, t2 + x2 * x2, t3 + x3 * x3
    store(sums, q, t0)
    store(sums, q + WIDTH, t1)
    store(sums, q + 2 * WIDTH, t2)
    store(sums, q + 3 * WIDTH, t3)


@kernel
def neuron_sums(
    strips: Float32,
    offsets: NDArray[np.int64],
    mean: Float32,
    scale: Float32,
    weights: Float32,
    positions: int,
    sums: Float32,
) -> None:
    """Multiply normalised patches with the weights of the neurons of an expert.

    The order of the sum is that of a blocked matrix product: neurons 0 to 3 keep the even and the
    odd terms of the first 120 apart (what follows joins the even ones), the others and the last
    position have one running sum; all steps are fused multiply-adds.

    Parameters
    ----------
    strips : (STRIPS,) float32
        From `cut_strips`.
    offsets : (AREA,) int64
        Where in `strips` the pixels of the first patch are, column by column.
    mean, scale : (LANES,) float32
        From `mean_and_scale`.
    weights : (NEURONS * ROW,) float32
        Neuron after neuron.
    positions : int
        w * w, w odd: one more than a multiple of 8.
    sums : (NEURONS * LANES,) float32
        Receives neuron k in row k.
    """
    for q in range(0, positions - 1, WIDTH):
        _neurons(strips, offsets, mean, scale, weights, q, sums)
    _neurons_last(strips, offsets, mean, scale, weights, positions - 1, sums)


@kernel
def _neurons(
    strips: Float32,
    offsets: NDArray[np.int64],
    mean: Float32,
    scale: Float32,
    w: Float32,
    q: int,
    sums: Float32,
) -> None:
    """Sum for positions q to q + 7; e and o are the even and the odd terms."""
    m, s = load(mean, q), load(scale, q)
    e0, e1, e2, e3 = spread(w, 0), spread(w, ROW), spread(w, 2 * ROW), spread(w, 3 * ROW)
    t4, t5, t6 = spread(w, 4 * ROW), spread(w, 5 * ROW), spread(w, 6 * ROW)
    o0, o1, o2, o3 = zeros(), zeros(), zeros(), zeros()
    for k in range(0, AREA - 1, 2):
        x = (load(strips, offsets[k] + q) - m) * s
        o0 = fma8(spread(w, k + 1), x, o0)
        o1 = fma8(spread(w, k + 1 + ROW), x, o1)
        o2 = fma8(spread(w, k + 1 + 2 * ROW), x, o2)
        o3 = fma8(spread(w, k + 1 + 3 * ROW), x, o3)
        t4 = fma8(spread(w, k + 1 + 4 * ROW), x, t4)
        t5 = fma8(spread(w, k + 1 + 5 * ROW), x, t5)
        t6 = fma8(spread(w, k + 1 + 6 * ROW), x, t6)
        x = (load(strips, offsets[k + 1] + q) - m) * s
        e0 = fma8(spread(w, k + 2), x, e0)
        e1 = fma8(spread(w, k + 2 + ROW), x, e1)
        e2 = fma8(spread(w, k + 2 + 2 * ROW), x, e2)
        e3 = fma8(spread(w, k + 2 + 3 * ROW), x, e3)
        t4 = fma8(spread(w, k + 2 + 4 * ROW), x, t4)
        t5 = fma8(spread(w, k + 2 + 5 * ROW), x, t5)
        t6 = fma8(spread(w, k + 2 + 6 * ROW), x, t6)
    x = (load(strips, offsets[AREA - 1] + q) - m) * s
    store(sums, q, fma8(spread(w, AREA), x, e0) + o0)
    store(sums, q + LANES, fma8(spread(w, AREA + ROW), x, e1) + o1)
    store(sums, q + 2 * LANES, fma8(spread(w, AREA + 2 * ROW), x, e2) + o2)
    store(sums, q + 3 * LANES, fma8(spread(w, AREA + 3 * ROW), x, e3) + o3)
    store(sums, q + 4 * LANES, fma8(spread(w, AREA + 4 * ROW), x, t4))
    store(sums, q + 5 * LANES, fma8(spread(w, AREA + 5 * ROW), x, t5))
    store(sums, q + 6 * LANES, fma8(spread(w, AREA + 6 * ROW), x, t6))


@kernel
def _neurons_last(
    strips: Float32,
    offsets: NDArray[np.int64],
    mean: Float32,
    scale: Float32,
    w: Float32,
    q: int,
    sums: Float32,
) -> None:
    """Sum for the last position, q."""
    t0, t1, t2, t3 = w[0], w[ROW], w[2 * ROW], w[3 * ROW]
    t4, t5, t6 = w[4 * ROW], w[5 * ROW], w[6 * ROW]
    for k in range(AREA):
        x = (strips[offsets[k] + q] - mean[q]) * scale[q]
        t0 = fma(w[k + 1], x, t0)
        t1 = fma(w[k + 1 + ROW], x, t1)
        t2 = fma(w[k + 1 + 2 * ROW], x, t2)
        t3 = fma(w[k + 1 + 3 * ROW], x, t3)
        t4 = fma(w[k + 1 + 4 * ROW], x, t4)
        t5 = fma(w[k + 1 + 5 * ROW], x, t5)
        t6 = fma(w[k + 1 + 6 * ROW], x, t6)
    for r, total in enumerate((t0, t1, t2, t3, t4, t5, t6)):
        sums[q + r * LANES] = total


@kernel
def logistic_sum(
    sums: Float32, alphas: Float64, positions: int, exponentials: Float32, out: Float32
) -> None:
    """Add up the neurons' logistic outputs, each weighted with twice its alpha.

    Parameters
    ----------
    sums : (NEURONS * LANES,) float32
        Neuron k in row k.
    alphas : (NEURONS,) float64
        Weights; neurons with 1e-4 or less are left out.
    positions : int
        w * w.
    exponentials : (LANES,) float32
        Scratch.
    out : (LANES,) float32
        Receives the sum, rounded to float32 after every neuron.
    """
    out[:positions] = np.float32(0)
    for r in range(alphas.shape[0]):
        if alphas[r] <= 1e-4:
            continue
        double = 2.0 * alphas[r]
        at = r * LANES
        for q in range(positions):
            exponentials[q] = expf(-sums[at + q])
        for q in range(positions):
            value = np.float64(out[q]) + double / (1.0 + np.float64(exponentials[q]))
            out[q] = np.float32(value)


@kernel
def smooth(sigma: Float32, response: Float32, positions: int, lanes: int, out: Float32) -> None:
    """Multiply a response map with the matrix of its conditional random field.

    Parameters
    ----------
    sigma : (positions, lanes) float32
        Transposed matrix, rows filled up with zeros.
    response : (LANES,) float32
        Map, row by row.
    positions, lanes : int
        w * w, and the same rounded up to a multiple of 8.
    out : (LANES,) float32
        Receives the product; each element is one running sum of fused multiply-adds.
    """
    out[:lanes] = np.float32(0)
    whole = positions // 4 * 4
    for k in range(0, whole, 4):
        r0, r1, r2, r3 = response[k], response[k + 1], response[k + 2], response[k + 3]
        s0, s1, s2, s3 = sigma[k], sigma[k + 1], sigma[k + 2], sigma[k + 3]
        for q in range(lanes):
            total = fma(s0[q], r0, out[q])
            total = fma(s1[q], r1, total)
            total = fma(s2[q], r2, total)
            out[q] = fma(s3[q], r3, total)
    for k in range(whole, positions):
        for q in range(lanes):
            out[q] = fma(sigma[k, q], response[k], out[q])


@kernel
def ccnf_responses(
    gray: UInt8,
    landmarks: Float32,
    visible: NDArray[np.bool_],
    a: float,
    b: float,
    window: int,
    weights: Float32,
    alphas: Float64,
    sigmas: Float32,
    scales: Float32,
    out: Float32,
) -> None:
    """Compute the response maps of all visible landmarks.

    Parameters
    ----------
    gray : (H, W) uint8
        Picture.
    landmarks : (n, 2) float32
        Where the maps are centred, pixels.
    visible : (n,) bool
        Landmarks to compute; the maps of the others become zeros.
    a, b : float32
        Similarity from the reference frame to the picture, ``[[a, -b], [b, a]]``.
    window : int
        Side w of a map, odd, at most 15.
    weights : (n, NEURONS, ROW) float32
        Neurons.
    alphas : (n, NEURONS) float64
        Their weights.
    sigmas : (n, w * w, lanes) float32
        Transposed matrices; n = 0 where they are multiples of the identity.
    scales : (n,) float32
        Those multiples; used where `sigmas` is empty.
    out : (n, w, w) float32
        Receives the maps, shifted so that none has a value under 0.
    """
    positions = window * window
    lanes = (positions + 7) // 8 * 8
    area = np.zeros((STRIDE, STRIDE), np.float32)
    strips = np.zeros(STRIPS, np.float32)
    offsets = np.empty(AREA, np.int64)
    for k in range(AREA):
        offsets[k] = k // SIDE * STRIP + k % SIDE * window
    mean = np.empty(LANES, np.float32)
    scratch = np.empty(LANES, np.float32)
    sums = np.zeros(NEURONS * LANES, np.float32)
    maps = np.empty((landmarks.shape[0], LANES), np.float32)
    for n in range(landmarks.shape[0]):
        if not visible[n]:
            out[n] = np.float32(0)
            continue
        sample_area(gray, landmarks[n, 0], landmarks[n, 1], a, b, window + SIDE - 1, area)
        cut_strips(area.reshape(-1), window, strips)
        mean_and_scale(strips, window, mean, scratch)
        neuron_sums(strips, offsets, mean, scratch, weights[n].reshape(-1), positions, sums)
        logistic_sum(sums, alphas[n], positions, scratch, maps[n])
    for n in range(landmarks.shape[0]):
        if not visible[n]:
            continue
        if sigmas.shape[0] > 0:
            smooth(sigmas[n], maps[n], positions, lanes, mean)
        else:
            for q in range(positions):
                mean[q] = scales[n] * maps[n, q]
        lowest = np.float32(0)
        for q in range(positions):
            lowest = min(lowest, mean[q])
        flat = out[n].reshape(-1)
        for q in range(positions):
            flat[q] = mean[q] - lowest
