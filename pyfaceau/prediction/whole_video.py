"""The pass over a whole video: person's zero level, clipping, smoothing."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyfaceau.errors import check_array
from pyfaceau.types import Float64


def zero_levels(intensities: Any, ok: Any, cutoffs: Any) -> Float64:
    """Find the score that a person's neutral face has, per action unit.

    Parameters
    ----------
    intensities : (N, k) float64
        Raw scores of all frames.
    ok : (N,) bool
        Frames with a face; the others are left out.
    cutoffs : (k,) float64
        Quantile, below 1; negative where the level is 0.

    Returns
    -------
    (k,) float64
        Element trunc(n cutoff) of the n sorted scores, no interpolation; 0 where the cutoff is
        negative or no frame has a face.

    Raises
    ------
    InputError
        If the shapes do not fit.
    """
    scores, good = _checked(intensities, ok)
    quantiles = check_array("cutoffs", cutoffs, (scores.shape[1],), np.float64)
    if not good.any():
        return np.zeros(len(quantiles))
    ranked = np.sort(scores[good], axis=0)
    index = np.trunc(len(ranked) * np.maximum(quantiles, 0.0)).astype(np.intp)
    return np.where(quantiles < 0, 0.0, ranked[index, np.arange(len(quantiles))])


def finish_intensities(intensities: Any, ok: Any, levels: Any, smooth: bool = True) -> Float64:
    """Turn raw scores into the CSV's intensities.

    Parameters
    ----------
    intensities : (N, k) float64
        Raw scores of all frames.
    ok : (N,) bool
        Frames with a face.
    levels : (k,) float64
        Scores taken for intensity 0, see `zero_levels`.
    smooth : bool
        Take means over neighbouring frames.

    Returns
    -------
    (N, k) float64
        Scores less their level, clipped to 0 .. 5, 0 where there is no face; then, if smoothed,
        each but the first and last frame is the mean of itself and its neighbours, faceless ones
        included.

    Raises
    ------
    InputError
        If the shapes do not fit.
    """
    scores, good = _checked(intensities, ok)
    zero = check_array("levels", levels, (scores.shape[1],), np.float64)
    values = np.where(good[:, None], np.clip(scores - zero, 0.0, 5.0), 0.0)
    out: Float64 = values.copy()
    if smooth and len(values) > 2:
        out[1:-1] = (values[:-2] + values[1:-1] + values[2:]) / 3.0
    return out


def finish_presences(presences: Any) -> Float64:
    """Smooth classes by a majority of seven frames.

    Parameters
    ----------
    presences : (N, k) float64
        0 or 1; 0 where there is no face.

    Returns
    -------
    (N, k) float64
        1 where at least half of the seven frames around are 1; the first and last three frames as
        they were.

    Raises
    ------
    InputError
        If `presences` is no table.
    """
    values = check_array("presences", presences, (None, None), np.float64)
    out: Float64 = values.copy()
    if len(values) > 6:
        windows = np.lib.stride_tricks.sliding_window_view(values, 7, axis=0)
        out[3:-3] = windows.sum(axis=-1) / 7.0 >= 0.5
    return out


def _checked(intensities: Any, ok: Any) -> tuple[Float64, NDArray[np.bool_]]:
    scores = check_array("intensities", intensities, (None, None), np.float64)
    return scores, check_array("ok", ok, (len(scores),), np.bool_)
