"""A shape model made of pictures alone, measured against the installed one.

    python -m validation.shape_model

writes ``validation/results/shape-model.md``: how far the mean of non-rigid structure from motion
(`pyfaceau.training.motion`) lies from the mean of the installed shape model, which was made by
other people of other pictures. Both are means of all heads of their data, so what differs is both
error and population.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pyfaceau.models.weights import locate
from pyfaceau.pdm.model import PDM
from pyfaceau.training.data import FaceSample, read_faces
from pyfaceau.training.layouts import REGIONS
from pyfaceau.training.motion import EYES_MM, shape_model_of_pictures
from validation import report
from validation.provenance import RESULTS, provenance
from validation.reference import SHARED

COMMAND = "python -m validation.shape_model"
INSTALLED = "In-the-wild_aligned_PDM_68.txt"
ENDS = (0, 16)
"""The jaw's ends, where the temples begin."""
TEXT = """{faces} of the {all} faces of ytf68's training part, {people} people, and their mirror
images; {modes} modes, {seconds:.0f} s of CPU. Against the mean of the installed model,
`{installed}`, after the rotation and scale that lay one on the other;
{eyes:g} mm between the eyes' outer corners. Depths correlate with r {depth:.3f}. The points are
machine-made, and where a head is turned the jaw's ends follow the outline that is seen, which is
not always the same place of the head.
"""


def mean_of(model: PDM) -> NDArray[np.float64]:
    """Return the mean shape, (68, 3), centred, the unit of the model."""
    mean = model.mean.reshape(3, 68).T.astype(np.float64)
    return mean - mean.mean(axis=0)


def laid_on(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a centred shape, (n, 3), turned and scaled to lie on another by least squares.

    Umeyama, "Least-squares estimation of transformation parameters between two point patterns",
    PAMI 1991, without the shift.
    """
    u, values, vt = np.linalg.svd(other.T @ one)
    signs = np.array([1, 1, np.sign(np.linalg.det(u @ vt))])
    scale = (values * signs).sum() / (one**2).sum()
    result: NDArray[np.float64] = scale * one @ (u * signs @ vt).T
    return result


def evenly(samples: tuple[FaceSample, ...], count: int) -> list[FaceSample]:
    """Return at most so many faces, evenly spaced over the data."""
    if len(samples) <= count:
        return list(samples)
    return [samples[i] for i in np.linspace(0, len(samples) - 1, count).round().astype(int)]


def compared(own: NDArray[np.float64], other: NDArray[np.float64]) -> list[list[str]]:
    """Return the rows of the table: where, mean and largest distance, mm, of one unit of size."""
    other = other * (EYES_MM / np.linalg.norm(other[36] - other[45]))
    distances = np.linalg.norm(laid_on(own, other) - other, axis=1)
    parts = {"all 68 points": range(68), **REGIONS, "the jaw's two ends": ENDS}
    return [
        [name, f"{distances[list(part)].mean():.1f}", f"{distances[list(part)].max():.1f}"]
        for name, part in parts.items()
    ]


def main(arguments: list[str] | None = None) -> int:
    """Make the model, compare, write the page; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m validation.shape_model", description=__doc__)
    parser.add_argument("--shared", type=Path, default=SHARED, help="folder of the data")
    parser.add_argument("--faces", type=int, default=500, help="faces, evenly spaced, at most")
    parser.add_argument("--modes", type=int, default=12, help="modes")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where the page goes")
    options = parser.parse_args(arguments)
    data = read_faces(options.shared / "datasets/ytf68/train.npz")
    samples = evenly(data.samples, options.faces)
    began = time.process_time()
    model = shape_model_of_pictures(samples, options.modes)
    seconds = time.process_time() - began
    own, other = mean_of(model), mean_of(PDM.load(locate(INSTALLED)))
    depth = np.corrcoef(laid_on(own, other)[:, 2], other[:, 2])[0, 1]
    header = ["mean shapes apart, mm", "mean", "largest"]
    text = TEXT.format(
        faces=len(samples),
        all=len(data.samples),
        people=len({sample.person for sample in samples}),
        modes=options.modes,
        seconds=seconds,
        installed=INSTALLED,
        eyes=EYES_MM,
        depth=depth,
    )
    parts = [
        report.heading("A shape model made of pictures alone", provenance(COMMAND)),
        text,
        report.table(header, compared(own, other)),
    ]
    (options.results / "shape-model.md").write_text("\n".join(parts), encoding="utf-8")
    sys.stdout.write("\n".join(parts))
    return 0


if __name__ == "__main__":
    sys.exit(main())
