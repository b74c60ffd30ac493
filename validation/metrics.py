"""The figures by which a CSV is compared with OpenFace's. One rule everywhere.

Figures are over the frames where both files report success. An action unit counts if its standard
deviation in the reference is above 0.05 there; a constant output has correlation 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

MIN_REFERENCE_STD = 0.05
MIN_OUTPUT_STD = 1e-9
GOOD_R = 0.80

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Intensity:
    """One action unit's intensity against the reference.

    Attributes
    ----------
    r : float or None
        Pearson's correlation; None where the reference hardly moves, 0 where the output is
        constant.
    mae, bias : float
        Mean absolute and mean signed difference (output minus reference), 0 to 5 scale.
    """

    r: float | None
    mae: float
    bias: float


@dataclass(frozen=True)
class Comparison:
    """One CSV against the reference's.

    Attributes
    ----------
    rows, reference_rows : int
        Rows in either file.
    frames : int
        Frames where both report success.
    columns : int
        Columns of the output.
    success_agree : float
        Share of the common frames whose success flags are equal.
    intensities : dict of str to Intensity
        By column name, such as ``AU12_r``.
    presences : dict of str to float
        Share of frames with equal class, by column name, such as ``AU12_c``.
    lm_px, lm_max, lm_iod : float or None
        Landmark distance: mean and largest, pixels; mean in % of the inter-ocular distance.
    pose_deg, gaze_deg : float or None
        Mean absolute difference of the rotation and gaze angles, degrees.
    """

    rows: int
    reference_rows: int
    frames: int
    columns: int
    success_agree: float
    intensities: dict[str, Intensity] = field(default_factory=dict)
    presences: dict[str, float] = field(default_factory=dict)
    lm_px: float | None = None
    lm_max: float | None = None
    lm_iod: float | None = None
    pose_deg: float | None = None
    gaze_deg: float | None = None

    @property
    def correlations(self) -> dict[str, float]:
        """Correlations of the action units that count."""
        return {name: au.r for name, au in self.intensities.items() if au.r is not None}

    @property
    def mean_r(self) -> float | None:
        """Mean correlation of the action units that count."""
        return float(np.mean(list(self.correlations.values()))) if self.correlations else None

    @property
    def min_r(self) -> float | None:
        """Lowest correlation of the action units that count."""
        return min(self.correlations.values()) if self.correlations else None

    @property
    def good(self) -> int:
        """How many action units reach a correlation of 0.80."""
        return sum(r >= GOOD_R for r in self.correlations.values())

    @property
    def mae(self) -> float | None:
        """Mean absolute difference over all intensities."""
        return _mean_or_none([au.mae for au in self.intensities.values()])

    @property
    def bias(self) -> float | None:
        """Mean signed difference over all intensities."""
        return _mean_or_none([au.bias for au in self.intensities.values()])

    @property
    def auc_agree(self) -> float | None:
        """Mean agreement of the classes."""
        return _mean_or_none(list(self.presences.values()))

    def summary(self) -> dict[str, Any]:
        """Return the figures that sum up the file, ready for JSON."""
        names = "rows reference_rows frames columns success_agree mean_r min_r good mae bias"
        names += " auc_agree lm_px lm_max lm_iod pose_deg gaze_deg"
        figures = {name: getattr(self, name) for name in names.split()}
        return figures | {"counted": len(self.correlations)}


def _mean_or_none(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def pearson(reference: Float64, output: Float64) -> float | None:
    """Correlate one action unit's intensities by the rule of this module.

    Parameters
    ----------
    reference, output : (n,) float64
        Intensities on the same frames.

    Returns
    -------
    float or None
        Pearson's r; 0 for a constant output; None if the reference does not count.
    """
    if reference.size < 2 or not np.std(reference, ddof=1) > MIN_REFERENCE_STD:
        return None
    if not np.std(output, ddof=1) > MIN_OUTPUT_STD:
        return 0.0
    return float(np.corrcoef(reference, output)[0, 1])


def compare(reference: pd.DataFrame, output: pd.DataFrame) -> Comparison:
    """Compare an output table with the reference's.

    Parameters
    ----------
    reference, output : DataFrame
        OpenFace columns; rows are matched by ``frame``.

    Returns
    -------
    Comparison
        The figures; those of column groups that either table lacks are absent.
    """
    common = reference[["frame", "success"]].merge(output[["frame", "success"]], on="frame")
    flags = common[["success_x", "success_y"]].to_numpy(np.float64)
    both = common["frame"][(flags > 0.5).all(axis=1)]
    ref = reference.set_index("frame").loc[both]
    out = output.set_index("frame").loc[both]
    aus = [name for name in ref if name.startswith("AU") and name in out]
    agree = float((flags[:, 0].round() == flags[:, 1].round()).mean()) if len(common) else 0.0
    if not len(both):
        return Comparison(len(output), len(reference), 0, output.shape[1], agree)
    return Comparison(
        rows=len(output),
        reference_rows=len(reference),
        frames=len(both),
        columns=output.shape[1],
        success_agree=agree,
        intensities={n: _intensity(ref[n], out[n]) for n in aus if n.endswith("_r")},
        presences={n: _presence(ref[n], out[n]) for n in aus if n.endswith("_c")},
        **_landmarks(ref, out),
        pose_deg=_angle(ref, out, [f"pose_R{axis}" for axis in "xyz"]),
        gaze_deg=_angle(ref, out, [f"gaze_angle_{axis}" for axis in "xy"]),
    )


def _intensity(reference: pd.Series, output: pd.Series) -> Intensity:
    x, y = reference.to_numpy(np.float64), output.to_numpy(np.float64)
    return Intensity(pearson(x, y), float(np.abs(y - x).mean()), float((y - x).mean()))


def _presence(reference: pd.Series, output: pd.Series) -> float:
    x, y = reference.to_numpy(np.float64), output.to_numpy(np.float64)
    return float((x.round() == y.round()).mean())


def points(table: pd.DataFrame) -> Float64:
    """Return the 68 landmarks of every row, (n, 68, 2) float64, pixels."""
    x, y = (table[[f"{axis}_{i}" for i in range(68)]].to_numpy(np.float64) for axis in "xy")
    return np.stack([x, y], axis=2)


def _landmarks(ref: pd.DataFrame, out: pd.DataFrame) -> dict[str, float]:
    if "x_67" not in ref or "x_67" not in out:
        return {}
    expected = points(ref)
    distance = np.linalg.norm(points(out) - expected, axis=2)
    eyes = np.linalg.norm(expected[:, 36] - expected[:, 45], axis=1)
    share = float((distance.mean(axis=1) / eyes).mean() * 100)
    return {"lm_px": float(distance.mean()), "lm_max": float(distance.max()), "lm_iod": share}


def _angle(ref: pd.DataFrame, out: pd.DataFrame, names: list[str]) -> float | None:
    if any(name not in table for name in names for table in (ref, out)):
        return None
    difference = out[names].to_numpy(np.float64) - ref[names].to_numpy(np.float64)
    return float(np.degrees(np.abs(difference).mean()))


@dataclass(frozen=True)
class TextAgreement:
    """How much of a CSV is the reference's, character for character.

    Attributes
    ----------
    rows_equal, rows : int
        Equal rows of all rows of the reference (the header left out).
    cells_equal, cells : int
        Equal cells of all cells of the reference.
    tracked_equal, tracked : int
        Equal rows among those from the first success on (before it the reference prints the
        result of a fit to nothing).
    header_equal : bool
        The first lines are equal.
    """

    rows_equal: int
    rows: int
    cells_equal: int
    cells: int
    tracked_equal: int
    tracked: int
    header_equal: bool


def compare_text(reference: Sequence[str], output: Sequence[str]) -> TextAgreement:
    """Count the rows and cells of a CSV that are the reference's, character for character.

    Parameters
    ----------
    reference, output : sequence of str
        Lines of the files, header first, without line ends.

    Returns
    -------
    TextAgreement
        The counts. Cells are matched by position.
    """
    expected, got = list(reference[1:]), list(output[1:])
    header = reference[0].split(", ") if reference else []
    success = header.index("success") if "success" in header else None
    equal = [i < len(got) and got[i] == line for i, line in enumerate(expected)]
    cells = [line.split(", ") for line in expected]
    first = len(cells)
    if success is not None:
        first = next((i for i, row in enumerate(cells) if row[success] == "1"), first)
    same = 0
    for row, line in zip(cells, got, strict=False):
        same += sum(a == b for a, b in zip(row, line.split(", "), strict=False))
    return TextAgreement(
        rows_equal=sum(equal),
        rows=len(expected),
        cells_equal=same,
        cells=sum(len(row) for row in cells),
        tracked_equal=sum(equal[first:]),
        tracked=len(expected) - first,
        header_equal=bool(reference) and bool(output) and reference[0] == output[0],
    )


def noise_failures(comparison: Comparison, noise: dict[str, dict[str, float]]) -> list[str]:
    """Say where a comparison is worse than the reference's own repeatability allows.

    Parameters
    ----------
    comparison : Comparison
        An output of the exact profile.
    noise : dict
        The figures of the reference program re-run with other arithmetic kernels, by kernel; empty
        where none were measured.

    Returns
    -------
    list of str
        One clause for each bar that is missed: mean r at least the lowest kernel's less 0.003,
        mean landmark distance at most 1.5 times the highest kernel's plus 0.02 px, success flags
        equal on 99 % of frames.
    """
    bars: list[tuple[str, float | None, float, bool]] = [
        ("success agreement", comparison.success_agree, 0.99, True)
    ]
    if noise:
        r = min(kernel["mean_r"] for kernel in noise.values()) - 0.003
        px = 1.5 * max(kernel["lm_px"] for kernel in noise.values()) + 0.02
        bars += [("mean r", comparison.mean_r, r, True), ("px", comparison.lm_px, px, False)]
    return [
        f"{name} {'none' if value is None else f'{value:.4f}'} misses {bar:.4f}"
        for name, value, bar, at_least in bars
        if value is None or not (value >= bar if at_least else value <= bar)
    ]
