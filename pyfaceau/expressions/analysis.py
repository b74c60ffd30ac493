"""Frames to labels and scores."""

from __future__ import annotations

import csv
import json
import math
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pyfaceau.errors import InputError
from pyfaceau.expressions.rules import ONE_SIDED, Rules
from pyfaceau.output.target import Target, writing
from pyfaceau.types import SIDES, Float64

if TYPE_CHECKING:
    import pandas as pd

Booleans = NDArray[np.bool_]
NEUTRAL, NO_FACE, NOT_TOLD = "neutral", "no_face", "not_told"


def unit_scores(intensities: Float64, needs: tuple[int, ...], rules: Rules) -> Float64:
    """Score one rule in every frame.

    Parameters
    ----------
    intensities : (N, k) float64
        Action units, 0 to 5; NaN where one is not known.
    needs : tuple of int
        Columns that the rule needs.
    rules : Rules
        For what is wholly there, and what is least.

    Returns
    -------
    (N,) float64
        100 times the mean of min(intensity / full, 1); 0 where one is below the least, NaN where
        one is not known.
    """
    needed = intensities[:, list(needs)]
    score = 100 * np.minimum(needed / rules.full, 1).mean(axis=1)
    return np.where((needed < rules.least).any(axis=1), 0.0, score)


def _columns(need: str) -> list[str]:
    """Return the columns of a table that a need is taken from."""
    unit, one_sided, _ = need.partition(ONE_SIDED)
    return [f"{unit}_r_{side}" for side in SIDES] if one_sided else [f"{unit}_r"]


def _intensity(table: pd.DataFrame, need: str) -> Float64:
    """Return the intensity of a unit, or by how much one side has more of it."""
    values = table[_columns(need)].to_numpy(np.float64)
    return np.asarray(np.abs(values[:, 0] - values[:, 1]) if values.shape[1] > 1 else values[:, 0])


def measures(points: Float64) -> Float64:
    """Measure faces, along their own line of eyes.

    Parameters
    ----------
    points : (N, 68, 2) float64
        Pixels.

    Returns
    -------
    (N, 4) float64
        In the order of `MEASURES`, in units of the distance of the outer eye corners: inner lips
        apart, mouth corners apart, mouth corners above the middle of the lips, brows above the
        eyes.
    """
    line = points[:, 45] - points[:, 36]
    distance = np.hypot(*line.T)[:, None]
    along = line / distance
    down = np.stack([-along[:, 1], along[:, 0]], axis=1)
    found = [
        np.hypot(*(points[:, 62] - points[:, 66]).T),
        np.hypot(*(points[:, 54] - points[:, 48]).T),
        _height(points, down, [51, 57]) - _height(points, down, [48, 54]),
        _height(points, down, list(range(36, 48))) - _height(points, down, list(range(17, 27))),
    ]
    return np.asarray(np.stack(found, axis=1) / distance)


def _height(points: Float64, down: Float64, numbers: list[int]) -> Float64:
    """Return how far down along the face the mean of some points lies, pixels."""
    return np.asarray((points[:, numbers].mean(axis=1) * down).sum(axis=1))


def analyse(table: pd.DataFrame, usable: Booleans, rules: Rules) -> tuple[str, dict[str, Float64]]:
    """Score every rule in every frame.

    Parameters
    ----------
    table : DataFrame
        Columns ``AU01_r`` ... (``AU14_r_left`` ... of a split face, too) or ``x_0`` ... ``y_67``.
    usable : (N,) bool
        Frames that have a face.
    rules : Rules
        The rules.

    Returns
    -------
    kind : {'units', 'geometry'}
        What the labels come from.
    scores : dict of (N,) float64
        0 to 100, by label; NaN where a rule cannot tell. Rules that need a side's units are left
        out where the table has none.

    Raises
    ------
    InputError
        If the table has neither.
    """
    names = [str(name) for name in table.columns]
    whole = {n for needs in rules.units.values() for n in needs if ONE_SIDED not in n}
    told = {
        label: needs
        for label, needs in rules.units.items()
        if all(column in names for need in needs for column in _columns(need))
    }
    if told and all(f"{unit}_r" in names for unit in whole):
        units = sorted({need for needs in told.values() for need in needs})
        values = np.stack([_intensity(table, unit) for unit in units], axis=1)
        return "units", {
            label: unit_scores(values, tuple(units.index(u) for u in needs), rules)
            for label, needs in told.items()
        }
    axes = [f"{axis}_{i}" for axis in "xy" for i in range(68)]
    if not set(axes) <= set(names):
        raise InputError("landmarks: expected columns AU01_r ... or x_0 ... y_67")
    points = table[axes].to_numpy(np.float64).reshape(-1, 2, 68).transpose(0, 2, 1)
    names = list(rules.measure_full)
    found = np.full((len(points), len(names)), np.nan)
    order = ("mouth_open", "mouth_width", "corners_up", "brow_height")
    seen = usable
    if seen.any():
        measured = measures(points[seen])
        found[seen] = (measured - np.median(measured, axis=0))[:, [order.index(n) for n in names]]
    found /= [rules.measure_full[name] for name in names]
    return "geometry", {
        label: 100
        * np.mean(
            [
                np.clip((1 if n[0] == "+" else -1) * found[:, names.index(n[1:])], 0, 1)
                for n in needs
            ],
            axis=0,
        )
        for label, needs in rules.measures.items()
    }


def usable_frames(table: pd.DataFrame, meta: pd.DataFrame | None) -> Booleans:
    """Tell which frames have a face.

    Parameters
    ----------
    table : DataFrame
        With a column ``success``, or without.
    meta : DataFrame or None
        A ``meta.csv`` of `pyfaceau facemap`: status ``ok`` and ``jump`` are faces.

    Returns
    -------
    (N,) bool
        Also false where a number is missing.
    """
    good = table.select_dtypes("number").notna().all(axis=1)
    if "success" in table:
        good &= table["success"] == 1
    if meta is not None:
        fine = set(meta.loc[meta["status"].isin(("ok", "jump")), "frame"])
        good &= table["frame"].isin(fine)
    return np.asarray(good.to_numpy(bool))


def write_expressions(
    landmarks: str | Path,
    folder: str | Path,
    meta: str | Path | None = None,
    raw: str | Path | None = None,
    rules: Rules | None = None,
) -> list[Path]:
    """Label a table's frames; write ``expressions.csv``, ``report.json``, ``score.txt``.

    Parameters
    ----------
    landmarks : str or Path
        A table of this package, OpenFace or `pyfaceau facemap`.
    folder : str or Path
        Where the files go.
    meta : str or Path, optional
        Which frames have a face.
    raw : str or Path, optional
        Values of the network: frames that are not finite there are left out.
    rules : Rules, optional
        The shipped ones if not given.

    Returns
    -------
    list of Path
        The three files.

    Raises
    ------
    InputError
        If a table cannot be read or has no such columns.
    OutputError
        If a file cannot be written.
    """
    rules = rules or Rules.load()
    table = _table(landmarks)
    usable = usable_frames(table[_needed(table)], None if meta is None else _table(meta))
    if raw is not None:
        values = _table(raw)
        fine = values.loc[np.isfinite(values.to_numpy(np.float64)).all(axis=1), "frame"]
        usable = usable & table["frame"].isin(set(fine)).to_numpy(bool)
    kind, scores = analyse(table, usable, rules)
    every = np.stack(list(scores.values()), axis=1)
    rows = [
        _row(int(frame), every[i] if usable[i] else None, list(scores), rules)
        for i, frame in enumerate(table["frame"])
    ]
    counts = Counter(str(row[1]) for row in rows)
    faces = [float(str(row[2])) for row in rows if row[1] not in (NO_FACE, NOT_TOLD)]
    mean = float(np.mean(faces)) if faces else math.nan
    report = {
        "frames": len(rows),
        "faces": len(rows) - counts[NO_FACE],
        "labels_from": kind,
        "not_told": [] if kind == "geometry" else sorted(set(rules.units) - set(scores)),
        "mean_score": None if not faces else round(mean, 2),
        "distribution": dict(sorted(counts.items())),
    }
    text = f"{mean:.2f}\n" if faces else "no face\n"
    header = ["frame", "label", "score", *(f"score_{label}" for label in scores)]
    target = Target(Path(folder) / "expressions.csv", (".csv",))
    with writing(target.path), target.part.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows([header, *rows])
    done = [target.commit()]
    for name, body in (("report.json", json.dumps(report, indent=1) + "\n"), ("score.txt", text)):
        target = Target(Path(folder) / name, (name[name.index(".") :],))
        with writing(target.path):
            target.part.write_text(body, encoding="utf-8")
        done.append(target.commit())
    return done


def _row(frame: int, scores: Float64 | None, labels: list[str], rules: Rules) -> list[object]:
    """Return a frame's cells; of equal scores the earlier rule wins."""
    if scores is None:
        return [frame, NO_FACE, "", *[""] * len(labels)]
    cells = ["" if np.isnan(value) else f"{value:.2f}" for value in scores]
    if not any(cells):
        return [frame, NOT_TOLD, "", *cells]
    best = int(np.nanargmax(scores))
    expressed = scores[best] >= rules.threshold
    label, score = (labels[best], scores[best]) if expressed else (NEUTRAL, 100 - scores[best])
    return [frame, label, f"{score:.2f}", *cells]


def _needed(table: pd.DataFrame) -> list[str]:
    """Return the columns that make a frame usable."""
    points = {f"{axis}_{i}" for axis in "xy" for i in range(68)}
    names = map(str, table.columns)
    return [n for n in names if n in points or n in ("frame", "success") or n.endswith("_r")]


def _table(path: str | Path) -> pd.DataFrame:
    import pandas as pd

    try:
        table = pd.read_csv(path, skipinitialspace=True)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None
    except ValueError as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path}: cannot be read as a table: {reason}") from None
    if "frame" not in table:
        raise InputError(f"{path}: expected a table with a column frame")
    return table
