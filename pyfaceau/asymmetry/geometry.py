"""Measures of each side of the face, frame by frame: a pure function of a table.

docs/paralysis.md has every formula with its landmarks, source and sign.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from pyfaceau.asymmetry.face_frame import FaceFrames, frontal_frames, picture_frames
from pyfaceau.errors import InputError
from pyfaceau.types import SIDES, Float64

if TYPE_CHECKING:
    import pandas as pd

LENGTHS = (
    "brow_height",
    "mrd1",
    "mrd2",
    "palpebral_height",
    "palpebral_width",
    "lid_opening",
    "commissure_x",
    "commissure_y",
    "commissure_excursion",
    "upper_lip_height",
    "lower_lip_height",
    "dental_show",
)
"""Lengths of each side, in inter-ocular distances; with a scale in millimetres as well."""

MEASURES = (*LENGTHS, "smile_angle", "eye_closure", "lid_closure")
"""All that is measured of each side: lengths, the smile's angle in degrees, the eye's closure by
the face's landmarks and by the eye model's."""

MIDLINE = ("philtrum_deviation", "nasal_base_deviation")
"""Measured of the midline, in inter-ocular distances: positive towards the patient's left."""

CLOSED = 0.8
"""Share of the person's own resting height by which the lids have come together when the eye counts
as closed; landmarks of closed lids seldom meet."""


def measure(
    table: pd.DataFrame,
    *,
    rest: Any = None,
    mirrored_input: bool = False,
    iris_mm: float | None = None,
    scale_mm: float | None = None,
) -> pd.DataFrame:
    """Measure both sides of the face in every row of a table.

    Parameters
    ----------
    table : DataFrame
        As from `pyfaceau.read`: landmarks ``x_0`` ... ``y_67``; where they are there, ``X_0`` ...
        ``Z_67`` with ``pose_Tx`` ... ``pose_Rz``, and eye landmarks ``eye_lmk_x_0`` ... . One face
        per frame.
    rest : (N,) bool array_like, optional
        Rows of the resting face, for the closure of the eye; if not given, the median over all
        rows with a face stands for the open eye.
    mirrored_input : bool
        The recording is mirrored: the patient's left is the image's left.
    iris_mm : float, optional
        Width of an iris in mm, as an assumption for all people: 11.7. Needs eye landmarks.
    scale_mm : float, optional
        The person's distance between the outer corners of the eyes, mm, as measured.

    Returns
    -------
    DataFrame
        Index as of `table`. ``NAME_left`` and ``NAME_right`` (the patient's sides) for each of
        `MEASURES`, then `MIDLINE`: from landmarks whose head pose is taken out by the 3-D fit. The
        same with ``_2d`` behind NAME from the picture alone. Lengths are in inter-ocular distances
        (outer corners, of the same frame); with a scale each has a column in mm, ``NAME_mm_left``.
        ``eye_closed_left/right`` is 1 where closure is `CLOSED` or more. NaN where there is no
        face; all but the ``_2d`` columns are NaN where the table has no 3-D landmarks or pose.

    Raises
    ------
    InputError
        If the table has no landmarks, several faces per frame, `rest` is of another length or has
        no face, or the scale is not positive or cannot be found.
    """
    import pandas as pd

    if "x_0" not in table or "y_67" not in table:
        raise InputError("table: expected landmarks x_0 ... y_67, got none: run with -2Dfp")
    if table.index.has_duplicates:
        raise InputError("table: expected one face in each frame, got several (--multi-face)")
    resting = None if rest is None else _rest(rest, len(table))
    frontal = frontal_frames(table)
    out = {} if frontal is None else _both_sides(frontal, "", resting, mirrored_input)
    del frontal  # one at a time: of a long video each takes what a tenth of its table does
    flat = picture_frames(table)
    out = out or _both_sides(flat.empty(), "", resting, mirrored_input)
    out |= _both_sides(flat, "_2d", resting, mirrored_input)
    for side in SIDES:
        closure = out[f"eye_closure_{side}"]
        out[f"eye_closed_{side}"] = np.where(np.isnan(closure), np.nan, closure >= CLOSED)
    millimetres = scale(flat, iris_mm, scale_mm)
    if millimetres is not None:
        for name in LENGTHS:
            for side in SIDES:
                out[f"{name}_mm_{side}"] = out[f"{name}_{side}"] * millimetres
        for name in MIDLINE:
            out[f"{name}_mm"] = out[name] * millimetres
    measures: pd.DataFrame = pd.DataFrame(out, index=table.index)
    return measures


def _both_sides(
    view: FaceFrames, suffix: str, rest: Any, mirrored_input: bool
) -> dict[str, Float64]:
    """Return the columns of one view of the face."""
    mirrored = {"left": not mirrored_input, "right": mirrored_input}
    values = {
        side: dict(measure_side(view.mirrored() if mirrored[side] else view)) for side in SIDES
    }
    for side in SIDES:
        for closure, name in (("eye_closure", "palpebral_height"), ("lid_closure", "lid_opening")):
            height = values[side][name]
            values[side][closure] = 1.0 - height / _resting(height, rest)
    out = {f"{n}{suffix}_{side}": values[side][n] for n in MEASURES for side in SIDES}
    sign = -1.0 if mirrored_input else 1.0
    for name, point in zip(MIDLINE, (51, 33), strict=True):
        out[f"{name}{suffix}"] = sign * view.points[:, point, 0]
    return out


def measure_side(face: FaceFrames) -> Mapping[str, Float64]:
    """Measure the side of the face that lies at negative x.

    Parameters
    ----------
    face : FaceFrames
        Points with the midline at x 0 and the irises on y 0, in inter-ocular distances.

    Returns
    -------
    mapping of (N,) float64
        The values of `MEASURES` but the eye's closures.
    """
    p, iris = face.points, face.irises[:, 0]
    corner = p[:, 48]
    under = height_at(p[:, [48, 59, 58, 57, 56, 55, 54]], np.zeros(len(p)))
    reach = np.hypot(corner[:, 0], corner[:, 1] - under)
    half = corner[:, 0] / 2
    lid, lash = p[:, 36:40], p[:, [36, 41, 40, 39]]
    gap = height_at(p[:, [60, 67, 66, 65, 64]], half) - height_at(p[:, 60:65], half)
    middle = (p[:, 36, 0] + p[:, 39, 0]) / 2
    return {
        "brow_height": iris[:, 1] - height_at(p[:, 17:22], iris[:, 0]),
        "mrd1": iris[:, 1] - height_at(lid, iris[:, 0]),
        "mrd2": height_at(lash, iris[:, 0]) - iris[:, 1],
        "palpebral_height": height_at(lash, middle) - height_at(lid, middle),
        "palpebral_width": np.hypot(*(p[:, 39] - p[:, 36]).T),
        "lid_opening": face.lid_openings[:, 0],
        "commissure_x": -corner[:, 0],
        "commissure_y": corner[:, 1],
        "commissure_excursion": reach,
        "smile_angle": 90.0 + np.degrees(np.arctan2(under - corner[:, 1], -corner[:, 0])),
        "upper_lip_height": height_at(p[:, 48:55], half),
        "lower_lip_height": height_at(p[:, [48, 59, 58, 57, 56, 55, 54]], half),
        "dental_show": np.maximum(gap, 0.0),
    }


def height_at(line: Float64, x: Float64) -> Float64:
    """Return y of polylines at given x, the end segments prolonged.

    Parameters
    ----------
    line : (N, k, 2) float64
        A polyline in each frame.
    x : (N,) float64
        Where it is asked for.

    Returns
    -------
    (N,) float64
        Linear between the points, which are taken in the order of their x; NaN where a point is.
    """
    order = np.argsort(line[:, :, 0], axis=1)
    xs, ys = (np.take_along_axis(line[:, :, axis], order, axis=1) for axis in (0, 1))
    segment = np.clip((xs < x[:, None]).sum(axis=1) - 1, 0, xs.shape[1] - 2)
    rows = np.arange(len(xs))
    x0, x1 = xs[rows, segment], xs[rows, segment + 1]
    y0, y1 = ys[rows, segment], ys[rows, segment + 1]
    width = x1 - x0
    share = np.divide(x - x0, width, out=np.full(len(x), 0.5), where=width != 0)
    result: Float64 = np.where(np.isnan(xs).any(axis=1), np.nan, y0 + share * (y1 - y0))
    return result


def scale(face: FaceFrames, iris_mm: float | None, scale_mm: float | None) -> float | None:
    """Return the millimetres of an inter-ocular distance.

    Parameters
    ----------
    face : FaceFrames
        The person, as in the picture.
    iris_mm : float or None
        Assumed width of an iris, mm.
    scale_mm : float or None
        Measured distance between the outer corners of the eyes, mm.

    Returns
    -------
    float or None
        None where neither is given.

    Raises
    ------
    InputError
        If both are given, one is not positive, or there are no irises to be measured.
    """
    if iris_mm is None and scale_mm is None:
        return None
    if iris_mm is not None and scale_mm is not None:
        raise InputError("scale: expected --iris-mm or --scale, got both")
    given = scale_mm if iris_mm is None else iris_mm
    if not (given is not None and 0 < given < np.inf):
        raise InputError(f"scale: expected a positive number of mm, got {given}")
    if iris_mm is None:
        return given
    widths = face.iris_widths[np.isfinite(face.iris_widths)]
    if not len(widths):
        raise InputError("iris_mm: expected eye landmarks in the table, got none: give --scale")
    return iris_mm / float(np.median(widths))


def _rest(rest: Any, rows: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return which rows are at rest, or refuse what is no such mask."""
    mask = np.asarray(rest)
    if mask.shape != (rows,) or mask.dtype != np.bool_:
        raise InputError(f"rest: expected ({rows},) bool, got {mask.shape} {mask.dtype}")
    return mask


def _resting(height: Float64, rest: Any) -> float:
    """Return the height of the open eye."""
    rows = np.isfinite(height)
    if not rows.any():
        return np.nan
    if rest is not None:
        rows &= rest
        if not rows.any():
            raise InputError("rest: expected frames with a face, got none")
    return float(np.median(height[rows]))
