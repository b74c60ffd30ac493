"""Kernels of the regularised landmark mean-shift."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from pyfaceau.numerics._jit import kernel
from pyfaceau.numerics._vector import WIDTH, load, store, zeros
from pyfaceau.numerics._vector_rows import fill, store_rows, transpose
from pyfaceau.numerics.gemm import matvec, normal_matrix, transposed_matvec
from pyfaceau.numerics.libm import expf
from pyfaceau.numerics.linalg import cholesky_solve
from pyfaceau.numerics.similarity import map_offsets
from pyfaceau.pdm._kernels import apply_update, jacobian, project
from pyfaceau.types import Float32, Int64

_STEP = np.float32(0.1)


@kernel
def _kde_cell(sigma: float, ix: int, iy: int, window: int, out: Float32) -> None:
    """Fill (w, w) `out` with the Gaussian kernel about the point (0.1 ix, 0.1 iy)."""
    a = np.float32(-0.5 / np.float64(sigma * sigma))
    qx, qy = np.float32(ix) * _STEP, np.float32(iy) * _STEP
    for row in range(window):
        dy = qy - np.float32(row)
        for column in range(window):
            dx = qx - np.float32(column)
            out[row, column] = expf(a * (dy * dy + dx * dx))


@kernel
def mean_shift(
    responses: Float32,
    offsets: Float32,
    visible: NDArray[np.bool_],
    sigma: float,
    table: Float32,
    filled: NDArray[np.bool_],
    out: Float32,
) -> None:
    """Mean-shift vector of every landmark in its response map.

    The kernel density estimate is evaluated at the landmark's position rounded to 0.1 pixel, the
    shift is taken from the position itself. A map that is zero there shifts nothing.

    Parameters
    ----------
    responses : (n, w, w) float32
        Response maps; rows y, columns x.
    offsets : (n, 2) float32
        Positions x, y in the maps; used as if limited to [0, w - 0.1].
    visible : (n,) bool
        Landmarks to compute; others get 0.
    sigma : float32
        Kernel width, cells of the map.
    table, filled : (10 w, 10 w, w, w) float32, (10 w, 10 w) bool
        Kernels computed so far, for this window and sigma.
    out : (n, 2) float32
        Receives the shifts.
    """
    n, window = responses.shape[0], responses.shape[1]
    cells = window * window
    maps, kernels = responses.reshape(-1), table.reshape(-1)
    starts = np.zeros((2, WIDTH), np.int64)
    values = np.empty(cells * WIDTH, np.float32)
    sums = np.empty((3, WIDTH), np.float32)
    for first in range(0, n, WIDTH):  # eight landmarks side by side, one in each lane
        for i in range(first, min(first + WIDTH, n)):
            if not visible[i]:
                continue
            ix, iy = _nearest_tenth(offsets[i, 0], window), _nearest_tenth(offsets[i, 1], window)
            if not filled[iy, ix]:
                _kde_cell(sigma, ix, iy, window, table[iy, ix])
                filled[iy, ix] = True
            starts[0, i - first] = i * cells
            starts[1, i - first] = (iy * table.shape[1] + ix) * cells
        _multiply_maps(maps, kernels, starts, cells, values)
        _add_moments(values, window, sums.reshape(-1))
        for i in range(first, min(first + WIDTH, n)):
            total = sums[0, i - first]
            if not visible[i] or total == 0:
                out[i, 0] = out[i, 1] = np.float32(0)
                continue
            out[i, 0] = sums[1, i - first] / total - _limited(offsets[i, 0], window)
            out[i, 1] = sums[2, i - first] / total - _limited(offsets[i, 1], window)


@kernel
def _multiply_maps(
    maps: Float32, kernels: Float32, starts: NDArray[np.int64], cells: int, values: Float32
) -> None:
    """Multiply eight maps with their kernels; cell k of map c becomes lane c of vector k."""
    whole = cells // WIDTH * WIDTH
    for k in range(0, whole, WIDTH):
        block = (
            load(maps, starts[0, 0] + k) * load(kernels, starts[1, 0] + k),
            load(maps, starts[0, 1] + k) * load(kernels, starts[1, 1] + k),
            load(maps, starts[0, 2] + k) * load(kernels, starts[1, 2] + k),
            load(maps, starts[0, 3] + k) * load(kernels, starts[1, 3] + k),
            load(maps, starts[0, 4] + k) * load(kernels, starts[1, 4] + k),
            load(maps, starts[0, 5] + k) * load(kernels, starts[1, 5] + k),
            load(maps, starts[0, 6] + k) * load(kernels, starts[1, 6] + k),
            load(maps, starts[0, 7] + k) * load(kernels, starts[1, 7] + k),
        )
        store_rows(values, k * WIDTH, WIDTH, transpose(block))
    for k in range(whole, cells):
        for c in range(WIDTH):
            values[k * WIDTH + c] = maps[starts[0, c] + k] * kernels[starts[1, c] + k]


@kernel
def _limited(offset: float, window: int) -> float:
    """Return an offset within the map."""
    return min(max(offset, np.float32(0)), np.float32(window) - _STEP)


@kernel
def _nearest_tenth(offset: float, window: int) -> int:
    return int(np.float64(_limited(offset, window) / _STEP) + 0.5)


@kernel
def _add_moments(values: Float32, window: int, sums: Float32) -> None:
    """Sum the values of eight maps, and the values times column and times row."""
    total, moment_x, moment_y = zeros(), zeros(), zeros()
    at = 0
    for row in range(window):
        y = fill(np.float32(row))
        for column in range(window):
            value = load(values, at)
            total = total + value
            moment_x = moment_x + value * fill(np.float32(column))
            moment_y = moment_y + value * y
            at += WIDTH
    store(sums, 0, total)
    store(sums, WIDTH, moment_x)
    store(sums, 2 * WIDTH, moment_y)


@kernel
def log_likelihood(
    responses: Float32, offsets: Float32, visible: NDArray[np.bool_], sigma: float
) -> float:
    """Mean over visible landmarks of ln(1e-8 + response map blurred at the landmark).

    Squared distances and sums are float32, the Gaussian of a distance and the logarithm float64.
    """
    n, window = responses.shape[0], responses.shape[1]
    variance = np.float64(sigma * sigma)
    across = np.empty(window, np.float32)
    total = np.float32(0)
    count = 0
    for i in range(n):
        if not visible[i]:
            continue
        for k in range(window):
            distance = offsets[i, 0] - np.float32(k)
            across[k] = distance * distance
        value = np.float32(0)
        for row in range(window):
            distance = offsets[i, 1] - np.float32(row)
            down = distance * distance
            for column in range(window):
                weight = math.exp(-0.5 * np.float64(down + across[column]) / variance)
                value += np.float32(np.float64(responses[i, row, column]) * weight)
        total = np.float32(np.float64(total) + math.log(np.float64(value) + 1e-8))
        count += 1
    return total / np.float32(count)


@kernel
def nu_rlms(
    params_global: Float32,
    params_local: Float32,
    responses: Float32,
    base: Float32,
    to_reference: Float32,
    to_image: Float32,
    visible: NDArray[np.bool_],
    weights: Float32,
    mean: Float32,
    basis: Float32,
    basis_t: Float32,
    prior: Float32,
    limits: Float32,
    free: Int64,
    rigid_blocks: NDArray[np.bool_],
    blocks: NDArray[np.bool_],
    sigma: float,
    table: Float32,
    filled: NDArray[np.bool_],
    max_iterations: int,
    threshold: float,
    offsets: Float32,
) -> tuple[int, float, int, float]:
    """Run NU-RLMS, a phase for each number of free parameters; updates them in place.

    Returns the steps before the last phase, the scale it starts from (pixels per mm), its own
    steps, and the last measured movement of the shape in one of them (pixels over all coordinates;
    infinite after a single step).

    Parameters
    ----------
    params_global, params_local : (6,), (m,) float32
        Start and result.
    responses : (n, w, w) float32
        Response maps about `base`.
    base : (2n,) float32
        Shape that the maps are centred on.
    to_reference, to_image : (2, 2) float32
        Similarity from image offsets to map offsets, and its inverse.
    visible, weights : (n,) bool, (n,) float32
        Landmarks of the view, and their weights.
    mean, basis, basis_t, limits : float32
        The shape model.
    prior : (6 + m,) float32
        Regularisation of each parameter.
    free : (phases,) int64
        How many parameters each phase has: 6, those of a rigid body, or 6 + m.
    rigid_blocks, blocks : bool
        `order_blocks` of 6 and of 6 + m.
    sigma, table, filled
        See `mean_shift`.
    max_iterations : int
        At most so many in each phase.
    threshold : float
        A phase ends when the shape moved less, pixels over all coordinates.
    offsets : (n, 2) float32
        Receives the positions in the maps at the last iteration, before its step.
    """
    n = responses.shape[0]
    shape = np.empty(3 * n, np.float32)
    points = np.empty(2 * n, np.float32)
    previous = np.empty(2 * n, np.float32)
    moved = np.empty((n, 2), np.float32)
    shifts = np.empty((n, 2), np.float32)
    target = np.empty(2 * n, np.float32)
    before, scale, steps, change = 0, params_global[0], 0, np.inf
    for size in free:
        j = np.empty((2 * n, size), np.float32)
        weighted = np.empty((2 * n, size), np.float32)
        h = np.empty((size, size), np.float32)
        b, d = np.empty(size, np.float32), np.empty(size, np.float32)
        sums = np.empty(size, np.float64)
        before, scale, steps, change = before + steps, params_global[0], max_iterations, np.inf
        for iteration in range(max_iterations):
            matvec(basis_t, params_local, mean, shape)
            project(params_global, shape, points)
            if iteration > 0:
                change = _moved(points, previous)
                if change < threshold:
                    steps = iteration
                    break
            for k in range(2 * n):
                previous[k] = points[k]
            jacobian(params_global, shape, basis, j)
            _places(points, base, to_reference, responses.shape[1], moved, offsets)
            mean_shift(responses, offsets, visible, sigma, table, filled, shifts)
            map_offsets(to_image, shifts, moved)
            _weigh(moved, visible, weights, j, weighted, target)
            transposed_matvec(weighted, target, sums, b)
            for k in range(size - 6):
                step = np.float64(prior[6 + k]) * np.float64(params_local[k])
                b[6 + k] = np.float32(np.float64(b[6 + k]) - step)
            chosen = rigid_blocks if size == 6 else blocks
            normal_matrix(weighted, j, prior[:size], chosen, h)
            cholesky_solve(h, b, d)
            apply_update(params_global, params_local, d)
            for k in range(params_local.shape[0]):
                params_local[k] = min(max(params_local[k], -limits[k]), limits[k])
    return before, scale, steps, change


@kernel
def _places(
    points: Float32, base: Float32, to_reference: Float32, window: int, moved: Float32, out: Float32
) -> None:
    """Fill `out` (n, 2) with where points (2n,) lie in maps about `base`; `moved` is work space."""
    n = moved.shape[0]
    for i in range(n):
        moved[i, 0] = points[i] - base[i]
        moved[i, 1] = points[n + i] - base[n + i]
    map_offsets(to_reference, moved, out)
    centre = np.float32((window - 1) // 2)
    for i in range(n):
        out[i, 0] += centre
        out[i, 1] += centre


@kernel
def _weigh(
    shifts: Float32,
    visible: NDArray[np.bool_],
    weights: Float32,
    j: Float32,
    weighted: Float32,
    target: Float32,
) -> None:
    """Blank the Jacobian's rows of hidden landmarks; fill it weighted, and the shifts as (2n,)."""
    n = shifts.shape[0]
    for i in range(n):
        target[i], target[n + i] = shifts[i, 0], shifts[i, 1]
        for row in (i, n + i):
            for k in range(j.shape[1]):
                j[row, k] = j[row, k] if visible[i] else np.float32(0)
                weighted[row, k] = j[row, k] * weights[i]


@kernel
def _moved(a: Float32, b: Float32) -> float:
    total = 0.0
    for i in range(a.shape[0]):
        d = np.float64(a[i] - b[i])
        total += d * d
    return math.sqrt(total)
