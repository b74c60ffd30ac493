"""What the action-unit models see of a face's shape."""

from __future__ import annotations

from typing import Any

import numpy as np

from pyfaceau.errors import check_array
from pyfaceau.features._kernels import offsets_and_parameters
from pyfaceau.pdm.model import PDM
from pyfaceau.types import Float64


def geometry_descriptor(pdm: PDM, params_local: Any) -> Float64:
    """Describe a face's shape by its non-rigid offsets and parameters.

    Parameters
    ----------
    pdm : PDM
        Shape model of n points and m modes (68 and 34 for the action-unit models).
    params_local : (m,) float32
        Non-rigid parameters of the fit to the face, mm.

    Returns
    -------
    (3 n + m,) float64
        ``basis @ params_local`` (offsets from the mean shape in mm: all x, all y, all z), then
        `params_local`; computed in float64, in the order of the modes.

    Raises
    ------
    InputError
        If `params_local` is not of the model's length.
    """
    p = check_array("params_local", params_local, (pdm.n_modes,), np.float32)
    out = np.empty(sum(pdm.basis.shape))
    offsets_and_parameters(pdm.basis_t, p, out)
    return out
