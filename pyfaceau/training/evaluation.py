"""How far landmarks are from annotated ones: distances, NME, failures, AUC, by region."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pyfaceau.config import Config
from pyfaceau.detection.retinaface import RetinaFace
from pyfaceau.errors import InputError
from pyfaceau.landmarks.network import LandmarkNetwork, open_network
from pyfaceau.landmarks.pfld import PFLD, crop_from_box, crop_from_points
from pyfaceau.models.weights import locate
from pyfaceau.pdm.model import PDM
from pyfaceau.pipeline.landmarks import PointModel, open_model
from pyfaceau.tracking.gray import with_gray
from pyfaceau.tracking.tracker import make_fitter
from pyfaceau.training.data import FaceSample, load_picture
from pyfaceau.training.layouts import OUTER_EYES, REGIONS
from pyfaceau.types import Float32, Float64, Frame, UInt8

FAILED = 0.1
"""An NME above this is a failure, and where the area under the curve ends."""

NAMES = "pfld, clnf, facemap, free, PATH.onnx or profile:NAME"
"""What `finder` takes."""

_PROFILES = {"clnf": "openface", "free": "free"}

Finder = Callable[[UInt8], list[Float32]]
"""Returns the (68, 2) landmarks of each face in a BGR picture."""


@dataclass(frozen=True, eq=False)
class Errors:
    """Distances from annotated points.

    Attributes
    ----------
    distances : (n, 68) float64
        Pixels; NaN where a point is not annotated, infinite where no face was found.
    eyes, boxes : (n,) float64
        Distance of the outer eye corners, and square root of the area of the points' box, pixels.
    """

    distances: Float64
    eyes: Float64
    boxes: Float64

    @property
    def nme(self) -> Float64:
        """Mean distance of each face in outer-eye distances, (n,) float64."""
        means: Float64 = np.nanmean(self.distances, axis=1) / self.eyes
        return means

    @property
    def found(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Whether the face was found, (n,) bool."""
        return np.isfinite(self.nme)

    def figures(self) -> dict[str, float]:
        """Return the figures of the table.

        Returns
        -------
        dict
            faces, found; mean distance (pixels), NME (eyes) and NME (box), %, and NME of each
            region, over the faces that were found; failures (%) and AUC over all of them.
        """
        seen = self.distances[self.found]
        eyes = self.eyes[self.found]
        with np.errstate(invalid="ignore"):
            figures = {
                "faces": float(len(self.eyes)),
                "found": float(self.found.sum()),
                "distance": float(np.nanmean(seen)) if len(seen) else np.nan,
                "nme": 100 * float(self.nme[self.found].mean()) if len(seen) else np.nan,
                "nme_box": 100 * _mean(np.nanmean(seen, axis=1) / self.boxes[self.found])
                if len(seen)
                else np.nan,
                "failures": 100 * float((self.nme > FAILED).mean()),
                "auc": float(np.clip(1 - self.nme / FAILED, 0, 1).mean()),
            }
        for name, part in REGIONS.items():
            values = seen[:, list(part)] / eyes[:, None]
            known = values[np.isfinite(values)]
            figures[name] = 100 * float(known.mean()) if known.size else np.nan
        return figures


def evaluate_landmarks(samples: Sequence[FaceSample], find: Finder) -> Errors:
    """Measure how far a model is from annotated points.

    Parameters
    ----------
    samples : sequence of FaceSample
        Faces; one without a face near enough counts as not found.
    find : callable
        The model.

    Returns
    -------
    Errors
        In the order of the samples.
    """
    found: dict[Path, list[Float32]] = {}
    distances = np.full((len(samples), 68), np.inf)
    for k, sample in enumerate(samples):
        if sample.picture not in found:
            picture = load_picture(sample.picture)
            if picture is None:
                raise InputError(f"{sample.picture}: the picture cannot be read")
            found[sample.picture] = find(picture)
        middle = np.nanmean(sample.points, axis=0)
        extent = np.ptp(sample.points[np.isfinite(sample.points[:, 0])], axis=0).max()
        near = [p for p in found[sample.picture] if np.hypot(*(p.mean(0) - middle)) < extent / 2]
        if near:
            errors = [np.hypot(*(points - sample.points).T) for points in near]
            distances[k] = min(errors, key=lambda each: float(np.nanmean(each)))
        distances[k, ~np.isfinite(sample.points[:, 0])] = np.nan
    points = np.array([sample.points for sample in samples], np.float64)
    eyes = np.hypot(*(points[:, OUTER_EYES[0]] - points[:, OUTER_EYES[1]]).T)
    sides = np.nanmax(points, axis=1) - np.nanmin(points, axis=1)
    return Errors(distances, eyes, np.sqrt(sides.prod(axis=1)))


def finder(model: str, detector: RetinaFace | None = None) -> Finder:
    """Return what finds the landmarks of pictures.

    Parameters
    ----------
    model : str
        ``pfld`` or an ONNX network of 68 points; ``facemap``; ``clnf`` (profile ``openface``),
        ``free`` or ``profile:NAME``, all stages of a profile.
    detector : RetinaFace, optional
        For networks, which see each face twice: in its box, then in the crop of its points.

    Returns
    -------
    callable
        The model.

    Raises
    ------
    InputError
        If there is no model of that name.
    WeightsError
        If a model file is missing or no network of 68 points.
    """
    if model in _PROFILES or model.startswith("profile:"):
        return _ProfileFinder(_PROFILES.get(model, model.removeprefix("profile:")))
    if model == "facemap":
        return _PointFinder(open_model(model))
    if model != "pfld" and not model.lower().endswith(".onnx"):
        raise InputError(f"model: expected {NAMES}, got {model!r}")
    network = open_network(None if model == "pfld" else model)
    return _NetworkFinder(network, detector or RetinaFace())


@dataclass(frozen=True, eq=False)
class _PointFinder:
    """A model of the command ``landmarks``."""

    model: PointModel

    def __call__(self, image: UInt8) -> list[Float32]:
        found = [self.model.find(image, box) for box in self.model.boxes(image)]
        return [face.points.astype(np.float32) for face in found if not face.reason]


@dataclass(frozen=True, eq=False)
class _NetworkFinder:
    """A landmark network behind a detector, in two passes as in a video's first picture."""

    network: PFLD | LandmarkNetwork
    detector: RetinaFace

    def __call__(self, image: UInt8) -> list[Float32]:
        result = []
        for box in self.detector.detect(image):
            first = self.network.predict_crops(image, crop_from_box(box)[None])[0]
            if np.ptp(first, axis=0).max() > 0:
                crop = crop_from_points(first)[None]
                result.append(self.network.predict_crops(image, crop)[0])
        return result


class _ProfileFinder:
    """All stages of a profile."""

    def __init__(self, profile: str) -> None:
        config = Config.load(profile)
        self._fitter = make_fitter(config, PDM.load(locate(config.models.pdm)), 1)

    def __call__(self, image: UInt8) -> list[Float32]:
        frame = with_gray(Frame(image, 0, 0.0))
        return [self._fitter.fit(frame, box).landmarks for box in self._fitter.find(image)]


def _mean(values: Float64) -> float:
    return float(np.mean(values))
