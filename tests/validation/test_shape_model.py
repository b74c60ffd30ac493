"""Shapes laid on each other, by hand."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from validation.shape_model import compared, laid_on


def test_a_turned_and_scaled_shape_lies_on_itself() -> None:
    shape = np.random.default_rng(0).normal(size=(68, 3))
    shape -= shape.mean(axis=0)
    moved = 0.3 * Rotation.from_euler("xyz", (20, 130, -40), degrees=True).apply(shape)
    np.testing.assert_allclose(laid_on(moved, shape), shape, atol=1e-12)
    # A mirror image is no rotation: it must not be undone.
    assert np.abs(laid_on(shape * [-1, 1, 1], shape) - shape).max() > 0.5


def test_distances_are_of_90_mm_between_the_eyes() -> None:
    """A tenth of the eye distance is 9 mm, but for what the fit takes of it."""
    shape = np.random.default_rng(1).normal(size=(68, 3))
    shape -= shape.mean(axis=0)
    off = shape.copy()
    off[0, 0] += 0.1 * np.linalg.norm(shape[36] - shape[45])
    off -= off.mean(axis=0)
    rows = {name: (float(mean), float(most)) for name, mean, most in compared(off, shape)}
    assert 8 < rows["all 68 points"][1] <= 9
    assert rows["the jaw's two ends"][1] == rows["jaw"][1] == rows["all 68 points"][1]
    assert rows["mouth"][1] < 1
