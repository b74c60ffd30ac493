"""Warping a face to the shape model's frontal frame."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from pyfaceau.alignment import _kernels
from pyfaceau.alignment.mask import face_mask, read_triangles
from pyfaceau.errors import InputError, check_array, check_image, check_type
from pyfaceau.numerics.similarity import align_similarity, map_offsets
from pyfaceau.numerics.warp import invert_affine, warp_affine_u8, warp_halves_u8
from pyfaceau.pdm.model import PDM
from pyfaceau.types import AlignedFace, Float32, Float64, ShapeFit, UInt8

_RIGID = (
    1,
    2,
    3,
    4,
    12,
    13,
    14,
    15,
    27,
    28,
    29,
    31,
    32,
    33,
    34,
    35,
    36,
    39,
    40,
    41,
    42,
    45,
    46,
    47,
)
"""Landmarks that move little with expression: jaw sides, nose, eye corners and lower lids."""

_LARGEST = 4096


class FaceAligner:
    """Aligns faces by a similarity transform and masks what is not face.

    Parameters
    ----------
    pdm : PDM
        The 68-point shape model.
    triangulation_file : str or Path
        Triangles that cover the face, see `read_triangles`.
    """

    def __init__(self, pdm: PDM, triangulation_file: str | Path) -> None:
        if pdm.n_points != 68:
            raise InputError(f"pdm: expected a model of 68 points, got {pdm.n_points}")
        self._triangles = read_triangles(triangulation_file)
        self._mean = np.ascontiguousarray(pdm.mean.reshape(3, 68)[:2].T)

    def align(
        self,
        image: Any,
        landmarks: Any,
        fit: ShapeFit,
        *,
        size: int = 112,
        scale: float = 0.7,
        mask: bool = True,
        mirror: Any = None,
    ) -> AlignedFace:
        """Warp one face.

        The rotation and scale A map 24 nearly rigid landmarks onto those of the mean shape by least
        squares; the translation puts the model's origin, the fit's (tx, ty), at the picture's
        centre, (size // 2, size // 2).

        Parameters
        ----------
        image : (H, W, 3) uint8
            BGR frame.
        landmarks : (68, 2) float32
            Pixels.
        fit : ShapeFit
            The shape model fitted to `landmarks`.
        size : int
            Side of the aligned face, pixels, up to 4096. The action-unit models take 112.
        scale : float
            Pixels per mm of the shape model. The action-unit models take 0.7.
        mask : bool
            Blacken what lies outside the landmarks' hull, brows raised by 30 / 0.7 mm.
        mirror : (2, 3) float64, optional
            Matrix that reflects frame pixels about a line. The half of the face on the image's left
            is then shown with its own reflection in place of the other half.

        Returns
        -------
        AlignedFace
            Bilinear, black where the frame ends; equal to the reference's pixel for pixel.

        Raises
        ------
        InputError
            If an argument is not as described.
        """
        frame = check_image("image", image, channels=(3,))
        points = check_array("landmarks", landmarks, (68, 2), np.float32)
        if not (isinstance(size, (int, np.integer)) and 1 <= size <= _LARGEST):
            raise InputError(f"size: expected a whole number from 1 to {_LARGEST}, got {size!r}")
        if not 0 < scale < np.inf:
            raise InputError(f"scale: expected a positive number, got {scale}")
        warp = self._warp(points, check_type("fit", fit, ShapeFit), size, np.float32(scale))
        out = np.empty((size, size, 3), np.uint8)
        back = invert_affine(warp.astype(np.float64))
        if mirror is None:
            warp_affine_u8(frame, back, out)
        else:
            _complete(frame, back, check_array("mirror", mirror, (2, 3), np.float64), out)
        if mask:
            moved = np.empty((68, 2), np.float32)
            map_offsets(warp[:, :2], points, moved)
            moved += warp[:, 2]
            hull = face_mask(moved, self._triangles, size, 30.0 / 0.7 * scale)
            _kernels.apply_mask(hull, out)
        return AlignedFace(out, warp)

    def _warp(self, points: Float32, fit: ShapeFit, size: int, scale: np.float32) -> Float32:
        """Return the (2, 3) matrix from frame to aligned face."""
        rows = list(_RIGID)
        matrix = align_similarity(points[rows], self._mean[rows] * scale)
        x, y = fit.params_global[4:]
        warp = np.empty((2, 3), np.float32)
        warp[:, :2] = matrix
        warp[:, 2] = np.float32(size // 2) - (matrix[:, 0] * x + matrix[:, 1] * y)
        return warp


def _complete(frame: UInt8, back: Float64, mirror: Float64, out: UInt8) -> None:
    """Warp the half of a face before a line, and its own reflection in place of the other half.

    `back` (2, 3) maps pixels of `out` to the frame, `mirror` (2, 3) reflects the frame's.
    """
    turned = mirror[:, :2] @ back
    turned[:, 2] += mirror[:, 2]
    # A point and its reflection are twice its distance from the line apart, along the normal.
    normal = mirror[:, :2] @ (1.0, 0.0) - (1.0, 0.0)
    warp_halves_u8(frame, back, turned, normal @ (turned - back), out)
