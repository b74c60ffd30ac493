"""What is measured of a face over a video, one series for each measure and side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pyfaceau.asymmetry.files import AU_NOISE
from pyfaceau.asymmetry.geometry import LENGTHS, MEASURES, MIDLINE, measure
from pyfaceau.errors import InputError
from pyfaceau.types import AU_INTENSITIES, SIDES, Float64

if TYPE_CHECKING:
    import pandas as pd

UPPER, MID, LOWER = "upper", "mid", "lower"

ZONES = {
    UPPER: ("AU01_r", "AU02_r", "AU04_r", "brow_height"),
    MID: (
        "AU05_r", "AU06_r", "AU07_r", "AU09_r", "AU45_r", "mrd1", "mrd2", "palpebral_height",
        "palpebral_width", "lid_opening", "eye_closure", "lid_closure", "nasal_base_deviation",
    ),
    LOWER: (
        "AU10_r", "AU12_r", "AU14_r", "AU15_r", "AU17_r", "AU20_r", "AU23_r", "AU25_r", "AU26_r",
        "commissure_x", "commissure_y", "commissure_excursion", "smile_angle", "upper_lip_height",
        "lower_lip_height", "dental_show", "philtrum_deviation",
    ),
}  # fmt: skip
"""Which action units and measures belong to the upper, middle and lower face."""

WHOLE = "whole"
SIDED = (*SIDES, WHOLE)
"""Values of a side: the patient's left and right, and both together."""

_ZONE = {name: zone for zone, names in ZONES.items() for name in names}
_FLOORS = {"eye_closure": 0.01, "lid_closure": 0.01, "smile_angle": 0.1}
_FLOOR = 0.0005
"""Least noise of a length: a tenth of a pixel, the step in which tables have landmarks, of a face
whose eyes are 200 pixels apart."""


@dataclass(frozen=True, eq=False)
class Signal:
    """One measure of one side, frame by frame.

    Attributes
    ----------
    measure : str
        ``AU12_r``, or a measure's name as of `pyfaceau.asymmetry.geometry.measure`.
    side : str
        ``left``, ``right`` (the patient's) or ``whole``.
    zone : str
        ``upper``, ``mid`` or ``lower``.
    unit : str
        ``0-5``, ``iod`` (inter-ocular distances), ``mm``, ``deg`` or ``share``.
    floor : float
        The least noise, in that unit.
    values : (N,) float64
        NaN where there is no face, or no value.
    """

    measure: str
    side: str
    zone: str
    unit: str
    floor: float
    values: Float64


def find_signals(table: pd.DataFrame, rest: Any = None, **options: Any) -> list[Signal]:
    """Return all that a table says of the face.

    Parameters
    ----------
    table : DataFrame
        As from `pyfaceau.read`, one face per frame; with action units (whole, and of the halves
        where faces were split), landmarks, or both.
    rest : (N,) bool array_like, optional
        Frames at rest, see `pyfaceau.asymmetry.geometry.measure`.
    **options
        ``mirrored_input``, ``iris_mm``, ``scale_mm`` of it.

    Returns
    -------
    list of Signal
        Action units, then geometry: with head pose taken out, or, where a table has no landmarks in
        space, as the picture shows it (``_2d``).

    Raises
    ------
    InputError
        If the table has none of this, or several faces in a frame.
    """
    if "success" not in table or table.index.has_duplicates:
        raise InputError("table: expected the table of a video with one face in each frame")
    seen = table["success"].to_numpy() == 1
    found = []
    for name in AU_INTENSITIES:
        for side in SIDED:
            column = name if side == WHOLE else f"{name}_{side}"
            if column in table:
                found.append(_signal(name, side, "0-5", AU_NOISE, table[column], seen))
    if "x_0" in table and "y_67" in table:
        found += _geometry(table, rest, seen, options)
    if not found:
        raise InputError("table: expected action units or landmarks, got neither")
    return found


def _geometry(table: pd.DataFrame, rest: Any, seen: Any, options: Any) -> list[Signal]:
    values = measure(table, rest=rest, **options)
    flat = "" if values["palpebral_height_left"].notna().any() else "_2d"
    found = []
    for name in MEASURES:
        unit = {"smile_angle": "deg", "eye_closure": "share", "lid_closure": "share"}.get(
            name, "iod"
        )
        floor = _FLOORS.get(name, _FLOOR)
        for side in SIDES:
            column = f"{name}{flat}_{side}"
            found.append(_signal(f"{name}{flat}", side, unit, floor, values[column], seen))
    found += [
        _signal(f"{n}{flat}", WHOLE, "iod", _FLOOR, values[f"{n}{flat}"], seen) for n in MIDLINE
    ]
    columns = [(n, s, f"{n}_mm_{s}") for n in LENGTHS for s in SIDES]
    for name, side, column in [*columns, *((n, WHOLE, f"{n}_mm") for n in MIDLINE)]:
        if column in values and not flat:
            found.append(_signal(f"{name}_mm", side, "mm", 100 * _FLOOR, values[column], seen))
    return found


def _signal(name: str, side: str, unit: str, floor: float, column: Any, seen: Any) -> Signal:
    values = np.where(seen, column.to_numpy(np.float64), np.nan)
    stem = name.removesuffix("_2d").removesuffix("_mm")
    return Signal(name, side, _ZONE[stem], unit, floor, values)
