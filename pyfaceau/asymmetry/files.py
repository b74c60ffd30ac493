"""Geometry and asymmetry of a table, as files beside it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pyfaceau.asymmetry.gate import asymmetry, healthy_share
from pyfaceau.asymmetry.geometry import MEASURES, measure
from pyfaceau.asymmetry.split import MAX_YAW
from pyfaceau.errors import InputError
from pyfaceau.features.interval import parse_interval
from pyfaceau.output.reading import read
from pyfaceau.output.table_formats import SEPARATOR, SUFFIXES, store
from pyfaceau.output.target import Target, writing
from pyfaceau.types import AU_INTENSITIES

if TYPE_CHECKING:
    import pandas as pd

DECIMALS = 4
"""Of the files' numbers."""

AU_NOISE = 0.05
"""The least resting noise of an intensity. At rest many are 0 throughout, as the models' output is
clipped there, and show no noise; still faces then rise by up to four times this in a second
(validation/results/actions.md)."""


@dataclass(frozen=True)
class Sides:
    """How sides are told and measured.

    Attributes
    ----------
    mirrored_input : bool
        The recording is mirrored.
    iris_mm, scale_mm : float or None
        See `pyfaceau.asymmetry.geometry.measure`.
    rest : str
        Seconds at rest, such as ``"0-2"``; without them there is no gate and no asymmetry.
    affected : str or None
        ``left`` or ``right``.
    """

    mirrored_input: bool = False
    iris_mm: float | None = None
    scale_mm: float | None = None
    rest: str = ""
    affected: str | None = None


def write_sides(path: Path, sides: Sides) -> tuple[list[Path], list[str]]:
    """Write what a table says of both sides of the face.

    Parameters
    ----------
    path : Path
        The table.
    sides : Sides
        How they are told and measured.

    Returns
    -------
    list of Path
        ``NAME_geometry.csv``, and with a rest ``NAME_asymmetry.csv``; of the table's own format.
    list of str
        What a reader should know of them, a clause each.

    Raises
    ------
    InputError
        If the table is none of ours, lacks landmarks, or has no face at rest.
    OutputError
        If a file cannot be written.
    """
    table = read(path)
    if "timestamp" not in table:
        raise InputError(f"{path}: expected the table of a video, got one of a picture")
    rest = None
    if sides.rest:
        start, end = _interval(sides.rest)
        rest = table["timestamp"].between(start, end).to_numpy()
        if not (rest & (table["success"] == 1)).any():
            raise InputError(f"{path}: --rest {sides.rest}: no frame with a face in these seconds")
    try:
        values = measure(
            table,
            rest=rest,
            mirrored_input=sides.mirrored_input,
            iris_mm=sides.iris_mm,
            scale_mm=sides.scale_mm,
        )
        files = {"geometry": values}
        if rest is not None:
            files["asymmetry"] = compare(table, values, rest, sides.affected)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    suffix = next(end for end in SUFFIXES[::-1] if path.name.lower().endswith(end))
    stem = path.name[: -len(suffix)]
    written = [
        _write(path.with_name(f"{stem}_{kind}{suffix}"), table, frame)
        for kind, frame in files.items()
    ]
    return written, list(_said(table, rest))


def compare(
    table: pd.DataFrame, values: pd.DataFrame, rest: object, affected: str | None = None
) -> pd.DataFrame:
    """Compare both sides of every measure and, where faces were split, every action unit.

    Parameters
    ----------
    table : DataFrame
        As from `pyfaceau.read`.
    values : DataFrame
        As from `pyfaceau.asymmetry.geometry.measure`.
    rest : (N,) bool array_like
        Frames at rest.
    affected : {'left', 'right'}, optional
        The paretic side.

    Returns
    -------
    DataFrame
        ``NAME_difference``, ``NAME_moved``, ... of each NAME, see
        `pyfaceau.asymmetry.gate.asymmetry`.

    Raises
    ------
    InputError
        If too few frames are at rest.
    """
    import pandas as pd

    pairs = {name: (values, 0.0) for name in MEASURES if values[f"{name}_left"].notna().any()}
    pairs |= {name: (table, AU_NOISE) for name in AU_INTENSITIES if f"{name}_left" in table}
    parts = []
    for name, (source, floor) in pairs.items():
        left, right = (source[f"{name}_{side}"].to_numpy() for side in ("left", "right"))
        share = healthy_share(name)
        compared = asymmetry(left, right, rest, affected=affected, healthy=share, floor=floor)
        parts.append(compared.drop(columns=["left", "right"]).add_prefix(f"{name}_"))
    if not parts:
        raise InputError("expected frames with a face, got none")
    together: pd.DataFrame = pd.concat(parts, axis=1).set_index(table.index)
    return together


def _interval(text: str) -> tuple[float, float]:
    """Return the seconds at rest."""
    try:
        return parse_interval(text)
    except InputError as error:
        raise InputError(str(error).replace("neutral", "--rest", 1)) from None


def _write(path: Path, table: pd.DataFrame, values: pd.DataFrame) -> Path:
    """Write a table keyed by frame, with time and success beside."""
    columns = ["frame", "timestamp", *values.columns, "success"]
    target = Target(path, SUFFIXES)
    try:
        with writing(path):
            store(target.part, target.suffix, columns, _rows(table, values))
        return target.commit()
    finally:
        target.discard()


def _rows(table: pd.DataFrame, values: pd.DataFrame) -> Iterator[str]:
    numbers = np.round(values.to_numpy(np.float64), DECIMALS) + 0.0  # no -0.0000
    keys = zip(table.index, table["timestamp"], table["success"], strict=True)
    for (frame, time, success), row in zip(keys, numbers, strict=True):
        cells = [f"{value:.{DECIMALS}f}" for value in row]
        yield SEPARATOR.join([str(frame), f"{time:.3f}", *cells, str(success)]) + "\n"


def _said(table: pd.DataFrame, rest: object) -> Iterator[str]:
    """Yield what a reader should know."""
    faces = table[table["success"] == 1]
    if not len(faces):
        yield "no frame has a face: nothing is measured"
        return
    if "eye_lmk_x_0" not in table:
        yield "no eye landmarks: the middle of each eye's corners stands for its iris"
    if "X_0" not in table or "pose_Ry" not in table:
        yield "no landmarks in space or no pose: only the _2d columns have values"
    else:
        turned = (faces["pose_Ry"].abs() > np.radians(MAX_YAW)).mean()
        if turned > 0:
            yield f"{turned:.0%} of the frames: turned over {MAX_YAW:.0f} degrees, a side hidden"
    if rest is None:
        yield "no --rest: no gate, so no asymmetry is told"
