"""Compiled kernels of the patch experts: sampling, normalised patches, responses.

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

from pyfaceau.numerics._jit import fma, kernel
from pyfaceau.numerics.libm import expf
from pyfaceau.types import Float32, Float64, UInt8

SIDE = 11
"""Side of a patch, pixels; the experts of all models have it."""
AREA = SIDE * SIDE
LANES = 240
"""Floats per row of the position buffers: a 15 x 15 window, rounded up to 16."""
STRIDE = 32
"""Floats per row of an area of interest."""
BLOCK = 24
"""Rows of patches that are multiplied with all neurons before the next, to stay in the cache."""
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
        Receives the square in its first `side` rows and columns.
    """
    height, width = gray.shape
    a_, b_, last = np.float32(a), np.float32(b), np.float32(side - 1)
    half_a, half_b = a_ * last / np.float32(2), b_ * last / np.float32(2)
    m02 = np.float64(np.float32(x) - half_a + half_b)
    m12 = np.float64(np.float32(y) - half_a - half_b)
    m00, m10 = np.float64(a_), np.float64(b_)
    fixed = np.empty((2, STRIDE), np.int64)
    for row in range(side):
        x0 = np.int64(np.rint((-m10 * row + m02) * 1024.0)) + 16
        y0 = np.int64(np.rint((m00 * row + m12) * 1024.0)) + 16
        for column in range(side):
            fixed[0, column] = (x0 + np.int64(np.rint(m00 * column * 1024.0))) >> 5
            fixed[1, column] = (y0 + np.int64(np.rint(m10 * column * 1024.0))) >> 5
        inside = True
        for end in (0, side - 1):
            inside &= fixed[0, end] >= 0 and fixed[0, end] >> 5 < width - 1
            inside &= fixed[1, end] >= 0 and fixed[1, end] >> 5 < height - 1
        if inside:
            _sample_inside(gray, fixed, side, out[row])
        else:
            _sample_border(gray, fixed, side, out[row])


@kernel
def _sample_inside(gray: UInt8, fixed: NDArray[np.int64], side: int, out: Float32) -> None:
    pixels = gray.reshape(-1)
    width = np.uint64(gray.shape[1])
    for column in range(side):
        x, y = np.uint64(fixed[0, column]), np.uint64(fixed[1, column])
        fx, fy = np.int32(x & np.uint64(31)), np.int32(y & np.uint64(31))
        at = (y >> np.uint64(5)) * width + (x >> np.uint64(5))
        below = at + width
        one = np.uint64(1)
        upper = np.int32(pixels[at]) * np.int32(32 - fx) + np.int32(pixels[at + one]) * fx
        lower = np.int32(pixels[below]) * np.int32(32 - fx) + np.int32(pixels[below + one]) * fx
        total = np.int32(upper * np.int32(32 - fy) + lower * fy)
        out[column] = np.float32(total) * np.float32(1 / 1024)


@kernel
def _sample_border(gray: UInt8, fixed: NDArray[np.int64], side: int, out: Float32) -> None:
    height, width = gray.shape
    for column in range(side):
        left, top = fixed[0, column] >> 5, fixed[1, column] >> 5
        fx, fy = fixed[0, column] & 31, fixed[1, column] & 31
        total = 0
        for dy in range(2):
            for dx in range(2):
                if 0 <= left + dx < width and 0 <= top + dy < height:
                    weight = (fx if dx else 32 - fx) * (fy if dy else 32 - fy)
                    total += gray[top + dy, left + dx] * weight
        out[column] = np.float32(total) * np.float32(1 / 1024)


@intrinsic
def _copy16(typingctx: Any, source: Any, start: Any, target: Any, to: Any) -> Any:
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
                _copy16(area, (i + dy) * STRIDE + dx, patches, at + i * window)


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


@kernel
def neuron_sums(patches: Float32, weights: Float32, lanes: int, last: int, sums: Float32) -> None:
    """Multiply normalised patches with the weights of the neurons of an expert.

    The order of the sum is that of a blocked matrix product: neurons 0 to 3 keep the even and the
    odd terms of the first 120 apart (what follows joins the even ones), the others and the last
    position have one running sum; all steps are fused multiply-adds.

    Parameters
    ----------
    patches : (AREA * LANES,) float32
        Normalised patches.
    weights : (K, 1 + AREA) float32
        Bias, then weights in column order of the patch; K is 4 or more.
    lanes : int
        Positions in use, a multiple of 8.
    last : int
        The last position.
    sums : ((K + 4) * LANES,) float32
        Receives neuron k in row k; the last four rows are scratch.
    """
    count = weights.shape[0]
    odds = sums[count * LANES :]
    final = patches[(AREA - 1) * LANES :]
    odds[: 4 * LANES] = np.float32(0)
    for r in range(count):
        sums[r * LANES : r * LANES + lanes] = weights[r, 0]
    for k in range(0, AREA - 1, BLOCK):
        x = patches[k * LANES :]
        for r in range(4):
            _add_split(x, weights[r, k + 1 :], lanes, sums[r * LANES :], odds[r * LANES :])
        for r in range(4, count):
            _add(x, weights[r, k + 1 :], lanes, sums[r * LANES :])
    for r in range(count):
        total = sums[r * LANES :]
        w = weights[r, AREA]
        for q in range(lanes):
            total[q] = fma(w, final[q], total[q])
        if r < 4:
            odd = odds[r * LANES :]
            for q in range(lanes):
                total[q] += odd[q]
    _running_sums(patches, weights, last, sums)


@kernel
def _add(x: Float32, w: Float32, lanes: int, sums: Float32) -> None:
    for q in range(lanes):
        total = sums[q]
        for k in range(BLOCK):
            total = fma(w[k], x[q + k * LANES], total)
        sums[q] = total


@kernel
def _add_split(x: Float32, w: Float32, lanes: int, even: Float32, odd: Float32) -> None:
    for q in range(lanes):
        one, two = odd[q], even[q]
        for k in range(0, BLOCK, 2):
            one = fma(w[k], x[q + k * LANES], one)
            two = fma(w[k + 1], x[q + (k + 1) * LANES], two)
        odd[q], even[q] = one, two


@kernel
def _running_sums(patches: Float32, weights: Float32, last: int, sums: Float32) -> None:
    w0, w1, w2, w3 = weights[0], weights[1], weights[2], weights[3]
    t0, t1, t2, t3 = w0[0], w1[0], w2[0], w3[0]
    for k in range(AREA):
        value = patches[k * LANES + last]
        t0 = fma(w0[k + 1], value, t0)
        t1 = fma(w1[k + 1], value, t1)
        t2 = fma(w2[k + 1], value, t2)
        t3 = fma(w3[k + 1], value, t3)
    for r, total in enumerate((t0, t1, t2, t3)):
        sums[r * LANES + last] = total


@kernel
def logistic_sum(
    sums: Float32, alphas: Float64, lanes: int, exponentials: Float32, out: Float32
) -> None:
    """Add up the neurons' logistic outputs, each weighted with twice its alpha.

    Parameters
    ----------
    sums : ((K + 4) * LANES,) float32
        Neuron k in row k.
    alphas : (K,) float64
        Weights; neurons with 1e-4 or less are left out.
    lanes : int
        Positions in use.
    exponentials : (LANES,) float32
        Scratch.
    out : (LANES,) float32
        Receives the sum, rounded to float32 after every neuron.
    """
    out[:lanes] = np.float32(0)
    for r in range(alphas.shape[0]):
        if alphas[r] <= 1e-4:
            continue
        double = 2.0 * alphas[r]
        at = r * LANES
        for q in range(lanes):
            exponentials[q] = expf(-sums[at + q])
        for q in range(lanes):
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
        Side w of a map, odd, at most MAX_WINDOW.
    weights : (n, K, 1 + AREA) float32
        Neurons; K is 4 or more.
    alphas : (n, K) float64
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
    patches = np.zeros(AREA * LANES, np.float32)
    mean = np.empty(LANES, np.float32)
    scratch = np.empty(LANES, np.float32)
    sums = np.empty((weights.shape[1] + 4) * LANES, np.float32)
    response = np.zeros(LANES, np.float32)
    for n in range(landmarks.shape[0]):
        if not visible[n]:
            out[n] = np.float32(0)
            continue
        sample_area(gray, landmarks[n, 0], landmarks[n, 1], a, b, window + SIDE - 1, area)
        unfold(area.reshape(-1), window, patches)
        normalise(patches, lanes, mean, scratch)
        neuron_sums(patches, weights[n], lanes, positions - 1, sums)
        logistic_sum(sums, alphas[n], lanes, scratch, response)
        if sigmas.shape[0] > 0:
            smooth(sigmas[n], response, positions, lanes, mean)
        else:
            for q in range(positions):
                mean[q] = scales[n] * response[q]
        lowest = min(mean[:positions].min(), np.float32(0))
        flat = out[n].reshape(-1)
        for q in range(positions):
            flat[q] = mean[q] - lowest
