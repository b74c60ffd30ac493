"""Fitting one face of several: what still pictures and several tracks share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from pyfaceau.refinement.eyes import EyeFitter
from pyfaceau.refinement.face_model import FaceModel
from pyfaceau.refinement.fits import FaceFit
from pyfaceau.tracking.gray import in_gray
from pyfaceau.tracking.openface import BoxDetector
from pyfaceau.types import FaceBox, Frame, TrackedFace, UInt8


class FaceFitter(Protocol):
    """Finds faces and fits landmarks to each; knows no track."""

    def find(self, image: UInt8) -> tuple[FaceBox, ...]:
        """Find faces.

        Parameters
        ----------
        image : (H, W, 3) uint8
            BGR picture.

        Returns
        -------
        tuple of FaceBox
            In the detector's order, pixels.
        """

    def fit(self, frame: Frame, box: FaceBox) -> TrackedFace:
        """Fit a face that is seen for the first time.

        Parameters
        ----------
        frame : Frame
            The picture.
        box : FaceBox
            As `find` gives it.

        Returns
        -------
        TrackedFace
            The fit, successful or not.
        """

    def fit_given(self, frame: Frame, box: FaceBox) -> TrackedFace:
        """Fit a face in a box given by somebody else.

        Parameters
        ----------
        frame : Frame
            The picture.
        box : FaceBox
            Extent of its 68 landmarks, pixels.

        Returns
        -------
        TrackedFace
            As from `fit`.
        """

    def follow(self, frame: Frame, face: TrackedFace) -> TrackedFace:
        """Fit a face again, from where it was in the picture before.

        Parameters
        ----------
        frame : Frame
            The picture.
        face : TrackedFace
            What was said of the picture before.

        Returns
        -------
        TrackedFace
            As from `fit`.
        """


@dataclass(frozen=True, eq=False)
class CLNFFitter:
    """OpenFace's landmark model on any face.

    Attributes
    ----------
    model : FaceModel
        The landmark model.
    detector : BoxDetector
        Boxes of the 68 landmarks.
    hypotheses : int
        Head rotations that a new face is tried at, 1 to 11; 0 for a plain fit, which differs from
        1 where the model may end a hypothesis early.
    """

    model: FaceModel
    detector: BoxDetector
    hypotheses: int = 1

    @property
    def eyes(self) -> EyeFitter | None:
        """The eyes' fitter; the faces come with eyes already."""
        return EyeFitter.of(self.model)

    def find(self, image: UInt8) -> tuple[FaceBox, ...]:
        """Find faces.

        Parameters
        ----------
        image : (H, W, 3) uint8
            BGR picture.

        Returns
        -------
        tuple of FaceBox
            In the detector's order, pixels.
        """
        return self.detector.faces(image)

    def fit(self, frame: Frame, box: FaceBox) -> TrackedFace:
        """Fit a face in the box of its landmarks.

        Parameters
        ----------
        frame : Frame
            The picture.
        box : FaceBox
            Box of the 68 landmarks.

        Returns
        -------
        TrackedFace
            The fit, accepted or not.
        """
        gray = in_gray(frame)
        if self.hypotheses == 0:
            return self._face(self.model.fit(gray, self.model.from_box(box)))
        return self._face(self.model.fit_box(gray, box, self.hypotheses))

    fit_given = fit

    def follow(self, frame: Frame, face: TrackedFace) -> TrackedFace:
        """Fit a face from its shape in the picture before.

        Parameters
        ----------
        frame : Frame
            The picture.
        face : TrackedFace
            The fit in the picture before; the windows are smaller where that was accepted.

        Returns
        -------
        TrackedFace
            The fit, accepted or not.
        """
        return self._face(self.model.fit(in_gray(frame), face.shape, tracked=face.ok))

    def _face(self, fit: FaceFit) -> TrackedFace:
        eyes = self.model.eyes(fit.parts)
        reason = "" if fit.ok else "rejected by the validator"
        return TrackedFace(fit.ok, fit.ok, fit.confidence, fit.landmarks, fit.shape, eyes, reason)
