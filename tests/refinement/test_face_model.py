"""The hierarchy: the reference's first fit and the next frames, small faces, models cut short."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pyfaceau.errors import WeightsError
from pyfaceau.media.video import VideoReader
from pyfaceau.numerics.warp import gray_from_bgr
from pyfaceau.refinement.early_termination import EarlyTermination
from pyfaceau.refinement.face_model import HYPOTHESES, FaceModel, blank_shape
from pyfaceau.refinement.fits import FaceFit, PointFit
from pyfaceau.refinement.point_model import PointModel
from pyfaceau.types import FaceBox, ShapeFit, UInt8

TRACKED = 8
"""Frames that are followed."""


@pytest.fixture(scope="module")
def golden(shared: Path) -> dict[str, np.ndarray]:
    with np.load(shared / "reference/stages/single_face/stages.npz") as arrays:
        wanted = ("f_", "hyp_", "final_", "main_", "part", "gray1", "mtcnn")
        return {name: arrays[name] for name in arrays.files if name.startswith(wanted)}


@pytest.fixture(scope="module")
def model(weights_dir: Path) -> FaceModel:
    return FaceModel.load(weights_dir / "main_clnf_general.txt")


@pytest.fixture(scope="module")
def box(golden: dict[str, np.ndarray]) -> FaceBox:
    return FaceBox(*(float(v) for v in golden["mtcnn"]))


def gray_frames(shared: Path, count: int) -> Iterator[UInt8]:
    """Yield the first frames of the reference's video in gray."""
    with VideoReader(shared / "samples/video/single_face.mp4") as video:
        for frame in video:
            if frame.index == count:
                return
            yield gray_from_bgr(frame.image)


def column(vector: np.ndarray) -> np.ndarray:
    """Return (n, 2) points of all x, then all y."""
    return vector.reshape(2, -1).T


def check_parts(fit: FaceFit, golden: dict[str, np.ndarray], prefix: str, row: object) -> None:
    """Compare the parts with arrays whose names begin so."""
    for k, (shape, points) in enumerate(fit.parts):
        rigid, local, lmk = (golden[f"{prefix}{k}_{name}"][row] for name in NAMES[prefix])
        np.testing.assert_array_equal(shape.params_global, rigid)
        np.testing.assert_array_equal(shape.params_local, local.ravel())
        np.testing.assert_array_equal(points, column(lmk))


NAMES = {"part": ("outg", "outl", "lmk"), "f_part": ("g", "l", "lmk")}


def test_hypotheses_of_the_reference(
    model: FaceModel, golden: dict[str, np.ndarray], box: FaceBox
) -> None:
    for number, rotation in enumerate(HYPOTHESES):
        start = model.from_box(box, rotation)
        np.testing.assert_array_equal(start.params_global, golden["hyp_init"][number])
        fit = model.fit(golden["gray1"], start)
        outcome = [*fit.shape.params_global, fit.likelihood, fit.confidence, fit.ok, fit.view]
        np.testing.assert_array_equal(
            np.array(outcome, np.float32), golden["hyp_out"][number], err_msg=str(rotation)
        )
        np.testing.assert_array_equal(fit.landmarks, column(golden["hyp_lmk"][number]))


def test_first_fit_of_the_reference(
    model: FaceModel, golden: dict[str, np.ndarray], box: FaceBox
) -> None:
    fit = model.fit_box(golden["gray1"], box)
    np.testing.assert_array_equal(fit.shape.params_global, golden["final_global"])
    np.testing.assert_array_equal(fit.shape.params_local, golden["final_local"].ravel())
    np.testing.assert_array_equal(fit.landmarks, column(golden["final_lmk"]))
    check_parts(fit, golden, "part", ...)
    assert fit.ok
    eyes = model.eyes(fit.parts)
    assert eyes is not None
    np.testing.assert_array_equal(eyes[0].points, column(golden["part1_lmk"]))
    np.testing.assert_array_equal(eyes[1].points, column(golden["part2_lmk"]))


def test_next_frames_of_the_reference(
    model: FaceModel, golden: dict[str, np.ndarray], shared: Path
) -> None:
    for t, gray in enumerate(gray_frames(shared, TRACKED)):
        if t == 0:
            continue
        before = ShapeFit(golden["f_global"][t - 1], golden["f_local"][t - 1])
        fit = model.fit(gray, before, tracked=True)
        np.testing.assert_array_equal(fit.shape.params_global, golden["f_global"][t])
        np.testing.assert_array_equal(fit.shape.params_local, golden["f_local"][t])
        np.testing.assert_array_equal(fit.landmarks, column(golden["f_lmk"][t]))
        check_parts(fit, golden, "f_part", t)
        confidence, likelihood, view = golden["f_state"][t, 4:7]
        assert (fit.confidence, fit.likelihood, fit.view) == (confidence, likelihood, view)


def test_likeliest_hypothesis_wins(
    model: FaceModel, golden: dict[str, np.ndarray], box: FaceBox
) -> None:
    wide = replace(box, x=box.x - 30, width=box.width + 60)
    fits = [model.fit(golden["gray1"], model.from_box(wide, r)) for r in HYPOTHESES[:4]]
    best = max(range(4), key=lambda k: fits[k].likelihood)
    chosen = model.fit_box(golden["gray1"], wide, 4)
    np.testing.assert_array_equal(chosen.landmarks, fits[best].landmarks)
    one = model.fit_box(golden["gray1"], wide, 1)
    np.testing.assert_array_equal(one.landmarks, fits[0].landmarks)


def test_eyes_of_a_small_face_follow_its_lids(
    model: FaceModel, golden: dict[str, np.ndarray], box: FaceBox
) -> None:
    gray = golden["gray1"][::2, ::2].copy()
    fit = model.fit_box(gray, FaceBox(box.x / 2, box.y / 2, box.width / 2, box.height / 2), 1)
    assert 0.25 < fit.shape.params_global[0] < 0.9
    # too small for the part models: they only take over the points, which stay as they are
    np.testing.assert_array_equal(fit.landmarks, model.main.pdm.shape_2d(fit.shape))
    for part, (shape, points) in zip(model.parts, fit.parts, strict=True):
        shared_points = np.zeros((part.model.pdm.n_points, 2), np.float32)
        shared_points[part.part_points] = fit.landmarks[part.face_points]
        expected = part.model.pdm.calc_params(shared_points)
        np.testing.assert_array_equal(shape.params_global, expected.params_global)
        np.testing.assert_array_equal(points, part.model.pdm.shape_2d(expected))


def test_a_face_lost_from_sight_has_no_confidence(
    model: FaceModel, golden: dict[str, np.ndarray]
) -> None:
    fit = model.fit_box(golden["gray1"], FaceBox(300, 200, 9, 9), 1)
    assert (fit.ok, fit.confidence) == (False, 0.0)
    for points in (fit.landmarks, *(points for _, points in fit.parts)):
        assert np.isfinite(points).all()


def test_points_in_one_place_are_no_face(model: FaceModel, golden: dict[str, np.ndarray]) -> None:
    dot = ShapeFit(np.array([0, 0, 0, 0, 300, 200], np.float32), np.zeros(34, np.float32))
    fit = model.fit(golden["gray1"], dot)
    assert (fit.ok, fit.confidence) == (False, 0.0)
    assert np.isfinite(fit.landmarks).all()


def test_before_any_fit_all_is_zero(model: FaceModel) -> None:
    assert blank_shape(3).params_global.tolist() == [1, 0, 0, 0, 0, 0]
    parts = model.empty_parts()
    assert [points.shape for _, points in parts] == [(51, 2), (28, 2), (28, 2)]
    assert [shape.params_local.size for shape, _ in parts] == [32, 10, 10]
    eyes = model.eyes(parts)
    assert eyes is not None
    assert not eyes[0].points.any()


def test_without_parts_there_are_no_eyes(
    model: FaceModel, golden: dict[str, np.ndarray], box: FaceBox
) -> None:
    bare = replace(model, parts=())
    fit = bare.fit_box(golden["gray1"], box, 1)
    assert bare.eyes(fit.parts) is None
    np.testing.assert_array_equal(fit.shape.params_global, golden["main_global"])
    np.testing.assert_array_equal(fit.landmarks, column(golden["main_lmk"]))


@pytest.mark.parametrize(
    "text", ["LandmarkDetector clnf_general.txt\n", "DetectionValidator validator_cnn.txt\n"]
)
def test_half_a_model_is_refused(tmp_path: Path, weights_dir: Path, text: str) -> None:
    (tmp_path / "half.txt").write_text(text)
    with pytest.raises(WeightsError, match="names no landmark detector or no validator"):
        FaceModel.load(tmp_path / "half.txt")


def test_a_missing_model_is_named(weights_dir: Path) -> None:
    with pytest.raises(WeightsError, match="main_other_general"):
        FaceModel.load("main_other_general.txt")


def test_search_of_starts_fits_each_scale_once(
    model: FaceModel, box: FaceBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rule that is content at once: the coarsest scale from the box, then the finer ones."""
    asked: list[tuple[int, ...]] = []

    def fit(self: PointModel, gray: UInt8, start: ShapeFit, windows: tuple[int, ...]) -> PointFit:
        asked.append(windows)
        return PointFit(start, True, 0.0, view=3)

    monkeypatch.setattr(PointModel, "fit", fit)
    monkeypatch.setattr(FaceModel, "fit_windows", lambda *args: asked.append(args[3]))
    rule = EarlyTermination(np.ones(7), np.zeros(7), np.full(7, -1.0))
    searching = replace(model, main=replace(model.main, early_termination=rule))
    searching.fit_box(np.zeros((480, 640), np.uint8), box)
    assert asked == [(11,), (0, 9, 7, 5)]
