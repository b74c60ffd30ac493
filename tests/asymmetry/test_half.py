"""Halves made whole: who is asked about a fit, whose eye it has, what the network sees."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pyfaceau.asymmetry.half import Half, HalfFitter
from pyfaceau.asymmetry.midline import Midline, find_midline, half_made_whole
from pyfaceau.numerics.warp import warp_affine_u8, warp_halves_u8
from pyfaceau.pdm.model import PDM
from pyfaceau.refinement.eyes import EyeFitter
from pyfaceau.refinement.face_model import FaceModel
from pyfaceau.types import Float32, Float64, ShapeFit, UInt8

SIZE = 400


@pytest.fixture(scope="module")
def pdm(weights_dir: Path) -> PDM:
    """Return the shape model."""
    return PDM.load(weights_dir / "In-the-wild_aligned_PDM_68.txt")


def made_half(pdm: PDM, hint: float | None = None) -> Half:
    """Return half of an even face in noise; the network's points have the jaw so many mm off."""
    rng = np.random.default_rng(8)
    image = rng.integers(0, 256, (SIZE, SIZE, 3)).astype(np.uint8)
    place = np.array([1.5, 0, 0, 0.1, 200, 210], np.float32)
    points = pdm.shape_2d(ShapeFit(place, np.zeros(pdm.n_modes, np.float32))).astype(np.float64)
    line = find_midline(points)
    whole = half_made_whole(points, line).astype(np.float32)
    seen = None
    if hint is not None:
        seen = whole.copy()
        seen[:17, 1] += 1.5 * hint
    return Half(image, image[..., 1].copy(), line, whole, seen)


class Rated:
    """A refiner that stays where it starts, of one likelihood after the other."""

    needs_landmarks = False

    def __init__(self, *likelihoods: float) -> None:
        self.likelihoods, self.starts = list(likelihoods), []

    def fit(
        self, gray: UInt8, start: ShapeFit, landmarks: Float32 | None, trusted: bool
    ) -> ShapeFit:
        """Return the start, rated."""
        self.starts.append(start)
        return replace(start, likelihood=self.likelihoods.pop(0))


class Network:
    """A landmark network that sees a shape wherever its crop lies, and keeps what it was shown."""

    def __init__(self, points: Float32) -> None:
        self.points, self.crops = points, []
        self.picture: UInt8 | None = None

    def predict_crops(self, image: UInt8, crops: Float64) -> Float32:
        """Return the points as of the part of the picture that is shown."""
        self.crops.append(crops[0])
        self.picture = image
        return (self.points - self.corner)[None]

    corner = np.zeros(2, np.float32)


def jaw_off(half: Half, mm: float) -> Float32:
    """Return a half's points, jaw and chin so far down."""
    points = half.whole.copy()
    points[:17, 1] += 1.5 * mm
    return points


@pytest.mark.parametrize(
    ("likelihoods", "before", "hint", "asked", "kept"),
    [
        ((0.5,), 0.5, None, 0, 0.5),
        ((0.41,), 0.5, None, 0, 0.41),
        ((0.3, 0.35), 0.5, None, 1, 0.3),  # it fell; the landmarks' fit is hardly likelier
        ((0.3, 0.45), 0.5, None, 0, 0.45),  # the landmarks' fit settles it
        ((0.5,), None, None, 1, 0.5),  # the first frame
        ((0.5,), None, 2.0, 1, 0.5),
        ((0.3,), 0.5, 2.0, 0, 0.3),  # what the network saw of the whole face tells otherwise
        ((0.5, 0.6), 0.5, 11.0, 1, 0.5),
    ],
)
def test_the_network_is_asked_where_a_half_is_in_doubt(
    pdm: PDM,
    likelihoods: tuple[float, ...],
    before: float | None,
    hint: float | None,
    asked: int,
    kept: float,
) -> None:
    half = made_half(pdm, hint)
    network = Network(half.whole)
    network.corner = half.reflected()[1].astype(np.float32)
    refiner = Rated(*likelihoods)
    start = pdm.calc_params(half.whole)
    fitter = HalfFitter(pdm, refiner, network)
    fit = fitter.follow(half, None if before is None else replace(start, likelihood=before))
    assert len(network.crops) == asked
    assert refiner.likelihoods == []
    assert fit.likelihood == kept


def test_a_half_goes_where_the_network_sees_it_if_that_is_likelier(pdm: PDM) -> None:
    half = made_half(pdm)
    start = replace(pdm.calc_params(half.whole), likelihood=0.6)
    for fresh, taken in ((0.49, False), (0.51, True)):
        network = Network(jaw_off(half, 7.0))
        network.corner = half.reflected()[1].astype(np.float32)
        refiner = Rated(0.4, 0.4, fresh)
        fit = HalfFitter(pdm, refiner, network).follow(half, start)
        assert len(refiner.starts) == 3
        assert (fit.likelihood == fresh) is taken
    expected = pdm.calc_params(jaw_off(half, 7.0))
    np.testing.assert_allclose(fit.params_global, expected.params_global, rtol=1e-4, atol=1e-4)


def test_without_a_network_a_far_half_starts_from_the_landmarks(pdm: PDM) -> None:
    half = made_half(pdm)
    start = pdm.calc_params(half.whole)
    for pixels, kept in ((8.0, True), (10.0, False)):  # 6 mm are 9 pixels
        moved = start.params_global + np.float32([0, 0, 0, 0, pixels, 0])
        refiner = Rated(0.5)
        HalfFitter(pdm, refiner).follow(half, replace(start, params_global=moved))
        assert bool(refiner.starts[0].params_global[4] == moved[4]) is kept


def test_the_network_sees_what_the_fit_sees(pdm: PDM) -> None:
    half = made_half(pdm)
    picture, corner = half.reflected()
    left, top = (int(v) for v in corner)
    height, width = picture.shape[:2]
    same = half.reflected_gray[top : top + height, left : left + width]
    assert width > np.ptp(half.whole[:, 0]) * 1.3
    # The gray picture of the half is made of the green plane here.
    apart = np.abs(picture[..., 1].astype(int) - same)
    assert (apart == 0).mean() > 0.98  # positions are rounded to 1/32 pixel, now and then the next
    assert apart.max() <= 8
    x, y = (int(v) for v in half.whole[30] - (30, 0))
    np.testing.assert_array_equal(picture[y - top, x - left], half.image[y, x])


def test_one_map_before_the_line_another_beyond() -> None:
    rng = np.random.default_rng(1)
    image = rng.integers(0, 256, (40, 50, 3)).astype(np.uint8)
    here = np.array([[0.9, 0.1, 3.0], [-0.1, 0.9, 4.0]])
    there = np.array([[-1.0, 0.0, 45.0], [0.0, 1.0, -2.0]])
    one, other, out = (np.zeros((30, 30, 3), np.uint8) for _ in range(3))
    warp_affine_u8(image, here, one)
    warp_affine_u8(image, there, other)
    normal = np.array([1.0, 0.5, -20.2])
    warp_halves_u8(image, here, there, normal, out)
    y, x = np.mgrid[:30, :30]
    beyond = (x + 0.5 * y - 20.2 > 0)[..., None]
    np.testing.assert_array_equal(out, np.where(beyond, other, one))


def test_the_eye_is_the_halfs_own_and_its_reflection(pdm: PDM) -> None:
    model = FaceModel.load("main_clnf_general.txt")
    eyes = EyeFitter.of(model)
    assert eyes is not None
    half = made_half(pdm)
    fit = pdm.calc_params(half.whole)
    plain = pdm.shape_2d(HalfFitter(pdm).with_eye(half, fit))
    np.testing.assert_allclose(plain, half.whole, atol=1.0)
    with_eyes = pdm.shape_2d(HalfFitter(pdm, eyes=eyes).with_eye(half, fit))
    moved = np.hypot(*(with_eyes - plain).T)
    assert moved[36:48].max() > 0.2
    mirrored = half_made_whole(with_eyes.astype(np.float64), half.line)
    np.testing.assert_allclose(with_eyes[42:48], mirrored[42:48], atol=1.0)
    small = replace(fit, params_global=fit.params_global * np.float32([0.5, 1, 1, 1, 1, 1]))
    np.testing.assert_array_equal(
        pdm.shape_2d(HalfFitter(pdm, eyes=eyes).with_eye(half, small)),
        pdm.shape_2d(HalfFitter(pdm).with_eye(half, small)),
    )


def test_the_midline_is_not_moved_by_what_is_read_from_it() -> None:
    line = Midline(np.array([10.0, 20.0]), np.array([0.0, 1.0]))
    first = line.reflection
    first[:] = 0
    np.testing.assert_array_equal(line.reflection @ (12.0, 5.0, 1.0), [8.0, 5.0])


def test_a_half_beside_the_picture_is_seen_as_nothing(pdm: PDM) -> None:
    half = made_half(pdm)
    far = replace(half, whole=half.whole + np.float32(5000))
    picture, corner = far.reflected()
    assert picture.shape == (1, 1, 3)
    assert corner.tolist() == [SIZE - 1, SIZE - 1]
    assert far.reflected_gray.shape == half.gray.shape
