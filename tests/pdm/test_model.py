"""The shape model: by hand, the reference's digits, twins, derivatives, what cannot be fitted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyfaceau.errors import InputError, WeightsError
from pyfaceau.numerics.rotation import euler_to_matrix
from pyfaceau.pdm import _kernels as kernels
from pyfaceau.pdm.model import PDM
from pyfaceau.refinement.face_model import HYPOTHESES
from pyfaceau.types import FaceBox, Float32, Float64, ShapeFit

FILES = {
    "face": "In-the-wild_aligned_PDM_68.txt",
    "inner": "model_inner/pdms/pdm_51_inner.txt",
    "left": "model_eye/pdms/pdm_28_l_eye_3D_closed.txt",
    "right": "model_eye/pdms/pdm_28_eye_3D_closed.txt",
}
seeds = st.integers(0, 2**32 - 1)
f32 = np.float32


@pytest.fixture(scope="module")
def golden(shared: Path) -> dict[str, np.ndarray]:
    with np.load(shared / "reference/stages/single_face/stages.npz") as arrays:
        wanted = ("f_", "fa_", "final_", "merged_", "part", "main_", "hyp_init", "mtcnn", "h0_")
        return {name: arrays[name] for name in arrays.files if name.startswith(wanted)}


@pytest.fixture(scope="module")
def models(weights_dir: Path) -> dict[str, PDM]:
    return {name: PDM.load(weights_dir / file) for name, file in FILES.items()}


def small_pdm() -> PDM:
    """Return three points of a right angle; the only mode moves the third one down."""
    mean = np.array([0, 10, 0, 0, 0, 10, 0, 0, 0], np.float32)
    basis = np.zeros((9, 1), np.float32)
    basis[5] = 1
    return PDM(mean, basis, np.array([4], np.float32))


def random_pdm(points: int = 24, modes: int = 5) -> PDM:
    """Return a model of scattered points."""
    rng = np.random.default_rng(points)
    basis = np.linalg.qr(rng.standard_normal((3 * points, modes)))[0].astype(np.float32)
    mean = rng.normal(0, 40, 3 * points).astype(np.float32)
    return PDM(mean, basis, np.linspace(400, 20, modes).astype(np.float32))


def random_fit(pdm: PDM, seed: int, spread: float = 0.7) -> ShapeFit:
    """Return parameters of a face that looks about ahead."""
    rng = np.random.default_rng(seed)
    turn, place = rng.uniform(-0.5, 0.5, 3), rng.uniform(100, 900, 2)
    rigid = np.array([rng.uniform(0.5, 4), *turn, *place], np.float32)
    local = rng.normal(0, spread, pdm.n_modes) * np.sqrt(pdm.eigenvalues)
    return ShapeFit(rigid, local.astype(np.float32))


def column(vector: np.ndarray) -> Float32:
    """Return (n, 2) points of all x, then all y."""
    return np.ascontiguousarray(vector.reshape(2, -1).T)


def assert_same(fit: ShapeFit, params_global: np.ndarray, params_local: np.ndarray) -> None:
    np.testing.assert_array_equal(fit.params_global, params_global)
    np.testing.assert_array_equal(fit.params_local, params_local.ravel())


def cross(w: Float64) -> Float64:
    return np.array([[0, -w[2], w[1]], [w[2], 0, -w[0]], [-w[1], w[0], 0]])


def project_twin(pdm: PDM, fit: ShapeFit, step: Float64 | None = None) -> Float64:
    """Return s R (I + [w]) (M + V p) + t as (2n,) float64, after a step (s, w, t, p)."""
    d = np.zeros(6 + pdm.n_modes) if step is None else step
    g = fit.params_global.astype(np.float64)
    shape = pdm.mean + pdm.basis.astype(np.float64) @ (fit.params_local + d[6:])
    turn = euler_to_matrix(fit.params_global[1:4]).astype(np.float64) @ (np.eye(3) + cross(d[1:4]))
    points = (g[0] + d[0]) * (turn @ shape.reshape(3, -1))[:2] + (g[4:6] + d[4:6])[:, None]
    return points.ravel()


def calc_params_twin(pdm: PDM, landmarks: Float32) -> tuple[Float64, Float64]:
    """Return projected points and p of the same damped Gauss-Newton in float64."""
    m, n = pdm.n_modes, len(landmarks)
    mean, basis = pdm.mean.reshape(3, n).astype(float), pdm.basis.reshape(3, n, m).astype(float)
    target, prior = landmarks.T.astype(float), 1 / pdm.eigenvalues.astype(float)
    scale = (np.ptp(target, axis=1) / np.ptp(mean[:2], axis=1)).mean()
    turn, place, p = np.eye(3), (target.max(axis=1) + target.min(axis=1)) / 2, np.zeros(m)
    previous, bad = np.linalg.norm(scale * mean[:2] + place[:, None] - target), 0
    while bad < 3:
        shape = mean + basis @ p
        residual = (target - scale * (turn @ shape)[:2] - place[:, None]).ravel()
        columns = [(turn @ shape)[:2]]
        columns += [scale * (turn @ cross(axis) @ shape)[:2] for axis in np.eye(3)]
        columns += [np.repeat(axis[:, None], n, axis=1) for axis in np.eye(2)]
        columns += [scale * np.tensordot(turn, basis[:, :, k], 1)[:2] for k in range(m)]
        jacobian = np.stack([c.ravel() for c in columns], axis=1)
        penalty = np.concatenate([np.zeros(6), prior])
        b = jacobian.T @ residual - penalty * np.concatenate([np.zeros(6), p])
        d = 0.75 * np.linalg.solve(jacobian.T @ jacobian + np.diag(penalty), b)
        u, _, vt = np.linalg.svd(np.eye(3) + cross(d[1:4]))
        scale, turn, place, p = scale + d[0], turn @ u @ vt, place + d[4:6], p + d[6:]
        error = np.linalg.norm(scale * (turn @ shape)[:2] + place[:, None] - target)
        bad += 0.999 * previous < error
        previous = error
    return scale * (turn @ (mean + basis @ p))[:2].T + place, p


def test_shape_by_hand() -> None:
    pdm = small_pdm()
    assert pdm.n_points == 3
    assert pdm.n_modes == 1
    assert pdm.limits.tolist() == [6]
    assert pdm.shape_3d([5]).tolist() == [0, 10, 0, 0, 0, 15, 0, 0, 0]
    fit = ShapeFit(np.array([2, 0, 0, 0, 100, 50], np.float32), np.array([5], np.float32))
    assert pdm.shape_2d(fit).tolist() == [[100, 50], [120, 50], [100, 80]]


def test_box_by_hand() -> None:
    fit = small_pdm().params_from_box(FaceBox(100, 50, 30, 10))
    # 10 mm are 30 px wide and 10 px high: 2 px/mm; the middle of the shape goes to that of the box
    assert fit.params_global.tolist() == [2, 0, 0, 0, 105, 45]
    assert not fit.params_local.any()


@pytest.mark.parametrize(
    ("name", "prefix"),
    [("face", "f"), ("inner", "f_part0"), ("left", "f_part1"), ("right", "f_part2")],
)
def test_shapes_of_the_reference(
    models: dict[str, PDM], golden: dict[str, np.ndarray], name: str, prefix: str
) -> None:
    rigid, local = ("global", "local") if prefix == "f" else ("g", "l")
    parameters = zip(golden[f"{prefix}_{rigid}"], golden[f"{prefix}_{local}"], strict=True)
    for (g, p), points in zip(parameters, golden[f"{prefix}_lmk"], strict=True):
        np.testing.assert_array_equal(models[name].shape_2d(ShapeFit(g, p)), column(points))


def test_boxes_of_the_reference(models: dict[str, PDM], golden: dict[str, np.ndarray]) -> None:
    box = FaceBox(*(float(v) for v in golden["mtcnn"]))
    for rotation, expected in zip(HYPOTHESES, golden["hyp_init"], strict=True):
        fit = models["face"].params_from_box(box, rotation)
        assert_same(fit, expected, np.zeros(34))


@pytest.mark.parametrize(
    ("points", "result"), [("final_lmk", "fa_{}1"), ("merged_lmk", "final_{}")]
)
def test_fits_of_the_reference(
    models: dict[str, PDM], golden: dict[str, np.ndarray], points: str, result: str
) -> None:
    fit = models["face"].calc_params(column(golden[points]))
    assert_same(fit, golden[result.format("global")], golden[result.format("local")])


def test_parts_of_the_reference(models: dict[str, PDM], golden: dict[str, np.ndarray]) -> None:
    landmarks = column(golden["main_lmk"])
    assert_same(
        models["inner"].calc_params(landmarks[17:]), golden["part0_initg"], golden["part0_initl"]
    )
    for part, name, first in ((1, "left", 36), (2, "right", 42)):
        six = np.zeros((28, 2), np.float32)
        six[8:20:2] = landmarks[first : first + 6]
        fit = models[name].calc_params(six)
        assert_same(fit, golden[f"part{part}_initg"], golden[f"part{part}_initl"])


@settings(deadline=None)
@given(seeds)
def test_projections_equal_their_twins(seed: int) -> None:
    pdm = random_pdm()
    fit = random_fit(pdm, seed)
    shape = pdm.shape_3d(fit.params_local)
    s, t = fit.params_global[0], fit.params_global[4:]
    r = euler_to_matrix(fit.params_global[1:4])
    x, y, z = shape.reshape(3, -1)
    single, once = np.empty(48, np.float32), np.empty(48, np.float32)
    kernels.project(fit.params_global, shape, single)
    kernels.project_rounded_once(fit.params_global, shape, once)
    for row in range(2):
        a, b, c = r[row]
        twin = s * ((a * x + b * y) + c * z) + t[row]
        np.testing.assert_array_equal(single.reshape(2, -1)[row], twin)
        terms = [np.float64(f) * v.astype(np.float64) for f, v in ((a, x), (b, y), (c, z))]
        exact = np.float64(s) * ((terms[0] + terms[1]) + terms[2])
        np.testing.assert_array_equal(once.reshape(2, -1)[row], exact.astype(f32) + t[row])
    np.testing.assert_allclose(single, project_twin(pdm, fit), rtol=1e-5, atol=1e-4)


@settings(deadline=None)
@given(seeds)
def test_one_call_projects_as_two_do(seed: int) -> None:
    pdm = random_pdm()
    fit = random_fit(pdm, seed)
    points = np.empty(48, np.float32)
    kernels.project(fit.params_global, pdm.shape_3d(fit.params_local), points)
    np.testing.assert_array_equal(pdm.shape_2d(fit), column(points))


def test_a_fit_of_another_model_is_refused() -> None:
    with pytest.raises(InputError, match=r"params_local: expected \(1\) float32, got shape \(5,\)"):
        small_pdm().shape_2d(random_fit(random_pdm(), 0))
    with pytest.raises(InputError, match="fit: expected a ShapeFit, got tuple"):
        small_pdm().shape_2d((1, 2))  # type: ignore[arg-type]


@settings(deadline=None)
@given(seeds)
def test_jacobian_is_the_derivative(seed: int) -> None:
    pdm = random_pdm()
    fit = random_fit(pdm, seed)
    full = np.empty((48, 11), np.float32)
    kernels.jacobian(fit.params_global, pdm.shape_3d(fit.params_local), pdm.basis, full)
    for k, step in enumerate(1e-4 * np.eye(11)):
        difference = project_twin(pdm, fit, step) - project_twin(pdm, fit, -step)
        np.testing.assert_allclose(full[:, k], difference / 2e-4, rtol=1e-4, atol=2e-3)
    rigid = np.empty((48, 6), np.float32)
    kernels.jacobian(fit.params_global, pdm.shape_3d(fit.params_local), pdm.basis, rigid)
    np.testing.assert_array_equal(rigid, full[:, :6])


@settings(deadline=None)
@given(seeds, st.floats(-0.2, 0.2), st.floats(-0.2, 0.2))
def test_a_step_composes_rotations_and_adds_the_rest(seed: int, wx: float, wz: float) -> None:
    fit = random_fit(random_pdm(), seed)
    g, p = fit.params_global.copy(), fit.params_local.copy()
    d = np.array([0.5, wx, 0, wz, -3, 4, *range(5)], np.float32)
    kernels.apply_update(g, p, d)
    np.testing.assert_array_equal(p, fit.params_local + d[6:])
    np.testing.assert_array_equal(g[[0, 4, 5]], (fit.params_global + d[:6])[[0, 4, 5]])
    u, _, vt = np.linalg.svd(np.eye(3) + cross(d[1:4].astype(np.float64)))
    turned = euler_to_matrix(fit.params_global[1:4]) @ (u @ vt)
    np.testing.assert_allclose(euler_to_matrix(g[1:4]), turned, atol=3e-6)


@pytest.mark.parametrize("seed", range(12))
def test_fit_equals_its_twin(models: dict[str, PDM], seed: int) -> None:
    pdm = models["face"] if seed % 2 else random_pdm()
    rng = np.random.default_rng(seed)
    landmarks = pdm.shape_2d(random_fit(pdm, seed)) + rng.normal(0, 1, (pdm.n_points, 2))
    fit = pdm.calc_params(landmarks)
    points, local = calc_params_twin(pdm, landmarks.astype(np.float32))
    np.testing.assert_allclose(pdm.shape_2d(fit), points, atol=0.02)
    np.testing.assert_allclose(fit.params_local / pdm.limits, local / pdm.limits, atol=2e-3)


@pytest.mark.parametrize("seed", range(20))
def test_fit_finds_the_shape_that_made_the_points(models: dict[str, PDM], seed: int) -> None:
    truth = random_fit(models["face"], seed)
    landmarks = models["face"].shape_2d(truth)
    found = models["face"].calc_params(landmarks)
    scale = truth.params_global[0]
    # The prior pulls and the steps end early: a third of a millimetre is what 1 % reach.
    away = np.linalg.norm(models["face"].shape_2d(found) - landmarks, axis=1)
    assert np.sqrt(np.square(away).mean()) < 0.35 * scale
    assert found.params_global[0] == pytest.approx(scale, rel=0.02)


@settings(deadline=None, max_examples=30)
@given(seeds, st.floats(-500, 500))
def test_fit_moves_with_its_points(seed: int, shift: float) -> None:
    pdm = random_pdm()
    points = pdm.shape_2d(random_fit(pdm, seed))
    here = pdm.calc_params(points)
    there = pdm.calc_params(points + np.array([shift, -shift]))
    moved = there.params_global - here.params_global
    np.testing.assert_allclose(moved, [0, 0, 0, 0, shift, -shift], atol=2e-3)
    np.testing.assert_allclose(there.params_local, here.params_local, atol=5e-3)


def test_points_without_x_are_missing() -> None:
    pdm = random_pdm()
    truth = random_fit(pdm, 5, spread=0.2)
    landmarks = pdm.shape_2d(truth)
    hidden = landmarks.copy()
    hidden[:6] = [0, 1e6]
    found = pdm.shape_2d(pdm.calc_params(hidden))
    np.testing.assert_allclose(found[6:], landmarks[6:], atol=0.5 * truth.params_global[0])


@pytest.mark.parametrize(
    ("landmarks", "message"),
    [
        (np.zeros((4, 2)), r"landmarks: expected \(3, 2\) float32, got shape \(4, 2\)"),
        (np.full((3, 2), np.nan), "landmarks: expected finite numbers"),
        ([[0, 1], [1, 1], [2, 1]], "at least 3 points with x other than 0, got 2"),
        ([["a", "b"]] * 3, "landmarks: expected"),
    ],
)
def test_bad_landmarks_are_named(landmarks: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        small_pdm().calc_params(landmarks)


def test_points_in_one_place_give_a_finite_fit() -> None:
    fit = random_pdm().calc_params(np.full((24, 2), 7.0))
    assert np.isfinite(fit.params_global).all()
    assert np.isfinite(fit.params_local).all()


def test_matrices_must_fit_together() -> None:
    with pytest.raises(InputError, match=r"basis: expected \(3n, m\) float32"):
        PDM(np.zeros(9), np.zeros((8, 1)), np.ones(1))
    with pytest.raises(InputError, match=r"mean: expected \(9\) float32"):
        PDM(np.zeros(6), np.zeros((9, 1)), np.ones(1))
    with pytest.raises(InputError, match="params_local: expected"):
        small_pdm().shape_3d([1, 2])


TEXT = "# mean\n3\n1\n6\n1\n2\n3\n\n# modes\n3\n1\n6\n0\n1\n0\n# variances\n1\n1\n6\n4\n"


def test_file_by_hand(tmp_path: Path) -> None:
    (tmp_path / "pdm.txt").write_text(TEXT)
    pdm = PDM.load(tmp_path / "pdm.txt")
    assert (pdm.mean.tolist(), pdm.basis.tolist()) == ([1, 2, 3], [[0], [1], [0]])
    assert pdm.eigenvalues.tolist() == [4]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TEXT[:-2], "model file ends early"),
        (TEXT + "9\n", "1 numbers too many"),
        (TEXT.replace("2\n3\n\n", "2\nx\n\n"), "holds text where a number belongs"),
        (TEXT.replace("1\n1\n6\n4", "1\n2\n6\n4 5"), "three matrices of this shape model do not"),
    ],
    ids=["cut", "long", "text", "shape"],
)
def test_damaged_file_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "pdm.txt").write_text(text)
    with pytest.raises(WeightsError, match=message):
        PDM.load(tmp_path / "pdm.txt")


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"absent\.txt: model file is missing"):
        PDM.load(tmp_path / "absent.txt")
