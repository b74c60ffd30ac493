"""The eyes of a face whose landmarks are known: iris, lids and pupil of each, by part models."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pyfaceau.pdm.model import PDM
from pyfaceau.refinement.face_model import PARTS_SCALE, FaceModel, Part, blank_shape
from pyfaceau.types import EyeFit, TrackedFace, UInt8

LEFT, RIGHT = "left_eye_28", "right_eye_28"
"""Names of the part models: of the eye on the image's left, of the one on its right."""


@dataclass(frozen=True, eq=False)
class EyeFitter:
    """Fits both eyes to a picture, from the points that they share with the face.

    What OpenFace does for the eyes in its hierarchy of landmark models; it knows nothing of the
    picture before (Wood et al., "Rendering of eyes for eye-shape registration and gaze
    estimation", ICCV 2015).

    Attributes
    ----------
    face : PDM
        68-point shape model.
    left, right : Part
        Part models of the eye on the image's left and of the one on its right.
    """

    face: PDM
    left: Part
    right: Part

    @classmethod
    def of(cls, model: FaceModel) -> EyeFitter | None:
        """Return the eyes of a landmark model.

        Parameters
        ----------
        model : FaceModel
            Landmark model with its parts.

        Returns
        -------
        EyeFitter or None
            None where the model has no eyes.
        """
        parts = {part.name: part for part in model.parts}
        if LEFT not in parts or RIGHT not in parts:
            return None
        return cls(model.main.pdm, parts[LEFT], parts[RIGHT])

    @property
    def pdms(self) -> tuple[PDM, PDM]:
        """Shape models of the eye on the image's left and of the one on its right."""
        return self.left.model.pdm, self.right.model.pdm

    def refine(self, gray: UInt8, face: TrackedFace) -> TrackedFace:
        """Fit both eyes, put their points into the face, and fit the face to the result.

        Parameters
        ----------
        gray : (H, W) uint8
            Picture.
        face : TrackedFace
            A face with its landmarks; one of 0.9 pixels per mm or less stays as it is, and its
            eyes are those of its landmarks, not looked for in the picture.

        Returns
        -------
        TrackedFace
            With `eyes`; of a larger face, `shape` and `landmarks` are new.
        """
        large = bool(face.shape.params_global[0] > PARTS_SCALE)
        merged = face.landmarks.copy()
        eyes = []
        for part in (self.left, self.right):
            fitted, points = part.fit(gray, face.landmarks, large)
            merged[part.face_points] = points[part.part_points]
            eyes.append(EyeFit(points, fitted))
        if not large:
            return replace(face, eyes=(eyes[0], eyes[1]))
        shape = self.face.calc_params(merged)
        landmarks = self.face.shape_2d(shape)
        return replace(face, shape=shape, landmarks=landmarks, eyes=(eyes[0], eyes[1]))

    def nothing(self) -> tuple[EyeFit, EyeFit]:
        """Return what stands for the eyes where there is no face: unit scale, all else zero."""
        left, right = (
            EyeFit(np.zeros((pdm.n_points, 2), np.float32), blank_shape(pdm.n_modes))
            for pdm in self.pdms
        )
        return left, right
