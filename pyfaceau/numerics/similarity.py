"""Least-squares similarity between two point sets, and 2x2 inverses, in float32.

These functions are compiled kernels.
"""

from __future__ import annotations

import math

import numpy as np

from pyfaceau.numerics._jit import kernel
from pyfaceau.numerics.linalg import svd_jacobi
from pyfaceau.types import Float32

_ZERO = np.float32(0)


@kernel
def _centre_and_scale(points: Float32, out: Float32) -> float:
    """Write centred, scaled points to `out` (k, 2); return the root mean square distance."""
    count = points.shape[0]
    for axis in range(2):
        total = 0.0
        for i in range(count):
            total += np.float64(points[i, axis])
        mean = np.float32(total * (1.0 / count))
        for i in range(count):
            out[i, axis] = points[i, axis] - mean
    flat = out.reshape(-1)
    size = flat.shape[0]
    total = 0.0
    blocks = size - size % 16
    for i in range(blocks):  # float32 squares, summed in float64
        total += np.float64(flat[i] * flat[i])
    i = blocks
    while i + 4 <= size:  # what is left over by fours in float32
        a, b = flat[i] * flat[i], flat[i + 1] * flat[i + 1]
        c, d = flat[i + 2] * flat[i + 2], flat[i + 3] * flat[i + 3]
        total += np.float64(((a + b) + c) + d)
        i += 4
    while i < size:
        total += np.float64(flat[i] * flat[i])
        i += 1
    scale = np.float32(math.sqrt(total / count))
    factor = np.float32(1.0 / np.float64(scale))
    for i in range(size):
        flat[i] *= factor
    return scale


@kernel
def align_similarity(source: Float32, target: Float32) -> Float32:
    """Return the rotation and scale that map centred `source` points to centred `target` points.

    Orthogonal Procrustes: with both sets centred and scaled to unit root mean square,
    H = source' target = U S V', R = V diag(1, sign det(V U')) U', A = (s_target / s_source) R.

    Parameters
    ----------
    source, target : (k, 2) float32
        Corresponding points.

    Returns
    -------
    (2, 2) float32
        A, with target = A source for column vectors about the means.
    """
    count = source.shape[0]
    a = np.empty((count, 2), np.float32)
    b = np.empty((count, 2), np.float32)
    source_scale = _centre_and_scale(source, a)
    target_scale = _centre_and_scale(target, b)
    h = np.empty((2, 2), np.float32)
    for i in range(2):
        for j in range(2):
            total = 0.0
            for k in range(count):
                total += np.float64(a[k, i]) * np.float64(b[k, j])
            h[i, j] = np.float32(total)
    u, _, vt = svd_jacobi(h)
    scale = target_scale / source_scale
    determinant = (vt[0, 0] * vt[1, 1] - vt[0, 1] * vt[1, 0]) * (
        u[0, 0] * u[1, 1] - u[0, 1] * u[1, 0]
    )
    sign = 1.0 if determinant > 0 else -1.0
    out = np.empty((2, 2), np.float32)
    for i in range(2):
        for j in range(2):
            total = np.float64(vt[0, i]) * np.float64(u[j, 0])
            total += sign * np.float64(vt[1, i]) * np.float64(u[j, 1])
            out[i, j] = scale * np.float32(total)
    return out


@kernel
def invert2(m: Float32) -> Float32:
    """Return an inverse, adjugate times reciprocal determinant.

    Parameters
    ----------
    m : (2, 2) float32
        Matrix.

    Returns
    -------
    (2, 2) float32
        Its inverse.
    """
    reciprocal = np.float32(1) / (m[0, 0] * m[1, 1] - m[0, 1] * m[1, 0])
    out = np.empty((2, 2), np.float32)
    out[0, 0] = m[1, 1] * reciprocal
    out[0, 1] = -m[0, 1] * reciprocal
    out[1, 0] = -m[1, 0] * reciprocal
    out[1, 1] = m[0, 0] * reciprocal
    return out


@kernel
def map_offsets(matrix: Float32, vectors: Float32, out: Float32) -> None:
    """Map vectors by a matrix, in float64, rounded once.

    Parameters
    ----------
    matrix : (2, 2) float32
        Matrix.
    vectors : (k, 2) float32
        Vectors x, y.
    out : (k, 2) float32
        Receives the mapped vectors.
    """
    a, b = np.float64(matrix[0, 0]), np.float64(matrix[0, 1])
    c, d = np.float64(matrix[1, 0]), np.float64(matrix[1, 1])
    for i in range(vectors.shape[0]):
        x, y = np.float64(vectors[i, 0]), np.float64(vectors[i, 1])
        out[i, 0] = np.float32(a * x + b * y)
        out[i, 1] = np.float32(c * x + d * y)
