"""Faces cut out once, larger than the networks see them, so that training turns and shifts them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pyfaceau.errors import InputError
from pyfaceau.landmarks.pfld import LANDMARK_BOX
from pyfaceau.training.data import FaceSample, load_picture
from pyfaceau.types import Float32, Float64, UInt8

MARGIN = 1.5
"""Side of what is cut out, in units of the crop's side."""


@dataclass(frozen=True, eq=False)
class FaceCrops:
    """Faces cut out level, with their points.

    Attributes
    ----------
    images : (n, size, size, 3) uint8
        BGR, the face's crop in the middle, `MARGIN` times as wide as that; outside of the picture
        black.
    points : (n, 68, 2) float32
        Pixels of these; NaN where a point is not annotated.
    """

    images: UInt8
    points: Float32

    def __post_init__(self) -> None:
        n, size = len(self.images), self.images.shape[1]
        if self.images.shape != (n, size, size, 3) or self.points.shape != (n, 68, 2):
            raise InputError(
                "crops: expected images (n, size, size, 3) and points (n, 68, 2), got "
                f"{self.images.shape} and {self.points.shape}"
            )

    def __len__(self) -> int:
        return len(self.images)

    @property
    def size(self) -> int:
        """Side of the pictures, pixels."""
        return int(self.images.shape[1])


def cut_faces(samples: Sequence[FaceSample], size: int) -> FaceCrops:
    """Cut faces out.

    Parameters
    ----------
    samples : sequence of FaceSample
        Faces, of readable pictures.
    size : int
        Side of the result, pixels.

    Returns
    -------
    FaceCrops
        In the same order.
    """
    images = np.empty((len(samples), size, size, 3), np.uint8)
    points = np.empty((len(samples), 68, 2), np.float32)
    for k, sample in enumerate(samples):
        picture = load_picture(sample.picture)
        if picture is None:
            raise InputError(f"{sample.picture}: the picture cannot be read")
        matrix = level_crop(sample.points, size, MARGIN)
        # Shrinking by more than two takes every second pixel and no more: blur first.
        scale = float(np.hypot(matrix[0, 0], matrix[0, 1]))
        if scale < 0.5:
            picture = cv2.GaussianBlur(picture, (0, 0), 0.35 / scale)
        images[k] = cv2.warpAffine(picture, matrix, (size, size), flags=cv2.INTER_LINEAR)
        points[k] = sample.points @ matrix[:, :2].T + matrix[:, 2]
    return FaceCrops(images, points)


def level_crop(points: NDArray[np.floating], side: int, margin: float = 1.0) -> Float64:
    """Return the crop of a face by the rule that the pipeline's crops follow.

    The line through the eyes lies level; side and centre are those of
    `pyfaceau.landmarks.pfld.LANDMARK_BOX`, the side `margin` times that.

    Parameters
    ----------
    points : (68, 2) float
        Landmarks, pixels; NaN where not annotated, but not the eyes' outer corners.
    side : int
        Side of the crop, pixels.
    margin : float
        Factor on the side of what it holds.

    Returns
    -------
    (2, 3) float64
        Matrix from picture pixels to crop pixels.
    """
    known = np.asarray(points, np.float64)
    ends = [np.nanmean(known[a:b], axis=0) for a, b in ((36, 42), (42, 48))]
    dx, dy = ends[1] - ends[0]
    length = float(np.hypot(dx, dy))
    c, s = (dx / length, dy / length) if length > 0 else (1.0, 0.0)
    turn = np.array([[c, s], [-s, c]])
    level = known @ turn.T
    low, high = np.nanmin(level, axis=0), np.nanmax(level, axis=0)
    factor, down = LANDMARK_BOX
    longer = float((high - low).max())
    centre = (low + high) / 2 + np.array([0.0, down * longer])
    matrix = np.empty((2, 3))
    matrix[:, :2] = turn * (side / (margin * factor * longer))
    matrix[:, 2] = (side - 1) / 2 - matrix[:, :2] @ (turn.T @ centre)
    return matrix
