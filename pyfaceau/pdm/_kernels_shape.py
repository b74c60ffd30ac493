"""Kernels of the shape model's uses, each from parameters to result in one call.

Every call of a compiled kernel costs as much Python as a small kernel costs arithmetic, so what
follows M + V p is compiled behind it. Models are (m, 3n) modes and (3n,) mean float32, landmarks
(n, 2) float32, cameras (fx, fy, cx, cy) float32.
"""

from __future__ import annotations

import numpy as np

from pyfaceau.numerics._jit import kernel
from pyfaceau.numerics.gemm import matvec
from pyfaceau.numerics.rotation import axis_angle_to_matrix, euler_to_matrix, matrix_to_euler
from pyfaceau.pdm._kernels import project
from pyfaceau.pdm._kernels_pose import lift, refine_pose
from pyfaceau.types import Float32, Float64


@kernel
def _shape_3d(basis_t: Float32, mean: Float32, params_local: Float32) -> Float32:
    """Return M + V p, (3n,) float32."""
    shape = np.empty(mean.shape[0], np.float32)
    matvec(basis_t, params_local, mean, shape)
    return shape


@kernel
def _finite(values: Float32 | Float64) -> bool:
    for value in values:  # noqa: SIM110 - a kernel
        if not np.isfinite(value):
            return False
    return True


@kernel
def _in_one_place(points: Float32) -> bool:
    for i in range(points.shape[0]):
        if points[i, 0] != points[0, 0] or points[i, 1] != points[0, 1]:
            return False
    return True


@kernel
def shape_2d(
    basis_t: Float32, mean: Float32, params_global: Float32, params_local: Float32
) -> Float32:
    """Return s R (M + V p) + t, (n, 2) float32, projected in plain float32."""
    n = mean.shape[0] // 3
    points = np.empty(2 * n, np.float32)
    project(params_global, _shape_3d(basis_t, mean, params_local), points)
    out = np.empty((n, 2), np.float32)
    for i in range(n):
        out[i, 0], out[i, 1] = points[i], points[n + i]
    return out


@kernel
def lifted(
    basis_t: Float32,
    mean: Float32,
    params_global: Float32,
    params_local: Float32,
    landmarks: Float32,
    camera: Float32,
) -> Float32:
    """Put landmarks at the depth of the fitted shape, (n, 3); all zero where one is not finite."""
    shape = _shape_3d(basis_t, mean, params_local)
    rotation = euler_to_matrix(params_global[1:4])
    out = lift(shape, rotation, params_global[0], landmarks, camera)
    return out if _finite(out.reshape(-1)) else np.zeros((out.shape[0], 3), np.float32)


@kernel
def pose_of_fit(
    basis_t: Float32,
    mean: Float32,
    params_global: Float32,
    params_local: Float32,
    landmarks: Float32,
    camera: Float32,
) -> Float32:
    """Refine the weak-perspective fit's pose; return translation and Euler angles, (6,) float32.

    All zero where there is no pose: scale 0, landmarks in one place, or a search that fails.
    """
    none = np.zeros(6, np.float32)
    if _in_one_place(landmarks):
        return none
    depth = camera[0] / params_global[0]
    pose = np.empty(6)
    for k in range(3):
        pose[k] = params_global[1 + k]
    pose[3] = (params_global[4] - camera[2]) / camera[0] * depth
    pose[4] = (params_global[5] - camera[3]) / camera[1] * depth
    pose[5] = depth
    if not _finite(pose):
        return none
    if not refine_pose(_shape_3d(basis_t, mean, params_local), landmarks, camera, pose):
        return none
    out = np.empty(6, np.float32)
    axis_angle = np.empty(3, np.float32)
    for k in range(3):
        axis_angle[k] = pose[k]
    angles = matrix_to_euler(axis_angle_to_matrix(axis_angle))
    for k in range(3):
        out[k], out[3 + k] = pose[3 + k], angles[k]
    return out if _finite(out) else none
