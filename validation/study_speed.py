"""What a study costs: throughput by workers, bookkeeping, large ledgers, re-prediction.

    python -m validation.study_speed VIDEO [--copies 8] [--config default]

Prints what was measured and writes it to ``validation/results/study_speed.json``. Run it on a
machine that does nothing else.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from pyfaceau import __version__
from pyfaceau.config import Config
from pyfaceau.study.executors import LocalExecutor
from pyfaceau.study.identity import stamp
from pyfaceau.study.inputs import find_videos
from pyfaceau.study.ledger import Ledger
from pyfaceau.study.plan import MEDIAN, Wanted
from pyfaceau.study.repredict import Repredictor
from pyfaceau.study.runner import Study
from validation.provenance import RESULTS, provenance


def throughput(video: Path, copies: int, config: Config, folder: Path) -> dict[str, Any]:
    """Process copies of a video by one worker and by two; the first run warms caches."""
    source = folder / "videos"
    source.mkdir()
    for number in range(copies):
        shutil.copy(video, source / f"{number}{video.suffix}")
    found: dict[str, Any] = {"videos": copies}
    wanted = Wanted(config, keep_features=True)
    for name, workers, count in (
        ("warm", 1, 1),
        ("one_worker", 1, copies),
        ("two_workers", 2, copies),
    ):
        out = folder / name
        with Study(out, wanted, LocalExecutor(workers)) as study:
            summary = study.run(find_videos([str(source)], out)[:count])
        if summary.failures:
            raise RuntimeError(str(summary.failures))
        found[name] = {
            "frames": summary.frames,
            "seconds": round(summary.seconds, 2),
            "frames_per_second": round(summary.frames / summary.seconds, 1),
            "bookkeeping_percent": round(100 * summary.bookkeeping / summary.seconds, 3),
        }
    ratio = found["one_worker"]["seconds"] / found["two_workers"]["seconds"]
    found["two_workers_over_one"] = round(ratio, 3)
    return found


def large_ledger(rows: int, config: Config, folder: Path) -> dict[str, float]:
    """Look after a study in which everything is done."""
    source, out = folder / "many", folder / "many_out"
    source.mkdir()
    out.mkdir()
    done = {}
    wanted = Wanted(config)
    for number in range(rows):
        name = f"{number}.mp4"
        (source / name).write_bytes(b"x")
        (out / f"{name}.csv").write_bytes(b"y")
        done[name] = {
            "state": "done",
            "input_stamp": stamp(source / name),
            "config_sha256": wanted.config_sha256,
            "version": __version__,
            "calibration": MEDIAN,
            "table_size": 1,
        }
    videos = find_videos([str(source)], out)
    times = {}
    with Ledger(out, create=True) as ledger:
        times["enter"] = _timed(lambda: ledger.enter(videos))
        ledger.update(done)
        times["read"] = _timed(ledger.rows)
        times["count"] = _timed(ledger.counts)
        times["update_one"] = _timed(lambda: ledger.update({"7.mp4": {"state": "done"}}))
    with Study(out, wanted, LocalExecutor(1)) as study:
        times["run_with_nothing_to_do"] = _timed(lambda: study.run(videos))
    return {"rows": rows, **times}


def reprediction(config: Config, folder: Path, fps: float) -> dict[str, float]:
    """Predict from features, best of three."""
    (features, *_) = (folder / "one_worker").glob("*.features")
    predictor = Repredictor(config)
    frames = predictor.write(features, folder / "t.csv")
    seconds = min(_timed(lambda: predictor.write(features, folder / "t.csv")) for _ in range(3))
    return {
        "frames_per_second": round(frames / seconds, 1),
        "times_real_time": round(frames / seconds / fps, 1),
        "bytes_per_frame": round(features.stat().st_size / frames),
    }


def _timed(action: Any) -> float:
    began = time.perf_counter()
    action()
    return round(time.perf_counter() - began, 5)


def main() -> None:
    """Measure, and say so."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("video", type=Path)
    parser.add_argument("--copies", type=int, default=8)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--config", default="default")
    options = parser.parse_args()
    config = Config.load(options.config)
    command = f"python -m validation.study_speed {options.video.name} --copies {options.copies}"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        result = {
            **provenance(f"{command} --config {options.config}"),
            "throughput": throughput(options.video, options.copies, config, folder),
            "ledger_seconds": large_ledger(options.rows, config, folder),
            "reprediction_at_30_fps": reprediction(config, folder, 30.0),
        }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "study_speed.json").write_text(json.dumps(result, indent=1) + "\n")
    sys.stdout.write(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
