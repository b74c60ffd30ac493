"""The commands `study` and `repredict`: options, exit codes, what is said."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from pyfaceau.cli.command import main
from pyfaceau.study import executors
from pyfaceau.study.executors import LocalExecutor
from tests.study_acts import ACTS
from validation.survival import STUB, make_videos


@pytest.fixture(autouse=True)
def stub(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a stub stand for the pipeline."""
    stubbed = functools.partial(LocalExecutor, processor=STUB)
    monkeypatch.setattr(executors, "LocalExecutor", stubbed)


@pytest.fixture(autouse=True)
def signals() -> object:
    """Give back the signal handler that a run takes."""
    import signal

    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_run_status_export(tmp_path: Path):
    make_videos(tmp_path / "videos", 2, frames=4)
    manifest = tmp_path / "list.csv"
    manifest.write_text("video,subject,side\nvideos/v00.mp4,P1,left\nvideos/v01.mp4,P2,right\n")
    out = tmp_path / "out"
    first = call("study", "run", manifest, "--out", out, "--workers", 1)
    assert first.exit_code == 0, first.output
    assert "2 of 2 videos to process: 2 new" in first.stderr
    assert "2 done, 0 as they were, 0 failed; 11 frames in" in first.stdout
    assert (out / "videos/v00.mp4.csv").is_file()
    again = call("study", "run", manifest, "--out", out)
    assert "0 done, 2 as they were, 0 failed" in again.stdout
    status = call("study", "status", out)
    assert "0 pending, 0 running, 0 tracked, 2 done, 0 failed" in status.stdout
    assert "complete" in status.stdout
    rows = json.loads(call("study", "status", out, "--json").stdout)
    assert [(row["subject"], row["extra"]) for row in rows] == [
        ("P1", {"side": "left"}),
        ("P2", {"side": "right"}),
    ]
    exported = call("study", "export", out, tmp_path / "all.csv")
    assert exported.stdout == f"{tmp_path / 'all.csv'}: 11 rows\n"
    assert call("study", "retry", out).stdout == "Nothing has failed.\n"


def test_failures_are_said_and_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    acts = functools.partial(LocalExecutor, processor=ACTS)
    monkeypatch.setattr(executors, "LocalExecutor", acts)
    (tmp_path / "good.mp4").write_text("good")
    (tmp_path / "bad.mp4").write_text("fail it is no video")
    run = call("study", "run", tmp_path, "--out", tmp_path / "out", "--workers", 1)
    assert run.exit_code == 1
    assert "failed: bad.mp4 (new): it is no video" in run.stderr
    assert "1 videos have no table:\n  bad.mp4: it is no video" in run.stderr
    assert "Traceback" not in run.output
    assert "failed: bad.mp4: it is no video" in call("study", "status", tmp_path / "out").stdout
    assert call("study", "run", tmp_path, "--out", tmp_path / "out").exit_code == 1
    retry = call("study", "retry", tmp_path / "out", "--workers", 1)
    assert (retry.exit_code, "1 failed before" in retry.stderr) == (1, True)
    (tmp_path / "bad.mp4").write_text("good after all")
    assert call("study", "retry", tmp_path / "out", "--workers", 1).exit_code == 0


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--neutral", "4-2"], "neutral: expected 0 <= start < end"),
        (["--config", "defualt"], "did you mean 'default'"),
        (["--baseline", "P9"], "baseline: expected a subject of the videos, got 'P9'"),
        (["--workers", "0"], "0 is not in the range"),
        (["--dask", "tcp://x", "--slurm", __file__], "exclude each other"),
    ],
)
def test_wrong_use_is_one_line(tmp_path: Path, words: list[str], complaint: str):
    make_videos(tmp_path / "videos", 1, frames=2)
    result = call("study", "run", tmp_path / "videos", "--out", tmp_path / "out", *words)
    assert result.exit_code in (1, 2)
    assert complaint in result.stderr
    assert isinstance(result.exception, (SystemExit, click.exceptions.Exit))


def test_no_videos_and_no_study(tmp_path: Path):
    nothing = call("study", "run", tmp_path, "--out", tmp_path / "out")
    assert (nothing.exit_code, "expected videos, got none" in nothing.stderr) == (1, True)
    for command in ("status", "retry"):
        result = call("study", command, tmp_path)
        assert (result.exit_code, "got no study.sqlite" in result.stderr) == (1, True)


def test_a_second_run_in_the_folder_is_refused(tmp_path: Path):
    from pyfaceau.study.ledger import Lock

    make_videos(tmp_path / "videos", 1, frames=2)
    (tmp_path / "out").mkdir()
    lock = Lock(tmp_path / "out")
    result = call("study", "run", tmp_path / "videos", "--out", tmp_path / "out")
    lock.release()
    assert (result.exit_code, "another run is at work" in result.stderr) == (1, True)


def test_repredict_refuses_what_it_cannot_use(tmp_path: Path, weights_dir: Path):
    (tmp_path / "a.features").write_text("x")
    result = call("repredict", tmp_path / "a.features", "--out-dir", tmp_path)
    assert (result.exit_code, "not a whole feature file" in result.stderr) == (1, True)
    both = call("repredict", tmp_path / "a.features", tmp_path / "b.features", "-o", "x.csv")
    assert (both.exit_code, "-o names one table" in both.stderr) == (2, True)
    same = call("repredict", tmp_path / "a.features", tmp_path / "s" / "a.features")
    assert (same.exit_code, "would both be written to" in same.stderr) == (2, True)
