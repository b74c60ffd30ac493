"""Targeted refinement: measured points go where the experts see them, the others mostly stay."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyfaceau.errors import InputError, WeightsError
from pyfaceau.pdm.model import PDM
from pyfaceau.refinement import TargetedCLNFRefiner, targeted_refiner
from pyfaceau.refinement.targeted_refiner import TARGET_POINTS
from pyfaceau.types import ShapeFit

pytestmark = pytest.mark.usefixtures("weights_dir")
NINE = list(TARGET_POINTS)
SVR, CCNF = "svr_patches_0.25_general.txt", "ccnf_patches_0.25_general.txt"
INNER = "ccnf_patches_1.00_inner.txt"


class Pointing:
    """Experts of one view whose maps have one peak, `shift` cells from the middle."""

    scale = 0.5
    confidence = np.ones((1, 68), np.float32)
    visibility = np.ones((1, 68), np.bool_)

    def __init__(self, shift: tuple[int, int]) -> None:
        self.shift = shift
        self.windows: list[int] = []

    def view(self, rotation: np.ndarray) -> int:
        """Return the only view."""
        return 0

    def responses(self, gray, landmarks, to_image, view, window, only=None):  # type: ignore[no-untyped-def]
        """Return the peaked maps."""
        self.windows.append(window)
        maps = np.zeros((len(landmarks), window, window), np.float32)
        maps[:, window // 2 + self.shift[1], window // 2 + self.shift[0]] = 1
        return maps


@pytest.fixture(scope="module")
def pdm(weights_dir: Path) -> PDM:
    """Load the 68-point shape model."""
    return PDM.load(weights_dir / "In-the-wild_aligned_PDM_68.txt")


@pytest.fixture(scope="module")
def refiners(weights_dir: Path) -> dict[str, TargetedCLNFRefiner]:
    """Make one refiner of each kind."""
    return {
        "svr": TargetedCLNFRefiner(patch_expert_file=SVR, search_window=3),
        "ccnf": TargetedCLNFRefiner(),
        "all": TargetedCLNFRefiner(points=None),
    }


@pytest.fixture(scope="module")
def face(shared: Path) -> tuple[np.ndarray, np.ndarray]:
    """Load a picture and the reference program's landmarks on it."""
    with np.load(shared / "reference/stages/single_face/stages.npz") as data:
        return data["gray1"], np.ascontiguousarray(data["final_lmk"].reshape(2, 68).T)


def error(found: np.ndarray, truth: np.ndarray, points: list[int] | slice) -> float:
    """Return the mean distance of some points, % of the distance of the eyes' outer corners."""
    distance = np.linalg.norm(found - truth, axis=1)[points].mean()
    return float(100 * distance / np.linalg.norm(truth[36] - truth[45]))


@pytest.mark.parametrize("points", [None, NINE])
def test_one_cell_to_the_right(
    pdm: PDM, monkeypatch: pytest.MonkeyPatch, points: list[int] | None
) -> None:
    """One cell at 0.5 pixels per mm is 2 mm: 4 pixels for a face of 2 pixels per mm."""
    monkeypatch.setattr(targeted_refiner, "load_experts", lambda path: Pointing((1, 0)))
    refiner = TargetedCLNFRefiner([CCNF], points=points)
    start = ShapeFit(np.array([2, 0, 0, 0, 100, 90], np.float32), np.zeros(34, np.float32))
    moved = pdm.shape_2d(refiner.fit(np.zeros((8, 8), np.uint8), start)) - pdm.shape_2d(start)
    if points is None:
        np.testing.assert_allclose(moved, np.broadcast_to([4, 0], (68, 2)), atol=0.05)
    else:
        others = np.delete(moved, points, axis=0)
        assert moved[points, 0].mean() > 1.5
        assert abs(others[:, 0]).mean() < moved[points, 0].mean() / 2


@pytest.mark.parametrize(("asked", "used"), [(1, 3), (3, 7), (7, 15)])
def test_window_is_the_one_asked_for(
    pdm: PDM, monkeypatch: pytest.MonkeyPatch, asked: int, used: int
) -> None:
    experts = Pointing((0, 0))
    monkeypatch.setattr(targeted_refiner, "load_experts", lambda path: experts)
    start = ShapeFit(np.array([1, 0, 0, 0, 0, 0], np.float32), np.zeros(34, np.float32))
    TargetedCLNFRefiner([CCNF], search_window=asked).fit(np.zeros((8, 8), np.uint8), start)
    assert experts.windows == [used]


@pytest.mark.parametrize(("kind", "left"), [("svr", 0.75), ("ccnf", 0.6), ("all", 0.4)])
def test_moves_towards_the_reference(
    refiners: dict[str, TargetedCLNFRefiner],
    face: tuple[np.ndarray, np.ndarray],
    kind: str,
    left: float,
) -> None:
    """From errors like a landmark network's, of each point and common to all."""
    gray, truth = face
    rng = np.random.default_rng(0)
    before = after = 0.0
    for _ in range(6):
        start = truth + rng.normal(0, 1.5, (1, 2)) + rng.normal(0, 2, (68, 2))
        before += error(start, truth, NINE)
        after += error(refiners[kind].refine_landmarks(gray, start), truth, NINE)
    assert after < left * before


def test_experts_of_the_inner_face_join(
    refiners: dict[str, TargetedCLNFRefiner], face: tuple[np.ndarray, np.ndarray]
) -> None:
    """A finer scale for 51 of the 68 points brings these nearer to the reference."""
    gray, truth = face
    scales = [f"ccnf_patches_{scale}_general.txt" for scale in ("0.25", "0.35", "0.5")]
    finer = TargetedCLNFRefiner([*scales, INNER], points=None)
    start = truth + np.random.default_rng(1).normal(0, 2, (68, 2))
    inner = slice(17, 68)
    coarse = error(refiners["all"].refine_landmarks(gray, start), truth, inner)
    assert error(finer.refine_landmarks(gray, start), truth, inner) < coarse


def test_less_confidence_is_a_wider_search(
    refiners: dict[str, TargetedCLNFRefiner], face: tuple[np.ndarray, np.ndarray]
) -> None:
    """A start 23 pixels off is found again only from the coarsest scale."""
    gray, truth = face
    start = np.add(truth, (20, 12))
    trusted = error(refiners["all"].refine_landmarks(gray, start), truth, slice(None))
    doubted = error(refiners["all"].refine_landmarks(gray, start, 0.2), truth, slice(None))
    assert doubted < 0.5 * trusted


@settings(max_examples=5, deadline=None)
@given(dx=st.integers(0, 40), dy=st.integers(0, 40))
def test_moves_with_the_picture(
    refiners: dict[str, TargetedCLNFRefiner],
    face: tuple[np.ndarray, np.ndarray],
    dx: int,
    dy: int,
) -> None:
    gray, truth = face
    found = refiners["ccnf"].refine_landmarks(gray, truth)
    shifted = np.pad(gray, ((dy, 0), (dx, 0)))
    again = refiners["ccnf"].refine_landmarks(shifted, np.add(truth, (dx, dy)))
    np.testing.assert_allclose(again - (dx, dy), found, atol=0.1)


def test_face_partly_outside_the_picture(
    refiners: dict[str, TargetedCLNFRefiner], face: tuple[np.ndarray, np.ndarray]
) -> None:
    gray, truth = face
    left = int(truth[30, 0])
    found = refiners["ccnf"].refine_landmarks(gray[:, left:], truth - (left, 0))
    assert np.isfinite(found).all()
    assert error(np.add(found, (left, 0)), truth, slice(None)) < 15


GRAY = np.zeros((90, 90), np.uint8)
FACE = np.random.default_rng(0).uniform(10, 80, (68, 2))


@pytest.mark.parametrize(
    ("gray", "points", "message"),
    [
        (GRAY.astype(np.uint16), FACE, "gray: expected"),
        (np.zeros((90, 90, 3), np.uint8), FACE, "gray: expected"),
        (np.zeros((0, 9), np.uint8), FACE, "gray: expected"),
        (GRAY, FACE[:67], "initial_landmarks: expected"),
        (GRAY, np.full((68, 2), np.nan), "initial_landmarks: expected"),
        (GRAY, np.ones((68, 2)), "initial_landmarks: expected"),
        (GRAY, FACE.astype(str), "initial_landmarks: expected"),
    ],
)
def test_bad_picture_or_points(
    refiners: dict[str, TargetedCLNFRefiner], gray: np.ndarray, points: np.ndarray, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        refiners["ccnf"].refine_landmarks(gray, points)


def test_bad_options() -> None:
    with pytest.raises(InputError, match="search_window: expected 1 to 7, got 0"):
        TargetedCLNFRefiner(search_window=0)
    with pytest.raises(InputError, match="points: expected numbers from 0 to 67"):
        TargetedCLNFRefiner(points=[68])
    with pytest.raises(InputError, match="points: expected numbers"):
        TargetedCLNFRefiner(points=[])
    with pytest.raises(InputError, match="patch_expert_file: expected at least one"):
        TargetedCLNFRefiner([])
    with pytest.raises(WeightsError, match=r"no_such_experts\.txt"):
        TargetedCLNFRefiner("no_such_experts.txt")
