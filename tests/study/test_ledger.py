"""The ledger: what is written is read, for ten thousand videos at once; one run at a time."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import pytest

from pyfaceau.errors import InputError, OutputError
from pyfaceau.study.inputs import StudyVideo
from pyfaceau.study.ledger import FILE, Ledger, Lock


def video(name: str, **more: object) -> StudyVideo:
    return StudyVideo(Path("/videos") / name, name, **more)  # type: ignore[arg-type]


def test_what_is_written_is_read(tmp_path: Path):
    with Ledger(tmp_path, create=True) as ledger:
        ledger.enter([video("b"), video("a", subject="P1", extra={"side": "left"})])
        ledger.update(
            {"a": {"state": "done", "reasons": {"no face": 3}, "frames": 9, "ignored": 1}}
        )
    with Ledger(tmp_path) as ledger:
        first, second = ledger.rows()
        assert ledger.counts()["done"] == ledger.counts()["pending"] == 1
        assert ledger.rows("done") == [first]
        assert ledger.row("b") == second
        with pytest.raises(InputError, match="name: expected a video of the study, got 'c'"):
            ledger.row("c")
    assert first["source"] == Path("/videos/a")
    assert (first["subject"], first["extra"]) == ("P1", {"side": "left"})
    assert (first["reasons"], first["frames"]) == ({"no face": 3}, 9)


def test_entering_again_keeps_what_was_done(tmp_path: Path):
    with Ledger(tmp_path, create=True) as ledger:
        ledger.enter([video("a")])
        ledger.update({"a": {"state": "done"}})
        ledger.enter([video("a", subject="P2")])
        (row,) = ledger.rows()
    assert (row["state"], row["subject"]) == ("done", "P2")


def test_sources_need_not_be_text(tmp_path: Path):
    source = Path("/videos/bad\udcff.mp4")
    with Ledger(tmp_path, create=True) as ledger:
        ledger.enter([StudyVideo(source, "bad%FF.mp4")])
        ledger.update({"bad%FF.mp4": {"state": "failed", "error": f"{source}: no such file"}})
        assert ledger.names() == {"bad%FF.mp4": source}
        assert ledger.row("bad%FF.mp4")["error"] == "/videos/bad\\udcff.mp4: no such file"


def test_ten_thousand_rows_are_instant(tmp_path: Path):
    videos = [video(f"s{k % 100}/v{k}.mp4", subject=f"P{k % 100}") for k in range(10_000)]
    began = time.process_time()
    with Ledger(tmp_path, create=True) as ledger:
        ledger.enter(videos)
        ledger.update({v.name: {"state": "done", "frames": 900} for v in videos})
        assert ledger.counts()["done"] == len(ledger.rows()) == 10_000
        for v in videos[:100]:
            ledger.update({v.name: {"state": "running"}})
    assert time.process_time() - began < 2.0


def test_a_folder_without_a_ledger_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match=r"got no study\.sqlite"):
        Ledger(tmp_path)


def test_a_ledger_of_another_format_is_refused(tmp_path: Path):
    with sqlite3.connect(tmp_path / FILE) as other:
        other.execute("PRAGMA user_version = 99")
    other.close()
    with pytest.raises(InputError, match="expected a ledger of format 1, got 99"):
        Ledger(tmp_path)


def test_what_is_no_ledger_is_refused(tmp_path: Path):
    (tmp_path / FILE).write_bytes(b"not a database" * 99)
    with pytest.raises(OutputError, match="cannot be opened"):
        Ledger(tmp_path)


def test_a_folder_is_one_runs_at_a_time(tmp_path: Path):
    lock = Lock(tmp_path)
    with pytest.raises(OutputError, match="another run is at work"):
        Lock(tmp_path)
    lock.release()
    Lock(tmp_path).release()
