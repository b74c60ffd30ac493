"""What a landmark network's points say of a shape that was fitted without them.

A fit that goes on from the picture before is the better one nearly always, but it can settle beside
a part of the face and stay there: brows on lashes, a jaw on the hair. The network does not, and is
blunter. So it is the likelihood of the patch experts that decides, as it does between OpenFace's
starts at several head rotations.
"""

from __future__ import annotations

import numpy as np

from pyfaceau.pdm.model import PDM
from pyfaceau.tracking.stages import Refiner
from pyfaceau.types import Float32, ShapeFit, UInt8

MAX_RESIDUAL = 1.5
"""A landmark set further from the shape model than this (RMS, mm) is no face.

On faces the network's answer lies 0.3 to 0.9 mm from the model; on background it soon collapses.
"""

MAX_DRIFT = 10.0
"""Where refined shape and network are further apart than this (RMS, mm), one of them is lost.

It is a tenth of the distance between the eyes' outer corners; otherwise they lie 2 to 6 mm apart.
"""

MAX_PART = 6.0
"""Where the middle of a part of the face is further from the network's than this (mm), the part may
be lost. Of 3,617 frames of videos the worst part is 3.5 mm off in the median, over 6 in a tenth."""

FALL = 0.1
"""A shape whose log likelihood is lower than that of the picture before by more than this is in
doubt: the picture has jumped, or the shape has slipped."""

LIKELIER = 0.2
"""By so much a shape fitted from the network's points has to have the larger log likelihood, by
half of it where that of the other has fallen: of nearly equals what follows from the picture before
stays, as with OpenFace. Without a margin more lost brows are found, and profile `default` is
further from OpenFace's numbers (mean r 0.951 instead of 0.954)."""

_PARTS = tuple(map(slice, (0, 17, 22, 27, 36, 42, 48), (17, 22, 27, 36, 42, 48, 68)))
"""Landmarks of jaw, brows, nose, eyes and mouth."""


def distance_of(shape: ShapeFit, landmarks: Float32, network_points: Float32) -> float:
    """Return how far a shape's points are from others.

    Parameters
    ----------
    shape : ShapeFit
        The shape.
    landmarks : (68, 2) float32
        Its points, pixels.
    network_points : (68, 2) float32
        The others.

    Returns
    -------
    float
        Root mean square, mm of the shape model; infinite where the shape has no size.
    """
    scale = float(shape.params_global[0])
    squares = np.square(landmarks - network_points).sum(axis=1)
    return float(np.sqrt(squares.mean())) / scale if scale > 0 else np.inf


def part_distance(shape: ShapeFit, landmarks: Float32, network_points: Float32) -> float:
    """Return how far the worst part of a face is from where others have it.

    Parameters
    ----------
    shape : ShapeFit
        The shape.
    landmarks : (68, 2) float32
        Its points, pixels.
    network_points : (68, 2) float32
        The others.

    Returns
    -------
    float
        Largest distance between the middles of jaw, brows, nose, eyes and mouth, mm of the shape
        model; infinite where the shape has no size.
    """
    scale = float(shape.params_global[0])
    apart = landmarks - network_points
    furthest = max(float(np.hypot(*apart[part].mean(axis=0))) for part in _PARTS)
    return furthest / scale if scale > 0 else np.inf


def has_parted(shape: ShapeFit, landmarks: Float32, network_points: Float32) -> bool:
    """Return whether a part of a shape is to be fitted anew, see `likelier`.

    Parameters
    ----------
    shape : ShapeFit
        The shape; one without likelihood cannot be compared.
    landmarks : (68, 2) float32
        Its points, pixels.
    network_points : (68, 2) float32
        The network's.

    Returns
    -------
    bool
        True where a part is further away than 6 mm.
    """
    known = not np.isnan(shape.likelihood)
    return known and part_distance(shape, landmarks, network_points) > MAX_PART


def fell(before: ShapeFit, shape: ShapeFit) -> bool:
    """Return whether a shape is in doubt, being less likely than the one it goes on from.

    Parameters
    ----------
    before : ShapeFit
        The one in the picture before.
    shape : ShapeFit
        The one in this picture.

    Returns
    -------
    bool
        False where a likelihood is unknown.
    """
    return bool(shape.likelihood < before.likelihood - FALL)


def start_from(pdm: PDM, network_points: Float32) -> ShapeFit | None:
    """Return the shape of a network's points.

    Parameters
    ----------
    pdm : PDM
        68-point shape model.
    network_points : (68, 2) float32
        Pixels.

    Returns
    -------
    ShapeFit or None
        None where they form no face: further from the shape model than 1.5 mm.
    """
    shape = pdm.calc_params(network_points)
    near = distance_of(shape, pdm.shape_2d(shape), network_points) <= MAX_RESIDUAL
    return shape if near else None


def likelier(
    refiner: Refiner, gray: UInt8, before: ShapeFit, shape: ShapeFit, start: ShapeFit | None
) -> ShapeFit:
    """Fit from another start as well; return the likelier shape.

    Parameters
    ----------
    refiner : Refiner
        Fits, without landmarks of a network.
    gray : (H, W) uint8
        Picture.
    before : ShapeFit
        The shape in the picture before.
    shape : ShapeFit
        What the refiner has made of it.
    start : ShapeFit or None
        The other start; None where there is none.

    Returns
    -------
    ShapeFit
        `shape` itself, unless the new one's log likelihood is larger by more than 0.2, or by more
        than 0.1 where that of `shape` has fallen.
    """
    if start is None:
        return shape
    fresh = refiner.fit(gray, start, None, True)
    margin = LIKELIER / 2 if fell(before, shape) else LIKELIER
    return fresh if fresh.likelihood > shape.likelihood + margin else shape
