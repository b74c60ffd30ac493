"""Decoding: the reference's pixels, frame counts and stamps; times, rotation, damaged files."""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from pyfaceau.errors import VideoError
from pyfaceau.media.video import VideoReader
from tests.video_files import cut, pictures, turn, write_audio, write_video

FASTSTART = {"movflags": "faststart"}


def read(path: Path, **options: bool) -> list:
    with VideoReader(path, **options) as video:
        return list(video)


@pytest.mark.parametrize(
    ("name", "number", "md5"),
    [
        ("d10.mp4", 1, "987d5b96b2a0052fdade5ef18549c484"),
        ("single_face.mp4", 1, "fe055ddf832521a3636eaa0a79522aa7"),
        ("single_face.mp4", 72, "1a1d075e09f19cee0e83ed14cbf1ba40"),
    ],
)
def test_pixels_are_those_of_the_reference_program(shared, name, number, md5):
    # Made by the reference's own decoder; d10 is tagged BT.709, which must be ignored.
    with VideoReader(shared / "samples/video" / name) as video:
        frame = next(f for f in video if f.index == number - 1)
    assert hashlib.md5(frame.image, usedforsecurity=False).hexdigest() == md5


@pytest.mark.parametrize(
    ("name", "md5"),
    [
        ("2015-10-15-15-14.avi", "d2ef714c83daa69c151626779bffb7d3"),
        ("multi_face.avi", "c89c3613c11e50a0d11abc6514a59c51"),
        ("default.wmv", "1aca16c476d5f5fe9032017ca4956976"),
        ("face_noface.mov", "a45536bff38efe8f2df8e2e6e821eb99"),
        ("WDA_AlexandriaOcasioCortez_000.mp4", "0ebeb918914fb4c83e61c77164886494"),
        ("d9.mp4", "c37b9cd64f1750ee4f7bb8b280fddbc9"),
    ],
)
def test_every_frame_is_that_of_opencv_4_6(shared, name, md5):
    # Digest of all frames as read by opencv-python-headless 4.6.0.66. FFmpeg after 8.0 decodes some
    # MPEG-4 part 2 frames differently (multi_face).
    digest = hashlib.md5(usedforsecurity=False)
    with VideoReader(shared / "samples/video" / name, square=False) as video:
        for frame in video:
            digest.update(frame.image)
    assert digest.hexdigest() == md5


@pytest.mark.parametrize(
    "name",
    ["default.wmv", "WolfgangLanger_Pexels.mp4", "face_noface.mov", "no_face.mp4", "d12.mp4"],
)
def test_fixed_stamps_and_frame_count_are_those_of_the_reference_table(shared, name):
    stem = Path(name).stem
    table = pd.read_csv(
        shared / f"reference/video/{stem}.csv.gz", skipinitialspace=True, usecols=["timestamp"]
    )
    with VideoReader(shared / "samples/video" / name, fixed_fps=True) as video:
        stamps = [f"{frame.timestamp:.3f}" for frame in video]
    assert stamps == [f"{stamp:.3f}" for stamp in table["timestamp"]]


def test_frames_stay_valid_after_the_next_one_is_decoded(tmp_path):
    path = write_video(tmp_path / "a.mkv", pictures(6), codec="ffv1", pix_fmt="bgr0")
    frames = read(path)
    for frame, expected in zip(frames, pictures(6), strict=True):
        np.testing.assert_array_equal(frame.image, expected)
    assert [frame.index for frame in frames] == list(range(6))


def test_variable_frame_rate_gives_presentation_times(tmp_path):
    ticks = [0, 40, 200, 210, 1000]
    path = write_video(tmp_path / "a.mp4", pictures(5), ticks=ticks)
    assert [frame.timestamp for frame in read(path)] == [tick / 1000 for tick in ticks]
    with VideoReader(path, fixed_fps=True) as video:
        period = 1.0 / video.fps
        assert [frame.timestamp for frame in video] == [k * period for k in range(5)]


def test_times_count_from_the_start_of_the_file(tmp_path):
    path = write_video(
        tmp_path / "a.ts", pictures(5), codec="mpeg2video"
    )  # its clock starts at 1.4 s
    assert [frame.timestamp for frame in read(path)] == pytest.approx([0, 0.04, 0.08, 0.12, 0.16])


@pytest.mark.parametrize(("degrees", "quarters"), [(90, 3), (180, 2), (270, 1)])
def test_rotation_is_applied_as_opencv_does(tmp_path, degrees, quarters):
    plain = read(write_video(tmp_path / "plain.mp4", pictures(3)))
    path = turn(write_video(tmp_path / "turned.mp4", pictures(3)), degrees)
    with VideoReader(path) as video:
        frames = list(video)
        assert video.rotation == 90 * quarters
        assert (video.height, video.width) == frames[0].image.shape[:2]
    np.testing.assert_array_equal(frames[1].image, np.rot90(plain[1].image, quarters))
    upright = cv2.VideoCapture(str(path)).read()[1]
    assert upright.shape == frames[0].image.shape
    assert np.abs(upright.astype(int) - frames[0].image).mean() < 3


@pytest.mark.parametrize(("width", "height"), [(63, 47), (66, 50), (1, 1), (30, 2)])
def test_odd_sizes(tmp_path, width, height):
    images = pictures(2, width, height)
    frames = read(write_video(tmp_path / "a.mkv", images, codec="ffv1", pix_fmt="bgr0"))
    np.testing.assert_array_equal(frames[1].image, images[1])


@pytest.mark.parametrize(
    ("codec", "pix_fmt"),
    [("ffv1", "gray"), ("ffv1", "bgra"), ("ffv1", "yuv420p10le"), ("mjpeg", "yuvj420p")],
)
def test_gray_alpha_ten_bit_and_full_range(tmp_path, codec, pix_fmt):
    frames = read(write_video(tmp_path / "a.mkv", pictures(2), codec=codec, pix_fmt=pix_fmt))
    assert frames[1].image.shape == (48, 64, 3)
    luma = [cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) for image in (frames[1].image, pictures(2)[1])]
    assert np.abs(luma[0].astype(int) - luma[1]).mean() < 8


def test_facts_about_the_video(tmp_path):
    with VideoReader(write_video(tmp_path / "a.mp4", pictures(7), rate=24)) as video:
        assert (video.width, video.height, video.fps) == (64, 48, 24.0)
        assert (video.frame_count, video.codec, video.rotation) == (7, "mpeg4", 0)


def test_reading_twice_gives_the_same(tmp_path):
    path = write_video(tmp_path / "a.mp4", pictures(30))
    assert [f.image.tobytes() for f in read(path)] == [f.image.tobytes() for f in read(path)]


@pytest.mark.parametrize(
    ("suffix", "codec", "options"),
    [
        ("mp4", "mpeg4", FASTSTART),
        ("avi", "mpeg4", None),
        ("mkv", "mpeg4", None),
        ("wmv", "wmv2", None),
    ],
)
def test_a_truncated_file_gives_its_frames_then_an_error(tmp_path, suffix, codec, options):
    images = pictures(60, 320, 240)
    path = write_video(tmp_path / f"a.{suffix}", images, codec=codec, options=options)
    whole = read(path)
    frames = []
    with (
        pytest.raises(VideoError, match=r"a\.\w+: cut off, expected [\d,]+ bytes, got"),
        VideoReader(cut(path, 0.6)) as video,
    ):
        frames.extend(video)
    assert 5 < len(frames) < len(whole) == 60
    np.testing.assert_array_equal(frames[4].image, whole[4].image)


def test_a_file_cut_before_its_index_is_refused_at_once(tmp_path):
    path = cut(write_video(tmp_path / "a.mp4", pictures(60)), 0.6)
    with pytest.raises(VideoError, match="cannot be read as a video"):
        VideoReader(path)


def test_undecodable_packets_are_counted_and_the_rest_is_given(tmp_path):
    path = write_video(tmp_path / "a.avi", pictures(20), codec="mjpeg", pix_fmt="yuvj420p")
    data = bytearray(path.read_bytes())
    start = b"\xff\xd8\xff"
    second = data.index(start, data.index(start) + 3)
    data[second : second + 600] = bytes(600)
    path.write_bytes(data)
    frames = []
    with VideoReader(path) as video:
        with pytest.raises(VideoError, match="damaged, 1 packets"):
            frames.extend(video)
        assert video.damaged == 1
    assert len(frames) == 19


def make_bad(kind: str, folder: Path) -> Path:
    path = folder / "bad.mp4"
    if kind == "empty":
        path.touch()
    elif kind == "text":
        path.write_text("not a video\n" * 500)
    elif kind == "text art":
        path = folder / "bad.txt"
        path.write_text("not a video\n" * 500)
    elif kind == "audio":
        write_audio(path)
    elif kind == "folder":
        path.mkdir()
    return path


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("missing", "no such file"),
        ("folder", "got a folder"),
        ("empty", "got 0 bytes"),
        ("text", "cannot be read as a video: Invalid data"),
        ("text art", "expected a video stream, got"),
        ("audio", "expected a video stream, got audio"),
    ],
)
def test_what_is_no_video_is_refused_in_one_line(tmp_path, kind, message):
    with pytest.raises(VideoError, match=message) as caught:
        VideoReader(make_bad(kind, tmp_path))
    assert "bad." in str(caught.value)
    assert "\n" not in str(caught.value)


def test_names_that_mean_something_to_ffmpeg_are_just_names(tmp_path):
    for name in ("a:b.mp4", "pipe:0.mp4", "%03d.mp4", "with space é.mp4"):
        path = tmp_path / name
        path.write_bytes(write_video(tmp_path / "a.mp4", pictures(2)).read_bytes())
        assert len(read(path)) == 2


def test_sound_beside_the_pictures_changes_nothing(tmp_path):
    frames = read(write_video(tmp_path / "a.mp4", pictures(10), audio=True))
    assert [frame.timestamp for frame in frames] == pytest.approx([k / 25 for k in range(10)])
