"""Kernels of `pyfaceau.detection.mtcnn`: resampling into network inputs, box suppression."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pyfaceau.numerics._jit import kernel
from pyfaceau.numerics.libm import expf
from pyfaceau.types import Float32, Int32, UInt8


@kernel
def pixel(image: UInt8, y: int, x: int, channel: int) -> float:
    """Return a pixel as float32, 0 outside the picture."""
    value: float = np.float32(0)
    if 0 <= y < image.shape[0] and 0 <= x < image.shape[1]:
        value = np.float32(image[y, x, channel])
    return value


@kernel
def taps(source: int, count: int) -> tuple[Int32, Float32]:
    """Return the lower neighbour and the upper one's weight of each of `count` positions."""
    low = np.empty(count, np.int32)
    part = np.empty(count, np.float32)
    scale = 1.0 / (np.float64(count) / np.float64(source))
    for i in range(count):
        at = np.float32((i + 0.5) * scale - 0.5)
        floor = np.floor(at)
        low[i] = np.int32(floor)
        part[i] = at - floor
        if low[i] < 0:
            low[i], part[i] = 0, 0
        elif low[i] >= source - 1:
            low[i], part[i] = source - 1, 0
    return low, part


@kernel
def resample(
    image: UInt8, left: int, top: int, width: int, height: int, out: Float32, place: int
) -> None:
    """Resize a window of a BGR picture bilinearly to planes R, G, B scaled to about -1 to 1.

    No anti-aliasing; pixel centres at halves: source = (i + 1/2) n_source / n - 1/2, in float64
    then float32, rows clamped to the window. Across first, then down, both in float32.

    image : (H, W, 3) uint8. left, top, width, height : the window; what of it lies outside the
    picture is 0 before scaling. out : (3, n, h, w) float32, (value - 127.5) / 128 at [:, place].
    """
    rows, columns = out.shape[2], out.shape[3]
    x_low, x_part = taps(width, columns)
    y_low, y_part = taps(height, rows)
    one = np.float32(1)
    lines = np.empty((2, columns), np.float32)
    for i in range(rows):
        fy = y_part[i]
        for c in range(3):
            for line in range(2):
                y = top + min(y_low[i] + line, height - 1)
                for j in range(columns):
                    a = pixel(image, y, left + x_low[j], 2 - c)
                    b = pixel(image, y, left + min(x_low[j] + 1, width - 1), 2 - c)
                    lines[line, j] = a * (one - x_part[j]) + b * x_part[j]
            for j in range(columns):
                value = lines[0, j] * (one - fy) + lines[1, j] * fy
                out[c, place, i, j] = (value - np.float32(127.5)) * np.float32(0.0078125)


@kernel
def probability(outputs: Float32) -> Float32:
    """Return 1 / (1 + exp(o0 - o1)) of the first two columns of (n, m) outputs; (n,) float32.

    The difference and the exponential are float32, the rest is float64, rounded at the end.
    """
    out = np.empty(len(outputs), np.float32)
    for i in range(len(outputs)):
        odds = np.float64(expf(outputs[i, 0] - outputs[i, 1]))
        out[i] = np.float32(1.0 / (1.0 + odds))
    return out


@kernel
def suppress(
    boxes: Int32, order: NDArray[np.int64], threshold: float, smaller: bool, keep: UInt8
) -> None:
    """Greedy non-maximum suppression.

    boxes : (n, 4) int32, x, y, width, height. order : (n,) int64, best first. threshold : float32,
    the largest overlap that survives: intersection over union, or over the smaller of the two
    areas. keep : (n,) uint8, 1 in, 0 where suppressed out.
    """
    for first in range(order.size):
        a = order[first]
        if not keep[a]:
            continue
        for second in range(first + 1, order.size):
            b = order[second]
            if not keep[b]:
                continue
            wide = min(boxes[a, 0] + boxes[a, 2], boxes[b, 0] + boxes[b, 2]) - max(
                boxes[a, 0], boxes[b, 0]
            )
            high = min(boxes[a, 1] + boxes[a, 3], boxes[b, 1] + boxes[b, 3]) - max(
                boxes[a, 1], boxes[b, 1]
            )
            shared = max(wide, 0) * max(high, 0)
            area_a = boxes[a, 2] * boxes[a, 3]
            area_b = boxes[b, 2] * boxes[b, 3]
            whole = min(area_a, area_b) if smaller else area_a + area_b - shared
            if np.float32(shared) / np.float32(whole) > threshold:
                keep[b] = 0
