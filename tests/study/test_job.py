"""A task in this process: what becomes of the ways in which it can go wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pyfaceau.config import Config
from pyfaceau.errors import OutputError, WeightsError
from pyfaceau.study import job
from pyfaceau.study.identity import config_table
from pyfaceau.types import FrameResult
from validation.survival import StubPipeline, make_videos


@pytest.fixture
def task(tmp_path: Path) -> dict[str, Any]:
    make_videos(tmp_path, 1, frames=4)
    return {
        "job": "video",
        "source": str(tmp_path / "v00.mp4"),
        "config": config_table(Config()),
        "neutral": "",
        "table": str(tmp_path / "out/t.csv"),
        "features": str(tmp_path / "out/t.features"),
        "quality": str(tmp_path / "out/t.quality.csv.gz"),
    }


def perform(
    task: dict[str, Any], monkeypatch: pytest.MonkeyPatch, pipeline: object = None
) -> dict[str, Any]:
    made = pipeline or StubPipeline()
    monkeypatch.setattr(job, "_pipeline", lambda config: (made, frozenset()))
    return job.perform(task, lambda frames: None)


class Failing(StubPipeline):
    """Raises in the third frame."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def results(self, video: Any) -> Iterator[FrameResult]:
        for result in super().results(video):
            if result.index == 2:
                raise self._error
            yield result


def test_outputs_are_whole_and_nothing_else_is_left(
    task: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    (tmp_path / "out").mkdir()
    for name in (".t.csv.123.part", ".t.features.9.part", ".other.csv.1.part"):
        (tmp_path / "out" / name).write_text("left by a killed worker")
    outcome = perform(task, monkeypatch)
    assert (outcome["state"], outcome["frames"], outcome["features"]) == ("done", 4, 1)
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"t.csv", "t.features", "t.quality.csv.gz", ".other.csv.1.part"}


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (MemoryError(), "memory", "out of memory"),
        (OSError(28, "No space left on device"), "output", "[Errno 28] No space left on device"),
        (OutputError("t.csv: cannot be written"), "output", "t.csv: cannot be written"),
        (WeightsError("pdm.txt: altered"), "weights", "pdm.txt: altered"),
        (ZeroDivisionError("over\nnothing"), "error", "ZeroDivisionError: over nothing"),
    ],
)
def test_each_error_has_its_kind_and_one_line(
    task: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    error: BaseException,
    kind: str,
    said: str,
):
    outcome = perform(task, monkeypatch, Failing(error))
    assert (outcome["state"], outcome["kind"], outcome["error"]) == ("failed", kind, said)
    assert outcome["frames"] == 2
    assert list((tmp_path / "out").iterdir()) == []


def test_a_video_that_changes_while_it_is_read(
    task: dict[str, Any], monkeypatch: pytest.MonkeyPatch
):
    class Changing(StubPipeline):
        def action_units(self, rows: int) -> tuple[Any, Any]:
            with Path(task["source"]).open("ab") as file:
                file.write(b"more")
            return super().action_units(rows)

    outcome = perform(task, monkeypatch, Changing())
    assert (outcome["state"], outcome["kind"]) == ("failed", "video")
    assert outcome["error"].endswith("v00.mp4: was changed while it was read")
    assert not Path(task["table"]).exists()


def test_a_video_that_is_damaged_since_takes_its_old_table_along(
    task: dict[str, Any], monkeypatch: pytest.MonkeyPatch
):
    assert perform(task, monkeypatch)["state"] == "done"
    Path(task["source"]).write_bytes(b"damaged")
    outcome = perform(task, monkeypatch)
    assert (outcome["state"], outcome["kind"]) == ("failed", "video")
    assert not Path(task["table"]).exists()


def test_no_such_video(task: dict[str, Any], monkeypatch: pytest.MonkeyPatch):
    outcome = perform({**task, "source": "/nowhere/a.mp4"}, monkeypatch)
    assert (outcome["kind"], outcome["error"]) == ("video", "/nowhere/a.mp4: no such file")
