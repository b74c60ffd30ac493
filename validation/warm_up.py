"""How long compiling takes, and for what: each profile, nothing compiled before.

    python -m validation.warm_up [--profiles NAME ...]

Each run has an empty cache of its own. Wall time and CPU time of ``pyfaceau warm-up`` on all cores,
what of a video's first frames is left to compile then (nothing), and, in one process, the CPU
seconds that each room's kernels take. Other work on the machine makes wall time long and CPU time
somewhat longer: the load is told. Writes ``validation/results/warm-up.md``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from pyfaceau.overlap import usable_cores
from validation.provenance import RESULTS, ROOT, provenance
from validation.reference import SHARED
from validation.report import table

PROFILES = ("openface", "default", "fast", "free")


def of_rooms(profile: str) -> dict[str, list[float]]:
    """Compile in this process; return seconds and functions of each room, callees apart."""
    from pyfaceau.pipeline.warm_up import STEPS, deep, prepare

    prepare()  # before Numba is loaded
    from numba.core import event

    from pyfaceau.config import Config
    from pyfaceau.pipeline.compiling import Stages

    spent: dict[str, list[float]] = defaultdict(lambda: [0.0, 0])

    class Listener(event.Listener):  # type: ignore[misc]
        """Sums the time of each function without that of those it calls."""

        open: list[list[float]] = []  # noqa: RUF012

        def on_start(self, _: event.Event) -> None:
            self.open.append([time.process_time(), 0.0])

        def on_end(self, ended: event.Event) -> None:
            began, inner = self.open.pop()
            took = time.process_time() - began
            if self.open:
                self.open[-1][1] += took
            module = ended.data["dispatcher"].py_func.__module__
            parts = module.split(".")
            room = "/".join(parts[1:2]) if parts[0] == "pyfaceau" else "numba's own"
            spent[room][0] += took - inner
            spent[room][1] += 1

    stages = Stages(Config.load(profile))
    with event.install_listener("numba:compile", Listener()):
        for step in STEPS.values():
            deep(getattr(stages, step))
    return dict(spent)


def left_to_compile(profile: str, video: Path) -> int:
    """Measure some frames; return how many functions had to be compiled."""
    from numba.core import event

    from pyfaceau import FullPythonAUPipeline

    class Counter(event.Listener):  # type: ignore[misc]
        """Counts."""

        count = 0

        def on_start(self, _: event.Event) -> None:
            self.count += 1

        def on_end(self, _: event.Event) -> None:
            pass

    counter = Counter()
    with event.install_listener("numba:compile", counter):
        FullPythonAUPipeline(config=profile).process_video(video, max_frames=30)
    return counter.count


def run(cache: str, *command: str) -> tuple[str, float, float]:
    """Run a command with a cache; return what it printed, wall and CPU seconds."""
    environment = {**os.environ, "PYFACEAU_CACHE_DIR": cache}
    began, before = time.perf_counter(), os.times()
    done = subprocess.run(  # noqa: S603 - our own modules
        [sys.executable, "-m", *command],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    took, after = time.perf_counter() - began, os.times()
    cpu = after.children_user + after.children_system
    return done.stdout.strip(), took, cpu - before.children_user - before.children_system


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--profiles", nargs="+", default=PROFILES)
    parser.add_argument("--rooms", help=argparse.SUPPRESS)
    parser.add_argument("--left", help=argparse.SUPPRESS)
    options = parser.parse_args()
    video = SHARED / "samples/video/single_face.mp4"
    if options.rooms:
        sys.stdout.write(json.dumps(of_rooms(options.rooms)) + "\n")
        return
    if options.left:
        sys.stdout.write(f"{left_to_compile(options.left, video)}\n")
        return
    rows, rooms = [], []
    for profile in options.profiles:
        with tempfile.TemporaryDirectory() as cache:
            command = ("pyfaceau.cli", "warm-up", "--config", profile)
            _, wall, cpu = run(cache, *command)
            left, first, used = run(cache, "validation.warm_up", "--left", profile)
        load = f"{os.getloadavg()[0]:.1f}"
        with tempfile.TemporaryDirectory() as cache:
            spent = json.loads(run(cache, "validation.warm_up", "--rooms", profile)[0])
        alone = sum(seconds for seconds, _ in spent.values())
        rows.append(
            [profile, f"{wall:.1f}", f"{cpu:.1f}", f"{alone:.1f}", left,
             f"{first:.1f} ({used:.1f})", load]
        )  # fmt: skip
        for room, (seconds, count) in sorted(spent.items(), key=lambda item: -item[1][0]):
            rooms.append([profile, room, f"{count:.0f}", f"{seconds:.1f}"])
    asked = " ".join(["python -m validation.warm_up --profiles", *options.profiles])
    head = "\n".join(f"- {k}: {v}" for k, v in provenance(asked).items())
    text = (
        f"# Compiling: how long, and for what\n\n{head}\n\n## pyfaceau warm-up\n\n"
        + table(
            ["profile", f"{usable_cores()} processes, wall s", "their CPU s",
             "kernels in one process, CPU s", "left to compile for a video",
             "30 frames of it then, wall s (CPU s)", "load of the machine"],
            rows,
        )
        + "\n## Where the time goes\n\nOne process; CPU seconds without those of callees.\n\n"
        + table(["profile", "room", "functions", "s"], rooms)
    )  # fmt: skip
    (RESULTS / "warm-up.md").write_text(text)


if __name__ == "__main__":
    main()
