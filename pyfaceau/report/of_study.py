"""A report of each finished video of a study."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from pyfaceau.actions.manifest import actions_of
from pyfaceau.errors import PyfaceauError
from pyfaceau.report.report import Wishes, write_report
from pyfaceau.study.files import REPORT, TABLE, output_path
from pyfaceau.study.ledger import Ledger
from pyfaceau.types import SIDES


def study_reports(
    out: Path, wishes: Wishes | None = None, command: str = "", *, force: bool = False
) -> Iterator[tuple[str, Path, str]]:
    """Write a report beside each table of a study, from the actions that its manifest names.

    Reports that are newer than their tables are left as they are, so that a run goes on where it
    ended.

    Parameters
    ----------
    out : Path
        The study's output folder.
    wishes : Wishes, optional
        What they are to show; a manifest's column ``affected`` goes before `Wishes.affected`.
    command : str
        What is said to have made them.
    force : bool
        Write all anew.

    Yields
    ------
    name : str
        A finished video.
    path : Path
        Its report.
    trouble : str
        Why there is none; empty where there is.

    Raises
    ------
    InputError
        If there is no study in the folder.
    """
    with Ledger(out) as ledger:
        rows = ledger.rows("done")
    for row in sorted(rows, key=lambda row: str(row["name"])):
        name, path = str(row["name"]), output_path(out, row["name"], REPORT)
        trouble = ""
        if force or not _newer(path, output_path(out, name, TABLE)):
            try:
                _write(row, output_path(out, name, TABLE), path, wishes or Wishes(), command)
            except PyfaceauError as error:
                trouble = str(error)
        yield name, path, trouble


def _newer(path: Path, table: Path) -> bool:
    return path.is_file() and table.is_file() and path.stat().st_mtime >= table.stat().st_mtime


def _write(row: dict[str, Any], table: Path, path: Path, wishes: Wishes, command: str) -> None:
    affected = row["extra"].get("affected", "").strip().lower()
    if affected:
        wishes = replace(wishes, affected=affected if affected in SIDES else None)
    actions = actions_of(row["extra"])
    write_report(
        [table],
        path,
        videos=[row["source"]] if wishes.pictures else [],
        actions=[actions] if actions.intervals else [],
        names=[str(row["name"])],
        wishes=wishes,
        command=command,
    )
