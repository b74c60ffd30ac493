"""Register tiles: sums over taps against chains of rounded steps, places that must stay."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from pyfaceau.numerics._jit import kernel
from pyfaceau.numerics._tile import sum_taps
from pyfaceau.numerics._vector import WIDTH
from pyfaceau.types import Float32
from tests.numerics.test_cnn import chain, coarse

ENDS = [(0, 23, 23), (0, 12, 23), (3, 9, 10), (5, 5, 5)]
"""First k, end of the first chain and of the second: one chain, two, short ones, none."""


@kernel
def _sum(
    rows: int, w: Float32, x: Float32, at: int, gap: int, offsets: NDArray[np.int64],
    ends: tuple[int, int, int], out: Float32, to: int, out_gap: int, fresh: bool,
) -> None:  # fmt: skip
    weights, w_r, taps = w.ctypes.data, w.shape[1], offsets.ctypes.data
    place, target, out_r = x.ctypes.data + 4 * at, out.ctypes.data + 4 * to, out.shape[1]
    if rows == 5:
        sum_taps(5, weights, w_r, place, gap, taps, ends, target, out_r, out_gap, fresh)
    elif rows == 4:
        sum_taps(4, weights, w_r, place, gap, taps, ends, target, out_r, out_gap, fresh)
    else:
        sum_taps(1, weights, w_r, place, gap, taps, ends, target, out_r, out_gap, fresh)


@pytest.mark.parametrize("rows", [1, 4, 5])
@pytest.mark.parametrize("ends", ENDS)
@pytest.mark.parametrize("fresh", [True, False])
def test_sums_equal_their_chains(rows: int, ends: tuple[int, int, int], fresh: bool) -> None:
    rng = np.random.default_rng(rows)
    w, x, before = coarse(rng, 5, 23), coarse(rng, 300), coarse(rng, 5, 40)
    offsets = rng.integers(0, 250, 23)
    at, gap, to, out_gap = 2, 21, 3, 13
    out = before.copy()
    _sum(rows, w, x, at, gap, offsets, ends, out, to, out_gap, fresh)
    expected = before.copy()
    for v in range(2):
        lanes = np.arange(WIDTH) + at + v * gap
        taps = x[offsets[:, None] + lanes].T
        first, second = (chain(taps, w.T, list(range(*span))).T for span in (ends[:2], ends[1:]))
        target = expected[:rows, to + v * out_gap : to + v * out_gap + WIDTH]
        target[:] = (0 if fresh else target) + (first + second)[:rows]
    np.testing.assert_array_equal(out, expected)


def test_what_is_not_fresh_may_not_be_read() -> None:
    """Nothing that a fresh place held is left, be it no number."""
    out = np.full((1, 16), np.nan, np.float32)
    ones = np.ones((1, 16), np.float32)
    _sum(1, ones, ones[0], 0, 8, np.zeros(1, np.int64), (0, 1, 1), out, 0, 8, True)
    assert out.tolist() == [[1] * 16]
