"""How recordings are read."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from pyfaceau.errors import InputError


@dataclass(frozen=True)
class Reading:
    """How recordings are read.

    Attributes
    ----------
    pixels : {'square', 'stored'}
        What is measured where a file says that its pixels are not square: square ones, or those
        that are stored, as OpenFace does.
    fps : float
        Frames per second, whatever the file says; 0: the file's own.
    at_cuts : {'restart', 'keep', 'fail'}
        Where the scene changes, maybe to another person: a new neutral face, OpenFace's one for
        all, or no table.
    rotate : {'auto', '0', '90', '180', '270'}
        Counter-clockwise degrees by which the picture is turned to look for an upright face.
    """

    pixels: Literal["square", "stored"] = "square"
    fps: float = 0.0
    at_cuts: Literal["restart", "keep", "fail"] = "restart"
    rotate: Literal["auto", "0", "90", "180", "270"] = "auto"

    def __post_init__(self) -> None:
        if not (math.isfinite(self.fps) and self.fps >= 0):
            raise InputError(f"fps: expected 0 or a positive number, got {self.fps}")

    @property
    def options(self) -> dict[str, Any]:
        """What `pyfaceau.media.picture.open_frames` is told."""
        return {"square": self.pixels == "square", "fps": self.fps or None}
