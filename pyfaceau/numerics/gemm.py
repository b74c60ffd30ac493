"""Float32 matrix products with the accumulation order of the reference's BLAS.

The reference program calls an SGEMM whose compiled kernel gives each element of the result one of
two orders of fused multiply-adds over k = 0..K-1:

* order S: one accumulator takes every k;
* order E: one accumulator takes even k and, past the last multiple of eight, every k; another
  takes odd k; the result is their sum.

Which element gets which depends on its place in the result alone (`order_blocks`; the rule was
found by comparing 3,465 random products of all shapes with the library, none of which differs).
What is added to the product comes last, with one rounding. All but `order_blocks` are compiled
kernels.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyfaceau.numerics._jit import fma, kernel
from pyfaceau.numerics._vector import load
from pyfaceau.numerics._vector_rows import add_rows, fma_rows, store_rows, zero_rows
from pyfaceau.types import Float32, Float64


def order_blocks(rows: int, columns: int) -> NDArray[np.bool_]:
    """Tell which elements of a product (rows x K) (K x columns) are accumulated in order E.

    Columns count in groups of 8; a rest of fewer than 8 is never in order E. Of each full dozen of
    rows, the first six take the first group in order E; the last group is in order E in the first
    six rows where there is an even number of groups, else in the other six; a single group is not.
    Of the rows left over, each full four take all groups in order E.

    Parameters
    ----------
    rows, columns : int
        Shape of the product, row-major.

    Returns
    -------
    (rows, ceil(columns / 8)) bool
        One flag for each row and group of columns.
    """
    blocks = np.zeros((rows, (columns + 7) // 8), dtype=np.bool_)
    groups = columns // 8
    dozens = rows // 12 * 12
    fours = dozens + (rows - dozens) // 4 * 4
    if groups > 1:
        upper = np.arange(dozens) % 12 < 6
        blocks[:dozens, 0] |= upper
        blocks[:dozens, groups - 1] |= upper == (groups % 2 == 0)
    blocks[dozens:fours, :groups] = True
    return blocks


@kernel
def normal_matrix(
    weighted: Float32, jacobian: Float32, diagonal: Float32, blocks: NDArray[np.bool_], out: Float32
) -> None:
    """Compute the lower triangle of (W J)' J + diag(lambda).

    Tiles of six or four rows and eight columns, each in one order. The last tile in either
    direction reaches back, so it comes first: what it writes too much is then written over.

    Parameters
    ----------
    weighted, jacobian : (K, n) float32
        The Jacobian with its rows weighted, and as it is; n is 6 or more.
    diagonal : (n,) float32
        lambda.
    blocks : (n, ceil(n / 8)) bool
        From `order_blocks(n, n)`.
    out : (n, n) float32
        Receives the matrix; what it holds above the diagonal means nothing.
    """
    count, n = jacobian.shape
    a, b, h = weighted.reshape(-1), jacobian.reshape(-1), out.reshape(-1)
    if n < 8:
        _narrow_normal_matrix(a, b, (count, n), h)
    else:
        dozens = n // 12 * 12
        fours = dozens + (n - dozens) // 4 * 4
        if fours < n:
            _tile_row(zero_rows(4), a, b, (count, n), n - 4, blocks[n - 1], h)
        for row in range(fours - 4, dozens - 1, -4):
            _tile_row(zero_rows(4), a, b, (count, n), row, blocks[row], h)
        for row in range(dozens - 6, -1, -6):
            _tile_row(zero_rows(6), a, b, (count, n), row, blocks[row], h)
    for i in range(n):
        out[i, i] += diagonal[i]


@kernel
def _tile_row(
    zero: Any, a: Float32, b: Float32, shape: tuple[int, int], row: int,
    two_chains: NDArray[np.bool_], out: Float32,
) -> None:  # fmt: skip
    """Sum the rows from `row` on, up to the diagonal; `zero` has as many rows as the tiles."""
    n = shape[1]
    left = (row + len(zero) - 1) // 8 * 8
    while left >= 0:
        column = min(left, n - 8)
        if two_chains[left // 8]:
            _sum_two_chains(zero, a, b, shape, row, column, out)
        elif left >= 8 and not two_chains[left // 8 - 1]:
            left -= 8
            _sum_two_tiles(zero, a, b, shape, row, (left, column), out)
        else:
            _sum_tile(zero, a, b, shape, row, column, out)
        left -= 8


@kernel
def _sum_two_chains(
    zero: Any, a: Float32, b: Float32, shape: tuple[int, int], row: int, column: int, out: Float32
) -> None:
    """Sum one tile in order E."""
    count, n = shape
    whole = count - count % 8
    even = odd = zero
    for k in range(0, whole * n, 2 * n):
        even = fma_rows(a, k + row, load(b, k + column), even)
        odd = fma_rows(a, k + n + row, load(b, k + n + column), odd)
    for k in range(whole * n, count * n, n):
        even = fma_rows(a, k + row, load(b, k + column), even)
    store_rows(out, row * n + column, n, add_rows(even, odd))


@kernel
def _sum_two_tiles(
    zero: Any, a: Float32, b: Float32, shape: tuple[int, int], row: int, columns: tuple[int, int],
    out: Float32,
) -> None:  # fmt: skip
    """Sum two tiles in order S; they use the vector units better than one. The right one yields."""
    count, n = shape
    left, right = zero, zero
    for k in range(0, count * n, n):
        left = fma_rows(a, k + row, load(b, k + columns[0]), left)
        right = fma_rows(a, k + row, load(b, k + columns[1]), right)
    store_rows(out, row * n + columns[1], n, right)
    store_rows(out, row * n + columns[0], n, left)


@kernel
def _sum_tile(
    zero: Any, a: Float32, b: Float32, shape: tuple[int, int], row: int, column: int, out: Float32
) -> None:
    """Sum one tile in order S."""
    count, n = shape
    sums = zero
    for k in range(0, count * n, n):
        sums = fma_rows(a, k + row, load(b, k + column), sums)
    store_rows(out, row * n + column, n, sums)


@kernel
def _narrow_normal_matrix(a: Float32, b: Float32, shape: tuple[int, int], out: Float32) -> None:
    """Compute the matrix where it has six or seven columns: all in order S.

    Vectors reach into the row behind, which the last row has not: it is summed one by one.
    """
    count, n = shape
    tile = np.zeros(64, np.float32)
    for row in range(0, n, 6):
        top = min(row, n - 6)
        sums = zero_rows(6)
        for k in range(0, (count - 1) * n, n):
            sums = fma_rows(a, k + top, load(b, k), sums)
        store_rows(tile, 0, 8, sums)
        for i in range(6):
            for j in range(n):
                total = tile[8 * i + j]
                if count > 0:
                    k = (count - 1) * n
                    total = fma(a[k + top + i], b[k + j], total)
                out[(top + i) * n + j] = total


@kernel
def matvec(a_t: Float32, x: Float32, c: Float32, out: Float32) -> None:
    """Compute A x + c, order S.

    Parameters
    ----------
    a_t : (K, P) float32
        A transposed, so that a column of A is contiguous.
    x : (K,) float32
        Vector.
    c : (P,) float32
        Added last.
    out : (P,) float32
        Receives the result.
    """
    out[:] = np.float32(0)
    for k in range(a_t.shape[0]):
        value = x[k]
        for i in range(a_t.shape[1]):
            out[i] = fma(a_t[k, i], value, out[i])
    for i in range(a_t.shape[1]):
        out[i] += c[i]


@kernel
def transposed_matvec(a: Float32, x: Float32, sums: Float64, out: Float32) -> None:
    """Compute A' x, accumulated in float64 and rounded once.

    Parameters
    ----------
    a : (K, Q) float32
        Matrix.
    x : (K,) float32
        Vector.
    sums : (Q,) float64
        Work space.
    out : (Q,) float32
        Receives the result.
    """
    sums[:] = 0.0
    for k in range(a.shape[0]):
        value = np.float64(x[k])
        for j in range(a.shape[1]):
            sums[j] += np.float64(a[k, j]) * value
    for j in range(a.shape[1]):
        out[j] = np.float32(sums[j])
