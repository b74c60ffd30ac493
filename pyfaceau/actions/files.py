"""Actions of a table, as files beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pyfaceau.actions.intervals import ActionList
from pyfaceau.actions.measures import NO_VALUE, ActionMeasure, measure_actions
from pyfaceau.actions.synkinesis import Synkinesis, measure_synkinesis
from pyfaceau.actions.tidy import as_table, write_table
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
        `target` and ``NAME_synkinesis`` beside it.
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
    suffix = next((end for end in SUFFIXES[::-1] if target.name.lower().endswith(end)), "")
    beside = target.with_name(f"{target.name[: len(target.name) - len(suffix)]}_synkinesis{suffix}")
    written = [
        write_table(as_table(rows, ActionMeasure), target),
        write_table(as_table(measure_synkinesis(rows, affected), Synkinesis), beside),
    ]
    return written, list(said(rows))


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
