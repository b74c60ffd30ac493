"""Pictures made smaller: OpenCV's INTER_AREA where it has x86's code, and by hand."""

from __future__ import annotations

import hashlib
import platform

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyfaceau.detection._kernels_resize import shrink
from tests.colour_planes import noise

X86 = platform.machine() in ("x86_64", "AMD64")


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    return noise(height * width * 3, 256, seed).astype(np.uint8).reshape(height, width, 3)


def shrunk(image: np.ndarray, height: int, width: int) -> np.ndarray:
    out = np.empty((height, width, 3), np.uint8)
    shrink(image, out)
    return out


def test_means_by_hand():
    """A tie goes up where both factors are two, to even otherwise."""
    row = np.uint8([0, 1, 1, 0])
    square = np.stack([row, row])[:, :, None].repeat(3, 2)
    assert shrunk(square, 1, 2)[0, :, 0].tolist() == [1, 1]
    assert shrunk(square[:1], 1, 2)[0, :, 0].tolist() == [0, 0]
    three = np.uint8([[90, 30, 0]])[:, :, None].repeat(3, 2)
    assert shrunk(three, 1, 2)[0, :, 0].tolist() == [70, 10]  # (90 + 15) / 1.5, 15 / 1.5


@pytest.mark.skipif(not X86, reason="OpenCV has other arithmetic on this processor")
@settings(max_examples=40, deadline=None)
@given(height=st.integers(1, 220), width=st.integers(1, 220), side=st.integers(1, 110))
def test_any_size_is_opencvs_on_x86(height, width, side):
    scale = side / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    if size[0] >= width or size[1] >= height:
        return
    image = picture(height, width)
    expected = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    np.testing.assert_array_equal(shrunk(image, size[1], size[0]), expected)


@pytest.mark.parametrize(
    ("source", "result", "md5"),
    [
        ((72, 128), (36, 64), "aebe171da2a2ccd0509b3997669d28ee"),
        ((90, 160), (30, 53), "01a6a7ab3e67c01c8a8617c492e91d8e"),
        ((108, 192), (36, 64), "890a8d081215559a0e379a867b2009ac"),
    ],
)
def test_bytes_are_those_of_opencv_4_14_on_x86(source, result, md5):
    out = shrunk(picture(*source), *result)
    assert hashlib.md5(out, usedforsecurity=False).hexdigest() == md5
