"""The small copy: every frame is found, in any order, and shows what the source shows."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from pyfaceau.errors import InputError, OutputError
from pyfaceau.output.preview import KEY_EVERY, WIDTH, Preview, PreviewVideo
from pyfaceau.types import Frame, UInt8

COUNT = 3 * KEY_EVERY + 1


def shade(index: int, size: tuple[int, int]) -> UInt8:
    """Return a picture of one gray level, which tells the frame's number."""
    return np.full((size[1], size[0], 3), 20 + 6 * index, np.uint8)


def write(path: Path, size: tuple[int, int]) -> Path:
    with PreviewVideo(path, size) as sink:
        for index in range(COUNT):
            sink.write(Frame(shade(index, size), index, index / 25), ())
        return sink.finish()


@pytest.mark.parametrize("size", [(960, 540), (637, 359), (64, 64)])
def test_any_frame_is_found(tmp_path: Path, size: tuple[int, int]) -> None:
    with Preview(write(tmp_path / "small.mp4", size)) as preview:
        assert preview.frames == COUNT
        for index in (0, COUNT - 1, 5, KEY_EVERY, KEY_EVERY - 1, 2 * KEY_EVERY + 1, 5):
            picture = preview.picture(index)
            assert picture.shape[1] == min(size[0], WIDTH) // 2 * 2
            darkest = float(preview.picture(0).mean())
            assert round((float(picture.mean()) - darkest) / 6) == index


def test_picture_is_the_source_made_smaller(tmp_path: Path) -> None:
    source = np.zeros((540, 960, 3), np.uint8)
    source[100:300, 200:600] = (40, 90, 200)
    with PreviewVideo(tmp_path / "small.mp4", (960, 540)) as sink:
        sink.write(Frame(source, 0, 0.0), ())
        sink.finish()
    with Preview(tmp_path / "small.mp4") as preview:
        small = preview.picture(0).astype(int)
    expected = cv2.resize(source, (480, 270), interpolation=cv2.INTER_AREA).astype(int)
    assert np.abs(small - expected).mean() < 3


def test_missing_frame_and_folder_are_refused(tmp_path: Path) -> None:
    with (
        Preview(write(tmp_path / "small.mp4", (64, 64))) as preview,
        pytest.raises(InputError, match=rf"index: expected 0 to {COUNT - 1}, got {COUNT}"),
    ):
        preview.picture(COUNT)
    (tmp_path / "file").touch()
    with pytest.raises(OutputError):
        PreviewVideo(tmp_path / "file/small.mp4", (64, 64))
