"""Marked videos and pictures: what is drawn where, in which files."""

from __future__ import annotations

import av
import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyfaceau.errors import OutputError
from pyfaceau.output.drawing import draw_face
from pyfaceau.output.overlay import OverlayPicture, OverlayVideo
from pyfaceau.types import Camera, Frame, FrameResult, HeadPose
from tests.output.results import SIZE, face, frame

CAMERA = Camera(200, 200, 80, 60)
BLUE, GREEN, RED = range(3)


def drawn(result, **arguments):
    image = frame().image.copy()
    draw_face(image, result, CAMERA, **arguments)
    return image


def is_near(image, x, y, color):
    """Tell whether a pixel of a pure colour is within a pixel of a place."""
    around = image[round(y) - 1 : round(y) + 2, round(x) - 1 : round(x) + 2].astype(int)
    others = [channel for channel in range(3) if channel != color]
    return bool((around[..., color] - around[..., others].max(axis=-1) > 60).any())


def test_landmarks_are_blue_with_a_red_rim():
    result = face()
    image = np.full((480, 640, 3), 90, np.uint8)
    draw_face(image, result, Camera(200, 200, 400, 300), gaze=False)
    for number, (x, y) in enumerate(result.face.landmarks):
        assert is_near(image, x, y, BLUE)
        if number % 17 == 0:
            assert is_near(image, x - 2.5, y, RED)


@pytest.mark.parametrize(("confidence", "color"), [(1.0, BLUE), (0.0, RED)])
def test_the_head_is_a_cube_in_perspective(confidence, color):
    # 100 mm at 700 and 900 mm, focal length 200: corners 28.6 and 22.2 pixels from the centre.
    image = drawn(face(confidence=confidence), gaze=False)
    for depth in (700, 900):
        reach = 200 * 100 / depth
        for x, y in ((-1, -1), (1, -1), (0, -1), (0, 1)):
            assert is_near(image, 80 + x * reach, 60 + y * reach, color)


def test_gaze_begins_at_the_iris_and_goes_where_the_eye_looks():
    # From (-32, -20, 800) by 50 mm along (0.6, 0, -0.8) to (-2, -20, 760).
    image = drawn(face())
    for share in (0.2, 0.5, 0.95):
        x, z = -32 + 30 * share, 800 - 40 * share
        assert is_near(image, 80 + 200 * x / z, 60 - 200 * 20 / z, GREEN)
    assert not (drawn(face(), gaze=False)[..., GREEN] > 150).any()


def test_without_eyes_there_is_no_gaze():
    result = face()
    blind = FrameResult(**{**result.__dict__, "gaze": None, "eyes_3d": None})
    np.testing.assert_array_equal(drawn(blind), drawn(result, gaze=False))


@settings(max_examples=50, deadline=None)
@given(
    st.tuples(*[st.floats(-1e6, 1e6, width=32)] * 3), st.tuples(*[st.floats(-4, 4, width=32)] * 3)
)
def test_any_pose_can_be_drawn(translation, rotation):
    pose = HeadPose(np.array(translation, np.float32), np.array(rotation, np.float32))
    image = drawn(FrameResult(**{**face().__dict__, "pose": pose}))
    assert image.shape == (SIZE[1], SIZE[0], 3)


def write_overlay(path, count=6, fps=25.0, **arguments):
    with OverlayVideo(path, SIZE, fps, CAMERA) as video:
        for index in range(count):
            video.write(frame(index), [face(index, **arguments)])
        return video.finish()


def write_plain(path, images, fps=25.0):
    height, width = images[0].shape[:2]
    with OverlayVideo(path, (width, height), fps, CAMERA) as video:
        for index, image in enumerate(images):
            video.write(Frame(image, index, 0.0), [])
        return video.finish()


def frames_of(path):
    with av.open(str(path)) as file:
        return [picture.to_ndarray(format="bgr24") for picture in file.decode(video=0)]


@pytest.mark.parametrize("suffix", [".avi", ".mp4", ".mov", ".mkv"])
def test_a_video_has_all_frames_at_the_inputs_rate(tmp_path, suffix):
    path = write_overlay(tmp_path / f"a{suffix}", fps=519168 / 19667)
    with av.open(str(path)) as file:
        stream = file.streams.video[0]
        assert stream.codec_context.name == "mpeg4"
        assert float(stream.average_rate) == pytest.approx(26.3979, abs=0.01)
        assert (stream.width, stream.height) == SIZE
        assert suffix != ".avi" or stream.codec_context.codec_tag == "DIVX"
    images = frames_of(path)
    assert len(images) == 6
    expected = drawn(face())
    assert np.abs(images[3].astype(int) - expected).mean() < 6
    assert is_near(images[3], 80 - 28, 60, BLUE)
    assert [p.name for p in tmp_path.iterdir()] == [f"a{suffix}"]


def test_doubtful_faces_are_not_marked_in_a_video(tmp_path):
    [image] = frames_of(write_overlay(tmp_path / "a.avi", 1, confidence=0.4))
    assert np.abs(image.astype(int) - 90).max() <= 5


def test_odd_sizes_and_rates(tmp_path):
    images = [np.full((21, 33, 3), 50, np.uint8)] * 3
    path = write_plain(tmp_path / "a.avi", images, 1000 / 3)
    assert [image.shape for image in frames_of(path)] == [(21, 33, 3)] * 3


def test_a_picture_is_marked_whatever_the_confidence(tmp_path):
    for confidence, gaze in ((0.0, False), (0.9, True)):
        with OverlayPicture(tmp_path / "a.png", CAMERA) as picture:
            picture.write(frame(), [face(confidence=confidence)])
            path = picture.finish()
        expected = drawn(face(confidence=confidence), gaze=gaze)
        np.testing.assert_array_equal(cv2.imread(str(path)), expected)
    with OverlayPicture(tmp_path / "b.jpg", CAMERA) as picture:
        picture.write(frame(), [])
        assert np.abs(cv2.imread(str(picture.finish())).astype(int) - 90).max() <= 1


def test_the_frame_itself_is_not_drawn_on(tmp_path):
    seen = frame()
    with OverlayVideo(tmp_path / "a.avi", SIZE, 25, CAMERA) as video:
        video.write(seen, [face()])
    np.testing.assert_array_equal(seen.image, frame().image)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_an_output_error_and_leaves_nothing(tmp_path, full_disk):
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 256, (240, 320, 3), np.uint8) for _ in range(40)]
    with full_disk(60_000), pytest.raises(OutputError, match=r"a\.avi: cannot be written: "):
        write_plain(tmp_path / "a.avi", noise)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a.txt", "a.jpg", "file/a.avi"])
def test_what_cannot_be_a_video_is_refused(tmp_path, name):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r": (expected a name that ends in|cannot be written)"):
        OverlayVideo(tmp_path / name, SIZE, 25, CAMERA)
