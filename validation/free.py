"""Profile free beside OpenFace and beside manual landmarks.

    python -m validation.free [PART ...] [--shared FOLDER]

writes ``validation/results/free.md``; with names of parts only those, the rest stays. Correlations
are over the frames where both report success, of units whose reference moves (std above 0.05). The
landmarks of ``webmorph`` are those of the people that `validation.free_points` did not fit to.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pyfaceau import FullPythonAUPipeline
from pyfaceau.pipeline.landmarks import open_model
from validation.metrics import pearson, points
from validation.provenance import RESULTS, provenance
from validation.reference import SHARED, Reference, as_stored, read_table
from validation.report import number, table

UNITS = ("AU01", "AU06", "AU10", "AU12", "AU25", "AU45")
OTHERS = {
    "AU02": "browOuterUp", "AU04": "browDown", "AU05": "eyeWide", "AU07": "eyeSquint",
    "AU09": "noseSneer", "AU14": "mouthDimple", "AU15": "mouthFrown", "AU17": "mouthShrugLower",
    "AU20": "mouthStretch", "AU23": "mouthPress", "AU26": "jawOpen",
}  # fmt: skip
"""The obvious reading of the units that the table leaves out."""

PARTS = {
    "videos": "Beside OpenFace",
    "landmarks": "Beside manual landmarks",
}
"""Parts of the page, by heading."""

AMBIGUOUS = (21, 22)
MODELS = {"free": "free", "PFLD": "pfld", "full CLNF": "clnf"}

Float64 = NDArray[np.float64]


def main(argv: list[str] | None = None) -> int:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--shared", type=Path, default=SHARED)
    options = parser.parse_args(argv)
    webmorph = options.shared / "datasets" / "webmorph"
    with tempfile.TemporaryDirectory() as folder:
        makers = {
            "videos": lambda: videos(Reference(options.shared), Path(folder)),
            "landmarks": lambda: landmarks(webmorph),
        }
        for part in options.parts or PARTS:
            origin = provenance(f"python -m validation.free {part}")
            keep(part, makers[part](), f"`{origin['command']}`, commit {origin['commit']}")
    return 0


def keep(part: str, text: str, origin: str) -> None:
    """Put a part into the page, in the place of what was there."""
    path = RESULTS / "free.md"
    head, *old = path.read_text(encoding="utf-8").split("\n## ")
    pages = {page.partition("\n")[0]: page for page in old}
    page = text.removeprefix("## ").rstrip() + f"\n\n{origin}\n"
    pages[PARTS[part]] = page
    path.write_text("\n## ".join([head, *pages.values()]), encoding="utf-8")


def videos(reference: Reference, folder: Path) -> str:
    """Return the tables of all videos against OpenFace's."""
    pipeline = FullPythonAUPipeline(config=as_stored("free"))
    rows, geometry, found = [], [], {unit: [] for unit in (*UNITS, *OTHERS)}
    for name in reference.names():
        pipeline.process_video(str(reference.video(name)), str(folder / f"{name}.csv"))
        ours, theirs = read_table(folder / f"{name}.csv"), reference.table(name)
        both = (ours["success"] == 1).to_numpy() & (theirs["success"] == 1).to_numpy()
        equal = float((ours["success"] == theirs["success"]).mean())
        ours, theirs = ours[both], theirs[both]
        values = {unit: ours[f"{unit}_bs"] for unit in UNITS}
        values |= {unit: sided(ours, shape) for unit, shape in OTHERS.items()}
        r = {
            unit: pearson(theirs[f"{unit}_r"].to_numpy(), x.to_numpy())
            for unit, x in values.items()
        }
        for unit, one in r.items():
            found[unit] += [] if one is None else [one]
        counted = [r[unit] for unit in UNITS if r[unit] is not None]
        mean = float(np.mean(counted)) if counted else None
        rows.append([name, str(len(ours)), number(equal, 3), number(mean, 3)])
        rows[-1] += [number(r[unit], 2) for unit in UNITS]
        if len(ours):
            geometry.append([name, *place(theirs, ours)])
    means = {unit: float(np.mean(each)) for unit, each in found.items() if each}
    every = float(np.mean([means[unit] for unit in UNITS]))
    rows.append(["**mean**", "", "", number(every, 3), *(number(means[u], 2) for u in UNITS)])
    out = [[unit, OTHERS[unit], number(means.get(unit), 2)] for unit in OTHERS]
    header = ("video", "frames", "success equal", "mean r", *UNITS)
    wide = ("video", "points, % of eyes", "without each point's mean", "pose degrees after offset",
            "gaze degrees after offset")  # fmt: skip
    return "\n".join(
        [
            "## Beside OpenFace\n",
            f"Mean r of the six units: **{every:.3f}**.\n",
            table(header, rows),
            "\nUnits that are not in the table, read from the coefficient nearest by name:\n",
            table(("unit", "coefficient", "mean r"), out),
            "\n",
            table(wide, geometry),
            "",
        ]
    )


def sided(ours: pd.DataFrame, shape: str) -> pd.Series:
    """Return a coefficient, or the mean of its sides."""
    names = [name for name in (shape, shape + "Left", shape + "Right") if f"bs_{name}" in ours]
    return ours[[f"bs_{name}" for name in names]].mean(axis=1)


def place(theirs: pd.DataFrame, ours: pd.DataFrame) -> list[str]:
    """Return how far landmarks, pose and gaze are off, as cells."""
    one, other = points(theirs), points(ours)
    eyes = np.linalg.norm(one[:, 36] - one[:, 45], axis=1)
    offset = (other - one) / eyes[:, None, None]
    plain, centred = (
        100 * float(np.linalg.norm(d, axis=2).mean())
        for d in (offset, offset - offset.mean(axis=0))
    )
    cells = [number(plain, 2), number(centred, 2)]
    for names in ([f"pose_R{a}" for a in "xyz"], [f"gaze_angle_{a}" for a in "xy"]):
        far = ours[names].to_numpy() - theirs[names].to_numpy()
        cells.append(" ".join(number(v, 1) for v in np.rad2deg(np.abs(far - far.mean(0)).mean(0))))
    return cells


def landmarks(folder: Path) -> str:
    """Return the table of landmarks against manual ones, of the people not fitted to."""
    known = np.load(folder / "neutral_front.npz", allow_pickle=False)
    everyone = range(1, len(known["names"]), 2)
    rows = []
    for label, name in MODELS.items():
        model, errors = open_model(name), []
        for k in everyone:
            manual = known["ibug68"][k].astype(np.float64)
            image = cv2.imread(str(folder / "neutral_front" / str(known["names"][k])))
            found = model.find(image, model.boxes(image)[0]).points
            eyes = np.linalg.norm(manual[36] - manual[45])
            errors.append(100 * np.linalg.norm(found - manual, axis=1) / eyes)
        kept = np.delete(np.array(errors), AMBIGUOUS, axis=1)
        parts = (slice(0, 17), slice(17, 25), slice(34, 46), slice(46, 66))
        means = [float(np.nanmean(kept[:, part])) for part in (slice(None), *parts[1:])]
        rows.append([label, *(number(value, 2) for value in means)])
    header = ("model", "all", "brows", "eyes", "mouth")
    return "\n".join(
        [
            "## Beside manual landmarks\n",
            f"{len(everyone)} neutral faces of webmorph, points 21 and 22 left out, in % of the",
            "distance of the outer eye corners.\n",
            table(header, rows),
            "",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
