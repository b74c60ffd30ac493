"""What a report says of actions: summary, peaks, synkinesis, sessions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pyfaceau.actions.balance import balances
from pyfaceau.actions.files import said
from pyfaceau.actions.intervals import ActionList
from pyfaceau.actions.measures import ActionMeasure, measure_actions
from pyfaceau.actions.synkinesis import COUPLINGS, Synkinesis, measure_synkinesis
from pyfaceau.actions.tidy import DECIMALS, as_table
from pyfaceau.report.page import Part, Table
from pyfaceau.report.plots import Band, matrix, sessions_plot, words
from pyfaceau.types import SIDES

if TYPE_CHECKING:
    from pyfaceau.report.session import Session

SEEN_BY = {
    "raise brows": ("AU02_r", "AU01_r", "brow_height"),
    "close eyes gently": ("AU45_r", "palpebral_height"),
    "close eyes tightly": ("AU45_r", "AU07_r", "palpebral_height"),
    "blink": ("AU45_r", "palpebral_height"),
    "wrinkle nose": ("AU09_r", "AU10_r", "upper_lip_height"),
    "smile lips closed": ("AU12_r", "commissure_excursion", "smile_angle"),
    "smile lips open": ("AU12_r", "commissure_excursion", "smile_angle"),
    "pucker": ("commissure_x",),
    "show lower teeth": ("lower_lip_height", "AU25_r"),
    "puff cheeks": ("commissure_x",),
    "frown": ("AU04_r", "brow_height"),
    "speak": ("AU25_r", "dental_show"),
}
"""The measures by which each action is seen first; the summary has these."""

_COUNT = 3
"""Measures in the summary of an action that is not in `SEEN_BY`: those that rise most above their
noise."""


@dataclass(frozen=True, eq=False)
class Acts:
    """The actions of a recording, measured.

    Attributes
    ----------
    intervals : ActionList
        When what was done.
    rows : tuple of ActionMeasure
        All measures.
    synkinesis : tuple of Synkinesis
        Regions that were not asked to move.
    affected : {'left', 'right'} or None
        The paretic side.
    """

    intervals: ActionList
    rows: tuple[ActionMeasure, ...]
    synkinesis: tuple[Synkinesis, ...]
    affected: str | None

    @classmethod
    def of(cls, session: Session, intervals: ActionList, affected: str | None) -> Acts:
        """Measure the actions of a recording.

        Parameters
        ----------
        session : Session
            The recording.
        intervals : ActionList
            When what was done.
        affected : {'left', 'right'} or None
            The paretic side.

        Returns
        -------
        Acts
            What came of them.

        Raises
        ------
        InputError
            If an action lies outside the recording.
        """
        rows = measure_actions(session.table, intervals, affected, mirrored_input=session.mirrored)
        return cls(intervals, tuple(rows), tuple(measure_synkinesis(rows, affected)), affected)

    @property
    def bands(self) -> list[Band]:
        """Actions with start and end, seconds."""
        return [(one.action, one.start, one.end) for one in self.intervals]

    @property
    def notes(self) -> list[str]:
        """What a reader should know of the measures."""
        return list(said(list(self.rows)))

    def done(self) -> list[tuple[str, int]]:
        """Return the actions, each with its number among those of its name.

        Returns
        -------
        list of (str, int)
            In the order of time, without rest.
        """
        return list(dict.fromkeys((row.action, row.number) for row in self.rows))

    def main(self, action: str, number: int) -> list[tuple[ActionMeasure, ActionMeasure]]:
        """Return the measures by which an action is seen first.

        Parameters
        ----------
        action : str
            Its name.
        number : int
            Which of this name.

        Returns
        -------
        list of (ActionMeasure, ActionMeasure)
            Left and right of each measure.
        """
        pairs = self._pairs(action, number)
        if action in SEEN_BY:
            names = [n + end for n in SEEN_BY[action] for end in ("", "_2d") if n + end in pairs]
        else:
            names = sorted(pairs, key=lambda name: -_clear(pairs[name]))[:_COUNT]
        return [pairs[name] for name in names]

    def _pairs(self, action: str, number: int) -> dict[str, tuple[ActionMeasure, ActionMeasure]]:
        found: dict[str, dict[str, ActionMeasure]] = {}
        for row in self.rows:
            if (row.action, row.number) == (action, number) and row.side in SIDES:
                found.setdefault(row.measure, {})[row.side] = row
        return {n: (both["left"], both["right"]) for n, both in found.items() if len(both) == 2}


def summary(acts: Acts) -> Table | None:
    """Return the summary: per action what each side did, and whether it counts.

    Parameters
    ----------
    acts : Acts
        The actions.

    Returns
    -------
    Table or None
        None where no action is measured on both sides.
    """
    lines = []
    told = {(one.action, one.number): one for one in balances(acts.rows)}
    for action, number in acts.done():
        for place, (left, right) in enumerate(acts.main(action, number)):
            # Of the whole action, so it stands once, at its first measure.
            whole = told.get((action, number)) if place == 0 else None
            line = _line(left, right, acts.affected)
            line["balance (L - R)"] = np.nan if whole is None else whole.balance
            line["leads"] = "" if whole is None else whole.leads or "no movement"
            lines.append(line)
    return Table.of(pd.DataFrame(lines), DECIMALS) if lines else None


def _line(left: ActionMeasure, right: ActionMeasure, affected: str | None) -> dict[str, object]:
    """Return a line of the summary."""
    line: dict[str, object] = {
        "action": f"{left.action} {left.number}",
        "measure": words(left.measure),
    }
    if affected is None:
        line |= {"left": left.excursion, "right": right.excursion}
    else:
        sick, well = (left, right) if affected == "left" else (right, left)
        line |= {"healthy side": well.excursion, f"affected side ({affected})": sick.excursion}
        line["affected / healthy"] = sick.share
    line |= {
        "unit": left.unit,
        "ratio": left.ratio,
        "gate": _gate(left, right),
        "frames with a value": f"{min(left.coverage, right.coverage):.0%}",
    }
    return line


def _gate(left: ActionMeasure, right: ActionMeasure) -> str:
    """Return what the gate says of both sides, in words."""
    reasons = {row.reason for row in (left, right)} - {""}
    if not left.leads:
        return ", ".join(sorted(reasons)) or "no movement"
    still = [row.side for row in (left, right) if not row.moved]
    more = {"neither": "no side moves more"}.get(left.leads, f"{left.leads} moves more")
    return more + (f", no movement on the {still[0]}" if still else "")


def peaks(acts: Acts) -> dict[tuple[str, int], dict[str, int]]:
    """Return the frames of peaks.

    Parameters
    ----------
    acts : Acts
        The actions.

    Returns
    -------
    dict
        Action and number to what is at its peak and the number of the frame, from 1: the first
        measure that moved, of the side that moved more, and of the other where it is another frame.
    """
    found = {}
    for action, number in acts.done():
        moved = [pair for pair in acts.main(action, number) if pair[0].moved or pair[1].moved]
        if not moved:
            continue
        ordered = sorted(moved[0], key=lambda row: -abs(row.excursion))
        shown = {f"{words(r.measure)}, {r.side}": r.peak_frame for r in ordered if r.moved}
        found[action, number] = shown
    return found


def measured(acts: Acts, number: int) -> Part:
    """Return the chapter with all measures of all actions.

    Parameters
    ----------
    acts : Acts
        The actions.
    number : int
        The recording's place in the report, from 1.

    Returns
    -------
    Part
        The table that ``pyfaceau actions measure`` writes, of both sides and what moved.
    """
    table = as_table(acts.rows, ActionMeasure)
    names = "action number zone measure side unit baseline peak peak_time excursion time_to_peak "
    names += "velocity repetitions moved ratio index share leads reason"
    kept = table[names.split()]
    if acts.affected is None:
        kept = kept.drop(columns="share")
    note = (
        "Baseline: median at rest. Peak: 95th percentile within 1 s about the strongest frame. "
        "Lengths in inter-ocular distances (iod). docs/paralysis.md has every formula."
    )
    return Part("All measures", (note,), {}, Table.of(kept, DECIMALS), f"actions-{number}")


def synkinesis(acts: Acts, number: int) -> Part:
    """Return the chapter about synkinesis.

    Parameters
    ----------
    acts : Acts
        The actions.
    number : int
        The recording's place in the report, from 1.

    Returns
    -------
    Part
        A matrix for each side, and every number.
    """
    title = "Synkinesis"
    if not acts.synkinesis:
        said = "None of the actions has a region that is to be looked at meanwhile."
        return Part(title, (said,))
    figures = {}
    actions = list(dict.fromkeys(one.action for one in acts.synkinesis))
    patterns = [c.name for c in COUPLINGS if any(s.coupling == c.name for s in acts.synkinesis)]
    for side in SIDES:
        values = [[_share(acts, name, action, side) for action in actions] for name in patterns]
        key = f"s{number}-synkinesis-{side}"
        figures[key] = matrix(patterns, actions, values, f"Synkinesis, {_role(acts, side)}")
    note = (
        "Movement of a region that was not asked to move, over its own movement when it was asked, "
        "the largest of its measures; 0 where it did not move, an empty cell where nothing is "
        "known. The other side is the control: what an action takes along in health, it takes "
        "along there too."
    )
    table = as_table(acts.synkinesis, Synkinesis)
    return Part(title, (note,), figures, Table.of(table, DECIMALS), f"synkinesis-{number}")


def _share(acts: Acts, coupling: str, action: str, side: str) -> float:
    """Return the largest share of a region's measures, 0 to 1."""
    rows = [
        one
        for one in acts.synkinesis
        if (one.coupling, one.action, one.side) == (coupling, action, side)
    ]
    known = [0.0 if one.moved is False else one.share for one in rows]
    shares = [max(0.0, share) for share in known if not np.isnan(share)]
    return max(shares, default=np.nan)


def _role(acts: Acts, side: str) -> str:
    if acts.affected is None:
        return f"patient's {side}"
    return f"{'affected' if side == acts.affected else 'healthy'} side ({side})"


def longitudinal(sessions: Sequence[str], acts: Sequence[Acts]) -> Part:
    """Return the page about several sessions of a person.

    Parameters
    ----------
    sessions : sequence of str
        Their names, in order.
    acts : sequence of Acts
        Their actions.

    Returns
    -------
    Part
        Mean excursion of each side in the sessions, of the first measure of each action, and how
        far it changed since the first session.
    """
    done = [{action for action, _ in one.done()} for one in acts]
    named = dict.fromkeys(action for one in acts for action, _ in one.done())
    shared = [action for action in named if sum(action in those for those in done) > 1]
    figures, lines = {}, []
    for action in shared:
        names = [_first(one, action) for one in acts]
        name = next((n for n in names if n), None)
        if name is None:
            continue
        means = {s: [_mean(one, action, name, s) for one in acts] for s in SIDES}
        unit = next(r.unit for one in acts for r in one.rows if r.measure == name)
        key = f"all-{action.replace(' ', '-')}"
        figures[key] = sessions_plot(sessions, means, f"{action}: {words(name)}", unit)
        for session, left, right in zip(sessions, means["left"], means["right"], strict=True):
            line: dict[str, object] = {"action": action, "measure": name, "session": session}
            line |= {"left": left, "right": right}
            lines.append(line | _changes(left, right, means))
    note = "No action is in two sessions."
    if lines:
        note = "Means of the excursions where an action was repeated; change since the first one."
    table = Table.of(pd.DataFrame(lines), DECIMALS) if lines else None
    return Part("All sessions", (note,), figures, table)


def _changes(left: float, right: float, means: dict[str, list[float]]) -> dict[str, float]:
    return {
        "change left": left - means["left"][0],
        "change right": right - means["right"][0],
    }


def _first(acts: Acts, action: str) -> str | None:
    """Return the first measure of an action."""
    for name, number in acts.done():
        if name == action and acts.main(name, number):
            return acts.main(name, number)[0][0].measure
    return None


def _mean(acts: Acts, action: str, measure: str, side: str) -> float:
    values = [
        row.excursion
        for row in acts.rows
        if (row.action, row.measure, row.side) == (action, measure, side)
    ]
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else np.nan


def _clear(pair: Iterable[ActionMeasure]) -> float:
    """Return how far a measure rises above its noise."""
    return max(_over_noise(pair), default=0.0)


def _over_noise(pair: Iterable[ActionMeasure]) -> Iterator[float]:
    for row in pair:
        if row.moved:
            yield abs(row.excursion) / row.noise
