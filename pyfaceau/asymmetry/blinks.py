"""Blinks of each eye: when, how long, which eye first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pyfaceau.asymmetry.gate import MULTIPLE
from pyfaceau.errors import InputError, check_array
from pyfaceau.types import SIDES

if TYPE_CHECKING:
    import pandas as pd

LEAST = 0.5
"""Intensity of AU45 above the open eye's that a blink must reach, whatever the noise."""

LONGEST = 0.5
"""Seconds; what lasts longer is a closure. Spontaneous blinks last 0.1 to 0.4 s (Cruz, Garcia,
Pinto, Cechetti, Spontaneous eyeblink activity, The Ocular Surface 2011)."""

_TO_SIGMA = 1.4826


@dataclass(frozen=True)
class Closure:
    """An eye that closes and opens.

    Attributes
    ----------
    side : {'left', 'right'}
        The patient's.
    start, end : float
        Seconds: first and last frame above half of its own height over the open eye.
    peak : float
        Seconds of the largest value.
    height : float
        Largest value less the open eye's.
    """

    side: str
    start: float
    end: float
    peak: float
    height: float

    @property
    def duration(self) -> float:
        """Seconds at half height."""
        return self.end - self.start

    @property
    def blink(self) -> bool:
        """Whether it is short enough for a blink."""
        return self.duration <= LONGEST


def closures(side: str, values: Any, timestamps: Any) -> list[Closure]:
    """Find closures of one eye in the intensity of its AU45.

    The open eye's level is the median over all frames, its noise 1.4826 times the median absolute
    deviation from it: eyes are open most of the time. A closure is a run of frames more than 4
    noises and more than 0.5 above that level; runs that a single frame parts are one. Its extent
    is that of half of its own height.

    Parameters
    ----------
    side : {'left', 'right'}
        The patient's.
    values : (N,) array_like
        Intensities, 0 to 5; NaN where there are none.
    timestamps : (N,) array_like
        Seconds, rising.

    Returns
    -------
    list of Closure
        In order of time.

    Raises
    ------
    InputError
        If an argument is not as described.
    """
    if side not in SIDES:
        raise InputError(f"side: expected 'left' or 'right', got {side!r}")
    series = check_array("values", values, (None,), np.float64, finite=False)
    times = check_array("timestamps", timestamps, (len(series),), np.float64)
    known = np.isfinite(series)
    if not known.any():
        return []
    level = float(np.median(series[known]))
    noise = _TO_SIGMA * float(np.median(np.abs(series[known] - level)))
    above = np.nan_to_num(series - level, nan=0.0)
    runs = _runs(above > max(MULTIPLE * noise, LEAST))
    found = []
    for first, last in runs:
        top = first + int(np.argmax(above[first : last + 1]))
        height = float(above[top])
        a, b = top, top
        while a > 0 and above[a - 1] >= height / 2:
            a -= 1
        while b < len(above) - 1 and above[b + 1] >= height / 2:
            b += 1
        found.append(Closure(side, times[a], times[b], times[top], height))
    return found


def blink_table(table: pd.DataFrame) -> pd.DataFrame:
    """Return the closures of both eyes, those of one moment in one row.

    Parameters
    ----------
    table : DataFrame
        As from `pyfaceau.read`, of split faces.

    Returns
    -------
    DataFrame
        A row per closure: ``start``, ``end`` (seconds, of both eyes together), ``blink`` (1: at
        most 0.5 s in every eye that closes), ``duration_left``, ``duration_right`` (seconds at half
        height; NaN where that eye does not close), ``height_left``, ``height_right`` (intensity)
        and ``lag`` (seconds by which the left eye's peak comes after the right's; NaN where one eye
        does not close).

    Raises
    ------
    InputError
        If the table has no split faces.
    """
    import pandas as pd

    names = [f"AU45_r_{side}" for side in SIDES]
    if any(name not in table for name in names):
        raise InputError("table: expected AU45_r_left and AU45_r_right, got none: --split-face")
    times = table["timestamp"].to_numpy(np.float64)
    found = [
        closure
        for side, name in zip(SIDES, names, strict=True)
        for closure in closures(side, table[name].to_numpy(np.float64), times)
    ]
    rows = []
    for group in _together(sorted(found, key=lambda closure: closure.start)):
        # Of several closures of one eye within one of the other, the highest counts.
        best = {c.side: c for c in sorted(group, key=lambda closure: closure.height)}
        row: dict[str, float] = {
            "start": min(c.start for c in group),
            "end": max(c.end for c in group),
            "blink": float(all(c.blink for c in best.values())),
        }
        for side in SIDES:
            row[f"duration_{side}"] = best[side].duration if side in best else np.nan
            row[f"height_{side}"] = best[side].height if side in best else np.nan
        both = len(best) == len(SIDES)
        row["lag"] = best["left"].peak - best["right"].peak if both else np.nan
        rows.append(row)
    columns = ["start", "end", "blink"]
    columns += [f"{what}_{side}" for what in ("duration", "height") for side in SIDES]
    blinks: pd.DataFrame = pd.DataFrame(rows, columns=[*columns, "lag"], dtype=np.float64)
    return blinks


def _runs(mask: Any) -> list[tuple[int, int]]:
    """Return first and last index of the runs of True; a single False does not part them."""
    filled = mask.copy()
    filled[1:-1] |= mask[:-2] & mask[2:]
    edges = np.diff(np.concatenate([[0], filled.astype(np.int8), [0]]))
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1
    return [(int(a), int(b)) for a, b in zip(starts, ends, strict=True)]


def _together(found: list[Closure]) -> list[list[Closure]]:
    """Return closures in groups that overlap in time."""
    groups: list[list[Closure]] = []
    end = -np.inf
    for closure in found:
        if closure.start > end:
            groups.append([])
        groups[-1].append(closure)
        end = max(end, closure.end)
    return groups
