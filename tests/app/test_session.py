"""Sessions: apart from each other, gone with their browser."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyfaceau.app import measuring
from pyfaceau.app.session import Sessions
from pyfaceau.app.workspace import Workspace


class Silent:
    """A worker that does nothing."""

    frames, closed = 0, False

    def run(self, task: dict[str, object], *, last: bool = False) -> dict[str, object]:
        return {"state": "done"}

    def close(self) -> None:
        self.closed = True


def test_sessions_do_not_see_each_other(tmp_path: Path) -> None:
    sessions = Sessions(Workspace(tmp_path), lambda identity: True)
    one, two = sessions.get("one"), sessions.get("two")
    assert one is sessions.get("one")
    assert one.folder != two.folder
    assert one.results is not two.results
    assert [one.next_name(), one.next_name(), two.next_name()] == [
        "upload-1",
        "upload-2",
        "upload-1",
    ]


def test_session_goes_with_its_browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyfaceau.app.session.Worker", Silent)
    alive = {"gone": True, "here": True}
    sessions = Sessions(Workspace(tmp_path), lambda identity: alive[identity], grace=0.0)
    gone, here = sessions.get("gone"), sessions.get("here")
    worker = gone.worker()
    (gone.folder / "upload-1").write_bytes(b"x")
    sessions.sweep()
    assert gone.folder.is_dir()
    alive["gone"] = False
    sessions.sweep()
    assert not gone.folder.exists()
    assert worker.closed
    assert here.folder.is_dir()
    assert sessions.get("gone") is not gone


@pytest.mark.parametrize(("frames", "expected"), [(9_000, False), (90_000, True)])
def test_a_long_recordings_memory_is_given_back(
    tmp_path: Path, frames: int, expected: bool
) -> None:
    class Measuring(Silent):
        def __init__(self) -> None:
            self.last: list[bool] = []

        def run(self, task: dict[str, object], *, last: bool = False) -> dict[str, object]:
            self.last.append(last)
            return {"state": "done", "frames": frames, "width": 4, "height": 3}

    worker = Measuring()
    job = measuring.Job(worker, "a.mov", tmp_path / "upload-1", ())  # type: ignore[arg-type]
    job.wait()
    assert job.result is not None
    assert worker.last == [False, expected]  # the look at the file, its measuring


def test_message_has_the_users_name_for_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = tmp_path / "upload-1"
    video.touch()

    class Refusing(Silent):
        def run(self, task: dict[str, object], *, last: bool = False) -> dict[str, object]:
            if "probe" in task:
                return {"state": "done", "frames": None}
            return {"state": "failed", "error": f"{video}: expected a video file, got 0 bytes"}

    job = measuring.Job(Refusing(), "Mrs X.mov", video, ())  # type: ignore[arg-type]
    job.wait()
    assert job.result is None
    assert job.error == "Mrs X.mov: expected a video file, got 0 bytes"
