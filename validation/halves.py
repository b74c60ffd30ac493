"""--split-face against half-face videos, which are what other tools measure.

    python -m validation.halves VIDEO... [--frames N] [--config NAME]

Each half of the face is reflected over the other, frame by frame, and written without loss (FFV1):
what is real stands on the image's left, as the split shows it to the models. The two videos that
result are measured as ordinary ones and compared with the table of the video; and once more the
other way round, as networks and patch experts answer a mirrored picture differently.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

import pyfaceau
from pyfaceau import Config, FullPythonAUPipeline, VideoReader
from pyfaceau.asymmetry.midline import find_midline
from pyfaceau.output.openface_csv import OpenFaceCSV
from pyfaceau.types import AU_INTENSITIES, SIDES, FrameResult, Reading, Selection, TrackedFace
from validation.blends import Picture, Points, write_lossless
from validation.provenance import provenance

_KINDS = "anew", "strong", "near", "turned", "given", "apart"
"""What is told of each video."""

NEAR = 2.0
"""Landmarks that lie within so much of each other, % of the distance between the eyes, are of one
fit: elsewhere the tracker of the half-face video sees another face, brows on lashes say."""


def halves(videos: list[Path], frames: int = 0, profile: str = "default") -> Iterator[str]:
    """Compare --split-face with the two half-face videos, lossless, as ordinary videos.

    Frames whose head is turned too far for halves are left out of them. Each half-face video is
    tracked anew, once mirrored, and once given the landmarks that the split fitted. Scene changes
    and turns are not looked for: a reflected background swings with the midline, a cut that is not
    in the video.
    """
    reading, selection = Reading(at_cuts="keep", rotate="0"), Selection(max_frames=frames)
    base = replace(Config.load(profile), reading=reading, selection=selection)
    split = FullPythonAUPipeline(config=replace(base, split_face=True))
    plain = FullPythonAUPipeline(config=base)
    yield (
        "| video | frames | yaw, 95 % under | active AUs | tracked anew: mean r | lowest "
        "| under 0.95 | those that reach 1: mean r | lowest | under 0.95 | landmarks apart, % | "
        f"within {NEAR:.0f} %, % of frames | those that reach 1, there: mean r | lowest "
        "| under 0.95 | "
        "the other way round: mean r | landmarks given: mean r | lowest | under 0.95 |"
    )
    yield "| :-- |" + " --: |" * 18
    rows = []
    for video in videos:
        row = _half_faces(video, split, plain)
        rows.append(row)
        yield f"| {video.stem} | " + " | ".join(_cells(row)) + " |"
    near = sorted(rows, key=lambda row: row["yaw"])[:6]
    together = {"frames": sum(row["frames"] for row in near), "yaw": near[-1]["yaw"]}
    for name in _KINDS:
        together[name] = np.concatenate([row[name] for row in near])
    yield "| the six with the least yaw | " + " | ".join(_cells(together)) + " |"


def _cells(row: dict[str, Any]) -> list[str]:
    """Return what a line of `halves` says."""
    anew, strong, near, given = (row[name] for name in ("anew", "strong", "near", "given"))
    return [
        f"{row['frames']}",
        f"{row['yaw']:.0f}",
        f"{len(anew)}",
        f"{anew.mean():.3f}",
        f"{anew.min():.3f}",
        f"{(anew < 0.95).sum()}",
        f"{strong.mean():.3f}",
        f"{strong.min():.3f}",
        f"{(strong < 0.95).sum()} of {len(strong)}",
        f"{row['apart'].mean():.1f}",
        f"{100 * (row['apart'] <= NEAR).mean():.0f}",
        f"{near.mean():.3f}" if near.size else "-",
        f"{near.min():.3f}" if near.size else "-",
        f"{(near < 0.95).sum()} of {len(near)}",
        f"{row['turned'].mean():.3f}" if row["turned"].size else "-",
        f"{given.mean():.3f}",
        f"{given.min():.3f}",
        f"{(given < 0.95).sum()}",
    ]


def _half_faces(
    video: Path, split: FullPythonAUPipeline, plain: FullPythonAUPipeline
) -> dict[str, Any]:
    """Compare one video with its two half-face videos."""
    table, results = _with_halves(video, split)
    wanted = [k for k, result in enumerate(results) if result.split and result.split.left]
    kept = [results[k] for k in wanted]
    own = table.iloc[wanted].reset_index(drop=True)
    found: dict[str, list[Any]] = {name: [] for name in _KINDS}
    for side in SIDES:
        told = _Given(kept, side, plain)
        given = FullPythonAUPipeline(config=plain.config, tracker=told)
        chosen = dict(zip(wanted, kept, strict=True))
        with tempfile.TemporaryDirectory() as folder:
            path, mirrored = (Path(folder) / f"{side}{k}.mkv" for k in range(2))
            write_lossless(path, _half_frames(video, chosen, side))
            anew, fixed = plain.process_video(path), given.process_video(path)
            write_lossless(mirrored, (f[:, ::-1] for f in _half_frames(video, chosen, side)))
            turned = plain.process_video(mirrored)
        found["anew"] += _agreement(own, anew, side, 0.5).values()
        found["strong"] += _agreement(own, anew, side, 1.0).values()
        found["turned"] += _agreement(own, turned, side, 1.0).values()
        found["given"] += _agreement(own, fixed, side, 0.5).values()
        apart = _apart(anew, _points(fixed))
        found["near"] += _agreement(own, anew, side, 1.0, apart <= NEAR).values()
        found["apart"] += list(apart[~np.isnan(apart)])
    yaw = float(np.degrees(own["pose_Ry"].abs().quantile(0.95)))
    return {"frames": len(kept), "yaw": yaw, **{n: np.array(v) for n, v in found.items()}}


def _with_halves(
    video: Path, pipeline: FullPythonAUPipeline
) -> tuple[pd.DataFrame, list[FrameResult]]:
    """Return the table of a video, and what is known of each frame."""
    results = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.csv"
        with OpenFaceCSV(path, layout=pipeline.layout) as table:
            for result in pipeline.results(video):
                table.write(result)
                results.append(replace(result, aligned=None, features=None))
            table.finish(*pipeline.action_units(table.rows))
        return pyfaceau.read(path), results


def _points(table: pd.DataFrame) -> Points:
    """Return landmarks, (N, 68, 2) pixels."""
    columns = [f"{a}_{i}" for i in range(68) for a in "xy"]
    return table[columns].to_numpy(np.float64).reshape(len(table), 68, 2)


def _agreement(
    table: pd.DataFrame,
    other: pd.DataFrame,
    side: str,
    least: float = 0.5,
    chosen: bool | NDArray[np.bool_] = True,
) -> dict[str, float]:
    """Return r of each active intensity (one that reaches `least`) of a side and its video."""
    other = other.reset_index(drop=True)
    rows = (other["success"] == 1) & chosen
    found = {}
    for name in AU_INTENSITIES:
        a, b = table.loc[rows, f"{name}_{side}"], other.loc[rows, name]
        if max(a.max(), b.max()) >= least and min(a.std(), b.std()) > 0.05:
            found[f"{name}_{side}"] = float(np.corrcoef(a, b)[0, 1])
    return found


def _apart(anew: pd.DataFrame, fitted: Points) -> Points:
    """Return how far landmarks are apart, % of the distance between the eyes; NaN without any."""
    far = np.hypot(*np.moveaxis(_points(anew) - fitted, 2, 0)).mean(axis=1)
    eyes = np.hypot(*(fitted[:, 45] - fitted[:, 36]).T)
    return np.where(anew["success"] == 1, 100 * far / eyes, np.nan)


class _Given:
    """A tracker that is told the shapes that a split has fitted to its halves."""

    def __init__(self, results: list[FrameResult], side: str, like: FullPythonAUPipeline) -> None:
        self._pdm, self.eyes = like._measurer.pdm, like._measurer.eyes
        self._fits = [result.split.fits[SIDES.index(side)] for result in results]
        self.reset()

    def reset(self) -> None:
        """Begin again."""
        self._next = 0

    def update(self, frame: object) -> TrackedFace:  # noqa: ARG002 - what a tracker takes
        """Return the next face."""
        k, self._next = self._next, self._next + 1
        fit = self._fits[k]
        return TrackedFace(True, True, 1.0, self._pdm.shape_2d(fit), fit)


def _half_frames(video: Path, results: dict[int, FrameResult], side: str) -> Iterator[Picture]:
    """Yield a video's frames with one half of the face (the patient's) reflected over the other.

    The half stands on the image's left, where the split has fitted it.
    """
    with VideoReader(video) as reader:
        for frame in islice(reader, max(results) + 1):
            if frame.index not in results:
                continue
            line = find_midline(results[frame.index].face.landmarks.astype(np.float64))
            height, width = frame.image.shape[:2]
            other = cv2.warpAffine(
                frame.image, line.reflection, (width, height), flags=cv2.INTER_LINEAR
            )
            grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1)
            beyond = line.beyond(grid) > 0
            fill = beyond if side == "right" else ~beyond
            whole = np.where(fill[..., None], other, frame.image)
            yield np.ascontiguousarray(whole[:, ::-1]) if side == "left" else whole


def main() -> int:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m validation.halves")
    parser.add_argument("videos", nargs="+", type=Path)
    parser.add_argument("--frames", type=int, default=0, help="of each, at most")
    parser.add_argument("--config", default="default", help="profile")
    options = parser.parse_args()
    for key, value in provenance(" ".join(["python -m validation.halves", *sys.argv[1:]])).items():
        sys.stdout.write(f"- {key}: {value}\n")
    sys.stdout.write("\n")
    for line in halves(options.videos, options.frames, options.config):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
