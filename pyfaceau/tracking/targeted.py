"""The default profile's tracker: detect once, then follow the face with network and refinement.

The crop of each frame comes from the shape of the frame before, so the detector runs only where
there is no trusted track. Where the fit of the frame before is refined, the network is asked in
every second frame, and at once when the refined fit is in doubt. State lives here and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from pyfaceau.errors import InputError
from pyfaceau.pdm.model import PDM
from pyfaceau.tracking.targeted_fitter import (
    Detector,
    LandmarkNet,
    Refiner,
    TargetedFitter,
    Validator,
)
from pyfaceau.types import FaceBox, Float32, Frame, TrackedFace, UInt8

SPEED = 1.0
"""A lost face is looked for within its own size, and this many sizes more each second."""

_STILL = 1 / 30
"""Seconds between pictures that have no time, as those of a folder."""


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
    threads : int
        See `TargetedFitter`.

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
        threads: int = 1,
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
            threads=threads,
        )
        self._patience = patience
        self.reset()

    def reset(self) -> None:
        """Forget the face: the next frame starts a new video."""
        self._track: _Track | None = None
        self._trusted = self._watched = False
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
            self._watched = not self._watched
            face = self.fitter.follow(image, gray, self._track.face, watch=self._watched)
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
