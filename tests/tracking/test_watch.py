"""Shapes that part from a network's points: by hand, and as the tracker decides between them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pyfaceau.pdm.model import PDM
from pyfaceau.tracking.targeted_fitter import TargetedFitter
from pyfaceau.tracking.watch import (
    distance_of,
    fell,
    has_parted,
    likelier,
    part_distance,
    start_from,
)
from pyfaceau.types import Float32, Float64, Frame, ShapeFit, UInt8

GRAY = np.zeros((480, 640), np.uint8)
BROW = slice(17, 22)


@pytest.fixture(scope="module")
def pdm(weights_dir: Path) -> PDM:
    """Return the shape model."""
    return PDM.load(weights_dir / "In-the-wild_aligned_PDM_68.txt")


def shape_at(x: float, likelihood: float = float("nan"), scale: float = 2.0) -> ShapeFit:
    """Return the mean face at a place."""
    place = np.array([scale, 0, 0, 0, x, 240], np.float32)
    return ShapeFit(place, np.zeros(34, np.float32), likelihood)


def test_distances_are_in_mm_of_the_shape_model(pdm: PDM) -> None:
    shape = shape_at(300)  # 2 pixels per mm
    points = pdm.shape_2d(shape)
    moved = points.copy()
    moved[BROW] += (6.0, 8.0)
    assert part_distance(shape, points, moved) == pytest.approx(5.0, abs=1e-4)
    assert distance_of(shape, points, moved) == pytest.approx(5.0 * np.sqrt(5 / 68), abs=1e-4)
    scattered = points.copy()
    scattered[BROW] += np.array([[9, 0], [-9, 0], [0, 9], [0, -9], [0, 0]], np.float32)
    assert part_distance(shape, points, scattered) == pytest.approx(0.0, abs=1e-4)
    flat = shape_at(300, scale=0.0)
    assert part_distance(flat, points, moved) == distance_of(flat, points, moved) == np.inf


@pytest.mark.parametrize(("shift", "parted"), [(11.9, False), (12.1, True)])
def test_a_part_has_parted_beyond_six_mm(pdm: PDM, shift: float, parted: bool) -> None:
    shape = shape_at(300, 0.5)
    points = pdm.shape_2d(shape)
    moved = points.copy()
    moved[BROW, 1] -= shift
    assert has_parted(shape, points, moved) is parted
    assert not has_parted(shape_at(300), points, moved)  # what nobody rated cannot be compared


def test_a_likelihood_falls_by_more_than_a_tenth() -> None:
    assert fell(shape_at(0, 0.5), shape_at(0, 0.39))
    assert not fell(shape_at(0, 0.5), shape_at(0, 0.41))
    assert not fell(shape_at(0), shape_at(0, -5.0))
    assert not fell(shape_at(0, 0.5), shape_at(0))


class Rated:
    """A refiner that stays where it starts, with the likelihoods it was told for places."""

    needs_landmarks = False

    def __init__(self, likelihoods: dict[float, float]) -> None:
        self.likelihoods, self.starts = likelihoods, []

    def fit(
        self, gray: UInt8, start: ShapeFit, landmarks: Float32 | None, trusted: bool
    ) -> ShapeFit:
        """Return the start, rated."""
        x = float(start.params_global[4])
        self.starts.append(x)
        nearest = min(self.likelihoods, key=lambda place: abs(place - x))
        return replace(start, likelihood=self.likelihoods[nearest])


@pytest.mark.parametrize(
    ("before", "tracked", "fresh", "taken"),
    [
        (0.6, 0.6, 0.79, False),
        (0.6, 0.6, 0.81, True),
        (0.6, 0.4, 0.49, False),  # fallen: half is enough
        (0.6, 0.4, 0.51, True),
        (float("nan"), 0.4, 0.51, False),
        (0.6, 0.6, float("nan"), False),
    ],
)
def test_the_likelier_shape_is_taken(
    before: float, tracked: float, fresh: float, taken: bool
) -> None:
    refiner = Rated({300: tracked, 330: fresh})
    shape = shape_at(300, tracked)
    found = likelier(refiner, GRAY, shape_at(300, before), shape, shape_at(330))
    assert (found is not shape) is taken
    assert found.params_global[4] == (330 if taken else 300)
    assert likelier(refiner, GRAY, shape_at(300, before), shape, None) is shape
    assert refiner.starts == [330]


def test_points_that_form_no_face_are_no_start(pdm: PDM) -> None:
    points = pdm.shape_2d(shape_at(330))
    start = start_from(pdm, points)
    assert start is not None
    np.testing.assert_allclose(pdm.shape_2d(start), points, atol=0.1)
    noise = np.random.default_rng(2).uniform(200, 400, (68, 2)).astype(np.float32)
    assert start_from(pdm, noise) is None


class Network:
    """A landmark network that sees one brow higher, pixels."""

    def __init__(self, points: Float32) -> None:
        self.points, self.asked = points, 0

    def predict_crops(self, image: UInt8, crops: Float64) -> Float32:
        """Return what it was told."""
        self.asked += 1
        return self.points[None]


class Sure:
    """A validator that rates the landmarks it was told 0.9, others as it was told."""

    def __init__(self, landmarks: Float32, other: float) -> None:
        self.landmarks, self.other = landmarks, other

    def check(self, gray: UInt8, landmarks: Float32, rotation: Float32) -> float:
        """Return the confidence."""
        return 0.9 if np.array_equal(landmarks, self.landmarks) else self.other


def followed(
    pdm: PDM, before: float, tracked: float, fresh: float, watch: bool, sure: float = 1.0
) -> tuple:
    """Return a face followed where a part is lost, what was refined, how often was asked."""
    seen = pdm.shape_2d(shape_at(300))
    seen[:17, 0] += 14.0  # the jaw, 7 mm
    refiner = Rated({300: tracked, float(pdm.calc_params(seen).params_global[4]): fresh})
    network = Network(seen)
    fitter = TargetedFitter(
        None,
        network,
        pdm=pdm,
        refiner=refiner,
        validator=Sure(pdm.shape_2d(shape_at(300)), sure),  # no detector is asked
    )
    start = shape_at(300, before)
    frame = Frame(np.zeros((480, 640, 3), np.uint8), 0, 0.0)
    proposal = fitter.propose(frame, start, pdm.shape_2d(start), True, watch)
    face = fitter.commit(frame, proposal, fitter.judge(frame, proposal))
    return face, refiner.starts, network.asked


def test_a_lost_part_competes_where_the_network_watches(pdm: PDM) -> None:
    kept, starts, _ = followed(pdm, 0.5, 0.5, 0.6, watch=True)
    assert len(starts) == 2
    assert kept.shape.params_global[4] == 300
    assert kept.network_points is not None
    new, starts, _ = followed(pdm, 0.5, 0.5, 0.9, watch=True)
    assert new.shape.params_global[4] == starts[1] != 300
    assert new.shape.likelihood == 0.9
    np.testing.assert_array_equal(new.landmarks, pdm.shape_2d(new.shape))


@pytest.mark.parametrize(("sure", "taken"), [(0.72, False), (0.73, True)])
def test_a_likelier_shape_that_is_in_doubt_is_not_taken(pdm: PDM, sure: float, taken: bool) -> None:
    face, starts, _ = followed(pdm, 0.5, 0.5, 0.9, watch=True, sure=sure)
    assert len(starts) == 2
    assert (face.shape.likelihood == 0.9) is taken
    assert face.confidence == (sure if taken else 0.9)


def test_a_likelihood_that_falls_calls_the_network(pdm: PDM) -> None:
    unseen, starts, asked = followed(pdm, 0.5, 0.45, 0.9, watch=False)
    assert (len(starts), asked, unseen.network_points) == (1, 0, None)
    new, starts, asked = followed(pdm, 0.5, 0.3, 0.9, watch=False)
    assert (len(starts), asked) == (2, 1)
    assert new.shape.likelihood == 0.9
