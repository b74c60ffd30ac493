"""A report of one or several recordings of a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pyfaceau.errors import InputError
from pyfaceau.features.interval import parse_interval
from pyfaceau.report.contents import asymmetry_over_time, blinks, curves
from pyfaceau.report.page import ActionPictures, Picture, SessionPage, write_page
from pyfaceau.report.plots import Band
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
        Seconds at rest, such as ``"0-2"``, where no action is named rest.
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
        If a table is none of a video of one face, is of another video, or has no face.
    VideoError
        If a video cannot be read.
    OutputError
        If the page cannot be written.
    """
    wishes = wishes or Wishes()
    if videos and len(videos) != len(tables):
        raise InputError(f"video: expected one for each of {len(tables)} tables, got {len(videos)}")
    shown = [*videos] if videos else [None] * len(tables)
    names = _names(tables)
    sessions = [
        open_session(table, video, wishes.mirrored_input, name)
        for table, video, name in zip(tables, shown, names, strict=True)
    ]
    pages = [_page(session, number, wishes) for number, session in enumerate(sessions, 1)]
    title = f"Facial movement: {', '.join(names)}" if len(names) < 4 else "Facial movement"
    write_page(output, title, pages, None, command)
    return [f"{page.name}: {line}" for page in pages for line in page.warnings]


def _page(session: Session, number: int, wishes: Wishes) -> SessionPage:
    """Return what the report shows of one recording."""
    bands: list[Band] = []
    rest = _rest(session, wishes.rest)
    parts = [
        *curves(session, number, bands),
        asymmetry_over_time(session, number, bands, rest, wishes.affected),
        blinks(session, number, bands),
    ]
    rows, faces = len(session.table), int((session.table["success"] == 1).sum())
    seconds = float(session.table["timestamp"].iloc[-1] - session.table["timestamp"].iloc[0])
    notes = (f"{rows} frames in {seconds:.1f} s, {faces} with a face.",)
    found = session.provenance
    return SessionPage(
        name=session.name,
        notes=notes,
        summary=None,
        warnings=session.warnings,
        pictures=_pictures(session, rest, wishes),
        no_pictures="" if session.video and wishes.pictures else "Without pictures.",
        parts=tuple(parts),
        provenance="not on record" if found is None else found.line,
    )


def _pictures(session: Session, rest: Any, wishes: Wishes) -> tuple[ActionPictures, ...]:
    """Return the face at rest and at its largest smile."""
    if session.video is None or not wishes.pictures:
        return ()
    good = (session.table["success"] == 1).to_numpy()
    moments: dict[str, int] = {}
    if rest is not None and (rest & good).any():
        still = np.flatnonzero(rest & good)
        moments["rest"] = int(still[len(still) // 2])
    if "AU12_r" in session.table:
        values = np.where(good, session.table["AU12_r"].to_numpy(np.float64), -1.0)
        moments["largest AU12"] = int(values.argmax())
    found = face_pictures(session, set(moments.values()), wishes.blur_eyes)
    times = session.table["timestamp"]
    pictures = tuple(
        Picture(
            f"{what}, {times.iloc[row]:.3f} s, frame {session.faces.frames[row] + 1}", found[row]
        )
        for what, row in moments.items()
        if row in found
    )
    return (ActionPictures("Whole recording", pictures),) if pictures else ()


def _moment(session: Session, row: int) -> str:
    """Return a row's time and frame in words."""
    time, frame = session.table["timestamp"].iloc[row], session.table.index[row]
    return f"{time:.3f} s, frame {frame}"


def _rest(session: Session, text: str) -> Any:
    """Return which frames are at rest; None where nobody said."""
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
