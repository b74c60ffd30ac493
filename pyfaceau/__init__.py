"""Face video in, OpenFace-compatible action-unit CSV out.

The whole way
    FullPythonAUPipeline     videos to tables: every stage below, in order
    PicturePipeline          pictures to tables: every face in them
    MultiFacePipeline        videos of several people to tables: rows for each face
    Config                   which stages, with which settings; read from a profile

Video
    Selection                which part of a video, and whose face
    VideoReader              frames with their true timestamps, upright, in one colour conversion

Faces and landmarks
    RetinaFace               face boxes, any number of faces; the default
    MTCNN                    face boxes as OpenFace finds them
    PFLD                     68 landmarks of a face box, by a network
    TargetedCLNFRefiner      chosen landmarks moved to where patch experts see them
    CLNF                     68 landmarks by the full constrained local neural field

Shape
    PDM                      the 3-D shape model: shapes from parameters and parameters from shapes

Action units
    FaceAligner              the face, upright, 112x112 pixels, masked
    fhog                     its histograms of oriented gradients
    AUModels                 the support vector machines of an action-unit folder
    AUPredictor              intensities and presences of a video, frame by frame

Files
    Outputs                  what is to be written beside a table
    read                     a table of pyfaceau or OpenFace, in any of their formats
    read_hog                 the descriptors in a .hog file

Each is loaded when it is first asked for: ``import pyfaceau`` loads nothing but this list.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyfaceau.alignment.aligner import FaceAligner
    from pyfaceau.config import Config
    from pyfaceau.detection.mtcnn import MTCNN
    from pyfaceau.detection.retinaface import RetinaFace
    from pyfaceau.features.fhog import fhog
    from pyfaceau.landmarks.pfld import PFLD
    from pyfaceau.media.video import VideoReader
    from pyfaceau.output.beside import Outputs
    from pyfaceau.output.hog_file import read_hog
    from pyfaceau.output.reading import read
    from pyfaceau.pdm.model import PDM
    from pyfaceau.pipeline.multi import MultiFacePipeline
    from pyfaceau.pipeline.stills import PicturePipeline
    from pyfaceau.pipeline.video import FullPythonAUPipeline
    from pyfaceau.prediction.models import AUModels
    from pyfaceau.prediction.predictor import AUPredictor
    from pyfaceau.refinement.targeted_refiner import TargetedCLNFRefiner
    from pyfaceau.tracking.clnf import CLNF
    from pyfaceau.types import Selection

__version__ = "0.2.0"

__all__ = [
    "CLNF",
    "MTCNN",
    "PDM",
    "PFLD",
    "AUModels",
    "AUPredictor",
    "Config",
    "FaceAligner",
    "FullPythonAUPipeline",
    "MultiFacePipeline",
    "Outputs",
    "PicturePipeline",
    "RetinaFace",
    "Selection",
    "TargetedCLNFRefiner",
    "VideoReader",
    "fhog",
    "read",
    "read_hog",
]

_HOMES = {
    "AUModels": "prediction.models",
    "AUPredictor": "prediction.predictor",
    "CLNF": "tracking.clnf",
    "Config": "config",
    "FaceAligner": "alignment.aligner",
    "FullPythonAUPipeline": "pipeline.video",
    "MTCNN": "detection.mtcnn",
    "MultiFacePipeline": "pipeline.multi",
    "Outputs": "output.beside",
    "PDM": "pdm.model",
    "PFLD": "landmarks.pfld",
    "PicturePipeline": "pipeline.stills",
    "RetinaFace": "detection.retinaface",
    "Selection": "types",
    "TargetedCLNFRefiner": "refinement.targeted_refiner",
    "VideoReader": "media.video",
    "fhog": "features.fhog",
    "read": "output.reading",
    "read_hog": "output.hog_file",
}


def __getattr__(name: str) -> Any:
    """Load a public name on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """Return the public names beside what is loaded."""
    return sorted({*globals(), *__all__})
