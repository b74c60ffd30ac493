"""Landmarks of one face in one picture: network, refinement, judgement; no memory.

Refinement starts from the fit of the picture before, which is nearer to the truth than the
network's points are and does not jitter with them; the network keeps watch: a refined shape that
has left its points, as a whole or with a part of the face, competes with one refined from these,
so a sudden movement is followed at once and brows do not stay on lashes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pyfaceau.errors import InputError
from pyfaceau.landmarks.pfld import crop_from_box, crop_from_points
from pyfaceau.overlap import Helper, Promise, Shelved
from pyfaceau.pdm.model import PDM
from pyfaceau.refinement.eyes import EyeFitter
from pyfaceau.tracking.gray import in_gray
from pyfaceau.tracking.stages import Detector, LandmarkNet, Refiner, Validator
from pyfaceau.tracking.watch import (
    MAX_DRIFT,
    MAX_RESIDUAL,
    distance_of,
    fell,
    has_parted,
    likelier,
    start_from,
)
from pyfaceau.types import FaceBox, Float32, Float64, Frame, ShapeFit, TrackedFace, UInt8

SURE = 0.725
"""A fit with this confidence needs no second opinion for one frame, and is a start to trust."""


@dataclass(frozen=True, eq=False)
class Proposal:
    """Where a followed face is thought to be, not judged yet.

    Attributes
    ----------
    start : ShapeFit
        Its shape in the picture before.
    shape : ShapeFit
        Parameters.
    landmarks : (68, 2) float32
        Its points, pixels.
    network_points : Promise of (68, 2) float32
        The network's points in the crop around the fit before.
    refined : bool
        The shape goes on from the fit before; otherwise it is that of the network's points.
    watch : bool
        The network has to agree. Otherwise it is asked only where the confidence is under 0.725,
        or none measured.
    """

    start: ShapeFit
    shape: ShapeFit
    landmarks: Float32
    network_points: Promise[Float32]
    refined: bool
    watch: bool

    @property
    def plausible(self) -> bool:
        """It can be built on before it is judged."""
        extent = np.ptp(self.landmarks, axis=0).max()
        return bool(self.shape.params_global[0] > 0 and 0 < extent < np.inf)


@dataclass(frozen=True, eq=False)
class Verdict:
    """What is thought of a proposal.

    Attributes
    ----------
    face : TrackedFace
        The proposal, rated.
    holds : bool
        Nothing speaks against it; otherwise the network sees the face, or a part of it, elsewhere,
        or nothing does.
    parted : bool
        It is a part of the face only that the network sees elsewhere.
    """

    face: TrackedFace
    holds: bool
    parted: bool = False


class TargetedFitter:
    """Landmarks of any face, from its box or from where it was: network, refinement, judgement.

    Parameters
    ----------
    detector : Detector
        Finds faces.
    landmarks : LandmarkNet
        Finds points in crops.
    pdm : PDM
        68-point shape model; what is reported is its fit.
    refiner : Refiner, optional
        Corrects the landmark network's points.
    validator : Validator, optional
        Its verdict is the reported confidence; without it the fit of the shape model decides.
    threshold : float
        A fit is trusted where its confidence is above this, 0 to 1.
    eyes : EyeFitter, optional
        Fits eyes to faces whose landmarks are known; `fit` and `follow` give faces without.
    helper : Helper, optional
        Asks the network while the refinement is at work, where neither needs the other.

    Raises
    ------
    InputError
        If the threshold is out of range.
    """

    def __init__(
        self,
        detector: Detector,
        landmarks: LandmarkNet,
        *,
        pdm: PDM,
        refiner: Refiner | None = None,
        validator: Validator | None = None,
        threshold: float = 0.5,
        eyes: EyeFitter | None = None,
        helper: Helper | None = None,
    ) -> None:
        if not 0 <= threshold < 1:
            raise InputError(f"threshold: expected 0 or more and below 1, got {threshold}")
        self.eyes = eyes
        self.refiner = refiner
        self.network = landmarks
        self._detector = detector
        self._pdm = pdm
        self._validator = validator
        self._threshold = threshold
        self._helper = helper or Helper(1)

    def find(self, image: UInt8) -> tuple[FaceBox, ...]:
        """Find faces.

        Parameters
        ----------
        image : (H, W, 3) uint8
            BGR picture.

        Returns
        -------
        tuple of FaceBox
            Best first, pixels.
        """
        return self._detector.detect(image)

    def fit(self, frame: Frame, box: FaceBox) -> TrackedFace:
        """Fit a detected face, in two passes of the network.

        Parameters
        ----------
        frame : Frame
            The picture.
        box : FaceBox
            Box of the face.

        Returns
        -------
        TrackedFace
            Where there is no success, the reason, and the attempt that was refused.
        """
        return self._look(frame, self._ask_network(frame.image, crop_from_box(box)))

    def fit_given(self, frame: Frame, box: FaceBox) -> TrackedFace:
        """Fit a face in a box of its 68 landmarks, in two passes of the network.

        Parameters
        ----------
        frame : Frame
            The picture.
        box : FaceBox
            Box of the landmarks.

        Returns
        -------
        TrackedFace
            As from `fit`.
        """
        points = self._pdm.shape_2d(self._pdm.params_from_box(box))
        return self.follow(frame, self._look(frame, points))

    def follow(self, frame: Frame, face: TrackedFace, *, watch: bool = True) -> TrackedFace:
        """Fit a face from where it was in the picture before.

        Parameters
        ----------
        frame : Frame
            The picture.
        face : TrackedFace
            What was said of the picture before.
        watch : bool
            Ask the network in any case. Otherwise only where the refined fit is in doubt: its
            confidence under 0.725, or none measured, or its likelihood fallen, see `fell`.

        Returns
        -------
        TrackedFace
            As from `fit`.
        """
        points = face.landmarks
        if not face.ok or np.ptp(points, axis=0).max() <= 0:
            return self._look(frame, points)
        trusted = face.confidence >= SURE
        proposal = self.propose(frame, face.shape, points, trusted, watch)
        return self.commit(frame, proposal, self.judge(frame, proposal))

    def propose(
        self, frame: Frame, start: ShapeFit, points: Float32, trusted: bool, watch: bool
    ) -> Proposal:
        """Say where a face has gone, from where it was in the picture before.

        Parameters
        ----------
        frame : Frame
            The picture.
        start : ShapeFit
            Its shape in the picture before.
        points : (68, 2) float32
            The points of that shape, pixels.
        trusted : bool
            The confidence there was 0.725 or more.
        watch : bool
            Ask the network in any case, see `follow`.

        Returns
        -------
        Proposal
            For `judge`.
        """
        refiner = self.refiner
        network_points: Promise[Float32] = Shelved(
            lambda: self._ask_network(frame.image, crop_from_points(points))
        )
        if refiner is None:
            watch, shape = True, self._pdm.calc_params(network_points.result())
        elif refiner.needs_landmarks:
            watch, shape = (
                True,
                refiner.fit(in_gray(frame), start, network_points.result(), trusted),
            )
        else:
            network_points = self._helper.start(network_points.result) if watch else network_points
            shape = refiner.fit(in_gray(frame), start, None, trusted)
            watch = watch or fell(start, shape)
        landmarks = self._pdm.shape_2d(shape)
        return Proposal(start, shape, landmarks, network_points, refiner is not None, watch)

    def judge(self, frame: Frame, proposal: Proposal) -> Verdict:
        """Rate a proposal; may run beside another `propose`, as it refines nothing.

        Parameters
        ----------
        frame : Frame
            The picture.
        proposal : Proposal
            Of the same picture.

        Returns
        -------
        Verdict
            For `commit`.
        """
        shape, landmarks = proposal.shape, proposal.landmarks
        if not proposal.watch:
            face = self._judge(frame, shape, landmarks, None, MAX_DRIFT)
            if face.confidence >= SURE:
                return Verdict(face, True)
        network_points = proposal.network_points.result()
        if not proposal.refined:
            return Verdict(self._begin(frame, shape, landmarks, network_points), True)
        distance = distance_of(shape, landmarks, network_points)
        face = self._judge(frame, shape, landmarks, network_points, MAX_DRIFT)
        near = bool(face) and distance <= MAX_DRIFT
        parted = near and has_parted(shape, landmarks, network_points)
        return Verdict(face, near and not parted, parted)

    def commit(self, frame: Frame, proposal: Proposal, verdict: Verdict) -> TrackedFace:
        """Return the judged face; where network and shape part, one fitted anew may be better.

        Parameters
        ----------
        frame : Frame
            The picture.
        proposal : Proposal
            Of the same picture.
        verdict : Verdict
            On that.

        Returns
        -------
        TrackedFace
            As from `fit`. Its `shape` is the proposal's own object unless it was fitted anew.
        """
        face = verdict.face
        if verdict.holds:
            return face
        if verdict.parted:
            return self._compared(frame, proposal, face)
        fresh = self._start(frame, proposal.network_points.result())
        return face if face and face.confidence > fresh.confidence else fresh

    def _compared(self, frame: Frame, proposal: Proposal, face: TrackedFace) -> TrackedFace:
        """Return the face, or one from the network's points that is likelier and no less sure."""
        if self.refiner is None:
            return face
        network_points, gray = proposal.network_points.result(), in_gray(frame)
        start = start_from(self._pdm, network_points)
        shape = likelier(self.refiner, gray, proposal.start, proposal.shape, start)
        if shape is proposal.shape:
            return face
        landmarks = self._pdm.shape_2d(shape)
        fresh = self._judge(frame, shape, landmarks, network_points, MAX_DRIFT)
        return fresh if fresh.confidence >= min(face.confidence, SURE) else face

    def nothing(self, reason: str) -> TrackedFace:
        """Return what is said of a picture in which nothing was attempted.

        Parameters
        ----------
        reason : str
            Why there is no face.

        Returns
        -------
        TrackedFace
            Not successful; landmarks, confidence and parameters are zero, the scale is 1.
        """
        shape = ShapeFit(
            np.array([1, 0, 0, 0, 0, 0], np.float32), np.zeros(self._pdm.n_modes, np.float32)
        )
        return TrackedFace(False, False, 0.0, np.zeros((68, 2), np.float32), shape, reason=reason)

    def _look(self, frame: Frame, points: Float32) -> TrackedFace:
        """Start anew from what the network sees around points."""
        if np.ptp(points, axis=0).max() <= 0:
            return self.nothing("points form no face")
        return self._start(frame, self._ask_network(frame.image, crop_from_points(points)))

    def _ask_network(self, image: UInt8, crop: Float64) -> Float32:
        """Return the network's points in a crop."""
        points: Float32 = self.network.predict_crops(image, crop[None])[0]
        return points

    def _start(self, frame: Frame, network_points: Float32) -> TrackedFace:
        """Fit the shape model to the network's points, refine, judge."""
        shape = self._pdm.calc_params(network_points)
        return self._begin(frame, shape, self._pdm.shape_2d(shape), network_points)

    def _begin(
        self, frame: Frame, shape: ShapeFit, landmarks: Float32, network_points: Float32
    ) -> TrackedFace:
        """Refine and judge the shape of the network's points."""
        if distance_of(shape, landmarks, network_points) > MAX_RESIDUAL:
            return TrackedFace(False, False, 0.0, landmarks, shape, reason="points form no face")
        if self.refiner is None:
            return self._judge(frame, shape, landmarks, network_points, MAX_RESIDUAL)
        shape = self.refiner.fit(in_gray(frame), shape, network_points, False)
        landmarks = self._pdm.shape_2d(shape)
        return self._judge(frame, shape, landmarks, network_points, MAX_DRIFT)

    def _judge(
        self,
        frame: Frame,
        shape: ShapeFit,
        landmarks: Float32,
        network_points: Float32 | None,
        furthest: float,
    ) -> TrackedFace:
        """Rate a shape: by the validator, else by its distance from the network's points.

        The largest distance that is allowed is `furthest`, mm; None are points nobody asked for.
        """
        confidence = 0.0
        if shape.params_global[0] > 0:
            if self._validator is not None:
                confidence = self._validator.check(
                    in_gray(frame), landmarks, shape.params_global[1:4]
                )
            elif network_points is not None:
                distance = distance_of(shape, landmarks, network_points)
                confidence = max(0.0, 1 - distance / furthest / 2)
        good = confidence > self._threshold
        reason = "" if good else f"confidence {confidence:.2f} not above {self._threshold:g}"
        return TrackedFace(
            good, good, confidence, landmarks, shape, reason=reason, network_points=network_points
        )
