"""What counts as movement and what as asymmetry: differences of sides with a gate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pyfaceau.errors import InputError, check_array
from pyfaceau.types import SIDES, Float64

if TYPE_CHECKING:
    import pandas as pd

MULTIPLE = 4.0
"""Resting noises that a movement must exceed to count."""

HEALTHY = 0.2
"""Share of the larger side's movement by which the sides of healthy people may differ, at least."""

HEALTHY_UNIT = 0.6
"""The same of a split action unit, at least."""

HEALTHY_SHARES: dict[str, float] = {
    "AU01_r": 1.0,
    "AU02_r": 1.0,
    "AU04_r": 1.0,
    "AU05_r": 1.0,
    "AU06_r": 1.0,
    "AU07_r": 1.0,
    "AU09_r": 1.0,
    "AU10_r": 1.0,
    "AU12_r": 0.95,
    "AU14_r": 1.0,
    "AU15_r": 0.95,
    "AU17_r": 0.95,
    "AU20_r": 1.0,
    "AU23_r": 1.0,
    "AU25_r": 0.9,
    "AU26_r": 1.0,
    "AU45_r": 0.85,
    "brow_height": 0.85,
    "mrd1": 0.3,
    "palpebral_height": 0.3,
    "palpebral_width": 0.95,
    "eye_closure": 0.3,
    "lid_opening": 1.0,
    "lid_closure": 1.0,
    "commissure_x": 1.0,
    "commissure_y": 0.45,
    "commissure_excursion": 1.0,
    "smile_angle": 0.85,
    "upper_lip_height": 0.3,
    "lower_lip_height": 0.55,
    "dental_show": 0.9,
}
"""The same, measured: what 97 % of symmetric smiles, and of symmetric closures, of 102 people in
photographs stay under, in steps of 0.05; so chosen, 95 % of other people do too, in every measure
(validation/results/actions.md). At 1 only opposite movements count: there the sides of a healthy
face differ as much as those of a paretic one."""


def healthy_share(name: str) -> float:
    """Return by how much of the larger movement healthy sides may differ in a measure.

    Parameters
    ----------
    name : str
        A measure or action unit, such as ``commissure_y`` or ``AU12_r``; ``_2d`` and ``_mm`` behind
        it make no difference.

    Returns
    -------
    float
        A share, 0.2 to 1.
    """
    stem = name.removesuffix("_2d").removesuffix("_mm")
    return HEALTHY_SHARES.get(stem, HEALTHY_UNIT if stem.startswith("AU") else HEALTHY)


_TO_SIGMA = 1.4826
"""Median absolute deviation to standard deviation, of a normal distribution."""


def resting_noise(values: Any, rest: Any, floor: float = 0.0) -> tuple[float, float]:
    """Return level and noise of a side at rest.

    Parameters
    ----------
    values : (N,) array_like
        A measure of one side; NaN where there is none.
    rest : (N,) bool array_like
        Frames at rest.
    floor : float
        The least noise, such as the step in which the table is written.

    Returns
    -------
    level : float
        Median at rest.
    noise : float
        1.4826 times the median absolute deviation from it, at least `floor`.

    Raises
    ------
    InputError
        If there are fewer than three resting frames with a value.
    """
    series = check_array("values", values, (None,), np.float64, finite=False)
    mask = check_array("rest", rest, (len(series),), np.bool_)
    still = series[mask & np.isfinite(series)]
    if len(still) < 3:
        raise InputError(f"rest: expected 3 or more frames with a value, got {len(still)}")
    level = float(np.median(still))
    noise = _TO_SIGMA * float(np.median(np.abs(still - level)))
    return level, max(noise, floor)


def asymmetry(
    left: Any,
    right: Any,
    rest: Any,
    *,
    affected: str | None = None,
    multiple: float = MULTIPLE,
    healthy: float = HEALTHY,
    floor: float = 0.0,
) -> pd.DataFrame:
    """Compare the movements of both sides, frame by frame.

    A movement is the distance from the side's own level at rest. Where neither side moves by more
    than `multiple` of its own resting noise there is "no movement": no ratio, index, share or side,
    instead of 0 or 100 %. A side leads where the difference exceeds both `multiple` of the noises
    together (root of the sum of squares) and `healthy` of the larger movement.

    Parameters
    ----------
    left, right : (N,) array_like
        The patient's sides of one measure or action unit; NaN where there is none.
    rest : (N,) bool array_like
        Frames at rest.
    affected : {'left', 'right'}, optional
        The paretic side.
    multiple : float
        Resting noises that a movement must exceed.
    healthy : float
        Share of the larger movement that a difference must exceed.
    floor : float
        The least noise, such as the step in which the table is written.

    Returns
    -------
    DataFrame
        Per frame: ``left``, ``right`` (movements, in the measure's unit), ``difference`` (left less
        right), ``moved`` (1 past the gate, 0 not, NaN without values), ``ratio`` (smaller movement
        over larger, 0 to 1; negative where the sides move opposite ways), ``index``
        ((L - R) / (L + R) of the movements' sizes, -1 to 1; positive where the left moves more),
        ``share`` (affected over healthy side, where `affected` is given) and ``leads`` (1 the left
        side moves more, -1 the right, 0 neither past the gate).

    Raises
    ------
    InputError
        If an argument is not as described, or too few frames are at rest.
    """
    import pandas as pd

    if affected not in (None, *SIDES):
        raise InputError(f"affected: expected 'left' or 'right', got {affected!r}")
    if not (multiple > 0 and healthy >= 0):
        raise InputError(f"multiple, healthy: expected positive, got {multiple}, {healthy}")
    sides, noises = {}, {}
    for name, values in zip(SIDES, (left, right), strict=True):
        series = check_array(name, values, (None,), np.float64, finite=False)
        level, noises[name] = resting_noise(series, rest, floor)
        sides[name] = series - level
    a, b = sides["left"], sides["right"]
    if a.shape != b.shape:
        raise InputError(f"right: expected {len(a)} values as of the left side, got {len(b)}")
    known = np.isfinite(a) & np.isfinite(b)
    moved = (np.abs(a) > multiple * noises["left"]) | (np.abs(b) > multiple * noises["right"])
    moved &= known
    difference = a - b
    larger = np.maximum(np.abs(a), np.abs(b))
    both = multiple * np.hypot(noises["left"], noises["right"])
    leads = moved & (np.abs(difference) > np.maximum(both, healthy * larger))
    smaller = np.minimum(np.abs(a), np.abs(b)) * np.sign(a) * np.sign(b)
    columns = {
        "left": a,
        "right": b,
        "difference": difference,
        "moved": np.where(known, moved, np.nan),
        "ratio": _over(smaller, larger, moved),
        "index": _over(np.abs(a) - np.abs(b), np.abs(a) + np.abs(b), moved),
        "leads": np.where(known, leads * np.sign(np.abs(a) - np.abs(b)), np.nan),
    }
    if affected is not None:
        sick, well = (a, b) if affected == "left" else (b, a)
        steady = np.abs(well) > multiple * noises["right" if affected == "left" else "left"]
        columns["share"] = _over(sick, well, moved & steady)
    compared: pd.DataFrame = pd.DataFrame(columns)
    return compared


def _over(part: Float64, whole: Float64, where: Any) -> Float64:
    """Return quotients where they mean something, NaN elsewhere."""
    out = np.full(len(part), np.nan)
    usable = where & (whole != 0)
    out[usable] = part[usable] / whole[usable]
    return out
