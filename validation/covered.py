"""Masks, beards, dark glasses and patches drawn into photographs: which of them are noticed.

    python -m validation.covered FOLDER VIDEO... > validation/results/covered.md

FOLDER holds the webmorph pictures, see `validation.blends`. Nothing covers a face in the videos, of
which every 25th frame is taken.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from pyfaceau import Config, FullPythonAUPipeline, VideoReader
from pyfaceau.alignment.covered import APART, FEWEST_EDGES, appearance
from validation.blends import Picture, Points
from validation.provenance import provenance

SCALE = 0.4
_EVERY = 25


def _filled(picture: Picture, mask: Picture, colour: tuple[int, int, int], grain: float) -> Picture:
    """Return a picture with a soft-edged area in a colour, shaded as the picture is."""
    rng = np.random.default_rng(0)
    weight = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 1.2)[..., None]
    gray = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.float32)
    light = np.clip(cv2.GaussianBlur(gray, (0, 0), 12) / 140, 0.5, 1.4)[..., None]
    fill = np.array(colour, np.float32) + rng.normal(0, grain, mask.shape)[..., None]
    return np.clip(picture * (1 - weight) + fill * light * weight, 0, 255).astype(np.uint8)


def coverings(picture: Picture, points: Points) -> Iterator[tuple[str, Picture]]:
    """Yield a picture with each thing drawn in."""
    yield "nothing", picture
    blank = np.zeros(picture.shape[:2], np.uint8)

    def area(outline: Points) -> Picture:
        return cv2.fillPoly(blank.copy(), [np.rint(outline).astype(np.int32)], 1)

    mask = area(np.vstack([points[1:16], points[[29]]]))
    yield "mask, light", _filled(picture, mask, (215, 190, 150), 6)
    yield "mask, black", _filled(picture, mask, (35, 35, 38), 6)
    width = float(np.hypot(*(points[45] - points[36])))
    axes = (int(0.26 * width), int(0.2 * width))
    eyes = []
    for first in (36, 42):
        centre = tuple(np.rint(points[first : first + 6].mean(axis=0)).astype(int).tolist())
        eyes.append(cv2.ellipse(blank.copy(), centre, axes, 0, 0, 360, 1, -1))
    yield "a dark glass on one side", _filled(picture, eyes[0], (25, 22, 20), 6)
    yield "a white patch on one eye", _filled(picture, eyes[1], (230, 235, 240), 6)
    yield "sunglasses", _filled(picture, eyes[0] | eyes[1], (25, 22, 20), 6)
    beard = area(np.vstack([points[3:14], points[[53, 33, 49]]])) & ~area(points[48:60]) & 1
    yield "beard", _filled(picture, beard, (40, 45, 55), 30)


def measured(folder: Path, videos: list[Path]) -> pd.DataFrame:
    """Return what is measured of every picture."""
    pipeline = FullPythonAUPipeline(config=Config.load("default"), threads=1)
    rows = []

    def look(source: str, what: str, picture: Picture) -> Points | None:
        result = pipeline.process_image(picture)
        values = (np.nan, np.nan)
        if result.face.ok and result.aligned is not None:
            values = appearance(result.aligned, result.face.landmarks)
        rows.append((source, what, result.face.ok, *values))
        return result.face.landmarks.astype(np.float64) if result.face.ok else None

    for path in sorted((folder / "neutral_front").glob("*.jpg")):
        whole = cv2.imread(str(path))
        picture = cv2.resize(whole, None, fx=SCALE, fy=SCALE, interpolation=cv2.INTER_AREA)
        points = look("", "found", picture)
        if points is not None:
            for what, drawn in coverings(picture, points):
                look("photographs", what, drawn)
    for video in videos:
        with VideoReader(video) as reader:
            for frame in reader:
                if frame.index % _EVERY == 5:
                    look(video.stem, "nothing", frame.image)
    return pd.DataFrame(rows, columns=["source", "what", "ok", "edges", "apart"])


def report(frame: pd.DataFrame) -> Iterator[str]:
    """Yield the table."""
    frame = frame[frame["source"] != ""]
    yield "| source | what is drawn in | pictures | no face | mouth covered | an eye covered |"
    yield "| :-- | :-- | --: | --: | --: | --: |"
    for (source, what), part in frame.groupby(["source", "what"], sort=False):
        seen = part[part["ok"]]
        shares = [1 - part["ok"].mean()]
        shares += [(seen["edges"] < FEWEST_EDGES).mean(), (seen["apart"] > APART).mean()]
        cells = " | ".join(f"{100 * share:.0f} %" for share in shares)
        yield f"| {source} | {what} | {len(part)} | {cells} |"


def main() -> int:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m validation.covered")
    parser.add_argument("folder", type=Path, help="webmorph pictures")
    parser.add_argument("videos", nargs="*", type=Path)
    parser.add_argument("--store", type=Path, help="CSV of every value")
    options = parser.parse_args()
    frame = measured(options.folder, options.videos)
    if options.store is not None:
        frame.to_csv(options.store, index=False)
    for key, value in provenance(" ".join(["python -m validation.covered", *sys.argv[1:]])).items():
        sys.stdout.write(f"- {key}: {value}\n")
    sys.stdout.write("\n" + "\n".join(report(frame)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
