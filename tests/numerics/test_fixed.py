"""Sixteen-bit operations of kernels: NumPy's results."""

from __future__ import annotations

import numpy as np

from pyfaceau.numerics._fixed import high16, lift16, plus16, to_byte, twice
from pyfaceau.numerics._jit import kernel
from pyfaceau.types import Int16, Int32, UInt8, UInt16


@kernel
def _all_operations(
    a: Int16, b: Int16, bytes_: UInt8, words: UInt16, out: Int16, doubled: Int32
) -> None:
    for i in range(len(a)):
        out[0, i] = high16(a[i], b[i])
        out[1, i] = plus16(a[i], b[i])
        out[2, i] = to_byte(a[i])
        out[3, i] = lift16(bytes_[i], np.int16(3))
        out[4, i] = lift16(words[i], np.int16(5))
        doubled[i] = twice(a[i])


def test_every_operation_is_numpys():
    random = np.random.default_rng(0)
    ends = [-32768, -1, 0, 1, 255, 256, 32767]
    a, b = np.array(np.meshgrid(ends, ends), np.int16).reshape(2, -1)
    a, b = (
        np.concatenate([v, random.integers(-32768, 32768, 500).astype(np.int16)]) for v in (a, b)
    )
    bytes_ = random.integers(0, 256, len(a)).astype(np.uint8)
    words = random.integers(0, 1024, len(a)).astype(np.uint16)
    out, doubled = np.empty((5, len(a)), np.int16), np.empty(len(a), np.int32)
    _all_operations(a, b, bytes_, words, out, doubled)
    with np.errstate(over="ignore"):
        expected = [
            (a.astype(int) * b) >> 16,
            a + b,
            np.clip(a, 0, 255),
            bytes_.astype(int) << 3,
            words.astype(int) << 5,
        ]
    np.testing.assert_array_equal(out, np.array(expected).astype(np.int16))
    np.testing.assert_array_equal(doubled.view(np.int16).reshape(-1, 2), np.stack([a, a], 1))
