"""A report of one or several recordings of a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pyfaceau.actions.intervals import ActionList
from pyfaceau.actions.measures import resting_frames
from pyfaceau.actions.reading import read_actions
from pyfaceau.errors import InputError
from pyfaceau.features.interval import parse_interval
from pyfaceau.report.acts import Acts, longitudinal, measured, peaks, summary, synkinesis
from pyfaceau.report.contents import asymmetry_over_time, blinks, curves
from pyfaceau.report.page import ActionPictures, Picture, SessionPage, write_page
from pyfaceau.report.session import Session, open_session
from pyfaceau.report.stills import face_pictures


@dataclass(frozen=True)
class Wishes:
    """What a report is to show.

    Attributes
    ----------
    affected : {'left', 'right'} or None
        The paretic side.
    rest : str
        Seconds at rest, such as ``"0-2"``, where no actions are given.
    mirrored_input : bool or None
        The recordings are mirrored; None: as they were measured.
    pictures : bool
        Show pictures.
    blur_eyes : bool
        Make eyes and brows unrecognisable in them.
    """

    affected: str | None = None
    rest: str = ""
    mirrored_input: bool | None = None
    pictures: bool = True
    blur_eyes: bool = False


def write_report(
    tables: Sequence[Path],
    output: Path,
    *,
    videos: Sequence[Path] = (),
    actions: Sequence[Path | ActionList] = (),
    names: Sequence[str] = (),
    wishes: Wishes | None = None,
    command: str = "",
) -> list[str]:
    """Write a report as one file that opens without a network.

    Parameters
    ----------
    tables : sequence of Path
        One table, or those of several sessions of a person in order.
    output : Path
        The page, .html.
    videos : sequence of Path
        Their videos, in the same order; none for a report without pictures.
    actions : sequence of (Path or ActionList)
        When what was done in each, in the same order: files as `read_actions` takes them, or what
        it gives.
    names : sequence of str
        What the recordings are called, in the same order; after their tables if not given.
    wishes : Wishes, optional
        What it is to show.
    command : str
        What is said to have made it.

    Returns
    -------
    list of str
        What is to be said on the terminal: warnings, with the recording's name.

    Raises
    ------
    InputError
        If a table is none of a video of one face, is of another video, or has no face; if an
        action lies outside its video.
    VideoError
        If a video cannot be read.
    OutputError
        If the page cannot be written.
    """
    wishes = wishes or Wishes()
    for name, given in (("video", videos), ("actions", actions), ("name", names)):
        if given and len(given) != len(tables):
            wanted = f"one for each of {len(tables)} tables"
            raise InputError(f"{name}: expected {wanted}, got {len(given)}")
    names = [*names] or _names(tables)
    sessions = [
        open_session(table, videos[k] if videos else None, wishes.mirrored_input, names[k])
        for k, table in enumerate(tables)
    ]
    acts = [_acts(session, actions, k, wishes) for k, session in enumerate(sessions)]
    pages = [
        _page(session, done, number, wishes)
        for number, (session, done) in enumerate(zip(sessions, acts, strict=True), 1)
    ]
    told = [one for one in acts if one is not None]
    together = longitudinal(names, told) if len(told) == len(tables) > 1 else None
    title = f"Facial movement: {', '.join(names)}" if len(names) < 4 else "Facial movement"
    write_page(output, title, pages, together, command)
    return [f"{page.name}: {line}" for page in pages for line in page.warnings]


def _acts(
    session: Session, actions: Sequence[Path | ActionList], number: int, wishes: Wishes
) -> Acts | None:
    """Return what came of a recording's actions; None where none are given."""
    if not actions:
        return None
    given = actions[number]
    if isinstance(given, ActionList):
        return Acts.of(session, given, wishes.affected)
    try:
        return Acts.of(session, read_actions(given), wishes.affected)
    except InputError as error:
        text, path = str(error), str(given)
        raise InputError(text if text.startswith(path) else f"{path}: {text}") from None


def _page(session: Session, acts: Acts | None, number: int, wishes: Wishes) -> SessionPage:
    """Return what the report shows of one recording."""
    bands = [] if acts is None else acts.bands
    rest = _rest(session, acts, wishes.rest)
    parts = [
        *curves(session, number, bands),
        asymmetry_over_time(session, number, bands, rest, wishes.affected),
        blinks(session, number, bands),
    ]
    warnings = session.warnings
    if acts is not None:
        parts += [synkinesis(acts, number), measured(acts, number)]
        warnings = (*warnings, *acts.notes)
    rows, faces = len(session.table), int((session.table["success"] == 1).sum())
    seconds = float(session.table["timestamp"].iloc[-1] - session.table["timestamp"].iloc[0])
    notes = [f"{rows} frames in {seconds:.1f} s, {faces} with a face."]
    if acts is None:
        notes.append("No actions are given (--actions): curves of the whole recording only.")
    else:
        notes.append(
            "The balance is that of the whole action, over several measures, -1 to 1: positive "
            "where the patient's left does more. It names a side more surely than one measure."
        )
    found = session.provenance
    return SessionPage(
        name=session.name,
        notes=tuple(notes),
        summary=None if acts is None else summary(acts),
        warnings=warnings,
        pictures=_pictures(session, acts, rest, wishes),
        no_pictures="" if session.video and wishes.pictures else "Without pictures.",
        parts=tuple(parts),
        provenance="not on record" if found is None else found.line,
    )


def _pictures(
    session: Session, acts: Acts | None, rest: Any, wishes: Wishes
) -> tuple[ActionPictures, ...]:
    """Return the face at rest and at the peak of each action, or at its largest smile."""
    if session.video is None or not wishes.pictures:
        return ()
    good = (session.table["success"] == 1).to_numpy()
    still: dict[str, int] = {}
    if rest is not None and (rest & good).any():
        calm = np.flatnonzero(rest & good)
        still["rest"] = int(calm[len(calm) // 2])
    moments: dict[str, dict[str, int]] = {}
    places = {int(frame): row for row, frame in enumerate(session.table.index)}
    if acts is not None:
        for (action, number), frames in peaks(acts).items():
            at = {what: places[frame] for what, frame in frames.items()}
            moments[f"{action} {number}"] = still | at
    if not moments and "AU12_r" in session.table:
        values = np.where(good, session.table["AU12_r"].to_numpy(np.float64), -1.0)
        moments["Whole recording"] = {**still, "largest AU12": int(values.argmax())}
    wanted = {row for rows in moments.values() for row in rows.values()}
    found = face_pictures(session, wanted, wishes.blur_eyes)
    shown = []
    for name, rows in moments.items():
        pictures = [
            Picture(f"{what}, {_moment(session, row)}", found[row])
            for what, row in rows.items()
            if row in found
        ]
        if pictures:
            shown.append(ActionPictures(name, tuple(pictures)))
    return tuple(shown)


def _moment(session: Session, row: int) -> str:
    """Return a row's time and frame in words."""
    time, frame = session.table["timestamp"].iloc[row], session.table.index[row]
    return f"{time:.3f} s, frame {frame}"


def _rest(session: Session, acts: Acts | None, text: str) -> Any:
    """Return which frames are at rest; None where nobody said."""
    if acts is not None:
        rest, source = resting_frames(session.table, acts.intervals)
        return None if source == "none" else rest
    if not text:
        return None
    try:
        start, end = parse_interval(text)
    except InputError as error:
        raise InputError(str(error).replace("neutral", "--rest", 1)) from None
    rest = session.table["timestamp"].between(start, end).to_numpy()
    if not (rest & (session.table["success"] == 1).to_numpy()).any():
        raise InputError(f"{session.path}: --rest {text}: no frame with a face in these seconds")
    return rest


def _names(tables: Sequence[Path]) -> list[str]:
    """Return a name for each table, with its folder where two would be alike."""
    plain = [table.name.split(".")[0] for table in tables]
    if len(set(plain)) == len(plain):
        return plain
    return [f"{table.parent.name}/{name}" for table, name in zip(tables, plain, strict=True)]
