"""Uninvited movement over voluntary movement, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pyfaceau.actions.intervals import Interval
from pyfaceau.actions.measures import measure_actions
from pyfaceau.actions.synkinesis import Synkinesis, measure_synkinesis
from pyfaceau.errors import InputError
from tests.actions.tables import bump, table_of

SMILE = Interval("smile lips closed", 1, 2.96)
CLOSE = Interval("close eyes tightly", 3, 4.96)


def coupled(left: float, right: float, maximum: float = 4.0) -> list[Synkinesis]:
    """Return the rows of eyes that narrow by so much in a smile, and by `maximum` when asked."""
    sides = {}
    for side, height in (("left", left), ("right", right)):
        closing = bump(125, 80, 5, 20, maximum)
        sides[f"AU45_r_{side}"] = np.maximum(closing, bump(125, 30, 5, 20, height))
    rows = measure_actions(table_of(**sides), [Interval("rest", 0, 0.96), SMILE, CLOSE])
    return [one for one in measure_synkinesis(rows, "left") if one.coupling == "oral-ocular"]


def test_the_affected_eye_narrows_in_a_smile() -> None:
    left, right = coupled(2.0, 0.5)
    assert (left.side, left.role, right.role) == ("left", "affected", "healthy")
    assert (left.movement, left.maximum, left.share) == (2.0, 4.0, 0.5)
    assert (right.movement, right.share) == (0.5, 0.125)
    assert (left.control, left.excess) == (0.125, 0.375)
    assert (left.action, left.number, left.measure) == ("smile lips closed", 1, "AU45_r")


def test_a_still_healthy_side_is_a_control_of_nothing() -> None:
    left, right = coupled(2.0, 0.0)
    assert (left.control, left.excess) == (0.0, 0.5)
    assert (right.moved, right.reason) == (False, "no movement")
    assert math.isnan(right.share)


def test_no_maximum_no_share() -> None:
    left, _ = coupled(0.0, 0.0, maximum=0.0)
    assert left.reason == "no movement when asked"
    assert math.isnan(left.share)
    table = table_of(AU45_r_left=bump(125, 30, 5, 20, 2.0), AU45_r_right=np.zeros(125))
    rows = measure_actions(table, [Interval("rest", 0, 0.96), SMILE])
    assert {one.reason for one in measure_synkinesis(rows)} == {"not done when asked"}
    assert {one.role for one in measure_synkinesis(rows)} == {""}


def test_no_rest_is_said() -> None:
    table = table_of(AU45_r_left=bump(125, 30, 5, 20, 2.0), AU45_r_right=np.zeros(125))
    table.loc[:25, "success"] = 0
    rows = measure_actions(table, [Interval("rest", 0, 0.9), SMILE, CLOSE])
    assert {one.reason for one in measure_synkinesis(rows)} == {"no rest"}
    with pytest.raises(InputError, match="'left' or 'right'"):
        measure_synkinesis(rows, "upper")
