"""Cholesky, inverse, Jacobi SVD: by hand, NumPy twins, properties, what has no solution."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyfaceau.numerics.linalg import (
    cholesky_inverse,
    cholesky_solve,
    svd_jacobi,
    symmetric_inverse,
)
from pyfaceau.types import Float32, Float64

f32, f64 = np.float32, np.float64
seeds = st.integers(0, 2**32 - 1)


def positive(seed: int, n: int) -> Float32:
    """Return a random symmetric positive definite matrix, condition under a thousand."""
    root = np.random.default_rng(seed).standard_normal((n, 2 * n))
    return (root @ root.T + 0.1 * np.eye(n)).astype(np.float32)


def solve_twin(a: Float32, b: Float32) -> Float32:
    """Return A^-1 b as documented: float32 products, float64 sums, reciprocal diagonal."""
    n = len(b)
    low, x = np.zeros((n, n), np.float32), np.zeros(n, np.float32)
    for i in range(n):
        for j in range(i + 1):
            total = f64(a[i, j])
            for k in range(j):
                total -= f64(low[i, k]) ** 2 if i == j else f64(low[i, k] * low[j, k])
            low[i, j] = f32(1 / math.sqrt(total)) if i == j else f32(total * f64(low[j, j]))
    for i in range(n):
        total = f64(b[i])
        for k in range(i):
            total -= f64(low[i, k] * x[k])
        x[i] = f32(total * f64(low[i, i]))
    for i in range(n - 1, -1, -1):
        total = f64(x[i])
        for k in range(n - 1, i, -1):
            total -= f64(low[k, i] * x[k])
        x[i] = f32(total * f64(low[i, i]))
    return x


def solve(a: Float32, b: Float32) -> Float32:
    x = np.empty_like(b)
    assert cholesky_solve(a, b, x)
    return x


def inverse_of(a: Float64) -> Float64:
    out = np.full_like(a, np.nan)
    assert symmetric_inverse(a, out)
    return out


def inverse_twin(a: Float64) -> Float64:
    """Return A^-1 by sweeps of four pivots, each on the whole upper triangle at once."""
    m = np.triu(a) + np.triu(a, 1).T
    for first in range(0, len(a), 4):
        rows = m[first : first + 4].copy()
        m[first : first + 4], m[:, first : first + 4] = 0, 0
        for t, row in enumerate(rows):
            pivot, row[first + t] = row[first + t], -1
            for s in range(t + 1, len(rows)):
                rows[s, first + t] = 0
                rows[s] -= row[first + s] / pivot * row
                row[first + s] = 0
            m -= np.triu(np.outer(row / pivot, row))
        m = np.triu(m) + np.triu(m, 1).T
    return -m


def svd_twin(a: Float32) -> tuple[Float32, Float32, Float32]:
    """Return U, w, V' by rotating pairs of columns, on whole NumPy rows."""
    n = len(a)
    b, v = a.T.copy(), np.eye(n, dtype=np.float32)
    for _ in range(30):
        rotated = False
        for i, j in itertools.combinations(range(n), 2):
            wi, wj = (float(sum(f64(x) ** 2 for x in b[row])) for row in (i, j))
            p = float(sum(f64(x) * f64(y) for x, y in zip(b[i], b[j], strict=True)))
            if abs(p) <= 2 * 1.1920928955078125e-07 * math.sqrt(wi * wj):
                continue
            rotated = True
            p, beta = 2 * p, wi - wj
            large, small = max(abs(p), abs(beta)), min(abs(p), abs(beta))
            gamma = large * math.sqrt(1 + (small / large) ** 2)
            if beta < 0:
                s = f32(math.sqrt((gamma - beta) * 0.5 / gamma))
                c = f32(p / (gamma * float(s) * 2))
            else:
                c = f32(math.sqrt((gamma + beta) / (gamma * 2)))
                s = f32(p / (gamma * float(c) * 2))
            for m in (b, v):
                m[i], m[j] = c * m[i] + s * m[j], -s * m[i] + c * m[j]
        if not rotated:
            break
    w = [math.sqrt(sum(f64(x) ** 2 for x in row)) for row in b]
    order = np.argsort(w)[::-1]
    u = np.stack([b[i] * f32(1 / w[i]) for i in order], axis=1)
    return u, np.array(w)[order].astype(np.float32), v[order]


def test_solution_by_hand() -> None:
    # [[4, 2], [2, 5]] = L L' with L = [[2, 0], [1, 2]]; all numbers are exact.
    a = np.array([[4, 2], [2, 5]], np.float32)
    assert solve(a, np.array([16, 16], np.float32)).tolist() == [3, 2]
    inverse = np.empty((2, 2), np.float32)
    assert cholesky_inverse(a, inverse)
    np.testing.assert_array_equal(inverse, [[0.3125, -0.125], [-0.125, 0.25]])


def test_only_the_lower_triangle_is_read() -> None:
    a = positive(3, 6)
    b = np.arange(6, dtype=np.float32)
    spoilt = np.tril(a) + np.triu(np.full_like(a, np.nan), 1)
    np.testing.assert_array_equal(solve(a, b), solve(spoilt, b))


@pytest.mark.parametrize("n", [1, 2, 6, 16, 38, 40])
def test_solution_equals_its_twin(n: int) -> None:
    a = positive(n, n)
    b = np.random.default_rng(n).standard_normal(n).astype(np.float32)
    np.testing.assert_array_equal(solve(a, b), solve_twin(a, b))


@settings(deadline=None)
@given(seeds, st.integers(1, 40))
def test_solution_solves(seed: int, n: int) -> None:
    a, b = positive(seed, n), np.random.default_rng(seed).standard_normal(n).astype(np.float32)
    expected = np.linalg.solve(a.astype(f64), b.astype(f64))
    np.testing.assert_allclose(solve(a, b), expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())


@settings(deadline=None)
@given(seeds, st.integers(1, 40))
def test_columns_of_the_inverse_are_solutions(seed: int, n: int) -> None:
    a, inverse = positive(seed, n), np.empty((n, n), np.float32)
    assert cholesky_inverse(a, inverse)
    column = seed % n
    np.testing.assert_array_equal(inverse[:, column], solve(a, np.eye(n, dtype=np.float32)[column]))
    np.testing.assert_allclose(inverse @ a, np.eye(n), atol=2e-3)


def test_a_solution_may_overwrite_its_right_hand_side() -> None:
    a, b = positive(9, 12), np.arange(12, dtype=np.float32)
    expected = solve(a, b)
    assert cholesky_solve(a, b, b)
    np.testing.assert_array_equal(b, expected)


@pytest.mark.parametrize(
    "a",
    [np.zeros((3, 3)), -np.eye(3), [[1, 2, 0], [2, 1, 0], [0, 0, 1]], np.eye(3) * 1e-8],
    ids=["zero", "negative", "indefinite", "tiny"],
)
def test_no_positive_matrix_no_solution(a: object) -> None:
    matrix = np.array(a, np.float32)
    x, inverse = np.full(3, 7, np.float32), np.full((3, 3), 7, np.float32)
    assert not cholesky_solve(matrix, np.ones(3, np.float32), x)
    assert not cholesky_inverse(matrix, inverse)
    assert not x.any()
    assert not inverse.any()


def test_symmetric_inverse_by_hand() -> None:
    np.testing.assert_array_equal(
        inverse_of(np.array([[4, 2], [2, 5.0]])), [[0.3125, -0.125], [-0.125, 0.25]]
    )
    np.testing.assert_array_equal(inverse_of(np.array([[4.0]])), [[0.25]])
    np.testing.assert_array_equal(
        inverse_of(np.diag(2.0 ** np.arange(9))), np.diag(0.5 ** np.arange(9))
    )
    # Second differences of 5 points, pivots 2, 3/2, 4/3 ...: (i + 1) (5 - j) / 6 for i <= j.
    differences = 2 * np.eye(5) - np.eye(5, k=1) - np.eye(5, k=-1)
    i, j = np.sort(np.indices((5, 5)), axis=0)
    np.testing.assert_allclose(inverse_of(differences), (i + 1) * (5 - j) / 6, rtol=4e-16)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 7, 8, 121])
def test_symmetric_inverse_equals_its_twin(n: int) -> None:
    a = positive(n, n).astype(f64)
    np.testing.assert_array_equal(inverse_of(a), inverse_twin(a))


@given(seeds, st.integers(1, 40))
def test_symmetric_inverse_inverts(seed: int, n: int) -> None:
    a = positive(seed, n).astype(f64)
    inverse = inverse_of(a)
    np.testing.assert_array_equal(inverse, inverse.T)
    np.testing.assert_allclose(a @ inverse, np.eye(n), atol=1e-11)
    spoilt = np.triu(a) + np.tril(np.full_like(a, np.nan), -1)
    np.testing.assert_array_equal(inverse_of(spoilt), inverse)


@pytest.mark.parametrize(
    "a",
    [np.zeros((6, 6)), -np.eye(6), np.eye(6) - np.ones((6, 6)), np.full((6, 6), np.nan)],
    ids=["zero", "negative", "indefinite", "nan"],
)
def test_no_positive_matrix_no_symmetric_inverse(a: Float64) -> None:
    for matrix in (a, np.diag([1, 1, 1, 1, 1, a[5, 5]])):  # in the first pivots or the last
        out = np.full((6, 6), 7.0)
        assert not symmetric_inverse(matrix, out)
        assert not out.any()


def test_svd_by_hand() -> None:
    u, w, vt = svd_jacobi(np.array([[0, 2], [3, 0]], np.float32))
    assert w.tolist() == [3, 2]
    np.testing.assert_array_equal(np.abs(u), [[0, 1], [1, 0]])
    np.testing.assert_array_equal(np.abs(vt), np.eye(2))


@pytest.mark.parametrize("n", [2, 3])
def test_svd_equals_its_twin(n: int) -> None:
    for seed in range(40):
        a = np.random.default_rng(seed).standard_normal((n, n)).astype(np.float32)
        for got, twin in zip(svd_jacobi(a), svd_twin(a), strict=True):
            np.testing.assert_array_equal(got, twin)


@settings(deadline=None)
@given(seeds, st.sampled_from([2, 3]), st.floats(-4, 4))
def test_svd_takes_a_matrix_apart(seed: int, n: int, size: float) -> None:
    a = (10**size * np.random.default_rng(seed).standard_normal((n, n))).astype(np.float32)
    u, w, vt = svd_jacobi(a)
    norm = float(w[0])
    np.testing.assert_allclose(u * w @ vt, a, atol=3e-6 * norm)
    np.testing.assert_allclose(vt @ vt.T, np.eye(n), atol=3e-6)
    assert (np.diff(w) <= 0).all()
    np.testing.assert_allclose(w, np.linalg.svd(a.astype(f64))[1], atol=3e-6 * norm)
    if w[-1] > 1e-2 * norm:
        np.testing.assert_allclose(u.T @ u, np.eye(n), atol=1e-4)


def test_svd_of_nothing_is_zero() -> None:
    u, w, vt = svd_jacobi(np.zeros((3, 3), np.float32))
    assert not u.any()
    assert not w.any()
    np.testing.assert_array_equal(vt, np.eye(3))
