"""Geometry descriptor: offsets, then parameters."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfaceau.errors import InputError
from pyfaceau.features.geometry import geometry_descriptor
from pyfaceau.pdm.model import PDM

SMALL = PDM(
    np.arange(6, dtype=np.float32),
    np.array([[1, 0], [0, 1], [0, 0], [0, 0], [0.5, 0], [0, 2]], np.float32),
    np.array([2, 1], np.float32),
)


def test_offsets_come_without_the_mean_shape():
    expected = [3, 4, 0, 0, 1.5, 8, 3, 4]
    np.testing.assert_array_equal(geometry_descriptor(SMALL, [3.0, 4.0]), expected)


def test_descriptors_of_a_video_equal_the_reference(shared, weights_dir):
    pdm = PDM.load(weights_dir / "In-the-wild_aligned_PDM_68.txt")
    expected = np.load(shared / "reference/stages/single_face/stages.npz")["f_geom"]
    got = [geometry_descriptor(pdm, row[204:].astype(np.float32)) for row in expected]
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-13)


def test_sums_are_taken_in_the_order_of_the_modes():
    """In any other order 1 is lost beside 2**60."""
    basis = np.zeros((3, 3), np.float32)
    basis[1] = [2.0**30, -(2.0**30), 1]
    pdm = PDM(np.zeros(3, np.float32), basis, np.ones(3, np.float32))
    got = geometry_descriptor(pdm, [2.0**30, 2.0**30, 1])
    np.testing.assert_array_equal(got, [0, 1, 0, 2.0**30, 2.0**30, 1])


@given(st.lists(st.floats(-50, 50, width=32), min_size=2, max_size=2), st.sampled_from([-1, 0, 2]))
def test_it_is_linear(params, factor):
    p = np.array(params, np.float32)
    scaled = geometry_descriptor(SMALL, np.float32(factor) * p)
    np.testing.assert_array_equal(scaled, factor * geometry_descriptor(SMALL, p))


@pytest.mark.parametrize("params", [[1.0], [1.0, np.nan], [[1.0, 2.0]]])
def test_wrong_parameters_are_refused(params):
    with pytest.raises(InputError, match="params_local: expected"):
        geometry_descriptor(SMALL, params)
