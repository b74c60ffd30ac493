"""Clearing away what was written, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pyfaceau.errors import OutputError
from pyfaceau.output.written import WrittenFiles


def test_only_what_was_written_and_not_changed_goes(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    names = ("a.jpg", "logs/b.csv", "changed.jpg", "mine.jpg", "logs/c.csv")
    paths = [tmp_path / name for name in names]
    for path in paths:
        path.write_text("written")
    files = WrittenFiles(tmp_path)
    files.note(paths[:3])
    files.note(paths[4:])
    paths[2].write_text("by hand")
    deleted, kept = files.clean()
    assert deleted == [paths[0], paths[1], paths[4]]
    assert kept == [paths[2]]
    assert [path.exists() for path in paths] == [False, False, True, True, False]
    assert files.clean() == ([], [])


def test_a_list_that_names_files_outside_is_refused(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "logs").mkdir(parents=True)
    outside = tmp_path / "outside.txt"
    outside.write_text("x")
    status = outside.stat()
    mark = [status.st_size, status.st_mtime_ns]
    for text in (
        json.dumps({"../outside.txt": mark}),
        json.dumps({str(outside): mark}),
        json.dumps(["a"]),
        "{",
    ):
        (home / "logs/written.json").write_text(text)
        with pytest.raises(OutputError, match=r"written\.json: damaged"):
            WrittenFiles(home).clean()
    assert outside.exists()
