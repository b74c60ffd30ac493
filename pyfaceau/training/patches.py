"""Areas around annotated points, as patch experts see them: what these learn from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pyfaceau.errors import InputError
from pyfaceau.landmarks.network import LandmarkNetwork
from pyfaceau.landmarks.pfld import PFLD, crop_from_points
from pyfaceau.numerics.similarity import align_similarity, invert2
from pyfaceau.pdm.model import PDM
from pyfaceau.refinement._kernels import SIDE, STRIDE, sample_area
from pyfaceau.training.crops import level_crop
from pyfaceau.training.data import FaceSample, load_picture
from pyfaceau.training.layouts import MIRROR_68
from pyfaceau.types import Float32, ShapeFit, UInt8

JITTER = 2.0
"""Largest offset of an area's middle from its point, reference pixels."""

SIGMA = 1.0
"""Width of the response that is asked for, reference pixels."""


@dataclass(frozen=True, eq=False)
class Areas:
    """Areas around points, in the reference frame.

    Attributes
    ----------
    scale : float
        Pixels per mm of the reference frame.
    pixels : (68, n, window + 10, window + 10) float32
        Gray.
    targets : (68, n, window, window) float32
        Response asked for: ``exp(-d^2 / (2 sigma^2))`` at distance d from the point.
    known : (68, n) bool
        The point is annotated.
    """

    scale: float
    pixels: Float32
    targets: Float32
    known: NDArray[np.bool_]


def cut_areas(
    samples: Sequence[FaceSample],
    pdm: PDM,
    scale: float,
    window: int = 7,
    network: PFLD | LandmarkNetwork | None = None,
    seed: int = 0,
) -> Areas:
    """Cut areas out of annotated faces and of their mirror images.

    Parameters
    ----------
    samples : sequence of FaceSample
        Faces.
    pdm : PDM
        Shape model, whose fit places the reference frame.
    scale : float
        Pixels per mm of the reference frame.
    window : int
        Side of the maps, odd.
    network : PFLD or LandmarkNetwork, optional
        Finds points that are not annotated, which the shape model's fit needs.
    seed : int
        Decides the offsets.

    Returns
    -------
    Areas
        Two for each face and point.

    Raises
    ------
    InputError
        If points are missing and there is no network.
    """
    rng = np.random.default_rng(seed)
    side, n = window + SIDE - 1, 2 * len(samples)
    pixels = np.zeros((68, n, side, side), np.float32)
    targets = np.zeros((68, n, window, window), np.float32)
    known = np.zeros((68, n), np.bool_)
    area = np.zeros((STRIDE, STRIDE), np.float32)
    middle = (window - 1) / 2
    grid = np.arange(window) - middle
    for k, (gray, points, whole) in enumerate(_faces(samples, network)):
        to_image = _to_image(pdm, whole, scale)
        known[:, k] = np.isfinite(points[:, 0])
        offsets = rng.uniform(-JITTER, JITTER, (68, 2))
        centres = (points + offsets @ to_image.T).astype(np.float32)
        for i in np.flatnonzero(known[:, k]):
            sample_area(
                gray, centres[i, 0], centres[i, 1], to_image[0, 0], -to_image[0, 1], side, area
            )
            pixels[i, k] = area[:side, :side]
            dx, dy = grid + offsets[i, 0], grid + offsets[i, 1]
            squares = dy[:, None] ** 2 + dx[None, :] ** 2
            targets[i, k] = np.exp(-squares / (2 * SIGMA**2))
    return Areas(scale, pixels, targets, known)


def _faces(
    samples: Sequence[FaceSample], network: PFLD | LandmarkNetwork | None
) -> Iterator[tuple[UInt8, Float32, Float32]]:
    """Yield gray picture, annotated points and all points of each face and its mirror image."""
    for sample in samples:
        picture = load_picture(sample.picture)
        if picture is None:
            raise InputError(f"{sample.picture}: the picture cannot be read")
        whole = sample.points.copy()
        lost = ~np.isfinite(whole[:, 0])
        if lost.any():
            if network is None:
                raise InputError(f"{sample.source}: expected 68 points, got {68 - lost.sum()}")
            first = network.predict_crops(picture, level_crop(whole, 112)[None])[0]
            found = network.predict_crops(picture, crop_from_points(first)[None])[0]
            whole[lost] = found[lost]
        gray = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False)
        yield gray, sample.points, whole
        last = np.float32(gray.shape[1] - 1)
        flipped = np.ascontiguousarray(gray[:, ::-1])
        mirrored = [p[MIRROR_68] * np.float32([-1, 1]) + [last, 0] for p in (sample.points, whole)]
        yield flipped, mirrored[0].astype(np.float32), mirrored[1].astype(np.float32)


def _to_image(pdm: PDM, points: Float32, scale: float) -> Float32:
    """Return the similarity from the reference frame to the picture, (2, 2)."""
    fit = pdm.calc_params(points)
    frontal = np.array([scale, 0, 0, 0, 0, 0], np.float32)
    reference = pdm.shape_2d(ShapeFit(frontal, fit.params_local))
    to_image: Float32 = invert2(align_similarity(pdm.shape_2d(fit), reference))
    return to_image
