"""Products of a large constant matrix with many columns, in the reference's accumulation order.

The constant matrix is packed once into tiles of six rows. A tile times eight columns keeps its sums
in vector registers; every sum is one or two chains of fused multiply-adds, as `order_blocks` says,
block by block of the inputs, so the result does not depend on the machine.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pyfaceau.numerics._jit import kernel
from pyfaceau.numerics._tile import fma_tile
from pyfaceau.numerics.gemm import order_blocks
from pyfaceau.types import Float32, UInt8

TILE = 6
"""Rows of a tile."""
GROUP = 8
"""Columns worked on together."""
_ALL = 2**TILE - 1


def pack(matrix: Float32) -> Float32:
    """Return a matrix in tiles of six rows.

    Parameters
    ----------
    matrix : (P, K) float32
        Matrix.

    Returns
    -------
    (ceil(P / 6) * K * 6,) float32
        Tile by tile, in each column by column; rows of zeros fill the last tile.
    """
    rows, columns = matrix.shape
    tiles = -(-rows // TILE)
    padded = np.zeros((tiles * TILE, columns), np.float32)
    padded[:rows] = matrix
    packed: Float32 = padded.reshape(tiles, TILE, columns).transpose(0, 2, 1).ravel()
    return packed


def tile_orders(rows: int, columns: int) -> UInt8:
    """Return the accumulation orders of a product as `product` takes them.

    Parameters
    ----------
    rows, columns : int
        Shape of the product.

    Returns
    -------
    (ceil(rows / 6), ceil(columns / 8)) uint8
        Bit r is set where row r of a tile takes two chains.
    """
    blocks = order_blocks(rows, columns)
    padded = np.zeros((-(-rows // TILE) * TILE, blocks.shape[1]), np.uint8)
    padded[:rows] = blocks
    tiles = padded.reshape(-1, TILE, blocks.shape[1])
    # Rows that only fill the last tile take the order of those before, which spares a second pass.
    filled = np.arange(len(padded)).reshape(-1, TILE) < rows
    full = np.all((tiles == 1) | ~filled[:, :, None], axis=1)
    codes = np.sum(tiles << np.arange(TILE, dtype=np.uint8)[:, None], axis=1)
    return np.where(full, _ALL, codes).astype(np.uint8)


@kernel
def product(
    weights: Float32,
    at: int,
    shape: tuple[int, int],
    ends: NDArray[np.int64],
    orders: UInt8,
    x: Float32,
    x_stride: int,
    out: Float32,
    out_stride: int,
) -> None:
    """Multiply a packed matrix with columns.

    Parameters
    ----------
    weights : float32
        Holds the matrix, from `pack`, from `at` on.
    at : int
        Where it starts.
    shape : (int, int)
        Its rows P and columns K.
    ends : int64
        Ends of the blocks of inputs that are summed separately, from 0 to K.
    orders : uint8
        From `tile_orders`, for exactly the columns that count; those up to the next multiple of
        eight are computed too.
    x : float32
        Row k in ``x[k * x_stride:]``.
    x_stride : int
        Floats from row to row of `x`.
    out : float32
        Receives row r in ``out[r * out_stride:]``; rows up to the next multiple of six are written.
    out_stride : int
        Floats from row to row of `out`.
    """
    rows, inputs = shape
    sums = np.empty((3, TILE * GROUP), np.float32)
    single, even, odd = sums[0], sums[1], sums[2]
    for t in range((rows + TILE - 1) // TILE):
        tile = weights.ctypes.data + 4 * (at + t * TILE * inputs)
        for g in range(orders.shape[1]):
            code = orders[t, g]
            columns = x.ctypes.data + 4 * g * GROUP
            for block in range(ends.size - 1):
                first, stop = ends[block], ends[block + 1]
                sums[:] = np.float32(0)
                if code != _ALL:
                    _chain(tile, columns, x_stride, (first, stop, 1), single)
                if code != 0:
                    pairs = stop - (stop - first) % 8
                    _chain(tile, columns, x_stride, (first, pairs, 2), even)
                    _chain(tile, columns, x_stride, (pairs, stop, 1), even)
                    _chain(tile, columns, x_stride, (first + 1, pairs, 2), odd)
                    even += odd
                for r in range(TILE):
                    source = even if code >> r & 1 else single
                    target = out[(t * TILE + r) * out_stride + g * GROUP :]
                    for c in range(GROUP):
                        value = source[r * GROUP + c]
                        target[c] = value if block == 0 else target[c] + value


@kernel
def _chain(weights: int, x: int, x_stride: int, span: tuple[int, int, int], sums: Float32) -> None:
    """Add the products of one tile of weights with eight columns to their sums."""
    fma_tile(TILE, weights, TILE, 1, x, x_stride, span, sums.ctypes.data, GROUP)
