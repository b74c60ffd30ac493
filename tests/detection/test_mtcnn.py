"""MTCNN: boxes of the reference program, hand-solved steps, NumPy twins, bad input."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyfaceau.detection import _mtcnn_kernels as kernels
from pyfaceau.detection.mtcnn import MTCNN, _regress, _square, _suppress, pyramid
from pyfaceau.errors import InputError, WeightsError
from pyfaceau.types import Float32, UInt8

PICTURES = ("lp_s0", "lp_s3", "lp_s6", "sample1", "sample3", "sample4", "sample5", "sample6")


@pytest.fixture(scope="module")
def detector(weights_dir: Path) -> MTCNN:
    return MTCNN(weights_dir / "mtcnn_detector")


@pytest.fixture
def first_frame(shared: Path) -> UInt8:
    with av.open(shared / "samples" / "video" / "single_face.mp4") as container:
        return next(container.decode(video=0)).to_ndarray(format="bgr24")


def read_picture(shared: Path, name: str) -> UInt8:
    return cv2.imread(str(shared / "samples" / "image" / f"{name}.jpg"))


def read_rows(shared: Path, name: str) -> list[dict[str, str]]:
    """Return what OpenFace wrote of a picture, one row for each box."""
    path = shared / "reference" / "image" / f"{name}.csv.gz"
    with gzip.open(path, "rt", newline="") as lines:
        return list(csv.DictReader(lines, skipinitialspace=True))


def test_box_equals_the_reference(detector: MTCNN, first_frame: UInt8, shared: Path) -> None:
    golden = np.load(shared / "reference" / "stages" / "single_face" / "stages.npz")["mtcnn"]
    (face,) = detector.faces(first_frame)
    assert [face.x, face.y, face.width, face.height, face.score] == golden.tolist()


@pytest.mark.parametrize(
    ("name", "box", "score"),
    [
        ("lp_s0", (274.576385, 94.889450, 91.741379, 94.019821), 0.999925),
        ("sample1", (110.809410, 111.092194, 185.248459, 164.055969), 0.999399),
    ],
)
def test_boxes_of_pictures_equal_the_reference(
    detector: MTCNN, shared: Path, name: str, box: tuple[float, ...], score: float
) -> None:
    (face,) = detector.faces(read_picture(shared, name))
    found = (face.x, face.y, face.width, face.height)
    assert [f"{v:.6f}" for v in found] == [f"{v:.6f}" for v in box]
    assert f"{face.score:.6f}" == f"{score:.6f}"


@pytest.mark.parametrize("name", PICTURES)
def test_number_and_places_of_faces(detector: MTCNN, shared: Path, name: str) -> None:
    image, rows = read_picture(shared, name), read_rows(shared, name)
    faces = detector.faces(image)
    assert len(faces) == len(rows)
    assert [f.score for f in faces] == sorted((f.score for f in faces), reverse=True)
    for face, row in zip(faces, rows, strict=True):
        if float(row["confidence"]) < 0.9:
            continue
        lmk = np.array([[float(row[f"{axis}_{i}"]) for axis in "xy"] for i in range(68)])
        five = [lmk[36:42].mean(axis=0), lmk[42:48].mean(axis=0), *lmk[[30, 48, 54]]]
        assert face.points5 is not None
        assert np.abs(face.points5 - five).max() < 0.12 * face.width


def test_detect_agrees_with_faces(detector: MTCNN, first_frame: UInt8) -> None:
    boxes, points = detector.detect(first_frame, return_landmarks=True)
    (face,) = detector.faces(first_frame)
    assert boxes.dtype == points.dtype == np.float32
    assert boxes.tolist() == [[face.x, face.y, face.width, face.height]]
    np.testing.assert_array_equal(points[0], face.points5)
    np.testing.assert_array_equal(detector.detect(first_frame), boxes)


def test_gray_picture_is_three_equal_channels(detector: MTCNN, first_frame: UInt8) -> None:
    gray = cv2.cvtColor(first_frame, cv2.COLOR_BGR2GRAY)
    boxes = detector.detect(gray)
    assert len(boxes) == 1
    np.testing.assert_array_equal(boxes, detector.detect(np.dstack([gray] * 3)))


@pytest.mark.parametrize("shape", [(1, 1, 3), (42, 500, 3), (59, 59), (60, 60), (200, 300, 3)])
def test_no_face_in_small_or_empty_pictures(detector: MTCNN, shape: tuple[int, ...]) -> None:
    boxes, points = detector.detect(np.full(shape, 128, np.uint8), return_landmarks=True)
    assert boxes.shape == (0, 4)
    assert points.shape == (0, 5, 2)
    assert detector.faces(np.zeros(shape, np.uint8)) == ()


def test_pyramid_ends_at_the_smallest_face() -> None:
    assert pyramid(42) == pyramid(59) == []
    assert pyramid(60) == [0.2]
    assert pyramid(100) == pytest.approx([0.2, 0.1418])
    assert len(pyramid(480)) == 7


def test_box_arithmetic_by_hand() -> None:
    box = np.float32([[10.4, 20.5, 29.6, 40]])  # rounds to 10, 20 (half to even), 30, 40
    offsets = np.float32([[0.1, 0.25, -0.1, 0.5]])
    assert _regress(box, offsets).tolist() == [[13, 30, 24, 50]]
    expected = [[13.1, 30.25, 24.8, 51.25]]
    np.testing.assert_allclose(_regress(box, offsets, grow=1), expected, rtol=1e-6)
    assert _square(np.float32([[-3.5, 7, 20.5, 31.75]])).tolist() == [[-9, 7, 31, 31]]


def test_suppression_by_hand() -> None:
    boxes = np.float32([[0, 0, 10, 10], [0, 0, 10, 5], [20, 0, 4, 4], [0, 0, 10, 10]])
    scores = np.float32([0.9, 0.95, 0.8, 0.9])
    # Box 1 is half of boxes 0 and 3 (which are equal, the later one goes first) and inside them.
    assert _suppress(boxes, scores, 0.5).tolist() == [1, 3, 2]
    assert _suppress(boxes, scores, 0.4).tolist() == [1, 2]
    assert _suppress(boxes, scores, 0.9, smaller=True).tolist() == [1, 2]


@settings(max_examples=50, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(0, 60),
    limit=st.sampled_from([0.3, 0.5, 0.7]),
    smaller=st.booleans(),
)
def test_suppression_equals_its_twin(seed: int, count: int, limit: float, smaller: bool) -> None:
    rng = np.random.default_rng(seed)
    boxes = rng.integers(1, 40, (count, 4)).astype(np.float32)
    scores = (rng.integers(0, 20, count) / 20).astype(np.float32)
    left = sorted(range(count), key=lambda i: (-scores[i], -i))
    expected = []
    while left:
        best = left.pop(0)
        expected.append(best)
        left = [i for i in left if overlap(boxes[best], boxes[i], smaller) <= np.float32(limit)]
    assert _suppress(boxes, scores, limit, smaller).tolist() == expected


def overlap(a: Float32, b: Float32, smaller: bool) -> np.float32:
    low, high = np.maximum(a[:2], b[:2]), np.minimum(a[:2] + a[2:], b[:2] + b[2:])
    shared = np.prod(np.maximum(high - low, 0))
    areas = np.prod(a[2:]), np.prod(b[2:])
    return np.float32(shared) / np.float32(min(areas) if smaller else sum(areas) - shared)


@pytest.mark.parametrize(
    ("window", "size"),
    [((0, 0, 60, 50), (13, 11)), ((-7, -3, 40, 41), (24, 24)), ((50, 30, 20, 90), (48, 48))],
)
def test_resampling_equals_its_twin(
    window: tuple[int, int, int, int], size: tuple[int, int]
) -> None:
    image = np.random.default_rng(5).integers(0, 256, (50, 60, 3), dtype=np.uint8)
    out = np.empty((3, 2, *size), np.float32)
    kernels.resample(image, *window, out, 1)
    left, top, width, height = window
    padded = np.pad(image, ((100, 100), (100, 100), (0, 0))).astype(np.float32)
    crop = padded[100 + top : 100 + top + height, 100 + left : 100 + left + width]
    lines = blend(crop.transpose(2, 0, 1)[::-1], size[1])
    values = blend(lines.transpose(0, 2, 1), size[0]).transpose(0, 2, 1)
    np.testing.assert_array_equal(out[:, 1], (values - np.float32(127.5)) / np.float32(128))


def blend(lines: Float32, count: int) -> Float32:
    """Resize the last axis bilinearly."""
    length = lines.shape[-1]
    at = ((np.arange(count) + 0.5) * (1 / (count / length)) - 0.5).astype(np.float32)
    low = np.floor(at).astype(int)
    part = np.where((low < 0) | (low >= length - 1), np.float32(0), at - np.floor(at))
    low = np.clip(low, 0, length - 1)
    high = np.minimum(low + 1, length - 1)
    part = part.astype(np.float32)
    return lines[..., low] * (1 - part) + lines[..., high] * part


def test_bad_input_is_named(detector: MTCNN) -> None:
    with pytest.raises(InputError, match="image: "):
        detector.detect(np.zeros((100, 100, 3), np.float32))
    with pytest.raises(InputError, match="image: "):
        detector.detect(np.zeros((100, 100, 4), np.uint8))


def test_missing_and_truncated_models_are_refused(weights_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"PNet\.dat: model file is missing"):
        MTCNN(tmp_path)
    data = (weights_dir / "mtcnn_detector" / "PNet.dat").read_bytes()
    (tmp_path / "PNet.dat").write_bytes(data[:-1])
    with pytest.raises(WeightsError, match="ends early"):
        MTCNN(tmp_path)
    (tmp_path / "PNet.dat").write_bytes(data + b"0")
    with pytest.raises(WeightsError, match="1 bytes too many"):
        MTCNN(tmp_path)
