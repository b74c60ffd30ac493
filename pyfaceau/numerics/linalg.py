"""Small linear algebra with a fixed order of operations: Cholesky, inverse and Jacobi SVD.

The arithmetic is float32, but for `symmetric_inverse`, which is float64. Inner products are
accumulated in float64 from float32 products, in ascending (forward) or descending (backward)
order, and rounded once; each loop runs over independent sums so that it vectorises without
changing any of them. These functions are compiled kernels.
"""

from __future__ import annotations

import math

import numpy as np

from pyfaceau.numerics._jit import kernel
from pyfaceau.types import Float32, Float64

_EPSILON = 1.1920928955078125e-07
_PIVOTS = 4
"""Pivots of one pass over the matrix; `_subtract_products` spells them out."""


@kernel
def cholesky_factor(a: Float32, lower_t: Float32) -> bool:
    """Factor a symmetric matrix, A = L L'.

    Parameters
    ----------
    a : (n, n) float32
        Only its lower triangle is read.
    lower_t : (n, n) float32
        Receives L transposed in its upper triangle, with the reciprocal of the diagonal.

    Returns
    -------
    bool
        False where a pivot is under 1.19e-7; `lower_t` is then unusable.
    """
    n = a.shape[0]
    sums = np.empty(n, np.float64)
    for j in range(n):
        for i in range(j, n):
            sums[i] = a[i, j]
        for k in range(j):
            factor = lower_t[k, j]
            sums[j] -= np.float64(factor) * np.float64(factor)
            for i in range(j + 1, n):
                sums[i] -= np.float64(lower_t[k, i] * factor)
        if sums[j] < _EPSILON:
            return False
        reciprocal = np.float32(1.0 / math.sqrt(sums[j]))
        lower_t[j, j] = reciprocal
        for i in range(j + 1, n):
            lower_t[j, i] = np.float32(sums[i] * np.float64(reciprocal))
    return True


@kernel
def cholesky_substitute(lower_t: Float32, b: Float32, x: Float32) -> None:
    """Solve L L' x = b with the factor made by `cholesky_factor`.

    Parameters
    ----------
    lower_t : (n, n) float32
        Transposed factor.
    b : (n,) float32
        Right-hand side.
    x : (n,) float32
        Receives the solution; may be `b` itself.
    """
    n = b.shape[0]
    sums = b.astype(np.float64)
    for i in range(n):
        y = np.float32(sums[i] * np.float64(lower_t[i, i]))
        x[i] = y
        for k in range(i + 1, n):
            sums[k] -= np.float64(lower_t[i, k] * y)
    lower = lower_t.T.copy()
    for i in range(n):
        sums[i] = np.float64(x[i])
    for i in range(n - 1, -1, -1):
        y = np.float32(sums[i] * np.float64(lower[i, i]))
        x[i] = y
        for k in range(i):
            sums[k] -= np.float64(lower[i, k] * y)


@kernel
def cholesky_solve(a: Float32, b: Float32, x: Float32) -> bool:
    """Solve A x = b for a symmetric positive definite A; False and x = 0 where it is not.

    Parameters
    ----------
    a : (n, n) float32
        Matrix; its lower triangle is read.
    b : (n,) float32
        Right-hand side.
    x : (n,) float32
        Receives the solution.

    Returns
    -------
    bool
        Whether A was positive definite.
    """
    lower_t = np.empty_like(a)
    if not cholesky_factor(a, lower_t):
        x[:] = np.float32(0)
        return False
    cholesky_substitute(lower_t, b, x)
    return True


@kernel
def cholesky_inverse(a: Float32, out: Float32) -> bool:
    """Invert a symmetric positive definite matrix, column by column of the identity.

    Parameters
    ----------
    a : (n, n) float32
        Matrix; its lower triangle is read.
    out : (n, n) float32
        Receives the inverse.

    Returns
    -------
    bool
        False, and zeros, where A is not positive definite.
    """
    n = a.shape[0]
    lower_t = np.empty_like(a)
    if not cholesky_factor(a, lower_t):
        out[:] = np.float32(0)
        return False
    column = np.empty(n, np.float32)
    for j in range(n):
        column[:] = np.float32(0)
        column[j] = np.float32(1)
        cholesky_substitute(lower_t, column, column)
        out[:, j] = column
    return True


@kernel
def symmetric_inverse(a: Float64, out: Float64) -> bool:
    """Invert a symmetric positive definite matrix in float64, the same on every machine.

    The sweep operator: Goodnight, "A tutorial on the SWEEP operator", The American Statistician
    33(3), 1979. To sweep pivot k, row and column k are taken out as r and zeroed, r[k] is set to
    -1, and ``r r' / pivot`` is subtracted from the whole; when all are swept the matrix is
    ``-inverse(A)``. Four pivots share each pass over the upper triangle, which is what takes the
    time; every element still takes its pivots in ascending order.

    Parameters
    ----------
    a : (n, n) float64
        Matrix; its upper triangle is read.
    out : (n, n) float64
        Receives the inverse, symmetric to the bit; not `a` itself.

    Returns
    -------
    bool
        False, and zeros, where A is not positive definite.
    """
    n = a.shape[0]
    out[:] = a
    rows = np.empty((_PIVOTS, n), np.float64)
    scaled = np.empty((_PIVOTS, n), np.float64)
    for first in range(0, n, _PIVOTS):
        _take_rows(out, first, rows)
        if not _sweep_rows(rows, first, scaled):
            out[:] = 0.0
            return False
        _subtract_products(out, scaled, rows)
    for i in range(n):
        for j in range(i, n):
            out[i, j] = -out[i, j]
            out[j, i] = out[i, j]
    return True


@kernel
def _take_rows(upper: Float64, first: int, rows: Float64) -> None:
    """Move whole rows of a symmetric matrix out of its upper triangle; where it ends, zeros."""
    rows[:] = 0.0
    for t in range(min(_PIVOTS, len(upper) - first)):
        k = first + t
        for s in range(t):  # moved with the row before
            rows[t, first + s] = rows[s, k]
        for i in range(first):
            rows[t, i] = upper[i, k]
            upper[i, k] = 0.0
        rows[t, k:] = upper[k, k:]
        upper[k, k:] = 0.0


@kernel
def _sweep_rows(rows: Float64, first: int, scaled: Float64) -> bool:
    """Bring each row to where its own pivot is swept, and scale it; False if a pivot is not > 0."""
    scaled[:] = 0.0
    pivots = min(_PIVOTS, rows.shape[1] - first)
    for t in range(pivots):
        row = rows[t]
        pivot = row[first + t]
        if not pivot > 0:
            return False
        row[first + t] = -1.0
        for s in range(t + 1, pivots):
            later, factor = rows[s], row[first + s] / pivot
            later[first + t] = 0.0
            for j in range(len(row)):
                later[j] -= factor * row[j]
            row[first + s] = 0.0  # that row and column has had this pivot, and is out
        for j in range(len(row)):
            scaled[t, j] = row[j] / pivot
    return True


@kernel
def _subtract_products(upper: Float64, scaled: Float64, rows: Float64) -> None:
    """Subtract the outer products of four pairs of rows, one after the other."""
    for i in range(len(upper)):
        # Slices all begin at i: no index may be negative, as far as numba sees, so it vectorises.
        a, b, c, d = rows[0, i:], rows[1, i:], rows[2, i:], rows[3, i:]
        fa, fb, fc, fd = scaled[0, i], scaled[1, i], scaled[2, i], scaled[3, i]
        row = upper[i, i:]
        for j in range(len(row)):
            row[j] = (((row[j] - fa * a[j]) - fb * b[j]) - fc * c[j]) - fd * d[j]


@kernel
def svd_jacobi(a: Float32) -> tuple[Float32, Float32, Float32]:
    """Singular value decomposition of a 2x2 or 3x3 matrix by one-sided Jacobi rotations.

    Hestenes' method: pairs of columns are rotated until all are orthogonal. Rotations and vectors
    are float32, norms and angles float64.

    Parameters
    ----------
    a : (n, n) float32
        Matrix.

    Returns
    -------
    u : (n, n) float32
        Left singular vectors, columns.
    w : (n,) float32
        Singular values, descending.
    vt : (n, n) float32
        Right singular vectors, rows: A = U diag(w) V'.
    """
    n = a.shape[0]
    b = a.T.copy()
    v = np.zeros((n, n), np.float32)
    w = np.zeros(n, np.float64)
    for i in range(n):
        v[i, i] = np.float32(1)
        for k in range(n):
            w[i] += np.float64(b[i, k]) * np.float64(b[i, k])
    for _ in range(30):
        changed = False
        for i in range(n - 1):
            for j in range(i + 1, n):
                p = 0.0
                for k in range(n):
                    p += np.float64(b[i, k]) * np.float64(b[j, k])
                if abs(p) <= 2 * _EPSILON * math.sqrt(w[i] * w[j]):
                    continue
                changed = True
                p *= 2
                beta = w[i] - w[j]
                gamma = _hypot(p, beta)
                if beta < 0:
                    s = np.float32(math.sqrt((gamma - beta) * 0.5 / gamma))
                    c = np.float32(p / (gamma * np.float64(s) * 2))
                else:
                    c = np.float32(math.sqrt((gamma + beta) / (gamma * 2)))
                    s = np.float32(p / (gamma * np.float64(c) * 2))
                wi = 0.0
                wj = 0.0
                for k in range(n):
                    t0 = c * b[i, k] + s * b[j, k]
                    t1 = -s * b[i, k] + c * b[j, k]
                    b[i, k], b[j, k] = t0, t1
                    wi += np.float64(t0) * np.float64(t0)
                    wj += np.float64(t1) * np.float64(t1)
                    t0 = c * v[i, k] + s * v[j, k]
                    t1 = -s * v[i, k] + c * v[j, k]
                    v[i, k], v[j, k] = t0, t1
                w[i], w[j] = wi, wj
        if not changed:
            break
    return _sort_svd(b, w, v)


@kernel
def _hypot(a: float, b: float) -> float:
    a, b = abs(a), abs(b)
    if a > b:
        b /= a
        return a * math.sqrt(1 + b * b)
    if b > 0:
        a /= b
        return b * math.sqrt(1 + a * a)
    return 0.0


@kernel
def _sort_svd(b: Float32, w: Float64, v: Float32) -> tuple[Float32, Float32, Float32]:
    n = b.shape[0]
    for i in range(n):
        total = 0.0
        for k in range(n):
            total += np.float64(b[i, k]) * np.float64(b[i, k])
        w[i] = math.sqrt(total)
    for i in range(n - 1):
        top = i
        for k in range(i + 1, n):
            if w[top] < w[k]:
                top = k
        if top != i:
            w[i], w[top] = w[top], w[i]
            for k in range(n):
                b[i, k], b[top, k] = b[top, k], b[i, k]
                v[i, k], v[top, k] = v[top, k], v[i, k]
    u = np.empty((n, n), np.float32)
    for i in range(n):
        scale = np.float32(1.0 / w[i]) if w[i] > 1.1754943508222875e-38 else np.float32(0)
        for k in range(n):
            u[k, i] = b[i, k] * scale
    return u, w.astype(np.float32), v
