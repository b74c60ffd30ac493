"""RetinaFace: priors and decoding by hand, a published detection, letterboxing, failures."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfaceau.detection.retinaface import (
    LandmarkBoxes,
    RetinaFace,
    decode_boxes,
    decode_points,
    make_priors,
    suppress,
)
from pyfaceau.errors import InputError, WeightsError
from pyfaceau.types import FaceBox


@pytest.fixture(scope="module")
def detector(weights_dir: Path) -> RetinaFace:
    return RetinaFace(weights_dir / "retinaface_mobilenet025.onnx")


@pytest.fixture(scope="module")
def face_image(shared: Path) -> np.ndarray:
    return cv2.imread(str(shared / "reference/facemap/face_img.jpg"))


def test_priors_are_two_squares_per_cell() -> None:
    priors = make_priors()
    assert priors.shape == (16800, 4)
    np.testing.assert_allclose(priors[0] * 640, [4, 4, 16, 16])
    np.testing.assert_allclose(priors[1] * 640, [4, 4, 32, 32])
    np.testing.assert_allclose(priors[2] * 640, [12, 4, 16, 16])
    np.testing.assert_allclose(priors[-1] * 640, [624, 624, 512, 512])


def test_decoding_by_hand() -> None:
    prior = np.array([[0.5, 0.25, 0.2, 0.1]], np.float32)
    offsets = np.array([[1, -1, 5 * np.log(2), 0]], np.float32)
    # centre 0.5 + 0.1*0.2, 0.25 - 0.1*0.1; width 0.2 * exp(0.2 * 5 ln 2) = 0.4, height 0.1
    np.testing.assert_allclose(decode_boxes(offsets, prior), [[0.32, 0.19, 0.4, 0.1]], atol=1e-6)
    points = decode_points(np.tile(np.array([[1, 2]], np.float32), (1, 5)), prior)
    np.testing.assert_allclose(points[0], np.tile([0.52, 0.27], (5, 1)), atol=1e-6)


def test_suppression_by_hand() -> None:
    boxes = np.array([[0, 0, 2, 2], [0, 0, 2, 1.9], [10, 0, 2, 2], [1, 0, 2, 2]], np.float32)
    scores = np.array([0.8, 0.9, 0.7, 0.6], np.float32)
    assert suppress(boxes, scores, 0.4) == [1, 2, 3]
    assert suppress(boxes, scores, 0.3) == [1, 2]


@given(st.integers(0, 30), st.integers(0, 2**32 - 1))
def test_kept_boxes_do_not_overlap(count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    low, size = rng.random((2, count, 2), dtype=np.float32)
    boxes = np.concatenate([low, size + 0.01], axis=1)
    scores = rng.random(count, dtype=np.float32)
    kept = suppress(boxes, scores, 0.4)
    assert list(scores[kept]) == sorted(scores[kept], reverse=True)
    assert bool(kept) == bool(count)
    for i, a in enumerate(kept):
        for b in kept[:i]:
            high = np.minimum(low[a] + boxes[a, 2:], low[b] + boxes[b, 2:])
            inside = np.prod(np.maximum(high - np.maximum(low[a], low[b]), 0))
            union = boxes[a, 2] * boxes[a, 3] + boxes[b, 2] * boxes[b, 3] - inside
            assert inside <= 0.4001 * union


def test_published_detection(detector: RetinaFace, face_image: np.ndarray) -> None:
    (face,) = detector.detect(face_image)
    assert face.score == pytest.approx(0.99898, abs=2e-5)
    corners = [face.x, face.y, face.x + face.width, face.y + face.height]
    np.testing.assert_allclose(corners, [130.8, 105.0, 327.2, 375.4], atol=0.06)
    assert face.points5 is not None
    left, right, nose, mouth_left, mouth_right = face.points5
    assert left[0] < nose[0] < right[0]
    assert mouth_left[0] < mouth_right[0]
    assert left[1] < nose[1] < mouth_left[1]


@pytest.mark.parametrize(("width", "height"), [(640, 480), (300, 500), (1280, 720), (1, 1)])
def test_face_is_found_where_it_is_pasted(
    detector: RetinaFace, face_image: np.ndarray, width: int, height: int
) -> None:
    picture = np.zeros((height, width, 3), np.uint8)
    if width == 1:
        assert detector.detect(picture) == ()
        return
    side = 240
    picture[20 : 20 + side, 40 : 40 + side] = cv2.resize(
        face_image, (side, side), interpolation=cv2.INTER_AREA
    )
    (face,) = detector.detect(picture)
    found = np.array([face.x, face.y, face.x + face.width, face.y + face.height])
    want = np.array([130.8, 105.0, 327.2, 375.4]) * side / 450 + [40, 20, 40, 20]
    np.testing.assert_allclose(found, want, atol=0.03 * side)


def test_bad_input_is_refused(detector: RetinaFace, weights_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"image: expected \(H, W, 3\) BGR uint8"):
        detector.detect(np.zeros((4, 4), np.uint8))
    with pytest.raises(InputError, match="threshold: expected a number from 0 to 1, got 2"):
        RetinaFace(weights_dir / "retinaface_mobilenet025.onnx", threshold=2)
    with pytest.raises(WeightsError, match="no such model file"):
        RetinaFace(tmp_path / "absent.onnx")
    with pytest.raises(WeightsError, match="one input of shape"):
        RetinaFace(weights_dir / "pfld_cunjian.onnx")
    (tmp_path / "cut.onnx").write_bytes(b"\x08\x07not onnx")
    with pytest.raises(WeightsError, match="not a readable ONNX model"):
        RetinaFace(tmp_path / "cut.onnx")


def test_landmark_boxes_by_hand() -> None:
    class OneFace:
        def detect(self, image: np.ndarray) -> tuple[FaceBox, ...]:
            return (FaceBox(100.0, 200.0, 1000.0, 2000.0, 0.9),)

    (box,) = LandmarkBoxes(OneFace()).faces(np.zeros((8, 8, 3), np.uint8))
    got = [box.x, box.y, box.width, box.height, box.score]
    np.testing.assert_allclose(got, [75.1, 721.8, 1063.9, 1510.4, 0.9])


@pytest.mark.parametrize("name", ["lp_s0", "lp_s6", "sample4"])
def test_landmark_boxes_frame_the_landmarks(shared: Path, detector: RetinaFace, name: str) -> None:
    image = cv2.imread(str(shared / "samples/image" / f"{name}.jpg"))
    table = pd.read_csv(shared / "reference/image" / f"{name}.csv.gz", skipinitialspace=True)
    points = np.column_stack(
        [table.loc[0, [f"{axis}_{i}" for i in range(68)]].to_numpy(float) for axis in "xy"]
    )
    (box,) = LandmarkBoxes(detector).faces(image)
    corner, size = np.array([box.x, box.y]), np.array([box.width, box.height])
    low, high = points.min(axis=0), points.max(axis=0)
    inside = np.prod(np.minimum(high, corner + size) - np.maximum(low, corner))
    assert inside / (np.prod(size) + np.prod(high - low) - inside) > 0.88
