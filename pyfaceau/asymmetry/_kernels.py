"""Compiled loops of split faces: the midline, what lies beyond it, and its reflection."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pyfaceau.numerics._jit import kernel
from pyfaceau.numerics.warp import row_terms, sample_f32
from pyfaceau.types import Float64, Int32, Int64, UInt8


@kernel
def lay_line(points: Float64, axis: Int64, far: float, line: Float64) -> None:
    """Lay a line through the middle of a face by repeated medians, see `find_midline`.

    Parameters
    ----------
    points : (68, 2) float64
        Landmarks; the outer eye corners are apart.
    axis : (k,) int64
        Which of them are to lie on it, with the midpoint of the inner eye corners.
    far : float
        Distances between the outer eye corners that two points must be apart for a slope.
    line : (4,) float64
        Receives a point of the line and its direction.
    """
    x = (points[45, 0] - points[36, 0]) + (points[42, 0] - points[39, 0])
    y = (points[45, 1] - points[36, 1]) + (points[42, 1] - points[39, 1])
    width = np.hypot(x, y)
    x, y = x / width, y / width
    middle_x = (points[39, 0] + points[42, 0]) / 2
    middle_y = (points[39, 1] + points[42, 1]) / 2
    count = len(axis) + 1
    local = np.zeros((2, count))
    for i in range(count - 1):
        to_x, to_y = points[axis[i], 0] - middle_x, points[axis[i], 1] - middle_y
        local[0, i] = to_x * x + to_y * y
        local[1, i] = to_y * x - to_x * y
    slopes, known, medians = np.empty(count), 0, np.empty(count)
    for i in range(count):
        seen = 0
        for j in range(count):
            apart = local[1, i] - local[1, j]
            if abs(apart) > far * width:  # of points side by side no slope is known
                slopes[seen] = (local[0, i] - local[0, j]) / apart
                seen += 1
        if seen:
            medians[known] = _median(slopes, seen)
            known += 1
    slope = _median(medians, known) if known else 0.0
    for i in range(count):
        local[0, i] -= slope * local[1, i]
    offset = _median(local[0], count)
    length = np.hypot(slope, 1.0)
    line[0], line[1] = middle_x + x * offset, middle_y + y * offset
    line[2] = (x * slope - y) / length
    line[3] = (y * slope + x) / length


@kernel
def _median(values: Float64, count: int) -> float:
    """Return the median of the first numbers, which it sorts."""
    for i in range(1, count):
        value, place = values[i], i
        while place > 0 and values[place - 1] > value:
            values[place] = values[place - 1]
            place -= 1
        values[place] = value
    return (values[(count - 1) // 2] + values[count // 2]) / 2


@kernel
def complete(points: Float64, partners: Int64, kept: NDArray[np.bool_], mirror: Float64) -> Float64:
    """Return a half's landmarks with their reflections, see `half_made_whole`.

    Parameters
    ----------
    points : (68, 2) float64
        Landmarks.
    partners : (68,) int64
        The other one of each pair; itself on the midline.
    kept : (68,) bool
        Which stay where they are.
    mirror : (2, 3) float64
        Reflects pixels about the midline.

    Returns
    -------
    (68, 2) float64
        The landmarks of a whole face.
    """
    whole = points.copy()
    for i in range(len(points)):
        if not kept[i]:
            x, y = points[partners[i]]
            for c in range(2):
                there = mirror[c, 0] * x + mirror[c, 1] * y + mirror[c, 2]
                whole[i, c] = (points[i, c] + there) / 2 if partners[i] == i else there
    return whole


@kernel
def facing_area(mean: Float64, rotation: Float64, triangles: Int32) -> float:
    """Return the area in the picture of triangles of a rotated shape.

    Parameters
    ----------
    mean : (3, n) float64
        The shape.
    rotation : (3, 3) float64
        Of the head.
    triangles : (k, 3) int32
        Triangles of its points.

    Returns
    -------
    float
        Twice the sum of their areas, mm^2; those that face away count nothing.
    """
    seen = np.empty((2, mean.shape[1]))
    for n in range(mean.shape[1]):
        for c in range(2):
            seen[c, n] = (
                rotation[c, 0] * mean[0, n]
                + rotation[c, 1] * mean[1, n]
                + rotation[c, 2] * mean[2, n]
            )
    total = 0.0
    for k in range(len(triangles)):
        area = _area(seen, triangles[k])
        total += max(area if _area(mean, triangles[k]) > 0 else -area, 0.0)
    return total


@kernel
def _area(points: Float64, corners: Int32) -> float:
    """Return twice the signed area of a triangle."""
    i, j, k = corners
    first = (points[0, j] - points[0, i]) * (points[1, k] - points[1, i])
    return first - (points[0, k] - points[0, i]) * (points[1, j] - points[1, i])


@kernel
def reflect_beyond(gray: UInt8, mirror: Float64, normal: Float64, box: Int64, out: UInt8) -> None:
    """Fill the pixels of a box that lie beyond a line with their reflections.

    Parameters
    ----------
    gray : (H, W) uint8
        Picture.
    mirror : (2, 3) float64
        Reflects pixels about the line.
    normal : (3,) float64
        a, b, c: a pixel is beyond the line where a x + b y + c is positive.
    box : (4,) int64
        Left, top, right, bottom; the last two are not part of it.
    out : (H, W) uint8
        Receives them; the other pixels are left alone.
    """
    height, width = gray.shape
    left, right = box[0], box[2]
    columns = np.empty((2, right), np.int32)
    for x in range(left, right):
        columns[0, x] = np.rint(mirror[0, 0] * x * 1024.0)
        columns[1, x] = np.rint(mirror[1, 0] * x * 1024.0)
    xs, ys, four = np.empty(right, np.int32), np.empty(right, np.int32), np.empty(right, np.int32)
    for y in range(box[1], box[3]):
        x0, y0 = row_terms(mirror, y)
        first, end = _beyond(normal[0], normal[1] * y + normal[2], left, right)
        inside = first < end
        for x in (first, end - 1):
            column, row = (x0 + columns[0, x]) >> 10, (y0 + columns[1, x]) >> 10
            inside = inside and 0 <= column < width - 1 and 0 <= row < height - 1
        if inside:
            for x in range(first, end):
                xs[x] = np.int32(np.int32(x0) + columns[0, x])
                ys[x] = np.int32(np.int32(y0) + columns[1, x])
            _blend(gray, xs[first:end], ys[first:end], four[first:end], out[y, first:end])
        else:
            for x in range(first, end):
                x32, y32 = (x0 + columns[0, x]) >> 5, (y0 + columns[1, x]) >> 5
                out[y, x] = np.uint8(sample_f32(gray, x32, y32) + np.float32(0.5))


@kernel
def _beyond(slope: float, offset: float, left: int, right: int) -> tuple[int, int]:
    """Return from where to where slope * x + offset is positive, of whole x in a range."""
    if slope == 0:
        return left, right if offset > 0 else left
    rises = slope > 0
    edge = np.int64(min(max(-offset / slope, np.float64(left)), np.float64(right)))
    while edge > left and (slope * (edge - 1) + offset > 0) == rises:
        edge -= 1
    while edge < right and (slope * edge + offset > 0) != rises:
        edge += 1
    return (edge, right) if rises else (left, edge)


@kernel
def _blend(gray: UInt8, xs: Int32, ys: Int32, four: Int32, out: UInt8) -> None:
    """Sample where all pixels exist, in three passes: where, which pixels, blending.

    `xs` and `ys` hold columns and rows in 1/1024 pixels; `four` is scratch.
    """
    pixels = gray.reshape(-1)
    width, right, below = np.int32(gray.shape[1]), np.uint64(1), np.uint64(gray.shape[1])
    five, eight, ten = np.int32(5), np.int32(8), np.int32(10)
    low, byte, whole = np.int32(31), np.int32(255), np.int32(32)
    for k in range(len(out)):
        four[k] = (ys[k] >> ten) * width + (xs[k] >> ten)
    for k in range(len(out)):
        at = np.uint64(np.uint32(four[k]))
        upper = np.uint16(pixels[at]) | (np.uint16(pixels[at + right]) << np.uint16(8))
        at += below
        lower = np.uint16(pixels[at]) | (np.uint16(pixels[at + right]) << np.uint16(8))
        four[k] = np.int32(upper) | (np.int32(lower) << np.int32(16))
    for k in range(len(out)):
        fx, fy, pair = (xs[k] >> five) & low, (ys[k] >> five) & low, four[k]
        top = np.int32(pair & byte) * (whole - fx) + np.int32((pair >> eight) & byte) * fx
        pair >>= np.int32(16)
        bottom = np.int32(pair & byte) * (whole - fx) + np.int32((pair >> eight) & byte) * fx
        out[k] = np.uint8(np.int32(top * (whole - fy) + bottom * fy + np.int32(512)) >> ten)
