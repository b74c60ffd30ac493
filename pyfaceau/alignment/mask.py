"""The mask of an aligned face: the triangulated hull of its landmarks, brows raised."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from pyfaceau.alignment import _kernels
from pyfaceau.errors import InputError, check_array
from pyfaceau.models.modelfile import TextReader, mend
from pyfaceau.types import Int32, UInt8

_RAISED = (0, *range(16, 27))
"""Both ends of the jaw line and the brows."""


def read_triangles(path: str | Path) -> Int32:
    """Read a triangulation of 68 landmarks.

    Parameters
    ----------
    path : str or Path
        Text matrix, k rows of three landmark indices from 0.

    Returns
    -------
    (k, 3) int32
        Landmark indices.

    Raises
    ------
    WeightsError
        If the file is missing or no such matrix.
    """
    reader = TextReader(path)
    rows = reader.matrix()
    reader.expect_end()
    if rows.shape[1] != 3 or not ((rows >= 0) & (rows < 68) & (rows == np.trunc(rows))).all():
        raise mend(Path(path), "expected rows of three landmark indices from 0 to 67")
    return np.ascontiguousarray(rows, dtype=np.int32)


def face_mask(points: Any, triangles: Any, size: int, rise: float) -> UInt8:
    """Draw the mask of a face.

    Parameters
    ----------
    points : (68, 2) float32
        Landmarks in pixels of the aligned face.
    triangles : (k, 3) int32
        Landmark indices, from 0.
    size : int
        Side of the aligned face, pixels.
    rise : float
        How far brows and jaw ends (points 0, 16 to 26) are moved up to take in the forehead,
        pixels.

    Returns
    -------
    (size, size) uint8
        1 at pixels whose centre is in one of the closed triangles, else 0.

    Raises
    ------
    InputError
        If `points` or `triangles` is not as described.
    """
    corners = check_array("points", points, (68, 2), np.float32).copy()
    rows = check_array("triangles", triangles, (None, 3), np.int32)
    if rows.size and (rows.min() < 0 or rows.max() >= len(corners)):
        raise InputError("triangles: expected indices from 0 to 67")
    corners[_RAISED, 1] -= np.float32(rise)
    mask = np.zeros((size, size), np.uint8)
    _kernels.fill_triangles(corners, rows, mask)
    return mask
