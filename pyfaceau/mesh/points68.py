"""The 68 points of iBUG as sums of mesh vertices, read from ``points68.txt`` (with origin)."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from pyfaceau.types import Float64, Int32


def points68(mesh: ArrayLike) -> Float64:
    """Return iBUG's 68 points of a mesh.

    Parameters
    ----------
    mesh : (468 or 478, d) array_like
        Vertices, in any frame.

    Returns
    -------
    (68, d) float64
        In the mesh's frame.
    """
    vertices, weights = correspondence()
    corners = np.asarray(mesh, np.float64)[vertices]
    return np.asarray(np.einsum("pkd,pk->pd", corners, weights), np.float64)


@functools.lru_cache(maxsize=1)
def correspondence() -> tuple[Int32, Float64]:
    """Return which vertices a point is made of.

    Returns
    -------
    vertices : (68, 3) int32
        Vertices of the mesh.
    weights : (68, 3) float64
        Their weights, of sum 1.
    """
    rows = np.loadtxt(Path(__file__).with_name("points68.txt"))
    return rows[:, 1:4].astype(np.int32), rows[:, 4:]
