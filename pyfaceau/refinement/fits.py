"""What a fit of landmark models gives: of one point set, of the whole face."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pyfaceau.types import Float32, ShapeFit


@dataclass(frozen=True, eq=False)
class PointFit:
    """Result of fitting a point model.

    Attributes
    ----------
    shape : ShapeFit
        Parameters.
    ok : bool
        False where the face is too small for the model.
    likelihood : float
        Mean log likelihood of the landmarks at the last scale fitted.
    view : int
        Patch experts' view at the last scale fitted.
    iterations : int
        Steps taken, over all phases.
    converged : bool
        The last phase ended because the shape stopped moving.
    final_update : float
        Last measured movement of the shape in a step, pixels over all coordinates.
    """

    shape: ShapeFit
    ok: bool
    likelihood: float = -10.0
    view: int = 0
    iterations: int = 0
    converged: bool = False
    final_update: float = math.inf


@dataclass(frozen=True, eq=False)
class FaceFit:
    """A fit of the whole hierarchy.

    Attributes
    ----------
    shape : ShapeFit
        Parameters of the 68-point model.
    landmarks : (68, 2) float32
        Its points, pixels.
    parts : tuple of (ShapeFit, (n, 2) float32)
        Parameters and points of each part.
    likelihood : float
        Of the 68-point model before its parts, at its last scale.
    confidence : float
        The validator's; 0 where the fit failed.
    ok : bool
        The fit did not fail and its confidence is above 0.725.
    view : int
        View of the patch experts at the last scale.
    iterations : int
        Optimiser steps of the 68-point model.
    converged : bool
        The last phase ended because the shape stopped moving.
    final_update : float
        Last measured movement of the shape in a step, pixels over all coordinates.
    accepted : bool
        A tracker takes this fit for the face that it lost; `ok` but for the search of
        `early_termination`.
    """

    shape: ShapeFit
    landmarks: Float32
    parts: tuple[tuple[ShapeFit, Float32], ...]
    likelihood: float
    confidence: float
    ok: bool
    view: int
    iterations: int
    converged: bool
    final_update: float
    accepted: bool
