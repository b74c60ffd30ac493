"""Head pose from landmarks."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from pyfaceau.errors import check_array, check_type
from pyfaceau.numerics.rotation import axis_angle_to_matrix, matrix_to_euler
from pyfaceau.pdm._kernels_pose import refine_pose
from pyfaceau.pdm.model import PDM
from pyfaceau.pdm.space import camera_array
from pyfaceau.types import Camera, HeadPose, ShapeFit

NO_POSE = HeadPose(np.zeros(3, np.float32), np.zeros(3, np.float32))
"""The pose where there is none."""


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
    check_type("fit", fit, ShapeFit)
    scale, *angles, tx, ty = fit.params_global
    if scale == 0 or (points == points[0]).all():
        return NO_POSE
    lens = camera_array(camera)
    fx, fy, cx, cy = lens
    with np.errstate(over="ignore"):
        depth = fx / scale
        start = [*angles, (tx - cx) / fx * depth, (ty - cy) / fy * depth, depth]
    pose = np.array(start, np.float64)
    if not np.isfinite(pose).all() or not refine_pose(
        pdm.shape_3d(fit.params_local), points, lens, pose
    ):
        return NO_POSE
    with np.errstate(over="ignore"):
        rotation, translation = pose[:3].astype(np.float32), pose[3:].astype(np.float32)
    euler = matrix_to_euler(axis_angle_to_matrix(rotation))
    if not np.isfinite(euler).all() or not np.isfinite(translation).all():
        return NO_POSE
    return HeadPose(translation, euler)
