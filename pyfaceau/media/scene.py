"""Where the scene changes: the first frame after a cut.

Two frames are compared on a coarse raster of their pixels. Within a recording, moving people and
hands change a part of the picture, light changes all of it alike; a cut exchanges its arrangement.
So a cut is where both the mean difference is large and the gray values are arranged otherwise
(little correlation), and where the picture after next agrees with the new one and not with the
old: a flash or a single broken frame is no cut. Two people before the same wall, in the same
place and the same clothes, are not told apart by this.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from pyfaceau.overlap import End, with_end
from pyfaceau.types import Float32, Frame, UInt8

DIFFERENT = 25.0
"""Mean difference of the pixels, gray levels: a tenth of their range."""

ARRANGED = 0.85
"""Correlation of the gray values; above it the picture shows the same arrangement."""

_RASTER = 24
"""Rows and columns that are looked at, about."""


def with_cuts(frames: Iterable[Frame]) -> Iterator[Frame]:
    """Mark the first frame after each cut.

    Parameters
    ----------
    frames : iterable of Frame
        Frames in order.

    Yields
    ------
    Frame
        The same, one frame later than it came; ``cut`` is among the marks of those after a cut.
        An error of `frames` comes after the last frame.
    """
    old: Float32 | None = None
    held: tuple[Frame, Float32] | None = None
    for item in with_end(frames):
        following = None if isinstance(item, End) else _raster(item.image)
        if held is not None:
            frame, raster = held
            old = raster if old is None else old
            new = changed(old, raster)
            cut = new and (following is None or changed(old, following))
            yield replace(frame, marks=frame.marks | {"cut"}) if cut else frame
            if cut or not new:
                old = raster
        if isinstance(item, End):
            if item.error is not None:
                raise item.error
        elif following is not None:
            held = item, following


def changed(one: Float32, other: Float32) -> bool:
    """Tell whether two rasters show different scenes.

    Parameters
    ----------
    one, other : (n, 3) float32
        Pixels on a raster, gray levels.

    Returns
    -------
    bool
        Different by level and by arrangement.
    """
    if one.shape != other.shape:
        return True
    if float(np.abs(one - other).mean()) < DIFFERENT:
        return False
    a, b = (raster.mean(axis=1) - raster.mean() for raster in (one, other))
    spread = float(np.sqrt(np.square(a).sum() * np.square(b).sum()))
    return spread == 0 or float((a * b).sum()) < ARRANGED * spread


def _raster(image: UInt8) -> Float32:
    """Return pixels on a raster over a picture."""
    rows, columns = (max(1, side // _RASTER) for side in image.shape[:2])
    picked = image[rows // 2 :: rows, columns // 2 :: columns]
    return picked.reshape(-1, 3).astype(np.float32)
