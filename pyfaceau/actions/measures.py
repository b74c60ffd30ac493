"""What came of each action, side and measure: baseline, peak, excursion, pace, repetitions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pyfaceau.actions.intervals import REST, ActionList, Interval
from pyfaceau.actions.signals import WHOLE, Signal, find_signals
from pyfaceau.asymmetry.gate import MULTIPLE, healthy_share, resting_noise
from pyfaceau.errors import InputError
from pyfaceau.types import SIDES, Float64

if TYPE_CHECKING:
    import pandas as pd

PERCENTILE = 95.0
"""Of the values within a window: the peak. One frame's slip does not make it."""

WINDOW = 1.0
"""Seconds about the strongest frame in which the peak is taken, or the whole action if shorter."""

NO_MOVEMENT, NO_REST, NO_VALUE = "no movement", "no rest", "no value"

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class ActionMeasure:
    """One measure of one side during one action.

    Attributes
    ----------
    action : str
        Its name.
    number : int
        Which action of this name in the video, from 1.
    start, end : float
        Seconds.
    zone, measure, side, unit : str
        See `pyfaceau.actions.signals.Signal`; side ``left``, ``right`` (the patient's), ``whole``.
    baseline : float
        Median at rest, in the measure's unit.
    baseline_from : str
        ``rest``; ``between`` where no interval is called rest: frames outside all actions;
        ``none``.
    noise : float
        1.4826 times the median absolute deviation there.
    peak : float
        95th percentile, in the direction of the movement, within `WINDOW` about the strongest
        frame. Both sides have one direction, that of the side that moves more.
    peak_frame : int
        Frame of the table nearest to it; 0 where there is none.
    peak_time : float
        Its time, seconds.
    excursion : float
        Peak less baseline.
    time_to_peak : float
        Seconds from the onset (last frame below 10 % of the excursion before the peak) to the
        first frame at 95 % or more; NaN where the onset is not within the action.
    velocity : float
        Mean from 10 to 90 % of the excursion, units per second.
    repetitions : int
        How often the movement passed half of its excursion after it had been below a quarter.
    moved : bool or None
        Past the gate: excursion larger than `pyfaceau.asymmetry.gate.MULTIPLE` times the noise;
        None without values.
    ratio, index : float
        Of both sides' excursions: smaller over larger; (L - R) / (L + R). NaN where neither side
        moved, and for the whole face.
    share : float
        Affected over healthy side, where the affected one is told and the healthy one moved.
    leads : str
        ``left`` or ``right`` where that side's excursion is larger by more than the noise and by
        more than healthy sides differ (`pyfaceau.asymmetry.gate.healthy_share`), else ``neither``;
        empty where neither moved.
    coverage : float
        Share of the action's frames that have a value.
    reason : str
        Why a value is missing: ``no movement``, ``no rest``, ``no value``; empty for none.
    """

    action: str
    number: int
    start: float
    end: float
    zone: str
    measure: str
    side: str
    unit: str
    baseline: float = math.nan
    baseline_from: str = "none"
    noise: float = math.nan
    peak: float = math.nan
    peak_frame: int = 0
    peak_time: float = math.nan
    excursion: float = math.nan
    time_to_peak: float = math.nan
    velocity: float = math.nan
    repetitions: int = 0
    moved: bool | None = None
    ratio: float = math.nan
    index: float = math.nan
    share: float = math.nan
    leads: str = ""
    coverage: float = 0.0
    reason: str = ""


@dataclass(frozen=True, eq=False)
class _Clock:
    """Frames and times of a table."""

    frames: NDArray[np.int64]
    times: Float64

    def within(self, interval: Interval) -> Mask:
        """Tell which frames an action has; half a frame of rounding is forgiven."""
        half = self.step / 2
        return (self.times >= interval.start - half) & (self.times <= interval.end + half)

    @property
    def step(self) -> float:
        """Seconds from frame to frame."""
        return float(np.median(np.diff(self.times))) if len(self.times) > 1 else 0.04

    @property
    def end(self) -> float:
        """Seconds at which the video ends, rounded up."""
        return float(self.times[-1]) + 1.5 * self.step if len(self.times) else 0.0


def measure_actions(
    table: pd.DataFrame,
    actions: ActionList | Iterable[Interval],
    affected: str | None = None,
    **options: Any,
) -> list[ActionMeasure]:
    """Measure what came of each action.

    Parameters
    ----------
    table : DataFrame
        As from `pyfaceau.read`, of a video with one face per frame.
    actions : ActionList or iterable of Interval
        When what was done. Those called ``rest`` are the baseline of all others.
    affected : {'left', 'right'}, optional
        The paretic side.
    **options
        ``mirrored_input``, ``iris_mm``, ``scale_mm`` of `pyfaceau.asymmetry.geometry.measure`.

    Returns
    -------
    list of ActionMeasure
        By action in the order of time, then by measure and side; none for rest.

    Raises
    ------
    InputError
        If an action lies outside the video, the table has neither action units nor landmarks, or
        `affected` is no side.
    """
    if affected not in (None, *SIDES):
        raise InputError(f"affected: expected 'left' or 'right', got {affected!r}")
    if "timestamp" not in table:
        raise InputError("table: expected the table of a video, got one of a picture")
    listed = actions if isinstance(actions, ActionList) else ActionList(tuple(actions))
    clock = _Clock(table.index.to_numpy(np.int64), table["timestamp"].to_numpy(np.float64))
    listed.check_within(clock.end)
    still, source = resting_frames(table, listed)
    signals = find_signals(table, still if source != "none" else None, **options)
    counts: dict[str, int] = {}
    rows: list[ActionMeasure] = []
    for interval in listed:
        if interval.action == REST:
            continue
        counts[interval.action] = number = counts.get(interval.action, 0) + 1
        for group in _by_measure(signals):
            rows += _measured(group, interval, number, clock, still, source, affected)
    return rows


def resting_frames(table: pd.DataFrame, actions: ActionList) -> tuple[Mask, str]:
    """Tell which frames show the face at rest.

    Parameters
    ----------
    table : DataFrame
        As from `pyfaceau.read`.
    actions : ActionList
        When what was done.

    Returns
    -------
    rest : (N,) bool
        Frames with a face that lie in an interval called ``rest``, or else outside all actions.
    source : str
        ``rest``, ``between``, or ``none`` where these are fewer than three.
    """
    clock = _Clock(table.index.to_numpy(np.int64), table["timestamp"].to_numpy(np.float64))
    seen = table["success"].to_numpy() == 1
    empty = np.zeros(len(table), np.bool_)
    parts = [clock.within(one) for one in actions.rest]
    if parts:
        rest, source = np.logical_or.reduce([empty, *parts]) & seen, REST
    else:
        busy = np.logical_or.reduce([empty, *(clock.within(one) for one in actions)])
        rest, source = ~busy & seen, "between"
    return (rest, source) if rest.sum() >= 3 else (empty, "none")


def _by_measure(signals: Sequence[Signal]) -> list[list[Signal]]:
    """Return the signals of each measure, whole faces alone, both sides together."""
    groups: dict[tuple[str, bool], list[Signal]] = {}
    for signal in signals:
        groups.setdefault((signal.measure, signal.side == WHOLE), []).append(signal)
    return list(groups.values())


def _measured(
    group: list[Signal],
    interval: Interval,
    number: int,
    clock: _Clock,
    still: Mask,
    source: str,
    affected: str | None,
) -> list[ActionMeasure]:
    """Return the rows of one measure during one action."""
    inside = clock.within(interval)
    blank = ActionMeasure(interval.action, number, interval.start, interval.end, "", "", "", "")
    clock = _Clock(clock.frames[inside], clock.times[inside])
    rows, moves = [], []
    for signal in group:
        row = replace(
            blank, zone=signal.zone, measure=signal.measure, side=signal.side, unit=signal.unit
        )
        row, move = _against_rest(row, signal, inside, still, source)
        rows.append(row)
        moves.append(move)
    reached = [_strongest(move, clock, sign=0) for move in moves]
    largest = max(reached, key=lambda r: abs(r[1]))
    sign = math.copysign(1.0, largest[1])
    rows = [_peaked(row, move, clock, sign) for row, move in zip(rows, moves, strict=True)]
    return _compared(rows, affected) if len(rows) == 2 else rows


def _against_rest(
    row: ActionMeasure, signal: Signal, inside: Mask, still: Mask, source: str
) -> tuple[ActionMeasure, Float64]:
    """Return a row with its baseline, and the movement from it in the action's frames."""
    values = signal.values
    known = np.isfinite(values)
    frames = int(inside.sum())
    coverage = float((known & inside).sum()) / frames if frames else 0.0
    row = replace(row, coverage=coverage)
    nothing = np.full(frames, np.nan)
    if coverage == 0:
        return replace(row, reason=NO_VALUE), nothing
    if source == "none" or (known & still).sum() < 3:
        return replace(row, reason=NO_REST), nothing
    level, noise = resting_noise(values, still, signal.floor)
    row = replace(row, baseline=level, noise=noise, baseline_from=source)
    return row, values[inside] - level


def _strongest(move: Float64, clock: _Clock, sign: float) -> tuple[Mask, float]:
    """Return the window about the strongest frame, and the peak in it.

    `sign` is the direction; 0 for the one in which the peak is larger.
    """
    if not np.isfinite(move).any():
        return np.zeros(len(move), np.bool_), 0.0
    if sign == 0:
        both = [_strongest(move, clock, way) for way in (1.0, -1.0)]
        return max(both, key=lambda found: abs(found[1]))
    calm = _running_median(sign * move)
    centre = clock.times[int(np.nanargmax(calm))]
    window = np.isfinite(move) & (np.abs(clock.times - centre) <= WINDOW / 2)
    return window, sign * float(np.percentile(sign * move[window], PERCENTILE))


def _running_median(values: Float64) -> Float64:
    """Return the median of each value and its neighbours; the value itself beside a gap."""
    if len(values) < 3:
        return values
    before, after = np.append(values[:1], values[:-1]), np.append(values[1:], values[-1:])
    lower, upper = np.minimum(before, values), np.maximum(before, values)
    median = np.maximum(lower, np.minimum(upper, after))
    return np.where(np.isfinite(median), median, values)


def _peaked(row: ActionMeasure, move: Float64, clock: _Clock, sign: float) -> ActionMeasure:
    """Return a row with all that follows from its movement."""
    if not np.isfinite(move).any():
        return row
    window, excursion = _strongest(move, clock, sign)
    nearest = int(np.nanargmin(np.where(window, np.abs(move - excursion), np.nan)))
    row = replace(
        row,
        peak=row.baseline + excursion,
        excursion=excursion,
        peak_frame=int(clock.frames[nearest]),
        peak_time=float(clock.times[nearest]),
        moved=abs(excursion) > MULTIPLE * row.noise,
    )
    if not row.moved:
        return replace(row, reason=NO_MOVEMENT)
    known = np.flatnonzero(np.isfinite(move))
    reached, times = _running_median(move[known]) / excursion, clock.times[known]
    before = times <= row.peak_time
    return replace(row, repetitions=_repetitions(reached), **_pace(reached, times, before, row))


def _pace(reached: Float64, times: Float64, before: Mask, row: ActionMeasure) -> dict[str, Any]:
    """Return the time to the peak and the velocity of the movement that reached it."""
    low = np.flatnonzero(before & (reached < 0.1))
    if not len(low):
        return {}
    onset = int(low[-1])
    found = {}
    after = np.arange(len(times)) > onset
    for share in (0.9, 0.95):
        there = np.flatnonzero(after & (reached >= share))
        if len(there):
            found[share] = float(times[there[0]] - times[onset])
    pace: dict[str, Any] = {}
    if 0.95 in found:
        pace["time_to_peak"] = found[0.95]
    if 0.9 in found:
        gained = float(reached[after & (reached >= 0.9)][0] - reached[onset])
        pace["velocity"] = abs(row.excursion) * gained / found[0.9]
    return pace


def _repetitions(reached: Float64) -> int:
    """Return how often a movement rose past half of its peak after it was below a quarter."""
    count, ready = 0, True
    for share in reached:
        if ready and share >= 0.5:
            count, ready = count + 1, False
        elif share < 0.25:
            ready = True
    return count


def _compared(rows: list[ActionMeasure], affected: str | None) -> list[ActionMeasure]:
    """Return both sides' rows with what one is to the other."""
    left, right = rows
    a, b = left.excursion, right.excursion
    if not (left.moved or right.moved) or math.isnan(a + b):
        return rows
    larger, smaller = max(abs(a), abs(b)), min(abs(a), abs(b))
    noise = MULTIPLE * math.hypot(left.noise, right.noise)
    gate = max(noise, healthy_share(left.measure) * larger)
    more = "left" if abs(a) > abs(b) else "right"
    share = math.nan
    if affected is not None:
        sick, well = (left, right) if affected == "left" else (right, left)
        share = sick.excursion / well.excursion if well.moved else math.nan
    told: dict[str, Any] = {
        "ratio": math.copysign(smaller / larger, a * b),
        "index": (abs(a) - abs(b)) / (abs(a) + abs(b)),
        "share": share,
        "leads": more if abs(a - b) > gate else "neither",
    }
    return [replace(row, **told) for row in rows]
