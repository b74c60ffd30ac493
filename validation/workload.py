"""One timed run in a process of its own: ``python -m validation.workload TASK``, TASK as JSON.

The result goes to standard output as one line of JSON. Cores are chosen before any library starts
its threads.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

STAGES = {
    "pyfaceau.media.video:VideoReader.__iter__": "decode",
    "pyfaceau.numerics.warp:gray_from_bgr": "gray",
    "pyfaceau.detection.retinaface:RetinaFace.detect": "detection (RetinaFace)",
    "pyfaceau.detection.mtcnn:MTCNN.faces": "detection (MTCNN)",
    "pyfaceau.landmarks.pfld:PFLD.predict_crops": "landmarks (PFLD)",
    "pyfaceau.refinement.targeted_refiner:TargetedCLNFRefiner.fit": "targeted refinement",
    "pyfaceau.refinement.ccnf:CCNFExperts.responses": "patch responses (CCNF)",
    "pyfaceau.refinement.svr:SVRExperts.responses": "patch responses (SVR)",
    "pyfaceau.refinement.nu_rlms:NuRlms.fit": "NU-RLMS",
    "pyfaceau.tracking.targeted:TargetedTracker.track_ahead": "tracking (rest)",
    "pyfaceau.tracking.openface:OpenFaceTracker.update": "tracking (rest)",
    "pyfaceau.refinement.validator:DetectionValidator.check": "validation of the fit",
    "pyfaceau.pdm.model:PDM.calc_params": "shape fit (CalcParams)",
    "pyfaceau.pdm.space:landmarks_3d": "3-D landmarks",
    "pyfaceau.pdm.pose:head_pose": "head pose",
    "pyfaceau.gaze.gaze:estimate_gaze": "gaze",
    "pyfaceau.alignment.aligner:FaceAligner.align": "alignment and mask",
    "pyfaceau.features.fhog:fhog": "FHOG",
    "pyfaceau.features.geometry:geometry_descriptor": "geometry",
    "pyfaceau.prediction.predictor:AUPredictor.update": "running median, linear models",
    "pyfaceau.output.openface_csv:OpenFaceCSV.write": "CSV row",
    "pyfaceau.output.openface_csv:OpenFaceCSV.finish": "whole-video pass, CSV",
}


def limit(task: dict[str, Any]) -> dict[str, Any]:
    """Decode a video and call the landmark network once for each frame: nothing can be faster."""
    import numpy as np

    from pyfaceau.landmarks.pfld import PFLD, crop_from_box
    from pyfaceau.media.video import VideoReader
    from pyfaceau.types import FaceBox

    net = PFLD()
    decode = network = 0.0
    frames = 0
    with VideoReader(task["video"]) as video:
        side = min(video.width, video.height) / 2
        box = FaceBox((video.width - side) / 2, (video.height - side) / 2, side, side)
        crop = crop_from_box(box)[None]
        net.predict_crops(np.zeros((video.height, video.width, 3), np.uint8), crop)
        cpu = time.process_time()
        began = before = time.perf_counter()
        for frame in video:
            decoded = time.perf_counter()
            net.predict_crops(frame.image, crop)
            decode += decoded - before
            before = time.perf_counter()
            network += before - decoded
            frames += 1
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    return {"frames": frames, "wall": wall, "cpu": cpu, "decode": decode, "network": network}


def pipeline(task: dict[str, Any]) -> dict[str, Any]:
    """Write the CSV of a video with a profile."""
    from pyfaceau.pipeline.video import FullPythonAUPipeline
    from validation.stopwatch import Stopwatch

    watch = Stopwatch()
    if task.get("stages"):
        watch.watch(STAGES)
    instance = FullPythonAUPipeline(config=task["config"])
    with tempfile.TemporaryDirectory() as folder:
        began, cpu = time.perf_counter(), time.process_time()
        written = instance.write_csv(task["video"], Path(folder) / "table.csv")
        wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    stages = {stage: times.figures() for stage, times in watch.times.items()}
    return {"frames": written.frames, "wall": wall, "cpu": cpu, "stages": stages}


def first_frame(task: dict[str, Any]) -> dict[str, Any]:
    """Say how long after the start of the process the first frame is done."""
    from pyfaceau.pipeline.video import FullPythonAUPipeline

    instance = FullPythonAUPipeline(config=task["config"])
    loaded = time.time() - task["started"]
    next(iter(instance.results(task["video"])))
    return {"loaded": loaded, "first_frame": time.time() - task["started"]}


def growth(task: dict[str, Any]) -> dict[str, Any]:
    """Write the CSV of a long video; note time and memory every 1,000 frames."""
    from pyfaceau.output.openface_csv import OpenFaceCSV
    from pyfaceau.pipeline.video import FullPythonAUPipeline

    samples = []
    write = OpenFaceCSV.write

    def sampled(table: OpenFaceCSV, result: Any) -> None:
        write(table, result)
        if table.rows % 1000 == 0:
            samples.append((table.rows, time.perf_counter(), resident_mib("VmRSS")))

    setattr(OpenFaceCSV, "write", sampled)  # noqa: B010 - mypy refuses the plain assignment
    instance = FullPythonAUPipeline(config=task["config"])
    with tempfile.TemporaryDirectory() as folder:
        instance.write_csv(task["video"], Path(folder) / "table.csv")
    return {"samples": samples}


def resident_mib(key: str = "VmHWM") -> float | None:
    """Return the resident size of this process, MiB: the peak, or with ``VmRSS`` the present."""
    status = Path("/proc/self/status")
    if status.exists():
        fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(fields[key].split()[0]) / 1024
    return None


TASKS = {"limit": limit, "pipeline": pipeline, "first_frame": first_frame, "growth": growth}


def main() -> None:
    """Run the task and print its figures."""
    task = json.loads(sys.argv[1])
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: task["cores"]])
    figures = TASKS[task["what"]](task)
    sys.stdout.write(json.dumps({**figures, "rss": resident_mib()}) + "\n")


if __name__ == "__main__":
    main()
