"""Compiled kernels of the CEN patch experts: every other position, networks, interpolation.

Buffers and their orders are those of `pyfaceau.refinement._kernels`; positions of a window are
columns here, numbered column by column.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pyfaceau.numerics._jit import kernel
from pyfaceau.numerics.libm import expf
from pyfaceau.numerics.packed import GROUP, TILE, product
from pyfaceau.refinement._kernels import AREA, LANES, SIDE, STRIDE, normalise, sample_area
from pyfaceau.types import Float32, UInt8

Int64 = NDArray[np.int64]

LOGISTIC, RECTIFIER = 0, 2
"""Activation codes; any other is the identity."""


@kernel
def mirror(area: Float32, side: int) -> None:
    """Swap left and right in the first `side` rows and columns, in place."""
    for row in range(side):
        for column in range(side // 2):
            other = side - 1 - column
            area[row, column], area[row, other] = area[row, other], area[row, column]


@kernel
def unfold_odd(area: Float32, window: int, first: int, patches: Float32) -> None:
    """Lay out the patches of every other position, one row per patch pixel.

    Positions count column by column from 0; the odd ones are taken, the corners are not.

    Parameters
    ----------
    area : (STRIDE, STRIDE) float32
        Area of interest of side ``window + SIDE - 1``.
    window : int
        Side w of the window, odd.
    first : int
        Lane of the first position.
    patches : (AREA * LANES,) float32
        Receives pixel (dy, dx) of each patch in row ``dx * SIDE + dy``.
    """
    for dx in range(SIDE):
        for dy in range(SIDE):
            lane = (dx * SIDE + dy) * LANES + first
            for k in range(1, window * window, 2):
                patches[lane] = area[k % window + dy, k // window + dx]
                lane += 1


@kernel
def activate(values: Float32, bias: Float32, stride: int, columns: int, activation: int) -> None:
    """Add each row's bias, then apply the activation, in place.

    Parameters
    ----------
    values : float32
        Row r in ``values[r * stride:]``.
    bias : (K,) float32
        One per row.
    stride, columns : int
        Floats from row to row, and how many of them count.
    activation : int
        LOGISTIC: 1 / (1 + exp(-z)); RECTIFIER: max(z, 0); any other: z.
    """
    zero, one = np.float32(0), np.float32(1)
    for r in range(bias.size):
        row = values[r * stride : r * stride + columns]
        for q in range(columns):
            row[q] += bias[r]
        if activation == RECTIFIER:
            for q in range(columns):
                row[q] = max(row[q], zero)
        elif activation == LOGISTIC:
            for q in range(columns):
                row[q] = expf(-row[q])
            for q in range(columns):
                row[q] = one / (one + row[q])


@kernel
def interpolate(values: Float32, window: int, flip: bool, out: Float32) -> None:
    """Fill a map from every other position: the rest are means of their neighbours.

    Parameters
    ----------
    values : ((w * w - 1) / 2,) float32
        Of the odd positions, counted column by column.
    window : int
        Side w of the map, odd, 3 or more.
    flip : bool
        Swap left and right of the map.
    out : (w, w) float32
        Receives the map. A mean is the sum in float64 of two to four values times
        float32(1 / count), rounded once.
    """
    for x in range(window):
        column = window - 1 - x if flip else x
        for y in range(window):
            k = x * window + y
            if k % 2 == 1:
                out[y, column] = values[k // 2]
                continue
            count = (x > 0) + (x < window - 1) + (y > 0) + (y < window - 1)
            share = np.float64(np.float32(1 / count))
            total = 0.0
            if x > 0:
                total += share * np.float64(values[(k - window) // 2])
            if y > 0:
                total += share * np.float64(values[(k - 1) // 2])
            if y < window - 1:
                total += share * np.float64(values[(k + 1) // 2])
            if x < window - 1:
                total += share * np.float64(values[(k + window) // 2])
            out[y, column] = np.float32(total)


@kernel
def run_network(
    patches: Float32,
    columns: int,
    layers: Int64,
    parameters: Float32,
    ends: Int64,
    orders: UInt8,
    buffers: Float32,
) -> Float32:
    """Run an expert's layers over normalised patches.

    Parameters
    ----------
    patches : ((1 + AREA) * LANES,) float32
        A row of ones, then the patches.
    columns : int
        How many patches.
    layers : (L, 5) int64
        Per layer: inputs, outputs (0 where there is none), activation, place of its bias in
        `parameters`, row of `ends` and `orders`. The packed weights follow the bias.
    parameters : float32
        Bias and weights of all layers, `pyfaceau.numerics.packed`.
    ends : (shapes, blocks + 1) int64
        Blocks of inputs by shape of layer.
    orders : (shapes, tiles, groups) uint8
        Accumulation orders by shape of layer, for these columns.
    buffers : (2, size) float32
        Work space, ``size >= (outputs + 5) * groups * 8`` for the widest layer.

    Returns
    -------
    (columns,) float32
        First output of the last layer; a view of `buffers`.
    """
    stride = orders.shape[2] * GROUP
    x, x_stride = patches, LANES
    for n in range(layers.shape[0]):
        inputs, outputs, activation, at, shape = layers[n]
        if outputs == 0:
            break
        out = buffers[n % 2]
        tiles = (outputs + TILE - 1) // TILE
        product(
            parameters, at + outputs, (outputs, inputs), ends[shape], orders[shape, :tiles], x,
            x_stride, out, stride,
        )  # fmt: skip
        activate(out, parameters[at : at + outputs], stride, stride, activation)
        x, x_stride = out, stride
    return x[:columns]


@kernel
def cen_responses(
    gray: UInt8,
    landmarks: Float32,
    chosen: NDArray[np.bool_],
    a: float,
    b: float,
    window: int,
    plan: Int64,
    layers: Int64,
    parameters: Float32,
    ends: Int64,
    orders: UInt8,
    orders_joint: UInt8,
    buffers: Float32,
    out: Float32,
) -> None:
    """Compute response maps.

    Parameters
    ----------
    gray : (H, W) uint8
        Picture.
    landmarks : (n, 2) float32
        Where the maps are centred, pixels.
    chosen : (n,) bool
        Landmarks whose maps are wanted.
    a, b : float32
        Similarity from the reference frame to the picture, ``[[a, -b], [b, a]]``.
    window : int
        Side w of a map, odd, 3 to MAX_WINDOW.
    plan : (jobs, 5) int64
        Per job: landmark, 1 if it is mirrored, landmark that is evaluated mirrored together with it
        or -1, and the expert's view and landmark.
    layers : (views, n, L, 5) int64
        See `run_network`.
    parameters, ends, buffers : float32, int64, float32
        See `run_network`.
    orders, orders_joint : uint8
        For one landmark's positions, and for those of two.
    out : (n, w, w) float32
        Receives the maps; those of landmarks not chosen become zeros.
    """
    side = window + SIDE - 1
    positions = window * window // 2
    area = np.zeros((STRIDE, STRIDE), np.float32)
    data = np.zeros((1 + AREA) * LANES, np.float32)
    data[:LANES] = np.float32(1)
    patches = data[LANES:]
    mean = np.empty(LANES, np.float32)
    scale = np.empty(LANES, np.float32)
    out[:] = np.float32(0)
    for job in range(plan.shape[0]):
        point, mirrored, partner, view, expert = plan[job]
        if not (chosen[point] or (partner >= 0 and chosen[partner])):
            continue
        sample_area(gray, landmarks[point, 0], landmarks[point, 1], a, b, side, area)
        if mirrored:
            mirror(area, side)
        unfold_odd(area, window, 0, patches)
        columns, table = positions, orders
        if partner >= 0:
            sample_area(gray, landmarks[partner, 0], landmarks[partner, 1], a, b, side, area)
            mirror(area, side)
            unfold_odd(area, window, positions, patches)
            columns, table = 2 * positions, orders_joint
        lanes = table.shape[2] * GROUP
        for k in range(AREA):
            patches[k * LANES + columns : k * LANES + lanes] = np.float32(0)
        normalise(patches, lanes, mean, scale)
        values = run_network(data, columns, layers[view, expert], parameters, ends, table, buffers)
        if chosen[point]:
            interpolate(values, window, mirrored == 1, out[point])
        if partner >= 0 and chosen[partner]:
            interpolate(values[positions:], window, True, out[partner])
