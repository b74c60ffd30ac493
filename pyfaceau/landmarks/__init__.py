"""Landmark networks: where the points of a face lie, from a crop of it."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyfaceau.landmarks.five_points import align_face as align_face
    from pyfaceau.landmarks.five_points import is_frontal as is_frontal
    from pyfaceau.landmarks.onet import FaceLandmarkModel as FaceLandmarkModel
    from pyfaceau.landmarks.pfld import PFLD as PFLD

__all__ = ["PFLD", "FaceLandmarkModel", "align_face", "is_frontal"]

_PUBLIC = {
    "FaceLandmarkModel": "onet",
    "PFLD": "pfld",
    "align_face": "five_points",
    "is_frontal": "five_points",
}


def __getattr__(name: str) -> Any:
    """Load a public name on first use, so that importing this package loads no model code."""
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_PUBLIC[name]}"), name)
