"""Each half of a face, reflected into a whole one, as the action-unit models see it."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from pyfaceau.alignment.aligner import FaceAligner
from pyfaceau.asymmetry.midline import PARTNERS, find_midline, half_made_whole, left_half
from pyfaceau.errors import check_array, check_image
from pyfaceau.features.fhog import fhog
from pyfaceau.features.geometry import geometry_descriptor
from pyfaceau.numerics.rotation import euler_to_matrix
from pyfaceau.pdm.model import PDM
from pyfaceau.types import FaceFeatures, Float32, Float64, Int32, SplitFace, UInt8

MAX_YAW = 30.0
"""Degrees to either side beyond which a face is not split: OpenFace's action-unit models learnt
from nearly frontal faces, and the half that is turned away is mostly invented."""


class FaceSplitter:
    """Reflects each half of a face into a whole one, in memory, and describes it.

    The half on the image's right is split on the mirrored picture, so that a mirrored recording
    gives the same bytes with the sides exchanged.

    Parameters
    ----------
    pdm : PDM
        The 68-point shape model.
    aligner : FaceAligner
        Aligns faces by it.
    triangles : (k, 3) int32
        Triangles of landmarks that cover the face.
    mirrored_input : bool
        The recording is mirrored, as selfie cameras do: the patient's left is the image's left.
    """

    def __init__(
        self, pdm: PDM, aligner: FaceAligner, triangles: Int32, mirrored_input: bool = False
    ) -> None:
        self._pdm, self._aligner = pdm, aligner
        self._mirrored_input = mirrored_input
        half = left_half() | (np.arange(68) == PARTNERS)
        self._triangles = triangles[half[triangles].all(axis=1)]
        self._frontal = np.abs(self._areas(np.eye(3, dtype=np.float32)))

    def split(self, image: Any, landmarks: Any) -> SplitFace:
        """Describe both halves of a face.

        Parameters
        ----------
        image : (H, W, 3) uint8
            BGR picture.
        landmarks : (68, 2) float32
            Pixels.

        Returns
        -------
        SplitFace
            The patient's sides.

        Raises
        ------
        InputError
            If an argument is not as described.
        """
        picture = check_image("image", image, channels=(3,))
        points = check_array("landmarks", landmarks, (68, 2), np.float32).astype(np.float64)
        mirrored = points[PARTNERS]
        mirrored[:, 0] = picture.shape[1] - 1 - mirrored[:, 0]
        turns = [self._pdm.calc_params(p.astype(np.float32)) for p in (points, mirrored)]
        angles = [fit.params_global[1:4] for fit in turns]
        hidden = max(self.hidden(rotation) for rotation in angles)
        if max(abs(float(rotation[1])) for rotation in angles) > np.radians(MAX_YAW):
            return SplitFace(None, None, hidden)
        on_left = self._whole(picture, points)
        on_right = self._whole(np.asarray(cv2.flip(picture, 1), np.uint8), mirrored)
        if self._mirrored_input:
            return SplitFace(on_left, on_right, hidden)
        return SplitFace(on_right, on_left, hidden)

    def hidden(self, rotation: Float32) -> float:
        """Return how much of the half on the image's left the camera does not see.

        One less the area of the mean shape's triangles of that half in the picture, those that face
        away counted as nothing, over their area when the face is frontal.

        Parameters
        ----------
        rotation : (3,) float32
            Pitch, yaw, roll of the face, radians.

        Returns
        -------
        float
            0 to 1; 0 where the half is seen as well as from the front.
        """
        seen = np.maximum(self._areas(euler_to_matrix(rotation)), 0.0)
        return float(np.clip(1.0 - seen.sum() / self._frontal.sum(), 0.0, 1.0))

    def _areas(self, rotation: Float32) -> Float64:
        """Return the signed areas of the half's triangles in a picture; positive from the front."""
        x, y = (rotation.astype(np.float64) @ self._pdm.mean.reshape(3, -1))[:2]
        i, j, k = self._triangles.T
        areas = (x[j] - x[i]) * (y[k] - y[i]) - (x[k] - x[i]) * (y[j] - y[i])
        front_x, front_y = self._pdm.mean.astype(np.float64).reshape(3, -1)[:2]
        front = (front_x[j] - front_x[i]) * (front_y[k] - front_y[i])
        front -= (front_x[k] - front_x[i]) * (front_y[j] - front_y[i])
        signed: Float64 = areas * np.sign(front)
        return signed

    def _whole(self, image: UInt8, landmarks: Float64) -> FaceFeatures:
        """Describe the half on the image's left, completed by its reflection."""
        line = find_midline(landmarks)
        whole = half_made_whole(landmarks, line).astype(np.float32)
        fit = self._pdm.calc_params(whole)
        aligned = self._aligner.align(image, whole, fit, mirror=line.reflection)
        return FaceFeatures(fhog(aligned.image), geometry_descriptor(self._pdm, fit.params_local))
