"""Landmarks of one face in one picture: network, refinement, judgement; no memory.

Refinement starts from the fit of the picture before, which is nearer to the truth than the
network's points are and does not jitter with them; the network keeps watch: a refined shape that
has left its points competes with one refined from these, so a sudden movement is followed at once.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import numpy as np

from pyfaceau.errors import InputError
from pyfaceau.landmarks.pfld import crop_from_box, crop_from_points
from pyfaceau.pdm.model import PDM
from pyfaceau.types import FaceBox, Float32, Float64, ShapeFit, TrackedFace, UInt8

MAX_RESIDUAL = 1.5
"""A landmark set further from the shape model than this (RMS, mm) is no face.

On faces the network's answer lies 0.3 to 0.9 mm from the model; on background it soon collapses.
"""

MAX_DRIFT = 10.0
"""Where refined shape and network are further apart than this (RMS, mm), one of them is lost.

It is a tenth of the distance between the eyes' outer corners; otherwise they lie 2 to 6 mm apart.
"""


SURE = 0.725
"""A fit with this confidence needs no second opinion for one frame."""


class Detector(Protocol):
    """Finds faces in a picture."""

    def detect(self, image: UInt8) -> tuple[FaceBox, ...]:
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


class LandmarkNet(Protocol):
    """Finds landmarks in square crops."""

    def predict_crops(self, image: UInt8, crops: Float64) -> Float32:
        """Find the landmarks in each crop.

        Parameters
        ----------
        image : (H, W, 3) uint8
            BGR picture.
        crops : (k, 2, 3) float64
            Affine maps as `crop_from_box` and `crop_from_points` give them.

        Returns
        -------
        (k, 68, 2) float32
            x and y, pixels of the picture.
        """


class Refiner(Protocol):
    """Moves landmarks to where patch experts see them.

    Attributes
    ----------
    needs_landmarks : bool
        It starts from the network's points too; otherwise both can be at work at a time.
    """

    needs_landmarks: bool

    def fit(
        self, gray: UInt8, start: ShapeFit, landmarks: Float32 | None, confidence: float
    ) -> ShapeFit:
        """Fit the shape model to the picture.

        Parameters
        ----------
        gray : (H, W) uint8
            Picture.
        start : ShapeFit
            Where to begin.
        landmarks : (68, 2) float32 or None
            What the network saw, pixels; None where that is not needed.
        confidence : float
            How far `start` can be trusted, 0 to 1.

        Returns
        -------
        ShapeFit
            The shape fitted.
        """


class Validator(Protocol):
    """Says how sure it is that landmarks lie on a face."""

    def check(self, gray: UInt8, landmarks: Float32, rotation: Float32) -> float:
        """Rate landmarks.

        Parameters
        ----------
        gray : (H, W) uint8
            Picture.
        landmarks : (68, 2) float32
            x and y, pixels.
        rotation : (3,) float32
            Euler angles of the head, radians.

        Returns
        -------
        float
            Confidence, 0 to 1.
        """


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
    threads : int
        With 2 or more, network and refinement are at work at a time where neither needs the
        other; no digit depends on it.

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
        threads: int = 1,
    ) -> None:
        if not 0 <= threshold < 1:
            raise InputError(f"threshold: expected 0 or more and below 1, got {threshold}")
        self._detector = detector
        self._landmarks = landmarks
        self._pdm = pdm
        self._refiner = refiner
        self._validator = validator
        self._threshold = threshold
        self._pool = ThreadPoolExecutor(1, "pyfaceau-network") if threads > 1 else None

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

    def follow(
        self, image: UInt8, gray: UInt8, face: TrackedFace, *, watch: bool = True
    ) -> TrackedFace:
        """Fit a face from where it was in the picture before.

        Parameters
        ----------
        image : (H, W, 3) uint8
            BGR picture.
        gray : (H, W) uint8
            The same in gray.
        face : TrackedFace
            What was said of the picture before.
        watch : bool
            Ask the network in any case. Otherwise only where the refined fit is in doubt: its
            confidence under 0.725, or none measured.

        Returns
        -------
        TrackedFace
            As from `fit`.
        """
        refiner = self._refiner
        if not watch and face.ok and refiner is not None and not refiner.needs_landmarks:
            shape = refiner.fit(gray, face.shape, None, face.confidence)
            carried = self._judge(gray, shape, None, MAX_DRIFT)
            if carried.confidence >= SURE:
                return carried
        return self._from_points(image, gray, face.landmarks, face)

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

    def _from_points(
        self, image: UInt8, gray: UInt8, points: Float32, before: TrackedFace | None = None
    ) -> TrackedFace:
        """Ask the network on the crop around points; go on from the fit before, or start anew."""
        if np.ptp(points, axis=0).max() <= 0:
            return self.nothing("points form no face")
        crop = crop_from_points(points)
        if self._refiner is None or before is None or not before.ok:
            return self._start(gray, self._see(image, crop))
        seen, shape = self._see_and_refine(image, gray, crop, self._refiner, before)
        carried = self._judge(gray, shape, seen, MAX_DRIFT)
        if carried and self._distance(shape, seen) <= MAX_DRIFT:
            return carried
        fresh = self._start(gray, seen)
        return carried if carried and carried.confidence > fresh.confidence else fresh

    def _see(self, image: UInt8, crop: Float64) -> Float32:
        """Return the network's points in a crop."""
        points: Float32 = self._landmarks.predict_crops(image, crop[None])[0]
        return points

    def _see_and_refine(
        self, image: UInt8, gray: UInt8, crop: Float64, refiner: Refiner, before: TrackedFace
    ) -> tuple[Float32, ShapeFit]:
        """Return the network's points and the fit that goes on from the one before."""
        start, confidence = before.shape, before.confidence
        if self._pool is None or refiner.needs_landmarks:
            seen = self._see(image, crop)
            return seen, refiner.fit(gray, start, seen, confidence)
        waiting = self._pool.submit(self._see, image, crop)
        shape = refiner.fit(gray, start, None, confidence)
        return waiting.result(), shape

    def _start(self, gray: UInt8, seen: Float32) -> TrackedFace:
        """Fit the shape model to the network's points, refine, judge."""
        shape = self._pdm.calc_params(seen)
        if self._distance(shape, seen) > MAX_RESIDUAL:
            landmarks = self._pdm.shape_2d(shape)
            return TrackedFace(False, False, 0.0, landmarks, shape, reason="points form no face")
        if self._refiner is None:
            return self._judge(gray, shape, seen, MAX_RESIDUAL)
        return self._judge(gray, self._refiner.fit(gray, shape, seen, 0.0), seen, MAX_DRIFT)

    def _judge(
        self, gray: UInt8, shape: ShapeFit, seen: Float32 | None, limit: float
    ) -> TrackedFace:
        """Rate a shape: by the validator, else by its distance from the network's points."""
        landmarks = self._pdm.shape_2d(shape)
        confidence = 0.0
        if shape.params_global[0] > 0:
            if self._validator is not None:
                confidence = self._validator.check(gray, landmarks, shape.params_global[1:4])
            elif seen is not None:
                confidence = max(0.0, 1 - self._distance(shape, seen) / (2 * limit))
        good = confidence > self._threshold
        reason = "" if good else f"confidence {confidence:.2f} not above {self._threshold:g}"
        return TrackedFace(good, good, confidence, landmarks, shape, reason=reason)

    def _distance(self, shape: ShapeFit, seen: Float32) -> float:
        """Return the root mean square distance of a shape from points, mm."""
        scale = float(shape.params_global[0])
        squares = np.square(self._pdm.shape_2d(shape) - seen).sum(axis=1)
        return float(np.sqrt(squares.mean())) / scale if scale > 0 else np.inf
