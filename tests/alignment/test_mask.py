"""Mask: a triangle by hand, a NumPy twin, the model file, damaged files."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyfaceau.alignment.mask import face_mask, read_triangles
from pyfaceau.errors import InputError, WeightsError


def points_with(corners):
    points = np.full((68, 2), 1000, np.float32)
    for index, corner in corners.items():
        points[index] = corner
    return points


def twin(points, triangles, size):
    """All pixels against all triangles, float32."""
    y, x = np.mgrid[:size, :size].astype(np.float32)

    def side(px, py, a, b):
        return (px - b[0]) * (a[1] - b[1]) - (a[0] - b[0]) * (py - b[1])

    mask = np.zeros((size, size), bool)
    for corners in points[triangles]:
        low, high = corners.min(axis=0), corners.max(axis=0)
        inside = (x >= low[0]) & (x <= high[0]) & (y >= low[1]) & (y <= high[1])
        for k in range(3):
            a, b, c = corners[k], corners[k - 2], corners[k - 1]
            inside &= side(x, y, a, b) * side(c[0], c[1], a, b) >= 0
        mask |= inside
    return mask


def test_a_triangle_holds_its_border():
    points = points_with({1: (1, 1), 2: (4, 1), 3: (1, 4)})
    mask = face_mask(points, [[1, 2, 3]], 6, 0)
    expected = np.zeros((6, 6))
    expected[1, 1:5] = expected[2, 1:4] = expected[3, 1:3] = expected[4, 1] = 1
    np.testing.assert_array_equal(mask, expected)
    np.testing.assert_array_equal(face_mask(points, [[3, 2, 1]], 6, 0), expected)


def test_brows_and_jaw_ends_are_raised():
    points = points_with({0: (0, 5), 16: (4, 5), 26: (2, 5), 15: (2, 5)})
    assert face_mask(points, [[0, 16, 26]], 6, 3)[:, :5].sum(axis=1).tolist() == [0, 0, 5, 0, 0, 0]
    # Point 15 stays: the triangle reaches from row 2 down to row 5.
    assert face_mask(points, [[0, 16, 15]], 6, 3)[5, 2] == 1


@given(seed=st.integers(0, 2**32 - 1), digits=st.sampled_from([0, 5]))
@settings(max_examples=25, deadline=None)
def test_kernel_agrees_with_its_twin(seed, digits):
    # Whole-pixel corners put many pixels exactly on edges; some corners lie outside.
    rng = np.random.default_rng(seed)
    points = rng.uniform(-8, 30, (68, 2)).round(digits).astype(np.float32)
    triangles = rng.integers(0, 68, (6, 3)).astype(np.int32)
    np.testing.assert_array_equal(face_mask(points, triangles, 24, 0), twin(points, triangles, 24))


def test_triangles_of_the_model_cover_all_landmarks(weights_dir):
    triangles = read_triangles(weights_dir / "tris_68_full.txt")
    assert triangles.shape == (111, 3)
    assert set(triangles.ravel()) == set(range(68))


@pytest.mark.parametrize(
    "text", ["1\n3\n4\n0 1 68", "1\n2\n4\n0 1", "1\n3\n4\n0 1 1.5", "1\n3\n4\n0 1"]
)
def test_a_damaged_triangulation_is_refused(tmp_path, text):
    path = tmp_path / "tris.txt"
    path.write_text(text)
    with pytest.raises(WeightsError, match=r"tris\.txt"):
        read_triangles(path)


def test_indices_out_of_range_are_refused():
    with pytest.raises(InputError, match="triangles: expected indices"):
        face_mask(np.zeros((68, 2)), [[0, 1, 68]], 8, 0)
