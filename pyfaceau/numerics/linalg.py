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
from pyfaceau.numerics._vector import WIDTH, load, spread, store
from pyfaceau.numerics._vector_rows import fill, load_wide, narrow, store_wide, widen
from pyfaceau.types import Float32, Float64

_EPSILON = 1.1920928955078125e-07
_PIVOTS = 4
"""Pivots of one pass over the matrix; `_subtract_products` spells them out."""


@kernel
def _cholesky_rows(a: Float32, sides: Float32) -> Float32:
    """Lay out the columns of (n, n) `a` as rows, behind each what (m, n) `sides` have there.

    The rows have zeros at the end, as two vectors are read from wherever one has numbers in use.
    """
    n, m = a.shape[0], sides.shape[0]
    rows = np.zeros((n, (n + m + WIDTH - 1) // WIDTH * WIDTH + WIDTH), np.float32)
    for i in range(n):
        for j in range(i + 1):
            rows[j, i] = a[i, j]
    for c in range(m):
        for j in range(n):
            rows[j, n + c] = sides[c, j]
    return rows


@kernel
def _cholesky_factor(rows: Float32, lower: Float32, used: int) -> bool:
    """Factor a symmetric matrix, A = L L', and solve L y = b: b becomes y as if a row of A.

    Parameters
    ----------
    rows : (n, stride) float32
        From `_cholesky_rows`; columns of L and, behind each, its element of every y, take its
        place.
    lower : (n, stride) float32
        Receives L, with the reciprocal of the diagonal.
    used : int
        Elements of a row in use.

    Returns
    -------
    bool
        False where a pivot is under 1.19e-7; the factor is then unusable.
    """
    n, stride = rows.shape
    columns, diagonal = rows.reshape(-1), np.zeros(stride, np.float64)
    for j in range(n):
        diagonal[j] = rows[j, j]
    for j in range(n):
        if diagonal[j] < _EPSILON:
            return False
        lower[j, j] = np.float32(1.0 / math.sqrt(diagonal[j]))
        first = (j + 1) // WIDTH * WIDTH  # lanes up to j compute what is never read
        for at in range(first, used, 2 * WIDTH):
            _factor_vectors(columns, stride, j, at, lower[j, j])
        for i in range(j + 1, n):
            lower[i, j] = rows[j, i]
        for at in range(first, n, WIDTH):
            x = widen(load(columns, j * stride + at))
            store_wide(diagonal, at, load_wide(diagonal, at) - x * x)
    return True


@kernel
def _factor_vectors(columns: Float32, stride: int, j: int, at: int, reciprocal: float) -> None:
    """Compute 16 elements of a column of L from `at` on, with the running sums in registers."""
    here = j * stride + at
    s0, s1 = widen(load(columns, here)), widen(load(columns, here + WIDTH))
    for k in range(0, j * stride, stride):
        factor = spread(columns, k + j)
        s0 = s0 - widen(load(columns, k + at) * factor)
        s1 = s1 - widen(load(columns, k + at + WIDTH) * factor)
    scale = widen(fill(reciprocal))
    store(columns, here, narrow(s0 * scale))
    store(columns, here + WIDTH, narrow(s1 * scale))


@kernel
def _substitute_back(lower: Float32, y: Float32, sums: Float64, x: Float32) -> None:
    """Solve L' x = y; `sums` is work space of a row of `lower`."""
    n, stride = lower.shape
    flat = lower.reshape(-1)
    for i in range(n):
        sums[i] = y[i]
    for i in range(n - 1, -1, -1):
        x[i] = np.float32(sums[i] * np.float64(lower[i, i]))
        value = fill(x[i])
        for at in range(0, i, WIDTH):  # lanes from i on are solved already
            product = load(flat, i * stride + at) * value
            store_wide(sums, at, load_wide(sums, at) - widen(product))


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
        Receives the solution, contiguous; may be `b` itself.

    Returns
    -------
    bool
        Whether A was positive definite.
    """
    n = a.shape[0]
    rows = _cholesky_rows(a, b.reshape(1, n))
    lower = np.empty_like(rows)
    if not _cholesky_factor(rows, lower, n + 1):
        x[:] = np.float32(0)
        return False
    column = x.reshape(n, 1)[:, 0]  # of the same type as a column of an inverse: compiled once
    _substitute_back(lower, rows[:, n], np.zeros(rows.shape[1], np.float64), column)
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
    identity = np.zeros((n, n), np.float32)
    for i in range(n):
        identity[i, i] = 1
    rows = _cholesky_rows(a, identity)
    lower = np.empty_like(rows)
    if not _cholesky_factor(rows, lower, 2 * n):
        out[:] = np.float32(0)
        return False
    sums = np.zeros(rows.shape[1], np.float64)
    for j in range(n):
        _substitute_back(lower, rows[:, n + j], sums, out[:, j])
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
    for i in range(n):  # a copy by slices compiles for seconds
        for j in range(n):
            out[i, j] = a[i, j]
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
        for i in range(k, len(upper)):
            rows[t, i] = upper[k, i]
            upper[k, i] = 0.0


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
