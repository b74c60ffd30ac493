"""Kernels of the alignment stage: triangles to mask, mask onto a face."""

from __future__ import annotations

import numpy as np

from pyfaceau.numerics._jit import kernel
from pyfaceau.types import Float32, Int32, UInt8


@kernel
def _side(px: float, py: float, ax: float, ay: float, bx: float, by: float) -> float:
    """Return twice the signed area of (p, a, b), float32."""
    return (px - bx) * (ay - by) - (ax - bx) * (py - by)


@kernel
def fill_triangles(points: Float32, triangles: Int32, mask: UInt8) -> None:
    """Set the pixels of `mask` (h, w) whose centre lies in a closed triangle.

    `points` (n, 2) float32; `triangles` (k, 3) int32, indices of points. A pixel is inside where it
    is on the same side of each edge as the third corner, or on the edge, in float32.
    """
    height, width = mask.shape
    for k in range(triangles.shape[0]):
        i, j, l = triangles[k, 0], triangles[k, 1], triangles[k, 2]
        x1, y1, x2, y2 = points[i, 0], points[i, 1], points[j, 0], points[j, 1]
        x3, y3 = points[l, 0], points[l, 1]
        left = max(np.ceil(min(x1, x2, x3)), np.float32(0))
        right = min(np.floor(max(x1, x2, x3)), np.float32(width - 1))
        top = max(np.ceil(min(y1, y2, y3)), np.float32(0))
        bottom = min(np.floor(max(y1, y2, y3)), np.float32(height - 1))
        side1 = _side(x1, y1, x2, y2, x3, y3)
        side2 = _side(x2, y2, x3, y3, x1, y1)
        side3 = _side(x3, y3, x1, y1, x2, y2)
        for row in range(np.int64(top), np.int64(bottom) + 1):
            y = np.float32(row)
            for column in range(np.int64(left), np.int64(right) + 1):
                if mask[row, column]:
                    continue
                x = np.float32(column)
                if (
                    _side(x, y, x2, y2, x3, y3) * side1 >= 0
                    and _side(x, y, x3, y3, x1, y1) * side2 >= 0
                    and _side(x, y, x1, y1, x2, y2) * side3 >= 0
                ):
                    mask[row, column] = 1


@kernel
def apply_mask(mask: UInt8, image: UInt8) -> None:
    """Blacken the pixels of `image` (h, w, 3) where `mask` (h, w) is 0."""
    for y in range(mask.shape[0]):
        for x in range(mask.shape[1]):
            if not mask[y, x]:
                for c in range(3):
                    image[y, x, c] = 0
