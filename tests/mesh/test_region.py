"""The turned square: by hand, and there and back."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pyfaceau.mesh.region import FaceRegion
from pyfaceau.types import FaceBox


def test_a_box_without_eyes_is_level() -> None:
    region = FaceRegion.of_box(FaceBox(10, 20, 40, 20))
    assert (region.x, region.y, region.side, region.angle) == (30, 30, 60, 0)


def test_the_line_of_the_eyes_turns_it() -> None:
    eyes = np.array([[0, 0], [10, 10], [5, 5], [5, 9], [5, 9]], np.float32)
    assert np.isclose(FaceRegion.of_box(FaceBox(0, 0, 9, 9, 1.0, eyes)).angle, np.pi / 4)


def test_points_by_hand() -> None:
    points = np.zeros((478, 3), np.float32)
    points[33, :2], points[263, :2] = (20, 50), (80, 50)
    points[:, 1] = np.maximum(points[:, 1], 10)
    region = FaceRegion.of_points(points)  # x 0 to 80, y 10 to 50
    assert np.allclose([region.x, region.y, region.side, region.angle], [40, 30, 120, 0])


def test_the_middle_of_the_square_is_cut_from_the_middle() -> None:
    image = np.zeros((80, 100, 3), np.uint8)
    image[38:43, 58:63] = 255
    cut = FaceRegion(60.0, 40.0, 40.0, 0.7).cut(image, 64)
    assert cut.shape == (64, 64, 3)
    assert cut[32, 32].tolist() == [255, 255, 255]
    assert cut[5, 5].tolist() == [0, 0, 0]


@given(
    st.floats(-500, 500), st.floats(-500, 500), st.floats(10, 900), st.floats(-3, 3),
    st.floats(-400, 400), st.floats(-400, 400),
)  # fmt: skip
def test_there_and_back(x, y, side, angle, px, py) -> None:
    region = FaceRegion(x, y, side, angle)
    seen = region.warp(256) @ [px, py, 1.0]
    point = np.array([[*seen, 8.0]], np.float32)
    back = region.back(point, 256)
    assert np.allclose(back[0], [px, py, 8 * side / 256], atol=0.02)
