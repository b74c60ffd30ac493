"""The gate: what is movement, what asymmetry, and what is neither."""

from __future__ import annotations

import numpy as np
import pytest

from pyfaceau.asymmetry.gate import asymmetry, healthy_share, resting_noise
from pyfaceau.errors import InputError

REST = np.repeat([True, False], [101, 5])


def series(seed: int, moves: list[float], noise: float = 0.01) -> np.ndarray:
    """Return a side: resting noise about 1, then movements from it."""
    return 1.0 + np.append(np.random.default_rng(seed).normal(0, noise, 101), moves)


def test_noise_by_hand() -> None:
    values = np.array([1.0, 2.0, 3.0, 4.0, 100.0, np.nan])
    level, noise = resting_noise(values, np.ones(6, bool))
    assert (level, noise) == (3.0, pytest.approx(1.4826))
    assert resting_noise(np.ones(4), np.ones(4, bool), floor=0.05) == (1.0, 0.05)


def test_one_sided_movement() -> None:
    moves = asymmetry(
        series(1, [0.4, 0.4, 0.0, 0.4, np.nan]),
        series(2, [0.1, 0.39, 0.0, -0.1, 0.4]),
        REST,
        affected="right",
    )[-5:]
    assert moves["moved"].tolist()[:4] == [1, 1, 0, 1]
    assert moves["leads"].tolist()[:4] == [1, 0, 0, 1]
    assert moves["ratio"].iloc[0] == pytest.approx(0.25, abs=0.02)
    assert moves["share"].iloc[0] == pytest.approx(0.25, abs=0.02)
    assert moves["index"].iloc[0] == pytest.approx(0.6, abs=0.02)
    assert moves["ratio"].iloc[3] == pytest.approx(-0.25, abs=0.02)
    assert moves[["ratio", "index", "share"]].iloc[2].isna().all()  # no movement: not 0, not 1
    assert moves.iloc[4].drop(["left", "right"]).isna().all()


def test_sides_swap() -> None:
    a, b = series(3, [0.5, 0.2, 0.1, 0.0, 0.3]), series(4, [0.1, 0.4, 0.1, 0.0, 0.3])
    one, other = asymmetry(a, b, REST), asymmetry(b, a, REST)
    for name, sign in (("difference", -1), ("index", -1), ("leads", -1), ("ratio", 1)):
        np.testing.assert_array_equal(one[name], sign * other[name], err_msg=name)


def test_two_resting_sides_rarely_move() -> None:
    quiet = [asymmetry(series(s, []), series(s + 999, []), REST[:101]) for s in range(20)]
    assert np.mean([frame["moved"].mean() for frame in quiet]) < 0.005


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"affected": "both"}, "'left' or 'right'"),
        ({"multiple": 0}, "positive"),
        ({"rest": np.zeros(106, bool)}, "3 or more"),
    ],
)
def test_refused(change: dict[str, object], said: str) -> None:
    side = series(1, [0.0] * 5)
    with pytest.raises(InputError, match=said):
        asymmetry(**{"left": side, "right": side, "rest": REST, **change})  # type: ignore[arg-type]


def test_healthy_sides_differ_by_measure() -> None:
    assert healthy_share("AU12_r") == 0.95
    assert healthy_share("commissure_y_2d") == healthy_share("commissure_y_mm") == 0.45
    assert healthy_share("AU99_r") == 0.6  # the least of an action unit
    assert healthy_share("mrd2") == 0.2
