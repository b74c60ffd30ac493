"""A picture of a video, and the camera that took it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pyfaceau.errors import InputError, check_array, check_image
from pyfaceau.types.arrays import Float32, UInt8

MARKS = ("resized", "clock", "damaged", "cut", "turned", "several")
"""What may be noticed of a frame: stored in another size than the first; the file's clock did not
run forward here and was corrected; the decoder reports damage; the scene changes with it; the face
is not upright in it and was looked for in a turned picture; it was looked at and shows several
faces."""


@dataclass(frozen=True, eq=False)
class Frame:
    """One decoded picture of a video.

    Attributes
    ----------
    image : (H, W, 3) uint8
        BGR, BT.601 limited range, rotation applied.
    index : int
        Position in decoding order, from 0. OpenFace's column ``frame`` is ``index + 1``.
    timestamp : float
        Seconds.
    gray : (H, W) uint8 or None
        The picture in gray, where it was made ahead of who needs it.
    marks : frozenset of str
        What was noticed of it, some of `MARKS`.
    turn : int
        Quarter turns, counter-clockwise, after which its face is upright.
    """

    image: UInt8
    index: int
    timestamp: float
    gray: UInt8 | None = None
    marks: frozenset[str] = frozenset()
    turn: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "image", check_image("image", self.image, channels=(3,)))
        if self.gray is not None:
            gray, size = check_image("gray", self.gray, channels=(1,)), self.image.shape[:2]
            if gray.shape != size:
                raise InputError(f"gray: expected shape {size}, got {gray.shape}")
            object.__setattr__(self, "gray", gray)
        if self.index < 0:
            raise InputError(f"index: expected 0 or more, got {self.index}")


@dataclass(frozen=True, eq=False)
class Camera:
    """Pinhole camera.

    Attributes
    ----------
    fx, fy : float
        Focal lengths, pixels; not 0.
    cx, cy : float
        Principal point, pixels.
    """

    fx: float
    fy: float
    cx: float
    cy: float

    def __post_init__(self) -> None:
        lens = (self.fx, self.fy, self.cx, self.cy)
        check_array("fx, fy, cx, cy", lens, (4,), np.float64)
        if self.fx == 0 or self.fy == 0:
            raise InputError(f"fx, fy: expected focal lengths other than 0, got {lens[:2]}")

    @cached_property
    def lens(self) -> Float32:
        """All four as (4,) float32: fx, fy, cx, cy."""
        lens = np.array([self.fx, self.fy, self.cx, self.cy], np.float32)
        lens.setflags(write=False)
        return lens

    @classmethod
    def for_size(cls, width: int, height: int) -> Camera:
        """OpenFace's guess for an unknown camera: 500 px at 640x480, scaled, centre of picture.

        Parameters
        ----------
        width, height : int
            Picture size, pixels.

        Returns
        -------
        Camera
            All four values rounded to float32.
        """
        f32 = np.float32
        fx = f32(500) * (f32(width) / f32(640))
        fy = f32(500) * (f32(height) / f32(480))
        f = float((fx + fy) / f32(2))
        return cls(f, f, float(f32(width) / f32(2)), float(f32(height) / f32(2)))
