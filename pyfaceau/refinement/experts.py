"""What the optimiser asks of patch experts, whatever their kind, and how a file of them is loaded.

A patch expert says, for every position of a small window around a landmark, how much the picture
there looks like that landmark. One file holds the experts of one picture scale, for several head
poses ("views").
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pyfaceau.errors import InputError, check_array, check_image
from pyfaceau.modelfile import read_bytes
from pyfaceau.refinement._kernels import MAX_WINDOW
from pyfaceau.types import Float32, Float64, UInt8

_HEADER = 1 << 16
"""Bytes at the start of a binary file that hold its views."""


class PatchExperts(Protocol):
    """Patch experts of one scale."""

    @property
    def scale(self) -> float:
        """Size of the reference frame, pixels per mm of the shape model."""

    @property
    def visibility(self) -> NDArray[np.bool_]:
        """Landmarks that each view has experts for, (views, n)."""

    @property
    def confidence(self) -> Float32:
        """How far each landmark's expert can be trusted, (views, n); 0 where there is none."""

    def view(self, rotation: Float32) -> int:
        """Return the view nearest to a head rotation.

        Parameters
        ----------
        rotation : (3,) float32
            Euler angles of the head, radians.

        Returns
        -------
        int
            0 to views - 1.
        """

    def responses(
        self,
        gray: UInt8,
        landmarks: Float32,
        sim_img_from_ref: Float32,
        view: int,
        window: int,
        only: NDArray[np.bool_] | None = None,
    ) -> Float32:
        """Return how much the picture around each landmark looks like it.

        Parameters
        ----------
        gray : (H, W) uint8
            Picture.
        landmarks : (n, 2) float32
            x and y, pixels.
        sim_img_from_ref : (2, 2) float32
            Rotation and scale from the reference frame to the picture.
        view : int
            Which experts to ask, 0 to views - 1.
        window : int
            Width and height of the maps, pixels of the reference frame; odd.
        only : (n,) bool, optional
            Landmarks to reckon; all that the view has where not given.

        Returns
        -------
        (n, window, window) float32
            Maps in the reference frame, rows along y, the landmark in the middle; zeros where
            nothing was reckoned.

        Raises
        ------
        InputError
            If an argument has another shape or is out of range.
        """


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


def check_request(
    gray: UInt8,
    landmarks: Float32,
    similarity: Float32,
    view: int,
    window: int,
    shape: tuple[int, int],
) -> tuple[UInt8, Float32, Float32]:
    """Check the arguments of `PatchExperts.responses`.

    Parameters
    ----------
    gray : (H, W) uint8
        Picture.
    landmarks : (n, 2) float32
        x and y, pixels.
    similarity : (2, 2) float32
        Rotation and scale from the reference frame to the picture.
    view : int
        0 to views - 1.
    window : int
        Width and height of the maps, odd.
    shape : (views, n)
        What the experts have.

    Returns
    -------
    gray : (H, W) uint8
        As the kernels take it, contiguous.
    landmarks : (n, 2) float32
        The same.
    similarity : (2, 2) float32
        The same.

    Raises
    ------
    InputError
        If one is not usable.
    """
    if not 0 <= view < shape[0]:
        raise InputError(f"view: expected 0 to {shape[0] - 1}, got {view}")
    if window not in range(1, MAX_WINDOW + 1, 2):
        raise InputError(f"window: expected an odd number from 1 to {MAX_WINDOW}, got {window}")
    return (
        check_image("gray", gray, channels=(1,)),
        check_array("landmarks", landmarks, (shape[1], 2), np.float32),
        check_array("sim_img_from_ref", similarity, (2, 2), np.float32),
    )


def load_experts(path: str | Path) -> PatchExperts:
    """Load patch experts of any kind, told apart by the file's contents.

    Parameters
    ----------
    path : str or Path
        Binary CEN or CCNF file, or SVR text file.

    Returns
    -------
    PatchExperts
        `CENExperts`, `CCNFExperts` or `SVRExperts`.

    Raises
    ------
    WeightsError
        If the file is missing or is none of these.
    """
    from pyfaceau.refinement.ccnf import CCNFExperts
    from pyfaceau.refinement.cen import CENExperts, is_cen
    from pyfaceau.refinement.svr import SVRExperts

    start = read_bytes(path, _HEADER)
    if b"\0" not in start[:64]:
        return SVRExperts.load(path)
    return CENExperts.load(path) if is_cen(start) else CCNFExperts.load(path)
