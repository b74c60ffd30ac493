"""A picture made smaller by the mean of what each pixel covers, as OpenCV's INTER_AREA on x86."""

from __future__ import annotations

import numpy as np

from pyfaceau.numerics._jit import kernel
from pyfaceau.types import Float32, Int64, UInt8


@kernel
def shares(source: int, result: int, first: Int64, weights: Float32) -> None:
    """Fill where each of `result` cells begins and what each sample it covers counts.

    first (result, 2) int64, the first sample and the end; weights (result, n) float32.
    """
    scale = source / result
    for at in range(result):
        begin = at * scale
        end = begin + scale
        cell = min(scale, source - begin)
        inner = min(int(np.floor(end)), source - 1)
        start = min(int(np.ceil(begin)), inner)
        count = 0
        first[at, 0] = start
        if start - begin > 1e-3:
            first[at, 0] = start - 1
            weights[at, count] = np.float32((start - begin) / cell)
            count += 1
        for _ in range(start, inner):
            weights[at, count] = np.float32(1.0 / cell)
            count += 1
        if end - inner > 1e-3:
            weights[at, count] = np.float32(min(end - inner, 1.0, cell) / cell)
            count += 1
        first[at, 1] = first[at, 0] + count


@kernel
def shrink(image: UInt8, out: UInt8) -> None:
    """Fill `out` (h, w, 3) with `image` (H, W, 3) made smaller.

    Float32, products rounded before they are added; columns first, then rows; ties to even. Whole
    factors by whole sums, ties upwards where both are two.
    """
    height, width = out.shape[0], out.shape[1]
    if image.shape[0] % height == 0 and image.shape[1] % width == 0:
        _shrink_whole(image, image.shape[0] // height, image.shape[1] // width, out)
        return
    widest = image.shape[1] // width + 3
    highest = image.shape[0] // height + 3
    columns, across = np.empty((width, 2), np.int64), np.empty((width, widest), np.float32)
    rows, down = np.empty((height, 2), np.int64), np.empty((height, highest), np.float32)
    shares(image.shape[1], width, columns, across)
    shares(image.shape[0], height, rows, down)
    line, total = np.empty(3 * width, np.float32), np.empty(3 * width, np.float32)
    done = -1
    for y in range(height):
        for row in range(rows[y, 0], rows[y, 1]):
            if row != done:
                _shrink_row(image[row].reshape(-1), columns, across, line)
                done = row
            weight = down[y, row - rows[y, 0]]
            if row == rows[y, 0]:
                for i in range(len(line)):
                    total[i] = line[i] * weight
            else:
                for i in range(len(line)):
                    total[i] += line[i] * weight
        target = out[y].reshape(-1)
        for i in range(len(line)):
            target[i] = np.uint8(min(max(np.rint(total[i]), np.float32(0)), np.float32(255)))


@kernel
def _shrink_row(source: UInt8, columns: Int64, across: Float32, out: Float32) -> None:
    for x in range(len(columns)):
        blue = green = red = np.float32(0)
        for i in range(columns[x, 1] - columns[x, 0]):
            weight, at = across[x, i], 3 * (columns[x, 0] + i)
            blue += np.float32(source[at]) * weight
            green += np.float32(source[at + 1]) * weight
            red += np.float32(source[at + 2]) * weight
        out[3 * x], out[3 * x + 1], out[3 * x + 2] = blue, green, red


@kernel
def _shrink_whole(image: UInt8, high: int, wide: int, out: UInt8) -> None:
    part = np.float32(1.0 / (high * wide))
    twos = high == 2 and wide == 2
    line = np.empty(3 * image.shape[1], np.int32)
    for y in range(out.shape[0]):
        line[:] = 0
        for row in range(y * high, (y + 1) * high):
            source = image[row].reshape(-1)
            for i in range(len(line)):
                line[i] += np.int32(source[i])
        target = out[y].reshape(-1)
        for x in range(out.shape[1]):
            for c in range(3):
                total = np.int32(0)
                for column in range(wide):
                    total += line[3 * (x * wide + column) + c]
                if twos:
                    target[3 * x + c] = (total + 2) >> 2
                else:
                    target[3 * x + c] = np.uint8(np.rint(np.float32(total) * part))
