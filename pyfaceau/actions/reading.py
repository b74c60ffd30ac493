"""Actions from files: CSV, captions, ELAN; and from a cell of a manifest."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn
from xml.etree import ElementTree
from xml.parsers import expat

from pyfaceau.actions.intervals import ActionList, Interval
from pyfaceau.errors import InputError

CAPTIONS = (".srt", ".vtt")
"""SubRip and WebVTT."""

SUFFIXES = (".csv", *CAPTIONS, ".eaf")
"""What a file of actions may be."""

_CELL = re.compile(r"\s*(?P<name>.*?)\s*(?P<start>\d+(?:\.\d+)?)\s*-\s*(?P<end>\d+(?:\.\d+)?)\s*")

Found = tuple[str, str, float, float]
"""Where it stands, name, start, end."""


def read_actions(
    path: str | Path, *, tier: str | None = None, accept_suggestions: bool = False
) -> ActionList:
    """Read when a person did what.

    Parameters
    ----------
    path : str or Path
        ``.csv`` with columns action, start, end (seconds); captions ``.srt`` or ``.vtt`` whose text
        is the action's name; ELAN's ``.eaf``.
    tier : str, optional
        The tier of an ``.eaf`` that has several.
    accept_suggestions : bool
        Take what `pyfaceau actions suggest` proposed and nobody has checked.

    Returns
    -------
    ActionList
        The actions; an empty caption or annotation is refused, not left out.

    Raises
    ------
    InputError
        If the file cannot be read or is none of these, has no action, or one has no name, is
        reversed, overlaps another, or is an unchecked suggestion.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(f"{path}: expected actions as {', '.join(SUFFIXES)}")
    if tier is not None and suffix != ".eaf":
        raise InputError(f"{path}: a tier is named, and only .eaf has tiers")
    try:
        if suffix == ".csv":
            found = list(_of_csv(path, accept_suggestions))
        elif suffix == ".eaf":
            found = list(_of_elan(path, tier))
        else:
            found = list(_of_captions(path))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: expected text in UTF-8") from None
    return _listed(str(path), found)


def parse_actions(text: str) -> ActionList:
    """Read a manifest's cell.

    Parameters
    ----------
    text : str
        ``"rest 0-2; smile lips open 3.5-6"``: names and seconds, separated by semicolons.

    Returns
    -------
    ActionList
        The actions.

    Raises
    ------
    InputError
        If the text is anything else, or as of `read_actions`.
    """
    found = []
    for part in filter(str.strip, text.split(";")):
        match = _CELL.fullmatch(part)
        if match is None:
            raise InputError(f"actions: expected NAME START-END; ..., got {part.strip()!r}")
        found.append(("", match["name"], float(match["start"]), float(match["end"])))
    return _listed("actions", found)


def _listed(source: str, found: list[Found]) -> ActionList:
    """Return actions, or say which of them is wrong."""
    if not found:
        raise InputError(f"{source}: expected actions, got none")
    intervals = []
    for where, name, start, end in found:
        try:
            intervals.append(Interval(name, start, end))
        except InputError as error:
            raise InputError(f"{source}{where}: {error}") from None
    try:
        return ActionList(tuple(intervals))
    except InputError as error:
        raise InputError(f"{source}: {error}") from None


def _of_csv(path: Path, accept_suggestions: bool) -> Iterator[Found]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        table = csv.DictReader(file, restval="", skipinitialspace=True)
        names = [str(name).strip().lower() for name in table.fieldnames or ()]
        if not {"action", "start", "end"} <= set(names):
            raise InputError(f"{path}: expected columns action, start, end, got {names[:6]}")
        table.fieldnames = names
        rows = []
        for row in table:
            if None in row:
                raise InputError(f"{path}, line {table.line_num}: more cells than columns")
            rows.append((table.line_num, {key: value.strip() for key, value in row.items()}))
    guessed = [line for line, row in rows if row.get("suggested", "") not in ("", "0")]
    if guessed and not accept_suggestions:
        raise InputError(
            f"{path}: {len(guessed)} actions are suggestions that nobody checked (line "
            f"{guessed[0]}): correct them and put 0 into column suggested, or --accept-suggestions"
        )
    for line, row in rows:
        try:
            start, end = float(row["start"]), float(row["end"])
        except ValueError:
            raise InputError(
                f"{path}, line {line}: expected start and end in seconds, "
                f"got {row['start']!r}, {row['end']!r}"
            ) from None
        yield f", line {line}", row["action"], start, end


def _of_captions(path: Path) -> Iterator[Found]:
    import pysubs2

    text = path.read_text(encoding="utf-8-sig")
    try:
        captions = pysubs2.SSAFile.from_string(text, format_=path.suffix[1:].lower())
    except (pysubs2.Pysubs2Error, ValueError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path}: cannot be read as captions: {reason}") from None
    for number, event in enumerate(captions, 1):
        yield f", caption {number}", event.plaintext, event.start / 1000, event.end / 1000


def _of_elan(path: Path, tier: str | None) -> Iterator[Found]:
    root = _safe_tree(path)
    if root.tag != "ANNOTATION_DOCUMENT":
        raise InputError(f"{path}: expected an ELAN document, got <{root.tag}>")
    chosen = _tier(path, root, tier)
    times = {slot.get("TIME_SLOT_ID"): slot.get("TIME_VALUE") for slot in root.iter("TIME_SLOT")}
    if chosen.find("ANNOTATION/REF_ANNOTATION") is not None:
        raise InputError(f"{path}: tier {chosen.get('TIER_ID')!r} has no times: name its parent")
    for number, one in enumerate(chosen.iter("ALIGNABLE_ANNOTATION"), 1):
        ends = [times.get(one.get(f"TIME_SLOT_REF{i}")) for i in (1, 2)]
        try:
            start, end = (int(value or "") / 1000 for value in ends)
        except ValueError:
            raise InputError(
                f"{path}, annotation {number}: expected a start and an end in milliseconds, "
                f"got {ends}"
            ) from None
        yield f", annotation {number}", one.findtext("ANNOTATION_VALUE") or "", start, end


def _tier(path: Path, root: Any, name: str | None) -> Any:
    """Return the tier that is meant."""
    tiers = {str(t.get("TIER_ID")): t for t in root.iter("TIER")}
    if name is not None:
        if name not in tiers:
            raise InputError(f"{path}: expected a tier of {sorted(tiers)}, got {name!r}")
        return tiers[name]
    filled = [t for t in tiers if tiers[t].find("ANNOTATION") is not None]
    if len(filled) > 1:
        raise InputError(f"{path}: expected one tier, got {sorted(filled)}: name one with --tier")
    if not filled:
        raise InputError(f"{path}: expected actions, got none")
    return tiers[filled[0]]


def _safe_tree(path: Path) -> Any:
    """Return an XML file's tree, after a document type, which can make one explode, is refused."""

    def refuse(*_: object) -> NoReturn:
        raise InputError(f"{path}: has a document type (DOCTYPE), which no ELAN file needs")

    data = path.read_bytes()
    guard = expat.ParserCreate()
    guard.StartDoctypeDeclHandler = refuse
    try:
        guard.Parse(data, True)
        return ElementTree.fromstring(data)  # noqa: S314 - nothing can be declared in it
    except (expat.ExpatError, ElementTree.ParseError, LookupError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: cannot be read as XML: {error}") from None
