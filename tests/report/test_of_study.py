"""Reports of a study: one per table, from the manifest's actions, left alone where they are new."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

pytest.importorskip("plotly", reason="needs the extra report")

from pyfaceau.cli.command import main
from pyfaceau.errors import PyfaceauError
from pyfaceau.report.of_study import study_reports
from pyfaceau.report.report import Wishes
from pyfaceau.study.inputs import StudyVideo
from pyfaceau.study.ledger import Ledger
from tests.report.tables import recording, write_table

WITHOUT = Wishes(pictures=False)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    extra = {"actions": "rest 0-0.9; smile lips closed 1-1.9", "affected": "left"}
    with Ledger(tmp_path, create=True) as ledger:
        ledger.enter(
            [
                StudyVideo(Path("/v/a.mov"), "sub/a.mov", "P1", "1", extra=extra),
                StudyVideo(Path("/v/b.mov"), "b.mov", "P1", "2"),
                StudyVideo(Path("/v/c.mov"), "c.mov", "P2", "1"),
            ]
        )
        ledger.update({"sub/a.mov": {"state": "done"}, "b.mov": {"state": "done"}})
    for name in ("sub/a.mov", "b.mov"):
        path = tmp_path / f"{name}.csv"
        path.parent.mkdir(exist_ok=True)
        write_table(path, recording())
    return tmp_path


def test_each_finished_table_has_a_report(study: Path) -> None:
    done = list(study_reports(study, WITHOUT, "pyfaceau study report"))
    assert [(name, trouble) for name, _, trouble in done] == [("b.mov", ""), ("sub/a.mov", "")]
    texts = [path.read_text(encoding="utf-8") for _, path, _ in done]
    assert [path.relative_to(study).as_posix() for _, path, _ in done] == [
        "b.mov.html",
        "sub/a.mov.html",
    ]
    assert "No actions are given" in texts[0]
    assert "smile lips closed" in texts[1]
    assert "smile lips closed" not in texts[0]
    assert not (study / "c.mov.html").exists()


def test_new_reports_stay_and_old_ones_are_written_again(study: Path) -> None:
    pages = [path for _, path, _ in study_reports(study, WITHOUT)]
    for path in pages:
        path.write_text("as it was")
    list(study_reports(study, WITHOUT))
    assert {path.read_text() for path in pages} == {"as it was"}
    os.utime(study / "b.mov.csv", (2e9, 2e9))
    list(study_reports(study, WITHOUT))
    assert [path.read_text() == "as it was" for path in pages] == [False, True]
    list(study_reports(study, WITHOUT, force=True))
    assert not any(path.read_text() == "as it was" for path in pages)


def test_one_that_fails_does_not_stop_the_others(study: Path) -> None:
    (study / "b.mov.csv").unlink()
    done = CliRunner().invoke(main, ["study", "report", str(study), "--no-pictures"])
    assert done.exit_code == 1
    assert "b.mov: " in done.output
    assert "1 reports in" in done.output
    assert (study / "sub/a.mov.html").is_file()
    with_pictures = {name: trouble for name, _, trouble in study_reports(study, force=True)}
    assert "/v/a.mov" in with_pictures["sub/a.mov"]  # the video is gone; the page stays as it was
    assert (study / "sub/a.mov.html").is_file()


def test_a_folder_without_a_study_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PyfaceauError):
        list(study_reports(tmp_path))
