"""ONet: against the 68-point reference, its three formats, crops that are none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pyfaceau.detection.retinaface import RetinaFace
from pyfaceau.errors import InputError, WeightsError
from pyfaceau.landmarks import FaceLandmarkModel
from pyfaceau.landmarks.crop import crop_from_box, cut
from pyfaceau.landmarks.onet import _planes
from pyfaceau.media.picture import read_picture
from tests.onet_files import Arrays, weight_dict, write_npy, write_onnx


@pytest.fixture(scope="module")
def dat(weights_dir: Path) -> Path:
    return weights_dir / "mtcnn_detector/ONet.dat"


@pytest.fixture(scope="module")
def model(dat: Path) -> FaceLandmarkModel:
    return FaceLandmarkModel(model_path=dat)


@pytest.fixture(scope="module")
def weights(dat: Path) -> Arrays:
    return weight_dict(dat)


@pytest.fixture(scope="module")
def crop(shared: Path) -> np.ndarray:
    """Return a face, fitting closely."""
    return read_picture(shared / "samples/image/lp_s6.jpg")[230:450, 245:475]


def five_of(row: pd.Series) -> np.ndarray:
    points = np.array([[row[f"x_{i}"], row[f"y_{i}"]] for i in range(68)])
    eyes = [points[36:42].mean(axis=0), points[42:48].mean(axis=0)]
    return np.stack([*eyes, points[30], points[48], points[54]])


def test_points_lie_on_the_reference(shared: Path, model: FaceLandmarkModel) -> None:
    errors = []
    detector = RetinaFace()
    for table in sorted((shared / "reference/image").glob("*.csv.gz")):
        image = read_picture(shared / f"samples/image/{table.name[:-7]}.jpg")
        crops = [crop_from_box(box, 0.1) for box in detector.detect(image)]
        found = [(c, model.face_landmarks(cut(image, c))) for c in crops]
        for _, row in pd.read_csv(table, skipinitialspace=True).iterrows():
            true = five_of(row)
            x, y = true[2]
            mine = [f[1] + c[:2] for c, f in found if c[0] < x < c[2] and c[1] < y < c[3]]
            if mine and row.confidence > 0.7:
                distance = np.hypot(*(true[1] - true[0]))
                errors.append(np.hypot(*(mine[0] - true).T) / distance)
    assert len(errors) >= 23
    assert np.median(errors) < 0.04


def test_three_formats_agree(
    crop: np.ndarray, model: FaceLandmarkModel, weights: Arrays, tmp_path: Path
) -> None:
    pytest.importorskip("onnx")
    score, points = model.face_landmarks(crop)
    others = [
        write_npy(tmp_path / "det3.npy", weights),
        write_onnx(tmp_path / "caffe.onnx", weights, upright=False),
        write_onnx(tmp_path / "upright.onnx", weights, upright=True),
    ]
    for path in others:
        other_score, other_points = FaceLandmarkModel(path).face_landmarks(crop)
        assert abs(other_score - score) < 1e-5, path
        np.testing.assert_allclose(other_points / 230, points / 230, atol=1e-5)


def test_the_mirror_image_has_the_mirrored_points(
    crop: np.ndarray, model: FaceLandmarkModel
) -> None:
    _, points = model.face_landmarks(crop)
    _, mirrored = model.face_landmarks(np.ascontiguousarray(crop[:, ::-1]))
    back = mirrored[[1, 0, 2, 4, 3]] * (-1, 1) + (crop.shape[1] - 1, 0)
    np.testing.assert_allclose(back, points, atol=0.02)


def test_gray_is_colour_repeated(crop: np.ndarray, model: FaceLandmarkModel) -> None:
    gray = np.ascontiguousarray(crop[:, :, 1])
    score, points = model.face_landmarks(gray)
    same_score, same = model.face_landmarks(np.repeat(gray[:, :, None], 3, axis=2))
    assert score == same_score
    assert score > 0.9
    np.testing.assert_array_equal(points, same)


def test_no_face_has_a_low_score_and_no_points(model: FaceLandmarkModel) -> None:
    noise = np.random.default_rng(3).integers(0, 256, (90, 80, 3), dtype=np.uint8)
    for image in (noise, np.full((60, 60, 3), 128, np.uint8)):
        score, points = model.face_landmarks(image)
        assert score < 0.7
        assert points.shape == (5, 2)
        assert np.isnan(points).all()


@pytest.mark.parametrize("size", [(1, 1, 3), (11, 300, 3), (1, 1)])
def test_a_crop_of_a_pixel_is_refused(model: FaceLandmarkModel, size: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="expected a face of 12 or more pixels each way, got"):
        model.face_landmarks(np.zeros(size, np.uint8))


def test_planes_by_hand() -> None:
    image = np.zeros((96, 96, 3), np.uint8)
    image[:, :, 2] = np.arange(96)  # red grows to the right
    planes = _planes(image, np.array([[-0.5, -0.5], [95.5, 95.5]]))
    # sample j is the mean around pixel 2 j + 1/2; (v - 127.5) / 128
    np.testing.assert_allclose(planes[0, 5, 10], (20.5 - 127.5) / 128, rtol=1e-6)
    np.testing.assert_allclose(planes[1:], -127.5 / 128)


def test_files_that_are_not_onet(weights: Arrays, tmp_path: Path, weights_dir: Path) -> None:
    with pytest.raises(WeightsError, match=r"expected ONet as \.dat, \.onnx or \.npy"):
        FaceLandmarkModel(tmp_path / "onet.pt")
    with pytest.raises(WeightsError, match=r"RNet\.dat: not ONet"):
        FaceLandmarkModel(weights_dir / "mtcnn_detector/RNet.dat")
    with pytest.raises(WeightsError, match="expected ONet's input"):
        FaceLandmarkModel(weights_dir / "pfld_cunjian.onnx")
    less = {name: layer for name, layer in weights.items() if name != "prelu3"}
    with pytest.raises(WeightsError, match=r"layout of det3\.npy, got no prelu3/alpha"):
        FaceLandmarkModel(write_npy(tmp_path / "less.npy", less))
    wrong = {**weights, "conv5": {**weights["conv5"], "weights": np.zeros((7, 256))}}
    with pytest.raises(WeightsError, match="not the shapes of ONet"):
        FaceLandmarkModel(write_npy(tmp_path / "wrong.npy", wrong))
