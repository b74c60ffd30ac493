"""Compiled kernel of what goes before the response maps of one scale."""

from __future__ import annotations

import numpy as np

from pyfaceau.numerics._jit import kernel
from pyfaceau.numerics.gemm import matvec
from pyfaceau.numerics.similarity import align_similarity, invert2
from pyfaceau.pdm._kernels import project
from pyfaceau.types import Float32, Float64


@kernel
def reference_frame(
    params_global: Float32,
    params_local: Float32,
    mean: Float32,
    basis_t: Float32,
    scale: float,
    centres: Float64,
    base: Float32,
    points: Float32,
    to_reference: Float32,
    to_image: Float32,
) -> int:
    """Find where and in which frame the maps about a shape are measured.

    Parameters
    ----------
    params_global, params_local : (6,), (m,) float32
        The shape.
    mean, basis_t : (3n,), (m, 3n) float32
        The shape model.
    scale : float32
        Of the patch experts, pixels per mm.
    centres : (views, 3) float64
        Head rotation of each view, radians.
    base, points : (2n,), (n, 2) float32
        Receive the landmarks, pixels: all x, all y; and x, y of each.
    to_reference, to_image : (2, 2) float32
        Receive the similarity from the picture to the unrotated shape at `scale`, and its inverse.

    Returns
    -------
    int
        The nearest view, the first of equals; -1 where the points lie in one place or on an
        upright or level line.
    """
    n = mean.shape[0] // 3
    shape, flat = np.empty(3 * n, np.float32), np.empty(2 * n, np.float32)
    unrotated, reference = np.zeros(6, np.float32), np.empty((n, 2), np.float32)
    matvec(basis_t, params_local, mean, shape)
    project(params_global, shape, base)
    unrotated[0] = scale
    project(unrotated, shape, flat)
    for i in range(n):
        points[i, 0], points[i, 1] = base[i], base[n + i]
        reference[i, 0], reference[i, 1] = flat[i], flat[n + i]
    if _all_equal(base[:n]) or _all_equal(base[n:]):
        return -1
    there = align_similarity(points, reference)
    back = invert2(there)
    for i in range(2):
        for j in range(2):
            to_reference[i, j], to_image[i, j] = there[i, j], back[i, j]
    return _nearest(centres, params_global[1:4])


@kernel
def _all_equal(values: Float32) -> bool:
    for value in values:  # noqa: SIM110 - a kernel
        if value != values[0]:
            return False
    return True


@kernel
def _nearest(centres: Float64, rotation: Float32) -> int:
    best, found = np.inf, 0
    for view in range(centres.shape[0]):
        distance = 0.0
        for axis in range(3):
            offset = centres[view, axis] - np.float64(rotation[axis])
            distance += offset * offset
        if distance < best:
            best, found = distance, view
    return found
