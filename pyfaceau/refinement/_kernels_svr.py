"""Compiled kernels of the support vector patch experts."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from pyfaceau.numerics._jit import kernel
from pyfaceau.refinement._kernels import AREA, LANES, SIDE, STRIDE, sample_area, unfold
from pyfaceau.types import Float32, Float64, UInt8


@kernel
def standardise(area: Float32, side: int, out: Float32) -> None:
    """Subtract the mean of a square and divide by its standard deviation, 1 where that is 0.

    Parameters
    ----------
    area, out : (STRIDE, STRIDE) float32
        Square of interest, and the result.
    side : int
        Side of the square.
    """
    total = squares = 0.0
    for y in range(side):
        for x in range(side):
            total += np.float64(area[y, x])
    mean = total / (side * side)
    for y in range(side):
        for x in range(side):
            squares += (np.float64(area[y, x]) - mean) ** 2
    deviation = math.sqrt(squares / (side * side))
    scale = 1.0 / deviation if deviation != 0 else 1.0
    for y in range(side):
        for x in range(side):
            out[y, x] = np.float32((np.float64(area[y, x]) - mean) * scale)


@kernel
def gradient(area: Float32, side: int, out: Float32) -> None:
    """Squared length of the central differences, 0 on the border.

    Parameters
    ----------
    area, out : (STRIDE, STRIDE) float32
        Square of interest, and the result.
    side : int
        Side of the square.
    """
    out[:] = np.float32(0)
    for y in range(1, side - 1):
        for x in range(1, side - 1):
            dx = area[y, x + 1] - area[y, x - 1]
            dy = area[y + 1, x] - area[y - 1, x]
            out[y, x] = dx * dx + dy * dy


@kernel
def correlate(patches: Float32, template: Float32, lanes: int, sums: Float64) -> None:
    """Normalised correlation coefficient of a template with the patches of all positions.

    Parameters
    ----------
    patches : (AREA * LANES,) float32
        From `unfold`.
    template : (AREA,) float32
        Column by column, mean 0, Euclidean norm 1.
    lanes : int
        Positions in use.
    sums : (3, LANES) float64
        Receives the coefficients in row 0; the others are scratch. Where rounding takes a
        coefficient past 1 it is 1, where the patch is constant 0.
    """
    product, first, second = sums[0], sums[1], sums[2]
    sums[:] = 0.0
    for k in range(AREA):
        weight = np.float64(template[k])
        row = patches[k * LANES :]
        for q in range(lanes):
            value = np.float64(row[q])
            product[q] += weight * value
            first[q] += value
            second[q] += value * value
    for q in range(lanes):
        norm = math.sqrt(max(second[q] - first[q] * first[q] / AREA, 0.0))
        size = abs(product[q])
        if size < norm:
            product[q] /= norm
        elif size < 1.125 * norm:
            product[q] = 1.0 if product[q] > 0 else -1.0
        else:
            product[q] = 0.0


@kernel
def svr_responses(
    gray: UInt8,
    landmarks: Float32,
    visible: NDArray[np.bool_],
    a: float,
    b: float,
    window: int,
    templates: Float32,
    scalings: Float64,
    biases: Float64,
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
        Side w of a map, odd.
    templates : (n, 2, AREA) float32
        For the standardised picture and for its gradient; see `correlate`.
    scalings, biases : (n, 2) float64
        The response is the product of ``1 / (1 + exp(-(scaling * correlation + bias)))``.
    out : (n, w, w) float32
        Receives the maps.
    """
    positions = window * window
    lanes = (positions + 7) // 8 * 8
    side = window + SIDE - 1
    area = np.zeros((STRIDE, STRIDE), np.float32)
    plane = np.zeros((STRIDE, STRIDE), np.float32)
    patches = np.zeros(AREA * LANES, np.float32)
    sums = np.empty((3, LANES), np.float64)
    for n in range(landmarks.shape[0]):
        if not visible[n]:
            out[n] = np.float32(0)
            continue
        sample_area(gray, landmarks[n, 0], landmarks[n, 1], a, b, side, area)
        flat = out[n].reshape(-1)
        flat[:] = np.float32(1)
        for m in range(2):
            if m == 0:
                standardise(area, side, plane)
            else:
                gradient(area, side, plane)
            unfold(plane.reshape(-1), window, patches)
            correlate(patches, templates[n, m], lanes, sums)
            for q in range(positions):
                z = scalings[n, m] * sums[0, q] + biases[n, m]
                flat[q] *= np.float32(1.0 / (1.0 + math.exp(-z)))
