"""Videos with several people: OpenFace's rows, people's numbers, sequences."""

from __future__ import annotations

import gzip

import pytest

from pyfaceau.config import Config
from pyfaceau.errors import VideoError
from pyfaceau.media.video import VideoReader
from pyfaceau.output.openface_csv import SEVERAL, OpenFaceCSV, read_table
from pyfaceau.pipeline.multi import MultiFacePipeline
from tests.tracking.test_multi import Scene
from tests.video_files import cut, pictures, write_video


class First:
    """The first frames of a video."""

    def __init__(self, video: VideoReader, count: int) -> None:
        self._video, self._count = video, count
        self.width, self.height, self.frame_count = video.width, video.height, count

    def __iter__(self):
        """Yield them."""
        for frame in self._video:
            if frame.index == self._count:
                return
            yield frame


def test_profile_openface_writes_the_references_strings(shared, weights_dir, tmp_path):
    assert weights_dir.is_dir()
    pipeline = MultiFacePipeline("openface")
    with (
        VideoReader(shared / "samples/video/multi_face.avi", fixed_fps=True) as video,
        OpenFaceCSV(tmp_path / "out.csv", layout=SEVERAL) as table,
    ):
        for result in pipeline.results(First(video, 24)):
            table.write(result)
        table.finish()
    with gzip.open(shared / "reference/multi/multi_face.csv.gz", "rt") as file:
        expected = [next(file) for _ in range(1 + 3 * 24)]
    assert (tmp_path / "out.csv").read_text().splitlines(keepends=True) == expected


def make(weights_dir, **settings) -> MultiFacePipeline:
    assert weights_dir.is_dir()
    scene = Scene()
    scene.shown = [0, 1]
    return MultiFacePipeline(Config(**settings), fitter=scene)


@pytest.mark.parametrize("identities", [False, True])
def test_every_face_has_its_row_in_every_frame(weights_dir, tmp_path, identities):
    video = write_video(tmp_path / "a.mp4", pictures(5))
    pipeline = make(weights_dir, identities=identities)
    written = pipeline.write_csv(video, tmp_path / "out.csv", ["2Dfp"])
    assert (written.frames, written.faces) == (10, 10)
    table = read_table(written.path)
    assert table["frame"].tolist() == [k for k in range(1, 6) for _ in range(2)]
    assert table["face_id"].tolist() == [0, 1] * 5
    again = pipeline.write_csv(video, tmp_path / "2.csv", ["2Dfp"]).path
    assert again.read_bytes() == written.path.read_bytes()


def test_a_truncated_video_leaves_a_partial_table(weights_dir, tmp_path):
    video = cut(write_video(tmp_path / "a.avi", pictures(40, 320, 240)), 0.6)
    with pytest.raises(VideoError, match=r"cut off.*rows before are in .*out\.partial\.csv"):
        make(weights_dir).write_csv(video, tmp_path / "out.csv", ["2Dfp"])
    assert len(read_table(tmp_path / "out.partial.csv")) > 10


def test_a_video_without_faces_has_a_table_without_rows(weights_dir, tmp_path, caplog):
    pipeline = make(weights_dir)
    pipeline._tracker.fitter.shown = []
    written = pipeline.write_csv(write_video(tmp_path / "a.mp4", pictures(5)), tmp_path / "out.csv")
    assert read_table(written.path).shape == (0, 714 - 288)
    assert "a.mp4: no face in any of its frames" in caplog.text
