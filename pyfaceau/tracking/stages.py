"""What the default tracker is put together from; anything with these methods can take a place."""

from __future__ import annotations

from typing import Protocol

from pyfaceau.types import FaceBox, Float32, Float64, ShapeFit, UInt8


class Detector(Protocol):
    """Finds faces in a picture."""

    def detect(self, image: UInt8) -> tuple[FaceBox, ...]:
        """Find faces.

        Parameters
        ----------
        image : (H, W, 3) uint8
            BGR picture.

        Returns
        -------
        tuple of FaceBox
            Best first, pixels.
        """


class LandmarkNet(Protocol):
    """Finds landmarks in square crops."""

    def predict_crops(self, image: UInt8, crops: Float64) -> Float32:
        """Find the landmarks in each crop.

        Parameters
        ----------
        image : (H, W, 3) uint8
            BGR picture.
        crops : (k, 2, 3) float64
            Affine maps as `crop_from_box` and `crop_from_points` give them.

        Returns
        -------
        (k, 68, 2) float32
            x and y, pixels of the picture.
        """


class Refiner(Protocol):
    """Moves landmarks to where patch experts see them.

    Attributes
    ----------
    needs_landmarks : bool
        It starts from the network's points too; otherwise both can be at work at a time.
    """

    needs_landmarks: bool

    def fit(
        self, gray: UInt8, start: ShapeFit, landmarks: Float32 | None, trusted: bool
    ) -> ShapeFit:
        """Fit the shape model to the picture.

        Parameters
        ----------
        gray : (H, W) uint8
            Picture.
        start : ShapeFit
            Where to begin.
        landmarks : (68, 2) float32 or None
            What the network saw, pixels; None where that is not needed.
        trusted : bool
            `start` is a fit that was judged to be sure; otherwise it is to be searched more widely.

        Returns
        -------
        ShapeFit
            The shape fitted; with its likelihood, where shapes of one picture can be compared by
            that.
        """


class Validator(Protocol):
    """Says how sure it is that landmarks lie on a face."""

    def check(self, gray: UInt8, landmarks: Float32, rotation: Float32) -> float:
        """Rate landmarks.

        Parameters
        ----------
        gray : (H, W) uint8
            Picture.
        landmarks : (68, 2) float32
            x and y, pixels.
        rotation : (3,) float32
            Euler angles of the head, radians.

        Returns
        -------
        float
            Confidence, 0 to 1.
        """
