"""Head pose from landmarks."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from pyfaceau.errors import check_array
from pyfaceau.pdm._kernels_shape import pose_of_fit
from pyfaceau.pdm.model import PDM
from pyfaceau.types import Camera, HeadPose, ShapeFit


def head_pose(pdm: PDM, fit: ShapeFit, landmarks: ArrayLike, camera: Camera) -> HeadPose:
    """Find the rotation and translation under which the fitted 3-D shape projects to landmarks.

    Perspective-n-point: the sum of squared reprojection errors of all points is minimised over an
    axis-angle vector and a translation by Levenberg-Marquardt in float64, from the weak-perspective
    fit: depth Z = fx / s, translation (tx - cx) / fx Z, (ty - cy) / fy Z, Z. As in OpenFace, the
    fit's Euler angles stand in for the axis-angle vector at the start, and the search ends when a
    step is below float32's epsilon relative to the parameters, which leaves the angles about 1e-7
    from the minimum.

    Parameters
    ----------
    pdm : PDM
        The face's shape model.
    fit : ShapeFit
        Its parameters.
    landmarks : (n, 2) array_like
        Detected landmarks, pixels.
    camera : Camera
        Pinhole camera.

    Returns
    -------
    HeadPose
        Relative to the camera's axes. Zeros where there is no face to speak of (scale 0, or all
        landmarks in one place, as before the first face) or where the search fails; OpenFace
        prints the diverged search there.

    Raises
    ------
    InputError
        If shapes do not fit the model or values are not finite.
    """
    points = check_array("landmarks", landmarks, (pdm.n_points, 2), np.float32)
    pose = pose_of_fit(*pdm.model_of(fit), points, camera.lens)
    return HeadPose(pose[:3], pose[3:])
