"""One half of a face made whole by its reflection, and the fit of the shape model to it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pyfaceau.asymmetry._kernels import reflect_beyond
from pyfaceau.asymmetry.midline import PARTNERS, Midline, find_midline, half_made_whole
from pyfaceau.landmarks.pfld import crop_from_points
from pyfaceau.numerics.warp import warp_halves_u8
from pyfaceau.pdm.model import PDM
from pyfaceau.refinement.eyes import EyeFitter
from pyfaceau.refinement.face_model import PARTS_SCALE
from pyfaceau.tracking.stages import LandmarkNet, Refiner
from pyfaceau.tracking.watch import (
    MAX_DRIFT,
    distance_of,
    fell,
    has_parted,
    likelier,
    part_distance,
    start_from,
)
from pyfaceau.types import Float32, Float64, Int64, ShapeFit, UInt8

REACH = 6.0
"""Where no network watches, and a half's fit in the frame before lies further than this (RMS, mm)
from the half as the whole face's landmarks have it now, the fit starts from these."""

HINT = 10.0
"""Where a part of a half lies further than this (mm) from where the network saw it in the whole
face, the half's fit is in doubt. The points of a whole face are a half's only roughly."""

_ROOM = 0.22
"""Of the landmarks' extent: so far about them the reflected picture is made."""

_OTHER_EYE = slice(42, 48)


@dataclass(frozen=True, eq=False)
class Half:
    """The half on the left of a picture, to be made whole.

    Attributes
    ----------
    image : (H, W, 3) uint8
        BGR picture.
    gray : (H, W) uint8
        The same in gray.
    line : Midline
        The face's.
    whole : (68, 2) float32
        The face's landmarks, those of this half reflected over the other, pixels.
    hint : (68, 2) float32, or None
        A network's points of the whole face, likewise; None where it was not asked.
    """

    image: UInt8
    gray: UInt8
    line: Midline
    whole: Float32
    hint: Float32 | None = None

    @classmethod
    def of(
        cls, image: UInt8, gray: UInt8, landmarks: Float64, network_points: Float64 | None
    ) -> Half:
        """Divide a face at its midline.

        Parameters
        ----------
        image : (H, W, 3) uint8
            BGR picture.
        gray : (H, W) uint8
            The same in gray.
        landmarks : (68, 2) float64
            The face's, pixels.
        network_points : (68, 2) float64, or None
            A network's, pixels.

        Returns
        -------
        Half
            The one on the left of the picture.
        """
        line = find_midline(landmarks)
        whole = half_made_whole(landmarks, line).astype(np.float32)
        hint = None
        if network_points is not None:
            hint = half_made_whole(network_points, line).astype(np.float32)
        return cls(image, gray, line, whole, hint)

    def reflected(self) -> tuple[UInt8, Float64]:
        """Return the coloured picture about the face with the reflection of the half.

        Returns
        -------
        (h, w, 3) uint8
            Part of the picture.
        (2,) float64
            Its left top pixel in the picture.
        """
        left, top, right, bottom = self._box
        corner = np.array([left, top], np.float64)
        out = np.empty((bottom - top, right - left, 3), np.uint8)
        here, there, normal = np.eye(2, 3), self.line.reflection, self._normal
        for affine in (here, there):
            affine[:, 2] += affine[:, :2] @ corner
        normal[2] += normal[:2] @ corner
        warp_halves_u8(self.image, here, there, normal, out)
        return out, corner

    @property
    def reflected_gray(self) -> UInt8:
        """(H, W) uint8: the picture with the reflection of the half beyond the midline."""
        # No functools.cached_property: before Python 3.12 one thread waits for the other there.
        made: UInt8 | None = self.__dict__.get("_reflected_gray")
        if made is None:
            made = self.gray.copy()
            gray = np.ascontiguousarray(self.gray)
            reflect_beyond(gray, self.line.reflection, self._normal, self._box, made)
            self.__dict__["_reflected_gray"] = made
        return made

    @property
    def _normal(self) -> Float64:
        """(3,) float64: a, b, c; a pixel is beyond the midline where a x + b y + c is positive."""
        (x, y), point = self.line.direction, self.line.point
        return np.array([y, -x, x * point[1] - y * point[0]])

    @property
    def _box(self) -> Int64:
        """(4,) int64: left, top, right, bottom of what is about the face; one pixel at least."""
        low, high = self.whole.min(axis=0), self.whole.max(axis=0)
        room = _ROOM * float((high - low).max())
        size = np.array(self.gray.shape[::-1])
        first = np.clip(low - room, 0, size - 1).astype(np.int64)
        last = np.clip(high + room, first + 1, size).astype(np.int64)
        return np.concatenate([first, last])


@dataclass(frozen=True, eq=False)
class HalfFitter:
    """Fits the shape model to a half's reflected picture, as a tracker of a half-face video would.

    Attributes
    ----------
    pdm : PDM
        The 68-point shape model.
    refiner : Refiner, or None
        Fits; one that needs no landmarks of a network. Without one, the whole face's landmarks are
        reflected: these are pulled towards symmetry, so that each half shows some of what the
        other does.
    network : LandmarkNet, or None
        Watches over it.
    eyes : EyeFitter, or None
        Fits the half's own eye; its reflection is the other one.
    """

    pdm: PDM
    refiner: Refiner | None = None
    network: LandmarkNet | None = None
    eyes: EyeFitter | None = None

    def follow(self, half: Half, before: ShapeFit | None) -> ShapeFit:
        """Fit a half from its shape in the frame before.

        Parameters
        ----------
        half : Half
            The half.
        before : ShapeFit or None
            Its shape in the frame before, from this method; None in the first.

        Returns
        -------
        ShapeFit
            Without the eye's own fit; that of the landmarks where nothing fits, or the fit is lost.
        """
        refiner, network, start = self.refiner, self.network, before
        if refiner is None:
            return self.pdm.calc_params(half.whole)
        if start is None or (network is None and self._apart(start, half) > REACH):
            start = self.pdm.calc_params(half.whole)
        fit = refiner.fit(half.reflected_gray, start, None, True)
        if network is not None and (before is None or self._in_doubt(half, before, fit)):
            fit = self._corrected(half, before, fit, refiner, network)
        return fit if self._apart(fit, half) <= MAX_DRIFT else self.pdm.calc_params(half.whole)

    def with_eye(self, half: Half, fit: ShapeFit) -> ShapeFit:
        """Fit a half's eye, put its points, and their reflection, into the face, and fit the face.

        Parameters
        ----------
        half : Half
            The half.
        fit : ShapeFit
            Its shape, from `follow`.

        Returns
        -------
        ShapeFit
            Fitted to the landmarks; those of a face of 0.9 pixels per mm or less are `fit`'s, see
            `EyeFitter.refine`.
        """
        landmarks = self.pdm.shape_2d(fit)
        if self.eyes is None or not fit.params_global[0] > PARTS_SCALE:
            return self.pdm.calc_params(landmarks)
        part = self.eyes.left
        _, points = part.fit(half.reflected_gray, landmarks, True)
        merged = landmarks.copy()
        merged[part.face_points] = points[part.part_points]
        mirror, own = half.line.reflection, merged[PARTNERS[_OTHER_EYE]].astype(np.float64)
        merged[_OTHER_EYE] = own @ mirror[:, :2].T + mirror[:, 2]
        return self.pdm.calc_params(merged)

    def _in_doubt(self, half: Half, start: ShapeFit, fit: ShapeFit) -> bool:
        """Return whether a fit is to be compared with others.

        Where the network was asked of the whole face, that tells; else a likelihood that fell.
        """
        if half.hint is None:
            return fell(start, fit)
        return part_distance(fit, self.pdm.shape_2d(fit), half.hint) > HINT

    def _corrected(
        self,
        half: Half,
        before: ShapeFit | None,
        fit: ShapeFit,
        refiner: Refiner,
        network: LandmarkNet,
    ) -> ShapeFit:
        """Return the likeliest: a fit, one from the whole face's landmarks, one from the network's.

        The network is asked of the half where the landmarks have not settled it, and in the first
        frame, whose fit is that of the landmarks.
        """
        gray = half.reflected_gray
        if before is None:
            before = fit
        else:
            fit = likelier(refiner, gray, before, fit, self.pdm.calc_params(half.whole))
            if not self._in_doubt(half, before, fit):
                return fit
        points = self._ask_network(half, network)
        if not has_parted(fit, self.pdm.shape_2d(fit), points):
            return fit
        return likelier(refiner, gray, before, fit, start_from(self.pdm, points))

    def _ask_network(self, half: Half, network: LandmarkNet) -> Float32:
        """Return the network's points of a half, in the crop around it."""
        picture, corner = half.reflected()
        crop = crop_from_points(half.whole)
        crop[:, 2] += crop[:, :2] @ corner
        points: Float32 = network.predict_crops(picture, crop[None])[0]
        return points + corner.astype(np.float32)

    def _apart(self, fit: ShapeFit, half: Half) -> float:
        """Return the root mean square distance of a shape from the half's landmarks, mm."""
        return distance_of(fit, self.pdm.shape_2d(fit), half.whole)
