"""Profile free from picture to table: a real face, turned and mirrored; what it refuses."""

from __future__ import annotations

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from pyfaceau import FullPythonAUPipeline
from pyfaceau.cli.command import main
from pyfaceau.config import Config
from pyfaceau.errors import InputError
from pyfaceau.pipeline.multi import MultiFacePipeline
from pyfaceau.pipeline.stills import PicturePipeline
from pyfaceau.study.identity import config_table
from pyfaceau.study.job import perform
from pyfaceau.tracking.mesh import MeshTracker
from pyfaceau.types import BLENDSHAPES, Frame, Selection
from tests.video_files import pictures, write_video


@pytest.fixture(scope="module")
def face(shared):
    """Return a picture of one person, who smiles a little."""
    return cv2.imread(str(shared / "samples/image/lp_s0.jpg"))


def test_a_face_is_where_openface_sees_it(shared, face, free):
    result = FullPythonAUPipeline(config=free).process_image(face)
    assert result.face.success
    table = np.genfromtxt(
        shared / "reference/image/lp_s0.csv.gz", delimiter=",", names=True, autostrip=True
    )
    reference = np.array([[table[f"x_{i}"], table[f"y_{i}"]] for i in range(68)])
    eyes = np.linalg.norm(reference[36] - reference[45])
    inner = slice(17, 68)
    miss = np.linalg.norm(result.face.landmarks - reference, axis=1)[inner].mean() / eyes
    assert miss < 0.05
    angles = [float(table[f"pose_R{axis}"]) for axis in "xyz"]
    assert np.abs(result.pose.rotation - angles).max() < 0.15


def test_a_picture_and_its_mirror_have_exchanged_sides(face, free):
    seen = FullPythonAUPipeline(config=free).process_image(face)
    mirrored = replace(free, mirrored_input=True)
    flipped = FullPythonAUPipeline(config=mirrored).process_image(
        np.ascontiguousarray(face[:, ::-1])
    )
    one, other = seen.face.mesh.blendshapes, flipped.face.mesh.blendshapes
    assert np.abs(one - other).max() < 0.25
    blink = BLENDSHAPES.index("eyeBlinkLeft")
    assert abs(one[blink] - other[blink]) < 0.1
    assert np.allclose(seen.pose.rotation[1:], -flipped.pose.rotation[1:], atol=0.06)


def test_a_face_on_its_side_is_measured_in_the_sources_pixels(face, free):
    upright = FullPythonAUPipeline(config=free).process_image(face)
    turned = np.ascontiguousarray(np.rot90(face))
    faces = PicturePipeline(free).faces(turned)
    points = np.column_stack([faces[0].face.landmarks[:, 1], faces[0].face.landmarks[:, 0]])
    back = points * [-1, 1] + [face.shape[1] - 1, 0]
    assert np.abs(back - upright.face.landmarks).max() < 4
    mesh = faces[0].face.mesh.points
    assert np.abs(mesh[473, :2] - faces[0].face.landmarks[42:48].mean(axis=0)).max() < 8


def test_a_frame_without_a_face_has_zeros_and_a_reason(face, free):
    tracker = MeshTracker.load(free.models.mesh)
    empty = np.full_like(face, 90)
    assert tracker.update(Frame(face, 0, 0.0)).success
    lost = tracker.update(Frame(empty, 1, 0.1))
    assert not lost
    assert lost.reason == "no face was found"
    assert not lost.landmarks.any()
    assert tracker.update(Frame(face, 2, 0.2)).success
    tracker.reset()
    again, first = tracker.update(Frame(face, 0, 0.0)), MeshTracker.load(free.models.mesh)
    np.testing.assert_array_equal(again.landmarks, first.update(Frame(face, 0, 0.0)).landmarks)


def test_a_small_face_is_found(face, free):
    small = cv2.resize(face, None, fx=0.7, fy=0.7, interpolation=cv2.INTER_AREA)
    picture = np.full((1000, 1800, 3), 127, np.uint8)
    picture[400 : 400 + small.shape[0], 1100 : 1100 + small.shape[1]] = small
    found = MeshTracker.load(free.models.mesh).update(Frame(picture, 0, 0.0))
    assert found.success
    assert (found.landmarks.min(axis=0) > (1100, 400)).all()


def test_the_table_of_a_video(tmp_path, free, landmarker, monkeypatch):
    video = write_video(tmp_path / "a.mp4", pictures(5))
    monkeypatch.setenv("PYFACEAU_WEIGHTS_DIR", str(landmarker.parent))
    done = CliRunner().invoke(main, [str(video), "-o", str(tmp_path / "a.csv"), "--config", "free"])
    assert done.exit_code == 0, done.output
    header, *rows = (tmp_path / "a.csv").read_text().splitlines()
    names = header.split(", ")
    assert len(rows) == 5
    assert len(names) == 5 + 8 + 6 + 136 + 52 + 14
    assert names[:6] == ["frame", "face_id", "timestamp", "confidence", "success", "gaze_0_x"]
    assert {"pose_Rz", "x_0", "y_67", "bs_neutral", "bs_jawOpen", "AU45_bs_right"} <= set(names)
    assert not any(name.endswith(("_r", "_c")) for name in names)
    assert rows[0].split(", ")[4] == "0"


def test_aus_says_that_they_are_others(tmp_path, free, landmarker, monkeypatch):
    video = write_video(tmp_path / "a.mp4", pictures(2))
    monkeypatch.setenv("PYFACEAU_WEIGHTS_DIR", str(landmarker.parent))
    line = [str(video), "-o", str(tmp_path / "a.csv"), "--config", "free"]
    done = CliRunner().invoke(main, [*line, "-aus"])
    assert done.exit_code == 0
    assert "none of OpenFace's action units" in done.output
    for option in ("-3Dfp", "-pdmparams", "--hog", "-au_static"):
        done = CliRunner().invoke(main, [*line, option])
        assert done.exit_code == 2, option
        assert option in done.output


def test_several_faces_have_rows_of_their_own(shared, face, free, tmp_path):
    two = np.concatenate([face, face], axis=1)
    video = write_video(tmp_path / "a.mp4", [two] * 3)
    written = MultiFacePipeline(free).write_csv(video, tmp_path / "a.csv")
    assert written.frames == 6
    done = PicturePipeline(free).faces(two)
    assert [result.face_id for result in done] == [0, 1]


def test_a_study_has_the_table_of_the_command(shared, tmp_path, free, landmarker, monkeypatch):
    monkeypatch.setenv("PYFACEAU_WEIGHTS_DIR", str(landmarker.parent))
    video = shared / "samples/video/single_face.mp4"
    task = {
        "job": "video",
        "source": str(video),
        "config": config_table(replace(free, selection=Selection(max_frames=4))),
        "neutral": "",
        "table": str(tmp_path / "study.csv"),
        "features": None,
        "quality": str(tmp_path / "study.quality.csv.gz"),
    }
    done = perform(task, lambda frames: None)
    assert (done["state"], done["frames"]) == ("done", 4), done
    FullPythonAUPipeline(config=free).process_video(video, tmp_path / "one.csv", max_frames=4)
    assert (tmp_path / "study.csv").read_bytes() == (tmp_path / "one.csv").read_bytes()
    out = ["study", "run", str(video), "--out", str(tmp_path / "out"), "--config", "free"]
    refused = CliRunner().invoke(main, [*out, "--keep-features"])
    assert refused.exit_code == 2
    assert "do not go with profile free" in refused.output


def test_live_has_units_of_its_own(shared, tmp_path, landmarker, monkeypatch):
    monkeypatch.setenv("PYFACEAU_WEIGHTS_DIR", str(landmarker.parent))
    line = ["live", "--file", str(shared / "samples/video/single_face.mp4"), "--config", "free"]
    line += ["--json", "--seconds", "1", "--record", str(tmp_path / "a.csv")]
    done = CliRunner().invoke(main, line)
    assert done.exit_code == 0, done.output
    frames = [json.loads(one) for one in done.stdout.splitlines() if one.startswith('{"type":"fr')]
    assert frames[0]["au_r"] is frames[0]["au_c"] is None
    assert len(frames[0]["bs"]) == 52 + 14
    assert all(0 <= value <= 1 for value in frames[0]["bs"].values())
    header, *rows = (tmp_path / "a.csv").read_text().splitlines()
    names, cells = header.split(","), rows[-1].split(",")
    assert len(names) == len(cells) == 7 + 8 + 136 + 6 + 52 + 14
    assert not any(name.endswith(("_r", "_c")) for name in names)
    assert float(cells[names.index("bs_mouthSmileLeft")]) > 0
    refused = CliRunner().invoke(main, [*line, "--lsl"])
    assert (refused.exit_code, "--lsl" in refused.output) == (2, True)


def test_halves_are_refused():
    with pytest.raises(InputError, match="split_face"):
        FullPythonAUPipeline(config=replace(Config.load("free"), split_face=True))


def test_without_model_files_both_ways_are_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PYFACEAU_WEIGHTS_DIR", str(tmp_path / "none"))
    video = write_video(tmp_path / "a.mp4", pictures(2))
    done = CliRunner().invoke(main, [str(video), "-o", str(tmp_path / "a.csv")])
    assert done.exit_code == 1
    assert "pyfaceau weights install;" in done.output
    assert "pyfaceau weights install free, and --config free" in done.output
    assert len(done.output.strip().splitlines()) == 1
