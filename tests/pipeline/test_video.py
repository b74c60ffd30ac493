"""The pipeline around any tracker: rows, state, failures; and all of it after true landmarks."""

from __future__ import annotations

import gzip
import logging
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pyfaceau.config import Config
from pyfaceau.errors import InputError, OutputError, VideoError, WeightsError
from pyfaceau.media.video import VideoReader
from pyfaceau.output.openface_csv import GROUPS, read_table
from pyfaceau.pipeline.video import FullPythonAUPipeline
from pyfaceau.refinement.eyes import EyeFitter
from pyfaceau.refinement.face_model import FaceModel
from pyfaceau.types import EyeFit, Frame, Reading, ShapeFit, TrackedFace
from tests.video_files import cut, pictures, write_video

F32 = np.float32
WITHOUT_GAZE = 714 - len(GROUPS["gaze"])


class PlayedBack:
    """A tracker that says what a table of full-precision landmarks says."""

    def __init__(self, table: pd.DataFrame) -> None:
        self._table = table
        self.reset()

    def reset(self) -> None:
        """Begin again."""
        self._row = 0

    def update(self, frame: Frame) -> TrackedFace:
        """Return the next row's face."""
        row = self._table.iloc[self._row]
        assert frame.index == self._row
        self._row += 1
        names = [f"p_{k}" for k in ("scale", "rx", "ry", "rz", "tx", "ty", *range(34))]
        values = row[names].to_numpy(F32)
        points = np.stack(
            [row[[f"{axis}_{i}" for i in range(68)]].to_numpy(F32) for axis in "xy"], -1
        )
        return TrackedFace(
            success=bool(row["success"]),
            ok=row["confidence"] > 0.725,
            confidence=row["confidence"],
            landmarks=points,
            shape=ShapeFit(values[:6], values[6:]),
        )


class Drifting:
    """A tracker with state: one face that moves a pixel per frame, with gaps on request."""

    def __init__(self, gaps: tuple[int, ...] = (), stop_at: int | None = None) -> None:
        self.gaps, self.stop_at = gaps, stop_at
        shape = np.stack(np.meshgrid(np.arange(17), np.arange(4)), -1).reshape(68, 2)
        self._shape = (shape * (2, 8) + (10, 5)).astype(F32)
        self.reset()

    def reset(self) -> None:
        """Forget how far the face has moved."""
        self._seen = 0

    def update(self, frame: Frame) -> TrackedFace:
        """Return the face one pixel further."""
        if frame.index == self.stop_at:
            raise KeyboardInterrupt
        self._seen += 1
        found = frame.index not in self.gaps
        fit = ShapeFit(np.array([0.3, 0, 0, 0, 25, 17], F32), np.zeros(34, F32))
        return TrackedFace(found, found, 0.9 * found, self._shape + F32(self._seen), fit)


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    return write_video(tmp_path_factory.mktemp("video") / "a.mp4", pictures(12))


def make(weights_dir: Path, tracker: object = None, **arguments: object) -> FullPythonAUPipeline:
    assert weights_dir.is_dir()
    return FullPythonAUPipeline(tracker=tracker or Drifting(), **arguments)


@pytest.mark.parametrize("name", ["single_face.mp4", "face_noface.mov"])
def test_given_the_references_landmarks_the_rest_is_the_references(
    shared, weights_dir, tmp_path, name
):
    stem = Path(name).stem
    precise = pd.read_csv(shared / f"reference/precise/{stem}.csv.gz", skipinitialspace=True)
    settings = Config(fixed_fps=True, reading=Reading(at_cuts="keep", rotate="0"))
    pipeline = make(weights_dir, PlayedBack(precise), config=settings)
    pipeline.write_csv(shared / "samples/video" / name, tmp_path / "out.csv")
    with gzip.open(shared / f"reference/video/{stem}.csv.gz", "rt") as file:
        expected = pd.read_csv(file, skipinitialspace=True, dtype=str)
    written = pd.read_csv(tmp_path / "out.csv", skipinitialspace=True, dtype=str)
    for group in (["frame", "face_id", "timestamp", "success"], [n for n, _ in GROUPS["aus"]]):
        pd.testing.assert_frame_equal(written[group], expected[group])
    faces = expected["success"] == "1"
    for group, bar in (("2Dfp", 0.0), ("3Dfp", 0.11), ("pdmparams", 0.0011), ("pose", 0.11)):
        names = [n for n, _ in GROUPS[group]]
        away = written[faces][names].astype(float) - expected[faces][names].astype(float)
        assert away.abs().to_numpy().max() <= bar


def test_profile_openface_writes_the_references_bytes(shared, weights_dir, tmp_path):
    assert weights_dir.is_dir()
    pipeline = FullPythonAUPipeline(config="openface")
    pipeline.write_csv(shared / "samples/video/single_face.mp4", tmp_path / "out.csv")
    with gzip.open(shared / "reference/video/single_face.csv.gz") as file:
        assert (tmp_path / "out.csv").read_bytes() == file.read()


def test_profile_default_follows_a_face_and_repeats_itself(shared, weights_dir):
    assert weights_dir.is_dir()
    pipeline = FullPythonAUPipeline(verbose=True)
    video = shared / "samples/video/single_face.mp4"
    table = pipeline.process_video(video)
    assert table.shape == (72, 714)
    assert table["success"].all()
    assert not table.isna().any().any()
    reference = read_table(shared / "reference/video/single_face.csv.gz")
    points = [f"{axis}_{i}" for axis in "xy" for i in range(68)]
    eyes = np.hypot(
        reference["x_36"] - reference["x_45"], reference["y_36"] - reference["y_45"]
    ).mean()
    assert (table[points] - reference[points]).abs().to_numpy().mean() < 0.06 * eyes
    pd.testing.assert_frame_equal(pipeline.process_video(video), table)


@pytest.mark.parametrize(
    ("profile", "split"),
    [("default", False), ("openface", False), ("fast", False), ("default", True)],
)
def test_no_byte_depends_on_the_number_of_threads(shared, weights_dir, profile, split, tmp_path):
    config = replace(Config.load(profile), split_face=split)
    video = shared / "samples/video/face_noface.mov"
    tables = []
    for threads in (1, 2, 3):
        pipeline = FullPythonAUPipeline(config=config, threads=threads)
        tables.append(pipeline.write_csv(video, tmp_path / f"{threads}.csv").path.read_bytes())
    assert tables[0] == tables[1] == tables[2]


def test_memory_does_not_grow_with_the_video(weights_dir, tmp_path):
    pipeline = make(weights_dir)
    peaks = []
    for count in (100, 100, 600):
        video = write_video(tmp_path / f"{count}.mp4", pictures(20) * (count // 20))
        tracemalloc.start()
        pipeline.write_csv(video, tmp_path / "out.csv", ["aus", "3Dfp", "2Dfp"])
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    scores = 500 * 35 * 8
    assert (
        peaks[2] - peaks[1] < 12 * scores
    )  # a table's row of text alone is 2.5 kB, 9 x 35 numbers


def test_every_frame_has_its_row(weights_dir, video, tmp_path):
    table = make(weights_dir, Drifting(gaps=(0, 5, 11))).process_video(video, tmp_path / "out.csv")
    assert table["frame"].tolist() == list(range(1, 13))
    assert table["success"].tolist() == [0, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 0]
    assert not table.isna().any().any()
    assert table.shape == (12, WITHOUT_GAZE)
    pd.testing.assert_frame_equal(table, read_table(tmp_path / "out.csv"))


def test_a_second_video_gets_what_a_fresh_pipeline_gives(weights_dir, video, tmp_path):
    pipeline = make(weights_dir)
    first = pipeline.write_csv(video, tmp_path / "1.csv").path.read_bytes()
    other = write_video(tmp_path / "b.mp4", pictures(7, 128, 96))
    pipeline.write_csv(other, tmp_path / "other.csv")
    with pytest.raises(KeyboardInterrupt):
        FullPythonAUPipeline(tracker=Drifting(stop_at=3)).write_csv(video, tmp_path / "x.csv")
    assert pipeline.write_csv(video, tmp_path / "2.csv").path.read_bytes() == first
    fresh = make(weights_dir).write_csv(other, tmp_path / "3.csv").path
    assert fresh.read_bytes() == (tmp_path / "other.csv").read_bytes()


def test_nothing_is_written_where_no_output_is_named(weights_dir, video, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pipeline = make(weights_dir)
    table = pipeline.process_video(str(video))
    assert list(tmp_path.iterdir()) == []
    pd.testing.assert_frame_equal(table, pipeline.process_video(video, "out.csv"))


def test_the_unbatched_predictor_gives_the_same_digits(weights_dir, video):
    tables = [
        make(weights_dir, use_batched_predictor=batched).process_video(video)
        for batched in (True, False)
    ]
    pd.testing.assert_frame_equal(*tables)


@pytest.mark.parametrize("groups", [["pose"], ["aus", "2Dfp"], ["pdmparams", "3Dfp"]])
def test_groups_select_columns_and_change_no_digit(weights_dir, video, groups):
    pipeline = make(weights_dir)
    table = pipeline.process_video(video, groups=groups)
    names = [name for group in GROUPS if group in groups for name, _ in GROUPS[group]]
    assert list(table.columns[5:]) == names
    pd.testing.assert_frame_equal(table, pipeline.process_video(video)[table.columns])


def test_frame_by_frame_gives_what_the_iterator_gives(weights_dir, video):
    pipeline = make(weights_dir)
    results = list(pipeline.results(video))
    images = [result.aligned.image for result in results]
    with VideoReader(video) as reader:
        frames = list(reader)
    pipeline.reset()
    for frame, result, image in zip(frames, results, images, strict=True):
        again = pipeline.process_frame(frame.image, frame.timestamp)
        assert (again.index, again.timestamp) == (result.index, result.timestamp)
        np.testing.assert_array_equal(again.aligned.image, image)
        for kind in ("intensities", "presences"):
            values = (getattr(r.action_units, kind) for r in (again, result))
            np.testing.assert_array_equal(*values)


def test_a_picture_stands_for_itself(weights_dir):
    pipeline = make(weights_dir)
    image = pictures(1, 128, 96)[0]
    first, second = pipeline.process_image(image), pipeline.process_image(image)
    assert first.index == second.index == 0
    np.testing.assert_array_equal(first.face.landmarks, second.face.landmarks)
    np.testing.assert_array_equal(first.action_units.intensities, second.action_units.intensities)
    assert (first.action_units.intensities >= 0).all()
    assert (first.action_units.intensities <= 5).all()
    nobody = make(weights_dir, Drifting(gaps=(0,))).process_image(image)
    assert nobody.action_units is None
    assert not nobody.face


def test_a_video_without_face_is_normal_and_warned_of(weights_dir, video, tmp_path, caplog):
    with caplog.at_level(logging.WARNING, "pyfaceau"):
        pipeline = make(weights_dir, Drifting(gaps=tuple(range(12))))
        written = pipeline.write_csv(video, tmp_path / "out.csv")
    assert (written.frames, written.faces) == (12, 0)
    assert "no face in any of its 12 frames" in caplog.text
    table = read_table(written.path)
    assert not table[[name for name, _ in GROUPS["aus"]]].any().any()


def test_a_truncated_video_leaves_a_partial_table(weights_dir, tmp_path):
    images = pictures(40, 320, 240)
    whole = write_video(tmp_path / "a.avi", images, codec="mpeg4")
    pipeline = make(weights_dir)
    expected = pipeline.process_video(whole, groups=["2Dfp"])
    with pytest.raises(VideoError, match=r"cut off.*; the \d+ rows before are in .*partial\.csv"):
        pipeline.process_video(cut(whole, 0.6), tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()
    table = read_table(tmp_path / "out.partial.csv")
    assert table.shape[1] == WITHOUT_GAZE
    assert 5 < len(table) < 40
    pd.testing.assert_frame_equal(table[expected.columns], expected[: len(table)])


def test_an_interrupt_leaves_a_partial_table_and_says_so(weights_dir, video, tmp_path, caplog):
    pipeline = make(weights_dir, Drifting(stop_at=7))
    with pytest.raises(KeyboardInterrupt):
        pipeline.process_video(video, tmp_path / "out.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["out.partial.csv"]
    assert len(read_table(tmp_path / "out.partial.csv")) == 7
    assert "the first 7 rows are in" in caplog.text


def test_what_cannot_be_read_or_written_is_refused_before_any_work(weights_dir, video, tmp_path):
    pipeline = make(weights_dir)
    with pytest.raises(VideoError, match="no such file"):
        pipeline.process_video(tmp_path / "none.mp4", tmp_path / "out.csv")
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        pipeline.process_video(video, tmp_path / "file/out.csv")
    with pytest.raises(InputError, match="groups: expected"):
        pipeline.process_video(video, tmp_path / "out.csv", groups=["hog"])
    with pytest.raises(InputError, match=r"image: expected \(H, W, 3\) BGR uint8"):
        pipeline.process_frame(np.zeros((4, 4), np.uint8))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_arguments_take_the_place_of_the_profiles_settings(weights_dir):
    pipeline = make(weights_dir, pdm_file="weights/In-the-wild_aligned_PDM_68.txt", config="fast")
    assert not pipeline.config.refinement.enabled
    assert pipeline.config.models.pdm == "weights/In-the-wild_aligned_PDM_68.txt"
    assert make(weights_dir, config="fast", use_clnf_refinement=True).config.refinement.enabled
    named = make(weights_dir, patch_expert_file="weights/svr_patches_0.25_general.txt")
    assert named.config.refinement.method == "face"  # the profile's own file changes nothing
    named = make(weights_dir, patch_expert_file="ccnf_patches_0.25_general.txt")
    assert named.config.refinement.method == "points"
    with pytest.raises(WeightsError, match=r"none\.txt: no such model file"):
        make(weights_dir, pdm_file="none.txt")
    with pytest.raises(InputError, match=r"config: expected .*default"):
        make(weights_dir, config="none")


def test_eyes_bring_the_gaze_columns(weights_dir, video):
    fitter = EyeFitter.of(FaceModel.load(weights_dir / "main_clnf_general.txt"))

    class WithEyes(Drifting):
        eyes = fitter

        def update(self, frame: Frame) -> TrackedFace:
            """Return the face with two eyes that are all in one place."""
            face = super().update(frame)
            model = ShapeFit(np.array([1, 0, 0, 0, 30, 20], F32), np.zeros(10, F32))
            eye = EyeFit(np.full((28, 2), 30, F32), model)
            values = {**face.__dict__, "eyes": (eye, eye)}
            return TrackedFace(**values)

    table = make(weights_dir, WithEyes(gaps=(3,))).process_video(video)
    assert table.shape == (12, 714)
    gaze = table[[f"gaze_{e}_{a}" for e in (0, 1) for a in "xyz"]].to_numpy()
    assert (gaze[3] == 0).all()
    lengths = np.linalg.norm(gaze[[0, 1, 2, 4]].reshape(-1, 2, 3), axis=-1)
    np.testing.assert_allclose(lengths, 1, atol=2e-6)
