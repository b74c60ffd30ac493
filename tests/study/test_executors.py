"""Clusters: the same tasks by a real Dask scheduler, one of whose workers dies; job scripts."""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyfaceau.errors import InputError, PyfaceauError
from pyfaceau.study import executors
from pyfaceau.study.executors import LocalExecutor, connect, slurm_cluster
from pyfaceau.study.inputs import find_videos
from pyfaceau.study.isolation import Limits
from pyfaceau.study.ledger import Ledger
from pyfaceau.study.runner import Study
from tests.study.test_runner import ROOT, WANTED
from validation.survival import STUB, expected_tables, make_videos


def start(*arguments: str, log: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYFACEAU_STUB_DELAY": "0.02"}
    words = [sys.executable, "-m", "distributed.cli." + arguments[0], *arguments[1:]]
    with log.open("wb") as file:
        return subprocess.Popen(words, env=environment, stdout=file, stderr=file, cwd=log.parent)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """Yield a scheduler's address, and its two workers."""
    pytest.importorskip("distributed", reason="the extra [cluster] is not installed")
    quiet = ("--no-dashboard", "--host", "127.0.0.1")
    contact = tmp_path / "scheduler.json"
    files = ("--scheduler-file", str(contact))
    processes = [
        start("dask_scheduler", "--port", "0", *files, *quiet, log=tmp_path / "scheduler.log")
    ]
    for number in range(2):
        log = tmp_path / f"worker{number}.log"
        options = ("--nthreads", "1", "--no-nanny", "--death-timeout", "60")
        processes.append(start("dask_worker", *files, *options, *quiet, log=log))
    try:
        yield address(contact), processes[1:]
    finally:
        for process in processes[::-1]:
            process.kill()
            process.wait()


def address(contact: Path) -> str:

    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            return str(json.loads(contact.read_text())["address"])
        except (OSError, ValueError):
            time.sleep(0.05)
    raise TimeoutError("the scheduler does not come up")


def test_a_cluster_does_the_same_and_survives_a_worker(
    cluster: tuple[str, list[subprocess.Popen[bytes]]], tmp_path: Path
):
    where, workers = cluster
    make_videos(tmp_path / "videos", 8)
    expected = expected_tables(tmp_path / "videos", tmp_path / "here")
    out = tmp_path / "there"
    executor = connect(where, Limits(seconds=60), STUB)
    executor._client.wait_for_workers(2, timeout=60)

    def strike() -> None:
        while not list(out.glob("*.csv")):
            time.sleep(0.02)
        workers[0].send_signal(signal.SIGKILL)

    striker = threading.Thread(target=strike)
    with Study(out, WANTED, executor) as study:
        striker.start()
        summary = study.run(find_videos([str(tmp_path / "videos")], out))
    striker.join()
    assert workers[0].wait(10) == -signal.SIGKILL
    assert workers[1].poll() is None
    assert (summary.done, summary.failures) == (8, {})
    with Ledger(out) as ledger:
        assert {row["name"]: row["table_sha256"] for row in ledger.rows()} == expected
        last = ledger.last_run()
    assert last is not None
    assert (last["executor"], last["outcome"]) == ("dask", "complete")


def test_nobody_at_the_address(monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("distributed", reason="the extra [cluster] is not installed")
    monkeypatch.setattr(executors, "_CONNECT", 0.5)
    with pytest.raises(PyfaceauError, match="no Dask scheduler answers"):
        connect("tcp://127.0.0.1:9")


def test_slurm_is_given_a_job_per_worker(tmp_path: Path):
    pytest.importorskip("dask_jobqueue", reason="the extra [cluster] is not installed")
    settings = tmp_path / "slurm.toml"
    settings.write_text(
        'queue = "long"\naccount = "faces"\nwalltime = "12:00:00"\nmemory = "3GB"\n'
        'job_extra_directives = ["--mail-type=FAIL"]\ninterface = "lo"\n'
    )
    cluster = slurm_cluster(settings)
    try:
        script = cluster.job_script()
    finally:
        cluster.close()
    for line in ("-p long", "-A faces", "-t 12:00:00", "--mem=3G", "-n 1", "--mail-type=FAIL"):
        assert f"#SBATCH {line}\n" in script
    assert "--cpus-per-task=1" in script
    assert "distributed.cli.dask_worker" in script
    assert "--nthreads 1" in script


def test_unknown_slurm_settings_are_refused(tmp_path: Path):
    pytest.importorskip("dask_jobqueue", reason="the extra [cluster] is not installed")
    (tmp_path / "slurm.toml").write_text("quueue = 'long'\n")
    with pytest.raises(InputError, match=r"slurm\.toml: .*quueue"):
        slurm_cluster(tmp_path / "slurm.toml")


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    def absent(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", absent)
    with pytest.raises(InputError, match=r"pip install 'pyfaceau\[cluster\]'"):
        connect("tcp://127.0.0.1:9")


def test_no_worker_at_all_is_refused():
    with pytest.raises(InputError, match="workers: expected 1 or more, got 0"):
        LocalExecutor(0)
