"""What a study survives: ``kill -9`` at random moments, and videos that are none.

    python -m validation.survival [--kills 50] [--mutations 300] [--real] [--seed 0]

Prints what was survived and writes it to ``validation/results/survival.json``. The decoder, the
files and the ledger are the study's own; the landmarks come from `StubPipeline` unless ``--real``
asks for profile ``fast``: what is tested is who survives, not what is seen.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np

from pyfaceau.config import Config
from pyfaceau.models.weights import sha256
from pyfaceau.output.openface_csv import VIDEO
from pyfaceau.study import job
from pyfaceau.study.executors import LocalExecutor
from pyfaceau.study.files import TABLE, output_path
from pyfaceau.study.inputs import find_videos
from pyfaceau.study.isolation import PROCESSOR, Limits
from pyfaceau.study.ledger import Ledger
from pyfaceau.study.plan import Wanted
from pyfaceau.study.runner import Study, Summary
from pyfaceau.types import (
    AU_INTENSITIES,
    AU_PRESENCES,
    AlignedFace,
    FaceFeatures,
    FrameResult,
    HeadPose,
    ShapeFit,
    TrackedFace,
)
from validation.provenance import RESULTS, ROOT, provenance

STUB = "validation.survival:perform"
DELAY = float(os.environ.get("PYFACEAU_STUB_DELAY", "0"))
"""Seconds that the stub takes for a frame."""


class StubPipeline:
    """Looks like the pipeline to a study; sees a face in every picture, where its colours say."""

    layout = VIDEO

    def calibrate(self, calibration: Any) -> None:
        """Take no notice."""

    def results(self, video: Any) -> Iterator[FrameResult]:
        """Yield a face per frame, from its pixels alone."""
        self._sums: list[float] = []
        for frame in video:
            time.sleep(DELAY)
            self._sums.append(float(frame.image.mean()))
            small = np.resize(frame.image, (112, 112, 3))
            points = np.resize(frame.image.astype("f4"), (68, 2))
            fit = ShapeFit(np.resize(points, 6), np.resize(points, 34))
            yield FrameResult(
                frame.index,
                frame.timestamp,
                TrackedFace(True, True, 0.9, points, fit),
                np.resize(points, (68, 3)),
                HeadPose(np.zeros(3, "f4"), np.zeros(3, "f4")),
                aligned=AlignedFace(small, np.zeros((2, 3), "f4")),
                features=FaceFeatures(
                    np.resize(small, 4464).astype("f4") / 255, np.resize(points, 238).astype("f8")
                ),
            )

    def action_units(self, rows: int) -> tuple[Any, Any]:
        """Return values that hang on every frame."""
        level = np.mean(self._sums) / 100
        return (
            np.full((rows, len(AU_INTENSITIES)), level),
            np.full((rows, len(AU_PRESENCES)), float(level > 1)),
        )


def perform(task: Mapping[str, Any], tell: Any) -> dict[str, Any]:
    """Do a task of a study with `StubPipeline`."""
    job._pipeline = lambda _: (StubPipeline(), frozenset())  # type: ignore[assignment]
    return job.perform(task, tell)


def make_videos(folder: Path, count: int, frames: int = 24) -> None:
    """Write videos, each of its own pictures and length."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        rng = np.random.default_rng(number)
        write_video(folder / f"v{number:02d}.mp4", rng, frames + 3 * number)


def write_video(path: Path, rng: np.random.Generator, frames: int) -> None:
    """Write a video of coloured noise, 64x48."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(frames):
            blocks = rng.integers(0, 256, (6, 8, 3), "u1").repeat(8, 0).repeat(8, 1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(blocks, format="bgr24")))
        container.mux(stream.encode(None))


def run_study(
    source: Path, out: Path, workers: int = 2, real: bool = False, limits: Limits | None = None
) -> Summary:
    """Run a study in this process, its workers in theirs."""
    executor = LocalExecutor(workers, limits, PROCESSOR if real else STUB)
    wanted = Wanted(Config.load("fast"), keep_features=True)
    with Study(out, wanted, executor) as study:
        return study.run(find_videos([str(source)], out))


def start_study(source: Path, out: Path, real: bool, delay: float) -> subprocess.Popen[bytes]:
    """Run a study in a process of its own."""
    command = [sys.executable, "-m", "validation.survival", "--run", str(source), str(out)]
    environment = {**os.environ, "PYFACEAU_STUB_DELAY": str(delay)}
    return subprocess.Popen(  # noqa: S603 - this interpreter, this module
        [*command, *(["--real"] if real else [])],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def expected_tables(source: Path, out: Path, real: bool = False) -> dict[str, str]:
    """Return the checksum of each video's table, from a run that nothing disturbs."""
    summary = run_study(source, out, 1, real)
    if summary.failures:
        raise RuntimeError(f"an undisturbed run fails: {summary.failures}")
    with Ledger(out) as ledger:
        return {row["name"]: row["table_sha256"] for row in ledger.rows()}


def kill_once(
    seed: int, source: Path, out: Path, expected: Mapping[str, str], span: float, real: bool = False
) -> str:
    """Kill a run, or one of its workers, at a random moment; run again; say what is wrong."""
    rng = random.Random(seed)  # noqa: S311 - moments, not secrets
    process = start_study(source, out, real, delay=0.004)
    whole = seed % 2 == 0
    try:
        time.sleep(rng.uniform(0.2, span))
        victims = [process.pid] if whole else _children(process.pid)
        if victims:
            os.kill(rng.choice(victims), signal.SIGKILL)
        if whole:
            process.wait(timeout=60)
            trouble = check(out, expected, complete=False)
            if trouble:
                return f"after the kill: {trouble}"
        process.wait(timeout=300)
    except ProcessLookupError:
        process.wait(timeout=300)
    finally:
        if process.poll() is None:
            process.kill()
    summary = run_study(source, out, 2, real)
    if summary.failures:
        return f"the rerun fails: {summary.failures}"
    return check(out, expected, complete=True)


def check(out: Path, expected: Mapping[str, str], complete: bool) -> str:
    """Say what is wrong with a study's folder; with a complete one all must be there."""
    if not (out / "study.sqlite").is_file():
        return "no ledger" if complete else ""
    tables = {str(path.relative_to(out))[:-4]: sha256(path) for path in out.rglob("*.csv")}
    wrong = [name for name, digest in tables.items() if expected.get(name) != digest]
    if wrong:
        return f"tables are not what an undisturbed run gives: {wrong}"
    with Ledger(out) as ledger:
        rows = {row["name"]: row for row in ledger.rows()}
    for name, row in rows.items():
        if row["state"] == "done" and row["table_sha256"] != tables.get(name):
            return f"the ledger calls {name} done, its table is not there"
    if complete:
        if rows.keys() != expected.keys() or tables.keys() != expected.keys():
            return f"expected {sorted(expected)}, got {sorted(rows)} and {sorted(tables)}"
        left = [path.name for path in out.rglob("*.part")]
        if left:
            return f"left behind: {left}"
    return ""


def _children(pid: int) -> list[int]:
    """Return the processes that a process has started (Linux)."""
    found = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        found += [int(word) for word in path.read_text().split()]
    return found


@dataclass(frozen=True)
class Mutation:
    """What was done to a file."""

    kind: str
    suffix: str
    data: bytes


_KINDS = ("bits", "cut", "hole", "swap", "head", "text", "zeros", "double", "suffix", "rate")


def mutate(data: bytes, seed: int) -> Mutation:
    """Damage a video file, in a way that the seed tells."""
    rng = random.Random(seed)  # noqa: S311 - damage, not secrets
    kind = _KINDS[seed % len(_KINDS)]
    body, suffix = bytearray(data), ".mp4"
    place = rng.randrange(len(body))
    if kind == "bits":
        for _ in range(rng.choice((1, 10, 300))):
            body[rng.randrange(len(body))] ^= 1 << rng.randrange(8)
    elif kind == "cut":
        del body[place:]
    elif kind == "hole":
        del body[place : place + rng.choice((1, 64, 4096))]
    elif kind == "swap":
        body = body[place:] + body[:place]
    elif kind == "head":
        body[: rng.choice((4, 32, 64))] = rng.randbytes(32)
    elif kind == "text":
        body = bytearray(rng.choice((b"no video\n", b"\x00", b"<html>", b"frame,x\n1,2\n")) * 9)
    elif kind == "zeros":
        body[place : place + 2048] = bytes(min(2048, len(body) - place))
    elif kind == "double":
        body = body + body
    elif kind == "suffix":
        suffix = rng.choice((".avi", ".mkv", ".wmv", ".mov", ".ts"))
    elif kind == "rate":
        found = body.find(b"mdhd")
        struct.pack_into(">I", body, found + 16, rng.choice((0, 1, 0xFFFFFFFF)))
    return Mutation(kind, suffix, bytes(body))


def odd_videos(folder: Path) -> None:
    """Write videos that are whole and unusual: one frame, tiny, huge, deep, odd, with alpha."""
    cases: tuple[tuple[str, str, str, tuple[int, int], int], ...] = (
        ("one_frame.mp4", "mpeg4", "yuv420p", (64, 48), 1),
        ("one_pixel.avi", "rawvideo", "bgr24", (1, 1), 3),
        ("huge.mp4", "mpeg4", "yuv420p", (7680, 4320), 1),
        ("ten_bit.mkv", "ffv1", "yuv420p10le", (64, 48), 3),
        ("alpha.avi", "png", "rgba", (64, 48), 3),
        ("odd.mkv", "ffv1", "yuv444p", (65, 49), 3),
        ("gray.mkv", "ffv1", "gray", (33, 31), 3),
    )
    for name, codec, pixels, (width, height), frames in cases:
        with av.open(str(folder / name), "w") as container:
            stream = container.add_stream(codec, rate=25)
            stream.width, stream.height, stream.pix_fmt = width, height, pixels
            picture = np.full((height, width, 3), 90, "u1")
            for _ in range(frames):
                frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
                container.mux(stream.encode(frame.reformat(format=pixels)))
            container.mux(stream.encode(None))


def survive_mutations(
    count: int, folder: Path, seed: int = 0, real: bool = False
) -> dict[str, Any]:
    """Process damaged videos; return what became of them, or raise where one is too much."""
    source, out = folder / "mutated", folder / "out"
    make_videos(folder / "whole", 1)
    data = (folder / "whole" / "v00.mp4").read_bytes()
    source.mkdir()
    odd_videos(source)
    for number in range(count):
        damaged = mutate(data, seed + number)
        name = f"m{number:03d}_{damaged.kind}{damaged.suffix}"
        (source / name).write_bytes(damaged.data)
    summary = run_study(source, out, 2, real, Limits(seconds=60))
    with Ledger(out) as ledger:
        rows = ledger.rows()
    for row in rows:
        error = row["error"]
        if row["state"] not in ("done", "failed") or (row["state"] == "failed") != bool(error):
            raise RuntimeError(f"{row['name']}: {row['state']}, {error!r}")
        if row["kind"] not in ("", "video") or "\n" in error or "Traceback" in error:
            raise RuntimeError(f"{row['name']}: {row['kind']}: {error}")
        if output_path(out, row["name"], TABLE).is_file() != (row["state"] == "done"):
            raise RuntimeError(f"{row['name']}: {row['state']}, and its table says otherwise")
    return {"videos": len(rows), "done": summary.done, "refused": summary.failed}


def survive_kills(count: int, folder: Path, seed: int = 0, real: bool = False) -> dict[str, Any]:
    """Kill runs; return how many were survived, or raise where one was not."""
    source = folder / "videos"
    make_videos(source, 8)
    expected = expected_tables(source, folder / "undisturbed", real)
    began = time.monotonic()
    process = start_study(source, folder / "timed", real, delay=0.004)
    process.wait(timeout=600)
    span = 1.1 * (time.monotonic() - began)
    for number in range(count):
        out = folder / f"out{number}"
        trouble = kill_once(seed + number, source, out, expected, span, real)
        if trouble:
            raise RuntimeError(f"kill {seed + number}: {trouble}")
    return {"kills": count, "of_the_run": (count + 1) // 2, "of_a_worker": count // 2}


def main() -> None:
    """Survive, and say so."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--mutations", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--real", action="store_true")
    parser.add_argument("--run", nargs=2, type=Path, metavar=("VIDEOS", "OUT"))
    options = parser.parse_args()
    if options.run:
        run_study(*options.run, real=options.real)
        return
    command = f"python -m validation.survival --kills {options.kills}"
    command += f" --mutations {options.mutations} --seed {options.seed}"
    result: dict[str, Any] = provenance(command + " --real" * options.real)
    with tempfile.TemporaryDirectory() as folder:
        kills = survive_kills(options.kills, Path(folder, "kills"), options.seed, options.real)
        changed = survive_mutations(
            options.mutations, Path(folder, "mutations"), options.seed, options.real
        )
    result |= {"kills_survived": kills, "mutations_survived": changed}
    RESULTS.mkdir(exist_ok=True)
    name = "survival_real.json" if options.real else "survival.json"
    (RESULTS / name).write_text(json.dumps(result, indent=1) + "\n")
    sys.stdout.write(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
