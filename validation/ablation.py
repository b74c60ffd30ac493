"""What each addition to the landmark network gives: mean r, AUs at 0.80, landmark error, time.

Every variant is the default tracker with another landmark network or refinement; everything after
the landmarks is the same.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pyfaceau.detection.retinaface import RetinaFace
from pyfaceau.landmarks.network import open_network
from pyfaceau.landmarks.pfld import PFLD, SIDE
from pyfaceau.models.weights import locate
from pyfaceau.pdm.model import PDM
from pyfaceau.pipeline.video import FullPythonAUPipeline
from pyfaceau.refinement.face_model import FaceModel
from pyfaceau.refinement.face_refiner import FaceRefiner
from pyfaceau.refinement.targeted_refiner import TARGET_POINTS, TargetedCLNFRefiner
from pyfaceau.refinement.validator import DetectionValidator
from pyfaceau.tracking.stages import LandmarkNet, Refiner
from pyfaceau.tracking.targeted import TargetedTracker
from pyfaceau.types import Frame, TrackedFace
from validation import report
from validation.metrics import Comparison, compare
from validation.provenance import RESULTS, provenance
from validation.reference import SHARED, Reference, as_stored

FRONTAL = (
    "default", "changeLighting", "2015-10-15-15-14", "WolfgangLanger_Pexels", "single_face",
    "d0", "d9", "d10", "d12", "d18", "WDA_AlexandriaOcasioCortez_000",
)  # fmt: skip
SVR, CCNF = "svr_patches_0.25_general.txt", "ccnf_patches_0.25_general.txt"
ALIGNED = (
    1, 2, 3, 4, 12, 13, 14, 15, 27, 28, 29, 31, 32, 33, 34, 35, 36, 39, 40, 41, 42, 45, 46, 47,
)  # fmt: skip
"""Points by which the aligner places the face."""


@dataclass(frozen=True)
class AveragedCrops:
    """A landmark network asked twice a frame, on crops moved by 2 % of their side."""

    network: PFLD

    def predict_crops(
        self, image: NDArray[np.uint8], crops: NDArray[np.float64]
    ) -> NDArray[np.float32]:
        """Return the mean of the answers for each crop moved up left and down right."""
        shift = np.zeros((2, 3))
        shift[:, 2] = 0.02 * SIDE
        answers = [self.network.predict_crops(image, crops + shift * sign) for sign in (-1, 1)]
        return np.mean(answers, axis=0, dtype=np.float32)


class Timed:
    """A tracker that notes the processor time of each frame; networks run on the same thread."""

    def __init__(self, tracker: TargetedTracker) -> None:
        self.tracker = tracker
        self.seconds: list[float] = []

    def update(self, frame: Frame) -> TrackedFace:
        """Track a frame."""
        begin = time.thread_time()
        face = self.tracker.update(frame)
        self.seconds.append(time.thread_time() - begin)
        return face

    def reset(self) -> None:
        """Start a new video."""
        self.tracker.reset()


Variant = tuple[str, LandmarkNet, Callable[[], "Refiner | None"]]


def variants(
    network: PFLD, model: FaceModel, others: dict[str, LandmarkNet] | None = None
) -> Iterator[Variant]:
    """Return name, landmark network and refinement of each variant."""
    for name, other in (others or {}).items():
        yield name, other, lambda: None
        yield f"{name}, 68 points, inner face", other, lambda: FaceRefiner(model)
    yield "PFLD", network, lambda: None
    yield "PFLD, two crops averaged", AveragedCrops(network), lambda: None
    yield "nine points, SVR", network, lambda: TargetedCLNFRefiner(SVR)
    yield "nine points, CCNF", network, lambda: TargetedCLNFRefiner(CCNF)
    yield (
        "nine and 24 alignment points",
        network,
        lambda: TargetedCLNFRefiner(CCNF, points=sorted({*TARGET_POINTS, *ALIGNED})),
    )
    yield "68 points", network, lambda: FaceRefiner(model, inner=False)
    yield "68 points, inner face", network, lambda: FaceRefiner(model)


def measure(reference: Reference, names: list[str], tracker: Timed) -> dict[str, Comparison]:
    """Run one variant on videos and compare what it writes."""
    pipeline = FullPythonAUPipeline(config=as_stored("fast"), tracker=tracker)
    with tempfile.TemporaryDirectory() as folder:
        return {
            name: compare(
                reference.table(name),
                pipeline.process_video(reference.video(name), Path(folder) / f"{name}.csv"),
            )
            for name in names
        }


def rows(name: str, results: dict[str, Comparison], seconds: list[float]) -> list[str]:
    """Return a variant's line of the summary."""
    units = [r for c in results.values() for r in c.correlations.values()]
    errors = [c.lm_iod for c in results.values() if c.lm_iod is not None]
    return [
        name,
        report.number(float(np.mean([c.mean_r for c in results.values() if c.mean_r is not None]))),
        f"{sum(r >= 0.8 for r in units)}/{len(units)}",
        report.number(float(np.mean(errors)) if errors else None, 2),
        report.number(1e3 * float(np.median(seconds)), 2),
    ]


def main(arguments: list[str] | None = None) -> int:
    """Parse, run, write the report; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m validation.ablation", description=__doc__)
    parser.add_argument("--videos", nargs="+", metavar="NAME", default=list(FRONTAL))
    parser.add_argument("--shared", type=Path, default=SHARED, help="folder of the reference")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where the report goes")
    parser.add_argument(
        "--network", nargs=2, action="append", default=[], metavar=("NAME", "FILE"),
        help="a landmark network of your own, measured beside PFLD",
    )  # fmt: skip
    parser.add_argument("--only", action="append", metavar="VARIANT", help="these variants of all")
    options = parser.parse_args(arguments)
    reference = Reference(options.shared)
    others = {name: open_network(file) for name, file in options.network}
    model, network, detector = FaceModel.load(), PFLD(), RetinaFace()
    pdm = PDM.load(locate("In-the-wild_aligned_PDM_68.txt"))
    validator = DetectionValidator.load(locate("validator_cnn.txt"))
    summary, by_video, by_unit = [], [], []
    for name, net, make in variants(network, model, others):
        if options.only and name not in options.only:
            continue
        timed = Timed(TargetedTracker(detector, net, pdm=pdm, refiner=make(), validator=validator))
        results = measure(reference, options.videos, timed)
        summary.append(rows(name, results, timed.seconds))
        by_video.append([name, *(report.number(c.mean_r, 3) for c in results.values())])
        by_unit.append(f"### {name}\n\n{report.unit_table(results)}")
        sys.stdout.write("  ".join(summary[-1]) + "\n")
        sys.stdout.flush()
    default = options.videos == list(FRONTAL)
    extra = "".join(f" --network '{name}' {Path(file).name}" for name, file in options.network)
    extra += "".join(f" --only '{name}'" for name in options.only or ())
    command = "python -m validation.ablation" + (
        extra if default else f"{extra} --videos {' '.join(options.videos)}"
    )
    header = ["variant", "mean r", "AUs at 0.80", "landmarks, % inter-ocular", "tracker, CPU ms"]
    parts = [
        report.heading("Ablation of the default profile's landmarks", provenance(command)),
        report.table(header, summary),
        "## Mean r by video\n\n" + report.table(["variant", *options.videos], by_video),
        "## Action units\n\n" + "\n".join(by_unit),
    ]
    options.results.mkdir(parents=True, exist_ok=True)
    target = options.results / "ablation.md"
    target.write_text("\n".join(parts), encoding="utf-8")
    sys.stdout.write(f"{target}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
