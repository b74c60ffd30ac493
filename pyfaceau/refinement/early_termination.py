"""Starting a fit at several head rotations without finishing every one of them.

OpenFace's rule for its CE-CLM model: each rotation is fitted at the coarsest scale alone, and the
first whose likelihood, calibrated by view, is good enough is fitted to the end; if none is, the
three best are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pyfaceau.models.modelfile import TextReader, mend
from pyfaceau.refinement.fits import FaceFit, PointFit
from pyfaceau.types import Float64, ShapeFit

FINISHED = 3
"""Starts that are fitted to the end where none was good enough."""


@dataclass(frozen=True, eq=False)
class EarlyTermination:
    """When the fit of a start is good enough.

    Attributes
    ----------
    weights, biases : (views,) float64
        A likelihood L at the coarsest scale has the value ``weight * L + bias`` of its view.
    cutoffs : (views,) float64
        A value above its view's is good enough.
    """

    weights: Float64
    biases: Float64
    cutoffs: Float64

    @classmethod
    def load(cls, path: str | Path, views: int) -> EarlyTermination:
        """Read a text file: all weights, all biases, all cutoffs.

        Parameters
        ----------
        path : str or Path
            For instance ``early_term_cen_of.txt``.
        views : int
            Views of the patch experts.

        Returns
        -------
        EarlyTermination
            The rule.

        Raises
        ------
        WeightsError
            If the file is missing, or does not hold three numbers for each view.
        """
        reader = TextReader(path)
        weights, biases, cutoffs = reader.numbers(3 * views).reshape(3, views)
        reader.expect_end()
        if not np.isfinite([weights, biases, cutoffs]).all():
            raise mend(reader.path, "a number is not finite")
        return cls(weights, biases, cutoffs)

    def value(self, view: int, likelihood: float) -> float:
        """Return the calibrated likelihood, a float32 value.

        Parameters
        ----------
        view : int
            View of the patch experts at the coarsest scale.
        likelihood : float
            At that scale.

        Returns
        -------
        float
            Comparable between views; larger is better.
        """
        return float(np.float32(self.weights[view] * likelihood + self.biases[view]))

    def enough(self, view: int, value: float) -> bool:
        """Tell whether a value ends the search.

        Parameters
        ----------
        view : int
            As for `value`.
        value : float
            From `value`.

        Returns
        -------
        bool
            It is above the view's cutoff.
        """
        return value > float(self.cutoffs[view])


def fit_starts(
    rule: EarlyTermination,
    starts: Iterable[ShapeFit],
    begin: Callable[[ShapeFit], PointFit],
    finish: Callable[[ShapeFit], FaceFit],
) -> FaceFit:
    """Fit a face from the first start that is good enough, else from the three best.

    Three peculiarities are OpenFace's and kept: of the starts that were not good enough all but the
    last tested are finished from their pose alone, with the mean shape; the confidence is that of
    the fit finished last, whichever wins; and so is the verdict whether a lost face is found again
    (`FaceFit.accepted`), while ``ok`` is the winner's.

    Parameters
    ----------
    rule : EarlyTermination
        What is good enough.
    starts : iterable of ShapeFit
        Where to start, in this order; one or more.
    begin : callable
        Fits the 68-point model from a start at the coarsest scale.
    finish : callable
        Fits the whole hierarchy from a shape at the finer scales.

    Returns
    -------
    FaceFit
        The first good one, or the likeliest of three.
    """
    tested: list[tuple[float, ShapeFit]] = []
    for start in starts:
        fit = begin(start)
        value = rule.value(fit.view, fit.likelihood)
        if rule.enough(fit.view, value):
            return finish(fit.shape)
        tested.append((value, fit.shape))
    last = tested[-1][1]
    best = sorted(tested, key=lambda pair: -pair[0])[:FINISHED]
    finished = [finish(shape if shape is last else _pose_alone(shape)) for _, shape in best]
    winner = max(finished, key=lambda fit: fit.likelihood)
    return replace(winner, confidence=finished[-1].confidence, accepted=finished[-1].ok)


def _pose_alone(shape: ShapeFit) -> ShapeFit:
    return ShapeFit(shape.params_global, np.zeros_like(shape.params_local))
