"""The default profile's tracker: detect once, then follow the face with network and refinement.

The crop of each frame comes from the shape of the frame before, so the detector runs only where
there is no trusted track. Where the fit of the frame before is refined, the network is asked in
every second frame, and at once when the refined fit is in doubt. State lives here and nowhere else.

In a video the next frame is begun from a fit that is still being judged beside it. Where the
judgement goes otherwise, what was begun is thrown away and begun again: the results are those of
one step after the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from pyfaceau.errors import InputError
from pyfaceau.overlap import End, Helper, Promise, with_end
from pyfaceau.pdm.model import PDM
from pyfaceau.refinement.eyes import EyeFitter
from pyfaceau.tracking.gray import with_gray
from pyfaceau.tracking.stages import Detector, LandmarkNet, Refiner, Validator
from pyfaceau.tracking.targeted_fitter import SURE, Proposal, TargetedFitter, Verdict
from pyfaceau.types import FaceBox, Float32, Frame, Selection, ShapeFit, TrackedFace

SPEED = 1.0
"""A lost face is looked for within its own size, and this many sizes more each second."""

_STILL = 1 / 30
"""Seconds between pictures that have no time, as those of a folder."""


@dataclass(frozen=True, eq=False)
class _Track:
    """The face that is followed: as last trusted and the time of that frame (seconds)."""

    face: TrackedFace
    time: float

    @property
    def centre(self) -> Float32:
        points = self.face.landmarks
        middle = (points.min(axis=0) + points.max(axis=0)) / 2
        return np.asarray(middle, dtype=np.float32)

    @property
    def size(self) -> float:
        return float(np.ptp(self.face.landmarks, axis=0).max())


@dataclass(frozen=True, eq=False)
class _Step:
    """A frame, with its gray picture; its time (seconds); how it goes on from the frame before.

    `trusted` is whether that one's confidence was high; that this one's will be the same is what
    the next frame begins with.
    """

    frame: Frame
    now: float
    proposal: Proposal | None = None
    verdict: Promise[Verdict] | None = None
    trusted: bool = False

    def speculation_holds(self, face: TrackedFace) -> bool:
        """Return whether the next frame began from what this one has turned out to be."""
        held = self.proposal is not None and face.success and face.shape is self.proposal.shape
        return held and (face.confidence >= SURE) == self.trusted

    def cancel(self) -> None:
        """Leave undone what nobody needs any more."""
        if self.proposal is not None and self.verdict is not None:
            self.verdict.cancel()
            self.proposal.network_points.cancel()


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
    eyes : EyeFitter, optional
        Fits eyes to the faces, which come without; for who measures them.
    threads : int
        With 2 or more, what does not wait for each other is done at a time; no digit depends on
        it.

    Attributes
    ----------
    selection : Selection
        Whose face is followed where several are found.

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
        eyes: EyeFitter | None = None,
        threads: int = 1,
    ) -> None:
        if not patience >= 0:
            raise InputError(f"patience: expected 0 or more seconds, got {patience}")
        self._helper = Helper(threads)
        self.fitter = TargetedFitter(
            detector,
            landmarks,
            pdm=pdm,
            refiner=refiner,
            validator=validator,
            threshold=threshold,
            eyes=eyes,
            helper=self._helper,
        )
        self._patience = patience
        self.selection = Selection()
        self.reset()

    @property
    def eyes(self) -> EyeFitter | None:
        """The eyes' fitter, where eyes are wanted."""
        return self.fitter.eyes

    @property
    def refiner(self) -> Refiner | None:
        """What fits the shape model, where something does."""
        return self.fitter.refiner

    @property
    def network(self) -> LandmarkNet | None:
        """What watches over it."""
        return self.fitter.network

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
        return self._conclude(self._follow(self._arrive(frame)))

    def track_ahead(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, TrackedFace]]:
        """Follow the face through frames; with threads, the next one is begun before a result.

        Parameters
        ----------
        frames : iterable of Frame
            As for `update`.

        Yields
        ------
        frame : Frame
            The frame.
        face : TrackedFace
            As from `update`. An error of `frames` is raised after the last one.
        """
        if not self._helper.beside:
            yield from ((frame, self.update(frame)) for frame in frames)
            return
        before: _Step | None = None
        for item in with_end(frames):
            step = begun = None
            if not isinstance(item, End):
                step = self._arrive(item)
                begun = self._speculate(step, before)
            if before is not None:
                face = self._conclude(before)
                if begun is not None and not before.speculation_holds(face):
                    begun.cancel()
                    begun = None
                yield before.frame, face
            if isinstance(item, End) and item.error is not None:
                raise item.error
            before = begun if step is None or begun is not None else self._follow(step)

    def _arrive(self, frame: Frame) -> _Step:
        """Take a frame in."""
        passed = frame.timestamp - self._stamp
        self._now += passed if passed > 0 else _STILL
        self._stamp = frame.timestamp
        return _Step(with_gray(frame), self._now)

    def _speculate(self, step: _Step, before: _Step | None) -> _Step | None:
        """Begin a frame speculatively: as if the one before were judged as it was proposed."""
        guess = None if before is None else before.proposal
        if before is None or guess is None or not guess.plausible:
            return None
        trusted, watch = before.trusted, not guess.watch
        try:
            return self._propose(step, guess.shape, guess.landmarks, trusted, watch)
        except Exception:  # noqa: BLE001 - the guess may be wrong; a true error comes again
            return None

    def _follow(self, step: _Step) -> _Step:
        """Begin a frame from the face in the frame before, if there is one."""
        if not self._trusted or self._track is None:
            return step
        face = self._track.face
        sure = face.confidence >= SURE
        return self._propose(step, face.shape, face.landmarks, sure, not self._watched)

    def _propose(
        self, step: _Step, start: ShapeFit, points: Float32, trusted: bool, watch: bool
    ) -> _Step:
        proposal = self.fitter.propose(step.frame, start, points, trusted, watch)
        verdict = self._helper.start(lambda: self.fitter.judge(step.frame, proposal))
        return replace(step, proposal=proposal, verdict=verdict, trusted=trusted)

    def _conclude(self, step: _Step) -> TrackedFace:
        """Bring a frame to its end: judged, or the face looked for."""
        face: TrackedFace | None = None
        if step.proposal is not None and step.verdict is not None:
            face = self.fitter.commit(step.frame, step.proposal, step.verdict.result())
            self._watched = step.proposal.watch
        if not face:
            face = self._find(step) or face or self.fitter.nothing("no face detected")
        self._trusted = face.success
        if face.success:
            self._track = _Track(face, step.now)
        return face

    def _find(self, step: _Step) -> TrackedFace | None:
        """Detect, choose the face to follow, fit it."""
        box = self._choose(self.fitter.find(step.frame.image), step.now)
        return None if box is None else self.fitter.fit(step.frame, box)

    def _choose(self, boxes: tuple[FaceBox, ...], now: float) -> FaceBox | None:
        """Return the face nearest to the lost one, or the chosen where none is waited for."""
        boxes = tuple(self.selection.inside(boxes))
        if not boxes:
            return None
        track = self._track
        if track is None or now - track.time > self._patience:
            return self.selection.choose(boxes)
        reach = track.size * (1 + SPEED * max(0.0, now - track.time))

        def distance(box: FaceBox) -> float:
            return float(
                np.hypot(
                    box.x + box.width / 2 - track.centre[0],
                    box.y + box.height / 2 - track.centre[1],
                )
            )

        nearest = min(boxes, key=distance)
        return nearest if distance(nearest) <= reach else None
