"""Head pose."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyfaceau.errors import InputError
from pyfaceau.numerics.rotation import euler_to_matrix
from pyfaceau.pdm._kernels_pose import _damped_step, _normal_equations, _rotation, refine_pose
from pyfaceau.pdm.model import PDM
from pyfaceau.pdm.pose import head_pose
from pyfaceau.types import Camera, ShapeFit

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

CAMERA = Camera(500.0, 500.0, 320.0, 240.0)
LENS = np.array([500, 500, 320, 240], np.float32)
SIZES = {"d0": (512, 512), "face_noface": (960, 540)}


def cloud_pdm(seed: int = 1) -> PDM:
    """Return a model of twelve random points with one silent mode."""
    rng = np.random.default_rng(seed)
    mean = rng.normal(0, 40, 36).astype(np.float32)
    return PDM(mean, np.zeros((36, 1), np.float32), np.ones(1, np.float32))


def project(shape: NDArray[np.float32], matrix: NDArray[np.float64], t: NDArray[np.float64]):
    """Return where a pinhole camera sees the points of a shape, (n, 2)."""
    points = shape.reshape(3, -1).T.astype(np.float64) @ matrix.T + t
    return points[:, :2] / points[:, 2:] * LENS[:2] + LENS[2:]


def start(scale: float, angles: list[float], tx: float, ty: float) -> ShapeFit:
    """Return a weak-perspective fit."""
    return ShapeFit(np.array([scale, *angles, tx, ty], np.float32), np.zeros(1, np.float32))


def test_by_hand() -> None:
    pdm = cloud_pdm()
    landmarks = project(pdm.mean, np.eye(3), np.array([100.0, -50.0, 1000.0]))
    # 1000 mm away is 0.5 px/mm; the optical centre plus 100 / 1000 * 500 px
    pose = head_pose(pdm, start(0.5, [0, 0, 0], 370.0, 215.0), landmarks, CAMERA)
    np.testing.assert_allclose(pose.translation, [100, -50, 1000], atol=1e-3)
    np.testing.assert_allclose(pose.rotation, 0, atol=1e-5)


@settings(max_examples=25, deadline=None)
@given(st.floats(-0.6, 0.6), st.floats(-0.6, 0.6), st.floats(-0.6, 0.6), st.floats(300, 1500))
def test_recovers_the_pose_that_made_the_picture(
    pitch: float, yaw: float, roll: float, distance: float
) -> None:
    pdm = cloud_pdm()
    angles = [pitch, yaw, roll]
    matrix = euler_to_matrix(np.array(angles, np.float32)).astype(np.float64)
    t = np.array([30.0, -20.0, distance])
    fit = start(500 / distance * 1.05, [a * 0.9 for a in angles], 340.0, 230.0)
    pose = head_pose(pdm, fit, project(pdm.mean, matrix, t), CAMERA)
    np.testing.assert_allclose(pose.rotation, angles, atol=1e-4)
    np.testing.assert_allclose(pose.translation, t, rtol=1e-3, atol=0.05)


@pytest.mark.parametrize(
    ("angles", "axis", "side"),
    [((0.3, 0, 0), 1, 1), ((0, 0.3, 0), 0, -1)],
    ids=["pitch-looks-down", "yaw-turns-left"],
)
def test_where_the_nose_goes(angles: tuple[float, ...], axis: int, side: int) -> None:
    """The last of a head's points is its nose, 60 mm nearer to the camera than the others."""
    ring = np.array([[-40, -30, 0], [40, -30, 0], [-30, 40, 0], [30, 40, 0], [0, 0, -60]], float)
    pdm = PDM(ring.T.ravel().astype("f4"), np.zeros((15, 1), "f4"), np.ones(1, "f4"))
    tilt = np.array([0.02, -0.01, 0.6])
    seen = project(pdm.mean, euler_to_matrix(np.float32(angles)).astype(float), tilt * 1000)
    pose = head_pose(pdm, start(500 / 600, [0, 0, 0], *seen.mean(axis=0)), seen, CAMERA)
    np.testing.assert_allclose(pose.rotation, angles, atol=1e-4)
    assert side * (seen[4] - seen[:4].mean(axis=0))[axis] > 10


def test_roll_is_clockwise() -> None:
    seen = project(
        np.float32([-40, 40, 0, 0, 0, 0]),
        euler_to_matrix(np.float32([0, 0, 0.3])).astype(float),
        np.array([0.0, 0, 600]),
    )
    assert seen[1, 1] > seen[0, 1] + 10, "the eye on the right is the lower one"


def test_signs_are_those_of_the_references_points(shared: Path) -> None:
    """Eyes, mouth corners and nose in camera space lie as R says, over all videos."""
    looks, lines, turned = [], [], []
    for path in sorted((shared / "reference/video").glob("*.csv.gz")):
        rows = pd.read_csv(path, skipinitialspace=True).query("success == 1")
        if rows.empty:
            continue
        points = np.stack([rows[[f"{a}_{i}" for i in range(68)]].to_numpy() for a in "XYZ"], 2)
        flat = points[:, [36, 39, 42, 45, 48, 54]].mean(axis=1)
        looks.append(points[:, 30] - flat)
        lines.append(points[:, 42:48].mean(axis=1) - points[:, 36:42].mean(axis=1))
        turned += list(rows[["pose_Rx", "pose_Ry", "pose_Rz"]].to_numpy("f4"))
    look, line = (np.concatenate(v) for v in (looks, lines))
    look, line = (v / np.linalg.norm(v, axis=1)[:, None] for v in (look, line))
    matrices = np.stack([euler_to_matrix(angles) for angles in turned])
    ahead, right = -matrices[:, :, 2], matrices[:, :, 0]
    assert len(look) > 4000
    for got, wanted in (
        (look[:, 0], ahead[:, 0]),
        (look[:, 1], ahead[:, 1]),
        (line[:, 1], right[:, 1]),
    ):
        assert np.corrcoef(got, wanted)[0, 1] > 0.8
    assert np.corrcoef(look[:, 0], np.array(turned)[:, 1])[0, 1] < -0.9, "yaw: to the left"


def test_golden_frames(shared: Path, weights_dir: Path) -> None:
    pdm = PDM.load(weights_dir / "In-the-wild_aligned_PDM_68.txt")
    camera = Camera.for_size(640, 360)
    with np.load(shared / "reference" / "stages" / "single_face" / "stages.npz") as golden:
        inputs = zip(golden["f_global"], golden["f_local"], golden["f_lmk"], strict=True)
        poses = [head_pose(pdm, ShapeFit(g, p), xy.reshape(2, -1).T, camera) for g, p, xy in inputs]
        got = [np.concatenate([pose.translation, pose.rotation]) for pose in poses]
        np.testing.assert_array_equal(got, golden["f_pose"])


@pytest.mark.parametrize("name", sorted(SIZES))
def test_columns_are_the_references(shared: Path, weights_dir: Path, name: str) -> None:
    pdm = PDM.load(weights_dir / "In-the-wild_aligned_PDM_68.txt")
    camera = Camera.for_size(*SIZES[name])
    folder = shared / "reference"
    precise = pd.read_csv(folder / "precise" / f"{name}.csv.gz", skipinitialspace=True)
    lines = gzip.decompress((folder / "video" / f"{name}.csv.gz").read_bytes()).decode()
    header, *rows = [line.split(", ") for line in lines.splitlines()]
    first = header.index("pose_Tx")
    rigid = precise[[f"p_{c}" for c in ("scale", "rx", "ry", "rz", "tx", "ty")]].to_numpy("f4")
    local = precise[[f"p_{i}" for i in range(34)]].to_numpy("f4")
    x, y = (precise[[f"{axis}_{i}" for i in range(68)]].to_numpy("f4") for axis in "xy")
    for i, row in enumerate(rows):
        pose = head_pose(pdm, ShapeFit(rigid[i], local[i]), np.column_stack([x[i], y[i]]), camera)
        got = [f"{v:.1f}" for v in pose.translation] + [f"{v:.3f}" for v in pose.rotation]
        assert got == row[first : first + 6], f"frame {i + 1}"


def rotation_twin(r: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rotation matrix of an axis-angle vector as a power series."""
    cross = np.array([[0, -r[2], r[1]], [r[2], 0, -r[0]], [-r[1], r[0], 0]])
    term = total = np.eye(3)
    for k in range(1, 40):
        term = term @ cross / k
        total = total + term
    return total


@pytest.mark.parametrize("r", [[0.3, -0.2, 0.5], [1e-4, 2e-4, -1e-4], [0, 0, 0], [2.0, -1.0, 0.5]])
def test_rotation_and_its_derivative(r: list[float]) -> None:
    vector = np.array(r, np.float64)
    matrix, derivative = np.empty((3, 3)), np.empty((3, 3, 3))
    _rotation(vector, matrix, derivative)
    np.testing.assert_allclose(matrix, rotation_twin(vector), atol=1e-12)
    for i, step in enumerate(np.eye(3) * 1e-5):
        numeric = (rotation_twin(vector + step) - rotation_twin(vector - step)) / 2e-5
        np.testing.assert_allclose(derivative[i], numeric, atol=1e-7)


def test_normal_equations_agree_with_finite_differences() -> None:
    pdm, landmarks = cloud_pdm(), np.full((12, 2), 300.0, np.float32)
    pose = np.array([0.2, -0.3, 0.1, 10.0, 5.0, 600.0])

    def residual(p: NDArray[np.float64]) -> NDArray[np.float64]:
        return (project(pdm.mean, rotation_twin(p[:3]), p[3:]) - landmarks).ravel()

    columns = [(residual(pose + d) - residual(pose - d)) / 2e-5 for d in np.eye(6) * 1e-5]
    jacobian = np.stack(columns, axis=1)
    matrix, derivative = np.empty((3, 3)), np.empty((3, 3, 3))
    hessian, gradient, step = np.empty((6, 6)), np.empty(6), np.empty(6)
    _rotation(pose[:3], matrix, derivative)
    _normal_equations(pdm.mean, landmarks, LENS, matrix, derivative, pose[3:], hessian, gradient)
    want = jacobian.T @ jacobian
    np.testing.assert_allclose(np.tril(hessian), np.tril(want), rtol=1e-6, atol=1e-4)
    np.testing.assert_allclose(gradient, jacobian.T @ residual(pose), rtol=1e-6)
    assert _damped_step(hessian, gradient, 0.1, step)
    solved = np.linalg.solve(want + 0.1 * np.diag(np.diag(want)), gradient)
    np.testing.assert_allclose(step, solved, rtol=1e-5)


def test_no_face_has_no_pose() -> None:
    pdm = cloud_pdm()
    for fit, landmarks in (
        (start(0.0, [0, 0, 0], 320.0, 240.0), np.ones((12, 2))),
        (start(1.0, [0, 0, 0], 0.0, 0.0), np.zeros((12, 2))),
    ):
        pose = head_pose(pdm, fit, landmarks, CAMERA)
        assert not pose.translation.any()
        assert not pose.rotation.any()


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(-8, 8))
def test_any_landmarks_give_a_finite_pose(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    landmarks = rng.normal(0, 10 ** rng.uniform(0, 6), (12, 2))
    fit = start(scale, list(rng.normal(0, 3, 3)), *rng.normal(0, 1e4, 2))
    pose = head_pose(cloud_pdm(), fit, landmarks, CAMERA)
    assert np.isfinite(pose.rotation).all()
    assert np.isfinite(pose.translation).all()


def test_points_in_the_camera_degenerate() -> None:
    pose = np.zeros(6)
    assert not refine_pose(np.zeros(36, np.float32), np.ones((12, 2), np.float32), LENS, pose)


def test_nan_landmarks_are_refused() -> None:
    with pytest.raises(InputError, match="landmarks: expected finite numbers"):
        head_pose(cloud_pdm(), start(1, [0, 0, 0], 0, 0), np.full((12, 2), np.nan), CAMERA)
