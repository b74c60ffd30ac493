"""Rotations in float32: Euler angles, matrices, axis-angle vectors.

Euler angles are (pitch, yaw, roll) in radians with R = Rx(pitch) Ry(yaw) Rz(roll). All arrays are
float32; (3,) vectors and (3, 3) row-major matrices. These functions are compiled kernels.
"""

from __future__ import annotations

import math

import numpy as np

from pyfaceau.numerics._jit import kernel
from pyfaceau.numerics.libm import asinf, atan2f, cosf, sinf
from pyfaceau.numerics.linalg import svd_jacobi
from pyfaceau.types import Float32

_ONE = np.float32(1)
_TWO = np.float32(2)
_FOUR = np.float32(4)


@kernel
def euler_to_matrix(angles: Float32) -> Float32:
    """Return the rotation matrix of Euler angles.

    Parameters
    ----------
    angles : (3,) float32
        Pitch, yaw, roll, radians.

    Returns
    -------
    (3, 3) float32
        Rx(pitch) Ry(yaw) Rz(roll).
    """
    s1, s2, s3 = sinf(angles[0]), sinf(angles[1]), sinf(angles[2])
    c1, c2, c3 = cosf(angles[0]), cosf(angles[1]), cosf(angles[2])
    matrix = np.empty((3, 3), np.float32)
    matrix[0, 0] = c2 * c3
    matrix[0, 1] = -c2 * s3
    matrix[0, 2] = s2
    matrix[1, 0] = c1 * s3 + c3 * s1 * s2
    matrix[1, 1] = c1 * c3 - s1 * s2 * s3
    matrix[1, 2] = -c2 * s1
    matrix[2, 0] = s1 * s3 - c1 * c3 * s2
    matrix[2, 1] = c3 * s1 + c1 * s2 * s3
    matrix[2, 2] = c1 * c2
    return matrix


@kernel
def matrix_to_euler(matrix: Float32) -> Float32:
    """Return the Euler angles of a rotation matrix, by way of its quaternion.

    Parameters
    ----------
    matrix : (3, 3) float32
        A rotation by less than 180 degrees.

    Returns
    -------
    (3,) float32
        Pitch, yaw, roll, radians.
    """
    q0 = np.sqrt(_ONE + matrix[0, 0] + matrix[1, 1] + matrix[2, 2]) / _TWO
    q1 = (matrix[2, 1] - matrix[1, 2]) / (_FOUR * q0)
    q2 = (matrix[0, 2] - matrix[2, 0]) / (_FOUR * q0)
    q3 = (matrix[1, 0] - matrix[0, 1]) / (_FOUR * q0)
    t = _TWO * (q0 * q2 + q1 * q3)
    t = min(max(t, -_ONE), _ONE) if t == t else t
    angles = np.empty(3, np.float32)
    angles[0] = atan2f(_TWO * (q0 * q1 - q2 * q3), q0 * q0 - q1 * q1 - q2 * q2 + q3 * q3)
    angles[1] = asinf(t)
    angles[2] = atan2f(_TWO * (q0 * q3 - q1 * q2), q0 * q0 + q1 * q1 - q2 * q2 - q3 * q3)
    return angles


def turned_euler(angles: Float32, quarters: int) -> Float32:
    """Return Euler angles of a head as seen in a picture that is turned by quarter turns.

    Parameters
    ----------
    angles : (3,) float32
        Pitch, yaw, roll in the picture as it is, radians, R = Rx Ry Rz.
    quarters : int
        Quarter turns of the picture; positive is counter-clockwise.

    Returns
    -------
    (3,) float32
        Of any rotation: the arctangents know every quadrant.
    """
    cosine, sine = ((1, 0), (0, 1), (-1, 0), (0, -1))[-quarters % 4]
    turn = np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]], np.float32)
    r = (turn @ euler_to_matrix(angles)).astype(np.float64)
    pitch, yaw = np.arctan2(-r[1, 2], r[2, 2]), np.arcsin(np.clip(r[0, 2], -1, 1))
    return np.array([pitch, yaw, np.arctan2(-r[0, 1], r[0, 0])], np.float32)


@kernel
def multiply3(a: Float32, b: Float32) -> Float32:
    """Return a product, each sum left to right from zero, every step rounded.

    Parameters
    ----------
    a, b : (3, 3) float32
        Factors.

    Returns
    -------
    (3, 3) float32
        A B.
    """
    out = np.empty((3, 3), np.float32)
    for i in range(3):
        for j in range(3):
            total = np.float32(0)
            for k in range(3):
                total += a[i, k] * b[k, j]
            out[i, j] = total
    return out


@kernel
def determinant3(m: Float32) -> float:
    """Return a determinant, computed in float64.

    Parameters
    ----------
    m : (3, 3) float32
        Matrix.

    Returns
    -------
    float64
        Its determinant.
    """
    a, b, c = np.float64(m[0, 0]), np.float64(m[0, 1]), np.float64(m[0, 2])
    d, e, f = np.float64(m[1, 0]), np.float64(m[1, 1]), np.float64(m[1, 2])
    g, h, i = np.float64(m[2, 0]), np.float64(m[2, 1]), np.float64(m[2, 2])
    return a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)


@kernel
def orthonormalise(matrix: Float32) -> Float32:
    """Return the rotation nearest to a matrix: U diag(1, 1, det(U V')) V'.

    Parameters
    ----------
    matrix : (3, 3) float32
        Any matrix of full rank.

    Returns
    -------
    (3, 3) float32
        The rotation.
    """
    u, _, vt = svd_jacobi(matrix)
    w = np.zeros((3, 3), np.float32)
    w[0, 0] = w[1, 1] = _ONE
    w[2, 2] = np.float32(determinant3(multiply3(u, vt)))
    return multiply3(multiply3(u, w), vt)


@kernel
def matrix_to_axis_angle(matrix: Float32) -> Float32:
    """Return the axis-angle vector of a rotation matrix (Rodrigues); under 1e-5 rad it is zero.

    Parameters
    ----------
    matrix : (3, 3) float32
        Nearly a rotation; the nearest one is used, computed in float64.

    Returns
    -------
    (3,) float32
        Axis times angle, radians.
    """
    r = np.empty((3, 3), np.float64)
    for i in range(3):
        for j in range(3):
            r[i, j] = matrix[i, j]
    for _ in range(12):  # Newton's iteration for the polar factor U V'
        cof = np.empty((3, 3), np.float64)
        for i in range(3):
            i1, i2 = (i + 1) % 3, (i + 2) % 3
            for j in range(3):
                j1, j2 = (j + 1) % 3, (j + 2) % 3
                cof[i, j] = r[i1, j1] * r[i2, j2] - r[i1, j2] * r[i2, j1]
        det = r[0, 0] * cof[0, 0] + r[0, 1] * cof[0, 1] + r[0, 2] * cof[0, 2]
        change = 0.0
        for i in range(3):
            for j in range(3):
                value = 0.5 * (r[i, j] + cof[i, j] / det)
                change = max(change, abs(value - r[i, j]))
                r[i, j] = value
        if change < 1e-15:
            break
    x, y, z = r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1]
    s = math.sqrt((x * x + y * y + z * z) * 0.25)
    c = min(max((r[0, 0] + r[1, 1] + r[2, 2] - 1.0) * 0.5, -1.0), 1.0)
    theta = math.acos(c)
    out = np.zeros(3, np.float32)
    if s < 1e-5:
        if c > 0:
            return out
        x = math.sqrt(max((r[0, 0] + 1) * 0.5, 0.0))
        y = math.sqrt(max((r[1, 1] + 1) * 0.5, 0.0)) * (1.0 if r[0, 1] >= 0 else -1.0)
        z = math.sqrt(max((r[2, 2] + 1) * 0.5, 0.0)) * (1.0 if r[0, 2] >= 0 else -1.0)
        if abs(x) < abs(y) and abs(x) < abs(z) and (r[1, 2] > 0) != (y * z > 0):
            z = -z
        scale = theta / math.sqrt(x * x + y * y + z * z)
    else:
        scale = theta * (0.5 / s)
    out[0], out[1], out[2] = x * scale, y * scale, z * scale
    return out


@kernel
def axis_angle_to_matrix(vector: Float32) -> Float32:
    """Return the rotation matrix of an axis-angle vector (Rodrigues), computed in float64.

    Parameters
    ----------
    vector : (3,) float32
        Axis times angle, radians.

    Returns
    -------
    (3, 3) float32
        cos t I + (1 - cos t) k k' + sin t [k]x.
    """
    x, y, z = np.float64(vector[0]), np.float64(vector[1]), np.float64(vector[2])
    theta = math.sqrt(x * x + y * y + z * z)
    out = np.zeros((3, 3), np.float32)
    if theta < 2.220446049250313e-16:
        out[0, 0] = out[1, 1] = out[2, 2] = _ONE
        return out
    c, s = math.cos(theta), math.sin(theta)
    c1 = 1.0 - c
    inverse = 1.0 / theta
    x, y, z = x * inverse, y * inverse, z * inverse
    out[0, 0] = c + c1 * x * x
    out[0, 1] = c1 * x * y - s * z
    out[0, 2] = c1 * x * z + s * y
    out[1, 0] = c1 * x * y + s * z
    out[1, 1] = c + c1 * y * y
    out[1, 2] = c1 * y * z - s * x
    out[2, 0] = c1 * x * z - s * y
    out[2, 1] = c1 * y * z + s * x
    out[2, 2] = c + c1 * z * z
    return out


@kernel
def rotate_by_increment(angles: Float32, wx: float, wy: float, wz: float) -> Float32:
    """Return Euler angles after a small rotation applied on the right, R (I + [w]x).

    The increment matrix is made a rotation first; the product goes through a float32 axis-angle
    vector on its way back to Euler angles. Where that yields NaN the angles become zero.

    Parameters
    ----------
    angles : (3,) float32
        Pitch, yaw, roll, radians.
    wx, wy, wz : float32
        Increment about the object's own axes, radians.

    Returns
    -------
    (3,) float32
        New Euler angles.
    """
    d = np.empty((3, 3), np.float32)
    d[0, 0] = d[1, 1] = d[2, 2] = _ONE
    d[0, 1], d[0, 2] = -wz, wy
    d[1, 0], d[1, 2] = wz, -wx
    d[2, 0], d[2, 1] = -wy, wx
    rotated = multiply3(euler_to_matrix(angles), orthonormalise(d))
    out = matrix_to_euler(axis_angle_to_matrix(matrix_to_axis_angle(rotated)))
    if out[0] != out[0] or out[1] != out[1] or out[2] != out[2]:
        out[:] = np.float32(0)
    return out
