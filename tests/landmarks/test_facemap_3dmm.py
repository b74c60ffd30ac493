"""FaceMap 3DMM: the decoder against the published points and by hand; the network's interface."""

from __future__ import annotations

import json
import math
import zipfile
from pathlib import Path

import numpy as np
import pytest

from pyfaceau.errors import InputError, WeightsError
from pyfaceau.landmarks.crop import crop_from_box, cut
from pyfaceau.landmarks.facemap_3dmm import (
    FaceMap3DMM,
    FaceMapDecoder,
    describe,
)
from pyfaceau.types import FaceBox
from tests.facemap_files import write_network

VALUES = np.linspace(-0.3, 0.3, 265).astype(np.float32)


@pytest.fixture(scope="module")
def decode(facemap_weights: Path) -> FaceMapDecoder:
    return FaceMapDecoder.load(facemap_weights)


def test_published_points_and_pose(shared: Path, decode: FaceMapDecoder) -> None:
    folder = shared / "reference/facemap"
    golden = json.loads((folder / "golden.json").read_text())
    values = np.load(folder / "golden_params_fitted.npy")
    face = decode(values, tuple(golden["crop_x0y0x1y1_inclusive"]))
    points = np.loadtxt(folder / "golden_face_img_landmarks.txt")
    np.testing.assert_allclose(face.points, points, atol=0.1)
    degrees = [golden["pose_deg"][name] for name in ("pitch", "yaw", "roll")]
    np.testing.assert_allclose(np.degrees(face.pose), degrees, atol=1e-4)


def test_decode_by_hand() -> None:
    """Every point is (2, 3, 5) plus the expression of 1/2 on the first mode, which moves all x."""
    blend = np.zeros((204, 39))
    blend[::3, 0] = 4
    decode = FaceMapDecoder(np.tile([2.0, 3, 5], (68, 1)), np.zeros((204, 219)), blend)
    values = np.zeros(265)
    values[261], values[263] = 0.1, 1 / 3  # tx = 6, f = 500
    face = decode(values, (10, 20, 265, 147))
    np.testing.assert_allclose(face.shape, np.tile([4, 3, 5], (68, 1)))
    # half a turn about x: y becomes -y; u = 4 + 6, v = -3; the crop is 256 wide, 128 high
    np.testing.assert_allclose(face.points, np.tile([74 * 2 + 10, 61 + 20], (68, 1)))
    values[260] = 1  # a roll of a quarter turn, clockwise: right goes down
    face = decode(values, (10, 20, 265, 147))
    assert face.pose[2] == pytest.approx(math.pi / 2)
    np.testing.assert_allclose(face.points, np.tile([(64 + 3 + 6) * 2 + 10, 68 + 20], (68, 1)))


def test_yaw_turns_the_nose_right_and_pitch_up(decode: FaceMapDecoder) -> None:
    rest = decode(np.zeros(265), (0, 0, 127, 127)).points
    for index, axis, sign in ((259, 0, 1), (258, 1, -1)):
        values = np.zeros(265)
        values[index] = 0.2
        moved = decode(values, (0, 0, 127, 127)).points - rest
        nose, ears = moved[30, axis], moved[[0, 16], axis].mean()
        assert sign * (nose - ears) > 3


def test_bad_values_are_refused(decode: FaceMapDecoder) -> None:
    bad = VALUES.copy()
    bad[7] = np.nan
    with pytest.raises(InputError, match="values: expected finite numbers, got NaN"):
        decode(bad, (0, 0, 9, 9))
    with pytest.raises(InputError, match=r"values: expected \(265\) float64, got shape \(264,\)"):
        decode(VALUES[:264], (0, 0, 9, 9))
    with pytest.raises(InputError, match="crop: expected x0 <= x1"):
        decode(VALUES, (10, 0, 9, 9))


@pytest.mark.parametrize("shape", [(1, 3, 128, 128), (1, 128, 128, 3)])
def test_the_network_is_fed_what_it_wants(tmp_path: Path, shape: tuple[int, ...]) -> None:
    pytest.importorskip("onnx")
    path = write_network(tmp_path / "f.onnx", VALUES, shape)
    image = np.empty((40, 50, 3), np.uint8)
    image[:] = (51, 102, 255)  # blue, green, red
    for options, expected in (
        ({}, (1, 0.4, 0.2)),
        ({"bgr": True}, (0.2, 0.4, 1)),
        ({"normalize": "none"}, (255, 102, 51)),
        ({"normalize": "-1_1"}, (1, -0.2, -0.6)),
        ({"normalize": "imagenet"}, (0.515 / 0.229, -0.056 / 0.224, -0.206 / 0.225)),
    ):
        means = FaceMap3DMM(path, output_name="means", **options)(image)
        np.testing.assert_allclose(means, expected, rtol=1e-4)
    network = FaceMap3DMM(path, input_name="image")
    assert network.values == 265
    np.testing.assert_array_equal(network(image, (3, 4, 20, 30)), VALUES)


def test_external_data_and_archives(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    path = write_network(tmp_path / "facemap_3dmm.onnx", VALUES, external=True)
    image = np.zeros((8, 8), np.uint8)
    np.testing.assert_array_equal(FaceMap3DMM(path)(image), VALUES)
    with zipfile.ZipFile(tmp_path / "own.zip", "w") as archive:
        for name in ("facemap_3dmm.onnx", "facemap_3dmm.data"):
            archive.write(tmp_path / name, f"facemap/{name}")
            (tmp_path / name).unlink()
    np.testing.assert_array_equal(FaceMap3DMM(tmp_path / "own.zip")(image), VALUES)
    (tmp_path / "facemap_3dmm.data").unlink()
    with pytest.raises(WeightsError, match="not a readable ONNX model"):
        FaceMap3DMM(path)


def test_another_interface_is_described(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    path = write_network(tmp_path / "f.onnx", VALUES[:20])
    assert describe(path).splitlines() == [
        "input  image: tensor(float), shape (1, 3, 128, 128)",
        "output parameters: tensor(float), shape (1, 20)",
        "output means: tensor(float), shape (1, 3)",
    ]
    with pytest.raises(WeightsError, match="no output 'landmarks', the model has parameters, mean"):
        FaceMap3DMM(path, output_name="landmarks")
    with pytest.raises(WeightsError, match=r"expected an input \(1, 3, 128, 128\) float32, got"):
        FaceMap3DMM(write_network(tmp_path / "g.onnx", VALUES, (2, 3, 128, 128)))
    with pytest.raises(InputError, match="normalize: expected none, 0_1, -1_1, imagenet, got"):
        FaceMap3DMM(path, normalize="z")


def test_crops_by_hand() -> None:
    assert crop_from_box(FaceBox(10, 20, 60, 80), 0.25) == (-10, 10, 89, 109)
    image = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    np.testing.assert_array_equal(cut(image, (1, 0, 1, 1)), image[:, 1:])
    padded = cut(image, (-1, -2, 2, 1))
    assert padded.shape == (4, 4, 3)
    np.testing.assert_array_equal(padded[2:, 1:3], image)
    assert padded.sum() == image.sum()
    for crop in ((2, 0, 5, 5), (1, 1, 0, 1), (-5, 0, -1, 1)):
        with pytest.raises(InputError, match="crop: expected a part of the 2x2 picture"):
            cut(image, crop)
    with pytest.raises(InputError, match="margin: expected 0 to 5"):
        crop_from_box(FaceBox(0, 0, 1, 1), -1)
