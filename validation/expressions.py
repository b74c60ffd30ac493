"""Labels of `pyfaceau expressions` beside what a person sees in the pictures.

    python -m validation.expressions TABLES VIDEOS --sheets FOLDER

TABLES holds NAME.csv or NAME.csv.gz of this package or of OpenFace, VIDEOS the videos. Prints how
often each label was given, and seen against labelled; writes the pictures with their labels as
sheets to FOLDER, so that a reader can look for himself.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from pyfaceau import VideoReader
from pyfaceau.expressions.analysis import write_expressions
from pyfaceau.types import UInt8
from validation.provenance import provenance

KINDS = {"N": "rest or talk", "H": "smile", "S": "sad", "U": "surprise", "O": "other", "-": "none"}
SEEN = {
    "2015-10-15-15-14": "N" * 25,
    "WDA_AlexandriaOcasioCortez_000": "N" * 20,
    "WolfgangLanger_Pexels": "SSSSS SSSOO OOHHH HHHHH HHHHH",
    "d0": "NNNNN HHHHH HHHHH HHNNN",
    "d10": "NNNUU NNONN OOOOO OOONO",
    "d12": "NUHHH HHHUU NHHUN NNOHH",
    "d18": "NNOON NOOON OOOON OONNO",
    "d9": "NNNOO OOONO OOHHH HNNNO NUOHN",
    "default": "NNNNN NNNNN NNNNN NNNNH HHHNN",
    "face_noface": "NNNHH HHHN- ----- -----",
    "multi_face": "NNNNN NHNHN NNHHN HHHHH",
    "single_face": "NNNNN NHHHH HHHHH HHHHN",
}
"""What one person saw in pictures that are equally far apart, first and last included: N rest or
talk, H smile, S sad or crying, U surprise, O another movement (pucker, grimace, worry), - no face.
Not blind: the sheets of an earlier version of the rules bore their labels."""

_WIDE, _ACROSS, _LINE = 240, 5, 20


def say(line: str) -> None:
    """Print a line."""
    sys.stdout.write(f"{line}\n")


def looked_at(name: str, frames: int) -> dict[int, str]:
    """Return the numbers of the frames that were looked at, with what was seen."""
    seen = SEEN[name].replace(" ", "")
    numbers = np.linspace(1, frames, len(seen)).astype(int)
    return dict(zip(numbers.tolist(), seen, strict=True))


def labels_of(table: Path) -> tuple[pd.DataFrame, dict[str, object]]:
    """Return what the command writes of a table."""
    with tempfile.TemporaryDirectory() as folder:
        write_expressions(table, folder)
        rows = pd.read_csv(Path(folder) / "expressions.csv").set_index("frame")
        return rows, json.loads((Path(folder) / "report.json").read_text())


def sheet(video: Path, seen: dict[int, str], rows: pd.DataFrame) -> UInt8:
    """Return the frames that were looked at, each under what was seen and labelled."""
    tiles = []
    with VideoReader(video) as frames:
        for frame in frames:
            number = frame.index + 1
            if number not in seen:
                continue
            height, width = frame.image.shape[:2]
            small = cv2.resize(frame.image, (_WIDE, _WIDE * height // width))
            tile = cv2.copyMakeBorder(small, _LINE, 0, 0, 0, cv2.BORDER_CONSTANT)
            label, score = rows.loc[number, ["label", "score"]]
            text = f"{number} {KINDS[seen[number]]}: {label} {score:.0f}"
            cv2.putText(tile, text, (2, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (255, 255, 255), 1)
            tiles.append(tile)
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % _ACROSS)
    lines = [np.hstack(tiles[k : k + _ACROSS]) for k in range(0, len(tiles), _ACROSS)]
    return np.asarray(np.vstack(lines), np.uint8)


def main() -> None:
    """Label, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tables", type=Path)
    parser.add_argument("videos", type=Path)
    parser.add_argument("--sheets", type=Path, required=True)
    given = parser.parse_args()
    given.sheets.mkdir(parents=True, exist_ok=True)
    pairs: Counter[tuple[str, str]] = Counter()
    command = f"python -m validation.expressions {given.tables} {given.videos} --sheets FOLDER"
    say("\n".join(f"- {key}: {value}" for key, value in provenance(command).items()))
    say("\n| video | faces | labels | not told |\n|---|---|---|---|")
    for name in SEEN:
        table = next(iter(sorted(given.tables.glob(f"{name}.csv*"))), None)
        video = next(iter(sorted(given.videos.glob(f"{name}.*"))), None)
        if table is None or video is None:
            say(f"| {name} | no table or video | | |")
            continue
        rows, report = labels_of(table)
        counts = ", ".join(f"{label} {n}" for label, n in rows.label.value_counts().items())
        told = ", ".join(map(str, report["not_told"]))
        say(f"| {name} | {report['faces']} | {counts} | {told} |")
        seen = looked_at(name, len(rows))
        pairs.update((kind, rows.label[number]) for number, kind in seen.items())
        cv2.imwrite(str(given.sheets / f"{name}.jpg"), sheet(video, seen, rows))
    labels = sorted({label for _, label in pairs})
    say(f"\n| seen | {' | '.join(labels)} |\n|---|{'---|' * len(labels)}")
    for kind, words in KINDS.items():
        say(f"| {words} | {' | '.join(str(pairs[kind, label]) for label in labels)} |")


if __name__ == "__main__":
    main()
