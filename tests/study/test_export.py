"""One table of all videos, as CSV and Parquet."""

from __future__ import annotations

import builtins
import importlib
from pathlib import Path

import pandas as pd
import pytest

from pyfaceau.errors import InputError, OutputError
from pyfaceau.study.export import export
from pyfaceau.study.inputs import StudyVideo
from pyfaceau.study.ledger import Ledger


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Return a study of three videos, one of them failed, one without a column."""
    with Ledger(tmp_path, create=True) as ledger:
        ledger.enter(
            [
                StudyVideo(Path("/v/b"), "b", "P2", "post", extra={"side": "left, both"}),
                StudyVideo(Path("/v/c"), "c", "P1", "pre"),
                StudyVideo(Path("/v/d"), "d", "P1", "post"),
            ]
        )
        ledger.update({"b": {"state": "done"}, "c": {"state": "done"}, "d": {"state": "failed"}})
    (tmp_path / "b.csv").write_text("frame, timestamp, AU01_r\n1, 0.000, 0.10\n2, 0.040, 0.20\n")
    (tmp_path / "c.csv").write_text("frame, timestamp\n1, 0.000\n")
    return tmp_path


@pytest.mark.parametrize("name", ["all.csv", "sub/all.parquet"])
def test_every_frame_of_every_finished_video(study: Path, name: str):
    target = study / "export" / name
    assert export(study, target) == 3
    read = pd.read_csv if target.suffix == ".csv" else pd.read_parquet
    table = read(target)
    columns = ["subject", "session", "video", "side", "frame", "timestamp", "AU01_r"]
    assert list(table.columns) == columns
    assert table["subject"].tolist() == ["P1", "P2", "P2"]
    assert table["side"].fillna("").tolist() == ["", "left, both", "left, both"]
    assert table["frame"].tolist() == [1, 1, 2]
    assert table["AU01_r"].tolist()[1:] == [0.1, 0.2]
    assert table["AU01_r"].isna().tolist() == [True, False, False]
    assert [path.name for path in target.parent.iterdir()] == [target.name]


def test_what_cannot_be_exported_is_refused(study: Path, tmp_path: Path):
    with pytest.raises(InputError, match=r"ends in \.csv or \.parquet"):
        export(study, study / "all.xlsx")
    with Ledger(study) as ledger:
        ledger.enter([StudyVideo(Path("/v/b"), "b", extra={"frame": "x"})])
    with pytest.raises(InputError, match="column 'frame' is in the manifest and in the tables"):
        export(study, study / "all.csv")
    (study / "c.csv").unlink()
    with pytest.raises(InputError, match=r"c\.csv: cannot be read"):
        export(study, study / "all.csv")
    with Ledger(study) as ledger:
        ledger.update({name: {"state": "failed"} for name in "bc"})
    with pytest.raises(InputError, match="expected a video that is done, got none"):
        export(study, study / "all.csv")


def test_a_target_that_cannot_be_written_is_refused(study: Path):
    (study / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        export(study, study / "file" / "all.csv")


def test_parquet_without_pyarrow_says_what_to_install(study: Path, monkeypatch: pytest.MonkeyPatch):
    real = importlib.import_module

    def absent(name: str) -> object:
        if name.startswith("pyarrow"):
            raise builtins.ImportError(name)
        return real(name)

    monkeypatch.setattr(importlib, "import_module", absent)
    with pytest.raises(InputError, match=r"pip install 'pyfaceau\[parquet\]'"):
        export(study, study / "all.parquet")
    assert not (study / "all.parquet").exists()


def test_tables_of_either_dialect_become_one_of_either(study: Path, tmp_path: Path):
    (study / "b.csv").write_text("frame,timestamp,AU01_r\n1,0.000,0.10\n2,0.040,0.20\n")
    plain, spaced = tmp_path / "plain.csv", tmp_path / "spaced.csv"
    assert export(study, plain) == export(study, spaced, "openface") == 3
    lines = plain.read_text().splitlines()
    assert lines[0] == "subject,session,video,side,frame,timestamp,AU01_r"
    assert lines[2] == 'P2,post,b,"left, both",1,0.000,0.10'
    text = spaced.read_text()
    assert text.startswith("subject, session, video, side, frame, timestamp, AU01_r\nP1, pre, c, ,")
    frames = [pd.read_csv(path, skipinitialspace=True) for path in (plain, spaced)]
    pd.testing.assert_frame_equal(*frames)
