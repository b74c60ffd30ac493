"""Agreement of predicted and labelled action units."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pyfaceau.types import Float64


@dataclass(frozen=True)
class Agreement:
    """How predictions agree with labels; NaN where a number has no meaning.

    Attributes
    ----------
    icc : float
        ICC(3,1).
    r : float
        Pearson's correlation.
    error : float
        Mean absolute difference.
    f1 : float
        Of presence.
    """

    icc: float = np.nan
    r: float = np.nan
    error: float = np.nan
    f1: float = np.nan


def icc31(first: Float64, second: Float64) -> float:
    """Return the intraclass correlation ICC(3,1) of two raters.

    (MSR - MSE) / (MSR + MSE), where MSR is the mean square between targets and MSE the residual
    one: P. Shrout and J. Fleiss, Psychological Bulletin 86 (1979), two-way mixed, single rater. A
    constant shift between raters does not count.

    Parameters
    ----------
    first, second : (n,) float64
        What each says of n targets.

    Returns
    -------
    float
        -1 to 1; NaN where both are constant or n is below 2.
    """
    if len(first) < 2:
        return float("nan")
    between = 2.0 * float(np.var((first + second) / 2.0, ddof=1))
    residual = float(np.var(first - second, ddof=1)) / 2.0
    whole = between + residual
    return (between - residual) / whole if whole > 1e-15 else float("nan")


def pearson(first: Float64, second: Float64) -> float:
    """Return the correlation; NaN where one is constant.

    Parameters
    ----------
    first, second : (n,) float64
        Numbers.

    Returns
    -------
    float
        -1 to 1.
    """
    if len(first) < 2 or np.ptp(first) < 1e-12 or np.ptp(second) < 1e-12:
        return float("nan")
    return float(np.corrcoef(first, second)[0, 1])


def f1_score(truth: NDArray[np.bool_], said: NDArray[np.bool_]) -> float:
    """Return 2 TP / (2 TP + FP + FN).

    Parameters
    ----------
    truth, said : (n,) bool
        Presence as labelled and as predicted.

    Returns
    -------
    float
        0 to 1; NaN where neither has any.
    """
    both = 2 * int((truth & said).sum())
    total = int(truth.sum()) + int(said.sum())
    return both / total if total else float("nan")


def of_intensity(truth: Float64, said: Float64) -> Agreement:
    """Compare intensities.

    Parameters
    ----------
    truth, said : (n,) float64
        As labelled and as predicted.

    Returns
    -------
    Agreement
        Without `f1`.
    """
    error = float(np.abs(truth - said).mean()) if len(truth) else float("nan")
    return Agreement(icc31(truth, said), pearson(truth, said), error)


def of_presence(truth: Float64, scores: Float64) -> Agreement:
    """Compare presence, which a positive score predicts.

    Parameters
    ----------
    truth : (n,) float64
        0 or 1.
    scores : (n,) float64
        Decision values.

    Returns
    -------
    Agreement
        `r` is that of label and score, `icc` and `error` are NaN.
    """
    return Agreement(r=pearson(truth, scores), f1=f1_score(truth > 0.5, scores > 0))
