"""Patch experts that are continuous conditional neural fields (CCNF).

Each expert is a handful of neurons on the normalised 11 x 11 patch, summed through logistic
functions, and a conditional random field that ties neighbouring positions together: Baltrusaitis,
Robinson, Morency, "Continuous Conditional Neural Fields for Structured Regression", ECCV 2014; as
local neural fields of a landmark model, ICCV Workshops 2013.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pyfaceau.errors import WeightsError
from pyfaceau.models.modelfile import BinaryReader, mend
from pyfaceau.numerics.linalg import cholesky_inverse, symmetric_inverse
from pyfaceau.refinement._kernels import AREA, SIDE
from pyfaceau.refinement._kernels_ccnf import NEURONS, ccnf_responses
from pyfaceau.refinement.experts import PatchExperts, read_views
from pyfaceau.types import Float32, Float64, UInt8

_ROUNDING = Path(__file__).with_name("sigma_w11_scale025_ulp.npz")
_NEURON = np.dtype(
    [
        ("type", "<i4"), ("picture", "<i4"), ("norm", "<f8"), ("bias", "<f8"), ("alpha", "<f8"),
        ("matrix", "<i4", 3), ("weights", "<f4", (SIDE, SIDE)),
    ]
)  # fmt: skip
"""What a file holds of a neuron; `picture` is 0, `matrix` the header of the weights."""

_NO_MATRICES = np.zeros((0, 0, 0), np.float32)


@dataclass(frozen=True, eq=False)
class CCNFExperts(PatchExperts):
    """CCNF patch experts of one scale; responses are 0 or more.

    Attributes
    ----------
    weights : (views, n, 7, 122) float32
        Neurons: bias, then weights of the normalised patch column by column.
    alphas : (views, n, 7) float64
        Weights of the neurons, 0 where an expert has fewer.
    betas : (views, n, C) float32
        Weights of the field's components.
    components : dict of int to (C, w * w, w * w) float32
        Components of the field for each window side w; none for a model without a field.
    """

    weights: Float32
    alphas: Float64
    betas: Float32
    components: dict[int, Float32]
    _fields: dict[tuple[int, int], tuple[Float32, Float32]] = field(
        default_factory=dict, repr=False
    )

    @classmethod
    def load(cls, path: str | Path) -> CCNFExperts:
        """Read a CCNF patch expert file.

        Parameters
        ----------
        path : str or Path
            Binary file of one scale.

        Returns
        -------
        CCNFExperts
            Its experts.

        Raises
        ------
        WeightsError
            If the file is missing, cut short or altered.
        """
        reader = BinaryReader(path)
        scale = reader.float64()
        views = reader.int32()
        centres, visibility = read_views(reader, views)
        components: dict[int, Float32] = {}
        betas_per_patch = 0
        for n in range(reader.int32()):
            window, count = reader.int32(), reader.int32()
            matrices = [reader.matrix() for _ in range(count)]
            if matrices:
                components[window] = np.array(matrices, np.float32)
            betas_per_patch = count if n == 0 else betas_per_patch
        patches = [_read_patch(reader, betas_per_patch) for _ in range(visibility.size)]
        reader.expect_end()
        shape = visibility.shape
        weights = np.zeros((len(patches), NEURONS, 1 + AREA), np.float32)
        alphas = np.zeros((len(patches), NEURONS), np.float64)
        for n, (rows, values, _, _) in enumerate(patches):
            weights[n, : len(values)] = rows
            alphas[n, : len(values)] = values
        return cls(
            scale,
            centres,
            visibility,
            np.array([p[3] for p in patches], np.float32).reshape(shape),
            weights.reshape(*shape, NEURONS, 1 + AREA),
            alphas.reshape(*shape, NEURONS),
            np.array([p[2] for p in patches], np.float32).reshape(*shape, betas_per_patch),
            components,
        )

    def _respond(
        self,
        gray: UInt8,
        landmarks: Float32,
        chosen: NDArray[np.bool_],
        similarity: Float32,
        view: int,
        out: Float32,
    ) -> None:
        window = out.shape[1]
        matrices, scales = self.field(view, window)
        ccnf_responses(
            gray, landmarks, chosen, similarity[0, 0], -similarity[0, 1], window,
            self.weights[view], self.alphas[view], matrices, scales, out,
        )  # fmt: skip

    def field(self, view: int, window: int) -> tuple[Float32, Float32]:
        """Return the matrices of the random fields, computed on first use and kept.

        A field of neuron weights alpha and component weights beta over components C has the matrix
        ``inverse(2 (sum(alpha) I + sum(beta C)))``; without components that is a multiple of I.

        Parameters
        ----------
        view : int
            View.
        window : int
            Side w of the response map.

        Returns
        -------
        matrices : (n, w * w, lanes) float32
            Transposed, rows filled up with zeros to a multiple of 8; n = 0 without components.
        multiples : (n,) float32
            Multiples of the identity, for a window without components.
        """
        key = (view, window)
        if key not in self._fields:
            visible = self.visibility[view]
            sums = np.zeros(visible.shape, np.float32)
            for k in range(self.alphas.shape[2]):
                sums = (sums + self.alphas[view, :, k]).astype(np.float32)
            if window in self.components:
                made = self._invert(view, window, sums), sums
            else:
                made = _NO_MATRICES, _multiples(sums, visible)
            self._fields[key] = made
        return self._fields[key]

    def _invert(self, view: int, window: int, sums: Float32) -> Float32:
        """Compute the transposed matrices of one view and window."""
        positions = window * window
        out = np.zeros((len(sums), positions, (positions + 7) // 8 * 8), np.float32)
        inverse = np.empty((positions, positions), np.float32)
        wide = np.empty((positions, positions), np.float64)
        identity = np.eye(positions, dtype=np.float32)
        corrections = _corrections(self.scale, self.confidence.shape, view, window)
        for n in np.flatnonzero(self.visibility[view]):
            total = np.zeros((positions, positions), np.float32)
            for beta, component in zip(self.betas[view, n], self.components[window], strict=True):
                total = np.float32(component.astype(np.float64) * np.float64(beta) + total)
            precision = np.float32(2) * (sums[n] * identity + total)
            if positions < 100:
                definite = cholesky_inverse(precision, inverse)
            else:
                definite = symmetric_inverse(precision.astype(np.float64), wide)
                inverse = wide.astype(np.float32)
                if corrections is not None:
                    inverse = (inverse.view(np.int32) + corrections[n]).view(np.float32)
            if not definite:
                raise WeightsError(f"patch experts: singular field of landmark {n}, view {view}")
            out[n, :, :positions] = inverse.T
        return out


def _read_patch(reader: BinaryReader, betas: int) -> tuple[Float32, Float64, list[float], float]:
    """Read one expert: rows of bias and weights, alphas, betas, confidence."""
    kind, width, height, neurons = (reader.int32() for _ in range(4))
    if kind != 5 or not 0 <= neurons <= NEURONS or (neurons and (width, height) != (SIDE, SIDE)):
        raise mend(reader.path, f"no {SIDE} x {SIDE} CCNF patch expert where one belongs")
    if neurons == 0:
        reader.int32()
        return np.zeros((0, 1 + AREA), np.float32), np.zeros(0), [0.0] * betas, 0.0
    found = reader.records(_NEURON, neurons)
    if found["picture"].any():
        raise mend(reader.path, "a neuron does not take the raw picture")
    if (found["matrix"] != (SIDE, SIDE, 5)).any():
        raise mend(reader.path, f"a neuron has no {SIDE} x {SIDE} weights")
    rows = np.empty((neurons, 1 + AREA), np.float32)
    rows[:, 0] = found["bias"]
    by_column = found["weights"].transpose(0, 2, 1).reshape(neurons, AREA)
    rows[:, 1:] = found["norm"].astype(np.float32)[:, None] * by_column
    tail = [reader.float64() for _ in range(betas + 1)]
    return rows, found["alpha"], tail[:-1], tail[-1]


def _multiples(sums: Float32, visible: NDArray[np.bool_]) -> Float32:
    """Invert the 1 x 1 field of each visible landmark in the arithmetic of the larger ones."""
    out = np.zeros(len(sums), np.float32)
    inverse = np.empty((1, 1), np.float32)
    for n in np.flatnonzero(visible):
        cholesky_inverse(np.array([[np.float32(2) * sums[n]]], np.float32), inverse)
        out[n] = inverse[0, 0]
    return out


def _corrections(
    scale: float, shape: tuple[int, ...], view: int, window: int
) -> NDArray[np.int16] | None:
    """Return the measured rounding of the reference's 121 x 121 inverses, where it is known.

    (n, 121, 121) differences in units of the last place, for models of 7 views of 68 landmarks.
    """
    if (scale, window, shape) != (0.25, SIDE, (7, 68)):
        return None
    with np.load(_ROUNDING, allow_pickle=False) as data:
        rounding: NDArray[np.int16] = data[f"view_{view}"]
    return rounding
