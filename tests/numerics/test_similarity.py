"""Similarity between point sets: by hand, the reference's digits, a twin, what it recovers."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyfaceau.numerics.similarity import align_similarity, invert2, map_offsets
from pyfaceau.pdm.model import PDM
from pyfaceau.types import Float32, ShapeFit

SQUARE = np.array([[1, 1], [1, -1], [-1, -1], [-1, 1]], np.float32)
seeds = st.integers(0, 2**32 - 1)


def turn(scale: float, angle: float) -> np.ndarray:
    """Return the float64 matrix of a similarity."""
    c, s = scale * math.cos(angle), scale * math.sin(angle)
    return np.array([[c, -s], [s, c]])


def align_twin(source: Float32, target: Float32) -> np.ndarray:
    """Return the least-squares similarity in float64: complex numbers z' = a z."""
    z, w = (
        (points.astype(np.float64) - points.mean(axis=0, dtype=np.float64)) @ [1, 1j]
        for points in (source, target)
    )
    direction = np.vdot(z, w)
    scale = math.sqrt(np.vdot(w, w).real / np.vdot(z, z).real)
    return turn(scale, float(np.angle(direction)))


def test_by_hand() -> None:
    quarter_turn = np.array([[0, -2], [2, 0]], np.float32)
    moved = SQUARE @ quarter_turn.T + np.array([100, -50], np.float32)
    np.testing.assert_allclose(align_similarity(SQUARE, moved), quarter_turn, atol=1e-6)
    np.testing.assert_array_equal(invert2(quarter_turn), [[0, 0.5], [-0.5, 0]])
    out = np.empty((1, 2), np.float32)
    map_offsets(quarter_turn, np.array([[3, 1]], np.float32), out)
    assert out.tolist() == [[-2, 6]]


@pytest.mark.parametrize("scale", [0, 1, 2])
def test_reference_digits(shared: Path, weights_dir: Path, scale: int) -> None:
    pdm = PDM.load(weights_dir / "In-the-wild_aligned_PDM_68.txt")
    with np.load(shared / "reference/stages/single_face/stages.npz") as golden:
        local = golden[f"h0_s{scale - 1}_local"].ravel() if scale else np.zeros(34, np.float32)
        points = golden[f"h0_s{scale}_shape0"].reshape(2, -1).T.copy()
        size = np.array([(0.25, 0.35, 0.5)[scale], 0, 0, 0, 0, 0], np.float32)
        to_reference = align_similarity(points, pdm.shape_2d(ShapeFit(size, local)))
        np.testing.assert_array_equal(to_reference, golden[f"h0_s{scale}_i2r"])
        np.testing.assert_array_equal(invert2(to_reference), golden[f"h0_s{scale}_r2i"])


@settings(deadline=None)
@given(seeds, st.integers(3, 68))
def test_equals_its_twin(seed: int, count: int) -> None:
    source, target = np.random.default_rng(seed).uniform(-200, 800, (2, count, 2)).astype("f4")
    if abs(np.vdot((source - source.mean(0)) @ [1, 1j], (target - target.mean(0)) @ [1, 1j])) > 1e3:
        np.testing.assert_allclose(
            align_similarity(source, target), align_twin(source, target), atol=1e-3
        )


@settings(deadline=None)
@given(seeds, st.floats(0.05, 20), st.floats(-3.1, 3.1), st.floats(-500, 500))
def test_recovers_the_similarity_that_moved_the_points(
    seed: int, scale: float, angle: float, shift: float
) -> None:
    source = np.random.default_rng(seed).uniform(0, 100, (20, 2)).astype(np.float32)
    matrix = turn(scale, angle)
    target = (source @ matrix.T + [shift, -shift]).astype(np.float32)
    found = align_similarity(source, target)
    np.testing.assert_allclose(found, matrix, atol=2e-5 * scale + 2e-6)
    np.testing.assert_allclose(invert2(found) @ found, np.eye(2), atol=1e-5)


@settings(deadline=None)
@given(seeds, st.integers(1, 68))
def test_offsets_are_rounded_once(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal((2, 2)).astype(np.float32)
    vectors = rng.uniform(-9, 9, (count, 2)).astype(np.float32)
    out = np.empty_like(vectors)
    map_offsets(matrix, vectors, out)
    m, v = matrix.astype(np.float64), vectors.astype(np.float64)
    twin = m[:, 0] * v[:, :1] + m[:, 1] * v[:, 1:]
    np.testing.assert_array_equal(out, twin.astype(np.float32))


def test_a_mirror_image_is_turned_not_mirrored() -> None:
    kite = np.array([[0, 3], [1, 0], [0, -1], [-1, 0]], np.float32)
    found = align_similarity(kite, kite * np.array([1, -1], np.float32))
    assert np.linalg.det(found) == pytest.approx(1, abs=1e-5)


def test_points_in_one_place_have_no_similarity() -> None:
    assert not np.isfinite(align_similarity(np.ones((4, 2), np.float32), SQUARE)).all()
    assert not np.isfinite(invert2(np.zeros((2, 2), np.float32))).any()
