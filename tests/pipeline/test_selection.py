"""Part of a video and one of several people, through the whole pipeline."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from pyfaceau import FullPythonAUPipeline, Selection
from pyfaceau.cli.command import main
from pyfaceau.errors import InputError
from pyfaceau.output.openface_csv import read_table
from tests.pipeline.test_video import Drifting
from tests.video_files import pictures, write_video


@pytest.fixture
def video(tmp_path):
    return write_video(tmp_path / "a.mp4", pictures(20))


def test_process_video_takes_what_is_selected(weights_dir, video):
    assert weights_dir.is_dir()
    pipeline = FullPythonAUPipeline(tracker=Drifting())
    table = pipeline.process_video(video, groups=["pose"], selection=Selection(0.2, 0.6, every=2))
    assert table["frame"].tolist() == [6, 8, 10, 12, 14, 16]
    assert table["timestamp"].tolist() == [0.2, 0.28, 0.36, 0.44, 0.52, 0.6]
    assert len(pipeline.process_video(video, groups=["pose"], max_frames=3)) == 3
    assert len(pipeline.process_video(video, groups=["pose"])) == 20
    with pytest.raises(InputError, match="max_frames: expected 1 or more, got 0"):
        pipeline.process_video(video, max_frames=0)
    with pytest.raises(InputError, match="a tracker with an attribute selection"):
        pipeline.process_video(video, selection=Selection(face="left"))


@pytest.mark.parametrize("config", ["default", "openface"])
def test_one_of_several_people_is_followed(shared, weights_dir, config):
    assert weights_dir.is_dir()
    video = shared / "samples/video/multi_face.avi"
    pipeline = FullPythonAUPipeline(config=config)
    places = {}
    for face in ("left", "2", "right"):
        chosen = Selection(face=face, max_frames=2)
        table = pipeline.process_video(video, groups=["2Dfp"], selection=chosen)
        places[face] = table["x_30"].iloc[-1]
    assert places["left"] == pytest.approx(210, abs=15)  # where OpenFace has their noses
    assert places["2"] == pytest.approx(330, abs=30)
    assert places["right"] == pytest.approx(528, abs=15)
    inside = Selection(roi=(270, 160, 150, 150), max_frames=2)
    table = pipeline.process_video(video, groups=["2Dfp"], selection=inside)
    assert table["x_30"].iloc[-1] == pytest.approx(330, abs=30)


def command(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


def test_the_command_takes_what_is_selected(weights_dir, video, tmp_path, monkeypatch):
    assert weights_dir.is_dir()
    monkeypatch.setattr("pyfaceau.pipeline.video.make_tracker", lambda *_: Drifting())
    out = tmp_path / "out.csv"
    done = command(video, "-o", out, "-pose", "--start", "0.4", "--rate", 5, "--max-frames", 2)
    assert done.exit_code == 0
    assert read_table(out)["frame"].tolist() == [11, 16]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("--start", "2", "--end", "1"), 1, "end: expected more than start, 2 s, got 1"),
        (("--start", "9"), 1, "expected a time in the video, which ends at 0.760 s, got 9"),
        (("--roi", "0,0,640,480"), 1, "roi: expected a part of the 64x48 picture"),
        (("--roi", "a,b"), 2, "expected X,Y,W,H in whole pixels, got 'a,b'"),
        (("--face", "left", "--multi-face"), 2, "not with --multi-face"),
    ],
)
def test_what_cannot_be_selected_leaves_nothing(
    weights_dir, video, tmp_path, monkeypatch, words, code, message
):
    assert weights_dir.is_dir()

    class Choosing(Drifting):
        selection = Selection()

    monkeypatch.setattr("pyfaceau.pipeline.video.make_tracker", lambda *_: Choosing())
    done = command(video, "-o", tmp_path / "out.csv", *words)
    assert done.exit_code == code
    assert message in done.stderr.splitlines()[-1]
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]
