"""Refinement of the whole face: all 68 points at two scales, then the inner face at full scale.

What OpenFace's constrained local neural field does in each frame, without its eyes (Baltrusaitis,
Robinson, Morency, "Constrained local neural fields for robust facial landmark detection in the
wild", ICCV Workshops 2013), from any start.
"""

from __future__ import annotations

from dataclasses import replace

from pyfaceau.refinement.face_model import PARTS_SCALE, FaceModel
from pyfaceau.types import Float32, ShapeFit, UInt8


class FaceRefiner:
    """Fits the shape model to the picture, measuring every point.

    Parameters
    ----------
    model : FaceModel
        The landmark model; of its parts the one called ``inner`` is used, if there is one.
    inner : bool
        Use it.
    """

    needs_landmarks = False

    def __init__(self, model: FaceModel, *, inner: bool = True) -> None:
        self._face = model.main
        self._inner = next((p for p in model.parts if inner and p.name == "inner"), None)

    def fit(
        self,
        gray: UInt8,
        start: ShapeFit,
        landmarks: Float32 | None = None,  # noqa: ARG002 - other refiners need them
        trusted: bool = True,
    ) -> ShapeFit:
        """Fit the shape model to the picture.

        Parameters
        ----------
        gray : (H, W) uint8
            Picture.
        start : ShapeFit
            Where to start.
        landmarks : (68, 2) float32, optional
            A landmark network's points: not used, every point is measured.
        trusted : bool
            Otherwise there is a search at the coarsest scale too.

        Returns
        -------
        ShapeFit
            Parameters, with the likelihood of all 68 points before the inner face's are put in.
        """
        parameters = self._face.parameters
        windows = parameters.windows_track if trusted else parameters.windows_init
        fit = self._face.fit(gray, start, windows)
        shape, part = replace(fit.shape, likelihood=fit.likelihood), self._inner
        if part is None or not shape.params_global[0] > PARTS_SCALE:
            return shape
        points = self._face.pdm.shape_2d(shape)
        _, inner = part.fit(gray, points, large=True)
        points[part.face_points] = inner[part.part_points]
        return replace(self._face.pdm.calc_params(points), likelihood=fit.likelihood)
