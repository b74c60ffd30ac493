"""Kernel of `gaze`: float32 throughout, float64 where it says so."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pyfaceau.numerics._jit import kernel
from pyfaceau.types import Float32

_IRIS_POINTS = 8
_EYEBALL_RADIUS_SQUARED = np.float32(12 * 12)
_EYEBALL_OFFSET = np.array([0.0, -3.5, 7.0])
_TWO, _FOUR = np.float32(2), np.float32(4)


@kernel
def _normalise(v: Float32) -> None:
    """Divide a vector by its length, in place; the length in float64. A zero vector stays."""
    x, y, z = np.float64(v[0]), np.float64(v[1]), np.float64(v[2])
    length = math.sqrt(x * x + y * y + z * z)
    if length > 0.0:
        v[0], v[1], v[2] = x / length, y / length, z / length


@kernel
def _dot(a: Float32, b: Float32) -> Any:
    """Return the product in float32, left to right."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@kernel
def eyeball_centre(inner: Float32, outer: Float32, rotation: Float32, out: Float32) -> None:
    """Fill the centre: middle of the eye's corners plus the rotated offset (float64 products)."""
    for i in range(3):
        moved = 0.0
        for k in range(3):
            moved += np.float64(rotation[i, k]) * _EYEBALL_OFFSET[k]
        out[i] = (inner[i] + outer[i]) / _TWO + np.float32(moved)


@kernel
def gaze_vector(eye: Float32, centre: Float32, out: Float32) -> None:
    """Fill the unit vector from an eyeball's centre to where the pupil's ray meets its sphere."""
    ray = np.empty(3, np.float32)
    for i in range(3):
        total = 0.0
        for k in range(_IRIS_POINTS):
            total += np.float64(eye[k, i])
        ray[i] = total / _IRIS_POINTS
    _normalise(ray)
    a = _dot(ray, ray)
    b = -_TWO * _dot(ray, centre)
    c = _dot(centre, centre) - _EYEBALL_RADIUS_SQUARED
    discriminant = b * b - _FOUR * a * c
    if discriminant < np.float32(0):
        out[0], out[1], out[2] = np.float32(0), np.float32(0), np.float32(-1)
    else:
        distance = (-b - np.sqrt(discriminant)) / _TWO * a
        for i in range(3):
            out[i] = ray[i] * distance
    for i in range(3):
        out[i] -= centre[i]
    _normalise(out)
