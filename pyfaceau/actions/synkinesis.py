"""Movement of what was not asked to move, over what it can do when it is asked."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from pyfaceau.actions.measures import NO_MOVEMENT, NO_REST, NO_VALUE, ActionMeasure
from pyfaceau.errors import InputError
from pyfaceau.types import SIDES

EYES = ("close eyes gently", "close eyes tightly", "blink")
SMILES = ("smile lips closed", "smile lips open")

NOT_ASKED, CANNOT = "not done when asked", "no movement when asked"


@dataclass(frozen=True)
class Coupling:
    """One pattern of synkinesis, and by what it is seen.

    Attributes
    ----------
    name : str
        Its name.
    during : tuple of str
        Actions that should leave the region alone.
    asked : tuple of str
        Actions that ask it to move: its own voluntary maximum.
    measures : tuple of str
        Measures and action units of the region.
    """

    name: str
    during: tuple[str, ...]
    asked: tuple[str, ...]
    measures: tuple[str, ...]


COUPLINGS = (
    Coupling("ocular-oral", (*EYES, "raise brows", "frown"), SMILES, ("AU12_r",)),
    Coupling(
        "oral-ocular",
        (*SMILES, "pucker", "puff cheeks", "show lower teeth", "speak"),
        ("close eyes tightly", "close eyes gently"),
        ("lid_opening", "AU45_r"),
    ),
    Coupling("snarl-smile", SMILES, ("wrinkle nose",), ("AU09_r", "AU10_r")),
    Coupling(
        "brow-mouth",
        (*SMILES, "pucker", "show lower teeth", "puff cheeks"),
        ("raise brows",),
        ("AU01_r", "AU02_r", "brow_height"),
    ),
    Coupling("mentalis", (*SMILES, *EYES, "raise brows"), ("pucker", "raise chin"), ("AU17_r",)),
    Coupling(
        "platysmal",
        (*SMILES, *EYES, "pucker"),
        ("show lower teeth",),
        ("AU20_r", "lower_lip_height"),
    ),
)
"""Patterns looked for. The platysma itself is below the landmarks: lower lip and corner drawn down
and aside, which it does with others, are a proxy. The corner of the mouth is not among what shows
ocular-oral synkinesis, nor the landmarks of the lids among what shows oral-ocular: where both eyes
close, the whole fitted shape gives way, and with one lid the other goes
(validation/results/actions.md)."""


@dataclass(frozen=True)
class Synkinesis:
    """Movement of an uninvited region during one action, on one side.

    Attributes
    ----------
    coupling : str
        Name of the pattern.
    action : str
        The action that should have left the region alone.
    number : int
        Which of this name in the video.
    measure, side, unit : str
        As of `ActionMeasure`; the patient's sides.
    movement : float
        Excursion during the action.
    maximum : float
        The largest excursion of the same measure and side when it was asked to move.
    share : float
        `movement` over `maximum`; negative where they go opposite ways. NaN where `reason` says.
    control : float
        The other side's share: what this action does to the region without synkinesis, where that
        side is healthy.
    excess : float
        `share` less `control`.
    role : str
        ``affected`` or ``healthy`` where the affected side is told, else empty.
    moved : bool or None
        The movement is past the gate; None without values.
    reason : str
        Why there is no share: ``no movement``, ``not done when asked`` (no such action in the
        video), ``no movement when asked``, ``no value``, ``no rest``; empty for none.
    """

    coupling: str
    action: str
    number: int
    measure: str
    side: str
    unit: str
    movement: float
    maximum: float = math.nan
    share: float = math.nan
    control: float = math.nan
    excess: float = math.nan
    role: str = ""
    moved: bool | None = None
    reason: str = ""


def measure_synkinesis(
    rows: Sequence[ActionMeasure],
    affected: str | None = None,
    couplings: Iterable[Coupling] = COUPLINGS,
) -> list[Synkinesis]:
    """Measure which regions moved that were not asked to.

    Parameters
    ----------
    rows : sequence of ActionMeasure
        All actions of a video, as from `measure_actions`.
    affected : {'left', 'right'}, optional
        The paretic side.
    couplings : iterable of Coupling, optional
        Patterns to look for.

    Returns
    -------
    list of Synkinesis
        By pattern, action, measure and side. A region that did not move when asked has no share:
        no maximum, no measure of how much of it was uninvited.

    Raises
    ------
    InputError
        If `affected` is no side.
    """
    if affected not in (None, *SIDES):
        raise InputError(f"affected: expected 'left' or 'right', got {affected!r}")
    found: list[Synkinesis] = []
    for coupling in couplings:
        for row in rows:
            stem = row.measure.removesuffix("_2d")
            if row.action in coupling.during and stem in coupling.measures and row.side in SIDES:
                asked = [
                    other
                    for other in rows
                    if other.action in coupling.asked
                    and (other.measure, other.side) == (row.measure, row.side)
                ]
                found.append(_one(coupling, row, asked, affected))
    return _controlled(found)


def _one(
    coupling: Coupling, row: ActionMeasure, asked: list[ActionMeasure], affected: str | None
) -> Synkinesis:
    """Return a region's movement over its voluntary maximum."""
    one = Synkinesis(
        coupling.name,
        row.action,
        row.number,
        row.measure,
        row.side,
        row.unit,
        row.excursion,
        moved=row.moved,
        role="" if affected is None else "affected" if row.side == affected else "healthy",
    )
    able = [other.excursion for other in asked if other.moved]
    if able:
        one = replace(one, maximum=max(able, key=abs))
    if row.reason in (NO_VALUE, NO_REST):
        return replace(one, reason=row.reason)
    if not asked:
        return replace(one, reason=NOT_ASKED)
    if not able:
        return replace(one, reason=CANNOT)
    if not row.moved:
        return replace(one, reason=NO_MOVEMENT)
    return replace(one, share=row.excursion / one.maximum)


def _controlled(found: list[Synkinesis]) -> list[Synkinesis]:
    """Return rows with the other side's share; a side that did not move has a share of 0 there."""
    shares = {
        (one.coupling, one.action, one.number, one.measure, one.side): (
            0.0 if one.reason == NO_MOVEMENT else one.share
        )
        for one in found
    }
    done = []
    for one in found:
        other = SIDES[1 - SIDES.index(one.side)]
        control = shares.get((one.coupling, one.action, one.number, one.measure, other), math.nan)
        done.append(replace(one, control=control, excess=one.share - control))
    return done
