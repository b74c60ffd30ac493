"""Kernel of the action-unit models: 35 linear scores as one product."""

from __future__ import annotations

from pyfaceau.numerics._jit import kernel
from pyfaceau.types import Float32, Float64


@kernel
def linear_scores(features: Float32 | Float64, weights: Float64, out: Float64) -> None:
    """Add ``features @ weights`` to `out`, features in order: no thread count changes a digit.

    `features` (d,), `weights` (d, k) row-major, `out` (k,); float32 features count in float64.
    """
    for i in range(features.shape[0]):
        x = features[i]
        if x != 0.0:
            for k in range(out.shape[0]):
                out[k] += x * weights[i, k]


@kernel
def face_scores(
    hog: Float32, geometry: Float64, weights: Float64, offsets: Float64, out: Float64
) -> None:
    """Fill `out` (k,) with ``[hog, geometry] @ weights + offsets``."""
    out[:] = 0.0
    linear_scores(hog, weights[: hog.shape[0]], out)
    linear_scores(geometry, weights[hog.shape[0] :], out)
    for k in range(out.shape[0]):
        out[k] += offsets[k]
