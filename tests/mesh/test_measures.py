"""Pose, points, gaze and units of meshes that are made by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfaceau.mesh.bundle import CanonicalFace
from pyfaceau.mesh.canonical import HeadAligner, mesh_in_space, pose_in_space
from pyfaceau.mesh.irises import ABOVE, BEHIND, OUTWARDS, RADIUS, gaze_of_irises
from pyfaceau.mesh.points68 import correspondence, points68
from pyfaceau.mesh.units import mesh_units
from pyfaceau.numerics.rotation import euler_to_matrix
from pyfaceau.types import BLENDSHAPES, MESH_UNITS, Camera, FaceMesh

CAMERA = Camera(500.0, 500.0, 320.0, 240.0)
RNG = np.random.default_rng(3)
FACE = CanonicalFace(
    RNG.normal(0, 40, (468, 3)), np.arange(0, 468, 9, dtype=np.int32), RNG.uniform(0.1, 1, 52)
)
ORIGIN = points68(FACE.vertices).mean(axis=0)
ANGLE = st.floats(-0.6, 0.6)


def projected(angles: tuple[float, float, float], scale: float, x: float, y: float) -> np.ndarray:
    """Return the face seen orthographically under a rotation, its origin at (x, y)."""
    turn = euler_to_matrix(np.array(angles, np.float32)).astype(np.float64)
    seen = (FACE.vertices - ORIGIN) @ turn.T * scale + (x, y, 0)
    return np.concatenate([seen, np.zeros((10, 3))]).astype(np.float32)


@given(ANGLE, ANGLE, ANGLE, st.floats(0.5, 5))
def test_the_pose_that_made_a_mesh_is_found(pitch, yaw, roll, scale) -> None:
    fit = HeadAligner(FACE).fit(projected((pitch, yaw, roll), scale, 320, 240))
    assert np.allclose(fit.shape.params_global, [scale, pitch, yaw, roll, 320, 240], atol=1e-2)
    pose = pose_in_space(fit, CAMERA)  # on the camera's axis nothing is to be turned
    assert np.allclose(pose.rotation, [pitch, yaw, roll], atol=1e-3)
    assert np.allclose(pose.translation, [0, 0, 500 / scale], atol=0.5)


def test_a_face_beside_the_axis_that_is_seen_frontally_is_turned_to_the_camera() -> None:
    fit = HeadAligner(FACE).fit(projected((0, 0, 0), 1.0, 820, 240))
    pose = pose_in_space(fit, CAMERA)
    assert np.allclose(pose.translation, [500, 0, 500], atol=0.5)
    assert np.allclose(pose.rotation, [0, np.pi / 4, 0], atol=1e-3)


def test_a_mirrored_cloud_is_not_fitted_by_a_reflection() -> None:
    mesh = projected((0.1, 0.2, 0.0), 2.0, 0, 0) * np.array([-1, 1, 1], np.float32)
    assert np.isclose(np.linalg.det(HeadAligner(FACE).fit(mesh).rotation), 1)


def test_points_in_space_lie_where_the_mesh_has_them() -> None:
    mesh = projected((0.2, -0.3, 0.1), 1.5, 300, 200)
    space = mesh_in_space(mesh, HeadAligner(FACE).fit(mesh), CAMERA)
    assert np.allclose(space[:, :2] / space[:, 2:] * 500 + (320, 240), mesh[:, :2], atol=1e-2)


def test_points_are_sums_of_vertices_of_the_face() -> None:
    vertices, weights = correspondence()
    assert vertices.shape == weights.shape == (68, 3)
    assert vertices.max() < 468
    assert np.allclose(weights.sum(axis=1), 1, atol=2e-4)
    shifted = points68(FACE.vertices + np.array([1, 2, 3])) - points68(FACE.vertices)
    assert np.allclose(shifted, [1, 2, 3], atol=1e-2)


SPHERES = np.array([[-OUTWARDS, -ABOVE, BEHIND], [OUTWARDS, -ABOVE, BEHIND]])
"""The eyeballs' centres from the middles of the corners, the eye on the image's left first."""


def test_an_eye_that_looks_into_the_camera() -> None:
    corners = np.array([[[-45, 0, 400], [-15, 0, 400]], [[15, 0, 400], [45, 0, 400]]], np.float64)
    centres = corners.mean(axis=1) + SPHERES
    gaze = gaze_of_irises(centres, corners, np.eye(3))  # rays through the centres themselves
    assert np.allclose(gaze.vectors, -centres / np.linalg.norm(centres, axis=1)[:, None], atol=1e-6)
    assert gaze.angles[0] == pytest.approx(0, abs=1e-6)
    assert gaze.angles[1] == pytest.approx(ABOVE / (400 + BEHIND), abs=1e-4)  # up is negative


def test_the_eyeballs_turn_with_the_head() -> None:
    corners = np.array([[[-45, 0, 400], [-15, 0, 400]], [[15, 0, 400], [45, 0, 400]]], np.float64)
    yaw = np.deg2rad(20)
    turn = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    corners = (corners - [0, 0, 400]) @ turn.T + [0, 0, 400]
    centres = corners.mean(axis=1) + SPHERES @ turn.T
    gaze = gaze_of_irises(centres, corners, turn)
    assert np.allclose(gaze.vectors, -centres / np.linalg.norm(centres, axis=1)[:, None], atol=1e-6)


def test_an_iris_aside_turns_the_eye_by_its_arc() -> None:
    corners = np.array([[[-15, 0, 1e6], [15, 0, 1e6]]] * 2, np.float64)
    aside = np.array([RADIUS / 2, 0, 1e6])
    iris = SPHERES * [1, 1, 0] + aside  # far away rays are parallel
    gaze = gaze_of_irises(iris, corners, np.eye(3))
    assert np.allclose(gaze.angles, [np.pi / 6, 0], atol=1e-3)
    iris += [RADIUS, 0, 0]  # beyond the eyeball
    missing = gaze_of_irises(iris, corners, np.eye(3))
    assert np.allclose(missing.vectors, [1, 0, 0], atol=1e-3)


def made(gap: float = 0.0, **shapes: float) -> dict[str, float]:
    points = np.zeros((478, 3), np.float32)
    points[263] = (100, 0, 0)
    points[14] = (0, gap, 0)
    values = np.zeros(52, np.float32)
    for name, value in shapes.items():
        values[BLENDSHAPES.index(name)] = value
    return dict(zip(MESH_UNITS, mesh_units(FaceMesh(points, values)).tolist(), strict=True))


def test_units_by_hand() -> None:
    units = made(7.5, mouthSmileLeft=0.8, eyeSquintLeft=0.2, eyeBlinkRight=1.0, browInnerUp=0.3)
    wanted = {
        "AU01_bs": 0.3, "AU06_bs": 0.2, "AU06_bs_left": 0.4, "AU12_bs": 0.4, "AU12_bs_left": 0.8,
        "AU25_bs": 0.5, "AU45_bs": 0.5, "AU45_bs_right": 1.0,
    }  # fmt: skip
    assert units == pytest.approx({name: wanted.get(name, 0.0) for name in MESH_UNITS}, abs=1e-6)
    assert made(99)["AU25_bs"] == 1


def test_names() -> None:
    assert len(BLENDSHAPES) == len(set(BLENDSHAPES)) == 52
    assert not any(name.endswith("_r") for name in MESH_UNITS)
