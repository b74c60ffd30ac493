"""Kernels of `pyfaceau.refinement.validator`: extent of a shape, piecewise affine warp."""

from __future__ import annotations

import numpy as np

from pyfaceau.numerics._jit import kernel
from pyfaceau.numerics.warp import bilinear, sample_f32
from pyfaceau.types import Float32, Int32, UInt8


@kernel
def warp_triangles(
    gray: UInt8,
    points: Float32,
    triangles: Int32,
    alpha: Float32,
    beta: Float32,
    owner: Int32,
    grid: Float32,
    out: Float32,
) -> None:
    """Sample a face at the places of a reference shape's pixels.

    A reference pixel (X, Y) of the triangle with vertices i, j, k lies in the face at
    P_i + (P_j - P_i) a + (P_k - P_i) b with a = alpha . (1, X, Y), b = beta . (1, X, Y). The place
    is rounded to 1/32 pixel; bilinear, 0 outside the picture.

    gray : (h, w) uint8 or float32. points : (n, 2) float32. triangles : (t, 3) int32. alpha,
    beta : (t, 3) float32. owner : (m,) int32, each reference pixel's triangle. grid : (m, 2)
    float32, its X, Y. out : (m,) float32.
    """
    affine = np.empty((triangles.shape[0], 2, 3), np.float32)
    for t in range(triangles.shape[0]):
        for axis in range(2):
            origin = points[triangles[t, 0], axis]
            first = points[triangles[t, 1], axis] - origin
            second = points[triangles[t, 2], axis] - origin
            affine[t, axis, 0] = origin + first * alpha[t, 0] + second * beta[t, 0]
            affine[t, axis, 1] = first * alpha[t, 1] + second * beta[t, 1]
            affine[t, axis, 2] = first * alpha[t, 2] + second * beta[t, 2]
    height, width = gray.shape
    scale = np.float32(32)
    for i in range(out.size):
        t = owner[i]
        x = affine[t, 0, 0] + affine[t, 0, 1] * grid[i, 0] + affine[t, 0, 2] * grid[i, 1]
        y = affine[t, 1, 0] + affine[t, 1, 1] * grid[i, 0] + affine[t, 1, 2] * grid[i, 1]
        x32, y32 = np.int64(np.rint(x * scale)), np.int64(np.rint(y * scale))
        column, row = x32 >> 5, y32 >> 5
        if 0 <= column < width - 1 and 0 <= row < height - 1:  # most, without further tests
            p00, p01 = np.float32(gray[row, column]), np.float32(gray[row, column + 1])
            p10, p11 = np.float32(gray[row + 1, column]), np.float32(gray[row + 1, column + 1])
            out[i] = bilinear(p00, p01, p10, p11, x32, y32)
        else:
            out[i] = sample_f32(gray, x32, y32)


@kernel
def surround(points: Float32, margin: float) -> tuple[float, float, float, float]:
    """Return the extent of (n, 2) float32 points plus a margin, float32: x0, y0, x1, y1."""
    x0 = x1 = points[0, 0]
    y0 = y1 = points[0, 1]
    for i in range(1, len(points)):
        x, y = points[i, 0], points[i, 1]
        x0, x1, y0, y1 = min(x0, x), max(x1, x), min(y0, y), max(y1, y)
    return x0 - margin, y0 - margin, x1 + margin, y1 + margin
