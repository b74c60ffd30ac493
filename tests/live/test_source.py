"""Files as cameras, and cameras that are not there."""

from __future__ import annotations

import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from pyfaceau.errors import VideoError
from pyfaceau.live.source import CameraSource, FileSource
from tests.video_files import pictures, write_video


def test_a_file_takes_as_long_as_it_plays(tmp_path: Path) -> None:
    path = write_video(tmp_path / "v.mp4", pictures(8), ticks=[0, 20, 40, 60, 80, 100, 120, 300])
    with FileSource(path) as source:
        start = time.monotonic()
        frames = list(source.frames())
        took = time.monotonic() - start
    assert [frame.index for frame in frames] == list(range(8))
    np.testing.assert_allclose([f.timestamp for f in frames][-1], 0.3, atol=1e-6)
    np.testing.assert_array_equal(frames[0].image, source.first)
    assert took >= 0.3
    for frame in frames:
        assert frame.clock - frames[0].clock == pytest.approx(frame.timestamp)


def test_pixels_are_made_square_unless_the_profile_takes_them_as_stored(tmp_path: Path) -> None:
    path = write_video(tmp_path / "v.mp4", pictures(2, 96, 72), aspect=Fraction(4, 3))
    shapes = []
    for square in (True, False):
        with FileSource(path, square) as source:
            shapes.append(source.first.shape)
    assert shapes == [(72, 128, 3), (72, 96, 3)]


class Camera:
    """OpenCV's, with three pictures."""

    left = 3

    def __init__(self, number: int) -> None:
        self.number = number

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        return self.number != 7

    def set(self, *_: object) -> None: ...

    def release(self) -> None: ...

    def read(self) -> tuple[bool, np.ndarray | None]:
        self.left -= 1
        return (True, np.zeros((4, 6, 3), np.uint8)) if self.left >= 0 else (False, None)


def test_a_camera_that_is_not_there_or_vanishes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cv2.VideoCapture", Camera)
    with pytest.raises(VideoError, match="camera 7: cannot be opened: none is connected"):
        CameraSource(7)
    with CameraSource(1) as source:
        frames = source.frames()
        assert source.first.shape == (4, 6, 3)
        first, second = next(frames), next(frames)
        assert (first.index, first.timestamp) == (0, 0.0)
        assert second.timestamp == second.clock - first.clock
        with pytest.raises(VideoError, match="camera 1: gives no more pictures after 2"):
            next(frames)
    monkeypatch.setattr(Camera, "left", 0)
    with pytest.raises(VideoError, match="camera 0: gives no picture"):
        CameraSource()
