"""Constrained local models: patch experts, NU-RLMS, the landmark hierarchy, targeted refinement."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyfaceau.refinement.targeted_refiner import TargetedCLNFRefiner as TargetedCLNFRefiner

__all__ = ["CLNF", "TargetedCLNFRefiner"]

_PUBLIC = {
    "CLNF": "pyfaceau.tracking.clnf",
    "TargetedCLNFRefiner": "pyfaceau.refinement.targeted_refiner",
}


def __getattr__(name: str) -> Any:
    """Load a public name on first use, so that importing this package loads no model code."""
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_PUBLIC[name]), name)
