"""PFLD: crops by hand, landmarks against the reference, movement, mirror, border, failures."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfaceau.errors import InputError
from pyfaceau.landmarks import _kernels
from pyfaceau.landmarks.pfld import PFLD, crop_from_box, crop_from_points
from pyfaceau.types import FaceBox


@pytest.fixture(scope="module")
def network(weights_dir: Path) -> PFLD:
    return PFLD(weights_dir / "pfld_cunjian.onnx")


@pytest.fixture(scope="module")
def face(shared: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return a picture and the 68 landmarks that OpenFace finds in it."""
    image = cv2.imread(str(shared / "samples/image/lp_s6.jpg"))
    row = pd.read_csv(shared / "reference/image/lp_s6.csv.gz", skipinitialspace=True).iloc[0]
    points = np.array([[row[f"x_{i}"], row[f"y_{i}"]] for i in range(68)])
    return image, points


def inter_ocular(points: np.ndarray) -> float:
    return float(np.hypot(*(points[36] - points[45])))


def test_crop_of_a_box_by_hand() -> None:
    crop = crop_from_box(FaceBox(100, 50, 80, 100))
    # centre (140, 100 + 5.6), side 92: the crop's middle is pixel 55.5, its scale 112 / 92
    np.testing.assert_allclose(crop @ [140, 105.6, 1], [55.5, 55.5])
    np.testing.assert_allclose(crop[:, :2], np.eye(2) * 112 / 92)


@given(st.floats(-3.1, 3.1), st.floats(0.2, 5), st.floats(-500, 500), st.integers(0, 2**32 - 1))
def test_crop_moves_turns_and_scales_with_the_face(
    turn: float, scale: float, shift: float, seed: int
) -> None:
    points = np.random.default_rng(seed).normal(size=(68, 2)) * 30
    points[36:42] -= (100, 0)
    points[42:48] += (100, 0)
    c, s = scale * np.cos(turn), scale * np.sin(turn)
    moved = points @ np.array([[c, s], [-s, c]]) + shift
    first, second = crop_from_points(points), crop_from_points(moved)
    np.testing.assert_allclose(
        points @ first[:, :2].T + first[:, 2], moved @ second[:, :2].T + second[:, 2], atol=1e-6
    )


def test_landmarks_near_the_reference(network: PFLD, face: tuple[np.ndarray, np.ndarray]) -> None:
    image, truth = face
    found = network.predict_crops(image, crop_from_points(truth)[None])[0]
    error = np.hypot(*(found - truth).T).mean() / inter_ocular(truth)
    assert error < 0.05
    blue_red_swapped = network.predict_crops(image[:, :, ::-1], crop_from_points(truth)[None])[0]
    assert not np.allclose(found, blue_red_swapped, atol=0.1)


def test_box_and_points_lead_to_the_same_face(
    network: PFLD, face: tuple[np.ndarray, np.ndarray]
) -> None:
    image, truth = face
    low, high = truth.min(axis=0), truth.max(axis=0)
    width, height = high - low
    box = FaceBox(low[0], high[1] - 1.31 * height, width, 1.31 * height, 0.75)
    found = network.predict(image, box)
    assert found.confidence == 0.75
    assert np.hypot(*(found.points - truth).T).mean() / inter_ocular(truth) < 0.06


def test_a_batch_gives_what_single_crops_give(
    network: PFLD, face: tuple[np.ndarray, np.ndarray]
) -> None:
    image, truth = face
    crops = np.stack([crop_from_points(truth), crop_from_points(truth * 1.02)])
    both = network.predict_crops(image, crops)
    for points, crop in zip(both, crops, strict=True):
        np.testing.assert_allclose(points, network.predict_crops(image, crop[None])[0], atol=1e-3)


def test_landmarks_turn_with_the_picture(
    network: PFLD, face: tuple[np.ndarray, np.ndarray]
) -> None:
    image, truth = face
    upright = network.predict_crops(image, crop_from_points(truth)[None])[0]
    height, width = image.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 40, 1.0)
    turned = cv2.warpAffine(image, turn, (width, height))
    points = truth @ turn[:, :2].T + turn[:, 2]
    found = network.predict_crops(turned, crop_from_points(points)[None])[0]
    back = (found - turn[:, 2]) @ np.linalg.inv(turn[:, :2]).T
    assert np.hypot(*(back - upright).T).mean() / inter_ocular(truth) < 0.01


def test_mirror_image_shows_no_offset(network: PFLD, face: tuple[np.ndarray, np.ndarray]) -> None:
    image, truth = face
    crop = crop_from_points(truth)
    found = network.predict_crops(image, crop[None])[0]
    width = image.shape[1]
    flip = np.array([[-1.0, 0, width - 1], [0, 1, 0], [0, 0, 1]])
    mirrored_crop = crop @ flip
    mirrored_crop[0] = [0, 0, 111] - mirrored_crop[0]
    mirrored = network.predict_crops(np.ascontiguousarray(image[:, ::-1]), mirrored_crop[None])[0]
    middle = [8, 27, 28, 29, 30, 33, 51, 57, 62, 66]
    offset = (found[middle, 0] - (width - 1 - mirrored[middle, 0])).mean()
    assert abs(offset) / inter_ocular(truth) < 0.015


def test_crop_across_the_border_keeps_its_coordinates(
    network: PFLD, face: tuple[np.ndarray, np.ndarray]
) -> None:
    image, truth = face
    left, top = (truth.min(axis=0) - 2).astype(int)
    right, bottom = (truth.max(axis=0) + 2).astype(int)
    corner = np.array([left, top])
    cut = np.ascontiguousarray(image[top:bottom, left:right])
    found = network.predict_crops(cut, crop_from_points(truth - corner)[None])[0]
    black = np.zeros_like(image)
    black[top:bottom, left:right] = cut
    same = network.predict_crops(black, crop_from_points(truth)[None])[0]
    np.testing.assert_allclose(found + corner, same, atol=0.3)
    assert np.hypot(*(found + corner - truth).T).mean() / inter_ocular(truth) < 0.07


def test_bad_input_is_refused(network: PFLD) -> None:
    image = np.zeros((40, 40, 3), np.uint8)
    with pytest.raises(InputError, match="crops: expected invertible matrices"):
        network.predict_crops(image, np.zeros((1, 2, 3)))
    with pytest.raises(InputError, match=r"crops: expected \(n, 2, 3\)"):
        network.predict_crops(image, np.zeros((2, 3)))
    with pytest.raises(InputError, match="image: expected"):
        network.predict_crops(image[:, :, 0], np.ones((1, 2, 3)))
    with pytest.raises(InputError, match="68 times the same point"):
        crop_from_points(np.full((68, 2), 7.0))
    with pytest.raises(InputError, match="finite"):
        crop_from_points(np.full((68, 2), np.nan))


@given(st.integers(0, 2**32 - 1))
def test_input_and_answer_equal_their_twins(seed: int) -> None:
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 256, (60, 80, 3), dtype=np.uint8)
    crops = np.stack([crop_from_points(rng.normal(size=(68, 2)) * 20 + 40) for _ in range(2)])
    planes = np.empty((2, 3, 112, 112), np.float32)
    _kernels.network_input(image, crops, planes)
    for crop, tensor in zip(crops, planes, strict=True):
        warped = cv2.warpAffine(image, crop, (112, 112), flags=cv2.INTER_LINEAR)
        np.testing.assert_array_equal(tensor, np.moveaxis(warped, 2, 0)[::-1] * np.float32(1 / 255))
    answer = rng.random((2, 68, 2), dtype=np.float32)
    found = np.empty_like(answer)
    _kernels.points_in_picture(answer, crops, 112, 1.0, 0.6, found)
    for points, crop, seen in zip(found, crops, answer, strict=True):
        back = points @ crop[:, :2].T + crop[:, 2]
        np.testing.assert_allclose(back, seen * 112 - [1.0, 0.6], atol=2e-4)


def test_level_eyes_need_no_turn_and_equal_eyes_have_none() -> None:
    points = np.zeros((68, 2))
    points[0], points[1] = (-50, -50), (50, 50)
    for eye in (0.0, 10.0):
        points[42:48, 0] = eye
        np.testing.assert_array_equal(crop_from_points(points)[:, :2], np.eye(2) * 112 / 120)
