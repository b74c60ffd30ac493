"""Each kind of file that the table of inputs names is read whole, upright, in the right colours."""

from __future__ import annotations

import av
import cv2
import numpy as np
import pytest

from pyfaceau.media.video import VideoReader
from validation.inputs import CASES, Case, encode, turn

READABLE = [case for case in CASES if case.suffix != "webp"]


def smooth(count: int, height: int = 96, width: int = 128) -> list[np.ndarray]:
    """Return pictures whose corners differ in colour and which change from one to the next."""
    corners = np.array([[[200, 90, 60], [60, 180, 90]], [[80, 60, 190], [150, 150, 150]]], np.uint8)
    large = cv2.resize(corners, (width, height), interpolation=cv2.INTER_LINEAR)
    return [np.clip(large + 1.5 * k, 0, 255).astype(np.uint8) for k in range(count)]


def levels_off(case: Case) -> float:
    """Return how far the samples may be from the original's: mirrored ones are 40 off."""
    if "gray" in case.what:
        return 60.0
    return 20.0 if case.suffix == "gif" else 10.0


@pytest.mark.parametrize("case", READABLE, ids=lambda c: f"{c.what}.{c.suffix}".replace(" ", "_"))
def test_every_frame_comes_as_it_was(tmp_path, case):
    if case.codec not in av.codecs_available:
        pytest.skip(f"this build of FFmpeg has no encoder {case.codec}")
    height, width = case.crop
    images = [image[: 95 if height else 96, : 127 if width else 128] for image in smooth(8)]
    images = images[: case.frames]
    path = tmp_path / f"a.{case.suffix}"
    encode(case, [np.ascontiguousarray(np.rot90(image, case.turned)) for image in images], path)
    if case.turned:
        turn(path, case.turned)
    with VideoReader(path) as video:
        frames = [frame.image for frame in video]
    assert len(frames) == len(images)
    for frame, image in zip(frames, images, strict=True):
        assert frame.shape == image.shape
        assert np.abs(frame.astype(int) - image).mean() < levels_off(case)
