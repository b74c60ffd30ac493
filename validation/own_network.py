"""A landmark network of the project's own, from pictures that anyone may use.

    python -m validation.own_network --out own

builds ``own/best.onnx`` (about 1 MB, never committed) and writes its card,
``validation/results/own-network.md``. It learns from webmorph alone: photographs under CC BY 4.0
with 189 points placed by hand, of which `points68` makes the 68.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pyfaceau.training import checkpoint
from pyfaceau.training.augment import Augmentation
from pyfaceau.training.crops import cut_faces
from pyfaceau.training.data import FaceSample, read_faces, split_by_person
from pyfaceau.training.evaluation import evaluate_landmarks, finder
from pyfaceau.training.export import export
from pyfaceau.training.networks import NetworkSpec
from pyfaceau.training.options import TrainOptions
from pyfaceau.training.plots import training_curves
from pyfaceau.training.trainer import BEST, Trainer
from validation import report
from validation.provenance import RESULTS, provenance
from validation.reference import SHARED

JAW = ((109, 110, 111, 125, 126, 127, 128, 129), (112, 113, 114, 133, 132, 131, 130, 129))
"""The jaw's outline from each temple to the chin, numbers of the 189."""
RIDGE = ((50, 56), (51, 57), (52, 58), (53, 59), (54, 60))
"""Pairs on either side of the nose's ridge, from its root to the tip."""
FACTS = """
| | |
| :-- | :-- |
| data | webmorph: London Set (neutral, front), Young Adult White Faces, composite faces |
| licence of the data | CC BY 4.0: DeBruine and Jones 2017; changed: resized |
| their DOIs | 10.6084/m9.figshare.5047666, .4220517 and .4055130 |
| points | 189 placed by hand; 68 of them by the rule of `points68`; no other network's answers |
| licence of the network | the project's; name the sources above when you pass it on |
| use | `pyfaceau video.mov --landmarks own/best.onnx` |
| not seen in training | expressions, turned heads, dark or outdoor pictures, children, patients |
| so it is | a start and a proof of the way, no replacement of PFLD |
"""
CARD = """PFLD of half the width, 112 pixels, trained from nothing on {learn} portraits,
{judge} of other people held back: best {best:.2f} % after epoch {best_epoch} of {epochs}
(the mean face, with which it began, has {first:.2f} %), {minutes:.0f} minutes of a
shared CPU. {size:.2f} MB, within {difference:.1e} of PyTorch.
Curves: `own-network.png`.

{facts}
dlib_faces (public domain, points of dlib's network) and lfpw5 (300-W, for research only) were not
learnt from; they show how far it carries outdoors.
"""
OPTIONS = TrainOptions(
    NetworkSpec("pfld", 0.5),
    loss="wing",
    epochs=200,
    lr=2e-3,
    weight_decay=1e-4,
    schedule="cosine",
    augmentation=Augmentation(turn=30, shift=0.08, zoom=0.2, colour=0.5, gray=0.3, occlusion=0.4),
)


def points68(frl: NDArray[np.floating], ibug: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return all 68 points of a face.

    Those with a counterpart are taken from it. The jaw's are equal steps along the outline that was
    placed, from temple to chin; the ridge's equal steps from the root to the tip of the nose, half
    way between the points on both its sides; 32 and 34 lie half way from the base of the nose to
    its wings, 60 and 64 half way from the corner of the mouth to the end of the lips' line.
    """
    points = np.array(ibug, np.float32)
    points[:9] = along(frl[list(JAW[0])], 9)
    points[16:7:-1] = along(frl[list(JAW[1])], 9)[:9]
    ridge = np.array([frl[list(pair)].mean(axis=0) for pair in RIDGE])
    ridge[0] = ridge[:2].mean(axis=0)
    points[27:31] = along(np.delete(ridge, 1, axis=0), 4)
    points[31], points[35] = frl[64], frl[69]
    points[32], points[34] = (points[31] + points[33]) / 2, (points[35] + points[33]) / 2
    points[60], points[64] = (frl[87] + frl[94]) / 2, (frl[93] + frl[98]) / 2
    return points


def along(line: NDArray[np.floating], count: int) -> NDArray[np.float64]:
    """Return points at equal steps along a line of points."""
    steps = np.hypot(*np.diff(line, axis=0).T)
    at = np.concatenate([[0], np.cumsum(steps)])
    wanted = np.linspace(0, at[-1], count)
    return np.stack([np.interp(wanted, at, line[:, axis]) for axis in range(2)], axis=1)


def portraits(folder: Path) -> list[FaceSample]:
    """Return webmorph's faces with 68 points each."""
    result = []
    for name in ("neutral_front", "canada", "composite"):
        with np.load(folder / f"{name}.npz", allow_pickle=False) as table:
            parts = {str(n): p for n, p in zip(table["names"], table["frl189"], strict=True)}
        for sample in read_faces(folder / f"{name}.npz").samples:
            whole = points68(parts[sample.picture.name], sample.points)
            result.append(replace(sample, points=whole, person=f"{name}/{sample.picture.stem}"))
    return result


def measured(
    models: Sequence[str], sets: dict[str, list[FaceSample]]
) -> tuple[list[str], list[list[str]]]:
    """Return header and rows: NME of each model on each set."""
    rows = []
    for model in models:
        figures = [evaluate_landmarks(faces, finder(model)).figures() for faces in sets.values()]
        cells = [f"{f['nme']:.2f} ({f['found']:.0f}/{f['faces']:.0f})" for f in figures]
        rows.append([Path(model).name, *cells])
    return ["NME, % (faces found)", *sets], rows


def main(arguments: list[str] | None = None) -> int:
    """Train, measure, write the card; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m validation.own_network", description=__doc__)
    parser.add_argument("--shared", type=Path, default=SHARED, help="folder of the data")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where the card goes")
    options = parser.parse_args(arguments)
    data = options.shared / "datasets"
    learn, judge = split_by_person(portraits(data / "webmorph"), 0.2)
    crops = cut_faces(learn, 168), cut_faces(judge, 168)
    run = Trainer(OPTIONS, *crops, options.out, progress=True).run()
    difference = export(checkpoint.load(options.out / BEST), options.out / "best.onnx")
    training_curves(run.history, options.results / "own-network.png")
    outdoors = read_faces(
        data / "dlib_faces/training_with_face_landmarks.xml",
        data / "dlib_faces/testing_with_face_landmarks.xml",
        data / "lfpw5/examples/data/ibug_lfpw_trainset",
    )
    sets = {"webmorph, people held back": judge, "dlib_faces and lfpw5": list(outdoors.samples)}
    header, rows = measured(["pfld", str(options.out / "best.onnx")], sets)
    card = CARD.format(
        learn=len(learn),
        judge=len(judge),
        epochs=run.epochs,
        best=run.best,
        first=run.history[0]["nme"],
        best_epoch=run.best_epoch,
        minutes=sum(row["seconds"] for row in run.history) / 60,
        size=(options.out / "best.onnx").stat().st_size / 1e6,
        difference=difference,
        facts=FACTS,
    )
    command = "python -m validation.own_network --out own"
    parts = [
        report.heading("A landmark network of the project's own", provenance(command)),
        card,
        report.table(header, rows),
    ]
    (options.results / "own-network.md").write_text("\n".join(parts), encoding="utf-8")
    sys.stdout.write("\n".join(parts))
    return 0


if __name__ == "__main__":
    sys.exit(main())
