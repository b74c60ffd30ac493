"""What every tracker is, and which one a profile asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from pyfaceau.config import Config
from pyfaceau.errors import InputError
from pyfaceau.models.weights import locate
from pyfaceau.types import FaceBox, Frame, Selection, TrackedFace, UInt8

if TYPE_CHECKING:
    from pyfaceau.detection.mtcnn import MTCNN
    from pyfaceau.detection.retinaface import RetinaFace
    from pyfaceau.mesh.finder import FaceFinder
    from pyfaceau.pdm.model import PDM
    from pyfaceau.refinement.eyes import EyeFitter
    from pyfaceau.refinement.face_model import FaceModel
    from pyfaceau.tracking.fitter import FaceFitter
    from pyfaceau.tracking.openface import BoxDetector, OpenFaceTracker
    from pyfaceau.tracking.stages import Refiner
    from pyfaceau.tracking.targeted import TargetedTracker


class Tracker(Protocol):
    """Who the face is from frame to frame; the only owner of track state.

    What else a tracker may be able to do: `AheadTracker`, and `pyfaceau.tracking.abilities`.
    """

    def update(self, frame: Frame) -> TrackedFace:
        """Take the next frame of a video.

        Parameters
        ----------
        frame : Frame
            The frame.

        Returns
        -------
        TrackedFace
            What is known of the face; false where there is none.
        """

    def reset(self) -> None:
        """Forget everything: a new video starts."""


MESH_THREADS = 2
"""Of the mesh network, at most: more gain little on so small a one."""


@runtime_checkable
class AheadTracker(Protocol):
    """A tracker that is taken through videos by `track_ahead` and not by `update`."""

    def track_ahead(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, TrackedFace]]:
        """Follow the face through frames; the next one may be begun before a result.

        Parameters
        ----------
        frames : iterable of Frame
            Frames in order.

        Yields
        ------
        frame : Frame
            The frame.
        face : TrackedFace
            As from `update`.
        """


@runtime_checkable
class _ChoosingTracker(Protocol):
    selection: Selection


@dataclass(frozen=True, eq=False)
class _FullFaces:
    """MTCNN where boxes of whole faces are wanted."""

    detector: MTCNN

    def detect(self, image: UInt8) -> tuple[FaceBox, ...]:
        """Return the faces of a BGR picture, largest first."""
        faces = self.detector.faces(image)
        return tuple(sorted(faces, key=lambda face: -face.width * face.height))


def make_tracker(config: Config, pdm: PDM | None, threads: int = 1) -> Tracker:
    """Return the tracker of a profile.

    Parameters
    ----------
    config : Config
        The settings.
    pdm : PDM or None
        The 68-point shape model; None where the profile has none.
    threads : int
        With 2 or more, what is independent in a frame is done at a time; no digit depends on it.

    Returns
    -------
    Tracker
        Ready for the first frame.

    Raises
    ------
    WeightsError
        If a model file is missing or altered.
    """
    if config.landmarks == "clnf":
        return _openface_tracker(config)
    if config.landmarks == "mesh" or pdm is None:
        from pyfaceau.tracking.mesh import MeshTracker

        return MeshTracker.load(config.models.mesh, min(threads, MESH_THREADS))
    return _targeted_tracker(config, pdm, threads)


def upright_detector(config: Config) -> Callable[[UInt8], tuple[FaceBox, ...]] | None:
    """Return what tells whether faces are upright, where a profile wants that to be told.

    Parameters
    ----------
    config : Config
        The settings.

    Returns
    -------
    callable or None
        Finds faces with their five points; loaded at its first use.
    """
    if config.reading.rotate != "auto":
        return None
    found: list[RetinaFace | FaceFinder] = []

    def _detect(image: UInt8) -> tuple[FaceBox, ...]:
        """Find faces; the network is loaded at the first call."""
        if not found:
            found.append(
                _mesh_finder(config) if config.landmarks == "mesh" else _retinaface(config)
            )
        return found[0].detect(image)

    return _detect


def track(tracker: Tracker, frames: Iterable[Frame]) -> Iterator[tuple[Frame, TrackedFace]]:
    """Take a tracker through frames.

    Parameters
    ----------
    tracker : Tracker
        One that has a method `track_ahead` may begin a frame before the last is done.
    frames : iterable of Frame
        Frames in order.

    Returns
    -------
    iterator of (Frame, TrackedFace)
        The frames, each with what is known of the face. An error of `frames` comes after the last.
    """
    if isinstance(tracker, AheadTracker):
        return tracker.track_ahead(frames)
    return ((frame, tracker.update(frame)) for frame in frames)


def choose_face(tracker: Tracker, selection: Selection) -> None:
    """Say whose face a tracker is to follow, before the first frame of a video.

    Parameters
    ----------
    tracker : Tracker
        One that has an attribute `selection` can choose.
    selection : Selection
        Whose.

    Raises
    ------
    InputError
        If one face is preferred and the tracker cannot choose.
    """
    if isinstance(tracker, _ChoosingTracker):
        tracker.selection = selection
    elif selection.of_people:
        raise InputError("face, roi: expected a tracker with an attribute selection, got another")


def make_fitter(config: Config, pdm: PDM | None, hypotheses: int) -> FaceFitter:
    """Return what a profile fits several faces with.

    Parameters
    ----------
    config : Config
        The settings.
    pdm : PDM or None
        The 68-point shape model; None where the profile has none.
    hypotheses : int
        Head rotations that a new face is tried at, see `CLNFFitter`.

    Returns
    -------
    FaceFitter
        Without memory.

    Raises
    ------
    WeightsError
        If a model file is missing or altered.
    """
    if config.landmarks == "mesh" or pdm is None:
        from pyfaceau.tracking.mesh import MeshFitter

        return MeshFitter.load(config.models.mesh)
    if config.landmarks != "clnf":
        return _targeted_tracker(config, pdm, 1).fitter
    from pyfaceau.tracking.fitter import CLNFFitter

    tracker = _openface_tracker(config)
    return CLNFFitter(tracker.model, tracker.detector, hypotheses)


def _openface_tracker(config: Config) -> OpenFaceTracker:
    from pyfaceau.refinement.face_model import FaceModel
    from pyfaceau.refinement.point_model import FitParameters
    from pyfaceau.tracking.openface import OpenFaceTracker

    detector: BoxDetector
    if config.detector == "mtcnn":
        detector = _mtcnn()
    else:
        from pyfaceau.detection.retinaface import LandmarkBoxes

        detector = LandmarkBoxes(_retinaface(config))
    fit = config.fit
    parameters = FitParameters(
        windows_init=fit.windows,
        sigma=float(np.float32(fit.sigma)),
        regularisation=float(np.float32(fit.regularisation)),
        weight_factor=float(np.float32(fit.weight_factor)),
        max_iterations=fit.iterations,
    )
    return OpenFaceTracker(FaceModel.load(config.models.clnf, parameters), detector)


def _targeted_tracker(config: Config, pdm: PDM, threads: int) -> TargetedTracker:
    from pyfaceau.landmarks.network import open_network
    from pyfaceau.refinement.validator import DetectionValidator
    from pyfaceau.tracking.targeted import TargetedTracker

    detector = _FullFaces(_mtcnn()) if config.detector == "mtcnn" else _retinaface(config)
    model = _part_models(config)
    return TargetedTracker(
        detector,
        open_network(config.models.pfld, device=config.device),
        pdm=pdm,
        refiner=_refiner(config, model),
        validator=DetectionValidator.load(locate(config.models.validator)),
        eyes=_eyes(config, model),
        threads=threads,
    )


def _part_models(config: Config) -> FaceModel | None:
    """Return OpenFace's landmark model where the refinement or the eyes need it."""
    whole = config.refinement.enabled and config.refinement.method == "face"
    if not (whole or config.eyes):
        return None
    from pyfaceau.refinement.face_model import FaceModel

    return FaceModel.load(config.models.clnf)


def _eyes(config: Config, model: FaceModel | None) -> EyeFitter | None:
    if model is None or not config.eyes:
        return None
    from pyfaceau.refinement.eyes import EyeFitter

    return EyeFitter.of(model)


def _refiner(config: Config, model: FaceModel | None) -> Refiner | None:
    settings = config.refinement
    if not settings.enabled:
        return None
    if settings.method == "face" and model is not None:
        from pyfaceau.refinement.face_refiner import FaceRefiner

        return FaceRefiner(model)
    from pyfaceau.refinement.targeted_refiner import TargetedCLNFRefiner

    return TargetedCLNFRefiner(
        config.models.patch_experts,
        settings.search_window,
        settings.points,
        pdm_file=config.models.pdm,
    )


def _mtcnn() -> MTCNN:
    from pyfaceau.detection.mtcnn import MTCNN

    return MTCNN()


def _retinaface(config: Config) -> RetinaFace:
    from pyfaceau.detection.retinaface import RetinaFace

    return RetinaFace(config.models.retinaface, device=config.device)


def _mesh_finder(config: Config) -> FaceFinder:
    from pyfaceau.mesh.bundle import Bundle
    from pyfaceau.mesh.finder import FaceFinder

    return FaceFinder(Bundle.load(config.models.mesh).detector)
