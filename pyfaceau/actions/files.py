"""Actions of a table, as files beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pyfaceau.actions.balance import Balance, balances
from pyfaceau.actions.intervals import ActionList
from pyfaceau.actions.measures import NO_VALUE, ActionMeasure, measure_actions
from pyfaceau.actions.reliability import (
    NEEDED,
    Agreement,
    Reliability,
    agreement,
    reliability,
)
from pyfaceau.actions.synkinesis import Synkinesis, measure_synkinesis
from pyfaceau.actions.tidy import as_table, read_tidy, write_table
from pyfaceau.errors import InputError
from pyfaceau.output.reading import read
from pyfaceau.output.table_formats import SUFFIXES


def write_actions(
    table: Path, actions: ActionList, target: Path, affected: str | None = None, **options: Any
) -> tuple[list[Path], list[str]]:
    """Write what came of each action, and synkinesis.

    Parameters
    ----------
    table : Path
        Of a video.
    actions : ActionList
        When what was done.
    target : Path
        ``NAME.csv``, ``.csv.gz`` or ``.parquet``.
    affected : {'left', 'right'}, optional
        The paretic side.
    **options
        Of `measure_actions`.

    Returns
    -------
    list of Path
        `target`, ``NAME_synkinesis`` and ``NAME_balance`` beside it.
    list of str
        What a reader should know of them, a clause each.

    Raises
    ------
    InputError
        If the table or the actions do not fit each other.
    OutputError
        If a file cannot be written.
    """
    data = read(table)
    try:
        rows = measure_actions(data, actions, affected, **options)
    except InputError as error:
        raise InputError(f"{table}: {error}") from None
    couplings = as_table(measure_synkinesis(rows, affected), Synkinesis)
    written = [
        write_table(as_table(rows, ActionMeasure), target),
        write_table(couplings, beside(target, "synkinesis")),
        write_table(as_table(balances(rows), Balance), beside(target, "balance")),
    ]
    return written, list(said(rows))


def write_reliability(table: Path, target: Path, over: str) -> tuple[list[Path], list[str]]:
    """Write the reliability of a study's actions.

    Parameters
    ----------
    table : Path
        As `pyfaceau study export --actions` writes it.
    target : Path
        ``NAME.csv``, ``.csv.gz`` or ``.parquet``.
    over : {'session', 'repetition'}
        What is repeated.

    Returns
    -------
    list of Path
        `target` and ``NAME_bland_altman`` beside it.
    list of str
        What a reader should know of them, a clause each.

    Raises
    ------
    InputError
        If the table is another, or the extra ``[reliability]`` is not installed.
    OutputError
        If a file cannot be written.
    """
    data = read_tidy(table, NEEDED)
    try:
        rows, pairs = reliability(data, over), agreement(data, over)
    except InputError as error:
        raise InputError(f"{table}: {error}") from None
    written = [
        write_table(as_table(rows, Reliability), target),
        write_table(as_table(pairs, Agreement), beside(target, "bland_altman")),
    ]
    empty = sum(bool(row.reason) for row in rows)
    clauses = [f"{empty} of {len(rows)} measures have no value, see reason"] if empty else []
    if dropped := max(row.dropped for row in rows):
        clauses.append(f"up to {dropped} targets of a measure lack a {over} and are left out")
    return written, clauses


def beside(target: Path, kind: str) -> Path:
    """Return the name of a table beside another.

    Parameters
    ----------
    target : Path
        ``NAME.csv``, ``.csv.gz`` or ``.parquet``.
    kind : str
        What it is.

    Returns
    -------
    Path
        ``NAME_kind`` of the same ending.
    """
    suffix = next((end for end in SUFFIXES[::-1] if target.name.lower().endswith(end)), "")
    return target.with_name(f"{target.name[: len(target.name) - len(suffix)]}_{kind}{suffix}")


def said(rows: list[ActionMeasure]) -> Iterator[str]:
    """Yield what a reader should know.

    Parameters
    ----------
    rows : list of ActionMeasure
        Of a video.

    Yields
    ------
    str
        A clause.
    """
    if not rows:
        yield "no action but rest: nothing is measured"
        return
    sources = {row.baseline_from for row in rows}
    if "between" in sources:
        yield "no interval called rest: frames outside all actions are the baseline"
    if sources == {"none"}:
        yield "no resting frames: no baseline, so no excursion; name an interval 'rest'"
    empty = sorted({row.measure for row in rows if row.side != "whole"})
    gone = [
        f"{name} {side}"
        for name in empty
        for side in ("left", "right")
        if all(r.reason == NO_VALUE for r in rows if (r.measure, r.side) == (name, side))
    ]
    if gone:
        yield f"never a value of {', '.join(gone[:4])}{', ...' if len(gone) > 4 else ''}"
    thin = sorted({(r.action, r.number) for r in rows if r.side == "whole" and r.coverage < 0.5})
    for name, number in thin:
        yield f"{name} {number}: a face in fewer than half of its frames"
    if not any(row.side != "whole" for row in rows):
        yield "no measures of a side: make the table with --split-face, or with landmarks"
