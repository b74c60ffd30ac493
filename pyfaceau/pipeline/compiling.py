"""The stages of a profile one by one, so that their kernels are compiled.

Kernels are compiled when they are first called. Each stage is called as a video calls it, on a
drawn face: what it measures there does not matter.
"""

from __future__ import annotations

import cv2
import numpy as np

from pyfaceau.config import Config
from pyfaceau.pipeline.mesh import MeshMeasurer, measurer_for
from pyfaceau.tracking.gray import in_gray
from pyfaceau.types import Camera, FaceBox, FaceFeatures, Frame, TrackedFace, UInt8

SIZE = 320, 240
"""Width and height of the drawing, pixels."""

_BOX = FaceBox(112.0, 86.0, 100.0, 102.0)
"""The drawn face's landmarks."""

_TWICE = 2
"""Frames after which nothing new is called."""


def drawn_face() -> UInt8:
    """Draw a face that the detectors find.

    Returns
    -------
    (240, 320, 3) uint8
        BGR.
    """
    image = np.full((SIZE[1], SIZE[0], 3), (150, 160, 170), np.uint8)

    def ellipse(
        x: int, y: int, wide: int, high: int, colour: tuple[int, int, int]
    ) -> None:  # numpydoc ignore=GL08
        cv2.ellipse(image, (x, y), (wide, high), 0, 0, 360, colour, -1)

    ellipse(160, 95, 62, 75, (40, 50, 60))
    ellipse(160, 125, 52, 70, (150, 180, 220))
    for x in (138, 182):
        ellipse(x, 94, 13, 3, (50, 60, 80))
        ellipse(x, 108, 10, 5, (235, 235, 235))
        ellipse(x, 108, 5, 5, (60, 60, 70))
    cv2.line(image, (160, 110), (157, 138), (120, 150, 190), 4)
    ellipse(160, 142, 10, 3, (90, 110, 150))
    ellipse(160, 160, 20, 6, (90, 90, 180))
    cv2.line(image, (140, 160), (180, 160), (50, 50, 90), 1)
    ellipse(160, 225, 90, 30, (90, 70, 60))
    return np.asarray(cv2.GaussianBlur(image, (0, 0), 1.5), np.uint8)


class Stages:
    """The stages of a profile, each to be called by itself.

    Parameters
    ----------
    config : Config
        The profile.

    Raises
    ------
    WeightsError
        If a model file is missing or altered.
    """

    def __init__(self, config: Config) -> None:
        from pyfaceau.tracking.abilities import eyes_of
        from pyfaceau.tracking.tracker import make_fitter

        self._config = config
        self._measurer = measurer_for(config)
        self._fitter = make_fitter(config, self._measurer.pdm, 1)
        self._measurer.eyes = eyes_of(self._fitter)
        self._frame = Frame(drawn_face(), 0, 0.0)

    def picture(self) -> None:
        """Convert decoded planes, as most videos have them, and make a picture gray."""
        from pyfaceau.media.colour import LAYOUTS, convert

        planes = [np.zeros((side, side), np.uint8) for side in (64, 32, 32)]
        convert(planes, 64, 64, LAYOUTS["yuv420p"])
        in_gray(self._frame)

    def detection(self) -> None:
        """Look for faces."""
        self._fitter.find(self._frame.image)

    def following(self) -> None:
        """Fit landmarks from the picture before."""
        self._fitter.follow(self._frame, self._face())

    def fresh_face(self) -> None:
        """Fit a face that is seen for the first time."""
        self._fitter.fit(self._frame, _BOX)
        self._fitter.fit_given(self._frame, _BOX)

    def shape(self) -> None:
        """Fit the shape model to points."""
        pdm = self._measurer.pdm
        if pdm is not None:
            pdm.calc_params(pdm.shape_2d(pdm.params_from_box(_BOX)))

    def place(self) -> None:
        """Fit the eyes, put a face into camera space."""
        face = self._measurer.with_eyes(self._frame, self._face())
        self._measurer.place(self._frame, face, Camera.for_size(*SIZE))

    def features(self) -> None:
        """Align a face and describe it."""
        if not isinstance(self._measurer, MeshMeasurer):
            self._measurer.features(self._frame.image, self._face())

    def units(self) -> None:
        """Predict action units over some frames."""
        from pyfaceau.prediction.predictor import AUPredictor

        if isinstance(self._measurer, MeshMeasurer):
            return
        predictor = AUPredictor(self._measurer.au_models(self._config.static_aus))
        for _ in range(_TWICE):
            predictor.update(FaceFeatures(np.zeros(4464, np.float32), np.zeros(238)))
        predictor.finish()

    def _face(self) -> TrackedFace:
        """Return a frontal face of the mean shape, or what a mesh makes of the drawing."""
        pdm = self._measurer.pdm
        if pdm is None:
            return self._fitter.fit(self._frame, _BOX)
        shape = pdm.params_from_box(_BOX)
        return TrackedFace(True, True, 0.9, pdm.shape_2d(shape), shape)
