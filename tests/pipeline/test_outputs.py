"""The files beside the table, through the pipelines: equal to OpenFace's, whole or partial."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from pyfaceau.config import Config
from pyfaceau.errors import OutputError, VideoError
from pyfaceau.media.video import VideoReader
from pyfaceau.output.aligned import Crop
from pyfaceau.output.beside import Outputs
from pyfaceau.output.hog_file import HogFile, read_hog
from pyfaceau.output.openface_csv import read_table
from pyfaceau.pipeline.multi import MultiFacePipeline
from pyfaceau.pipeline.stills import PicturePipeline
from pyfaceau.pipeline.video import FullPythonAUPipeline
from pyfaceau.types import FaceBox
from tests.pipeline.test_video import Drifting, PlayedBack
from tests.video_files import cut, pictures, write_video


def all_beside(folder: Path, video: str = ".avi", crop: Crop | None = None) -> Outputs:
    return Outputs(
        hog=folder / "a.hog",
        aligned=folder / "a_aligned",
        crop=crop or Crop(),
        tracked=folder / f"a{video}",
        details=folder / "a_of_details.txt",
    )


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def pipeline(weights_dir):
    assert weights_dir.is_dir()
    return FullPythonAUPipeline(tracker=Drifting(gaps=(0, 5, 11)))


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    return write_video(tmp_path_factory.mktemp("video") / "v.mp4", pictures(12))


class Several:
    """Finds two faces in every picture; the second is rejected."""

    def find(self, image):
        return FaceBox(5, 5, 30, 30), FaceBox(20, 10, 30, 30)

    def fit(self, frame, box):
        face = Drifting(gaps=(0,) if box.x > 5 else ()).update(replace(frame, index=0))
        return type(face)(**{**face.__dict__, "landmarks": face.landmarks + np.float32(box.x)})

    def fit_given(self, frame, box):
        return self.fit(frame, box)

    def follow(self, frame, face):
        return face


@pytest.mark.parametrize("name", ["single_face.mp4", "face_noface.mov"])
def test_given_the_references_landmarks_the_files_are_the_references(
    shared, weights_dir, tmp_path, name
):
    assert weights_dir.is_dir()
    stem, source = Path(name).stem, shared / "samples/video" / name
    precise = pd.read_csv(shared / f"reference/precise/{stem}.csv.gz", skipinitialspace=True)
    outputs = Outputs(
        hog=tmp_path / f"{stem}.hog",
        aligned=tmp_path / f"{stem}_aligned",
        details=tmp_path / f"{stem}_of_details.txt",
    )
    pipeline = FullPythonAUPipeline(tracker=PlayedBack(precise), config=Config(fixed_fps=True))
    pipeline.write_csv(source, tmp_path / f"{stem}.csv", ["pose"], outputs)

    [reference] = (shared / "reference/stages").rglob(f"{stem}.hog.gz")
    assert outputs.hog.read_bytes() == gzip.decompress(reference.read_bytes())
    faces = [cv2.imread(str(path)) for path in sorted(outputs.aligned.iterdir())]
    assert len(faces) == len(precise)
    black = [not face.any() for face in faces]
    assert black == (precise["success"] == 0).tolist()
    if stem == "single_face":
        goldens = np.load(shared / "reference/stages/single_face/aligned_bgr.npz")["aligned"]
        np.testing.assert_array_equal(np.stack(faces), goldens)


def test_details_are_the_references_but_for_the_paths(shared, weights_dir, tmp_path):
    assert weights_dir.is_dir()
    expected = (shared / "reference/stages/single_face/single_face_of_details.txt").read_text()
    stem = tmp_path / "single_face"
    outputs = Outputs(
        hog=stem.with_suffix(".hog"),
        aligned=Path(f"{stem}_aligned"),
        details=Path(f"{stem}_of_details.txt"),
    )
    source = shared / "samples/video/single_face.mp4"
    FullPythonAUPipeline(tracker=Drifting()).write_csv(
        source, stem.with_suffix(".csv"), outputs=outputs
    )
    written = outputs.details.read_text()
    for there in (f"Input:{source}", f"Input full path:{source}"):
        written = written.replace(f"{there}\n", f"{there.partition(':')[0]}:single_face.mp4\n")
    assert written == expected.replace("Gaze: 1", "Gaze: 0")  # this tracker fits no eyes


def test_every_frame_is_in_every_file(pipeline, video, tmp_path):
    written = pipeline.write_csv(video, tmp_path / "a.csv", outputs=all_beside(tmp_path))
    beside = all_beside(tmp_path)
    assert written.files == (beside.hog, beside.aligned, beside.tracked, beside.details)
    assert names(tmp_path) == ["a.avi", "a.csv", "a.hog", "a_aligned", "a_of_details.txt"]
    assert read_hog(beside.hog).good.tolist() == [k not in (0, 5, 11) for k in range(12)]
    assert len(names(beside.aligned)) == 12
    with VideoReader(beside.tracked) as marked, VideoReader(video) as plain:
        changes = [
            np.abs(a.image.astype(int) - b.image).max() > 60
            for a, b in zip(marked, plain, strict=True)
        ]
    assert changes == [k not in (0, 5, 11) for k in range(12)]


def test_files_beside_the_table_change_nothing_in_it(pipeline, video, tmp_path):
    plain = pipeline.write_csv(video, tmp_path / "plain.csv").path.read_bytes()
    pipeline.write_csv(video, tmp_path / "a.csv", outputs=all_beside(tmp_path))
    assert (tmp_path / "a.csv").read_bytes() == plain
    pipeline.write_csv(video, tmp_path / "pose.csv", ["pose"], Outputs(hog=tmp_path / "b.hog"))
    assert (tmp_path / "b.hog").read_bytes() == (tmp_path / "a.hog").read_bytes()


def test_aligned_faces_of_another_size(pipeline, video, tmp_path):
    crop = Crop(size=60, mask=False, gray=True, failures=False)
    pipeline.write_csv(video, tmp_path / "a.csv", outputs=all_beside(tmp_path, crop=crop))
    faces = [cv2.imread(str(path), -1) for path in (tmp_path / "a_aligned").iterdir()]
    assert [face.shape for face in faces] == [(60, 60)] * 9
    assert all(face.any() for face in faces)


def test_still_pictures(weights_dir, tmp_path):
    assert weights_dir.is_dir()
    cv2.imwrite(str(tmp_path / "in.png"), pictures(1, 128, 96)[0])
    out = tmp_path / "out"
    written = PicturePipeline(fitter=Several()).write_csv(
        tmp_path / "in.png", out / "a.csv", outputs=all_beside(out, ".jpg")
    )
    assert written.frames == 2
    assert names(out) == ["a.csv", "a.hog", "a.jpg", "a_aligned", "a_of_details.txt"]
    hog = read_hog(out / "a.hog")
    assert hog.good.tolist() == [True, False]
    assert hog.values.any(axis=(1, 2, 3)).all()
    assert names(out / "a_aligned") == ["face_det_000000.bmp", "face_det_000001.bmp"]
    assert "Output image:a.jpg" in (out / "a_of_details.txt").read_text()
    assert cv2.imread(str(out / "a.jpg")).shape == (96, 128, 3)


def test_a_still_picture_without_face(weights_dir, tmp_path):
    class Nobody(Several):
        def find(self, image):
            return ()

    assert weights_dir.is_dir()
    image = pictures(1, 128, 96)[0]
    cv2.imwrite(str(tmp_path / "in.png"), image)
    out = tmp_path / "out"
    pipeline = PicturePipeline(fitter=Nobody())
    pipeline.write_csv(tmp_path / "in.png", out / "a.csv", outputs=all_beside(out, ".png"))
    assert (out / "a.hog").read_bytes() == b""
    assert names(out / "a_aligned") == []
    assert "csv" not in (out / "a_of_details.txt").read_text()
    np.testing.assert_array_equal(cv2.imread(str(out / "a.png")), image)


def test_several_faces_in_a_video(weights_dir, video, tmp_path):
    assert weights_dir.is_dir()
    pipeline = MultiFacePipeline(fitter=Several())
    written = pipeline.write_csv(video, tmp_path / "a.csv", outputs=all_beside(tmp_path))
    table = read_table(written.path)
    hog = read_hog(tmp_path / "a.hog")
    assert hog.good.tolist() == table["success"].astype(bool).tolist()
    assert hog.values.any(axis=(1, 2, 3)).all()
    assert names(tmp_path / "a_aligned") == sorted(
        f"frame_det_{row.face_id:02d}_{row.frame:06d}.bmp" for row in table.itertuples()
    )
    with VideoReader(tmp_path / "a.avi") as marked:
        assert len(list(marked)) == 12


def test_a_truncated_video_leaves_partial_files(pipeline, tmp_path):
    short = cut(write_video(tmp_path / "v.avi", pictures(40, 320, 240)), 0.6)
    out = tmp_path / "out"
    with pytest.raises(VideoError, match=r"rows before are in .*a\.partial\.csv, .*partial\.hog"):
        pipeline.write_csv(short, out / "a.csv", outputs=all_beside(out))
    assert names(out) == [
        "a.partial.avi",
        "a.partial.csv",
        "a.partial.hog",
        "a_aligned.partial",
        "a_of_details.partial.txt",
    ]
    rows = len(read_table(out / "a.partial.csv"))
    assert len(read_hog(out / "a.partial.hog").good) == rows
    assert len(names(out / "a_aligned.partial")) == rows
    with VideoReader(out / "a.partial.avi") as marked:
        assert len(list(marked)) == rows


def test_an_interrupt_leaves_partial_files(weights_dir, video, tmp_path):
    pipeline = FullPythonAUPipeline(tracker=Drifting(stop_at=7))
    with pytest.raises(KeyboardInterrupt):
        pipeline.write_csv(video, tmp_path / "a.csv", outputs=all_beside(tmp_path))
    assert len(names(tmp_path)) == 5
    assert all("partial" in name for name in names(tmp_path))


def test_a_file_that_fails_does_not_take_the_table_with_it(pipeline, video, tmp_path, monkeypatch):
    def fail(self, frame, faces):
        raise OutputError(f"{self.target.path}: cannot be written: No space left on device")

    monkeypatch.setattr(HogFile, "write", fail)
    with pytest.raises(OutputError, match=r"a\.hog: .* left on device; the table is whole: .*csv"):
        pipeline.write_csv(video, tmp_path / "a.csv", outputs=all_beside(tmp_path))
    assert names(tmp_path) == ["a.avi", "a.csv", "a_aligned", "a_of_details.txt"]
    assert len(read_table(tmp_path / "a.csv")) == 12


def test_what_cannot_be_written_is_refused_before_any_work(pipeline, video, tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "full").mkdir()
    (tmp_path / "full/letter.doc").touch()
    for outputs in (
        Outputs(hog=tmp_path / "file/a.hog"),
        Outputs(aligned=tmp_path / "full"),
        Outputs(tracked=tmp_path / "a.gif"),
        Outputs(tracked=video),
        Outputs(hog=tmp_path / "a.hog", details=tmp_path / "file/a.txt"),
    ):
        with pytest.raises(OutputError):
            pipeline.write_csv(video, tmp_path / "a.csv", outputs=outputs)
    assert names(tmp_path) == ["file", "full"]
    assert video.stat().st_size > 0
