"""What the optimiser asks of patch experts, whatever their kind.

A patch expert says, for every position of a small window around a landmark, how much the picture
there looks like that landmark. One file holds the experts of one picture scale, for several head
poses ("views").
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pyfaceau.errors import InputError, check_array, check_image
from pyfaceau.models.modelfile import BinaryReader, TextReader, mend
from pyfaceau.refinement._kernels import MAX_WINDOW
from pyfaceau.types import Float32, Float64, UInt8


@dataclass(frozen=True, eq=False)
class PatchExperts(ABC):
    """Patch experts of one scale.

    Attributes
    ----------
    scale : float
        Size of the reference frame, pixels per mm of the shape model.
    centres : (views, 3) float64
        Head rotation of each view, radians.
    visibility : (views, n) bool
        Landmarks that each view has responses for.
    confidence : (views, n) float32
        How far each landmark's expert can be trusted, larger is better; 0 where there is none.
    """

    scale: float
    centres: Float64
    visibility: NDArray[np.bool_]
    confidence: Float32

    def view(self, rotation: Float32) -> int:
        """Return the view nearest to a head rotation.

        Parameters
        ----------
        rotation : (3,) float32
            Euler angles, radians.

        Returns
        -------
        int
            The first of the nearest.
        """
        return nearest_view(self.centres, rotation)

    def responses(
        self,
        gray: UInt8,
        landmarks: Float32,
        sim_img_from_ref: Float32,
        view: int,
        window: int,
        only: NDArray[np.bool_] | None = None,
    ) -> Float32:
        """Compute response maps around landmarks.

        Parameters
        ----------
        gray : (H, W) uint8
            Picture.
        landmarks : (n, 2) float32
            Pixels.
        sim_img_from_ref : (2, 2) float32
            Similarity from the reference frame to the picture, without translation.
        view : int
            View to use.
        window : int
            Side of the maps, odd, 1 to 15; networks want 3 or more.
        only : (n,) bool, optional
            Landmarks to compute; all that the view has responses for if not given.

        Returns
        -------
        (n, window, window) float32
            Element (i, j) is the response at ``(j, i) - (window - 1) / 2`` in the reference frame;
            zeros for landmarks that the view has none for and for others left out.

        Raises
        ------
        InputError
            If an argument is not as described.
        """
        views, n = self.confidence.shape
        if not 0 <= view < views:
            raise InputError(f"view: expected 0 to {views - 1}, got {view}")
        if window not in range(1, MAX_WINDOW + 1, 2):
            raise InputError(f"window: expected an odd number from 1 to {MAX_WINDOW}, got {window}")
        gray = check_image("gray", gray, channels=(1,))
        landmarks = check_array("landmarks", landmarks, (n, 2), np.float32)
        similarity = check_array("sim_img_from_ref", sim_img_from_ref, (2, 2), np.float32)
        chosen = self.visibility[view] if only is None else self.visibility[view] & only
        out = np.empty((n, window, window), np.float32)
        self._respond(gray, landmarks, chosen, similarity, view, out)
        return out

    @abstractmethod
    def _respond(
        self,
        gray: UInt8,
        landmarks: Float32,
        chosen: NDArray[np.bool_],
        similarity: Float32,
        view: int,
        out: Float32,
    ) -> None:
        """Fill `out` with the maps of the chosen landmarks, zeros for the others."""


def nearest_view(centres: Float64, rotation: Float32) -> int:
    """Return the index of the view whose centre is nearest to a rotation, the first of equals.

    Parameters
    ----------
    centres : (views, 3) float64
        Radians.
    rotation : (3,) float32
        Euler angles, radians.

    Returns
    -------
    int
        Index into `centres`.
    """
    offset = centres - check_array("rotation", rotation, (3,), np.float64)
    return int(np.argmin((offset * offset).sum(axis=1)))


def read_views(reader: BinaryReader | TextReader, views: int) -> tuple[Float64, NDArray[np.bool_]]:
    """Read what all kinds of files say of their views.

    Parameters
    ----------
    reader : BinaryReader or TextReader
        Where the rotations of the views begin.
    views : int
        Number of views, as the file has it.

    Returns
    -------
    centres : (views, 3) float64
        Head rotation of each view, radians.
    visibility : (views, n) bool
        Landmarks that each view has responses for.

    Raises
    ------
    WeightsError
        If the number makes no sense or the file ends early.
    """
    if not 0 < views <= 64:
        raise mend(reader.path, f"expected 1 to 64 views, found {views}")
    centres = np.radians([reader.matrix().ravel() for _ in range(views)])
    visibility = np.array([reader.matrix().ravel() != 0 for _ in range(views)])
    return centres, visibility
