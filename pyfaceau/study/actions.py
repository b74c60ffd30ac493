"""What came of the actions of a study's videos, and what changed from session to session."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyfaceau.actions.files import beside, said
from pyfaceau.actions.manifest import actions_of
from pyfaceau.actions.measures import ActionMeasure, measure_actions
from pyfaceau.actions.reliability import Change, changes
from pyfaceau.actions.synkinesis import Synkinesis, measure_synkinesis
from pyfaceau.actions.tidy import as_table, write_table
from pyfaceau.errors import InputError
from pyfaceau.output.reading import read
from pyfaceau.study.files import TABLE, output_path
from pyfaceau.study.ledger import Ledger
from pyfaceau.types import SIDES

if TYPE_CHECKING:
    import pandas as pd

KEYS = ("subject", "session", "video")


def export_actions(out: Path, target: Path) -> tuple[list[Path], list[str]]:
    """Write what came of the actions of all finished videos.

    Parameters
    ----------
    out : Path
        The study's output folder.
    target : Path
        The export, ``NAME.csv`` or ``.parquet``.

    Returns
    -------
    list of Path
        ``NAME_actions``, ``NAME_synkinesis``, and, where a subject has several sessions,
        ``NAME_change``.
    list of str
        What a reader should know of them, a clause each.

    Raises
    ------
    InputError
        If no manifest of the study names actions, or those of a video do not fit it.
    OutputError
        If a file cannot be written.
    """
    with Ledger(out) as ledger:
        rows, last = ledger.rows("done"), ledger.last_run()
    settings = {} if last is None else json.loads(last["options"])["config"]
    mirrored = bool(settings.get("mirrored_input", False))
    rows.sort(key=lambda row: (row["subject"], row["session"], row["name"]))
    marked = [row for row in rows if row["extra"].get("actions", "").strip()]
    if not marked:
        raise InputError(f"{out}: expected a manifest with a column 'actions', got none")
    parts, couplings, clauses = [], [], []
    for row in marked:
        affected = row["extra"].get("affected", "").strip().lower()
        side = affected if affected in SIDES else None
        try:
            found = measure_actions(
                read(output_path(out, row["name"], TABLE)),
                actions_of(row["extra"]),
                side,
                mirrored_input=mirrored,
            )
        except InputError as error:
            raise InputError(f"{row['name']}: {error}") from None
        parts.append(_keyed(found, ActionMeasure, row))
        couplings.append(_keyed(measure_synkinesis(found, side), Synkinesis, row))
        clauses += [f"{row['name']}: {clause}" for clause in said(found)]
    if len(marked) < len(rows):
        clauses.append(f"{len(rows) - len(marked)} videos name no actions and are not in here")
    return _written(target, parts, couplings), clauses


def _keyed(rows: list[Any], kind: type, row: Mapping[str, Any]) -> pd.DataFrame:
    """Return rows of one video under its keys."""
    table = as_table(rows, kind)
    for place, name in enumerate(KEYS):
        table.insert(place, name, str(row["name" if name == "video" else name]))
    return table


def _written(target: Path, parts: list[pd.DataFrame], couplings: list[pd.DataFrame]) -> list[Path]:
    import pandas as pd

    together = pd.concat(parts, ignore_index=True)
    written = [
        write_table(together, beside(target, "actions")),
        write_table(pd.concat(couplings, ignore_index=True), beside(target, "synkinesis")),
    ]
    if together["excursion"].notna().any() and (changed := changes(together)):
        written.append(write_table(as_table(changed, Change), beside(target, "change")))
    return written
