"""A command line run for another program."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyfaceau.cli.job import perform
from pyfaceau.output.preview import Preview
from tests.pipeline.test_video import Drifting
from tests.video_files import pictures, write_video


@pytest.fixture
def video(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, weights_dir: Path) -> Path:
    monkeypatch.setattr("pyfaceau.pipeline.video.make_tracker", lambda *_: Drifting())
    return write_video(tmp_path / "a.mp4", pictures(7))


def test_table_preview_and_progress(video: Path, tmp_path: Path) -> None:
    told: list[int] = []
    task = {
        "arguments": [str(video), "-o", str(tmp_path / "a.csv"), "-pose"],
        "preview": str(tmp_path / "small.mp4"),
    }
    outcome = perform(task, told.append)
    assert outcome["state"] == "done"
    assert told == list(range(1, 8))
    assert len((tmp_path / "a.csv").read_text().splitlines()) == 8
    with Preview(tmp_path / "small.mp4") as preview:
        assert preview.frames == 7
    assert (outcome["width"], outcome["height"]) == preview_source(video)


def preview_source(video: Path) -> tuple[int, int]:
    from pyfaceau import VideoReader

    with VideoReader(video) as opened:
        return opened.width, opened.height


def test_failures_are_one_line(tmp_path: Path) -> None:
    text = tmp_path / "text.mp4"
    text.write_text("no video " * 1000)
    outcome = perform({"arguments": [str(text), "-o", str(tmp_path / "a.csv")]}, print)
    assert outcome["state"] == "failed"
    assert "text.mp4" in outcome["error"]
    assert "\n" not in outcome["error"]
    assert not (tmp_path / "a.csv").exists()
    usage = perform({"arguments": [str(text), "--no-such-option"]}, print)
    assert usage["state"] == "failed"
    assert "--no-such-option" in usage["error"]


def test_probe_counts_frames(video: Path, tmp_path: Path) -> None:
    assert perform({"probe": str(video)}, print)["frames"] == 7
    assert perform({"probe": str(tmp_path / "none.mp4")}, print) == {
        "state": "done",
        "frames": None,
    }
