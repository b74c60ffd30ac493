"""How the gate's shares are chosen from symmetric acts, by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from pyfaceau.asymmetry.gate import HEALTHY, HEALTHY_UNIT
from validation.actions import SYMMETRIC, half_of, shares


def pairs(name: str, differ: float, beyond: bool = True) -> pd.DataFrame:
    """Return twenty people whose sides differ alike in both symmetric acts."""
    return pd.DataFrame(
        [
            {
                "person": f"{k:03d}",
                "action": action,
                "measure": name,
                "differ": differ,
                "beyond": beyond,
                "leads": "neither",
            }
            for action in SYMMETRIC
            for k in range(20)
        ]
    )


def test_shares_are_rounded_up_between_their_least_and_one() -> None:
    made = [
        pairs("commissure_y", 0.31),
        pairs("smile_angle", 1.4),
        pairs("mrd1", 0.9, beyond=False),
        pairs("AU12_r", 0.1),
    ]
    found = shares(pd.concat(made))
    assert found["commissure_y"] == pytest.approx(0.35)
    assert found["smile_angle"] == 1.0
    assert found["mrd1"] == HEALTHY
    assert found["AU12_r"] == HEALTHY_UNIT


def test_both_sides_move_in_each_half_of_the_people() -> None:
    assert [half_of(f"{k:03d}") for k in range(4, 10)] == [0, 0, 1, 1, 0, 0]
