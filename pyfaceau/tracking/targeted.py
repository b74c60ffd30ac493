"""The default profile's tracker: detect once, then follow the face with network and refinement.

The crop of each frame comes from the shape of the frame before, so the detector runs only where
there is no trusted track. Refinement starts from the fit of the frame before, which is nearer to
the truth than the network's points are and does not jitter with them; the network keeps watch: a
refined shape that has left its points competes with one refined from these, so a sudden movement
is followed at once. State lives here and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from pyfaceau.errors import InputError
from pyfaceau.landmarks.pfld import crop_from_box, crop_from_points
from pyfaceau.pdm.model import PDM
from pyfaceau.types import FaceBox, Float32, Float64, Frame, ShapeFit, TrackedFace, UInt8

MAX_RESIDUAL = 1.5
"""A landmark set further from the shape model than this (RMS, mm) is no face.

On faces the network's answer lies 0.3 to 0.9 mm from the model; on background it soon collapses.
"""

MAX_DRIFT = 10.0
"""Where refined shape and network are further apart than this (RMS, mm), one of them is lost.

It is a tenth of the distance between the eyes' outer corners; otherwise they lie 2 to 6 mm apart.
"""

SPEED = 1.0
"""A lost face is looked for within its own size, and this many sizes more each second."""

_STILL = 1 / 30
"""Seconds between pictures that have no time, as those of a folder."""


class Detector(Protocol):
    """Finds faces in a picture."""

    def detect(self, image: UInt8) -> tuple[FaceBox, ...]:
        """Return the faces of a BGR picture, best first."""


class LandmarkNet(Protocol):
    """Finds landmarks in square crops."""

    def predict_crops(self, image: UInt8, crops: Float64) -> Float32:
        """Return (k, 68, 2) landmarks in picture pixels for k crop matrices."""


class Refiner(Protocol):
    """Moves landmarks to where patch experts see them."""

    def fit(self, gray: UInt8, start: ShapeFit, landmarks: Float32, confidence: float) -> ShapeFit:
        """Return the shape fitted to the picture.

        `start` is where to begin, `confidence` how far that can be trusted, `landmarks` what the
        network saw.
        """


class Validator(Protocol):
    """Says how sure it is that landmarks lie on a face."""

    def check(self, gray: UInt8, landmarks: Float32, rotation: Float32) -> float:
        """Return a confidence from 0 to 1."""


@dataclass(frozen=True, eq=False)
class _Track:
    """The face that is followed: as last trusted and when that was seen (seconds)."""

    face: TrackedFace
    seen: float

    @property
    def centre(self) -> Float32:
        points = self.face.landmarks
        middle = (points.min(axis=0) + points.max(axis=0)) / 2
        return np.asarray(middle, dtype=np.float32)

    @property
    def size(self) -> float:
        return float(np.ptp(self.face.landmarks, axis=0).max())


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
    ) -> None:
        if not 0 <= threshold < 1:
            raise InputError(f"threshold: expected 0 or more and below 1, got {threshold}")
        self._detector = detector
        self._landmarks = landmarks
        self._pdm = pdm
        self._refiner = refiner
        self._validator = validator
        self._threshold = threshold

    def find(self, image: UInt8) -> tuple[FaceBox, ...]:
        """Return the faces of a BGR picture, best first."""
        return self._detector.detect(image)

    def fit(self, image: UInt8, gray: UInt8, box: FaceBox) -> TrackedFace:
        """Fit a detected face, in two passes of the network.

        Parameters
        ----------
        image : (H, W, 3) uint8
            BGR picture.
        gray : (H, W) uint8
            The same in gray.
        box : FaceBox
            Box of the face.

        Returns
        -------
        TrackedFace
            Where there is no success, the reason, and the attempt that was refused.
        """
        points = self._landmarks.predict_crops(image, crop_from_box(box)[None])[0]
        return self._from_points(image, gray, points)

    def fit_given(self, image: UInt8, gray: UInt8, box: FaceBox) -> TrackedFace:
        """Fit a face in a box of its 68 landmarks, in two passes of the network.

        Parameters
        ----------
        image : (H, W, 3) uint8
            BGR picture.
        gray : (H, W) uint8
            The same in gray.
        box : FaceBox
            Box of the landmarks.

        Returns
        -------
        TrackedFace
            As from `fit`.
        """
        points = self._pdm.shape_2d(self._pdm.params_from_box(box))
        first = self._from_points(image, gray, points)
        return self.follow(image, gray, first)

    def follow(self, image: UInt8, gray: UInt8, face: TrackedFace) -> TrackedFace:
        """Fit a face from where it was in the picture before.

        Parameters
        ----------
        image : (H, W, 3) uint8
            BGR picture.
        gray : (H, W) uint8
            The same in gray.
        face : TrackedFace
            What was said of the picture before.

        Returns
        -------
        TrackedFace
            As from `fit`.
        """
        return self._from_points(image, gray, face.landmarks, face)

    def nothing(self, reason: str) -> TrackedFace:
        """Return what is said of a picture in which nothing was attempted: zeros."""
        shape = ShapeFit(
            np.array([1, 0, 0, 0, 0, 0], np.float32), np.zeros(self._pdm.n_modes, np.float32)
        )
        return TrackedFace(False, False, 0.0, np.zeros((68, 2), np.float32), shape, reason=reason)

    def _from_points(
        self, image: UInt8, gray: UInt8, points: Float32, before: TrackedFace | None = None
    ) -> TrackedFace:
        """Ask the network on the crop around points; go on from the fit before, or start anew."""
        if np.ptp(points, axis=0).max() <= 0:
            return self.nothing("points form no face")
        seen = self._landmarks.predict_crops(image, crop_from_points(points)[None])[0]
        carried = None
        if self._refiner is not None and before is not None and before.ok:
            shape = self._refiner.fit(gray, before.shape, seen, before.confidence)
            carried = self._judge(gray, shape, seen, MAX_DRIFT)
            if carried and self._distance(shape, seen) <= MAX_DRIFT:
                return carried
        fresh = self._start(gray, seen)
        return carried if carried and carried.confidence > fresh.confidence else fresh

    def _start(self, gray: UInt8, seen: Float32) -> TrackedFace:
        """Fit the shape model to the network's points, refine, judge."""
        shape = self._pdm.calc_params(seen)
        if self._distance(shape, seen) > MAX_RESIDUAL:
            landmarks = self._pdm.shape_2d(shape)
            return TrackedFace(False, False, 0.0, landmarks, shape, reason="points form no face")
        if self._refiner is None:
            return self._judge(gray, shape, seen, MAX_RESIDUAL)
        return self._judge(gray, self._refiner.fit(gray, shape, seen, 0.0), seen, MAX_DRIFT)

    def _judge(self, gray: UInt8, shape: ShapeFit, seen: Float32, limit: float) -> TrackedFace:
        """Rate a shape: by the validator, else by its distance from the network's points."""
        landmarks = self._pdm.shape_2d(shape)
        if not shape.params_global[0] > 0:
            confidence = 0.0
        elif self._validator is None:
            confidence = max(0.0, 1 - self._distance(shape, seen) / (2 * limit))
        else:
            confidence = self._validator.check(gray, landmarks, shape.params_global[1:4])
        good = confidence > self._threshold
        reason = "" if good else f"confidence {confidence:.2f} not above {self._threshold:g}"
        return TrackedFace(good, good, confidence, landmarks, shape, reason=reason)

    def _distance(self, shape: ShapeFit, seen: Float32) -> float:
        """Return the root mean square distance of a shape from points, mm."""
        scale = float(shape.params_global[0])
        squares = np.square(self._pdm.shape_2d(shape) - seen).sum(axis=1)
        return float(np.sqrt(squares.mean())) / scale if scale > 0 else np.inf


class TargetedTracker:
    """Follows one face through a video.

    Parameters
    ----------
    detector : Detector
        Asked for boxes while there is no trusted track.
    landmarks : LandmarkNet
        Asked once a frame while there is one.
    pdm : PDM
        68-point shape model; what is reported is its fit.
    refiner : Refiner, optional
        Corrects the landmark network's points.
    validator : Validator, optional
        Its verdict is the reported confidence; without it the fit of the shape model decides.
    threshold : float
        A fit is trusted where its confidence is above this, 0 to 1.
    patience : float
        Seconds that a lost face is waited for near where it was, before any other is taken. Two
        people in the picture do not swap within that time.

    Raises
    ------
    InputError
        If a number is out of range.
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
        patience: float = 1.0,
    ) -> None:
        if not patience >= 0:
            raise InputError(f"patience: expected 0 or more seconds, got {patience}")
        self.fitter = TargetedFitter(
            detector,
            landmarks,
            pdm=pdm,
            refiner=refiner,
            validator=validator,
            threshold=threshold,
        )
        self._patience = patience
        self.reset()

    def reset(self) -> None:
        """Forget the face: the next frame starts a new video."""
        self._track: _Track | None = None
        self._trusted = False
        self._now = self._stamp = 0.0

    def update(self, frame: Frame) -> TrackedFace:
        """Follow the face into the next frame, or look for one.

        Parameters
        ----------
        frame : Frame
            Frames in order; timestamps may be uneven. Where they do not move, a frame counts as a
            thirtieth of a second.

        Returns
        -------
        TrackedFace
            Where there is no success, the reason, and the attempt that was refused (zeros where
            nothing was attempted).
        """
        image = frame.image
        step = frame.timestamp - self._stamp
        self._now += step if step > 0 else _STILL
        self._stamp = frame.timestamp
        gray = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), dtype=np.uint8)
        face: TrackedFace | None = None
        if self._trusted and self._track is not None:
            face = self.fitter.follow(image, gray, self._track.face)
        if not face:
            face = self._find(image, gray) or face or self.fitter.nothing("no face detected")
        self._trusted = face.success
        if face.success:
            self._track = _Track(face, self._now)
        return face

    def _find(self, image: UInt8, gray: UInt8) -> TrackedFace | None:
        """Detect, choose the face to follow, fit it."""
        box = self._choose(self.fitter.find(image))
        return None if box is None else self.fitter.fit(image, gray, box)

    def _choose(self, boxes: tuple[FaceBox, ...]) -> FaceBox | None:
        """Return the face nearest to the lost one, or the largest where none is waited for."""
        if not boxes:
            return None
        track = self._track
        if track is None or self._now - track.seen > self._patience:
            return max(boxes, key=lambda box: box.width * box.height)
        reach = track.size * (1 + SPEED * max(0.0, self._now - track.seen))

        def distance(box: FaceBox) -> float:
            return float(
                np.hypot(
                    box.x + box.width / 2 - track.centre[0],
                    box.y + box.height / 2 - track.centre[1],
                )
            )

        nearest = min(boxes, key=distance)
        return nearest if distance(nearest) <= reach else None
