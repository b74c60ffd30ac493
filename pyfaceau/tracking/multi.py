"""Several faces in a video: slots, each of which follows one face, as OpenFace keeps them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pyfaceau.tracking.fitter import FaceFitter
from pyfaceau.tracking.gray import with_gray
from pyfaceau.tracking.identity import Identities
from pyfaceau.types import FaceBox, Float32, Frame, TrackedFace, UInt8

SLOTS = 4
"""Faces that are followed at a time."""
_LOOK_EVERY = 8
_GIVE_UP_AFTER = 4
_SAME_FACE = 0.5


@dataclass(frozen=True, eq=False)
class _Track:
    """The face in a slot, its consecutive failures from -1, and the track's own number."""

    face: TrackedFace
    failures: int
    number: int


class MultiFaceTracker:
    """Follow up to four faces as OpenFace's FaceLandmarkVidMulti does.

    New faces are looked for on frames 1, 9, 17 ... while a slot is free; boxes that overlap a
    followed face by more than a third (intersection over union) are no new faces. A face whose fit
    has been rejected in six consecutive frames is given up, and its slot is free for whoever is
    found next: a slot is no identity. Two slots may come to follow the same face.

    Parameters
    ----------
    fitter : FaceFitter
        Finds and fits faces.
    identities : Identities, optional
        Names people; slots are reported without it.
    """

    def __init__(self, fitter: FaceFitter, identities: Identities | None = None) -> None:
        self.fitter = fitter
        self.identities = identities
        self.reset()

    def reset(self) -> None:
        """Forget all faces: a new video starts."""
        self._tracks: list[_Track | None] = [None] * SLOTS
        self._frames = self._started = 0
        if self.identities is not None:
            self.identities.reset()

    def update(self, frame: Frame) -> tuple[tuple[int, TrackedFace], ...]:
        """Take the next frame.

        Parameters
        ----------
        frame : Frame
            The frame after the last one given.

        Returns
        -------
        tuple of (int, TrackedFace)
            Slot and face of every slot in use, accepted or not; or person and face, where people
            are named.
        """
        frame = with_gray(frame)
        new = self._new_faces(frame.image)
        self._tracks = [self._step(track, frame, new) for track in self._tracks]
        self._frames += 1
        if self.identities is not None:
            tracks = [track for track in self._tracks if track is not None]
            faces = [(track.number, track.face) for track in tracks]
            return self.identities.name(frame.image, faces)
        return tuple((i, track.face) for i, track in enumerate(self._tracks) if track is not None)

    def _step(self, track: _Track | None, frame: Frame, new: list[FaceBox]) -> _Track | None:
        """Follow a slot's face, or take the next new one where it has none."""
        failures = -1
        if track is not None and track.failures <= _GIVE_UP_AFTER:
            failures, number = track.failures, track.number
            face = self.fitter.follow(frame, track.face)
        elif new:
            face = self.fitter.fit(frame, new.pop(0))
            number = self._started
            self._started += 1
        else:
            return None
        return _Track(face, -1 if face.ok else failures + 1, number)

    def _new_faces(self, image: UInt8) -> list[FaceBox]:
        """Look for faces that no slot follows, where it is time to."""
        full = all(track is not None for track in self._tracks)
        if full or self._frames % _LOOK_EVERY:
            return []
        followed = [track.face.landmarks for track in self._tracks if track is not None]
        return [
            box
            for box in self.fitter.find(image)
            if not any(_overlap(box, landmarks) > _SAME_FACE for landmarks in followed)
        ]


def _overlap(box: FaceBox, landmarks: Float32) -> float:
    """Return OpenFace's overlap of a box and landmarks: I / (A + B - 2 I).

    It is above 1/2 where the intersection over union is above 1/3.
    """
    x, y = landmarks.min(axis=0)
    right, bottom = landmarks.max(axis=0)
    width = min(right, box.x + box.width) - max(x, box.x)
    height = min(bottom, box.y + box.height) - max(y, box.y)
    common = float(max(width, 0) * max(height, 0))
    rest = float((right - x) * (bottom - y)) + box.width * box.height - 2 * common
    return common / rest if rest > 0 else np.inf
