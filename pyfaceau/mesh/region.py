"""The turned square in which the mesh network looks at a face."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from pyfaceau.types import FaceBox, Float32, Float64, UInt8

MARGIN = 1.5
"""Side of the square, as a share of the face's longer extent (Kartynnik et al. 2019, section 2:
the crop is the face's box with a margin, turned so that the eyes are level)."""

_EYE_CORNERS = (33, 263)
"""Outer corners of the eyes on the image's left and right."""


@dataclass(frozen=True, eq=False)
class FaceRegion:
    """A turned square.

    Attributes
    ----------
    x, y : float
        Centre, pixels.
    side : float
        Pixels.
    angle : float
        Radians; positive where the eye on the image's right lies lower.
    """

    x: float
    y: float
    side: float
    angle: float

    @classmethod
    def of_box(cls, box: FaceBox) -> FaceRegion:
        """Return the square around a detected face.

        Parameters
        ----------
        box : FaceBox
            Its box; turned by the line of its eyes, where it has any.

        Returns
        -------
        FaceRegion
            About the box's middle.
        """
        angle = 0.0
        if box.points5 is not None:
            dx, dy = (box.points5[1] - box.points5[0]).tolist()
            angle = float(np.arctan2(dy, dx))
        x, y = box.x + box.width / 2, box.y + box.height / 2
        return cls(x, y, MARGIN * max(box.width, box.height), angle)

    @classmethod
    def of_points(cls, points: Float32) -> FaceRegion:
        """Return the square around a face's points.

        Parameters
        ----------
        points : (478, 3) float32
            A face's mesh, pixels.

        Returns
        -------
        FaceRegion
            About the middle of the points' extent along and across the line of the eyes.
        """
        flat = points[:, :2].astype(np.float64)
        one, other = _EYE_CORNERS
        dx, dy = flat[other] - flat[one]
        angle = float(np.arctan2(dy, dx))
        turn = _turn(angle)
        level = flat @ turn.T
        low, high = level.min(axis=0), level.max(axis=0)
        x, y = turn.T @ ((low + high) / 2)
        return cls(float(x), float(y), MARGIN * float((high - low).max()), angle)

    def warp(self, size: int) -> Float64:
        """Return the way from the picture into the square.

        Parameters
        ----------
        size : int
            Pixels of the square's side.

        Returns
        -------
        (2, 3) float64
            Matrix from picture pixels to the square's.
        """
        turn = _turn(self.angle) * (size / self.side)
        middle = np.full(2, size / 2) - turn @ (self.x, self.y)
        return np.column_stack([turn, middle])

    def cut(self, image: UInt8, size: int) -> UInt8:
        """Cut the square out, black where it leaves the picture.

        Parameters
        ----------
        image : (H, W, 3) uint8
            BGR picture.
        size : int
            Pixels of the square's side.

        Returns
        -------
        (size, size, 3) uint8
            BGR.
        """
        cut = cv2.warpAffine(image, self.warp(size), (size, size), flags=cv2.INTER_LINEAR)
        return np.asarray(cut, np.uint8)

    def back(self, points: Float32, size: int) -> Float32:
        """Bring points of the square into the picture.

        Parameters
        ----------
        points : (n, 3) float32
            Pixels of the square; z in the same unit.
        size : int
            Pixels of the square's side.

        Returns
        -------
        (n, 3) float32
            Pixels of the picture.
        """
        scale = self.side / size
        flat = (points[:, :2] - size / 2) @ (_turn(self.angle) * scale) + (self.x, self.y)
        return np.column_stack([flat, points[:, 2] * scale]).astype(np.float32)


def _turn(angle: float) -> Float64:
    """Return the rotation that makes a line at this angle level."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, s], [-s, c]])
