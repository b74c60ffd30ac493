"""A folder with a picture of each aligned face."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

from pyfaceau.errors import InputError
from pyfaceau.output.sink import Sink
from pyfaceau.output.target import FolderTarget, writing
from pyfaceau.types import Frame, FrameResult, TrackedFace, UInt8

SIZE, SCALE = 112, 0.7
"""Side and scale of what the action-unit models see, pixels and pixels per mm."""


@dataclass(frozen=True)
class Crop:
    """How aligned faces are written. The action units are always measured on the default.

    Attributes
    ----------
    size : int
        Side, pixels.
    scale : float or None
        Pixels per mm of the shape model; grows with `size` if None: 0.7 at 112 pixels.
    mask : bool
        Blacken what is outside the face.
    gray : bool
        Without colour.
    failures : bool
        Write a picture for rows without success, too: black where there is no face.
    """

    size: int = SIZE
    scale: float | None = None
    mask: bool = True
    gray: bool = False
    failures: bool = True

    def __post_init__(self) -> None:
        if self.size < 1:
            raise InputError(f"size: expected a positive number of pixels, got {self.size}")
        if self.scale is not None and not 0 < self.scale < np.inf:
            raise InputError(f"scale: expected a positive number, got {self.scale}")

    @property
    def pixels_per_mm(self) -> float:
        """The scale in effect."""
        return self.size * SCALE / SIZE if self.scale is None else self.scale

    @property
    def is_models(self) -> bool:
        """Whether this is, but for colour, what the action-unit models see."""
        return (self.size, self.pixels_per_mm, self.mask) == (SIZE, SCALE, True)


Align: TypeAlias = Callable[[UInt8, TrackedFace, int, float, bool], UInt8]
"""Aligns the face in a picture: size, scale, mask."""


class AlignedFaces(Sink):
    """Writes aligned faces as BMP pictures.

    Of a video: ``frame_det_II_FFFFFF.bmp``, face_id and frame number; of a still picture:
    ``face_det_IIIIII.bmp``.

    Parameters
    ----------
    folder : str or Path
        Where to.
    crop : Crop
        Size and style.
    align : callable
        Aligns a face where `crop` is not what the action-unit models have seen.
    still : bool
        The faces are those of a still picture.

    Raises
    ------
    OutputError
        If the folder cannot be written or holds other files.
    """

    def __init__(self, folder: str | Path, crop: Crop, align: Align, still: bool = False) -> None:
        super().__init__(FolderTarget(folder, r"(frame_det_\d\d+|face_det)_\d{6,}\.bmp"))
        self._crop = crop
        self._align = align
        self._still = still

    def write(self, frame: Frame, faces: Sequence[FrameResult]) -> None:
        """Write a picture for each face.

        Parameters
        ----------
        frame : Frame
            The picture.
        faces : sequence of FrameResult
            Faces with the aligned face of the action-unit models; without it where there is none.

        Raises
        ------
        OutputError
            If the disk is full.
        """
        import cv2

        for result in faces:
            if not result.face.success and not self._crop.failures:
                continue
            name = f"frame_det_{result.face_id:02d}_{frame.index + 1:06d}.bmp"
            if self._still:
                name = f"face_det_{result.face_id:06d}.bmp"
            with writing(self.target.path):
                _, data = cv2.imencode(".bmp", self._picture(frame, result))
                (self.target.part / name).write_bytes(data.tobytes())

    def _picture(self, frame: Frame, result: FrameResult) -> UInt8:
        """Return a face as it is to be written."""
        crop = self._crop
        if result.aligned is None:
            image = np.zeros((crop.size, crop.size, 3), np.uint8)
        elif crop.is_models:
            image = result.aligned.image
        else:
            image = self._align(frame.image, result.face, crop.size, crop.pixels_per_mm, crop.mask)
        if not crop.gray:
            return image
        from pyfaceau.numerics.warp import gray_from_bgr

        return gray_from_bgr(image)

    def _close(self) -> None:
        """Nothing is open."""
