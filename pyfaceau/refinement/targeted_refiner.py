"""Refinement of a landmark network's points by patch experts.

Chosen points are measured in the picture, coarse to fine; the others keep the network's position
as their evidence, with less weight; the shape model is fitted to both. That is one regularised
landmark mean-shift (Saragih, Lucey, Cohn, IJCV 2011, eq. 21) in which the response map of a point
that is not measured is a single peak where the network saw it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pyfaceau.errors import InputError, WeightsError, check_array, check_image
from pyfaceau.models.weights import locate
from pyfaceau.numerics.similarity import align_similarity, invert2
from pyfaceau.pdm.model import PDM
from pyfaceau.refinement.expert_files import load_experts
from pyfaceau.refinement.experts import PatchExperts
from pyfaceau.refinement.nu_rlms import NuRlms, ResponseMaps
from pyfaceau.types import Float32, ShapeFit, UInt8

TARGET_POINTS = (17, 18, 19, 20, 21, 22, 26, 48, 54)
"""Brows and mouth corners, where the network errs most and action units notice."""

NETWORK_WEIGHT = 0.25
"""Weight of a network's position against a measured one: its errors are about twice as large."""

TRUSTED = 0.725
"""A start with this confidence or more needs no search at the coarsest scale."""

_PDM_FILE = "In-the-wild_aligned_PDM_68.txt"
_WIDEST = 5


@dataclass(frozen=True, eq=False)
class _Level:
    """Experts of one scale: for the last points of the face, as many as they have."""

    experts: PatchExperts
    first: int
    window: int

    @property
    def regularisation(self) -> float:
        """Weight of the shape prior: 25 at a scale of 0.25, falling as the scale grows."""
        return 6.25 / self.experts.scale

    @property
    def sigma(self) -> float:
        """Width of the mean-shift kernel, reference pixels: 1.5 at 0.25, 0.25 more per octave."""
        return float(1.5 + 0.25 * np.log2(self.experts.scale / 0.25))


class TargetedCLNFRefiner:
    """Moves landmarks to where patch experts see them, within what a face can look like.

    Parameters
    ----------
    patch_expert_file : path or sequence of paths
        SVR or CCNF patch experts. One file stands for its family: the files beside it whose names
        differ in the scale only are used too, coarse to fine. A sequence is used as it is; experts
        of 51 points (the inner face) may be among it.
    search_window : int
        How far from its start a point is searched at the finest scale, reference pixels to each
        side, 1 to 7; coarser scales look a pixel further each.
    points : sequence of int, optional
        Points to measure, iBUG numbers from 0; None measures all 68.
    pdm_file : path
        68-point shape model.

    Raises
    ------
    InputError
        If `search_window` or `points` is out of range.
    WeightsError
        If a model file is missing or damaged.

    Notes
    -----
    Experts are evaluated at the face's own scale and rotation, in the view of the seven that is
    nearest to the head's rotation. A measured point weighs as much as its expert's confidence,
    relative to the mean of its view.
    """

    needs_landmarks = True

    def __init__(
        self,
        patch_expert_file: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] = (
            "ccnf_patches_0.25_general.txt"
        ),
        search_window: int = 3,
        points: Sequence[int] | None = TARGET_POINTS,
        *,
        pdm_file: str | os.PathLike[str] = _PDM_FILE,
    ) -> None:
        if search_window not in range(1, 8):
            raise InputError(f"search_window: expected 1 to 7, got {search_window}")
        self._pdm = PDM.load(locate(os.fspath(pdm_file)))
        count = self._pdm.n_points
        self._chosen = np.ones(count, np.bool_)
        if points is not None:
            numbers = list(points)
            if not numbers or any(n not in range(count) for n in numbers):
                raise InputError(f"points: expected numbers from 0 to {count - 1}, got {points}")
            self._chosen[:] = False
            self._chosen[numbers] = True
        self._levels = _make_levels(_load(patch_expert_file), int(search_window), count)
        self._optimiser = NuRlms(self._pdm)

    def refine_landmarks(
        self, gray: UInt8, initial_landmarks: ArrayLike, confidence: float = 1.0
    ) -> Float32:
        """Refine the landmarks of one face.

        Parameters
        ----------
        gray : (H, W) uint8
            Picture.
        initial_landmarks : (68, 2) array_like
            Where a landmark network saw the points, pixels.
        confidence : float
            How far these can be trusted, 0 to 1; under 0.725 they are searched more widely.

        Returns
        -------
        (68, 2) float32
            Pixels; a shape of the shape model: points that were not measured move with the others.

        Raises
        ------
        InputError
            If an array has another shape or type or is not finite, or the points are no face.
        """
        points = check_array("initial_landmarks", initial_landmarks, (68, 2), np.float32)
        if not np.ptp(points, axis=0).min() > 0:
            raise InputError("initial_landmarks: expected a face, got points on one line")
        start = self._pdm.calc_params(points)
        return self._pdm.shape_2d(self.fit(gray, start, points, confidence >= TRUSTED))

    def fit(
        self,
        gray: UInt8,
        start: ShapeFit,
        landmarks: ArrayLike | None = None,
        trusted: bool = True,
    ) -> ShapeFit:
        """Fit the shape model to the picture.

        Parameters
        ----------
        gray : (H, W) uint8
            Picture.
        start : ShapeFit
            Fit of the shape model to the network's points.
        landmarks : (68, 2) array_like, optional
            The network's points; those of `start` if not given.
        trusted : bool
            Otherwise there is a search at the coarsest scale too.

        Returns
        -------
        ShapeFit
            Parameters, the non-rigid ones within three standard deviations.

        Raises
        ------
        InputError
            If an argument is not as described.
        """
        picture = check_image("gray", gray, channels=(1,))
        if not start.params_global[0] > 0:
            raise InputError(f"start: expected a positive scale, got {start.params_global[0]}")
        anchors = self._pdm.shape_2d(start)
        if landmarks is not None:
            anchors = check_array("landmarks", landmarks, anchors.shape, np.float32).copy()
        weights = np.full(len(anchors), NETWORK_WEIGHT, np.float32)
        levels = self._levels[1:] if trusted else self._levels
        shape = start
        for level in levels or self._levels:
            maps, measured = self._measure(picture, shape, level, anchors, weights)
            shape = self._optimiser.fit(
                shape, maps, regularisation=level.regularisation, sigma=level.sigma
            ).shape
            anchors[measured] = self._pdm.shape_2d(shape)[measured]
            weights[measured] = 1
        return shape

    def _measure(
        self, gray: UInt8, shape: ShapeFit, level: _Level, anchors: Float32, weights: Float32
    ) -> tuple[ResponseMaps, NDArray[np.bool_]]:
        """Compute the response maps of one level, and say which points have been measured.

        The others get a peak at their anchor, with their weight.
        """
        experts, first, window = level.experts, level.first, level.window
        points = self._pdm.shape_2d(shape)
        frontal = np.array([experts.scale, 0, 0, 0, 0, 0], np.float32)
        reference = self._pdm.shape_2d(ShapeFit(frontal, shape.params_local))
        to_reference = align_similarity(points, reference)
        to_image = invert2(to_reference)
        view = experts.view(shape.params_global[1:4])
        measured = self._chosen.copy()
        measured[:first] = False
        measured[first:] &= experts.visibility[view]
        found = experts.responses(
            gray, points[first:], to_image, view, window, only=measured[first:]
        )
        maps = np.zeros((len(points), window, window), np.float32)
        maps[first:] = found
        maps[~measured] = 0
        maps[~measured, window // 2, window // 2] = 1
        base = np.where(measured[:, None], points, anchors)
        trust = experts.confidence[view]
        weights = weights.copy()
        weights[measured] = trust[measured[first:]] / trust[experts.visibility[view]].mean()
        everything = np.ones(len(points), np.bool_)
        return ResponseMaps(
            maps, base.T.ravel(), to_reference, to_image, everything, weights
        ), measured


def _load(
    files: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
) -> list[PatchExperts]:
    """Load the family of one file, or a sequence of files, coarse to fine."""
    if isinstance(files, (str, os.PathLike)):
        path = locate(os.fspath(files))
        pattern = _without_scale(path)
        paths = [p for p in path.parent.iterdir() if _without_scale(p) == pattern]
    else:
        paths = [locate(os.fspath(file)) for file in files]
    if not paths:
        raise InputError("patch_expert_file: expected at least one file, got none")
    return sorted((load_experts(locate(p)) for p in paths), key=lambda experts: experts.scale)


def _without_scale(path: Path) -> str:
    """Return a file's name with the scale in it, such as 0.25, blotted out."""
    return re.sub(r"\d+\.\d+", "*", path.name)


def _make_levels(experts: list[PatchExperts], search_window: int, count: int) -> tuple[_Level, ...]:
    """Give each set of experts its window; the finest of the whole face gets the one asked for."""
    sizes = [e.visibility.shape[1] for e in experts]
    if any(size > count for size in sizes):
        raise WeightsError(f"patch experts: expected at most {count} landmarks, got {max(sizes)}")
    levels = []
    for n, (each, size) in enumerate(zip(experts, sizes, strict=True)):
        finer = sum(s == count for s in sizes[n + 1 :]) if size == count else 0
        radius = max(search_window, min(search_window + finer, _WIDEST))
        levels.append(_Level(each, count - size, 2 * radius + 1))
    return tuple(levels)
