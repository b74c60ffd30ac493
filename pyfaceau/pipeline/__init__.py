"""The stages in order: a video, a picture or several people become tables."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyfaceau.pipeline.multi import MultiFacePipeline as MultiFacePipeline
    from pyfaceau.pipeline.stills import PicturePipeline as PicturePipeline
    from pyfaceau.pipeline.video import FullPythonAUPipeline as FullPythonAUPipeline

__all__ = ["FullPythonAUPipeline", "MultiFacePipeline", "PicturePipeline"]

_PUBLIC = {
    "FullPythonAUPipeline": "pyfaceau.pipeline.video",
    "MultiFacePipeline": "pyfaceau.pipeline.multi",
    "PicturePipeline": "pyfaceau.pipeline.stills",
}


def __getattr__(name: str) -> Any:
    """Load a public name on first use: each of the three needs other stages."""
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_PUBLIC[name]), name)
