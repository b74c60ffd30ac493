"""Each half of a face, reflected into a whole one, as the action-unit models see it."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from pyfaceau.alignment.aligner import FaceAligner
from pyfaceau.asymmetry._kernels import facing_area
from pyfaceau.asymmetry.half import Half, HalfFitter
from pyfaceau.asymmetry.midline import PARTNERS, left_half
from pyfaceau.errors import check_array, check_image
from pyfaceau.features.fhog import fhog
from pyfaceau.features.geometry import geometry_descriptor
from pyfaceau.numerics.rotation import euler_to_matrix
from pyfaceau.numerics.warp import gray_from_bgr
from pyfaceau.overlap import Helper, Promise, Shelved
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
        self._mean = np.ascontiguousarray(pdm.mean.reshape(3, -1), np.float64)
        self._frontal = facing_area(self._mean, np.eye(3), self._triangles)

    def split(
        self,
        image: Any,
        landmarks: Any,
        *,
        gray: UInt8 | None = None,
        before: SplitFace | None = None,
        network_points: Any = None,
    ) -> Promise[SplitFace]:
        """Describe both halves of a face; with threads, one of them beside what the caller does.

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
        Promise of SplitFace
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
            turned_away = SplitFace(None, None, hidden)
            return Shelved(lambda: turned_away)
        if gray is None:
            gray = gray_from_bgr(np.ascontiguousarray(picture))
        seen = seen_mirrored = None
        if network_points is not None:
            seen = check_array("network_points", network_points, (68, 2), np.float64)
            seen_mirrored = _flipped_points(seen, width)
        fits = (None, None) if before is None else before.fits
        before_here, before_there = fits if self._mirrored_input else fits[::-1]
        other = self._helper.start(
            lambda: self._whole(Half.of(picture, gray, points, seen), before_here)
        )
        half = Half.of(_flipped(picture), _flipped(gray), mirrored, seen_mirrored)
        there = self._whole(half, before_there)

        def sides() -> SplitFace:
            """Wait for the other half."""
            halves = (other.result(), there) if self._mirrored_input else (there, other.result())
            (left, left_fit), (right, right_fit) = halves
            return SplitFace(left, right, hidden, fits=(left_fit, right_fit))

        return Shelved(sides)

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
        turned = euler_to_matrix(rotation).astype(np.float64)
        seen = facing_area(self._mean, turned, self._triangles)
        return float(np.clip(1.0 - seen / self._frontal, 0.0, 1.0))

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
