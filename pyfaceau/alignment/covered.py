"""Whether something covers the mouth or one eye, by how the aligned face looks there.

A mask has fewer edges than a mouth; a dark glass or a patch over one eye makes it darker or lighter
than the other. Both were chosen on pictures with such things drawn in
(validation/results/covered.md). A beard has edges and a pair of sunglasses two sides: neither is
seen by this.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from pyfaceau.errors import check_array
from pyfaceau.types import AlignedFace, Float32

MOUTH_COVERED, EYE_COVERED = "mouth_covered", "eye_covered"

FEWEST_EDGES = 0.7
"""Mean gradient about the mouth, over that of nose and inner corners of the eyes; the mouth is
covered where it is less."""

APART = 0.35
"""Difference of the eyes' mean gray levels, over their mean; above it one is covered. Sidelight
reaches half of that."""

_MOUTH, _NOSE = range(48, 68), (27, 30, 33, 39, 42)
_EYES = (range(36, 42), range(42, 48))


def covered(aligned: AlignedFace, landmarks: Any) -> frozenset[str]:
    """Tell what of a face is covered.

    Parameters
    ----------
    aligned : AlignedFace
        The face, 112 pixels.
    landmarks : (68, 2) array_like
        Its landmarks, pixels of the frame.

    Returns
    -------
    frozenset of str
        Of ``mouth_covered`` and ``eye_covered``.

    Raises
    ------
    InputError
        If the landmarks are not as described.
    """
    edges, apart = appearance(aligned, landmarks)
    found = {MOUTH_COVERED: edges < FEWEST_EDGES, EYE_COVERED: apart > APART}
    return frozenset(name for name, seen in found.items() if seen)


def appearance(aligned: AlignedFace, landmarks: Any) -> tuple[float, float]:
    """Measure what `covered` judges.

    Parameters
    ----------
    aligned : AlignedFace
        As for `covered`.
    landmarks : (68, 2) array_like
        As for `covered`.

    Returns
    -------
    edges : float
        Mean gradient about the mouth over that about the nose; NaN where the nose has none.
    apart : float
        Difference of the mean gray levels about both eyes, over their mean.

    Raises
    ------
    InputError
        If the landmarks are not as described.
    """
    points = check_array("landmarks", landmarks, (68, 2), np.float32)
    places = points @ aligned.warp[:, :2].T + aligned.warp[:, 2]
    gray = cv2.cvtColor(aligned.image, cv2.COLOR_BGR2GRAY).astype(np.float32)
    mouth, nose = (
        _gradient(_box(gray, places[list(part)], margin))
        for part, margin in ((_MOUTH, 3), (_NOSE, 2))
    )
    left, right = (float(_box(gray, places[list(eye)], 5).mean()) for eye in _EYES)
    apart = 2 * abs(left - right) / max(left + right, 1.0)
    return mouth / nose if nose > 0 else float("nan"), apart


def _box(gray: Float32, points: Float32, margin: int) -> Float32:
    """Return the part of a picture about points; at least three pixels wide and high."""
    size = gray.shape[0]
    low = np.clip(np.floor(points.min(axis=0)) - margin, 0, size - 3).astype(int)
    high = np.clip(np.ceil(points.max(axis=0)) + margin + 1, low + 3, size).astype(int)
    return gray[low[1] : high[1], low[0] : high[0]]


def _gradient(gray: Float32) -> float:
    """Return the mean size of a picture's gradient (Sobel)."""
    slopes: Sequence[Float32] = [
        np.asarray(cv2.Sobel(gray, cv2.CV_32F, *axes), np.float32) for axes in ((1, 0), (0, 1))
    ]
    return float(np.hypot(*slopes).mean())
