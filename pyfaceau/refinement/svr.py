"""Patch experts that are linear support vector regressors.

Each expert correlates templates with the picture and with its squared gradient: Saragih, Lucey,
Cohn, "Deformable model fitting by regularized landmark mean-shift", IJCV 2011, section 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pyfaceau.models.modelfile import TextReader, mend
from pyfaceau.refinement._kernels import AREA, SIDE
from pyfaceau.refinement._kernels_svr import svr_responses
from pyfaceau.refinement.experts import PatchExperts, read_views
from pyfaceau.types import Float32, Float64, UInt8


@dataclass(frozen=True, eq=False)
class SVRExperts(PatchExperts):
    """SVR patch experts of one scale; responses are from 0 to 1.

    Attributes
    ----------
    templates : (views, n, 2, 121) float32
        For the picture and its squared gradient, column by column, mean 0, norm 1.
    scalings, biases : (views, n, 2) float64
        From correlation to the logistic function's argument.
    """

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
        centres, visibility = read_views(reader, views)
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

    def _respond(
        self,
        gray: UInt8,
        landmarks: Float32,
        chosen: NDArray[np.bool_],
        similarity: Float32,
        view: int,
        out: Float32,
    ) -> None:
        window = out.shape[1]
        svr_responses(
            gray, landmarks, chosen, similarity[0, 0], -similarity[0, 1], window,
            self.templates[view], self.scalings[view], self.biases[view], out,
        )  # fmt: skip
