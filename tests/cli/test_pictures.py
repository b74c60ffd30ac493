"""The command on pictures, sequences and several faces: tables, messages, exit codes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from pyfaceau.cli.command import main
from pyfaceau.output.openface_csv import read_table
from tests.pipeline.test_video import Drifting
from tests.tracking.test_multi import Scene
from tests.video_files import pictures, write_video


@pytest.fixture
def made() -> list:
    """Return what the command asked for: settings and number of head rotations."""
    return []


@pytest.fixture
def run(weights_dir, tmp_path, monkeypatch, made):
    """Return a function that runs the command in a folder of its own, on two known faces."""
    assert weights_dir.is_dir()
    monkeypatch.chdir(tmp_path)

    def make_fitter(config, pdm, hypotheses):
        made.append((config, hypotheses))
        scene = Scene()
        scene.shown = [0, 1]
        return scene

    monkeypatch.setattr("pyfaceau.pipeline.stills.make_fitter", make_fitter)
    monkeypatch.setattr("pyfaceau.pipeline.multi.make_fitter", make_fitter)
    monkeypatch.setattr("pyfaceau.pipeline.video.make_tracker", lambda *_: Drifting())
    return lambda *arguments: CliRunner().invoke(main, [str(word) for word in arguments])


def write_pictures(folder, names, image=None) -> None:
    folder.mkdir(exist_ok=True)
    for k, name in enumerate(names):
        assert cv2.imwrite(str(folder / name), pictures(9)[k] if image is None else image)


def test_a_picture_has_a_row_per_face(run, tmp_path):
    write_pictures(tmp_path, ["a.png"])
    result = run("a.png", "-o", "out.csv", "-2Dfp", "-pose")
    assert (result.exit_code, result.stderr, result.stdout) == (0, "", "out.csv: 2 faces\n")
    table = read_table("out.csv")
    assert list(table.columns[:3]) == ["face", "confidence", "pose_Tx"]
    assert table["face"].tolist() == [0, 1]


def test_a_folder_is_a_video_or_stills(run, tmp_path):
    write_pictures(tmp_path / "seq", ["a.png", "b.jpg", "c.bmp"])
    result = run("seq", "-o", "seq.csv", "-2Dfp")
    assert result.stdout == "seq.csv: 3 frames, 3 with a face\n"
    table = read_table("seq.csv")
    assert table["frame"].tolist() == [1, 2, 3]
    assert (table["timestamp"] == 0).all()
    result = run("seq", "--stills", "--out-dir", "x", "-2Dfp")
    assert result.stdout.splitlines() == [f"x/{name}.csv: 2 faces" for name in "abc"]


def test_one_unreadable_picture_among_many(run, tmp_path):
    write_pictures(tmp_path / "seq", ["a.png", "c.png"])
    (tmp_path / "seq/b.png").write_text("no picture")
    result = run("seq", "--stills", "--out-dir", "x", "-2Dfp")
    assert result.exit_code == 1
    assert sorted(path.name for path in (tmp_path / "x").iterdir()) == ["a.csv", "c.csv"]
    message = "seq/b.png: cannot be read as a picture (10 bytes)"
    assert result.stderr.splitlines() == [
        f"Error: {message}",
        "1 of 3 inputs failed:",
        f"  {message}",
    ]
    result = run("seq", "-o", "seq.csv", "-2Dfp")
    assert result.exit_code == 1
    assert result.stderr == f"Error: {message}; the 1 rows before are in seq.partial.csv\n"


def test_mixed_sizes_are_no_video(run, tmp_path):
    write_pictures(tmp_path / "seq", ["a.png"])
    write_pictures(tmp_path / "seq", ["b.png"], np.zeros((20, 20, 3), np.uint8))
    result = run("seq", "-o", "seq.csv", "-2Dfp")
    assert result.exit_code == 1
    assert "seq/b.png: expected 64x48 as the first picture, got 20x20" in result.stderr
    assert "--stills" in result.stderr


@pytest.mark.parametrize("options", [[], ["--stills"], ["--multi-face"]])
def test_an_empty_folder_is_one_line(run, tmp_path, options):
    (tmp_path / "empty").mkdir()
    result = run("empty", *options)
    assert result.exit_code == 1
    [line] = result.stderr.splitlines()
    assert line.startswith("Error: empty: no picture in it")


def test_boxes(run, tmp_path):
    write_pictures(tmp_path, ["a.png", "b.png", "c.png"])
    (tmp_path / "boxes").mkdir()
    (tmp_path / "boxes/a.txt").write_text("300 0 350 50\n")
    (tmp_path / "boxes/b.txt").write_text("a face\n")
    result = run("a.png", "b.png", "c.png", "--bboxes", "boxes", "--out-dir", "x", "-2Dfp")
    assert result.exit_code == 1
    assert read_table("x/a.csv")["x_0"].tolist() == [300]
    bad, missing = result.stderr.splitlines()[:2]
    assert bad.startswith("Error: boxes/b.txt, line 1: expected 'min_x min_y max_x max_y', got")
    assert missing.startswith("Error: boxes/c.txt: cannot be read")
    assert not (tmp_path / "x/b.csv").exists()


def test_several_faces_in_a_video(run, tmp_path, made):
    write_video(tmp_path / "a.mp4", pictures(5))
    result = run("a.mp4", "-o", "a.csv", "--multi-face", "-2Dfp")
    assert result.stdout == "a.csv: 10 rows, 10 with a face\n"
    assert read_table("a.csv")["face_id"].tolist() == [0, 1] * 5
    assert not made[0][0].identities
    assert run("a.mp4", "-o", "a.csv", "--multi-face", "--identities", "-2Dfp").exit_code == 0
    assert made[1][0].identities
    result = run("a.mp4", "-o", "a.csv", "--identities")
    assert (result.exit_code, "goes with --multi-face" in result.stderr) == (2, True)


def test_openfaces_options_become_settings(run, tmp_path, made):
    write_pictures(tmp_path, ["a.png"])
    lens = ["-fx", 600, "-fy", 610, "-cx", 30, "-cy", 20]
    asked = [*lens, "-au_static", "-multi_view", 1, "--config", "openface"]
    result = run("a.png", "-o", "a.csv", "-2Dfp", *asked)
    assert (result.exit_code, result.stderr) == (0, "")
    config, rotations = made[0]
    known = config.lens
    assert (known.fx, known.fy, known.cx, known.cy) == (600, 610, 30, 20)
    assert (config.static_aus, config.multi_view, rotations) == (True, True, 11)
    run("a.png", "-o", "a.csv", "-2Dfp", "-multi_view", 0, "--config", "openface")
    assert made[1][1] == 1


def test_half_a_lens_is_warned_of(run, tmp_path):
    write_pictures(tmp_path, ["a.png"])
    result = run("a.png", "-o", "a.csv", "-2Dfp", "-fx", 600)
    assert result.exit_code == 0
    assert result.stderr.startswith("-fx without -fy: in videos fy is -1, in stills it does not")
    result = run("a.png", "-o", "a.csv", "-2Dfp", "-fx", -3, "-fy", 2)
    assert result.exit_code == 1
    assert result.stderr == "Error: fx: expected a positive number of pixels, got -3.0\n"
