"""What a study's manifest says of a video's actions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pyfaceau.actions.intervals import ActionList
from pyfaceau.actions.reading import SUFFIXES, parse_actions, read_actions
from pyfaceau.errors import InputError
from pyfaceau.types import SIDES


def check_manifest(extra: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Check what a manifest's row says of actions and the affected side.

    Parameters
    ----------
    extra : mapping
        The manifest's columns that are not the study's own. ``actions``: a file (from the
        manifest's folder) or ``"rest 0-2; blink 3-3.5"``; ``affected``: ``left``, ``right``,
        ``none`` or empty.
    folder : Path
        The manifest's.

    Returns
    -------
    dict
        The same, with the file's absolute path.

    Raises
    ------
    InputError
        If one is anything else.
    """
    found = dict(extra)
    if found.get("affected", "").strip().lower() not in ("", "none", *SIDES):
        raise InputError(
            f"affected: expected left, right, none or empty, got {found['affected']!r}"
        )
    text = found.get("actions", "").strip()
    if Path(text).suffix.lower() in SUFFIXES:
        found["actions"] = str(folder / text)
    if text:
        actions_of(found)
    return found


def actions_of(extra: Mapping[str, str]) -> ActionList:
    """Return the actions that a row names.

    Parameters
    ----------
    extra : mapping
        As from `check_manifest`.

    Returns
    -------
    ActionList
        The actions; none where the row names none.

    Raises
    ------
    InputError
        As of `pyfaceau.actions.reading.read_actions`.
    """
    text = extra.get("actions", "").strip()
    if not text:
        return ActionList(())
    return read_actions(text) if Path(text).suffix.lower() in SUFFIXES else parse_actions(text)
