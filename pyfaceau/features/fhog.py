"""Felzenszwalb's histogram of oriented gradients (FHOG) of an aligned face."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from pyfaceau.errors import InputError, check_image
from pyfaceau.features import _kernels
from pyfaceau.types import Float32, UInt8

SIZE = 112
"""Side of the aligned face, pixels."""

_DIRECTIONS = (
    (1.0, 0.0),
    (0.9397, 0.3420),
    (0.7660, 0.6428),
    (0.5, 0.8660),
    (0.1736, 0.9848),
    (-0.1736, 0.9848),
    (-0.5, 0.8660),
    (-0.7660, 0.6428),
    (-0.9397, 0.3420),
)


@functools.cache
def orientation_bins() -> UInt8:
    """Orientation of every gradient that 8-bit pixels can have.

    Returns
    -------
    (511, 511) uint8
        Bin of gradient (gx, gy) at ``[gy + 255, gx + 255]``: o in 0..8 where the unit vector of
        angle 20 o degrees has the largest dot product with it, o + 9 where its opposite has.
        The first largest wins; a zero gradient has bin 0. The vectors are the reference's, with
        four decimals.
    """
    g = np.arange(-255, 256, dtype=np.float32)
    best = np.zeros((511, 511), np.float32)
    bins = np.zeros((511, 511), np.uint8)
    for o, (ux, uy) in enumerate(_DIRECTIONS):
        dot = g[None, :] * np.float32(ux) + g[:, None] * np.float32(uy)
        for score, number in ((dot, o), (-dot, o + 9)):
            wins = score > best
            best[wins] = score[wins]
            bins[wins] = number
    bins.flags.writeable = False
    return bins


def fhog(image: Any) -> Float32:
    """Describe an aligned face by FHOG: 8-pixel cells, 12x12 of them, 31 values each.

    1. Gradient of each inner pixel by central differences, of the colour channel where it is
       longest (ties: the later of R, G, B in columns 1 to 104, the earlier beyond).
    2. Its length is shared bilinearly by the four nearest of 14x14 cells, in one of 18
       orientations.
    3. Energy of a cell: sum over 9 unsigned orientations of the squared histogram. A cell lies in
       four 2x2 blocks; of block energy B the limit is n = 0.2 sqrt(B + 1e-4).
    4. Value: sum over the four blocks of 0.1 min(h, n) / n, for 18 signed and 9 unsigned
       orientations; texture, one per block: 0.4714 times the sum over 18 orientations.

    Parameters
    ----------
    image : (112, 112, 3) uint8
        BGR.

    Returns
    -------
    (4464,) float32
        Index = (row * 12 + column) * 31 + channel; no unit. Equal to the reference's to the bit.

    Raises
    ------
    InputError
        If `image` is anything else.

    Notes
    -----
    P. Felzenszwalb et al., Object detection with discriminatively trained part-based models,
    PAMI 2010, section 6, as implemented by dlib 19.24.
    """
    picture = check_image("image", image, channels=(3,))
    if picture.shape != (SIZE, SIZE, 3):
        raise InputError(f"image: expected (112, 112, 3) uint8, got shape {picture.shape}")
    return _kernels.fhog(picture, orientation_bins())
