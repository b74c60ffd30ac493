"""Whether profile free names the side that moves, on the clips of `validation.actions`.

    python -m validation.free_sides FOLDER --people N

FOLDER holds the webmorph pictures, see `validation.blends`. Of each act the side whose coefficient
rises more, from the median at rest to the median while it is held.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from pyfaceau import FullPythonAUPipeline
from validation.actions import ACTS, REST, SHAPE, frames, side_of
from validation.blends import people
from validation.provenance import provenance
from validation.sides import table_of

TOLD_BY = {"smile": "AU12_bs", "eye": "AU45_bs"}
"""mouthSmile and eyeBlink of each side."""

LEAST = 0.02
"""Difference of the sides that counts, of 0 to 1."""


def told(table: pd.DataFrame, side: str) -> Iterator[tuple[str, float, float]]:
    """Yield act, rise on the side that moves and on the other."""
    other = "right" if side == "left" else "left"
    held = np.flatnonzero(SHAPE == 1)
    for number, act in enumerate(ACTS):
        if act.kind == "none" or act.extra:
            continue
        rows = REST + number * len(SHAPE) + held
        values = [table[f"{TOLD_BY[act.kind]}_{which}"].to_numpy() for which in (side, other)]
        moving, still = (float(np.median(v[rows]) - np.median(v[:REST])) for v in values)
        yield act.action, moving, still


def report(folder: Path, count: int | None) -> Iterator[str]:
    """Yield a table of how often the side is right."""
    pipeline = FullPythonAUPipeline(config="free", threads=1)
    rows = []
    for person in people(folder, count):
        side = side_of(person.name)
        rows += told(table_of(pipeline, frames(person)), side)
    frame = pd.DataFrame(rows, columns=["act", "moving", "still"])
    yield f"- people: {len(frame) // frame['act'].nunique()}"
    yield ""
    yield "| act | right side | wrong side | alike | rise on the side that moves | on the other |"
    yield "| :-- | --: | --: | --: | --: | --: |"
    for act, part in frame.groupby("act", sort=False):
        more = part["moving"] - part["still"]
        shares = [(more > LEAST).mean(), (more < -LEAST).mean(), (more.abs() <= LEAST).mean()]
        cells = [f"{100 * share:.0f} %" for share in shares]
        cells += [f"{part[name].median():.2f}" for name in ("moving", "still")]
        yield f"| {act} | " + " | ".join(cells) + " |"


def main() -> int:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m validation.free_sides")
    parser.add_argument("folder", type=Path, help="webmorph pictures")
    parser.add_argument("--people", type=int, help="the first so many; all if not given")
    options = parser.parse_args()
    command = " ".join(["python -m validation.free_sides", *sys.argv[1:]])
    for key, value in provenance(command).items():
        sys.stdout.write(f"- {key}: {value}\n")
    for line in report(options.folder, options.people):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
