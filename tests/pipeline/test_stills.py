"""Still pictures: every string of OpenFace's tables, faces that are none, boxes."""

from __future__ import annotations

import gzip

import cv2
import numpy as np
import pytest

from pyfaceau.config import Config, Lens
from pyfaceau.errors import InputError, VideoError
from pyfaceau.media.picture import read_picture
from pyfaceau.output.openface_csv import read_table
from pyfaceau.pipeline.stills import PicturePipeline
from pyfaceau.types import FaceBox

PICTURES = [f"lp_s{k}" for k in (0, 1, 3, 5, 6, 9)] + [f"sample{k}" for k in range(1, 7)]


@pytest.fixture(scope="module")
def openface(weights_dir) -> PicturePipeline:
    assert weights_dir.is_dir()
    return PicturePipeline("openface")


@pytest.mark.parametrize("name", PICTURES)
def test_profile_openface_writes_the_references_bytes(shared, openface, tmp_path, name):
    openface.write_csv(shared / f"samples/image/{name}.jpg", tmp_path / "out.csv")
    with gzip.open(shared / f"reference/image/{name}.csv.gz") as file:
        assert (tmp_path / "out.csv").read_bytes() == file.read()


def test_profile_default_finds_the_same_faces(shared, weights_dir, tmp_path):
    assert weights_dir.is_dir()
    written = PicturePipeline().write_csv(shared / "samples/image/sample1.jpg", tmp_path / "o.csv")
    table = read_table(written.path)
    reference = read_table(shared / "reference/image/sample1.csv.gz")
    assert list(table.columns) == list(reference)
    points = [f"{axis}_{k}" for axis in "xy" for k in range(68)]
    away = (table[points] - reference[points]).abs().to_numpy().mean()
    assert away < 0.05 * (reference["x_45"] - reference["x_36"])[0]


def test_a_picture_without_a_face_has_a_table_without_rows(openface, tmp_path):
    for side in (2, 42, 43, 59, 60):
        path = tmp_path / f"{side}.png"
        assert cv2.imwrite(str(path), np.full((side, side + 9, 3), 90, np.uint8))
        written = openface.write_csv(path, tmp_path / f"{side}.csv")
        assert (written.frames, written.faces) == (0, 0)
        assert read_table(written.path).shape == (0, 711)


def test_a_tiny_picture_has_no_face_in_any_profile(shared, weights_dir, openface):
    assert weights_dir.is_dir()
    image = read_picture(shared / "samples/image/sample1.jpg")
    tiny = cv2.resize(image, (67, 42), interpolation=cv2.INTER_AREA)
    assert PicturePipeline().faces(tiny) == openface.faces(tiny) == ()


def test_boxes_stand_for_the_detector(shared, openface, tmp_path):
    picture = shared / "samples/image/sample1.jpg"
    left, top, width, height = 110.809410, 111.092194, 185.248459, 164.055969  # the detector's own
    boxes = tmp_path / "sample1.txt"
    boxes.write_text(f"{left} {top} {left + width} {top + height}\n5 5 60 60\n")
    table = read_table(openface.write_csv(picture, tmp_path / "out.csv", None, boxes).path)
    reference = read_table(shared / "reference/image/sample1.csv.gz")
    assert table["face"].tolist() == [0, 1]
    assert table["confidence"][0] == reference["confidence"][0]
    assert table["confidence"][1] < 0.725
    points = [f"{axis}_{k}" for axis in "xy" for k in range(68)]
    assert (table[points] - reference[points]).iloc[0].abs().max() <= 0.11
    boxes.write_text("")
    assert openface.write_csv(picture, tmp_path / "out.csv", None, boxes).frames == 0


def test_profile_default_takes_boxes_of_landmarks_too(shared, weights_dir):
    assert weights_dir.is_dir()
    image = read_picture(shared / "samples/image/sample1.jpg")
    pipeline = PicturePipeline()
    [found] = pipeline.faces(image, groups=["2Dfp"])
    [given] = pipeline.faces(image, [FaceBox(111, 111, 185, 164)], groups=["2Dfp"])
    assert np.abs(found.face.landmarks - given.face.landmarks).mean() < 3
    assert given.action_units is None


def test_a_camera_moves_what_is_in_space_only(shared, openface):
    image = read_picture(shared / "samples/image/lp_s1.jpg")
    config = Config(landmarks="clnf", detector="mtcnn", lens=Lens(fx=800.0, fy=800.0))
    [far] = PicturePipeline(config).faces(image)
    [near] = openface.faces(image)
    np.testing.assert_array_equal(far.face.landmarks, near.face.landmarks)
    guess = 500 * (image.shape[1] / 640 + image.shape[0] / 480) / 2
    ratio = far.pose.translation[2] / near.pose.translation[2]
    assert ratio == pytest.approx(800 / guess, rel=0.05)


def test_eleven_rotations_agree_with_one_on_a_frontal_face(shared, openface):
    image = read_picture(shared / "samples/image/lp_s1.jpg")
    config = Config(landmarks="clnf", detector="mtcnn", multi_view=True)
    [many] = PicturePipeline(config).faces(image, groups=["2Dfp"])
    [one] = openface.faces(image, groups=["2Dfp"])
    assert many.face.ok
    assert np.abs(many.face.landmarks - one.face.landmarks).mean() < 1


def test_what_is_no_picture_is_refused(openface, tmp_path):
    (tmp_path / "a.jpg").write_text("text")
    with pytest.raises(VideoError, match=r"a\.jpg: cannot be read"):
        openface.write_csv(tmp_path / "a.jpg", tmp_path / "a.csv")
    with pytest.raises(InputError, match="image: expected"):
        openface.faces(np.zeros((5, 5), np.uint8))
    assert [path.name for path in tmp_path.iterdir()] == ["a.jpg"]
