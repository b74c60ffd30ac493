"""Detection validator: golden features and verdicts, NumPy twin of the warp, bad input."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyfaceau.errors import InputError, WeightsError
from pyfaceau.refinement._validator_kernels import surround, warp_triangles
from pyfaceau.refinement.validator import DetectionValidator, _window
from pyfaceau.types import Float32


@pytest.fixture(scope="module")
def validator(weights_dir: Path) -> DetectionValidator:
    return DetectionValidator.load(weights_dir / "detection_validation" / "validator_cnn.txt")


@pytest.fixture(scope="module")
def stages(shared: Path) -> Any:
    """Golden arrays of OpenFace on ``single_face.mp4``, see their index in ../shared."""
    return np.load(shared / "reference" / "stages" / "single_face" / "stages.npz")


def points(column: Float32) -> Float32:
    return np.ascontiguousarray(column.reshape(2, 68).T)


def face() -> Float32:
    """Return 68 points spread over an ellipse, multiples of 1/64 pixel."""
    t = np.arange(68) / 68 * 2 * np.pi
    ring = np.stack([60 * np.cos(3 * t) * (t / 6.3), 70 * np.sin(3 * t) * (t / 6.3)], axis=1)
    return (np.round((ring + 100) * 64) / 64).astype(np.float32)


def warp_twin(
    gray: Float32,
    shape: Float32,
    triangles: Any,
    alpha: Float32,
    beta: Float32,
    owner: Any,
    grid: Float32,
) -> Float32:
    i, j, k = shape[triangles].transpose(1, 0, 2)[..., None]
    coefficients = (j - i) * alpha[:, None] + (k - i) * beta[:, None]
    first = i[..., 0] + (j - i)[..., 0] * alpha[:, :1] + (k - i)[..., 0] * beta[:, :1]
    c0, c1, c2 = first[owner], coefficients[owner, :, 1], coefficients[owner, :, 2]
    place = c0 + c1 * grid[:, :1] + c2 * grid[:, 1:]
    fixed = np.rint(place * np.float32(32)).astype(np.int64)
    x, y = fixed.T >> 5
    fx, fy = (fixed.T & 31).astype(np.float32) / np.float32(32)
    padded = np.pad(gray, 1000)
    total = np.zeros(len(grid), np.float32)
    for dy, wy in ((0, 1 - fy), (1, fy)):
        for dx, wx in ((0, 1 - fx), (1, fx)):
            total += padded[y + dy + 1000, x + dx + 1000] * (wy * wx)
    return total


def test_features_equal_the_reference(validator: DetectionValidator, stages: Any) -> None:
    gray, landmarks = stages["gray1"], points(stages["final_lmk"])
    window = _window(landmarks, gray.shape)
    assert window is not None
    x0, y0, x1, y1 = window
    view = validator._view(stages["f_global"][0, 1:4])
    features = view.features(gray[y0:y1, x0:x1], landmarks - np.float32([x0, y0]))
    np.testing.assert_array_equal(features, stages["val_vec"].ravel())


def test_verdicts_equal_the_reference(validator: DetectionValidator, stages: Any) -> None:
    verdicts = [
        validator.check(stages["gray1"], points(landmarks), start[1:4])
        for landmarks, start in zip(stages["hyp_lmk"], stages["hyp_out"], strict=True)
    ]
    expected = stages["hyp_out"][:, 7]
    assert len(set(expected.tolist())) == 3
    assert verdicts == expected.tolist()


def test_verdict_of_the_twenty_class_network(weights_dir: Path, stages: Any) -> None:
    path = weights_dir / "detection_validation" / "validator_cnn_68.txt"
    validator = DetectionValidator.load(path)
    landmarks, rotation = points(stages["final_lmk"]), stages["f_global"][0, 1:4]
    assert validator.check(stages["gray1"], landmarks, rotation) == np.float32(0.975)
    wrong, turned = points(stages["hyp_lmk"][3]), stages["hyp_out"][3, 1:4]
    assert validator.check(stages["gray1"], wrong, turned) < 0.5


def test_view_is_the_nearest(validator: DetectionValidator) -> None:
    order = [0, -20, -45, -70, 20, 45, 70]
    for yaw in range(-90, 91, 3):
        view = validator._view(np.float32([0, np.deg2rad(yaw), 0]))
        nearest = min(range(7), key=lambda i: abs(order[i] - yaw))
        assert view is validator._views[nearest]


def test_extent_by_hand() -> None:
    shape = np.float32([[4, -7], [1.5, 2], [9, 0.25]])
    assert surround(shape, np.float32(3)) == (-1.5, -10, 12, 5)
    assert surround(shape[:1], np.float32(0.5)) == (3.5, -7.5, 4.5, -6.5)


def test_warp_by_hand() -> None:
    gray = np.arange(16, dtype=np.float32).reshape(4, 4)
    out = np.empty(3, np.float32)
    # The reference triangle (0,0), (1,0), (0,1) onto (1,1), (3,1), (1,3): twice as large.
    warp_triangles(
        gray,
        np.float32([[1, 1], [3, 1], [1, 3]]),
        np.array([[0, 1, 2]], np.int32),
        np.float32([[0, 1, 0]]),
        np.float32([[0, 0, 1]]),
        np.zeros(3, np.int32),
        np.float32([[0, 0], [0.5, 0.25], [1.25, 0]]),
        out,
    )
    # (1,1) is 5; (2, 1.5) lies between 6 and 10; (3.5, 1) between 7 and the black border.
    assert out.tolist() == [5, 8, 3.5]


def test_warp_equals_its_twin(validator: DetectionValidator) -> None:
    rng = np.random.default_rng(3)
    whole = rng.integers(0, 256, (200, 190), dtype=np.uint8)
    part = whole[60:150, 50:140]  # some of the face lies outside
    for gray, origin in ((whole, (0, 0)), (part, (50, 60))):
        for view in validator._views:
            shape = (face() - origin + rng.normal(0, 3, (68, 2))).astype(np.float32)
            out = np.empty(len(view.grid), np.float32)
            arrays = (view.triangles, view.alpha, view.beta, view.owner, view.grid)
            warp_triangles(gray, shape, *arrays, out)
            np.testing.assert_array_equal(out, warp_twin(gray.astype(np.float32), shape, *arrays))


@settings(max_examples=10, deadline=None)
@given(dx=st.integers(0, 60), dy=st.integers(0, 60), seed=st.integers(0, 99))
def test_whole_pixel_shift_changes_nothing(
    validator: DetectionValidator, dx: int, dy: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    gray = np.zeros((320, 320), np.uint8)
    patch = rng.integers(0, 256, (200, 200), dtype=np.uint8)
    gray[:200, :200] = patch
    moved = np.zeros_like(gray)
    moved[dy : dy + 200, dx : dx + 200] = patch
    rotation = np.zeros(3, np.float32)
    before = validator.check(gray, face(), rotation)
    assert validator.check(moved, face() + np.float32([dx, dy]), rotation) == before


def test_no_confidence_in_small_outside_or_flat_faces(validator: DetectionValidator) -> None:
    gray, rotation = np.full((200, 200), 90, np.uint8), np.zeros(3, np.float32)
    assert validator.check(gray, face() - np.float32([500, 0]), rotation) == 0
    assert validator.check(gray, face() + np.float32([0, 1e9]), rotation) == 0
    assert validator.check(np.zeros((1, 1), np.uint8), face(), rotation) == 0
    assert validator.check(gray[:2], face() - np.float32([0, 90]), rotation) == 0
    assert 0 < validator.check(gray, face(), rotation) < 0.725


def test_bad_input_is_named(validator: DetectionValidator) -> None:
    gray, rotation = np.zeros((200, 200), np.uint8), np.zeros(3, np.float32)
    with pytest.raises(InputError, match="gray: "):
        validator.check(np.zeros((200, 200, 3), np.uint8), face(), rotation)
    with pytest.raises(InputError, match=r"landmarks: expected \(68, 2\) float32"):
        validator.check(gray, face()[:51], rotation)
    with pytest.raises(InputError, match="landmarks: expected finite"):
        validator.check(gray, face() * np.float32(np.nan), rotation)


def test_other_kinds_of_file_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "validator.txt"
    path.write_bytes(struct.pack("<ii", 0, 7))
    with pytest.raises(WeightsError, match="not a validator with a convolutional network"):
        DetectionValidator.load(path)
    with pytest.raises(WeightsError, match="missing"):
        DetectionValidator.load(tmp_path / "none.txt")
