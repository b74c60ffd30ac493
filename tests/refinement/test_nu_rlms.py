"""The optimiser: mean shifts by hand, the reference's phases, twins, limits, no evidence at all."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyfaceau.numerics.libm import expf
from pyfaceau.numerics.rotation import euler_to_matrix
from pyfaceau.numerics.similarity import align_similarity, invert2
from pyfaceau.pdm.model import PDM
from pyfaceau.refinement import _kernels_rlms as kernels
from pyfaceau.refinement._kernels_scale import reference_frame
from pyfaceau.refinement.experts import nearest_view
from pyfaceau.refinement.nu_rlms import NuRlms, ResponseMaps
from pyfaceau.types import Float32, Float64, ShapeFit

f32 = np.float32
seeds = st.integers(0, 2**32 - 1)
WINDOWS = (11, 9, 7)


@pytest.fixture(scope="module")
def golden(shared: Path) -> dict[str, np.ndarray]:
    with np.load(shared / "reference/stages/single_face/stages.npz") as arrays:
        return {name: arrays[name] for name in arrays.files if name.startswith("h0_")}


@pytest.fixture(scope="module")
def face(weights_dir: Path) -> PDM:
    return PDM.load(weights_dir / "In-the-wild_aligned_PDM_68.txt")


def small_pdm(points: int = 10, modes: int = 3) -> PDM:
    """Return a model of scattered points."""
    rng = np.random.default_rng(points)
    basis = np.linalg.qr(rng.standard_normal((3 * points, modes)))[0].astype(np.float32)
    mean = rng.normal(0, 40, 3 * points).astype(np.float32)
    return PDM(mean, basis, np.linspace(100, 20, modes).astype(np.float32))


def start_of(pdm: PDM, seed: int = 0) -> ShapeFit:
    """Return parameters of a face that looks about ahead."""
    rng = np.random.default_rng(seed)
    rigid = np.array([1.5, *rng.uniform(-0.3, 0.3, 3), 320, 240], np.float32)
    return ShapeFit(rigid, rng.normal(0, 1, pdm.n_modes).astype(np.float32))


def phase(
    optimiser: NuRlms, start: ShapeFit, responses: ResponseMaps, *, rigid: bool,
    regularisation: float, sigma: float,
) -> tuple[ShapeFit, Float32, int, float]:  # fmt: skip
    """Run one phase alone, from the kernel: fit, offsets, steps, last movement."""
    pdm = optimiser.pdm
    rotated, local = start.params_global.copy(), start.params_local.copy()
    prior, free = (
        optimiser._prior(regularisation),
        optimiser._free[:1] if rigid else optimiser._free[1:],
    )
    table, filled = optimiser._table(responses.maps.shape[1], f32(sigma))
    offsets = np.empty((pdm.n_points, 2), np.float32)
    before, scale, steps, change = kernels.nu_rlms(
        rotated, local, responses.maps, responses.base, responses.to_reference,
        responses.to_image, responses.visible, responses.weights, pdm.mean, pdm.basis,
        pdm.basis_t, prior, pdm.limits, free, optimiser._rigid, optimiser._all, f32(sigma), table,
        filled, optimiser.max_iterations, optimiser.threshold, offsets,
    )  # fmt: skip
    assert (before, scale) == (0, start.params_global[0])
    return ShapeFit(rotated, local), offsets, steps, change


def responses_about(pdm: PDM, fit: ShapeFit, maps: Float32, scale: float = 0.5) -> ResponseMaps:
    """Return response maps around a fit whose reference frame is the picture, scaled."""
    return ResponseMaps(
        maps=maps,
        base=pdm.shape_2d(fit).T.ravel(),
        to_reference=np.eye(2, dtype=np.float32) * f32(scale),
        to_image=np.eye(2, dtype=np.float32) / f32(scale),
        visible=np.ones(pdm.n_points, np.bool_),
        weights=np.ones(pdm.n_points, np.float32),
    )


def random_maps(pdm: PDM, seed: int, window: int = 7) -> Float32:
    maps = np.random.default_rng(seed).uniform(0, 1, (pdm.n_points, window, window))
    return (maps**4).astype(np.float32)


def shifts_at(maps: Float32, offsets: object, sigma: float, visible: object = True) -> Float32:
    """Return the mean-shift vectors at positions x, y in the maps."""
    count, window = maps.shape[:2]
    places = np.array(offsets, np.float32).reshape(count, 2)
    cells, seen = 10 * window, np.broadcast_to(np.array(visible, np.bool_), count).copy()
    table = np.empty((cells, cells, window, window), np.float32)
    filled = np.zeros((cells, cells), np.bool_)
    out = np.full((count, 2), np.nan, np.float32)
    kernels.mean_shift(maps, places, seen, f32(sigma), table, filled, out)
    return out


def mean_shift_twin(maps: Float32, offsets: Float32, sigma: float) -> Float32:
    """Return mean shifts in NumPy's float32, sums one term after the other."""
    window = maps.shape[1]
    a = f32(-0.5 / np.float64(f32(sigma) * f32(sigma)))
    cells = np.arange(window, dtype=np.float32)
    shifts = []
    for response, place in zip(maps, offsets, strict=True):
        x, y = np.clip(place, f32(0), f32(window) - f32(0.1))
        qx, qy = (f32(int(np.float64(v / f32(0.1)) + 0.5)) * f32(0.1) for v in (x, y))
        squares = np.square(qy - cells)[:, None] + np.square(qx - cells)
        kernel = np.array([expf(v) for v in (a * squares).ravel()], np.float32)
        v = response.ravel() * kernel
        sums = [
            np.add.accumulate(v * weight, dtype=np.float32)[-1]
            for weight in (f32(1), np.tile(cells, window), np.repeat(cells, window))
        ]
        shifts.append((sums[1] / sums[0] - x, sums[2] / sums[0] - y))
    return np.array(shifts, np.float32)


def phase_twin(
    pdm: PDM, start: ShapeFit, r: ResponseMaps, *, rigid: bool, regularisation: float, sigma: float
) -> Float64:
    """Return the 2-D shape after five steps of d = (J'WJ + L)^-1 (J'Wv - L p), in float64."""
    n, m = pdm.n_points, pdm.n_modes
    mean, basis = pdm.mean.reshape(3, n).astype(float), pdm.basis.reshape(3, n, m).astype(float)
    scale, place = float(start.params_global[0]), start.params_global[4:].astype(float)
    turn, p = euler_to_matrix(start.params_global[1:4]).astype(float), start.params_local + 0.0
    base, weights = r.base.reshape(2, n), np.tile(r.weights * r.visible, 2)
    penalty = (
        np.zeros(6) if rigid else np.concatenate([np.zeros(6), regularisation / pdm.eigenvalues])
    )
    centre = (r.maps.shape[1] - 1) // 2
    for _ in range(5):
        shape = mean + basis @ p
        points = scale * (turn @ shape)[:2] + place[:, None]
        offsets = (r.to_reference @ (points - base)).T + centre
        shifts = mean_shift_twin(r.maps, offsets.astype(np.float32), sigma).T
        v = (r.to_image @ shifts).ravel()
        columns = [(turn @ shape)[:2]]
        columns += [scale * (turn @ np.cross(w, shape.T).T)[:2] for w in np.eye(3)]
        columns += [np.repeat(axis[:, None], n, axis=1) for axis in np.eye(2)]
        if not rigid:
            columns += [scale * np.tensordot(turn, basis[:, :, k], 1)[:2] for k in range(m)]
        jacobian = np.stack([c.ravel() for c in columns], axis=1)
        prior = penalty * np.concatenate([np.zeros(6), p])[: len(penalty)]
        weighted = jacobian.T * weights
        d = np.linalg.solve(weighted @ jacobian + np.diag(penalty), weighted @ v - prior)
        x, y, z = d[1:4]
        u, _, vt = np.linalg.svd(np.array([[1, -z, y], [z, 1, -x], [-y, x, 1]]))
        scale, turn, place = scale + d[0], turn @ u @ vt, place + d[4:6]
        if not rigid:
            p = np.clip(p + d[6:], -pdm.limits, pdm.limits)
    return (scale * (turn @ (mean + basis @ p))[:2] + place[:, None]).T


def test_mean_shift_by_hand() -> None:
    maps = np.zeros((1, 5, 5), np.float32)
    maps[0, 1, 3] = 0.7  # all evidence one cell right of the centre and one above it
    assert shifts_at(maps, [2, 2], 1.0).tolist() == [[1, -1]]
    assert shifts_at(maps, [3, 1], 1.0).tolist() == [[0, 0]]
    maps[0, 1, 1] = 0.7  # as much on the left: half way between them
    np.testing.assert_allclose(shifts_at(maps, [2, 2], 1.0), [[0, -1]], atol=1e-6)


def test_positions_are_kept_in_the_map() -> None:
    maps = np.ones((1, 5, 5), np.float32)
    far, edge = shifts_at(maps, [-100, 900], 1.5), shifts_at(maps, [0, 4.9], 1.5)
    np.testing.assert_array_equal(far, edge)


@pytest.mark.parametrize("sigma", [0.5, 1.5, 3.0])
def test_a_symmetric_peak_holds_its_landmark(sigma: float) -> None:
    cells = np.arange(9) - 4.0
    peak = np.exp(-0.5 * (cells[:, None] ** 2 + cells**2)).astype(np.float32)[None]
    np.testing.assert_allclose(shifts_at(peak, [4, 4], sigma), 0, atol=1e-6)
    pulled = shifts_at(peak, [4.5, 3.5], sigma)[0]
    assert pulled[0] < 0 < pulled[1]


@settings(deadline=None, max_examples=30)
@given(seeds, st.sampled_from([1, 3, 7, 11]), st.floats(0.5, 2))
def test_mean_shift_equals_its_twin(seed: int, window: int, sigma: float) -> None:
    rng = np.random.default_rng(seed)
    maps = rng.uniform(0, 1, (11, window, window)).astype(np.float32)
    offsets = rng.uniform(-1, window + 1, (11, 2)).astype(np.float32)
    np.testing.assert_array_equal(
        shifts_at(maps, offsets, sigma), mean_shift_twin(maps, offsets, sigma)
    )


def test_hidden_landmarks_do_not_move() -> None:
    maps = np.random.default_rng(1).uniform(0, 1, (3, 5, 5)).astype(np.float32)
    shifts = shifts_at(maps, np.ones((3, 2)), 1.0, visible=[True, False, True])
    assert shifts[1].tolist() == [0, 0]
    assert shifts[[0, 2]].all()


@settings(deadline=None, max_examples=30)
@given(seeds, st.floats(0.5, 3))
def test_likelihood_equals_its_twin(seed: int, sigma: float) -> None:
    pdm = small_pdm()
    maps = random_maps(pdm, seed)
    rng = np.random.default_rng(seed)
    responses = responses_about(pdm, start_of(pdm), maps)
    visible = rng.uniform(size=10) < 0.7
    visible[0] = True
    responses = replace(responses, visible=visible)
    offsets = rng.uniform(0, 6, (10, 2)).astype(np.float32)
    cells = np.arange(7)
    total = 0.0
    for i in np.flatnonzero(visible):
        dx, dy = offsets[i].astype(float)
        weight = np.exp(-0.5 * ((dy - cells[:, None]) ** 2 + (dx - cells) ** 2) / sigma**2)
        total += math.log((maps[i] * weight).sum() + 1e-8)
    likelihood = NuRlms(pdm).likelihood(responses, offsets, sigma)
    assert likelihood == pytest.approx(total / visible.sum(), abs=2e-5)


@pytest.mark.parametrize("scale", [0, 1, 2])
def test_phases_of_the_reference(face: PDM, golden: dict[str, np.ndarray], scale: int) -> None:
    name, before = f"h0_s{scale}", f"h0_s{scale - 1}"
    if scale == 0:
        start = ShapeFit(golden["h0_init"], np.zeros(34, np.float32))
    else:
        start = ShapeFit(golden[f"{before}_nonrigid"], golden[f"{before}_local"].ravel())
    window = WINDOWS[scale]
    responses = ResponseMaps(
        golden[f"{name}_resp"].reshape(68, window, window), golden[f"{name}_shape0"].ravel(),
        golden[f"{name}_i2r"], golden[f"{name}_r2i"], np.ones(68, np.bool_),
        np.ones(68, np.float32),
    )  # fmt: skip
    regularisation, sigma, _ = (float(v) for v in golden[f"{name}_par"])
    options = {"regularisation": regularisation, "sigma": sigma}
    one, _, steps, change = phase(NuRlms(face, 1), start, responses, rigid=True, **options)
    np.testing.assert_array_equal(one.params_global, golden[f"{name}_rigid1"])
    assert (steps, change) == (1, math.inf)
    optimiser = NuRlms(face)
    turned, *_ = phase(optimiser, start, responses, rigid=True, **options)
    np.testing.assert_array_equal(turned.params_global, golden[f"{name}_rigid"])
    np.testing.assert_array_equal(turned.params_local, start.params_local)
    fit, offsets, _, _ = phase(optimiser, turned, responses, rigid=False, **options)
    np.testing.assert_array_equal(fit.params_global, golden[f"{name}_nonrigid"])
    np.testing.assert_array_equal(fit.params_local, golden[f"{name}_local"].ravel())
    assert optimiser.likelihood(responses, offsets, sigma) == golden[f"{name}_lh"][0]


def test_a_phase_by_hand() -> None:
    pdm = small_pdm()
    start = start_of(pdm)
    maps = np.zeros((10, 7, 7), np.float32)
    maps[:, 2, 5] = 1  # every landmark is two cells right and one up, four and two pixels
    fit, offsets, steps, change = phase(
        NuRlms(pdm),
        start,
        responses_about(pdm, start, maps),
        rigid=True,
        regularisation=1,
        sigma=1.5,
    )
    moved = fit.params_global - start.params_global
    np.testing.assert_allclose(moved, [0, 0, 0, 0, 4, -2], atol=1e-4)
    np.testing.assert_allclose(offsets, np.tile([5, 2], (10, 1)), atol=1e-4)
    assert steps == 2  # the second finds nothing left to do
    assert change < 1e-3


@pytest.mark.parametrize("rigid", [True, False])
@pytest.mark.parametrize("seed", range(5))
def test_a_phase_equals_its_twin(seed: int, rigid: bool) -> None:
    pdm = small_pdm()
    start = start_of(pdm, seed)
    responses = responses_about(pdm, start, random_maps(pdm, seed))
    rng = np.random.default_rng(seed)
    responses = replace(
        responses, visible=np.arange(10) != seed, weights=rng.uniform(0.5, 2, 10).astype("f4")
    )
    options = {"rigid": rigid, "regularisation": 5.0, "sigma": 1.5}
    fit, *_ = phase(NuRlms(pdm, threshold=1e-9), start, responses, **options)
    twin = phase_twin(pdm, start, responses, **options)
    np.testing.assert_allclose(pdm.shape_2d(fit), twin, atol=0.02)


@settings(deadline=None, max_examples=30)
@given(seeds)
def test_parameters_stay_within_three_deviations(seed: int) -> None:
    pdm = small_pdm()
    wide = replace(pdm, eigenvalues=np.full(3, 1e-2, np.float32))
    start = start_of(pdm, seed)
    responses = responses_about(pdm, start, random_maps(pdm, seed))
    optimiser = NuRlms(wide)
    for rigid in (True, False):
        fit, *_ = phase(optimiser, start, responses, rigid=rigid, regularisation=1e-3, sigma=1.5)
        assert (np.abs(fit.params_local) <= wide.limits).all()


def test_limits_are_reached_and_held() -> None:
    pdm = small_pdm()
    stretched = ShapeFit(start_of(pdm).params_global, pdm.limits * np.float32(5))
    blind = replace(
        responses_about(pdm, stretched, random_maps(pdm, 3)), visible=np.zeros(10, np.bool_)
    )
    fit, *_ = phase(NuRlms(pdm, 1), stretched, blind, rigid=True, regularisation=1, sigma=1.5)
    np.testing.assert_array_equal(fit.params_local, pdm.limits)


@settings(deadline=None, max_examples=20)
@given(seeds, st.floats(0.1, 10))
def test_without_prior_only_relative_weights_count(seed: int, factor: float) -> None:
    pdm = small_pdm()
    start = start_of(pdm, seed)
    responses = responses_about(pdm, start, random_maps(pdm, seed))
    heavy = replace(responses, weights=np.full(10, factor, np.float32))
    optimiser = NuRlms(pdm, 1)
    options = {"rigid": True, "regularisation": 1.0, "sigma": 1.5}
    one, two = (phase(optimiser, start, r, **options)[0] for r in (responses, heavy))
    np.testing.assert_allclose(one.params_global, two.params_global, rtol=1e-4, atol=1e-4)


def test_no_evidence_no_movement() -> None:
    pdm = small_pdm()
    start = ShapeFit(start_of(pdm).params_global, np.zeros(3, np.float32))
    blind = replace(
        responses_about(pdm, start, random_maps(pdm, 3)), visible=np.zeros(10, np.bool_)
    )
    for rigid in (True, False):
        fit, _, _, _ = phase(NuRlms(pdm), start, blind, rigid=rigid, regularisation=1, sigma=1.5)
        np.testing.assert_allclose(fit.params_global, start.params_global, atol=1e-6)
        assert not fit.params_local.any()


@settings(deadline=None, max_examples=20)
@given(seeds, st.integers(1, 5))
def test_both_phases_are_one_after_the_other(seed: int, limit: int) -> None:
    pdm = small_pdm()
    start = start_of(pdm, seed)
    responses = responses_about(pdm, start, random_maps(pdm, seed))
    optimiser = NuRlms(pdm, limit, threshold=0.5)
    options = {"regularisation": 5.0, "sigma": 1.5}
    rigid, _, first, _ = phase(optimiser, start, responses, rigid=True, **options)
    shape, offsets, second, change = phase(optimiser, rigid, responses, rigid=False, **options)
    both = optimiser.fit(start, responses, **options)
    np.testing.assert_array_equal(both.shape.params_global, shape.params_global)
    np.testing.assert_array_equal(both.shape.params_local, shape.params_local)
    np.testing.assert_array_equal(both.offsets, offsets)
    assert both.rigid_scale == rigid.params_global[0]
    assert (both.iterations, both.change) == (first + second, change)
    assert both.converged == (second < limit)


@settings(deadline=None, max_examples=30)
@given(seeds)
def test_the_reference_frame_is_put_together_from_its_parts(seed: int) -> None:
    pdm = small_pdm()
    fit = start_of(pdm, seed)
    centres = np.random.default_rng(seed).uniform(-0.5, 0.5, (5, 3))
    base, points = np.empty(20, np.float32), np.empty((10, 2), np.float32)
    forth, back = np.empty((2, 2), np.float32), np.empty((2, 2), np.float32)
    view = reference_frame(
        fit.params_global, fit.params_local, pdm.mean, pdm.basis_t, f32(0.35), centres, base,
        points, forth, back,
    )  # fmt: skip
    unrotated = ShapeFit(np.array([0.35, 0, 0, 0, 0, 0], np.float32), fit.params_local)
    np.testing.assert_array_equal(points, pdm.shape_2d(fit))
    np.testing.assert_array_equal(base, points.T.ravel())
    np.testing.assert_array_equal(forth, align_similarity(points, pdm.shape_2d(unrotated)))
    np.testing.assert_array_equal(back, invert2(forth))
    assert view == nearest_view(centres, fit.params_global[1:4])


def test_points_in_one_place_have_no_reference_frame() -> None:
    pdm = small_pdm()
    dot = np.array([0, 0, 0, 0, 5, 5], np.float32)
    out = [np.empty(shape, np.float32) for shape in (20, (10, 2), (2, 2), (2, 2))]
    local = np.zeros(3, np.float32)
    centres = np.zeros((1, 3))
    assert reference_frame(dot, local, pdm.mean, pdm.basis_t, f32(1), centres, *out) == -1
