"""Which side does more in an action: one number from the measures that tell it best."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pyfaceau.actions.measures import ActionMeasure
from pyfaceau.asymmetry.gate import MULTIPLE

_SMILE = ("commissure_y", "AU12_r", "AU23_r", "AU25_r")
TOLD_BY = {
    "smile lips closed": _SMILE,
    "smile lips open": _SMILE,
    "close eyes gently": ("lid_opening", "AU45_r"),
    "close eyes tightly": ("lid_opening", "AU45_r"),
    "blink": ("lid_opening", "AU45_r"),
}
"""Actions whose sides were checked on people with a known side, and the measures that tell it: of a
smile those of the mouth alone, as an eye that follows the smile of a paretic side is synkinesis."""

SYMMETRIC = 0.45
"""Size of the balance that 95 % of symmetric smiles and closures stay under."""

UNIT_STEPS = {"0-5": 1.0, "iod": 0.02}
"""One step of a difference, by a measure's unit: an intensity of 1, a fiftieth of the inter-ocular
distance (1.2 mm of an adult face)."""


@dataclass(frozen=True)
class Balance:
    """Left against right in one action.

    Attributes
    ----------
    action : str
        Its name.
    number : int
        Which of this name in the video.
    start, end : float
        Seconds.
    measures : str
        What it is told by, separated by ``+``.
    balance : float
        Mean, over those of these in which a side moved, of (L - R) / (L + R) of the sizes of both
        excursions, the sum counted as at least both gates together: -1 to 1, positive where the
        left side does more. NaN where nothing moved.
    leads : str
        ``left`` or ``right`` where the balance is beyond `SYMMETRIC`, else ``neither``; empty where
        nothing moved.
    difference : float
        Mean, over all these measures, of the left excursion's size less the right one's, in
        `UNIT_STEPS`: a balance is a proportion and ends at 1, this grows with the movement. It
        is told of what stays within the noise, too.
    """

    action: str
    number: int
    start: float
    end: float
    measures: str
    balance: float = math.nan
    leads: str = ""
    difference: float = math.nan


def balances(rows: Sequence[ActionMeasure]) -> list[Balance]:
    """Return the balance of every action of `TOLD_BY`.

    Parameters
    ----------
    rows : sequence of ActionMeasure
        Of a video, as from `measure_actions`.

    Returns
    -------
    list of Balance
        In the order of the rows; none of actions without values of both sides.
    """
    acts: dict[tuple[str, int], list[ActionMeasure]] = {}
    for row in rows:
        if row.measure.removesuffix("_2d") in TOLD_BY.get(row.action, ()) and row.moved is not None:
            acts.setdefault((row.action, row.number), []).append(row)
    found = []
    for part in acts.values():
        sides = {(row.measure, row.side): row for row in part}
        names = [name for name, side in sides if side == "left" and (name, "right") in sides]
        if names:
            pairs = [(sides[name, "left"], sides[name, "right"]) for name in names]
            found.append(_balance(pairs, "+".join(names)))
    return found


def _balance(pairs: list[tuple[ActionMeasure, ActionMeasure]], names: str) -> Balance:
    """Return the balance of one action."""
    first = pairs[0][0]
    blank = (first.action, first.number, first.start, first.end, names)
    more = [(abs(a.excursion) - abs(b.excursion)) / UNIT_STEPS[a.unit] for a, b in pairs]
    difference = sum(more) / len(more)
    moved = [(left, right) for left, right in pairs if left.moved or right.moved]
    if not moved:
        return Balance(*blank, difference=difference)
    parts = []
    for left, right in moved:
        a, b = abs(left.excursion), abs(right.excursion)
        parts.append((a - b) / max(a + b, MULTIPLE * (left.noise + right.noise)))
    value = sum(parts) / len(parts)
    leads = "neither" if abs(value) <= SYMMETRIC else "left" if value > 0 else "right"
    return Balance(*blank, value, leads, difference)
