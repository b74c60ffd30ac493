"""Rotations: quarter turns by hand, NumPy twins, round trips, what is no rotation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from pyfaceau.numerics.libm import cosf, sinf
from pyfaceau.numerics.rotation import (
    axis_angle_to_matrix,
    determinant3,
    euler_to_matrix,
    matrix_to_axis_angle,
    matrix_to_euler,
    multiply3,
    orthonormalise,
    rotate_by_increment,
)
from pyfaceau.types import Float32

f32 = np.float32
seeds = st.integers(0, 2**32 - 1)
head = st.tuples(*[st.floats(-limit, limit) for limit in (1.0, 1.4, 1.0)])
"""Pitch, yaw, roll: a turn of less than 180 degrees, yaw off the pole."""


def vector(*values: float) -> Float32:
    return np.array(values, np.float32)


def axis_turn(axis: int, angle: float) -> np.ndarray:
    """Return the float64 rotation about one axis."""
    matrix = np.eye(3)
    a, b = (axis + 1) % 3, (axis + 2) % 3
    matrix[a, a] = matrix[b, b] = math.cos(angle)
    matrix[a, b], matrix[b, a] = -math.sin(angle), math.sin(angle)
    return matrix


def euler_twin(angles: Float32) -> Float32:
    """Return Rx Ry Rz written out, in NumPy's float32."""
    s1, s2, s3 = (f32(sinf(a)) for a in angles)
    c1, c2, c3 = (f32(cosf(a)) for a in angles)
    return np.array(
        [
            [c2 * c3, -c2 * s3, s2],
            [c1 * s3 + c3 * s1 * s2, c1 * c3 - s1 * s2 * s3, -c2 * s1],
            [s1 * s3 - c1 * c3 * s2, c3 * s1 + c1 * s2 * s3, c1 * c2],
        ],
        np.float32,
    )


def rodrigues_twin(v: Float32) -> Float32:
    """Return cos t I + (1 - cos t) k k' + sin t [k]x in float64."""
    x = v.astype(np.float64)
    angle = math.sqrt(x @ x)
    k = x / angle
    cross = np.array([[0, -k[2], k[1]], [k[2], 0, -k[0]], [-k[1], k[0], 0]])
    turn = np.cos(angle) * np.eye(3) + (1 - np.cos(angle)) * np.outer(k, k) + np.sin(angle) * cross
    return turn.astype(np.float32)


def axis_angle_twin(matrix: Float32) -> Float32:
    """Return axis times angle of the nearest rotation, by NumPy's SVD."""
    u, _, vt = np.linalg.svd(matrix.astype(np.float64))
    r = u @ vt
    axis = np.array([r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1]])
    angle = math.acos(np.clip((np.trace(r) - 1) / 2, -1, 1))
    return (axis / np.linalg.norm(axis) * angle).astype(np.float32)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_quarter_turn_by_hand(axis: int) -> None:
    angles = np.zeros(3, np.float32)
    angles[axis] = math.pi / 2
    # a quarter turn takes the next axis to the one after
    image = euler_to_matrix(angles) @ np.eye(3)[(axis + 1) % 3]
    np.testing.assert_allclose(image, np.eye(3)[(axis + 2) % 3], atol=1e-7)


def test_axis_angle_by_hand() -> None:
    third = 2 * math.pi / 3 / math.sqrt(3)  # about the diagonal: x to y to z
    np.testing.assert_allclose(
        axis_angle_to_matrix(vector(third, third, third)),
        [[0, 0, 1], [1, 0, 0], [0, 1, 0]], atol=1e-7,
    )  # fmt: skip
    np.testing.assert_array_equal(axis_angle_to_matrix(vector(0, 0, 0)), np.eye(3))


@pytest.mark.parametrize("axis", [(1, 0, 0), (0, 1, 0), (0, 0, 1), (0.6, -0.8, 0), (0, -0.6, 0.8)])
def test_half_turn_has_an_axis(axis: tuple[float, float, float]) -> None:
    k = np.array(axis)
    half_turn = (2 * np.outer(k, k) - np.eye(3)).astype(np.float32)
    found = matrix_to_axis_angle(half_turn)
    assert np.linalg.norm(found) == pytest.approx(math.pi, abs=1e-6)
    np.testing.assert_allclose(axis_angle_to_matrix(found), half_turn, atol=1e-6)


@settings(deadline=None)
@given(head)
def test_euler_equals_its_twin(angles: tuple[float, float, float]) -> None:
    got = euler_to_matrix(vector(*angles))
    np.testing.assert_array_equal(got, euler_twin(vector(*angles)))
    product = axis_turn(0, angles[0]) @ axis_turn(1, angles[1]) @ axis_turn(2, angles[2])
    np.testing.assert_allclose(got, product, atol=5e-7)


@settings(deadline=None)
@given(head)
def test_euler_angles_return(angles: tuple[float, float, float]) -> None:
    back = matrix_to_euler(euler_to_matrix(vector(*angles)))
    np.testing.assert_allclose(back, angles, atol=2e-6 / math.cos(angles[1]))


@settings(deadline=None)
@given(head)
def test_axis_angle_equals_its_twin(angles: tuple[float, float, float]) -> None:
    matrix = euler_to_matrix(vector(*angles))
    assume(np.trace(matrix) < 2.999)
    got, twin = matrix_to_axis_angle(matrix), axis_angle_twin(matrix)
    np.testing.assert_allclose(got, twin, atol=1e-6)
    np.testing.assert_allclose(axis_angle_to_matrix(got), rodrigues_twin(got), atol=1e-7)
    np.testing.assert_allclose(axis_angle_to_matrix(got), matrix, atol=1e-6)


def test_very_small_turns_vanish() -> None:
    assert not matrix_to_axis_angle(axis_angle_to_matrix(vector(5e-6, 0, -5e-6))).any()
    kept = matrix_to_axis_angle(axis_angle_to_matrix(vector(2e-4, 0, 0)))
    assert kept[0] == pytest.approx(2e-4, rel=1e-3)


@settings(deadline=None)
@given(seeds)
def test_products_equal_their_twins(seed: int) -> None:
    a, b = np.random.default_rng(seed).standard_normal((2, 3, 3)).astype(np.float32)
    twin = (a[:, 0, None] * b[0] + a[:, 1, None] * b[1]) + a[:, 2, None] * b[2]
    np.testing.assert_array_equal(multiply3(a, b), twin)
    assert determinant3(a) == pytest.approx(np.linalg.det(a.astype(np.float64)), abs=1e-12)


@settings(deadline=None)
@given(seeds)
def test_nearest_rotation_is_orthonormal(seed: int) -> None:
    rng = np.random.default_rng(seed)
    turn = euler_to_matrix(rng.uniform(-1, 1, 3).astype(np.float32))
    found = orthonormalise((turn + rng.uniform(-0.2, 0.2, (3, 3))).astype(np.float32))
    np.testing.assert_allclose(found @ found.T, np.eye(3), atol=2e-6)
    assert determinant3(found) == pytest.approx(1, abs=2e-6)
    np.testing.assert_allclose(orthonormalise(found), found, atol=2e-6)


def test_nearest_rotation_to_a_mirror_is_no_mirror() -> None:
    found = orthonormalise(np.diag(vector(1, 2, -3)))
    assert determinant3(found) == pytest.approx(1, abs=1e-6)


@settings(deadline=None)
@given(head, st.tuples(*[st.floats(-0.1, 0.1)] * 3))
@example((0.0, 0.0, 0.0), (0.0, 0.0, 1e-5))
def test_increment_turns_about_the_objects_own_axes(
    angles: tuple[float, float, float], w: tuple[float, float, float]
) -> None:
    moved = rotate_by_increment(vector(*angles), *(f32(v) for v in w))
    cross = np.array([[0, -w[2], w[1]], [w[2], 0, -w[0]], [-w[1], w[0], 0]])
    u, _, vt = np.linalg.svd(np.eye(3) + cross)
    expected = euler_twin(vector(*angles)).astype(np.float64) @ (u @ vt)
    sine = np.linalg.norm((expected - expected.T) / 8**0.5)
    dropped = sine < 1.01e-5  # less than 1e-5 in all counts as no turn
    np.testing.assert_allclose(euler_to_matrix(moved), expected, atol=1.5e-5 if dropped else 5e-6)


@pytest.mark.parametrize(("turn", "kept"), [(0.99e-5, 0.0), (1e-5, 0.0), (1.1e-5, 1.1e-5)])
def test_a_turn_of_less_than_ten_microradians_in_all_is_none(turn: float, kept: float) -> None:
    """The float32 next to 1e-5 is below it."""
    moved = rotate_by_increment(vector(0, 0, 0), f32(0), f32(0), f32(turn))
    assert moved.tolist() == pytest.approx([0, 0, kept], abs=1e-9)


@settings(deadline=None)
@given(head)
def test_a_step_of_nothing_is_the_way_through_axis_and_angle(
    angles: tuple[float, float, float],
) -> None:
    matrix = euler_to_matrix(vector(*angles))
    np.testing.assert_array_equal(
        rotate_by_increment(vector(*angles), f32(0), f32(0), f32(0)),
        matrix_to_euler(axis_angle_to_matrix(matrix_to_axis_angle(matrix))),
    )


def test_a_step_to_nowhere_resets_the_angles() -> None:
    nan = f32(math.nan)
    assert rotate_by_increment(vector(0.1, 0.2, 0.3), nan, f32(0), f32(0)).tolist() == [0, 0, 0]
