"""Kernel of `pyfaceau.refinement.validator`: the piecewise affine warp."""

from __future__ import annotations

import numpy as np

from pyfaceau.numerics._jit import kernel
from pyfaceau.numerics.warp import sample_f32
from pyfaceau.types import Float32, Int32


@kernel
def warp_triangles(
    gray: Float32,
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

    gray : (h, w) float32. points : (n, 2) float32. triangles : (t, 3) int32. alpha, beta : (t, 3)
    float32. owner : (m,) int32, each reference pixel's triangle. grid : (m, 2) float32, its X, Y.
    out : (m,) float32.
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
    scale = np.float32(32)
    for i in range(out.size):
        c = affine[owner[i]]
        x = c[0, 0] + c[0, 1] * grid[i, 0] + c[0, 2] * grid[i, 1]
        y = c[1, 0] + c[1, 1] * grid[i, 0] + c[1, 2] * grid[i, 1]
        out[i] = sample_f32(gray, np.int64(np.rint(x * scale)), np.int64(np.rint(y * scale)))
