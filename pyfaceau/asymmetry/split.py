"""Each half of a face, reflected into a whole one, as the action-unit models see it."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from pyfaceau.alignment.aligner import FaceAligner
from pyfaceau.asymmetry.half import Half, HalfFitter
from pyfaceau.asymmetry.midline import PARTNERS, find_midline, half_made_whole, left_half
from pyfaceau.errors import check_array, check_image
from pyfaceau.features.fhog import fhog
from pyfaceau.features.geometry import geometry_descriptor
from pyfaceau.numerics.rotation import euler_to_matrix
from pyfaceau.numerics.warp import gray_from_bgr
from pyfaceau.overlap import Helper
from pyfaceau.pdm.model import PDM
from pyfaceau.types import FaceFeatures, Float32, Float64, Int32, ShapeFit, SplitFace, UInt8

MAX_YAW = 30.0
"""Degrees to either side beyond which a face is not split: OpenFace's action-unit models learnt
from nearly frontal faces, and the half that is turned away is mostly invented."""


class FaceSplitter:
    """Reflects each half of a face into a whole one, in memory, and describes it.

    Each half is fitted in its own reflected picture, as a tracker of a half-face video would, see
    `HalfFitter`.

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
    fitter : HalfFitter, optional
        Fits each half; without one, the whole face's landmarks are reflected.
    threads : int
        With 2 or more, both halves are described at a time; no digit depends on it.
    """

    def __init__(
        self,
        pdm: PDM,
        aligner: FaceAligner,
        triangles: Int32,
        mirrored_input: bool = False,
        fitter: HalfFitter | None = None,
        threads: int = 1,
    ) -> None:
        self._pdm, self._aligner, self._fitter = pdm, aligner, fitter or HalfFitter(pdm)
        self._helper = Helper(threads)
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
        network_points: Any = None,
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
        network_points : (68, 2) float32, optional
            Where a landmark network saw the points, pixels: a half that is fitted elsewhere is in
            doubt.

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
        width = picture.shape[1]
        mirrored = _flipped_points(points, width)
        turns = [self._pdm.calc_params(p.astype(np.float32)) for p in (points, mirrored)]
        angles = [fit.params_global[1:4] for fit in turns]
        hidden = max(self.hidden(rotation) for rotation in angles)
        if max(abs(float(rotation[1])) for rotation in angles) > np.radians(MAX_YAW):
            return SplitFace(None, None, hidden)
        if gray is None:
            gray = gray_from_bgr(np.ascontiguousarray(picture))
        seen = None
        if network_points is not None:
            seen = check_array("network_points", network_points, (68, 2), np.float32)
        halves = (
            self._half(picture, gray, points, seen),
            self._half(
                _flipped(picture),
                _flipped(gray),
                mirrored,
                None if seen is None else _flipped_points(seen, width),
            ),
        )
        left, right = halves if self._mirrored_input else halves[::-1]
        before_left, before_right = (None, None) if before is None else before.fits
        other = self._helper.start(lambda: self._whole(right, before_right))
        left_features, left_fit = self._whole(left, before_left)
        right_features, right_fit = other.result()
        return SplitFace(left_features, right_features, hidden, fits=(left_fit, right_fit))

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

    def _half(
        self, image: UInt8, gray: UInt8, landmarks: Float64, network_points: Float64 | None
    ) -> Half:
        """Return the half on the image's left."""
        line = find_midline(landmarks)
        whole = half_made_whole(landmarks, line).astype(np.float32)
        hint = None
        if network_points is not None:
            hint = half_made_whole(network_points, line).astype(np.float32)
        return Half(image, gray, line, whole, hint)

    def _whole(self, half: Half, before: ShapeFit | None) -> tuple[FaceFeatures, ShapeFit]:
        """Describe a half completed by its reflection; tell its shape for the next frame."""
        shape = self._fitter.follow(half, before)
        fit = self._fitter.with_eye(half, shape)
        landmarks = self._pdm.shape_2d(fit)
        aligned = self._aligner.align(half.image, landmarks, fit, mirror=half.line.reflection)
        described = FaceFeatures(
            fhog(aligned.image), geometry_descriptor(self._pdm, fit.params_local)
        )
        return described, shape


def _flipped(image: UInt8) -> UInt8:
    """Return a picture mirrored."""
    return np.asarray(cv2.flip(image, 1), np.uint8)


def _flipped_points(points: Float32 | Float64, width: int) -> Float64:
    """Return landmarks of a picture, so many pixels wide, as the mirrored picture has them."""
    mirrored = points[PARTNERS].astype(np.float64)
    mirrored[:, 0] = width - 1 - mirrored[:, 0]
    return mirrored
