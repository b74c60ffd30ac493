"""Point models: parameters by hand, the reference's fits, moved pictures, what cannot be fitted."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pyfaceau.errors import InputError, WeightsError
from pyfaceau.pdm.model import PDM
from pyfaceau.refinement.point_model import EYE, INNER, FitParameters, PointModel, list_entries
from pyfaceau.types import ShapeFit

LISTS = {
    "part0": ("model_inner/clnf_inner.txt", INNER),
    "part1": ("model_eye/clnf_left_synth.txt", EYE),
    "part2": ("model_eye/clnf_right_synth.txt", EYE),
}


@pytest.fixture(scope="module")
def golden(shared: Path) -> dict[str, np.ndarray]:
    with np.load(shared / "reference/stages/single_face/stages.npz") as arrays:
        wanted = ("h0_", "main_", "part", "gray1")
        return {name: arrays[name] for name in arrays.files if name.startswith(wanted)}


@pytest.fixture(scope="module")
def face(weights_dir: Path) -> PointModel:
    return PointModel.load(weights_dir / "clnf_general.txt", FitParameters())


@pytest.fixture
def start(golden: dict[str, np.ndarray]) -> ShapeFit:
    return ShapeFit(golden["h0_init"], np.zeros(34, np.float32))


def test_parameters_by_hand() -> None:
    parameters = FitParameters(weight_factor=2.5)
    assert parameters.at_scale(0.25) == parameters
    twice = parameters.at_scale(0.5)  # one octave
    assert (twice.regularisation, twice.sigma, twice.weight_factor) == (10, 1.75, 7.5)
    assert parameters.at_scale(1.0).regularisation == 0.001  # 25 - 30
    assert INNER.at_scale(1.0) == INNER
    stronger = FitParameters().for_ceclm()
    assert (stronger.sigma, stronger.regularisation) == (2.25, 22.5)


@pytest.mark.parametrize("scale", [0, 1, 2])
def test_parameters_of_the_reference(golden: dict[str, np.ndarray], scale: int) -> None:
    adapted = FitParameters().at_scale((0.25, 0.35, 0.5)[scale])
    got = [adapted.regularisation, adapted.sigma, adapted.weight_factor]
    np.testing.assert_array_equal(got, golden[f"h0_s{scale}_par"])


@pytest.mark.parametrize(
    "wrong",
    [
        {"sigma": 0}, {"sigma": math.nan}, {"regularisation": -1.0}, {"threshold": math.inf},
        {"max_iterations": 0},
    ],
)  # fmt: skip
def test_bad_parameters_are_named(wrong: dict[str, float]) -> None:
    [name] = wrong
    with pytest.raises(InputError, match=f"{name}: expected"):
        FitParameters(**wrong)


def test_fit_of_the_reference(
    face: PointModel, golden: dict[str, np.ndarray], start: ShapeFit
) -> None:
    fit = face.fit(golden["gray1"], start, (11, 9, 7))
    np.testing.assert_array_equal(fit.shape.params_global, golden["main_global"])
    np.testing.assert_array_equal(fit.shape.params_local, golden["main_local"].ravel())
    assert fit.likelihood == golden["h0_s2_lh"][0]
    assert fit.ok
    assert fit.view == 0
    coarse = face.fit(golden["gray1"], start, (11, 0, 0))
    np.testing.assert_array_equal(coarse.shape.params_global, golden["h0_s0_nonrigid"])
    assert coarse.likelihood == golden["h0_s0_lh"][0]


@pytest.mark.parametrize("part", LISTS)
def test_parts_of_the_reference(
    weights_dir: Path, golden: dict[str, np.ndarray], part: str
) -> None:
    list_file, parameters = LISTS[part]
    model = PointModel.load(weights_dir / list_file, parameters)
    start = ShapeFit(golden[f"{part}_initg"], golden[f"{part}_initl"].ravel())
    fit = model.fit(golden["gray1"], start, parameters.windows_init)
    np.testing.assert_array_equal(fit.shape.params_global, golden[f"{part}_outg"])
    np.testing.assert_array_equal(fit.shape.params_local, golden[f"{part}_outl"].ravel())
    assert fit.likelihood == golden[f"{part}_lh"][0]


def test_fit_moves_with_the_picture(
    face: PointModel, golden: dict[str, np.ndarray], start: ShapeFit
) -> None:
    here = face.fit(golden["gray1"], start, (11, 9, 7)).shape
    moved = np.pad(golden["gray1"], ((64, 0), (128, 0)))
    rigid = start.params_global + np.array([0, 0, 0, 0, 128, 64], np.float32)
    there = face.fit(moved, ShapeFit(rigid, start.params_local), (11, 9, 7)).shape
    away = face.pdm.shape_2d(there) - face.pdm.shape_2d(here) - [128, 64]
    # Rounding differs with the position, and a step of 0.1 cell can turn on it.
    assert np.abs(away).max() < 0.5
    assert np.abs(away).mean() < 0.05


def test_windows_of_nothing_leave_the_start(
    face: PointModel, golden: dict[str, np.ndarray], start: ShapeFit
) -> None:
    fit = face.fit(golden["gray1"], start, (0, 0, 0))
    assert fit.shape is start
    assert (fit.ok, fit.iterations, fit.converged, fit.likelihood) == (True, 0, False, -10)


def test_limits_of_the_steps(
    face: PointModel, golden: dict[str, np.ndarray], start: ShapeFit
) -> None:
    hasty = replace(face, parameters=FitParameters(max_iterations=1))
    fit = hasty.fit(golden["gray1"], start, (11, 9, 7))
    assert (fit.iterations, fit.converged, fit.final_update) == (6, False, math.inf)
    content = replace(face, parameters=FitParameters(max_iterations=100, threshold=1.0))
    fit = content.fit(golden["gray1"], start, (11, 9, 7))
    assert fit.converged
    assert fit.final_update < 1
    assert fit.iterations < 60


def test_a_small_face_is_given_up(face: PointModel, golden: dict[str, np.ndarray]) -> None:
    far_away = ShapeFit(np.array([0.1, 0, 0, 0, 300, 200], np.float32), np.zeros(34, np.float32))
    fit = face.fit(golden["gray1"], far_away, (11, 9, 7))
    assert not fit.ok
    assert fit.shape.params_global[0] < 0.25
    assert fit.iterations <= 10  # one scale


@pytest.mark.parametrize("scale", [0.0, 1e-30])
def test_points_in_one_place_are_no_face(
    face: PointModel, golden: dict[str, np.ndarray], scale: float
) -> None:
    dot = ShapeFit(np.array([scale, 0, 0, 0, 300, 200], np.float32), np.zeros(34, np.float32))
    fit = face.fit(golden["gray1"], dot, (11, 9, 7))
    assert not fit.ok
    assert fit.shape is dot


@pytest.mark.parametrize("gray", [0, 255])
@pytest.mark.parametrize("place", [(300, 200), (-5000, 9000)])
def test_nothing_to_see_gives_a_finite_fit(
    face: PointModel, gray: int, place: tuple[float, float]
) -> None:
    blank = np.full((360, 640), gray, np.uint8)
    start = ShapeFit(np.array([1, 0, 0, 0, *place], np.float32), np.zeros(34, np.float32))
    fit = face.fit(blank, start, (11, 9, 7))
    assert np.isfinite(face.pdm.shape_2d(fit.shape)).all()
    assert np.isfinite(fit.likelihood)


def test_lists_are_words(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("PDM  a.txt\n\n  PatchesCCNF b.txt c \r\n")
    assert list_entries(tmp_path / "list.txt") == [["PDM", "a.txt"], ["PatchesCCNF", "b.txt", "c"]]
    (tmp_path / "list.txt").write_text("PDM\n")
    with pytest.raises(WeightsError, match=r"list\.txt: a line names no file"):
        list_entries(tmp_path / "list.txt")


def test_incomplete_models_are_refused(tmp_path: Path, weights_dir: Path, face: PointModel) -> None:
    (tmp_path / "list.txt").write_text("PDM In-the-wild_aligned_PDM_68.txt\n")
    with pytest.raises(WeightsError, match="names no PDM or no patch experts"):
        PointModel.load(tmp_path / "list.txt", FitParameters())
    inner = PDM.load(weights_dir / "model_inner/pdms/pdm_51_inner.txt")
    with pytest.raises(WeightsError, match="expected 51 landmarks as the shape model has, got 68"):
        PointModel(inner, face.scales, FitParameters())
    with pytest.raises(WeightsError, match=r"absent\.txt: model file is missing"):
        PointModel.load(tmp_path / "absent.txt", FitParameters())
