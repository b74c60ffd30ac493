"""A study's run: what it does, what it leaves alone, and why; what breaks only one video."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pyfaceau import __version__
from pyfaceau.config import Config
from pyfaceau.errors import InputError, OutputError
from pyfaceau.models.weights import sha256
from pyfaceau.study.executors import LocalExecutor
from pyfaceau.study.inputs import find_videos
from pyfaceau.study.isolation import Limits
from pyfaceau.study.ledger import Ledger
from pyfaceau.study.plan import Step, Wanted
from pyfaceau.study.runner import Observer, Study, Summary
from tests.study_acts import ACTS
from validation.survival import STUB, make_videos

ROOT = Path(__file__).resolve().parents[2]
WANTED = Wanted(Config(), keep_features=True)


class Notes(Observer):
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.why: dict[str, str] = {}

    def planned(self, steps: Sequence[Step], total: int) -> None:
        self.why = {step.name: step.why for step in steps}


def run(
    source: Path, out: Path, wanted: Wanted = WANTED, processor: str = STUB, **more: Any
) -> tuple[Summary, dict[str, str]]:
    """Run a study; return what came of it, and what was done why."""
    notes = Notes()
    force = more.pop("force", False)
    executor = LocalExecutor(more.pop("workers", 2), Limits(**more), processor)
    with Study(out, wanted, executor, notes) as study:
        return study.run(find_videos([str(source)], out), force), notes.why


def rows(out: Path) -> dict[str, dict[str, Any]]:
    with Ledger(out) as ledger:
        return {row["name"]: row for row in ledger.rows()}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return three videos and a study of them; tests leave both as they are."""
    folder = tmp_path_factory.mktemp("study")
    make_videos(folder / "videos", 3, frames=6)
    summary, _ = run(folder / "videos", folder / "out")
    assert (summary.done, summary.failed, summary.failures) == (3, 0, {})
    return folder / "videos", folder / "out"


@pytest.fixture(scope="module")
def worn(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return the same again, to be tampered with, and mended by the next run."""
    folder = tmp_path_factory.mktemp("worn")
    make_videos(folder / "videos", 3, frames=6)
    run(folder / "videos", folder / "out")
    return folder / "videos", folder / "out"


def test_each_video_has_one_table_and_one_row_that_says_all(finished: tuple[Path, Path]):
    videos, out = finished
    assert sorted(path.name for path in out.glob("*.csv")) == [f"v0{k}.mp4.csv" for k in range(3)]
    for name, row in rows(out).items():
        table = out / f"{name}.csv"
        assert (row["state"], row["kind"], row["error"], row["why"]) == ("done", "", "", "new")
        assert row["table_sha256"] == sha256(table)
        assert row["table_size"] == table.stat().st_size
        assert row["frames"] == row["tracked"] == len(table.read_text().splitlines()) - 1
        assert row["failed"] == 0
        assert (row["codec"], row["rotation"], row["fps"]) == ("mpeg4", 0, 25.0)
        assert row["input_sha256"] == sha256(videos / name)
        assert (row["version"], row["calibration"]) == (__version__, "running median")
        assert row["config_sha256"] == WANTED.config_sha256
        assert row["seconds"] > 0


def test_a_second_run_does_nothing(worn: tuple[Path, Path]):
    before = {path: path.stat().st_mtime_ns for path in worn[1].glob("v*")}
    summary, why = run(*worn)
    assert (summary.done, summary.fresh, why) == (0, 3, {})
    assert {path: path.stat().st_mtime_ns for path in worn[1].glob("v*")} == before


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("table gone", "table missing"),
        ("table cut", "table changed"),
        ("features gone", "features missing"),
        ("other video", "input changed"),
        ("killed", "interrupted"),
        ("older version", f"version changed from 0.0.1 to {__version__}"),
        ("other weights", "model file changed: pdm.txt"),
    ],
)
def test_only_what_changed_is_done_again_and_why(worn: tuple[Path, Path], change: str, reason: str):
    videos, out = worn
    table, name = out / "v01.mp4.csv", "v01.mp4"
    expected, original = sha256(table), (videos / name).read_bytes()
    if change == "table gone":
        table.unlink()
    elif change == "table cut":
        table.write_bytes(table.read_bytes()[:-9])
    elif change == "features gone":
        (out / "v01.mp4.features").unlink()
    elif change == "other video":
        (videos / name).write_bytes((videos / "v02.mp4").read_bytes())
        expected = sha256(out / "v02.mp4.csv")
    else:
        with Ledger(out) as ledger:
            if change == "killed":
                ledger.update({name: {"state": "running"}})
            elif change == "older version":
                ledger.update({name: {"version": "0.0.1"}})
            else:
                ledger.remember("weights", "abc", {"pdm.txt": "0" * 64})
                ledger.update({name: {"weights_sha256": "abc"}})
    wanted = WANTED
    if change in ("table gone", "table cut"):  # with features it would be predicted again
        wanted = replace(WANTED, keep_features=False)
        with Ledger(out) as ledger:
            ledger.update({name: {"features": 0}})
    summary, why = run(videos, out, wanted)
    assert (summary.done, summary.fresh, why) == (1, 2, {name: reason})
    assert sha256(table) == expected == rows(out)[name]["table_sha256"]
    (videos / name).write_bytes(original)
    run(videos, out)


def test_touching_a_video_does_not_change_it(worn: tuple[Path, Path]):
    os.utime(worn[0] / "v00.mp4")
    assert run(*worn)[1] == {}


def test_other_settings_change_all(worn: tuple[Path, Path]):
    _, why = run(*worn, replace(WANTED, config=Config(fixed_fps=True)))
    assert why == {f"v0{k}.mp4": "config changed" for k in range(3)}


def test_alone_or_together_in_any_order_by_any_number_the_bytes_are_the_same(
    finished: tuple[Path, Path], tmp_path: Path
):
    videos, out = finished
    wanted = {path.name: path.read_bytes() for path in out.glob("v*")}
    assert len(wanted) == 9
    for workers in (1, 3):
        run(videos, tmp_path / f"by{workers}", workers=workers)
    run(videos / "v02.mp4", tmp_path / "order")
    run(videos, tmp_path / "order", workers=1)
    for name in ("v00.mp4", "v01.mp4", "v02.mp4"):
        run(videos / name, tmp_path / "alone")
    for folder in ("by1", "by3", "order", "alone"):
        found = {path.name: path.read_bytes() for path in (tmp_path / folder).glob("v*")}
        assert found == wanted


def test_each_trouble_takes_down_one_video(tmp_path: Path):
    (tmp_path / "videos").mkdir()
    limits: dict[str, Any] = {"wanted": Wanted(Config()), "seconds": 3, "memory": 2500}
    acts = ("segv", "kill", "exit", "hang", "starve", "fail no video", "good one", "good two")
    for number, act in enumerate(acts):
        (tmp_path / f"videos/{number} {act.split(' ', 1)[-1]}.mp4").write_text(act)
    summary, _ = run(tmp_path / "videos", tmp_path / "out", processor=ACTS, **limits)
    assert (summary.done, summary.failed) == (2, 6)
    kinds = {name.split(".")[0]: row["kind"] for name, row in rows(tmp_path / "out").items()}
    assert list(kinds.values()) == ["worker"] * 3 + ["time", "memory", "video", "", ""]
    assert len(summary.failures) == 6
    assert all(summary.failures.values())
    # What was the videos' own fault is not tried again, unless asked for.
    _, why = run(tmp_path / "videos", tmp_path / "out", processor=ACTS, **limits)
    assert [name[0] for name in sorted(why)] == ["0", "1", "2", "4"]
    for number in (0, 1, 2, 4):
        next((tmp_path / "videos").glob(f"{number}*")).write_text("good")
    _, why = run(tmp_path / "videos", tmp_path / "out", processor=ACTS, **limits, force=True)
    assert [name[0] for name in sorted(why)] == list("012345")
    assert why["5 no video.mp4"] == "failed before: no video"


def test_two_runs_in_one_folder(finished: tuple[Path, Path]):
    videos, out = finished
    with Study(out, WANTED, LocalExecutor(1, processor=STUB)) as first:
        with pytest.raises(OutputError, match="another run is at work"):
            Study(out, WANTED, LocalExecutor(1, processor=STUB))
        assert first.ledger.counts()["done"] == 3
    assert run(videos, out)[1] == {}


def test_names_of_all_kinds(finished: tuple[Path, Path], tmp_path: Path):
    video = (finished[0] / "v00.mp4").read_bytes()
    strange = ["a b.mp4", 'it\'s "so".mp4', "new\nline.mp4", "Zoë 視頻.mp4", "...mp4", "-x.mp4"]
    folder = tmp_path / "videos"
    (folder / "..hidden..").mkdir(parents=True)
    for name in strange:
        (folder / name).write_bytes(video)
    (folder / "..hidden.." / "a%20b.mp4").write_bytes(video)
    (folder / os.fsdecode(b"latin\xe9.mp4")).write_bytes(video)
    (folder / "list.csv").write_text("video\n../videos/a b.mp4\n", encoding="utf-8")
    summary, _ = run(folder, tmp_path / "out")
    assert (summary.done, summary.failures) == (7, {})  # "...mp4" is hidden
    assert len(list((tmp_path / "out").rglob("*.csv"))) == 7
    assert {path.name for path in tmp_path.iterdir()} == {"videos", "out"}
    assert run(folder / "list.csv", tmp_path / "out")[1] == {}


def test_a_baseline_of_nobody_is_refused(finished: tuple[Path, Path]):
    with pytest.raises(InputError, match="baseline: expected a subject of the videos, got 'P9'"):
        run(*finished, replace(WANTED, baselines=("P9",)))


def command(out: Path, *arguments: object) -> list[str]:
    """Return the command line ``pyfaceau study run``, with the stub for a pipeline."""
    code = (
        # Whoever starts the tests in the background may have interrupts ignored.
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
        "import functools; from pyfaceau.study import executors as e;"
        f"e.LocalExecutor = functools.partial(e.LocalExecutor, processor={STUB!r});"
        "from pyfaceau.cli.command import main; main()"
    )
    words = ["study", "run", *map(str, arguments), "--out", str(out), "--workers", "2"]
    return [sys.executable, "-c", code, *words]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_leaves_a_ledger_that_goes_on(tmp_path: Path, how: signal.Signals):
    make_videos(tmp_path / "videos", 4, frames=20)
    environment = {**os.environ, "PYFACEAU_STUB_DELAY": "0.03", "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        command(tmp_path / "out", tmp_path / "videos"),
        env=environment,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    deadline = time.monotonic() + 30
    while not list(tmp_path.glob("out/*.csv")) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(how)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert b"Interrupted" in said
    states = [row["state"] for row in rows(tmp_path / "out").values()]
    assert "pending" in states
    assert set(states) <= {"done", "pending"}
    assert not list(tmp_path.glob("out/.*.part"))
    summary, why = run(tmp_path / "videos", tmp_path / "out", replace(WANTED, config=Config()))
    assert set(why.values()) <= {"interrupted", "new", "features missing"}
    assert (summary.done + summary.fresh, summary.failures) == (4, {})


TWICE = """
import json, os, subprocess, sys, threading, time
from pathlib import Path
from pyfaceau.errors import PyfaceauError
from tests.study.test_runner import run, rows
source, out = Path(sys.argv[1]), Path(sys.argv[2])
{before}
try:
    summary, why = run(source, out)
    first = dict(summary.failures)
except PyfaceauError as error:
    first = {{"": str(error)}}
{mend}
states = {{name: row["state"] for name, row in rows(out).items()}}
summary, why = run(source, out)
found = [path.name for path in out.glob("*.csv")]
print(json.dumps([first, states, why, dict(summary.failures), found]))
"""


def run_twice(tmp_path: Path, prefix: list[str], before: str, mend: str) -> list[Any]:
    """Run a study in trouble; mend that; run again."""
    make_videos(tmp_path / "videos", 4, frames=20)
    (tmp_path / "out").mkdir()
    can = subprocess.run([*prefix, "true"], capture_output=True, check=False)
    if can.returncode:
        pytest.skip(f"the trouble cannot be made here: {' '.join(prefix)} is refused")
    code = TWICE.format(before=before, mend=mend)
    words = [*prefix, sys.executable, "-c", code, tmp_path / "videos", tmp_path / "out"]
    environment = {**os.environ, "PYFACEAU_STUB_DELAY": "0.02", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        words, capture_output=True, text=True, check=False, env=environment, timeout=120, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    result: list[Any] = json.loads(done.stdout)
    return result


@pytest.mark.skipif(sys.platform != "linux", reason="mounts a file system")
def test_a_full_disk_fails_videos_and_the_rerun_heals(tmp_path: Path):
    mount = 'subprocess.run(["mount", "-t", "tmpfs", "-o", "{}", "tmpfs", str(out)], check=True)'
    first, states, why, failures, found = run_twice(
        tmp_path,
        ["unshare", "-rm"],
        mount.format("size=900k"),
        mount.format("remount,size=90m"),
    )
    assert all("No space left on device" in error for error in first.values())
    assert set(states.values()) == {"done", "failed"}
    assert set(why) == set(first)
    assert (failures, len(found)) == ({}, 4)


@pytest.mark.skipif(sys.platform != "linux", reason="gives up what a superuser may")
def test_a_folder_that_becomes_read_only_and_the_rerun_heals(tmp_path: Path):
    before = """
def later():
    while not list(out.glob("*.csv")):
        time.sleep(0.01)
    os.chmod(out, 0o555)
threading.Thread(target=later).start()
"""
    superuser = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    first, states, why, failures, found = run_twice(
        tmp_path, superuser if os.geteuid() == 0 else [], before, "os.chmod(out, 0o755)"
    )
    assert first
    assert all("Permission denied" in error for error in first.values())
    assert set(states.values()) == {"done", "failed"}
    assert set(why) == set(first)
    assert (failures, len(found)) == ({}, 4)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be made"):
        Study(tmp_path / "file" / "out", WANTED, LocalExecutor(1))


def test_a_ledger_that_cannot_be_written_for_a_while(
    finished: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    update = Ledger.update
    calls = []

    def sometimes(self: Ledger, changes: Mapping[str, Mapping[str, Any]]) -> None:
        calls.append(changes)
        if len(calls) % 3:
            raise OutputError("disk full")
        update(self, changes)

    monkeypatch.setattr(Ledger, "update", sometimes)
    summary, _ = run(finished[0], tmp_path / "out")
    assert (summary.done, summary.failures) == (3, {})
    assert {row["state"] for row in rows(tmp_path / "out").values()} == {"done"}
