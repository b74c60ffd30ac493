"""ONet alone: its five points against the 68-point reference, and one weights file against another.

    python -m validation.onet PICTURES TABLES WEIGHTS ...

TABLES holds NAME.csv.gz that OpenFace's FaceLandmarkImg wrote of the pictures. Crops are squares
around RetinaFace's boxes, a tenth larger. The first of WEIGHTS (.dat, .onnx, .npy) is held against
the tables, the others against the first. Distances are in percent of that between the eye centres.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from pyfaceau.detection.retinaface import RetinaFace
from pyfaceau.landmarks import FaceLandmarkModel
from pyfaceau.landmarks.crop import crop_from_box, cut
from pyfaceau.media.picture import read_picture
from pyfaceau.types import Float64, UInt8
from validation.provenance import provenance

PARTS = ("eye on the image's left", "eye on its right", "nose tip", "mouth left", "mouth right")
CONFIDENT = 0.7


def say(line: str) -> None:
    """Print a line."""
    sys.stdout.write(f"{line}\n")


def five_of(row: pd.Series) -> Float64:
    """Return a row's eye centres, nose tip and mouth corners, (5, 2)."""
    points = np.array([[row[f"x_{i}"], row[f"y_{i}"]] for i in range(68)])
    eyes = [points[36:42].mean(axis=0), points[42:48].mean(axis=0)]
    return np.stack([*eyes, points[30], points[48], points[54]])


def faces(pictures: Path, tables: Path) -> Iterator[tuple[str, UInt8, Float64]]:
    """Yield each face of the tables that RetinaFace finds: its crop, the true points in it."""
    detector = RetinaFace()
    for table in sorted(tables.glob("*.csv.gz")):
        picture = next(pictures.glob(f"{table.name[:-7]}.*"))
        image = read_picture(picture)
        crops = [crop_from_box(box, 0.1) for box in detector.detect(image)]
        for _, row in pd.read_csv(table, skipinitialspace=True).iterrows():
            true = five_of(row)
            x, y = true[2]
            around = [c for c in crops if c[0] < x < c[2] and c[1] < y < c[3]]
            if around and row.confidence > CONFIDENT:
                yield picture.name, cut(image, around[0]), true - around[0][:2]


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("tables", type=Path)
    parser.add_argument("weights", type=Path, nargs="+")
    given = parser.parse_args()
    first, *others = [FaceLandmarkModel(path) for path in given.weights]
    errors, missed, apart = [], 0, np.zeros((len(others), 2))
    for _, crop, true in faces(given.pictures, given.tables):
        score, points = first.face_landmarks(crop)
        missed += bool(np.isnan(points).any())
        distance = np.hypot(*(true[1] - true[0]))
        errors.append(100 * np.hypot(*(points - true).T) / distance)
        for number, other in enumerate(others):
            other_score, other_points = other.face_landmarks(crop)
            moved = np.nanmax(np.abs(other_points - points), initial=0.0) / max(crop.shape[:2])
            apart[number] = np.maximum(apart[number], [abs(other_score - score), moved])
    command = " ".join(["python -m validation.onet", *sys.argv[1:]])
    say("\n".join(f"- {key}: {value}" for key, value in provenance(command).items()))
    table = np.array(errors)
    say(f"\n{len(table)} faces, {missed} without points (score below 0.7).\n")
    say("| part | median, % | 90th percentile, % |\n|---|---|---|")
    for name, values in [*zip(PARTS, table.T, strict=True), ("all", table.ravel())]:
        say(f"| {name} | {np.nanmedian(values):.2f} | {np.nanpercentile(values, 90):.2f} |")
    if others:
        say(f"\n| against {given.weights[0].name} | score | points, of the crop's side |")
        say("|---|---|---|")
    for path, (score, moved) in zip(given.weights[1:], apart, strict=True):
        say(f"| {path.name} | {score:.1e} | {moved:.1e} |")


if __name__ == "__main__":
    main()
