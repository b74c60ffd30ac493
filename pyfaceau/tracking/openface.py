"""OpenFace's tracker: the full CLNF in every frame, detection only to start and after loss."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from pyfaceau.refinement.eyes import EyeFitter
from pyfaceau.refinement.face_model import FaceModel, blank_shape
from pyfaceau.refinement.face_refiner import FaceRefiner
from pyfaceau.tracking.gray import in_gray
from pyfaceau.tracking.stages import Refiner
from pyfaceau.types import FaceBox, Float32, Frame, Selection, ShapeFit, TrackedFace, UInt8

_FIRST_EVERY = 12
_AGAIN_EVERY = 2
_FORGET_AFTER = 100


class BoxDetector(Protocol):
    """Anything that finds boxes of the 68 landmarks in a picture."""

    def faces(self, image: UInt8) -> tuple[FaceBox, ...]:
        """Find faces.

        Parameters
        ----------
        image : (H, W, 3) uint8
            BGR picture.

        Returns
        -------
        tuple of FaceBox
            Extents of the 68 landmarks, pixels.
        """


@dataclass(frozen=True, eq=False)
class _State:
    """What one frame leaves to the next.

    Attributes
    ----------
    initialised : bool
        A face has been found and not been given up.
    ok : bool
        The last fit was accepted.
    failures : int
        Consecutive failures, from -1.
    confidence : float
        The validator's last verdict.
    shape, landmarks, parts
        The last fit.
    """

    initialised: bool
    ok: bool
    failures: int
    confidence: float
    shape: ShapeFit
    landmarks: Float32
    parts: tuple[tuple[ShapeFit, Float32], ...]


class OpenFaceTracker:
    """Track one face through a video as OpenFace's FeatureExtraction does.

    A face is looked for on frames 1, 13, 25 ... until the first is found; after a loss on the
    first, third, fifth ... failed frame. A found face is fitted at eleven head rotations. What is
    found first is reported as success whatever the validator says, and tracked from there; a
    tracked face that fails is reported as it was fitted. After 100 failures the search starts
    afresh.

    Parameters
    ----------
    model : FaceModel
        Landmark model.
    detector : BoxDetector
        Finds boxes of the 68 landmarks; OpenFace's is `MTCNN`.

    Attributes
    ----------
    selection : Selection
        Whose face is followed where several are found.
    """

    def __init__(self, model: FaceModel, detector: BoxDetector) -> None:
        self.model = model
        self.detector = detector
        self.selection = Selection()
        self.reset()

    @property
    def eyes(self) -> EyeFitter | None:
        """The eyes' fitter; the faces come with eyes already."""
        return EyeFitter.of(self.model)

    @property
    def refiner(self) -> Refiner | None:
        """The face's fit, for pictures that are not of the video."""
        return FaceRefiner(self.model)

    def reset(self) -> None:
        """Forget everything: the next frame is the first of a new video."""
        self._state = _State(
            initialised=False,
            ok=False,
            failures=-1,
            confidence=0.0,
            shape=blank_shape(self.model.main.pdm.n_modes),
            landmarks=np.zeros((68, 2), np.float32),
            parts=self.model.empty_parts(),
        )

    def update(self, frame: Frame) -> TrackedFace:
        """Track the face into the next frame.

        Parameters
        ----------
        frame : Frame
            The frame after the last one given.

        Returns
        -------
        TrackedFace
            What OpenFace reports of this frame.
        """
        success = self._step(frame.image, in_gray(frame))
        state = self._state
        reason = "" if success else "no face found" if not state.initialised else "track rejected"
        return TrackedFace(
            success, state.ok, state.confidence, state.landmarks, state.shape,
            self.model.eyes(state.parts), reason,
        )  # fmt: skip

    def _step(self, image: UInt8, gray: UInt8) -> bool:
        first = not self._state.initialised
        if not first:
            self._track(gray)
        state = self._state
        if first:
            look = (state.failures + 1) % _FIRST_EVERY == 0
        else:
            look = not state.ok and state.failures % _AGAIN_EVERY == 0
        boxes = self.detector.faces(image) if look else ()
        box = self._choose(boxes)
        if box is not None:
            return self._start(gray, box, first)
        failures = state.failures + 1 if first else state.failures
        initialised = state.initialised and failures <= _FORGET_AFTER
        self._state = replace(state, failures=failures, initialised=initialised)
        return state.ok

    def _choose(self, boxes: tuple[FaceBox, ...]) -> FaceBox | None:
        """Return the face to start from: the widest, as OpenFace has it, or the one selected."""
        if self.selection.face != "largest":
            return self.selection.choose(boxes)
        return max(self.selection.inside(boxes), key=lambda box: box.width, default=None)

    def _track(self, gray: UInt8) -> None:
        """Fit from the frame before."""
        state = self._state
        fit = self.model.fit(gray, state.shape, tracked=state.ok)
        self._state = _State(
            True, fit.ok, -1 if fit.ok else state.failures + 1, fit.confidence, fit.shape,
            fit.landmarks, fit.parts,
        )  # fmt: skip

    def _start(self, gray: UInt8, box: FaceBox, first: bool) -> bool:
        """Fit a detected face; a rejected one leaves a lost track where it was."""
        fit = self.model.fit_box(gray, box)
        state = replace(
            self._state, initialised=True, ok=fit.ok, confidence=fit.confidence, parts=fit.parts
        )
        if not first and not fit.accepted:
            self._state = state  # pose and landmarks stay those of the failed track
            return False
        self._state = replace(state, failures=-1, shape=fit.shape, landmarks=fit.landmarks)
        return True
