"""Where a table comes from: written, found, and what does not agree with it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pyfaceau.config import Config
from pyfaceau.errors import InputError
from pyfaceau.report.provenance import check_video, find_provenance, write_provenance
from tests.report.tables import write_recording


def test_written_and_found(tmp_path: Path) -> None:
    video, table = write_recording(tmp_path)
    assert find_provenance(table) is None
    command = ["pyfaceau", "/home/somebody/video.mp4", "-o", "table.csv"]
    path = write_provenance(table, video, Config.load("fast"), "fast", 50, command)
    assert path.name == "table.provenance.json"
    found = find_provenance(table)
    assert found is not None
    assert (found.profile, found.frames, found.video) == ("fast", 50, "video.mp4")
    assert found.settings == Config.load("fast")
    assert found.command == "pyfaceau video.mp4 -o table.csv"
    assert "profile fast" in found.line
    check_video(found, table, video)


def test_changed_table_and_other_video_are_refused(tmp_path: Path) -> None:
    video, table = write_recording(tmp_path)
    write_provenance(table, video, Config(), "default", 50)
    found = find_provenance(table)
    other = tmp_path / "other.mp4"
    other.write_bytes(video.read_bytes() + b"x")
    with pytest.raises(InputError, match=r"other\.mp4: is not the video of table\.csv"):
        check_video(found, table, other)
    table.write_text(table.read_text() + "\n")
    with pytest.raises(InputError, match="was changed since it was made"):
        find_provenance(table)


@pytest.mark.parametrize("text", ["", "[]", json.dumps({"version": "1"})])
def test_what_is_no_provenance_is_refused(tmp_path: Path, text: str) -> None:
    _, table = write_recording(tmp_path)
    table.with_suffix(".provenance.json").write_text(text)
    with pytest.raises(InputError, match="expected what a table was made from"):
        find_provenance(table)
