"""Patch experts trained on portraits whose points were placed by hand, on people held back.

    python -m validation.experts

trains on 60 % of the people of webmorph and measures, on the others, PFLD's points and what the
experts make of them. Only points with a counterpart that was placed by hand count.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

from pyfaceau.errors import InputError
from pyfaceau.landmarks.pfld import PFLD
from pyfaceau.models.weights import locate
from pyfaceau.pdm.model import PDM
from pyfaceau.refinement.targeted_refiner import TargetedCLNFRefiner
from pyfaceau.training.data import load_picture, only_points, read_faces, split_by_person
from pyfaceau.training.evaluation import finder
from pyfaceau.training.experts import train_ccnf, train_svr, write_ccnf, write_svr
from pyfaceau.training.patches import cut_areas
from validation import report
from validation.provenance import RESULTS, provenance
from validation.reference import SHARED

BY_HAND = (8, 17, 26, 33, *range(36, 60), 61, 62, 63, 65, 66, 67)
SCALES = (0.25, 0.35, 0.5)


def main(arguments: list[str] | None = None) -> int:
    """Train, measure, write the report; return the exit status: 0 where both kinds come nearer."""
    parser = argparse.ArgumentParser(prog="python -m validation.experts", description=__doc__)
    parser.add_argument("--shared", type=Path, default=SHARED, help="folder of the data")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where the report goes")
    options = parser.parse_args(arguments)
    folder = options.shared / "datasets/webmorph"
    faces = read_faces(folder / "neutral_front.npz", folder / "canada.npz")
    learn, judge = split_by_person(only_points(faces.samples, BY_HAND), 0.4)
    pdm, network = PDM.load(locate("In-the-wild_aligned_PDM_68.txt")), PFLD()
    with tempfile.TemporaryDirectory() as made:
        for scale in SCALES:
            areas = cut_areas(learn, pdm, scale, network=network)
            write_svr(train_svr(areas), Path(made) / f"own_svr_{scale}.txt")
            write_ccnf(train_ccnf(areas), Path(made) / f"own_ccnf_{scale}.txt")
        refiners = {
            f"own {kind.upper()}": TargetedCLNFRefiner(
                [Path(made) / f"own_{kind}_{scale}.txt" for scale in SCALES], points=None
            )
            for kind in ("svr", "ccnf")
        }
    for kind in ("svr", "ccnf"):
        refiners[f"installed {kind.upper()}"] = TargetedCLNFRefiner(
            f"{kind}_patches_0.25_general.txt", points=None
        )
    find = finder("pfld")
    errors: dict[str, list[float]] = {name: [] for name in ("PFLD", *refiners)}
    for sample in judge:
        image = load_picture(sample.picture)
        if image is None:
            raise InputError(f"{sample.picture}: the picture cannot be read")
        gray = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        points = find(image)[0]
        eyes = np.hypot(*(sample.points[36] - sample.points[45]))
        shown = {"PFLD": points}
        shown |= {name: each.refine_landmarks(gray, points) for name, each in refiners.items()}
        for name, each in shown.items():
            distance = np.nanmean(np.hypot(*(each - sample.points).T))
            errors[name].append(100 * float(distance / eyes))
    start = np.array(errors["PFLD"])
    rows = [
        [name, report.number(float(np.mean(e)), 2), f"{(np.array(e) < start).sum()}/{len(e)}"]
        for name, e in errors.items()
    ]
    intro = (
        f"{len(learn)} people to learn from, {len(judge)} others to measure on: webmorph, "
        f"CC BY 4.0 (DeBruine and Jones). {len(BY_HAND)} points placed by hand; NME by the "
        "outer-eye distance."
    )
    parts = [
        report.heading(
            "Patch experts trained on hand-placed points",
            provenance("python -m validation.experts"),
        ),
        intro + "\n",
        report.table(["points", "NME, %", "nearer than PFLD on"], rows),
    ]
    text = "\n".join(parts)
    (options.results / "experts.md").write_text(text, encoding="utf-8")
    sys.stdout.write(text)
    return 0 if all(np.mean(errors[f"own {k}"]) < start.mean() for k in ("SVR", "CCNF")) else 1


if __name__ == "__main__":
    sys.exit(main())
