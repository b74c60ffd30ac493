"""The progress bar: what it shows on a terminal, and what it says in any case."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from pyfaceau.study.plan import Step
from pyfaceau.study.progress import Bar


class Terminal(io.StringIO):
    """Standard error as a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("terminal", [True, False])
def test_a_study_in_progress(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, terminal: bool):
    steps = []
    for name in "ab":
        (tmp_path / name).write_bytes(bytes(3000))
        steps.append(Step(name, "new", {"source": str(tmp_path / name)}))
    shown = Terminal() if terminal else io.StringIO()
    monkeypatch.setattr("sys.stderr", shown)
    said: list[str] = []
    with Bar(said.append) as bar:
        bar.planned(steps, 5)
        bar.ended("a", "new", {"state": "done", "warnings": "only 1 of 9 frames are usable"})
        bar.moved(90)
        bar.ended("b", "failed before: x", {"state": "failed", "error": "damaged"})
        bar.moved(90)
    assert said == [
        "2 of 5 videos to process: 2 new",
        "warning: a: only 1 of 9 frames are usable",
        "failed: b (failed before): damaged",
    ]
    if terminal:
        assert "50%" in shown.getvalue()
        assert "2/2 videos" in shown.getvalue()
        assert "frames/s, 1 failed" in shown.getvalue()
    else:
        assert shown.getvalue() == ""
