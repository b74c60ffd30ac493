"""Which side does more, by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from pyfaceau.actions.balance import balances
from pyfaceau.actions.measures import ActionMeasure

LEFT = ActionMeasure(
    "smile lips open", 1, 1.0, 2.0, "lower", "AU12_r", "left", "0-5",
    noise=0.05, excursion=3.0, moved=True,
)  # fmt: skip
RIGHT = replace(LEFT, side="right", excursion=1.0)
CORNERS = [
    replace(LEFT, measure="commissure_y", unit="iod", noise=0.001, excursion=-0.03),
    replace(RIGHT, measure="commissure_y", unit="iod", noise=0.001, excursion=0.01),
]


def test_a_balance_by_hand() -> None:
    (one,) = balances([LEFT, RIGHT, *CORNERS])
    assert one.measures == "AU12_r+commissure_y"
    assert one.balance == pytest.approx(0.5)  # (3 - 1) / 4 of both
    assert one.leads == "left"
    assert one.difference == pytest.approx(1.5)  # 2 of intensity, 0.02 / 0.02 of the corner
    (swapped,) = balances([replace(LEFT, side="right"), replace(RIGHT, side="left")])
    assert (swapped.balance, swapped.leads, swapped.difference) == (-0.5, "right", -2.0)


def test_small_movements_weigh_little() -> None:
    weak = [replace(LEFT, excursion=0.1), replace(RIGHT, excursion=0.0, moved=False)]
    (one,) = balances(weak)
    assert one.balance == pytest.approx(0.1 / 0.4)  # the sum counts as 4 x (0.05 + 0.05)
    assert one.leads == "neither"


def test_what_did_not_move_says_nothing() -> None:
    still = [replace(one, measure="AU25_r", excursion=0.1, moved=False) for one in (LEFT, RIGHT)]
    eye = [replace(LEFT, measure="AU45_r"), replace(RIGHT, measure="AU45_r", excursion=9.0)]
    (one,) = balances([LEFT, RIGHT, *still, *eye])
    assert one.measures == "AU12_r+AU25_r"
    assert one.balance == pytest.approx(0.5)
    assert one.difference == pytest.approx(1.0)  # 2 and 0


def test_nothing_moved_has_no_side() -> None:
    (one,) = balances([replace(LEFT, moved=False), replace(RIGHT, moved=False)])
    assert (one.leads, math.isnan(one.balance), one.difference) == ("", True, 2.0)
    assert balances([LEFT]) == []
    assert balances([replace(LEFT, moved=None), RIGHT]) == []
    assert balances([replace(LEFT, action="frown"), replace(RIGHT, action="frown")]) == []
