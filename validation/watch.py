"""What the watch over parts of the face does to landmarks, by an independent judge.

    python -m validation.watch VIDEO...

Profile `free` finds 68 points with other networks, trained on other pictures. Where the points of
profile `default` come nearer to its points, and OpenFace's own do not, `default` is nearer to the
face. The two kinds of points differ by some percent everywhere, so that only differences within a
line count.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import pyfaceau
from pyfaceau import Config, FullPythonAUPipeline
from pyfaceau.tracking import watch
from validation.provenance import provenance
from validation.reference import SHARED

CHANGED = 2.0
"""Landmarks further apart than so much of the distance between the eyes, %, are another fit."""


def judged(videos: list[Path]) -> Iterator[str]:
    """Yield a line for each video."""
    yield (
        "| video | frames that the watch changes | all frames: OpenFace | without the watch "
        "| with it | those frames: OpenFace | without | with |"
    )
    yield "| :-- |" + " --: |" * 7
    for video in videos:
        reference = pyfaceau.read(SHARED / "reference" / "precise" / f"{video.stem}.csv.gz")
        judge = points_of(FullPythonAUPipeline(config=Config.load("free")).process_video(video))
        default = FullPythonAUPipeline(config=Config.load("default"))
        new = points_of(default.process_video(video))
        with mock.patch.multiple(watch, MAX_PART=np.inf, FALL=np.inf):
            old = points_of(default.process_video(video))
        eyes = np.hypot(*(judge[:, 45] - judge[:, 36]).T)
        seen = eyes > 0
        changed = seen & (apart(new, old, eyes) > CHANGED)
        cells = [
            f"{apart(points, judge, eyes)[rows].mean():.2f}" if rows.any() else "-"
            for rows in (seen, changed)
            for points in (points_of(reference), old, new)
        ]
        yield f"| {video.stem} | {changed.sum()} of {seen.sum()} | " + " | ".join(cells) + " |"


def points_of(table: pd.DataFrame) -> NDArray[np.float64]:
    """Return landmarks, (N, 68, 2) pixels."""
    names = [f"{axis}_{i}" for i in range(68) for axis in "xy"]
    return table[names].to_numpy(np.float64).reshape(len(table), 68, 2)


def apart(
    one: NDArray[np.float64], other: NDArray[np.float64], eyes: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the mean distance of two sets of points in each frame, % of that between the eyes."""
    mean = np.hypot(*np.moveaxis(one - other, 2, 0)).mean(axis=1)
    return 100 * np.divide(mean, eyes, out=np.full(len(eyes), np.nan), where=eyes > 0)


def main() -> int:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m validation.watch")
    parser.add_argument("videos", nargs="+", type=Path)
    options = parser.parse_args()
    for key, value in provenance(" ".join(["python -m validation.watch", *sys.argv[1:]])).items():
        sys.stdout.write(f"- {key}: {value}\n")
    sys.stdout.write("\n")
    for line in judged(options.videos):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
