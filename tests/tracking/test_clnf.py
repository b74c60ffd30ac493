"""CLNF on its own: the reference's pictures, what scripts pass, every kind of bad input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest

import pyfaceau
import pyfaceau.refinement
from pyfaceau.errors import InputError, WeightsError
from pyfaceau.refinement.face_model import HYPOTHESES
from pyfaceau.tracking.clnf import CLNF
from pyfaceau.types import Frame, ShapeFit, UInt8

BOX = (110.80941, 111.092194, 185.248459, 164.055969)
"""MTCNN's box of sample1.jpg."""

GOLDEN = {
    "lp_s0": {
        "box": (274.576385, 94.88945, 91.741379, 94.019821),
        "rigid": [0.6313555, 0.2813081, 0.0688492, 0.0104512, 317.7988, 140.13162],
        "likelihood": 0.8371511,
    },
    "sample1": {
        "box": BOX,
        "rigid": [1.2303826, 0.2570557, 0.2758752, -0.2844997, 190.82341, 182.93005],
        "likelihood": 0.3351609,
    },
}
"""OpenFace's FaceLandmarkImg, to the digits that it was asked for."""


@pytest.fixture(scope="module")
def clnf(weights_dir: Path) -> CLNF:
    return CLNF()


@pytest.fixture(scope="module")
def picture(shared: Path) -> UInt8:
    return read(shared, "sample1")


@pytest.fixture(scope="module")
def noise() -> UInt8:
    return np.random.default_rng(0).integers(0, 256, (400, 640, 3), dtype=np.uint8)


def read(shared: Path, name: str) -> UInt8:
    """Return a sample picture, BGR."""
    return np.asarray(cv2.imread(str(shared / "samples/image" / f"{name}.jpg")), np.uint8)


def reference(shared: Path, name: str) -> list[np.ndarray]:
    """Return OpenFace's landmarks (68, 2) of every face of a sample picture."""
    table = pd.read_csv(shared / "reference/image" / f"{name}.csv.gz", skipinitialspace=True)
    x, y = (table[[f"{axis}_{i}" for i in range(68)]].to_numpy() for axis in "xy")
    return list(np.stack([x, y], axis=2))


@pytest.mark.parametrize("name", GOLDEN)
def test_pictures_of_the_reference(clnf: CLNF, shared: Path, name: str) -> None:
    image, golden = read(shared, name), GOLDEN[name]
    landmarks, info = clnf.fit(image, golden["box"], return_params=True)
    np.testing.assert_allclose(info["params"][:6], golden["rigid"], rtol=0, atol=1e-5)
    assert info["likelihood"] == pytest.approx(golden["likelihood"], abs=5e-8)
    [points] = reference(shared, name)
    np.testing.assert_allclose(landmarks, points, rtol=0, atol=0.0501)
    if name == "lp_s0":
        np.testing.assert_allclose(landmarks[30], [317.49634, 142.44699], rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", GOLDEN)
def test_found_and_fitted(clnf: CLNF, shared: Path, name: str) -> None:
    landmarks, info = clnf.detect_and_fit(read(shared, name))
    np.testing.assert_allclose(info["bbox"], GOLDEN[name]["box"], rtol=0, atol=1e-5)
    assert info["likelihood"] == pytest.approx(GOLDEN[name]["likelihood"], abs=5e-8)
    np.testing.assert_allclose(landmarks, reference(shared, name)[0], rtol=0, atol=0.0501)


def test_all_faces_of_a_picture(clnf: CLNF, shared: Path) -> None:
    image = read(shared, "sample2")
    faces, infos = clnf.detect_and_fit(image, return_all_faces=True, return_params=True)
    expected = reference(shared, "sample2")
    assert len(faces) == len(infos) == len(expected) == 3
    for landmarks, points in zip(faces, expected, strict=True):
        np.testing.assert_allclose(landmarks, points, rtol=0, atol=0.0501)
    assert [round(info["confidence"], 3) for info in infos] == [0.883, 0.183, 0.017]
    assert [info["success"] for info in infos] == [True, False, False]
    assert "0.183" in infos[1]["reason"]
    widest, info = clnf.detect_and_fit(image)
    assert info["bbox"][2] == max(other["bbox"][2] for other in infos)
    assert any(np.array_equal(widest, landmarks) for landmarks in faces)


def test_what_is_told(clnf: CLNF, picture: UInt8) -> None:
    landmarks, info = clnf.fit(picture, BOX)
    assert landmarks.shape == (68, 2)
    assert landmarks.dtype == np.float32
    assert info["success"]
    assert info["reason"] == ""
    assert info["bbox"] == BOX
    assert info["view"] == 6  # 20 degrees to the image's right
    assert info["iterations"] <= 30
    assert info["converged"] == (info["final_update"] < 0.01)
    assert "params" not in info


def test_gray_is_as_good(clnf: CLNF, picture: UInt8) -> None:
    blue, green, red = np.moveaxis(picture.astype(int), 2, 0)
    gray = ((3735 * blue + 19235 * green + 9798 * red + 16384) >> 15).astype(np.uint8)
    for same in (gray, gray[:, :, None]):
        np.testing.assert_array_equal(clnf.fit(same, BOX)[0], clnf.fit(picture, BOX)[0])


def test_fits_do_not_depend_on_those_before(clnf: CLNF, picture: UInt8, noise: UInt8) -> None:
    first, _ = clnf.fit(picture, BOX)
    clnf.fit(noise, (10, 20, 90, 80), hypotheses=2)
    np.testing.assert_array_equal(clnf.fit(picture, BOX)[0], first)


def test_parameters_make_the_landmarks(clnf: CLNF, picture: UInt8) -> None:
    landmarks, info = clnf.fit(picture, BOX, return_params=True)
    shape = ShapeFit(info["params"][:6], info["params"][6:])
    np.testing.assert_array_equal(clnf.model.main.pdm.shape_2d(shape), landmarks)
    again, told = clnf.fit(picture, BOX, initial_params=info["params"], return_params=True)
    assert 0 < np.abs(again - landmarks).mean() < 0.02 * BOX[2]
    assert told["success"]
    other, _ = clnf.fit(picture, BOX, initial_params=shape)
    np.testing.assert_array_equal(other, again)


def test_parameters_replace_the_box(clnf: CLNF, picture: UInt8) -> None:
    _, info = clnf.fit(picture, BOX, return_params=True)
    elsewhere = (400.0, 0.0, 50.0, 50.0)
    one, two = (clnf.fit(picture, b, initial_params=info["params"]) for b in (BOX, elsewhere))
    np.testing.assert_array_equal(one[0], two[0])
    assert two[1]["bbox"] == elsewhere


def test_more_hypotheses_are_at_least_as_likely(clnf: CLNF, picture: UInt8) -> None:
    box = (100.0, 100.0, 220.0, 150.0)
    likelihoods = [
        clnf.fit(picture, box, hypotheses=n)[1]["likelihood"] for n in (1, 3, len(HYPOTHESES))
    ]
    assert likelihoods == sorted(likelihoods)


def test_options_of_the_scripts_are_honoured(weights_dir: Path, picture: UInt8) -> None:
    patient = CLNF(
        regularization=25.0, max_iterations=10, convergence_threshold=0.005, use_coreml=True
    )
    landmarks, info = patient.fit(picture, BOX)
    assert 30 < info["iterations"] <= 60
    stiff, _ = CLNF(str(weights_dir), regularization=1000.0).fit(picture, BOX)
    assert np.abs(stiff - landmarks).mean() > 0.5


def test_svr_experts_fit_through_the_same_optimiser(
    weights_dir: Path, shared: Path, picture: UInt8
) -> None:
    landmarks, info = CLNF(model="clm").fit(picture, BOX)
    assert info["success"]
    [points] = reference(shared, "sample1")
    away = np.linalg.norm(landmarks - points, axis=1).mean()
    between_eyes = np.linalg.norm(points[36] - points[45])
    assert 0 < away < 0.06 * between_eyes


def test_retinaface_finds_what_mtcnn_finds(shared: Path, weights_dir: Path) -> None:
    landmarks, info = CLNF(detector="retinaface").detect_and_fit(read(shared, "lp_s0"))
    assert info["success"]
    [points] = reference(shared, "lp_s0")
    assert np.linalg.norm(landmarks - points, axis=1).mean() < 1


def test_a_tracker_goes_on_from_the_frame_before(clnf: CLNF, picture: UInt8) -> None:
    tracker = clnf.tracker()
    first, second = (tracker.update(Frame(picture, i, i / 30)) for i in range(2))
    assert first.success
    assert second.success
    assert 0 < np.abs(second.landmarks - first.landmarks).mean() < 0.02 * BOX[2]


def test_names() -> None:
    assert pyfaceau.CLNF is CLNF
    assert pyfaceau.refinement.CLNF is CLNF


@pytest.mark.parametrize(
    ("box", "message"),
    [
        ((700, 0, 50, 50), "overlaps the 640x400 picture, got one at"),
        ((-300, 0, 100, 100), "overlaps the 640x400 picture"),
        ((0, 401, 10, 10), "overlaps the 640x400 picture"),
        ((10, 10, 0, 10), "sides of 1 to 1000000 pixels, got 0x10"),
        ((10, 10, 20, -5), "sides of 1 to 1000000 pixels, got 20x-5"),
        ((-1e20, -1e20, 1e21, 1e21), "sides of 1 to 1000000 pixels"),
        ((np.nan, 0, 10, 10), "expected finite numbers"),
        ((0, 0, np.inf, 10), "expected finite numbers"),
        ((1, 2, 3), r"expected \(4\) float64, got shape \(3,\)"),
        (("a", "b", "c", "d"), "expected"),
        (None, "expected"),
    ],
)
def test_bad_boxes_are_named(clnf: CLNF, noise: UInt8, box: Any, message: str) -> None:
    with pytest.raises(InputError, match=f"^face_bbox: .*{message}"):
        clnf.fit(noise, box)


@pytest.mark.parametrize(
    "change",
    [
        lambda image: image.astype(np.uint16) * 256,
        lambda image: np.dstack([image, image[:, :, 0]]),
        lambda image: image / 255.0,
        lambda image: image[:0],
        lambda image: image[None],
        lambda image: None,
        lambda image: "face.jpg",
    ],
    ids=["16-bit", "RGBA", "float", "empty", "batch", "None", "path"],
)
def test_bad_pictures_are_named(clnf: CLNF, noise: UInt8, change: Any) -> None:
    for call in (lambda image: clnf.fit(image, BOX), clnf.detect_and_fit):
        with pytest.raises(InputError, match=r"^image: expected \(H, W\) or \(H, W, 3\) BGR uint8"):
            call(change(noise))


def start(rigid: list[float], local: float = 0.0) -> np.ndarray:
    return np.array([*rigid, *[local] * 34], np.float32)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (start([1, 0, 0, 0, 200, 200])[:39], r"expected \(40\) float32, got shape \(39,\)"),
        (start([np.nan, 0, 0, 0, 200, 200]), "expected finite numbers"),
        (start([0, 0, 0, 0, 200, 200]), "sides of 1 to 1000000 pixels, got 0x0"),
        (start([1e30, 0, 0, 0, 200, 200]), "sides of 1 to 1000000 pixels"),
        (start([1, 0, 0, 0, 200, 200], 1e30), "sides of 1 to 1000000 pixels"),
        (start([1, 0, 0, 0, 1e9, 200]), "overlaps the 640x400 picture"),
        (start([1, 1e30, 0, 0, 200, 200]), "expected finite numbers"),
        (ShapeFit(np.ones(6), np.zeros(32)), r"expected \(40\) float32, got shape \(38,\)"),
    ],
)
def test_bad_starts_are_named(clnf: CLNF, noise: UInt8, params: Any, message: str) -> None:
    with pytest.raises(InputError, match=f"^initial_params: .*{message}"):
        clnf.fit(noise, BOX, initial_params=params)


@pytest.mark.parametrize("hypotheses", [0, 12, 1.5, "all"])
def test_bad_hypotheses_are_named(clnf: CLNF, noise: UInt8, hypotheses: Any) -> None:
    with pytest.raises(InputError, match=r"^hypotheses: expected a whole number from 1 to 11"):
        clnf.fit(noise, BOX, hypotheses=hypotheses)


@pytest.mark.parametrize(
    "option",
    [
        {"detector": "haar"}, {"model": "svm"}, {"regularization": -1}, {"regularization": "a"},
        {"regularization": np.nan}, {"max_iterations": 0}, {"max_iterations": 2.5},
        {"convergence_threshold": 0},
    ],
)  # fmt: skip
def test_bad_options_are_named(option: dict[str, Any]) -> None:
    [name] = option
    with pytest.raises(InputError, match=f"^{name}: expected"):
        CLNF(**option)


def test_a_folder_without_the_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"main_clnf_general\.txt: model file is missing"):
        CLNF(tmp_path)


@pytest.mark.parametrize(
    ("size", "box"),
    [
        ((1, 1), (0, 0, 1, 1)),
        ((1, 1), (-100, -100, 200, 200)),
        ((2, 640), (0, 0, 100, 100)),
        ((400, 640), (200, 200, 10, 10)),
        ((400, 640), (100, 100, 1, 200)),
        ((400, 640), (639, 399, 300, 300)),
        ((400, 640), (-1e5, -1e5, 1e6, 1e6)),
    ],
)
@pytest.mark.parametrize("content", ["noise", "black", "white"])
def test_no_face_to_fit_is_said(
    clnf: CLNF, size: tuple[int, int], box: tuple[float, ...], content: str
) -> None:
    gray = np.full(size, 255 * (content == "white"), np.uint8)
    if content == "noise":
        gray = np.random.default_rng(1).integers(0, 256, size, dtype=np.uint8)
    landmarks, info = clnf.fit(gray, box)
    assert np.isfinite(landmarks).all()
    assert not info["success"]
    small = "the face fitted is smaller than 0.25 pixels per mm"
    assert info["reason"].startswith((small, "the validator rates the fit 0.0"))


@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 2), (1, 640, 3), (400, 640, 3)])
def test_no_face_to_find_is_said(clnf: CLNF, shape: tuple[int, ...]) -> None:
    landmarks, info = clnf.detect_and_fit(np.zeros(shape, np.uint8))
    assert landmarks is None
    assert info == {"success": False, "reason": "no face found", "confidence": 0.0}
    assert clnf.detect_and_fit(np.zeros(shape, np.uint8), return_all_faces=True) == ([], [])


@pytest.mark.parametrize("cut", [(slice(None), slice(205, None)), (slice(195, None), slice(None))])
def test_half_a_face_has_finite_landmarks(
    clnf: CLNF, picture: UInt8, cut: tuple[slice, slice]
) -> None:
    top, left = cut[0].start or 0, cut[1].start or 0
    landmarks, info = clnf.fit(picture[cut], (BOX[0] - left, BOX[1] - top, *BOX[2:]))
    assert np.isfinite(landmarks).all()
    assert info["success"] or "validator" in info["reason"]


@pytest.mark.parametrize("yaw", [1.2, 1.57, 3.1])
def test_a_profile_that_is_none_is_refused(clnf: CLNF, picture: UInt8, yaw: float) -> None:
    turned = start([1.2, 0, yaw, 0, 200, 190])
    landmarks, info = clnf.fit(picture, BOX, initial_params=turned)
    assert np.isfinite(landmarks).all()
    assert not info["success"]
    assert "the validator rates the fit" in info["reason"]
