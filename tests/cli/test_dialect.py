"""The dialect of tables, and messages that name commands which the help shows."""

from __future__ import annotations

import pandas as pd
import pytest
from click.testing import CliRunner

import pyfaceau
from pyfaceau.cli.command import main
from tests.pipeline.test_video import Drifting
from tests.video_files import pictures, write_video


@pytest.fixture
def run(weights_dir, tmp_path, monkeypatch):
    """Return a function that runs the command in a folder with a video; each frame has a face."""
    assert weights_dir.is_dir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("pyfaceau.pipeline.video.make_tracker", lambda *_: Drifting())
    write_video(tmp_path / "a.mp4", pictures(4))
    return lambda *words: CliRunner().invoke(main, [str(word) for word in words])


def test_a_plain_table_is_the_other_without_spaces(run, tmp_path):
    assert run("a.mp4", "-o", "of.csv").exit_code == 0
    assert run("a.mp4", "-o", "plain.csv", "--header", "plain").exit_code == 0
    (tmp_path / "mine.toml").write_text('header = "plain"\n')
    assert run("a.mp4", "-o", "profile.csv", "--config", "mine.toml").exit_code == 0
    spaced, plain = ((tmp_path / f"{name}.csv").read_text() for name in ("of", "plain"))
    assert spaced.startswith("frame, face_id, timestamp, ")
    assert plain.startswith("frame,face_id,timestamp,")
    assert plain == spaced.replace(" ", "")
    assert (tmp_path / "profile.csv").read_text() == plain
    pd.testing.assert_frame_equal(pyfaceau.read("of.csv"), pyfaceau.read("plain.csv"))


@pytest.mark.parametrize(
    "words",
    [("a.mp4", "-bogus"), ("a.mp4", "--header", "no"), ("a.mp4", "--start", "x"), ("--stills",)],
)
def test_messages_name_what_the_help_shows(run, words):
    done = run(*words)
    assert done.exit_code == 2
    assert "process" not in done.stderr
    assert done.stderr.startswith("Usage: main INPUT... [OPTIONS]\n")
    assert "Try 'main --help' for help." in done.stderr
    assert run("a.mp4", "--help").stdout == run("--help").stdout


def test_a_folder_of_videos_is_for_a_study(run, tmp_path):
    (tmp_path / "videos").mkdir()
    (tmp_path / "a.mp4").rename(tmp_path / "videos/a.mp4")
    done = run("videos", "-o", "x.csv")
    assert done.exit_code == 2
    assert done.stderr.splitlines()[-1].endswith(
        "got a folder of 1 video: use pyfaceau study run videos --out FOLDER"
    )
    assert not (tmp_path / "x.csv").exists()
