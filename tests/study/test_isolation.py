"""Worker processes: whatever a video does to one, this process learns of it and goes on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pyfaceau.study.isolation import Limits, WorkerProcess
from tests.study_acts import ACTS


def task(folder: Path, act: str) -> dict[str, str]:
    source = folder / "v.mp4"
    source.write_text(act)
    return {"job": "video", "source": str(source), "table": str(folder / "t.csv")}


@pytest.fixture
def worker():
    process = WorkerProcess(Limits(seconds=20, stall=20), ACTS)
    yield process
    process.close()


def test_one_process_does_task_after_task(worker: WorkerProcess, tmp_path: Path):
    outcomes = [worker.run(task(tmp_path, "done")) for _ in range(3)]
    assert [outcome["state"] for outcome in outcomes] == ["done"] * 3
    assert len({outcome["host"] for outcome in outcomes}) == 1


def test_an_ended_process_is_replaced(worker: WorkerProcess, tmp_path: Path):
    hosts = []
    for _ in range(2):
        hosts.append(worker.run(task(tmp_path, "done"))["host"])
        worker.end()
    assert not worker.closed
    assert len(set(hosts)) == 2


@pytest.mark.parametrize(
    ("act", "kind", "error"),
    [
        ("segv", "worker", "the worker died of SIGSEGV: Fatal Python error: Segmentation fault"),
        ("kill", "worker", "the worker was killed, by a person or for lack of memory"),
        ("exit", "worker", "the worker died of exit code 3"),
        ("fail it is no video", "video", "it is no video"),
    ],
)
def test_a_death_is_an_outcome_and_the_next_task_is_done(
    worker: WorkerProcess, tmp_path: Path, act: str, kind: str, error: str
):
    outcome = worker.run(task(tmp_path, act))
    assert (outcome["state"], outcome["kind"], outcome["error"]) == ("failed", kind, error)
    assert worker.run(task(tmp_path, "done"))["state"] == "done"


def test_a_hang_ends_at_the_time_limit(tmp_path: Path):
    worker = WorkerProcess(Limits(seconds=1.5), ACTS)
    began = time.monotonic()
    outcome = worker.run(task(tmp_path, "hang"))
    worker.close()
    assert (outcome["kind"], outcome["error"]) == ("time", "not done within 1.5 s")
    assert time.monotonic() - began < 10


def test_no_further_frame_is_a_hang_and_a_long_video_is_not(tmp_path: Path):
    worker = WorkerProcess(Limits(stall=2.5), ACTS)
    assert worker.run(task(tmp_path, "slow 80"))["state"] == "done"
    outcome = worker.run(task(tmp_path, "hang"))
    worker.close()
    assert (outcome["kind"], outcome["error"]) == ("time", "no further frame within 2.5 s")


@pytest.mark.skipif(sys.platform != "linux", reason="address space is limited on Linux only")
def test_a_worker_out_of_memory_says_so(tmp_path: Path):
    worker = WorkerProcess(Limits(seconds=30, memory=2000), ACTS)
    outcome = worker.run(task(tmp_path, "starve"))
    again = worker.run(task(tmp_path, "done"))
    worker.close()
    assert (outcome["kind"], outcome["error"]) == ("memory", "out of memory")
    assert again["state"] == "done"


def test_a_task_whose_worker_is_closed_ends_with_an_outcome(
    worker: WorkerProcess, tmp_path: Path
) -> None:
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(worker.run, task(tmp_path, "slow 400"))
        while not worker.frames:
            time.sleep(0.05)
        worker.close()
        outcome = running.result(timeout=20)
    assert (outcome["state"], outcome["kind"]) == ("failed", "worker")


def test_a_worker_that_is_closed_before_it_reads_its_task_ends_with_an_outcome(
    worker: WorkerProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = worker._start

    def start_and_close() -> subprocess.Popen[bytes] | None:
        process = start()
        worker.close()
        return process

    monkeypatch.setattr(worker, "_start", start_and_close)
    assert worker.run(task(tmp_path, "done"))["error"] == "ended on request"


def test_a_closed_worker_starts_nothing(worker: WorkerProcess, tmp_path: Path):
    worker.close()
    assert worker.run(task(tmp_path, "done"))["error"] == "stopped"


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_worker_ends_with_who_started_it(tmp_path: Path):
    code = (
        "import sys, json, os; from pyfaceau.study.isolation import *; "
        f"w = WorkerProcess(Limits(), {ACTS!r}); w._start(); "
        "print(w._process.pid, flush=True); w.run(json.loads(sys.argv[1]))"
    )
    argument = json.dumps(task(tmp_path, "hang"))
    root = Path(__file__).resolve().parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    parent = subprocess.Popen(
        [sys.executable, "-c", code, argument], stdout=subprocess.PIPE, env=environment, cwd=root
    )
    assert parent.stdout is not None
    child = Path("/proc") / parent.stdout.readline().decode().strip()
    time.sleep(0.5)
    assert child.exists()
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 10
    while _alive(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _alive(child)


def _alive(process: Path) -> bool:
    try:
        return process.joinpath("stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
