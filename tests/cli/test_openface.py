"""OpenFace's programs: its command lines, its files, its bytes; each started as a process."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from pyfaceau.cli import openface
from pyfaceau.cli.openface_line import parse
from pyfaceau.errors import InputError
from pyfaceau.media.video import VideoReader
from pyfaceau.resources import read_toml
from tests.conftest import ROOT
from tests.video_files import pictures, write_video

PROGRAMS = read_toml(ROOT / "pyproject.toml")["project"]["scripts"]
CASE = "cases/drop-in/clip.mp4"


def start(folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    """Start a program by its entry point, in a folder."""
    program, *words = command.split()
    module, name = PROGRAMS[program].split(":")
    code = f"from {module} import {name}; {name}()"
    return subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def folder(shared, weights_dir, tmp_path):
    """Return a folder with the clip that the clients' commands are about."""
    assert weights_dir.is_dir()
    shutil.copy(shared / CASE, tmp_path)
    return tmp_path


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def columns(table: Path) -> list[str]:
    return table.read_text().split("\n", 1)[0].split(", ")


def test_what_open_dbm_calls(folder):
    done = start(
        folder,
        "FeatureExtraction -q -2Dfp -3Dfp -pdmparams -pose -aus -gaze -f clip.mp4 -out_dir d",
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert files(folder / "d") == ["clip.csv", "clip_of_details.txt"]
    assert len(columns(folder / "d/clip.csv")) == 714
    assert len((folder / "d/clip.csv").read_text().splitlines()) == 73


def test_what_mmsa_fet_calls(folder):
    (folder / "frames").mkdir()
    with VideoReader(folder / "clip.mp4") as video:
        for frame in video:
            if frame.index < 5:
                cv2.imwrite(str(folder / f"frames/{frame.index:03d}.png"), frame.image)
    done = start(folder, "FeatureExtraction -2Dfp -pose -aus -fdir frames -out_dir frames -quiet")
    assert (done.returncode, done.stdout) == (0, "")
    table = folder / "frames/frames.csv"
    assert len(columns(table)) == 5 + 136 + 6 + 35
    assert [line.split(", ")[0] for line in table.read_text().splitlines()[1:]] == list("12345")

    done = start(folder, "FeatureExtraction -f clip.mp4 -of name -oc avc1 -tracked")
    assert done.returncode == 0
    assert done.stderr == "FeatureExtraction: without effect here: -oc avc1\n"
    assert files(folder / "processed") == ["name.avi", "name.csv", "name_of_details.txt"]
    assert columns(folder / "processed/name.csv") == [
        "frame", "face_id", "timestamp", "confidence", "success",
    ]  # fmt: skip
    with VideoReader(folder / "processed/name.avi") as marked:
        assert sum(1 for _ in marked) == 72


def test_feature_extraction_leaves_what_openface_leaves(shared, folder):
    video = shared / "samples/video/single_face.mp4"
    assert start(folder, f"FeatureExtraction -f {video} -out_dir d").returncode == 0
    out = folder / "d"
    names = ["single_face.avi", "single_face.csv", "single_face.hog", "single_face_aligned"]
    assert files(out) == [*names, "single_face_of_details.txt"]
    reference = shared / "reference"
    table = gzip.decompress((reference / "video/single_face.csv.gz").read_bytes())
    assert (out / "single_face.csv").read_bytes() == table
    hog = gzip.decompress((reference / "stages/single_face/single_face.hog.gz").read_bytes())
    assert (out / "single_face.hog").read_bytes() == hog
    [faces] = np.load(reference / "stages/single_face/aligned_bgr.npz").values()
    assert files(out / "single_face_aligned") == [
        f"frame_det_00_{number:06d}.bmp" for number in range(1, 73)
    ]
    for name, face in zip(files(out / "single_face_aligned"), faces, strict=True):
        assert (cv2.imread(str(out / "single_face_aligned" / name)) == face).all()


def test_face_landmark_img_leaves_what_openface_leaves(shared, folder):
    picture = next((shared / "samples/image").glob("lp_s0.*"))
    blank = folder / "blank.png"
    cv2.imwrite(str(blank), np.full((240, 320, 3), 90, np.uint8))
    done = start(folder, f"FaceLandmarkImg -f {picture} -f {blank} -out_dir d -g -bogus")
    assert done.returncode == 0
    assert done.stderr.splitlines() == [
        "FaceLandmarkImg: without effect here: -g",
        "FaceLandmarkImg: unknown, ignored: -bogus",
    ]
    assert files(folder / "d") == [
        *("blank.hog", "blank.jpg", "blank_aligned", "blank_of_details.txt"),
        *("lp_s0.csv", "lp_s0.hog", "lp_s0.jpg", "lp_s0_aligned", "lp_s0_of_details.txt"),
    ]
    table = gzip.decompress((shared / "reference/image/lp_s0.csv.gz").read_bytes())
    assert (folder / "d/lp_s0.csv").read_bytes() == table
    assert files(folder / "d/lp_s0_aligned") == ["face_det_000000.bmp"]


def test_the_two_others(folder):
    done = start(folder, "FaceLandmarkVidMulti -f clip.mp4 -2Dfp -out_dir several -verbose")
    assert done.returncode == 0
    assert done.stdout == "clip.mp4: 72 rows, 72 with a face: several\n"
    assert files(folder / "several") == ["clip.csv", "clip_of_details.txt"]
    assert start(folder, "FaceLandmarkVid -f clip.mp4 -pose -gaze -out_dir one").returncode == 0
    names = columns(folder / "one/clip.csv")
    assert {"gaze_0_x", "pose_Tx"} < set(names)
    assert "AU01_r" not in names


BAD = {
    "FeatureExtraction -f": "-f: expected a path behind it, got the end of the line",
    "FeatureExtraction -f -aus": "-f: expected a path behind it, got -aus",
    "FeatureExtraction -aus": "expected an input, -f FILE, -fdir FOLDER or -device N, got none",
    "FeatureExtraction -f no.mp4": "-f: expected a file, got no.mp4, which is none",
    "FeatureExtraction -f a.mp4 -f b.mp4 -of x": "-of: expected one name for each of 2 inputs",
    "FeatureExtraction -f a.mp4 -of .": "-of: expected a name, got '.'",
    "FeatureExtraction -fdir videos": "got videos with 1 video: give each by -f",
    "FeatureExtraction -fdir nowhere": "got nowhere, which is no folder",
    "FeatureExtraction -f a.mp4 -n_iter x": "-n_iter: expected a whole number, got 'x'",
    "FeatureExtraction -f a.mp4 -fx abc": "-fx: expected a number, got 'abc'",
    "FeatureExtraction -f a.mp4 -mloc main_foo.txt": "-mloc: expected a list named clnf, clm or",
    "FaceLandmarkImg -fdir stills -bboxdir videos": "-bboxdir: expected videos/a.txt, the boxes",
    "FaceLandmarkImg -f stills/a.png -bboxdir videos": "-bboxdir: expected pictures by -fdir",
    "FaceLandmarkImg -fdir empty": "empty: no picture in it",
    "FeatureExtraction -device 97": "program may not; try -device with another number, or -f FILE",
}


@pytest.mark.parametrize("command", BAD)
def test_what_cannot_be_done_is_one_line_and_leaves_nothing(tmp_path, monkeypatch, capfd, command):
    for name in ("a.mp4", "b.mp4", "videos/a.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        write_video(tmp_path / name, pictures(2))
    (tmp_path / "stills").mkdir()
    (tmp_path / "empty").mkdir()
    cv2.imwrite(str(tmp_path / "stills/a.png"), pictures(1)[0])
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    program, *words = command.split()
    run = getattr(openface, PROGRAMS[program].split(":")[1]).run
    assert run(words) == 1
    out, err = capfd.readouterr()
    lines = [line for line in err.splitlines() if line.startswith(program)]
    assert out == ""
    assert len(lines) == 1
    assert BAD[command] in lines[0]
    assert sorted(tmp_path.rglob("*")) == before


def test_the_whole_line_is_understood():
    line = parse(
        "-f a.avi -fdir b -inroot data -out_dir out -of x -of y -oc XVID -mloc model/main_clm.txt "
        "-verbose -vis-track -vis-hog -q -no2Dfp -noAUs -2Dfp -hogalign -simalign -nobadaligned "
        "-simsize 200 -simscale 0.5 -nomask -wild -multi_view 1 -sigma 2 -fx 500 -fy 501 -cx 320 "
        "-cy 240 -cam_width 640 -cam_height 480 -format_aligned png -au_static -what".split()
    )
    assert line.inputs == [("f", Path("data/a.avi")), ("fdir", Path("data/b"))]
    assert line.names == ["x", "y"]
    assert line.fit == [("wild", True), ("multi_view", 1), ("sigma", 2.0)]
    assert line.values["simsize"] == 200
    assert [line.values[name] for name in ("fx", "fy", "cx", "cy")] == [500, 501, 320, 240]
    assert line.flags == {
        *("q", "2Dfp", "hogalign", "simalign", "nobadaligned", "nomask", "wild", "au_static"),
    }
    assert line.idle == [
        *("-oc XVID", "-verbose", "-vis-track", "-vis-hog", "-no2Dfp", "-noAUs"),
        *("-cam_width 640", "-cam_height 480", "-format_aligned png"),
    ]
    assert line.unknown == ["-what"]
    assert line.wants("hogalign")
    assert not line.wants("tracked")
    assert parse(["-f", "-strange-name.mp4"]).inputs == [("f", Path("-strange-name.mp4"))]
    with pytest.raises(InputError, match="-simsize: expected a number behind it, got -g"):
        parse(["-simsize", "-g"])


@pytest.mark.parametrize(
    ("model", "profile"),
    [
        ("model/main_clnf_general.txt", "openface"),
        ("model/main_clm_general.txt", "clm"),
        ("main_ceclm_general.txt", "ceclm"),
    ],
)
def test_the_landmark_model_is_chosen_by_the_name_of_its_list(model, profile):
    from pyfaceau.config import Config

    assert openface._settings(parse(["-mloc", model])) == Config.load(profile)


def test_without_arguments_it_says_how(capsys):
    assert openface.feature_extraction.run([]) == 0
    assert capsys.readouterr().out.startswith("Usage: FeatureExtraction -f VIDEO")
