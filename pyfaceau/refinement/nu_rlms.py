"""Non-uniform regularised landmark mean-shift: the optimiser of the constrained local models.

One phase solves, from given response maps, for the rigid parameters alone or for all of them:
d = (J' W J + Lambda)^-1 (J' W v - Lambda p), with v the mean-shift vectors, W the landmarks'
weights and Lambda the prior on the non-rigid parameters (Saragih et al., IJCV 2011, eq. 21;
Baltrusaitis et al., ICCV Workshops 2013, eq. 11).
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pyfaceau.numerics.gemm import order_blocks
from pyfaceau.pdm.model import PDM
from pyfaceau.refinement import _kernels_rlms as kernels
from pyfaceau.types import Float32, ShapeFit


@dataclass(frozen=True, eq=False)
class ResponseMaps:
    """Response maps of one scale and the frame they are measured in.

    Attributes
    ----------
    maps : (n, w, w) float32
        Rows y, columns x, in the reference frame.
    base : (2n,) float32
        Shape that the maps are centred on: all x, all y, pixels.
    to_reference, to_image : (2, 2) float32
        Similarity from image offsets to reference offsets, and its inverse.
    visible : (n,) bool
        Landmarks that have a map.
    weights : (n,) float32
        Their weights W.
    """

    maps: Float32
    base: Float32
    to_reference: Float32
    to_image: Float32
    visible: NDArray[np.bool_]
    weights: Float32


@dataclass(frozen=True, eq=False)
class Phases:
    """Result of both phases.

    Attributes
    ----------
    shape : ShapeFit
        Parameters.
    rigid_scale : float
        Scale after the rigid phase, pixels per mm.
    offsets : (n, 2) float32
        Positions x, y in the maps at the last step taken, before it.
    iterations : int
        Steps taken, over both phases.
    converged : bool
        The second phase ended because the shape stopped moving.
    change : float
        Last measured movement of the shape in a step, pixels over all coordinates.
    """

    shape: ShapeFit
    rigid_scale: float
    offsets: Float32
    iterations: int
    converged: bool
    change: float


class NuRlms:
    """The optimiser for one shape model; keeps tables of the mean-shift kernel.

    Parameters
    ----------
    pdm : PDM
        Shape model.
    max_iterations : int
        At most so many Gauss-Newton steps in a phase.
    threshold : float
        A phase ends when the shape moves by less, pixels over all coordinates.
    """

    def __init__(self, pdm: PDM, max_iterations: int = 5, threshold: float = 0.01) -> None:
        self.pdm = pdm
        self.max_iterations = max_iterations
        self.threshold = threshold
        self._own = threading.local()
        self._priors: dict[float, Float32] = {}
        self._free = np.array([6, 6 + pdm.n_modes], np.int64)
        self._rigid, self._all = (order_blocks(n, n) for n in self._free.tolist())

    def fit(
        self, start: ShapeFit, responses: ResponseMaps, *, regularisation: float, sigma: float
    ) -> Phases:
        """Run the rigid phase, then the one of all parameters.

        Parameters
        ----------
        start : ShapeFit
            Where to start.
        responses : ResponseMaps
            Evidence, the same for both.
        regularisation : float
            Weight of the prior in the second phase.
        sigma : float
            Width of the mean-shift kernel, reference pixels.

        Returns
        -------
        Phases
            Non-rigid parameters lie within three standard deviations.
        """
        pdm = self.pdm
        params_global, params_local = start.params_global.copy(), start.params_local.copy()
        prior = self._prior(regularisation)
        table, filled = self._table(responses.maps.shape[1], np.float32(sigma))
        offsets = np.empty((pdm.n_points, 2), np.float32)
        rigid, scale, steps, change = kernels.nu_rlms(
            params_global, params_local, responses.maps, responses.base, responses.to_reference,
            responses.to_image, responses.visible, responses.weights, pdm.mean, pdm.basis,
            pdm.basis_t, prior, pdm.limits, self._free, self._rigid, self._all,
            np.float32(sigma), table, filled, self.max_iterations, self.threshold, offsets,
        )  # fmt: skip
        shape = ShapeFit(params_global, params_local)
        return Phases(shape, scale, offsets, rigid + steps, steps < self.max_iterations, change)

    def likelihood(self, responses: ResponseMaps, offsets: Float32, sigma: float) -> float:
        """Return the mean log likelihood of the visible landmarks.

        Parameters
        ----------
        responses : ResponseMaps
            Evidence.
        offsets : (n, 2) float32
            From `fit`.
        sigma : float
            Width of the kernel, reference pixels.

        Returns
        -------
        float
            A float32 value; larger is better.
        """
        return float(
            kernels.log_likelihood(responses.maps, offsets, responses.visible, np.float32(sigma))
        )

    def _prior(self, regularisation: float) -> Float32:
        """Return the prior on all parameters, kept by its weight."""
        if regularisation not in self._priors:
            local = np.float32(regularisation) / self.pdm.eigenvalues
            self._priors[regularisation] = np.concatenate([np.zeros(6, np.float32), local])
        return self._priors[regularisation]

    def _table(self, window: int, sigma: float) -> tuple[Float32, NDArray[np.bool_]]:
        """Return the kernels about every tenth of a cell, filled in as they are asked for."""
        key = (window, float(sigma))
        tables: dict[tuple[int, float], tuple[Float32, NDArray[np.bool_]]]
        tables = self._own.__dict__.setdefault("tables", {})  # each thread fills its own
        if key not in tables:
            cells = 10 * window
            table = np.empty((cells, cells, window, window), np.float32)
            tables[key] = (table, np.zeros((cells, cells), np.bool_))
        return tables[key]
