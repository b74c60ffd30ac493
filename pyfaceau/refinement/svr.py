"""Patch experts that are linear support vector regressors.

Each expert correlates templates with the picture and with its squared gradient: Saragih, Lucey,
Cohn, "Deformable model fitting by regularized landmark mean-shift", IJCV 2011, section 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pyfaceau.modelfile import TextReader, mend
from pyfaceau.refinement._kernels import AREA, SIDE
from pyfaceau.refinement._kernels_svr import svr_responses
from pyfaceau.refinement.experts import check_request, nearest_view
from pyfaceau.types import Float32, Float64, UInt8


@dataclass(frozen=True, eq=False)
class SVRExperts:
    """SVR patch experts of one scale.

    Attributes
    ----------
    scale : float
        Size of the reference frame, pixels per mm of the shape model.
    centres : (views, 3) float64
        Head rotation of each view, radians.
    visibility : (views, n) bool
        Landmarks that each view has experts for.
    confidence : (views, n) float32
        Sum over the two templates; 0 where there is no expert.
    templates : (views, n, 2, 121) float32
        For the picture and its squared gradient, column by column, mean 0, norm 1.
    scalings, biases : (views, n, 2) float64
        From correlation to the logistic function's argument.
    """

    scale: float
    centres: Float64
    visibility: NDArray[np.bool_]
    confidence: Float32
    templates: Float32
    scalings: Float64
    biases: Float64

    @classmethod
    def load(cls, path: str | Path) -> SVRExperts:
        """Read an SVR patch expert file.

        Parameters
        ----------
        path : str or Path
            Text file of one scale.

        Returns
        -------
        SVRExperts
            Its experts.

        Raises
        ------
        WeightsError
            If the file is missing, cut short or altered.
        """
        reader = TextReader(path)
        scale = float(reader.numbers(1)[0])
        views = reader.integer()
        if not 0 < views <= 64:
            raise mend(reader.path, f"expected 1 to 64 views, found {views}")
        centres = np.radians([reader.matrix().ravel() for _ in range(views)])
        visibility = np.array([reader.matrix().ravel() != 0 for _ in range(views)])
        shape = visibility.shape
        confidence = np.zeros(visibility.size, np.float32)
        templates = np.zeros((visibility.size, 2, AREA), np.float32)
        scalings = np.zeros((visibility.size, 2))
        biases = np.zeros((visibility.size, 2))
        for n in range(visibility.size):
            kind, _, _, modalities = reader.numbers(4)
            if kind != 3 or modalities not in (0, 2):
                raise mend(reader.path, "no SVR patch expert of two templates where one belongs")
            for _ in range(int(modalities)):
                code, modality, trust, scaling, bias = reader.numbers(5)
                weights = reader.matrix()
                if code != 2 or modality not in (0, 1) or weights.shape != (SIDE, SIDE):
                    raise mend(reader.path, f"no {SIDE} x {SIDE} template where one belongs")
                m = int(modality)
                confidence[n] += trust
                scalings[n, m], biases[n, m] = scaling, bias
                centred = weights.ravel() - weights.mean()  # stored column by column
                templates[n, m] = centred / (np.linalg.norm(centred) or 1.0)
        reader.expect_end()
        return cls(
            scale,
            centres,
            visibility,
            confidence.reshape(shape),
            templates.reshape(*shape, 2, AREA),
            scalings.reshape(*shape, 2),
            biases.reshape(*shape, 2),
        )

    def view(self, rotation: Float32) -> int:
        """Return the view nearest to a head rotation.

        Parameters
        ----------
        rotation : (3,) float32
            Euler angles, radians.

        Returns
        -------
        int
            The first of the nearest.
        """
        return nearest_view(self.centres, rotation)

    def responses(
        self,
        gray: UInt8,
        landmarks: Float32,
        sim_img_from_ref: Float32,
        view: int,
        window: int,
        only: NDArray[np.bool_] | None = None,
    ) -> Float32:
        """Compute response maps around landmarks.

        Parameters
        ----------
        gray : (H, W) uint8
            Picture.
        landmarks : (n, 2) float32
            Pixels.
        sim_img_from_ref : (2, 2) float32
            Similarity from the reference frame to the picture, without translation.
        view : int
            View to use.
        window : int
            Side of the maps, odd, 1 to 15.
        only : (n,) bool, optional
            Landmarks to compute; all that the view has experts for if not given.

        Returns
        -------
        (n, window, window) float32
            Element (i, j) is the response, 0 to 1, at ``(j, i) - (window - 1) / 2`` in the
            reference frame; zeros for landmarks without an expert in this view and for
            others left out.

        Raises
        ------
        InputError
            If an argument is not as described.
        """
        gray, landmarks, similarity = check_request(
            gray, landmarks, sim_img_from_ref, view, window, self.confidence.shape
        )
        chosen = self.visibility[view] if only is None else self.visibility[view] & only
        out = np.empty((len(landmarks), window, window), np.float32)
        svr_responses(
            gray, landmarks, chosen, similarity[0, 0], -similarity[0, 1], window,
            self.templates[view], self.scalings[view], self.biases[view], out,
        )  # fmt: skip
        return out
