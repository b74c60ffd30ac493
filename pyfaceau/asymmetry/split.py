"""Each half of a face, reflected into a whole one, as the action-unit models see it."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from pyfaceau.alignment.aligner import FaceAligner
from pyfaceau.asymmetry._kernels import reflect_beyond
from pyfaceau.asymmetry.midline import (
    PARTNERS,
    Midline,
    find_midline,
    half_made_whole,
    left_half,
)
from pyfaceau.errors import check_array, check_image
from pyfaceau.features.fhog import fhog
from pyfaceau.features.geometry import geometry_descriptor
from pyfaceau.numerics.rotation import euler_to_matrix
from pyfaceau.numerics.warp import gray_from_bgr
from pyfaceau.pdm.model import PDM
from pyfaceau.tracking.stages import Refiner
from pyfaceau.tracking.targeted_fitter import MAX_DRIFT
from pyfaceau.types import FaceFeatures, Float32, Float64, Int32, ShapeFit, SplitFace, UInt8

MAX_YAW = 30.0
"""Degrees to either side beyond which a face is not split: OpenFace's action-unit models learnt
from nearly frontal faces, and the half that is turned away is mostly invented."""

REACH = 6.0
"""Where a half's fit in the frame before lies further than this (RMS, mm) from the half as the
whole face's landmarks have it now, the fit starts from these."""

_ROOM = 0.22
"""Of the landmarks' extent: so far about them the reflected picture is made."""


class FaceSplitter:
    """Reflects each half of a face into a whole one, in memory, and describes it.

    A refiner fits the shape model to the reflected picture, as a tracker of a half-face video
    would. Without one, the whole face's landmarks are reflected: these are pulled towards
    symmetry, so that each half shows some of what the other does.

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
    refiner : Refiner, optional
        Fits each half in its own picture; one that needs no landmarks of a network.
    """

    def __init__(
        self,
        pdm: PDM,
        aligner: FaceAligner,
        triangles: Int32,
        mirrored_input: bool = False,
        refiner: Refiner | None = None,
    ) -> None:
        self._pdm, self._aligner, self._refiner = pdm, aligner, refiner
        self._mirrored_input = mirrored_input
        half = left_half() | (np.arange(68) == PARTNERS)
        self._triangles = triangles[half[triangles].all(axis=1)]
        self._frontal = np.abs(self._areas(np.eye(3, dtype=np.float32)))

    def split(
        self,
        image: Any,
        landmarks: Any,
        *,
        gray: UInt8 | None = None,
        before: SplitFace | None = None,
    ) -> SplitFace:
        """Describe both halves of a face.

        Parameters
        ----------
        image : (H, W, 3) uint8
            BGR picture.
        landmarks : (68, 2) float32
            Pixels.
        gray : (H, W) uint8, optional
            The picture in gray, where it is known.
        before : SplitFace, optional
            The frame before: its halves' shapes are where their fits start.

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
        if self._refiner is not None and gray is None:
            gray = gray_from_bgr(np.ascontiguousarray(picture))
        fits = (None, None) if before is None else before.fits
        turn = (False, True) if self._mirrored_input else (True, False)
        (left, left_fit), (right, right_fit) = (
            self._whole(_flipped(picture), None if gray is None else _flipped(gray), mirrored, fit)
            if flip
            else self._whole(picture, gray, points, fit)
            for flip, fit in zip(turn, fits, strict=True)
        )
        return SplitFace(left, right, hidden, fits=(left_fit, right_fit))

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

    def _whole(
        self, image: UInt8, gray: UInt8 | None, landmarks: Float64, before: ShapeFit | None
    ) -> tuple[FaceFeatures, ShapeFit]:
        """Describe the half on the image's left, completed by its reflection; tell its shape."""
        line = find_midline(landmarks)
        whole = half_made_whole(landmarks, line).astype(np.float32)
        fit = self._refined(gray, whole, line, before)
        if fit is None:
            fit = self._pdm.calc_params(whole)
        else:
            whole = self._pdm.shape_2d(fit)
        aligned = self._aligner.align(image, whole, fit, mirror=line.reflection)
        described = FaceFeatures(
            fhog(aligned.image), geometry_descriptor(self._pdm, fit.params_local)
        )
        return described, fit

    def _refined(
        self, gray: UInt8 | None, whole: Float32, line: Midline, before: ShapeFit | None
    ) -> ShapeFit | None:
        """Fit a half to its own picture; None where nothing fits it, or the fit is lost."""
        if self._refiner is None or gray is None:
            return None
        if before is None or self._apart(before, whole) > REACH:
            before = self._pdm.calc_params(whole)
        fit = self._refiner.fit(_with_reflection(gray, whole, line), before, None, True)
        return fit if self._apart(fit, whole) <= MAX_DRIFT else None

    def _apart(self, fit: ShapeFit, points: Float32) -> float:
        """Return the root mean square distance of a shape from points, mm."""
        scale = float(fit.params_global[0])
        squares = np.square(self._pdm.shape_2d(fit) - points).sum(axis=1)
        return float(np.sqrt(squares.mean())) / scale if scale > 0 else np.inf


def _flipped(image: UInt8) -> UInt8:
    """Return a picture mirrored."""
    return np.asarray(cv2.flip(image, 1), np.uint8)


def _with_reflection(gray: UInt8, points: Float32, line: Midline) -> UInt8:
    """Return a picture with the reflection of what is left of a line beyond it, about points."""
    low, high = points.min(axis=0), points.max(axis=0)
    room = _ROOM * float((high - low).max())
    size = np.array(gray.shape[::-1])
    box = [np.clip(corner, 0, size) for corner in (low - room, high + room)]
    x, y = line.direction
    normal = np.array([y, -x, x * line.point[1] - y * line.point[0]])
    out: UInt8 = gray.copy()
    corners = np.concatenate(box).astype(np.int64)
    reflect_beyond(np.ascontiguousarray(gray), line.reflection, normal, corners, out)
    return out
