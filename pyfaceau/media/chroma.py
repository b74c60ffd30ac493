"""Where a picture's pixels take their chroma from: taps of FFmpeg's bicubic filter, in integers.

The filter is the cubic of Mitchell and Netravali, "Reconstruction filters in computer graphics",
SIGGRAPH 1988, equation 8, with B = 0 and C = 0.6. Chroma samples are taken to lie in the middle of
the pixels that share them.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from pyfaceau.types import Int16, Int64

_ONE = 1 << 54
_C = int(0.6 * (1 << 24))
_NEGLIGIBLE = 0.002 * _ONE


@dataclass(frozen=True, eq=False)
class Taps:
    """Weighted sums that resample one axis.

    Attributes
    ----------
    first : (n,) int64
        First source sample of each result.
    weights : (n, taps) int16
        What it and those after it count; each row sums to the whole that was asked for, but for
        rounding.
    """

    first: Int64
    weights: Int16


@functools.lru_cache(maxsize=16)
def taps(source: int, result: int, whole: int, multiple: int = 1) -> Taps:
    """Return the taps that bring `source` samples to `result`, at least as many.

    Parameters
    ----------
    source, result : int
        Lengths, samples.
    whole : int
        Sum of the weights.
    multiple : int
        Taps come in multiples of this, where more of them are not negligible.

    Returns
    -------
    Taps
        They.
    """
    step = ((source << 16) + (result >> 1)) // result
    if abs(step - (1 << 16)) < 10:
        return _frozen(list(range(result)), [[whole]] * result)
    first, rows = _cubic(result, step, max(min(5, source - 2), 1))
    count = -(-_trim(first, rows) // multiple) * multiple
    for at, row in enumerate(rows):
        row[:] = (row + [0] * count)[:count]
        first[at] = _keep_inside(row, first[at], source)
        row[:] = _normalised(row, whole)
    return _frozen(first, rows)


def _cubic(result: int, step: int, size: int) -> tuple[list[int], list[list[int]]]:
    """Return the first sample and the untrimmed, unscaled weights of every result."""
    first, rows = [], []
    for at in range(result):
        centre = step - (1 << 16) + 2 * step * at  # in 1/131072 of a sample
        left = _towards_zero(centre - (size - 2) * (1 << 16), 1 << 17)
        first.append(left)
        distances = (abs((left + j) * (1 << 17) - centre) << 13 for j in range(size))
        rows.append([_weight(distance) for distance in distances])
    return first, rows


def _weight(d: int) -> int:
    """Return the cubic at a distance, which is in 1/2^30."""
    d2 = (d * d) >> 30
    d3 = (d2 * d) >> 30
    if d < 1 << 30:
        return ((12 << 24) - 6 * _C) * d3 + (6 * _C - (18 << 24)) * d2 + (6 << 54)
    if d < 1 << 31:
        return -6 * _C * d3 + 30 * _C * d2 - 48 * _C * d + 24 * _C * (1 << 30)
    return 0


def _trim(first: list[int], rows: list[list[int]]) -> int:
    """Drop what is negligible on the left, and return how many taps are not on the right."""
    needed = 0
    for at in reversed(range(len(rows))):
        row, size, total = rows[at], len(rows[at]), 0
        for _ in range(size):
            total += abs(row[0])
            if total > _NEGLIGIBLE or (at + 1 < len(rows) and first[at] >= first[at + 1]):
                break
            row[:] = [*row[1:], 0]
            first[at] += 1
        total, count = 0, size
        for weight in reversed(row[1:]):
            total += abs(weight)
            if total > _NEGLIGIBLE:
                break
            count -= 1
        needed = max(needed, count)
    return needed


def _keep_inside(row: list[int], first: int, source: int) -> int:
    """Give the weight of samples beyond an end to the last one before it."""
    size = len(row)
    if first < 0:
        for j in range(1, size):
            weight, row[j] = row[j], 0
            row[max(j + first, 0)] += weight
        first = 0
    if first + size > source:
        beyond = sum(row[max(source - first, 0) :])
        shift = first + min(size - source, 0)
        kept = row[: max(source - first, 0)]
        row[:] = ([0] * shift + kept + [0] * size)[:size]
        first -= shift
        row[source - 1 - first] += beyond
    return first


def _normalised(row: list[int], whole: int) -> list[int]:
    """Return the weights as integers, what rounding takes from one given to the next."""
    unit = (sum(row) + whole // 2) // whole or 1
    scaled, rest = [], 0
    for weight in row:
        value = weight + rest
        rounded = _towards_zero(value + ((unit >> 1) if value >= 0 else -(unit >> 1)), unit)
        scaled.append(rounded)
        rest = value - rounded * unit
    return scaled


def _towards_zero(a: int, b: int) -> int:
    """Divide by a positive number, cutting the fraction off."""
    return a // b if a >= 0 else -(-a // b)


def _frozen(first: list[int], rows: list[list[int]]) -> Taps:
    found = Taps(np.array(first, np.int64), np.array(rows, np.int16))
    found.first.setflags(write=False)
    found.weights.setflags(write=False)
    return found
