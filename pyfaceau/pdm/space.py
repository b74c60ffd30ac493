"""Landmarks in camera space."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from pyfaceau.errors import check_array
from pyfaceau.pdm._kernels_shape import lifted
from pyfaceau.pdm.model import PDM
from pyfaceau.types import Camera, Float32, ShapeFit


def landmarks_3d(pdm: PDM, fit: ShapeFit, landmarks: ArrayLike, camera: Camera) -> Float32:
    """Put detected landmarks into camera space, each at the depth that the fitted shape gives it.

    Under weak perspective a shape of scale s stands fx / s from the camera. Point i therefore has
    Z = fx / s + (R X)_z, where X is the fitted 3-D shape, and lies on the ray of its pixel:
    X = Z (x - cx) / fx, Y = Z (y - cy) / fy. The detected pixel is used, not the projected one.

    Parameters
    ----------
    pdm : PDM
        The shape model: face or eye, each with its own parameters.
    fit : ShapeFit
        The model's parameters.
    landmarks : (n, 2) array_like
        Detected landmarks, pixels.
    camera : Camera
        Pinhole camera.

    Returns
    -------
    (n, 3) float32
        mm, camera space: x right, y down, z away from the camera. All zero where the fit has
        scale 0, so that there is no depth.

    Raises
    ------
    InputError
        If shapes do not fit the model or values are not finite.
    """
    points = check_array("landmarks", landmarks, (pdm.n_points, 2), np.float32)
    return lifted(*pdm.model_of(fit), points, camera.lens)
