"""Labels of action units as people have them: a CSV with a row per frame or per interval."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pyfaceau.errors import InputError
from pyfaceau.types import AU_INTENSITIES, AU_PRESENCES, Float64

_COLUMN = re.compile(r"AU0*(\d+)(?:_([rc]))?(?:_(left|right))?(?:_([rc]))?", re.IGNORECASE)
_PERSON = ("person", "subject", "identity")
_KNOWN = AU_INTENSITIES + AU_PRESENCES


@dataclass(frozen=True)
class Target:
    """What a column of labels says: an intensity or presence, of the face or of one side.

    Attributes
    ----------
    name : str
        Of `AU_INTENSITIES` or `AU_PRESENCES`, such as ``"AU12_r"``.
    side : str
        The patient's ``"left"`` or ``"right"``; empty for the whole face.
    """

    name: str
    side: str = ""

    def __str__(self) -> str:
        return f"{self.name}_{self.side}" if self.side else self.name


@dataclass(frozen=True, eq=False)
class Labels:
    """A file of labels.

    Attributes
    ----------
    path : Path
        The file.
    table : DataFrame
        A row per row of the file: ``video``, ``person`` (empty where not known), ``frame`` (from
        1), ``timestamp``, ``start``, ``end`` (seconds; NaN where not given). Its index is the
        line of the file.
    values : (rows, targets) float64
        NaN where there is no label.
    targets : tuple of Target
        Columns of `values`.
    notes : tuple of str
        What was left out of the file, a line each.
    """

    path: Path
    table: pd.DataFrame
    values: Float64
    targets: tuple[Target, ...]
    notes: tuple[str, ...] = field(default=())


def read_labels(path: str | Path) -> Labels:
    """Read a CSV of labels.

    Columns: ``video``; ``frame`` (from 1, as in the tables), or ``start`` and ``end`` (seconds,
    both ends belong to it), or ``timestamp`` (seconds, the nearest frame); ``person`` or
    ``subject``, optional; and action units: ``AU12_r`` (0 to 5), ``AU12_c`` (0 or 1), or ``AU12``,
    which is a presence where all its values are 0 or 1 and an intensity otherwise; with ``_left``
    or ``_right`` for a side of the patient. Empty cells and NaN are missing labels. Other columns
    are left alone.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    Labels
        Its contents.

    Raises
    ------
    InputError
        If it is no such table; the line names row and column.
    """
    path = Path(path)
    try:
        raw = pd.read_csv(path, dtype=str, keep_default_na=False, skipinitialspace=True)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (OSError, ValueError) as error:  # pandas' parser errors are ValueErrors
        raise InputError(f"{path}: not a CSV table: {str(error).splitlines()[0]}") from None
    raw.columns = raw.columns.str.strip()
    raw.index = raw.index + 2
    if "video" not in raw or raw.empty:
        raise InputError(f"{path}: expected a column 'video' and rows, got {_few(raw.columns)}")
    table = pd.DataFrame({"video": raw["video"].str.strip().str.replace("\\", "/")})
    person = next((name for name in _PERSON if name in raw), None)
    table["person"] = "" if person is None else raw[person].str.strip()
    for name in ("frame", "timestamp", "start", "end"):
        table[name] = _numbers(path, raw, name) if name in raw else np.nan
    _check_places(path, table)
    units = [name for name in raw.columns if name.upper().startswith("AU")]
    columns = {name: _numbers(path, raw, name) for name in units}
    targets = tuple(_target(path, name, columns[name]) for name in units)
    if not targets:
        raise InputError(f"{path}: expected columns such as AU12_r, got {_few(raw.columns)}")
    twice = [str(target) for target in targets if targets.count(target) > 1]
    if twice:
        raise InputError(f"{path}: {twice[0]} is there twice, as {_few(units)}")
    values = np.stack([columns[name] for name in units], axis=1)
    _check_values(path, table, values, targets)
    empty = [str(t) for t, column in zip(targets, values.T, strict=True) if np.isnan(column).all()]
    if len(empty) == len(targets):
        raise InputError(f"{path}: expected labels in {_few(units)}, got none but empty or NaN")
    notes = [f"{name}: all cells are empty or NaN" for name in empty]
    return Labels(path, table, values, targets, tuple(notes))


def match_videos(labels: Labels, names: Sequence[str]) -> dict[str, NDArray[np.int64]]:
    """Find the rows of each video of a cache.

    A label's video is the video's path within the study, its file name, or either without suffix.

    Parameters
    ----------
    labels : Labels
        The labels.
    names : sequence of str
        Videos of the cache, such as ``"p01/before.mov"``.

    Returns
    -------
    dict of str to (k,) int64
        Positions in the labels' table of videos that have any.

    Raises
    ------
    InputError
        If a label's video may be two of the cache, or none of them is there.
    """
    known: dict[str, set[str]] = {}
    for name in names:
        path = PurePosixPath(name)
        for key in (name, str(path.with_suffix("")), path.name, path.stem):
            known.setdefault(key, set()).add(name)
    found: dict[str, list[NDArray[np.int64]]] = {}
    for video, rows in labels.table.groupby("video", sort=True).indices.items():
        # The exact path wins over a file name that another video bears too.
        hits = {str(video)} if video in names else known.get(str(video), set())
        if len(hits) > 1:
            raise InputError(
                f"{labels.path}: video {video!r} may be {' or '.join(sorted(hits)[:2])}: write the "
                "path within the study"
            )
        if hits:
            found.setdefault(hits.pop(), []).append(np.asarray(rows, np.int64))
    if not found:
        raise InputError(
            f"{labels.path}: no video of the labels ({_few(labels.table['video'].unique())}) is "
            f"among the features ({_few(names)})"
        )
    return {name: np.sort(np.concatenate(rows)) for name, rows in sorted(found.items())}


def labels_of_frames(
    labels: Labels, rows: NDArray[np.int64], index: NDArray[np.int64], timestamp: Float64
) -> Float64:
    """Spread the rows of one video over its frames.

    Parameters
    ----------
    labels : Labels
        The labels.
    rows : (k,) int64
        Positions of the video's rows.
    index : (n,) int64
        Frames from 0, ascending.
    timestamp : (n,) float64
        Their times, seconds, ascending.

    Returns
    -------
    (n, targets) float64
        NaN where there is no label.

    Raises
    ------
    InputError
        If a frame has two different labels of one kind.
    """
    out = np.full((len(index), len(labels.targets)), np.nan)
    gap = 0.5 * float(np.median(np.diff(timestamp))) if len(timestamp) > 1 else 0.5
    places = labels.table[["frame", "timestamp", "start", "end"]].to_numpy(np.float64)
    for row in rows:
        frame, time, start, end = places[row]
        if not np.isnan(frame):
            hit = slice(*np.searchsorted(index, [frame - 1, frame]))
        elif not np.isnan(start):
            hit = slice(
                int(np.searchsorted(timestamp, start, "left")),
                int(np.searchsorted(timestamp, end, "right")),
            )
        else:
            near = int(np.abs(timestamp - time).argmin())
            hit = slice(near, near + (abs(timestamp[near] - time) <= gap + 1e-9))
        given = ~np.isnan(labels.values[row])
        block = out[hit][:, given]
        differs = ~np.isnan(block) & (block != labels.values[row, given])
        if differs.any():
            which = np.flatnonzero(given)[np.flatnonzero(differs.any(axis=0))[0]]
            raise InputError(
                f"{labels.path}: line {labels.table.index[row]}: {labels.targets[which]} of "
                f"{labels.table['video'].iloc[row]} contradicts an earlier line: give each frame "
                "one value"
            )
        out[hit, given] = labels.values[row, given]
    return out


def _few(names: object) -> str:
    listed = [str(name) for name in names]  # type: ignore[attr-defined]
    return ", ".join(listed[:4]) + (f" and {len(listed) - 4} more" if len(listed) > 4 else "")


def _numbers(path: Path, raw: pd.DataFrame, name: str) -> Float64:
    """Read a column; empty cells and NaN are NaN."""
    cells = raw[name].str.strip()
    missing = cells.str.lower().isin(["", "nan", "na"])
    numbers = pd.to_numeric(cells.where(~missing, "nan"), errors="coerce").to_numpy(np.float64)
    bad = ~missing.to_numpy() & ~np.isfinite(numbers)
    if bad.any():
        at = int(np.flatnonzero(bad)[0])
        raise InputError(
            f"{path}: line {raw.index[at]}: {name}: expected a number, got {cells.iloc[at]!r}"
        )
    return numbers


def _target(path: Path, name: str, values: Float64) -> Target:
    match = _COLUMN.fullmatch(name)
    number = int(match[1]) if match else 0
    if match is None or not any(f"AU{number:02d}" == known[:4] for known in _KNOWN):
        units = ", ".join(dict.fromkeys(known[2:4] for known in AU_PRESENCES))
        raise InputError(
            f"{path}: column {name}: there is no model of this action unit; expected AU and one of "
            f"{units}, then _r or _c, then _left or _right; rename or delete the column"
        )
    kind = (match[2] or match[4] or "").lower()
    if not kind:
        given = values[~np.isnan(values)]
        kind = "c" if np.isin(given, (0, 1)).all() else "r"
    full = f"AU{number:02d}_{kind}"
    if full not in _KNOWN:
        raise InputError(f"{path}: column {name}: AU{number:02d} has a presence model only, 0 or 1")
    return Target(full, (match[3] or "").lower())


def _check_places(path: Path, table: pd.DataFrame) -> None:
    """Refuse rows that name no frame."""
    at = table[["frame", "timestamp", "start", "end"]].notna()
    whole = at["frame"] | at["timestamp"] | (at["start"] & at["end"])
    if not whole.all():
        raise InputError(
            f"{path}: line {table.index[~whole][0]}: expected a frame, a timestamp, or start and "
            "end in seconds, got none"
        )
    backward = table["end"] < table["start"]
    if backward.any():
        raise InputError(f"{path}: line {table.index[backward][0]}: end lies before start")
    odd = at["frame"] & ((table["frame"] < 1) | (table["frame"] % 1 != 0))
    if odd.any():
        raise InputError(
            f"{path}: line {table.index[odd][0]}: frame: expected a whole number from 1, got "
            f"{table['frame'][odd].iloc[0]:g}"
        )


def _check_values(
    path: Path, table: pd.DataFrame, values: Float64, targets: tuple[Target, ...]
) -> None:
    for target, column in zip(targets, values.T, strict=True):
        given = ~np.isnan(column)
        if target.name.endswith("_c"):
            bad, expected = given & (column != 0) & (column != 1), "0 or 1"
        else:
            bad, expected = given & ((column < 0) | (column > 5)), "0 to 5"
        if bad.any():
            at = int(np.flatnonzero(bad)[0])
            raise InputError(
                f"{path}: line {table.index[at]}: {target}: expected {expected}, got {column[at]:g}"
            )
