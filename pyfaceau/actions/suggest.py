"""Intervals proposed from the signals, for a person to correct."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pyfaceau.actions.intervals import REST, Interval
from pyfaceau.errors import InputError
from pyfaceau.types import Float64

if TYPE_CHECKING:
    import pandas as pd

LEAST = 0.6
"""Intensity above the person's own quiet level that counts as an action."""

SHORTEST, GAP, STILL = 0.3, 0.3, 0.8
"""Seconds: the shortest action but a blink, the longest gap within one, the shortest rest."""

BLINK = (0.07, 0.5)
"""Seconds: eyes that close for longer do more than blink."""

_QUIET = 30.0
"""Percentile of a signal that is taken for its quiet level."""

CLUES = {
    "raise brows": ("AU01_r", "AU02_r"),
    "frown": ("AU04_r",),
    "close eyes gently": ("AU45_r",),
    "wrinkle nose": ("AU09_r", "AU10_r"),
    "smile lips closed": ("AU12_r",),
    "show lower teeth": ("AU20_r", "AU25_r"),
    "pucker": ("AU17_r", "AU23_r"),
    "speak": ("AU25_r", "AU26_r"),
}
"""What each action is recognised by: the mean of these whole-face intensities."""


@dataclass(frozen=True)
class Suggestion:
    """A proposed action.

    Attributes
    ----------
    interval : Interval
        What and when.
    score : float
        0 to 1: how far the signals of this action stand above those of the next likely one, over
        their own height; of rest, how far they stay below what counts as an action.
    reason : str
        What was seen.
    """

    interval: Interval
    score: float
    reason: str = field(compare=False)


def suggest_actions(table: pd.DataFrame) -> list[Suggestion]:
    """Propose what a person may have done, and when.

    Each action's clue is the mean intensity of its action units above their own quiet level (30th
    percentile of the video), smoothed over 0.2 s. A frame belongs to the strongest clue that is
    above `LEAST`; runs of one action make an interval. Eyes closed for less than 0.5 s are a blink,
    a smile with AU25 has its lips open. What is quiet for 0.8 s is rest. Pucker, puffed cheeks and
    lower teeth have no action unit of their own among OpenFace's, so the first and the last are
    guesses by others' and the second is never proposed.

    Parameters
    ----------
    table : DataFrame
        As from `pyfaceau.read`, of a video with one face per frame.

    Returns
    -------
    list of Suggestion
        In the order of time, none reaching into the next. They are proposals: nothing here uses
        them unasked.

    Raises
    ------
    InputError
        If the table lacks action units or times, or has several faces in a frame.
    """
    needed = {name for names in CLUES.values() for name in names} | {"timestamp", "success"}
    missing = sorted(needed - set(map(str, table.columns)))
    if missing:
        raise InputError(f"table: expected action units of a video, got no column {missing[0]}")
    if table.index.has_duplicates:
        raise InputError("table: expected one face in each frame, got several (--multi-face)")
    seen = table["success"].to_numpy() == 1
    times = table["timestamp"].to_numpy(np.float64)
    if seen.sum() < 3:
        return []
    step = float(np.median(np.diff(times)))
    units = {
        name: _above_quiet(table[name].to_numpy(np.float64), seen, max(1, round(0.2 / step)))
        for name in sorted(needed - {"timestamp", "success"})
    }
    clues = np.stack([np.mean([units[u] for u in names], axis=0) for names in CLUES.values()])
    labels = np.where(clues.max(axis=0) >= LEAST, clues.argmax(axis=0), -1)
    labels[~seen] = -2
    found = []
    for label, first, last in _runs(_bridged(labels, round(GAP / step))):
        after = times[last + 1] if last + 1 < len(times) else times[last] + step
        span = (round(float(times[first]), 3), round(float(after), 3))
        one = _named(label, clues[:, first : last + 1], units, slice(first, last + 1), span)
        if one is not None:
            found.append(one)
    return found


def _above_quiet(values: Float64, seen: NDArray[np.bool_], width: int) -> Float64:
    """Return a signal above its quiet level, smoothed over `width` frames; 0 without a face."""
    known = seen & np.isfinite(values)
    if not known.any():
        return np.zeros(len(values))
    level = float(np.percentile(values[known], _QUIET))
    above = np.where(known, np.maximum(values - level, 0.0), 0.0)
    kernel = np.ones(width) / width
    return np.convolve(np.pad(above, width, mode="edge"), kernel, mode="same")[width:-width]


def _bridged(labels: NDArray[np.int64], gap: int) -> NDArray[np.int64]:
    """Return labels whose short gaps between two runs of one action are filled."""
    out: NDArray[np.int64] = labels.copy()
    runs = list(_runs(labels))
    for (before, _, _), (_, first, last), (after, _, _) in zip(
        runs, runs[1:], runs[2:], strict=False
    ):
        if before == after >= 0 and last - first + 1 <= gap:
            out[first : last + 1] = before
    return out


def _runs(labels: NDArray[np.int64]) -> list[tuple[int, int, int]]:
    """Return label, first and last frame of each run."""
    runs, at = [], 0
    for label, group in groupby(labels.tolist()):
        length = len(list(group))
        runs.append((label, at, at + length - 1))
        at += length
    return runs


def _named(
    label: int,
    clues: Float64,
    units: dict[str, Float64],
    frames: slice,
    span: tuple[float, float],
) -> Suggestion | None:
    """Return what a run of frames suggests; None where it is too short for anything."""
    length = span[1] - span[0]
    if label == -2 or (label == -1 and length < STILL):
        return None
    if label == -1:
        score = 1.0 - float(clues.max(axis=0).mean()) / LEAST
        return Suggestion(Interval(REST, *span), score, f"no action unit for {length:.1f} s")
    name, names = list(CLUES.items())[label]
    if name == "close eyes gently" and BLINK[0] <= length < BLINK[1]:
        name = "blink"
    elif length < SHORTEST:
        return None
    if name == "smile lips closed" and float(np.median(units["AU25_r"][frames])) >= LEAST:
        name = "smile lips open"
    own = clues[label]
    rival = np.delete(clues, label, axis=0).max(axis=0)
    score = float(np.clip((own - rival).mean() / own.mean(), 0, 1))
    seen = " and ".join(unit.removesuffix("_r") for unit in names)
    return Suggestion(
        Interval(name, *span), score, f"{seen} {own.max():.1f} above quiet for {length:.1f} s"
    )


def write_suggestions(found: Sequence[Suggestion], path: Path) -> Path:
    """Write proposals as a CSV of actions, each marked as one.

    Parameters
    ----------
    found : sequence of Suggestion
        As from `suggest_actions`.
    path : Path
        ``.csv``: columns action, start, end, suggested (1), score, reason. `read_actions` refuses
        it until a person has put 0 into column suggested.

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    import pandas as pd

    from pyfaceau.actions.tidy import write_table

    columns = ["action", "start", "end", "suggested", "score", "reason"]
    rows = [
        (
            one.interval.action,
            one.interval.start,
            one.interval.end,
            1,
            round(one.score, 2),
            one.reason,
        )
        for one in found
    ]
    return write_table(pd.DataFrame(rows, columns=columns), path)
