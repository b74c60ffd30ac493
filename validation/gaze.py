"""Compare a profile's gaze and eye landmarks with the reference program's, on the frontal videos.

    python -m validation.gaze --config default

writes ``validation/results/gaze-default.md``. The exit status says whether the bars hold: median
angle between gaze vectors at most 2 degrees; iris and lid landmarks at most 2 % of the distance
between the eyes' outer corners. Both eyes of all frames count in which both report success.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from validation import report
from validation.ablation import FRONTAL
from validation.metrics import points
from validation.provenance import RESULTS, provenance
from validation.reference import SHARED, Reference, as_stored, read_table

Float64 = NDArray[np.float64]

ANGLE, DISTANCE = 2.0, 2.0
"""Bars: degrees, per cent of the distance between the eyes."""
_IRIS, _LID = slice(0, 8), slice(8, 20)


@dataclass(frozen=True, eq=False)
class Eyes:
    """How far two programs' eyes are apart, by frame and eye.

    Attributes
    ----------
    angles : (2 n,) float64
        Between gaze vectors, degrees.
    iris, lid : (2 n,) float64
        Mean distance of the landmarks, per cent of the distance between the eyes.
    """

    angles: Float64
    iris: Float64
    lid: Float64

    @property
    def row(self) -> list[str]:
        """Figures of a line of the table."""
        angles = (np.median(self.angles), self.angles.mean(), np.percentile(self.angles, 95))
        shares = (self.iris.mean(), self.lid.mean())
        return [str(self.angles.size // 2), *(report.number(float(v), 3) for v in angles + shares)]

    @property
    def holds(self) -> bool:
        """Whether the bars hold."""
        return bool(
            np.median(self.angles) <= ANGLE and max(self.iris.mean(), self.lid.mean()) <= DISTANCE
        )


def compare(reference: pd.DataFrame, output: pd.DataFrame) -> Eyes:
    """Compare the eyes of two tables.

    Parameters
    ----------
    reference, output : DataFrame
        OpenFace columns; rows are matched by ``frame``.

    Returns
    -------
    Eyes
        Of the frames in which both report success.
    """
    found = [table.loc[table["success"] == 1].set_index("frame") for table in (reference, output)]
    both = found[0].index.intersection(found[1].index)
    ref, out = (table.loc[both] for table in found)
    one, other = _vectors(ref), _vectors(out)
    cosines = (
        (one * other).sum(axis=2) / np.linalg.norm(one, axis=2) / np.linalg.norm(other, axis=2)
    )
    apart = np.linalg.norm(_eyes(ref) - _eyes(out), axis=3)
    corners = points(ref)
    size = np.linalg.norm(corners[:, 36] - corners[:, 45], axis=1)[:, None]
    return Eyes(
        np.degrees(np.arccos(np.clip(cosines, -1, 1))).ravel(),
        (100 * apart[:, :, _IRIS].mean(axis=2) / size).ravel(),
        (100 * apart[:, :, _LID].mean(axis=2) / size).ravel(),
    )


def _vectors(table: pd.DataFrame) -> Float64:
    """Return gaze vectors, (n, 2, 3)."""
    names = [f"gaze_{eye}_{axis}" for eye in (0, 1) for axis in "xyz"]
    return table[names].to_numpy(np.float64).reshape(-1, 2, 3)


def _eyes(table: pd.DataFrame) -> Float64:
    """Return eye landmarks, (n, 2, 28, 2), pixels."""
    x, y = (
        table[[f"eye_lmk_{axis}_{i}" for i in range(56)]].to_numpy(np.float64).reshape(-1, 2, 28)
        for axis in "xy"
    )
    return np.stack([x, y], axis=3)


def render(results: dict[str, Eyes], config: str, origin: dict[str, str]) -> str:
    """Return the report."""
    every = Eyes(
        *(
            np.concatenate([getattr(eyes, name) for eyes in results.values()])
            for name in ("angles", "iris", "lid")
        )
    )
    rows = [[name, *eyes.row] for name, eyes in results.items()] + [["**all**", *every.row]]
    header = ["video", "frames", "median, deg", "mean", "95 %", "iris, % of eyes", "lid, % of eyes"]
    bars = (
        f"Bars: median angle at most {ANGLE:g} degrees, iris and lid landmarks at most "
        f"{DISTANCE:g} % of the distance between the eyes' outer corners, by video and of all."
    )
    missed = [name for name, eyes in {**results, "all": every}.items() if not eyes.holds]
    verdict = f"Missed: {', '.join(missed)}." if missed else "All hold."
    title = report.heading(f"Gaze of profile {config}", origin)
    return "\n".join([title, bars, verdict, "", report.table(header, rows)])


def main(arguments: list[str] | None = None) -> int:
    """Parse, run, write the report; return the exit status: 0 where all bars hold."""
    parser = argparse.ArgumentParser(prog="python -m validation.gaze", description=__doc__)
    parser.add_argument("--config", default="default", help="profile (default: %(default)s)")
    parser.add_argument("--shared", type=Path, default=SHARED, help="folder of the reference")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where the report goes")
    options = parser.parse_args(arguments)
    from pyfaceau.pipeline.video import FullPythonAUPipeline

    pipeline = FullPythonAUPipeline(config=as_stored(options.config))
    reference = Reference(options.shared)
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in FRONTAL:
            table = Path(folder) / f"{name}.csv"
            groups = ("gaze", "2Dfp")
            pipeline.write_csv(reference.video(name), table, groups)
            results[name] = compare(reference.table(name), read_table(table))
    text = render(
        results, options.config, provenance(f"python -m validation.gaze --config {options.config}")
    )
    target = options.results / f"gaze-{options.config}.md"
    target.write_text(text, encoding="utf-8")
    sys.stdout.write(text)
    return 0 if "Missed:" not in text else 1


if __name__ == "__main__":
    sys.exit(main())
