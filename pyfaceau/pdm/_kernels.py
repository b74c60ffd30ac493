"""Kernels of the point distribution model: projection, Jacobian, update, CalcParams.

Shapes with n points are stored as (3n,) or (2n,) float32: all x, then all y (, then all z).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from pyfaceau.numerics._jit import kernel
from pyfaceau.numerics.gemm import matvec, normal_matrix, transposed_matvec
from pyfaceau.numerics.linalg import cholesky_solve
from pyfaceau.numerics.rotation import euler_to_matrix, rotate_by_increment
from pyfaceau.types import Float32


@kernel
def project(params_global: Float32, shape: Float32, out: Float32) -> None:
    """Weak-perspective projection s R X + t of (3n,) points to (2n,), plain float32."""
    n = shape.shape[0] // 3
    r = euler_to_matrix(params_global[1:4])
    s = params_global[0]
    for i in range(n):
        x, y, z = shape[i], shape[n + i], shape[2 * n + i]
        out[i] = s * (r[0, 0] * x + r[0, 1] * y + r[0, 2] * z) + params_global[4]
        out[n + i] = s * (r[1, 0] * x + r[1, 1] * y + r[1, 2] * z) + params_global[5]


@kernel
def project_rounded_once(params_global: Float32, shape: Float32, out: Float32) -> None:
    """Project likewise, with s R X accumulated in float64 and rounded once, then + t."""
    n = shape.shape[0] // 3
    r = euler_to_matrix(params_global[1:4])
    s = np.float64(params_global[0])
    for row in range(2):
        a, b, c = np.float64(r[row, 0]), np.float64(r[row, 1]), np.float64(r[row, 2])
        t = params_global[4 + row]
        for i in range(n):
            x, y, z = np.float64(shape[i]), np.float64(shape[n + i]), np.float64(shape[2 * n + i])
            out[row * n + i] = np.float32(s * (a * x + b * y + c * z)) + t


@kernel
def jacobian(params_global: Float32, shape: Float32, basis: Float32, out: Float32) -> None:
    """Differentiate the projected points by (s, wx, wy, wz, tx, ty[, p]).

    Parameters
    ----------
    params_global : (6,) float32
        Current rigid parameters.
    shape : (3n,) float32
        Current 3-D shape in the object's frame.
    basis : (3n, m) float32
        Modes; only those that `out` has room for are differentiated.
    out : (2n, 6 + m) or (2n, 6) float32
        Rows: all x, all y. Rotation columns are increments about the object's own axes.
    """
    n = shape.shape[0] // 3
    modes = out.shape[1] - 6
    r = euler_to_matrix(params_global[1:4])
    s = params_global[0]
    for row in range(2):
        a, b, c = r[row, 0], r[row, 1], r[row, 2]
        for i in range(n):
            x, y, z = shape[i], shape[n + i], shape[2 * n + i]
            j = row * n + i
            out[j, 0] = x * a + y * b + z * c
            out[j, 1] = s * (y * c - z * b)
            out[j, 2] = -s * (x * c - z * a)
            out[j, 3] = s * (x * b - y * a)
            out[j, 4] = np.float32(1 - row)
            out[j, 5] = np.float32(row)
            for k in range(modes):
                out[j, 6 + k] = s * (
                    a * basis[i, k] + b * basis[n + i, k] + c * basis[2 * n + i, k]
                )


@kernel
def apply_update(params_global: Float32, params_local: Float32, d: Float32) -> None:
    """Add an increment in place; the rotation is composed, not added."""
    params_global[0] += d[0]
    angles = rotate_by_increment(params_global[1:4], d[1], d[2], d[3])
    for k in range(3):
        params_global[1 + k] = angles[k]
    params_global[4] += d[4]
    params_global[5] += d[5]
    for k in range(d.shape[0] - 6):
        params_local[k] += d[6 + k]


@kernel
def _shape_rounded_once(basis: Float32, mean: Float32, p: Float32, out: Float32) -> None:
    """Compute M + V p in float64, as the reference does for fewer than 100 rows."""
    for i in range(mean.shape[0]):
        total = 0.0
        for k in range(p.shape[0]):
            total += np.float64(basis[i, k]) * np.float64(p[k])
        out[i] = np.float32(total + np.float64(mean[i]))


@kernel
def _distance(a: Float32, b: Float32) -> float:
    total = 0.0
    for i in range(a.shape[0]):
        d = np.float64(a[i] - b[i])
        total += d * d
    return np.float32(math.sqrt(total))


@kernel
def _span(values: Float32) -> tuple[float, float]:
    """Return the least and the greatest of finite values."""
    least = greatest = values[0]
    for i in range(1, values.shape[0]):
        least, greatest = min(least, values[i]), max(greatest, values[i])
    return least, greatest


@kernel
def start_from_box(mean: Float32, target: Float32, params_global: Float32) -> None:
    """Scale and move the mean shape so that its box has the target's mean size and centre."""
    n = mean.shape[0] // 3
    x0, x1 = _span(target[:n])
    y0, y1 = _span(target[n:])
    left, right = _span(mean[:n])
    top, bottom = _span(mean[n : 2 * n])
    half = np.float32(0.5)
    params_global[0] = ((x1 - x0) / (right - left) + (y1 - y0) / (bottom - top)) * half
    params_global[1:4] = np.float32(0)
    params_global[4] = (x0 + x1) * half
    params_global[5] = (y0 + y1) * half


@kernel
def calc_params(
    mean: Float32,
    basis: Float32,
    basis_t: Float32,
    eigenvalues: Float32,
    blocks: NDArray[np.bool_],
    target: Float32,
    params_global: Float32,
    params_local: Float32,
) -> int:
    """Fit the model to 2-D points by damped, regularised Gauss-Newton; return the iterations used.

    Parameters
    ----------
    mean, basis, basis_t : (3n,), (3n, m), (m, 3n) float32
        The model, with the points that are to be fitted.
    eigenvalues : (m,) float32
        Variances of the modes.
    blocks : bool
        `order_blocks(6 + m)`.
    target : (2n,) float32
        Points.
    params_global, params_local : (6,), (m,) float32
        Receive the fit.
    """
    m = eigenvalues.shape[0]
    size = 6 + m
    count = target.shape[0]
    regularisation = np.zeros(size, np.float32)
    for k in range(m):
        regularisation[6 + k] = np.float32(1) / eigenvalues[k]
    shape = np.empty(mean.shape[0], np.float32)
    points = np.empty(count, np.float32)
    residual = np.empty(count, np.float32)
    j = np.empty((count, size), np.float32)
    h = np.empty((size, size), np.float32)
    b = np.empty(size, np.float32)
    d = np.empty(size, np.float32)
    sums = np.empty(size, np.float64)

    start_from_box(mean, target, params_global)
    params_local[:] = np.float32(0)
    project(params_global, mean, points)
    previous = _distance(points, target)
    bad = 0
    for iteration in range(1, 1001):
        matvec(basis_t, params_local, mean, shape)
        jacobian(params_global, shape, basis, j)
        if shape.shape[0] < 100:
            _shape_rounded_once(basis, mean, params_local, shape)
        project_rounded_once(params_global, shape, points)
        normal_matrix(j, j, regularisation, blocks, h)
        for i in range(count):
            residual[i] = target[i] - points[i]
        transposed_matvec(j, residual, sums, b)
        for k in range(m):
            prior = np.float64(regularisation[6 + k]) * np.float64(params_local[k])
            b[6 + k] = np.float32(np.float64(b[6 + k]) - prior)
        cholesky_solve(h, b, d)
        for k in range(size):
            d[k] *= np.float32(0.75)
        apply_update(params_global, params_local, d)
        # The error is that of the new pose with the 3-D shape of before the update, and `bad` is
        # never reset: both decide when the reference stops, hence its result.
        project_rounded_once(params_global, shape, points)
        error = _distance(points, target)
        if 0.999 * np.float64(previous) < np.float64(error):
            bad += 1
            if bad == 3:
                return iteration
        previous = error
    return 1000
