"""One recording of a person as a report shows it: table, geometry, what speaks against it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pyfaceau.asymmetry.geometry import measure
from pyfaceau.errors import InputError
from pyfaceau.output.quality import (
    COVERED,
    LOW_CONFIDENCE,
    MARKED,
    MAX_YAW,
    SMALL_FACE,
)
from pyfaceau.output.reading import read
from pyfaceau.report.faces import TableFaces
from pyfaceau.report.provenance import Provenance, check_video, find_provenance

if TYPE_CHECKING:
    import pandas as pd

_UNSEEN = ("eye_lmk_X", "eye_lmk_Y", "eye_lmk_Z", "p_")
_QUALITY = ".quality.csv.gz"
_SUFFIXES = (".csv.gz", ".csv", ".parquet")


@dataclass(frozen=True, eq=False)
class Session:
    """One recording of a person.

    Attributes
    ----------
    name : str
        What it is called in the report.
    path : Path
        Its table.
    table, geometry : DataFrame
        What was measured, and both sides of it; see `pyfaceau.read` and
        `pyfaceau.asymmetry.geometry.measure`.
    faces : TableFaces
        Where the face is.
    video : Path or None
        The recording, where pictures may be shown.
    mirrored : bool
        It is mirrored.
    provenance : Provenance or None
        Where the table comes from, where that is known.
    warnings : tuple of str
        What speaks against it, a clause each.
    """

    name: str
    path: Path
    table: pd.DataFrame
    geometry: pd.DataFrame
    faces: TableFaces
    video: Path | None
    mirrored: bool
    provenance: Provenance | None
    warnings: tuple[str, ...]

    @property
    def split(self) -> bool:
        """Whether there are action units of each side."""
        return "AU12_r_left" in self.table

    @property
    def free(self) -> bool:
        """Whether it was measured with profile ``free``."""
        return _of_free(self.table)


def open_session(
    path: Path, video: Path | None, mirrored_input: bool | None = None, name: str = ""
) -> Session:
    """Read a table for a report.

    Parameters
    ----------
    path : Path
        The table.
    video : Path or None
        Its video, which is looked at where its checksum is known.
    mirrored_input : bool, optional
        The recording is mirrored; if not given, as it was measured.
    name : str
        What it is called; the table's name if empty.

    Returns
    -------
    Session
        The recording.

    Raises
    ------
    InputError
        If the table is none of a video, has several faces in a frame, no landmarks, or no face at
        all; was changed since; or the video is another one.
    """
    table = read(path, _is_shown)
    try:
        faces = TableFaces.of_video(table)
        if not (table["success"] == 1).any():
            raise InputError("no frame has a face: there is nothing to be reported")
        found = find_provenance(path)
        mirrored = mirrored_input
        if mirrored is None:
            mirrored = found is not None and found.settings.mirrored_input
        geometry = measure(table, mirrored_input=mirrored)
    except InputError as error:
        text = str(error)
        raise InputError(text if text.startswith(str(path)) else f"{path}: {text}") from None
    if video is not None:
        if not video.exists():
            raise InputError(f"{video}: no such file")
        check_video(found, path, video)
    said = (*_said(path, table), *_origin(found, path))
    return Session(name or path.stem, path, table, geometry, faces, video, mirrored, found, said)


def _is_shown(column: str) -> bool:
    """Return whether a report needs a column; the rest is a quarter of a long video's memory."""
    return not column.startswith(_UNSEEN)


def _said(path: Path, table: pd.DataFrame) -> Iterator[str]:
    """Yield what speaks against a table."""
    rows, faces = len(table), table[table["success"] == 1]
    if len(faces) < rows:
        yield f"{rows - len(faces)} of {rows} frames have no face"
    if "pose_Rx" in faces and "pose_Ry" in faces:
        away = np.degrees(np.arccos(np.cos(faces["pose_Rx"]) * np.cos(faces["pose_Ry"])))
        turned = int((away > MAX_YAW).sum())
        if turned:
            yield f"{turned} frames: the head is turned away by more than {MAX_YAW:.0f} degrees"
    doubted = int((faces["confidence"] < LOW_CONFIDENCE).sum())
    if doubted:
        yield f"{doubted} frames: landmarks of low confidence"
    eyes = np.hypot(faces["x_45"] - faces["x_36"], faces["y_45"] - faces["y_36"])
    small = int((eyes < SMALL_FACE).sum())
    if small:
        yield f"{small} frames: the eyes are less than {SMALL_FACE:.0f} pixels apart"
    yield from _sides(table)
    yield from _marks(path)


def _of_free(table: pd.DataFrame) -> bool:
    return "AU12_bs_left" in table


def no_units(table: pd.DataFrame) -> str:
    """Say why a table has no action units of each side, in words that a sentence begins with.

    Parameters
    ----------
    table : DataFrame
        A table without ``AUxx_r_left``.

    Returns
    -------
    str
        What to do about it, or that profile ``free`` has none.
    """
    if _of_free(table):
        return (
            "no action units of OpenFace's models, as profile free has none: what it has of each "
            "side, AUxx_bs, is drawn as curves"
        )
    return "no action units of each side: measure with --split-face"


def _sides(table: pd.DataFrame) -> Iterator[str]:
    """Yield what of the sides cannot be seen."""
    if "AU12_r_left" not in table:
        yield no_units(table)
        return
    seen = table["AU12_r_left"].notna() & (table["success"] == 1)
    hidden = int((table["success"] == 1).sum() - seen.sum())
    if not seen.any():
        yield "one side is never visible: no frame has action units of both sides"
    elif hidden:
        yield f"{hidden} frames: a side is hidden, it has no action units there"


def _marks(path: Path) -> Iterator[str]:
    """Yield what the quality file beside a table says beyond that."""
    import pandas as pd

    suffix = next((end for end in _SUFFIXES if path.name.lower().endswith(end)), "")
    file = path.with_name(path.name[: len(path.name) - len(suffix)] + _QUALITY)
    if not file.is_file():
        return
    try:
        quality = pd.read_csv(file)
    except (OSError, EOFError, ValueError):
        yield f"{file.name} cannot be read"
        return
    for flag, text in {"blurred": "are blurred", "dark": "are too dark", **MARKED}.items():
        count = int(quality[flag].sum()) if flag in quality else 0
        if count:
            yield f"{count} frames {text}"
    for flag, text in COVERED.items():
        count = int(quality[flag].sum()) if flag in quality else 0
        if count > len(quality) / 2:
            yield f"{count} frames {text}"


def _origin(found: Provenance | None, path: Path) -> Iterator[str]:
    """Yield what is not known of a table's origin."""
    if found is None:
        yield (
            f"{path.name}: made by whom, of which video and with which models is not on record "
            "(measure with --provenance, or in a study)"
        )
