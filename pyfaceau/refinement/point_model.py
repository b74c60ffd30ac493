"""A constrained local model of one point set (face, inner face, an eye) and how it is fitted.

Coarse to fine over its scales: response maps about the current shape, a rigid phase, a phase of
all parameters with the same maps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from pyfaceau.errors import InputError, WeightsError
from pyfaceau.models.modelfile import mend, read_bytes
from pyfaceau.models.weights import resolve
from pyfaceau.pdm.model import PDM
from pyfaceau.refinement._kernels_scale import reference_frame
from pyfaceau.refinement.cen import load_scales
from pyfaceau.refinement.early_termination import EarlyTermination
from pyfaceau.refinement.expert_files import load_experts
from pyfaceau.refinement.experts import PatchExperts
from pyfaceau.refinement.fits import PointFit
from pyfaceau.refinement.nu_rlms import NuRlms, ResponseMaps
from pyfaceau.types import Float32, ShapeFit, UInt8

SMALLEST_SCALE = 0.25
"""A face smaller than this, pixels per mm, is not fitted."""

_LIKELIHOOD_SCALE = 0.30
_EXPERTS = ("PatchesCEN", "PatchesCCNF", "PatchesIntensity")


@dataclass(frozen=True)
class FitParameters:
    """How a point model is fitted; the defaults are OpenFace's for the 68-point model.

    OpenFace keeps its mean-shift kernels by window size alone, with the first sigma they are used
    at; here they are kept by window and sigma. Both are the same as long as no window size serves
    scales of different sigma, which holds for all windows that OpenFace's options can set.

    Attributes
    ----------
    windows_init, windows_track : tuple of int
        Side of the response maps at each scale, odd, reference pixels; 0 skips the scale. The
        first set serves a face just found, or lost in the frame before; the second one tracked.
    sigma : float
        Width of the mean-shift kernel, reference pixels.
    regularisation : float
        Weight of the prior on non-rigid parameters.
    weight_factor : float
        Weight of a landmark is this times its expert's confidence; at 0 all weigh 1.
    adapt_to_scale : bool
        With q = log2(scale / 0.25): lower the regularisation by 15 q, raise sigma by 0.25 q and
        the weight factor by 1 + 2 q.
    max_iterations : int
        Steps in each phase, at most.
    threshold : float
        A phase ends when the shape moves by less, pixels over all coordinates.
    """

    windows_init: tuple[int, ...] = (11, 9, 7, 5)
    windows_track: tuple[int, ...] = (0, 9, 7, 0)
    sigma: float = 1.5
    regularisation: float = 25.0
    weight_factor: float = 0.0
    adapt_to_scale: bool = True
    max_iterations: int = 5
    threshold: float = 0.01

    def __post_init__(self) -> None:
        for name in ("sigma", "regularisation", "threshold"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise InputError(f"{name}: expected a positive number, got {value}")
        if self.max_iterations < 1:
            raise InputError(f"max_iterations: expected 1 or more, got {self.max_iterations}")

    def for_ceclm(self) -> FitParameters:
        """Return the parameters as OpenFace changes them for its CE-CLM model.

        Returns
        -------
        FitParameters
            sigma times 1.5 and regularisation times 0.9, in float32.
        """
        return replace(
            self,
            sigma=float(np.float32(self.sigma) * np.float32(1.5)),
            regularisation=float(np.float32(self.regularisation) * np.float32(0.9)),
        )

    def at_scale(self, scale: float) -> FitParameters:
        """Return the parameters for one scale.

        Parameters
        ----------
        scale : float
            The experts' scale, pixels per mm; a model's fourth scale counts as its third.

        Returns
        -------
        FitParameters
            Values rounded to float32.
        """
        if not self.adapt_to_scale:
            return self
        q = math.log2(scale / 0.25)
        regularisation = float(np.float32(self.regularisation - 15 * q))
        return replace(
            self,
            regularisation=regularisation if regularisation > 0 else 0.001,
            sigma=float(np.float32(self.sigma + 0.25 * q)),
            weight_factor=float(np.float32(self.weight_factor + 2 * q * self.weight_factor)),
        )


INNER = FitParameters((9,), (9,), 1.75, 2.5, 2.5, adapt_to_scale=False)
EYE = FitParameters((3, 5), (3, 5), 1.0, 0.5, 0.0, adapt_to_scale=False)


@dataclass(frozen=True, eq=False)
class PointModel:
    """A shape model with patch experts at one or more scales.

    Attributes
    ----------
    pdm : PDM
        Shape model.
    scales : tuple of PatchExperts
        Coarse to fine.
    parameters : FitParameters
        How to fit.
    early_termination : EarlyTermination, optional
        When the search for a first fit ends early.
    """

    pdm: PDM
    scales: tuple[PatchExperts, ...]
    parameters: FitParameters
    early_termination: EarlyTermination | None = None

    def __post_init__(self) -> None:
        for experts in self.scales:
            if experts.visibility.shape[1] != self.pdm.n_points:
                raise WeightsError(
                    f"patch experts: expected {self.pdm.n_points} landmarks as the shape model "
                    f"has, got {experts.visibility.shape[1]}"
                )

    @classmethod
    def load(cls, list_file: str | Path, parameters: FitParameters) -> PointModel:
        """Read a list file.

        Parameters
        ----------
        list_file : str or Path
            For instance ``clnf_general.txt``. Lines ``PDM path``, ``EarlyTermination path`` and,
            coarse to fine, ``PatchesCEN path``, ``PatchesCCNF path`` or ``PatchesIntensity path``;
            of several kinds of experts the one named first here counts.
        parameters : FitParameters
            How to fit.

        Returns
        -------
        PointModel
            The model.

        Raises
        ------
        WeightsError
            If a part is missing or damaged.
        """
        files: dict[str, list[Path]] = {}
        for keyword, name, *_ in list_entries(list_file):
            if keyword in ("PDM", "EarlyTermination", *_EXPERTS):
                files.setdefault(keyword, []).append(resolve(list_file, name))
        kind = next((kind for kind in _EXPERTS if kind in files), None)
        if "PDM" not in files or kind is None:
            raise mend(Path(list_file), "names no PDM or no patch experts")
        scales: tuple[PatchExperts, ...]
        if kind == "PatchesCEN":
            scales = load_scales(files[kind])
        else:
            scales = tuple(load_experts(path) for path in files[kind])
        early = None
        if "EarlyTermination" in files:
            early = EarlyTermination.load(files["EarlyTermination"][-1], len(scales[0].visibility))
        return cls(PDM.load(files["PDM"][-1]), scales, parameters, early)

    @cached_property
    def _adapted(self) -> tuple[FitParameters, ...]:
        """The parameters at each scale."""
        scales = [self.scales[min(index, 2)].scale for index in range(len(self.scales))]
        return tuple(self.parameters.at_scale(scale) for scale in scales)

    @cached_property
    def _optimiser(self) -> NuRlms:
        return NuRlms(self.pdm, self.parameters.max_iterations, self.parameters.threshold)

    def fit(
        self, gray: UInt8, start: ShapeFit, windows: tuple[int, ...], *, rate: bool = True
    ) -> PointFit:
        """Fit to a picture.

        Parameters
        ----------
        gray : (H, W) uint8
            Picture.
        start : ShapeFit
            Where to start.
        windows : tuple of int
            Side of the response maps at each scale; 0 skips the scale.
        rate : bool
            Compute the likelihood.

        Returns
        -------
        PointFit
            Result; ``ok`` is false where the shape fell under 0.25 pixels per mm, or began as
            points in one place.
        """
        fit = PointFit(start, True)
        for index in range(len(self.scales)):
            window = windows[index] if index < len(windows) else 0
            if window == 0:
                continue
            last = index + 1 == len(self.scales) or not any(windows[index + 1 : index + 2])
            fit = self._fit_scale(gray, fit, index, window, rate=rate and last, rate_small=rate)
            if not fit.ok:
                break
        return fit

    def _fit_scale(
        self, gray: UInt8, fit: PointFit, index: int, window: int, *, rate: bool, rate_small: bool
    ) -> PointFit:
        """Fit at one scale: a rigid phase, then one of all parameters, with the same responses.

        The fit is rated if so wished; a small face, with `rate_small`, at any scale.
        """
        adapted = self._adapted[index]
        view, responses = self._responses(gray, fit.shape, index, window)
        if responses is None:
            return replace(fit, ok=False)
        found = self._optimiser.fit(
            fit.shape, responses, regularisation=adapted.regularisation, sigma=adapted.sigma
        )
        likelihood = fit.likelihood
        if rate or (rate_small and found.rigid_scale < _LIKELIHOOD_SCALE):
            likelihood = self._optimiser.likelihood(responses, found.offsets, adapted.sigma)
        return PointFit(
            found.shape, bool(found.shape.params_global[0] >= SMALLEST_SCALE), likelihood, view,
            fit.iterations + found.iterations, found.converged, found.change,
        )  # fmt: skip

    def _responses(
        self, gray: UInt8, shape: ShapeFit, index: int, window: int
    ) -> tuple[int, ResponseMaps | None]:
        """Compute response maps about a shape, at its own rotation and scale; None about a point.

        The nearest view comes first.
        """
        pdm, experts = self.pdm, self.scales[index]
        base = np.empty(2 * pdm.n_points, np.float32)
        points = np.empty((pdm.n_points, 2), np.float32)
        to_reference, to_image = np.empty((2, 2), np.float32), np.empty((2, 2), np.float32)
        basis_t, mean, rigid, local = pdm.model_of(shape)
        view = reference_frame(
            rigid, local, mean, basis_t,
            np.float32(experts.scale), experts.centres, base, points, to_reference, to_image,
        )  # fmt: skip
        if view < 0:
            return 0, None
        maps = experts.responses(gray, points, to_image, view, window)
        weights, visible = self._weights(index, view), experts.visibility[view]
        return view, ResponseMaps(maps, base, to_reference, to_image, visible, weights)

    def _weights(self, index: int, view: int) -> Float32:
        """Return the landmarks' weights at one scale."""
        factor = self._adapted[index].weight_factor
        weights = np.ones(self.pdm.n_points, np.float32)
        return np.float32(factor) * self.scales[index].confidence[view] if factor > 0 else weights


def list_entries(list_file: str | Path) -> list[list[str]]:
    """Return the lines of a model list file, split into words.

    Parameters
    ----------
    list_file : str or Path
        The list file.

    Returns
    -------
    list of list of str
        One list of at least two words for each line that is not empty.
    """
    lines = read_bytes(list_file).decode("utf-8", errors="replace").splitlines()
    entries = [line.split() for line in lines if line.strip()]
    if any(len(words) < 2 for words in entries):
        raise mend(Path(list_file), "a line names no file")
    return entries
