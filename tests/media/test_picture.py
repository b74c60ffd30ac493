"""Picture files as OpenFace reads them: orientation, depth, order, boxes, sequences."""

from __future__ import annotations

import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfaceau.errors import InputError, VideoError
from pyfaceau.media.picture import (
    PictureSequence,
    open_frames,
    pictures_in,
    read_boxes,
    read_picture,
)
from pyfaceau.media.video import VideoReader
from tests.video_files import pictures, write_video

CORNERS = {1: "TL", 2: "TR", 3: "BR", 4: "BL", 5: "TL", 6: "TR", 7: "BR", 8: "BL"}
"""Corner of the upright picture at which the stored one's first pixel lies, by EXIF orientation."""


def write_picture(path: Path, image: np.ndarray) -> Path:
    assert cv2.imwrite(str(path), image)
    return path


def give_orientation(path: Path, value: int) -> Path:
    """Put an EXIF orientation into a JPEG file."""
    entry = struct.pack("<HHII", 0x0112, 3, 1, value)
    tiff = b"II*\0" + struct.pack("<IH", 8, 1) + entry + struct.pack("<I", 0)
    segment = b"Exif\0\0" + tiff
    data = path.read_bytes()
    path.write_bytes(
        data[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + data[2:]
    )
    return path


@pytest.mark.parametrize("value", range(1, 9))
def test_a_jpeg_is_turned_upright(tmp_path, value):
    stored = np.zeros((32, 64, 3), np.uint8)
    stored[:12, :12] = 255
    image = read_picture(give_orientation(write_picture(tmp_path / "a.jpg", stored), value))
    assert image.shape == ((64, 32, 3) if value > 4 else (32, 64, 3))
    corners = {"TL": image[4, 4], "TR": image[4, -5], "BL": image[-5, 4], "BR": image[-5, -5]}
    assert [name for name, pixel in corners.items() if pixel.min() > 200] == [CORNERS[value]]


def test_depth_alpha_and_gray_are_reduced_to_8_bit_bgr(tmp_path):
    image = pictures(1)[0]
    deep = read_picture(write_picture(tmp_path / "deep.png", image.astype(np.uint16) * 256 + 255))
    alpha = np.dstack([image, np.full(image.shape[:2], 7, np.uint8)])
    np.testing.assert_array_equal(deep, image)
    np.testing.assert_array_equal(read_picture(write_picture(tmp_path / "a.png", alpha)), image)
    gray = read_picture(write_picture(tmp_path / "gray.png", image[:, :, 0]))
    np.testing.assert_array_equal(gray, np.repeat(image[:, :, :1], 3, axis=2))


@pytest.mark.parametrize("name", ["lp_s0", "sample1", "sample6"])
def test_pixels_are_openfaces(shared, name):
    import hashlib

    known = {
        "lp_s0": "c47bec9814781d40806145c134ab8b0e",
        "sample1": "6b7495e6d54eab5046e6cb18651b0a97",
        "sample6": "f535df898f9c0b49a80aa1577b79e3a0",
    }
    image = read_picture(shared / f"samples/image/{name}.jpg")
    assert hashlib.md5(image.tobytes()).hexdigest() == known[name]  # noqa: S324 - no secret


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such file"),
        (b"", r"cannot be read as a picture \(0 bytes\)"),
        (b"no picture", r"cannot be read as a picture \(10 bytes\)"),
    ],
)
def test_what_is_no_picture_is_refused(tmp_path, content, message):
    path = tmp_path / "a.jpg"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(VideoError, match=rf"a\.jpg: {message}"):
        read_picture(path)
    with pytest.raises(VideoError, match="expected a file, got a folder"):
        read_picture(tmp_path)


def test_pictures_are_taken_in_the_order_of_their_names(tmp_path):
    for name in ("s10.png", "s2.png", "s1.JPG", "notes.txt", "._s3.png", ".s4.png", "Thumbs.db"):
        (tmp_path / name).touch()
    (tmp_path / "folder.png").mkdir()
    assert [path.name for path in pictures_in(tmp_path)] == ["s1.JPG", "s10.png", "s2.png"]
    with pytest.raises(VideoError, match="no picture in it"):
        pictures_in(tmp_path / "folder.png")
    with pytest.raises(VideoError, match="expected a folder"):
        pictures_in(tmp_path / "s2.png")


def test_boxes(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("10 20 110.5 220\n\n  -5 0 5 1e2\n")
    first, second = read_boxes(path)
    assert (first.x, first.y, first.width, first.height) == (10, 20, 100.5, 200)
    assert (second.x, second.y, second.width, second.height) == (-5, 0, 10, 100)
    path.write_text("\n")
    assert read_boxes(path) == ()


@pytest.mark.parametrize(
    "line", ["a face", "1 2 3", "1 2 3 4 5", "10 10 5 20", "0 0 nan 5", "0 0 inf 5", "1,2,3,4"]
)
def test_a_line_that_is_no_box_is_named(tmp_path, line):
    (tmp_path / "a.txt").write_text(f"1 2 3 4\n{line}\n")
    with pytest.raises(InputError, match=r"a\.txt, line 2: expected 'min_x min_y max_x max_y'"):
        read_boxes(tmp_path / "a.txt")


def test_boxes_that_cannot_be_read(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_boxes(tmp_path / "none.txt")
    (tmp_path / "a.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="expected text"):
        read_boxes(tmp_path / "a.txt")


@given(st.lists(st.tuples(*[st.floats(-1e4, 1e4)] * 2, *[st.floats(1e-3, 1e4)] * 2), max_size=5))
def test_boxes_come_back(tmp_path_factory, boxes):
    path = tmp_path_factory.mktemp("boxes") / "a.txt"
    path.write_text("\n".join(f"{x!r} {y!r} {x + w!r} {y + h!r}" for x, y, w, h in boxes))
    got = [(box.x, box.y, box.width, box.height) for box in read_boxes(path)]
    np.testing.assert_allclose(got, boxes, rtol=1e-6, atol=1e-6) if boxes else None
    assert len(got) == len(boxes)


def test_a_folder_is_a_video_without_time(tmp_path):
    images = pictures(3)
    for k, image in enumerate(images):
        write_picture(tmp_path / f"s{k}.png", image)
    with open_frames(tmp_path) as frames:
        assert isinstance(frames, PictureSequence)
        assert (frames.width, frames.height, frames.fps, frames.frame_count) == (64, 48, 30, 3)
        got = list(frames)
    assert [(frame.index, frame.timestamp) for frame in got] == [(0, 0), (1, 0), (2, 0)]
    for frame, image in zip(got, images, strict=True):
        np.testing.assert_array_equal(frame.image, image)
    with open_frames(write_video(tmp_path / "a.mp4", images)) as frames:
        assert isinstance(frames, VideoReader)


def test_a_sequence_ends_with_an_error_where_a_picture_is_unlike_the_first(tmp_path):
    image = pictures(1)[0]
    write_picture(tmp_path / "a.png", image)
    write_picture(tmp_path / "b.png", image[:20])
    with PictureSequence(tmp_path) as frames:
        rest = iter(frames)
        next(rest)
        with pytest.raises(VideoError, match=r"b\.png: expected 64x48 .* got 64x20"):
            next(rest)
    (tmp_path / "b.png").write_text("no picture")
    with PictureSequence(tmp_path) as frames, pytest.raises(VideoError, match=r"b\.png: cannot"):
        list(frames)
    (tmp_path / "a.png").write_text("no picture")
    with pytest.raises(VideoError, match=r"a\.png: cannot"):
        PictureSequence(tmp_path)
