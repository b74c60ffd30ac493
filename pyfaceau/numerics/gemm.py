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

import numpy as np
from numpy.typing import NDArray

from pyfaceau.numerics._jit import fma, kernel
from pyfaceau.numerics._tile import fma_tile
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
def _sum_tile(
    weighted: Float32, jacobian: Float32, row: int, column: int, two_chains: bool, out: Float32
) -> None:
    """Sum 6 x 8 elements of the product from (row, column) on, in order E or S."""
    count, n = jacobian.shape
    a = weighted.ctypes.data + 4 * row
    b = jacobian.ctypes.data + 4 * column
    even = out.ctypes.data
    out[:] = np.float32(0)
    whole = count - count % 8 if two_chains else 0
    if two_chains:
        fma_tile(6, a, n, 1, b, n, (1, whole, 2), even + 192, 8)
        fma_tile(6, a, n, 1, b, n, (0, whole, 2), even, 8)
    fma_tile(6, a, n, 1, b, n, (whole, count, 1), even, 8)
    if two_chains:
        out[0] += out[1]


@kernel
def normal_matrix(
    weighted: Float32, jacobian: Float32, diagonal: Float32, blocks: NDArray[np.bool_], out: Float32
) -> None:
    """Compute the lower triangle of (W J)' J + diag(lambda).

    Tiles of six rows and eight columns; the last tile in either direction reaches back.

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
    n = jacobian.shape[1]
    if n < 8:
        _narrow_normal_matrix(weighted, jacobian, diagonal, out)
        return
    sums = np.empty((2, 6, 8), np.float32)
    for top in range(0, n, 6):
        row = min(top, n - 6)
        for left in range(0, min(top + 6, n), 8):
            column = min(left, n - 8)
            for order in (False, True):
                used = False
                for i in range(top, min(top + 6, n)):
                    used |= blocks[i, left // 8] == order
                if not used:
                    continue
                _sum_tile(weighted, jacobian, row, column, order, sums)
                for i in range(top, min(top + 6, n)):
                    if blocks[i, left // 8] == order:
                        for j in range(left, min(left + 8, n)):
                            out[i, j] = sums[0, i - row, j - column]
    for i in range(n):
        out[i, i] += diagonal[i]


@kernel
def _narrow_normal_matrix(
    weighted: Float32, jacobian: Float32, diagonal: Float32, out: Float32
) -> None:
    """Compute the matrix where it has fewer than eight columns: all in order S."""
    count, n = jacobian.shape
    out[:] = np.float32(0)
    for k in range(count):
        for i in range(n):
            for j in range(n):
                out[i, j] = fma(weighted[k, i], jacobian[k, j], out[i, j])
    for i in range(n):
        out[i, i] += diagonal[i]


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
