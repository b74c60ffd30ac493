"""Kernels of `space` and `pose`: depth from a shape, and a perspective-n-point refinement.

Cameras are (fx, fy, cx, cy) float32, landmarks (n, 2) float32, shapes (3n,) float32. The
refinement computes in float64.
"""

from __future__ import annotations

import math

import numpy as np

from pyfaceau.numerics._jit import kernel
from pyfaceau.types import Float32, Float64

_MAX_ITERATIONS = 20
_MIN_RELATIVE_CHANGE = 1.1920928955078125e-07  # float32's epsilon
_MIN_LOG_DAMPING, _MAX_LOG_DAMPING = -16, 16


@kernel
def lift(
    shape: Float32, rotation: Float32, scale: float, landmarks: Float32, camera: Float32
) -> Float32:
    """Put landmarks at the depth of a rotated shape, (n, 3) float32."""
    n = landmarks.shape[0]
    out = np.empty((n, 3), np.float32)
    a, b, c = np.float64(rotation[2, 0]), np.float64(rotation[2, 1]), np.float64(rotation[2, 2])
    distance = camera[0] / scale
    for i in range(n):
        turned = a * shape[i] + b * shape[n + i] + c * shape[2 * n + i]
        depth = distance + np.float32(turned)
        out[i, 0] = depth * ((landmarks[i, 0] - camera[2]) / camera[0])
        out[i, 1] = depth * ((landmarks[i, 1] - camera[3]) / camera[1])
        out[i, 2] = depth
    return out


@kernel
def _rotation(vector: Float64, matrix: Float64, derivative: Float64) -> None:
    """Fill R(r) (3, 3) and dR/dr (3, 3, 3), the derivative's first index that of r.

    R = cos t I + (1 - cos t) k k' + sin t [k]x with t = |r| and k = r / t.
    """
    theta = math.sqrt(vector[0] ** 2 + vector[1] ** 2 + vector[2] ** 2)
    small = theta < 2.220446049250313e-16
    cosine, sine = math.cos(theta), math.sin(theta)
    inverse = 0.0 if small else 1.0 / theta
    k = np.empty(3)
    for i in range(3):
        k[i] = vector[i] * inverse
    for i in range(3):
        for j in range(3):
            matrix[i, j] = (1.0 - cosine) * k[i] * k[j]
        matrix[i, i] += cosine
    for i in range(3):
        matrix[(i + 2) % 3, (i + 1) % 3] += sine * k[i]
        matrix[(i + 1) % 3, (i + 2) % 3] -= sine * k[i]
    for i in range(3):
        diagonal = -sine * k[i]
        outer = (sine - 2.0 * (1.0 - cosine) * inverse) * k[i]
        mixed = (1.0 - cosine) * inverse
        cross = (cosine - sine * inverse) * k[i]
        unit = 1.0 if small else sine * inverse
        for a in range(3):
            for b in range(3):
                value = outer * k[a] * k[b]
                if a == i:
                    value += mixed * k[b]
                if b == i:
                    value += mixed * k[a]
                derivative[i, a, b] = value
            derivative[i, a, a] += diagonal
        for a in range(3):
            turn = cross * k[a] + (unit if a == i else 0.0)
            derivative[i, (a + 2) % 3, (a + 1) % 3] += turn
            derivative[i, (a + 1) % 3, (a + 2) % 3] -= turn


@kernel
def _squared_error(
    shape: Float32, landmarks: Float32, camera: Float32, matrix: Float64, shift: Float64
) -> float:
    """Return the sum of squared reprojection errors, pixels squared."""
    n = landmarks.shape[0]
    total = 0.0
    for i in range(n):
        x, y, z = np.float64(shape[i]), np.float64(shape[n + i]), np.float64(shape[2 * n + i])
        depth = matrix[2, 0] * x + matrix[2, 1] * y + matrix[2, 2] * z + shift[2]
        u = (matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2] * z + shift[0]) / depth
        v = (matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2] * z + shift[1]) / depth
        du = u * camera[0] + camera[2] - landmarks[i, 0]
        dv = v * camera[1] + camera[3] - landmarks[i, 1]
        total += du * du + dv * dv
    return total


@kernel
def _normal_equations(
    shape: Float32,
    landmarks: Float32,
    camera: Float32,
    matrix: Float64,
    derivative: Float64,
    shift: Float64,
    hessian: Float64,
    gradient: Float64,
) -> None:
    """Fill J'J (6, 6) and J'e (6,) of the reprojection error in (r, t)."""
    n = landmarks.shape[0]
    hessian[:] = 0.0
    gradient[:] = 0.0
    ju, jv = np.empty(6), np.empty(6)
    for i in range(n):
        x, y, z = np.float64(shape[i]), np.float64(shape[n + i]), np.float64(shape[2 * n + i])
        inverse = 1.0 / (matrix[2, 0] * x + matrix[2, 1] * y + matrix[2, 2] * z + shift[2])
        u = (matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2] * z + shift[0]) * inverse
        v = (matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2] * z + shift[1]) * inverse
        du = u * camera[0] + camera[2] - landmarks[i, 0]
        dv = v * camera[1] + camera[3] - landmarks[i, 1]
        fu, fv = camera[0] * inverse, camera[1] * inverse
        for k in range(3):
            d = derivative[k]
            dx = d[0, 0] * x + d[0, 1] * y + d[0, 2] * z
            dy = d[1, 0] * x + d[1, 1] * y + d[1, 2] * z
            dz = d[2, 0] * x + d[2, 1] * y + d[2, 2] * z
            ju[k] = fu * (dx - u * dz)
            jv[k] = fv * (dy - v * dz)
        ju[3], ju[4], ju[5] = fu, 0.0, -fu * u
        jv[3], jv[4], jv[5] = 0.0, fv, -fv * v
        for a in range(6):
            gradient[a] += ju[a] * du + jv[a] * dv
            for b in range(a + 1):
                hessian[a, b] += ju[a] * ju[b] + jv[a] * jv[b]


@kernel
def _damped_step(hessian: Float64, gradient: Float64, damping: float, step: Float64) -> bool:
    """Solve (H + damping diag H) step = gradient, lower half of H; false if singular."""
    lower = np.empty((6, 6))
    for i in range(6):
        for j in range(i + 1):
            value = hessian[i, j] * (1.0 + damping) if i == j else hessian[i, j]
            for k in range(j):
                value -= lower[i, k] * lower[j, k]
            if i == j:
                if not value > 0.0:
                    return False
                lower[i, i] = math.sqrt(value)
            else:
                lower[i, j] = value / lower[j, j]
    for i in range(6):
        value = gradient[i]
        for k in range(i):
            value -= lower[i, k] * step[k]
        step[i] = value / lower[i, i]
    for i in range(5, -1, -1):
        value = step[i]
        for k in range(i + 1, 6):
            value -= lower[k, i] * step[k]
        step[i] = value / lower[i, i]
    return True


@kernel
def refine_pose(shape: Float32, landmarks: Float32, camera: Float32, pose: Float64) -> bool:
    """Refine (r, t), in place, to the least reprojection error; false if it degenerates.

    Levenberg-Marquardt: a step that raises the error is undone and tried again with ten times the
    damping, any other divides it by ten. Ends when a step changes the six numbers by less than
    float32's epsilon, relative, or after twenty steps.
    """
    matrix, derivative = np.empty((3, 3)), np.empty((3, 3, 3))
    hessian, gradient, step = np.empty((6, 6)), np.empty(6), np.empty(6)
    trial = pose.copy()
    log_damping = -3
    _rotation(pose[:3], matrix, derivative)
    error = _squared_error(shape, landmarks, camera, matrix, pose[3:])
    for _ in range(_MAX_ITERATIONS):
        _normal_equations(shape, landmarks, camera, matrix, derivative, pose[3:], hessian, gradient)
        while True:
            if not _damped_step(hessian, gradient, 10.0**log_damping, step):
                return False
            for k in range(6):
                trial[k] = pose[k] - step[k]
            _rotation(trial[:3], matrix, derivative)
            new_error = _squared_error(shape, landmarks, camera, matrix, trial[3:])
            if new_error <= error or log_damping >= _MAX_LOG_DAMPING:
                break
            log_damping += 1
        log_damping = max(log_damping - 1, _MIN_LOG_DAMPING)
        change, size = 0.0, 0.0
        for k in range(6):
            change += (trial[k] - pose[k]) ** 2
            size += pose[k] ** 2
            pose[k] = trial[k]
        error = new_error
        if math.sqrt(change) < _MIN_RELATIVE_CHANGE * math.sqrt(size):
            break
    return math.isfinite(error)
