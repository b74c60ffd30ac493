"""Where the eyes look: a ray through the pupil, met with a sphere for the eyeball.

Wood, Baltrusaitis, Zhang, Sugano, Robinson and Bulling, "Rendering of eyes for eye-shape
registration and gaze estimation", ICCV 2015, section 5.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from pyfaceau.errors import check_array, check_type
from pyfaceau.gaze._kernels import eyeball_centre, gaze_vector
from pyfaceau.numerics.libm import atan2f
from pyfaceau.numerics.rotation import euler_to_matrix
from pyfaceau.pdm.model import PDM
from pyfaceau.pdm.space import landmarks_3d
from pyfaceau.types import Camera, EyeFit, Float32, Gaze, HeadPose

NO_GAZE = Gaze(np.zeros((2, 3), np.float32), np.zeros(2, np.float32))
"""The gaze where there is none, as OpenFace writes it."""

_CORNERS = ((36, 39), (42, 45))
_EYE_POINTS = 28


def eye_landmarks_3d(pdms: tuple[PDM, PDM], eyes: tuple[EyeFit, EyeFit], camera: Camera) -> Float32:
    """Put the landmarks of both eyes into camera space.

    Parameters
    ----------
    pdms : (PDM, PDM)
        Models of the eye on the image's left and of the one on its right.
    eyes : (EyeFit, EyeFit)
        Their fits, in the same order.
    camera : Camera
        Pinhole camera.

    Returns
    -------
    (56, 3) float32
        mm, camera space; rows 0-27 the eye on the image's left.
    """
    lifted = (landmarks_3d(p, e.shape, e.points, camera) for p, e in zip(pdms, eyes, strict=True))
    return np.concatenate(list(lifted))


def estimate_gaze(face: ArrayLike, eyes: ArrayLike, pose: HeadPose) -> Gaze:
    """Estimate the gaze of both eyes.

    The eyeball is a sphere of 12 mm radius whose centre lies 7 mm behind and 3.5 mm above the
    middle of the eye's corners, in the head's own axes. The ray from the camera through the mean
    of the iris contour meets it at a point; the gaze is the direction from the centre to that
    point. Where the ray misses the sphere the point (0, 0, -1) stands in, as in OpenFace.

    Parameters
    ----------
    face : (68, 3) array_like
        Face landmarks in camera space, mm.
    eyes : (56, 3) array_like
        Eye landmarks in camera space, mm; rows 0-27 the eye on the image's left.
    pose : HeadPose
        Head pose.

    Returns
    -------
    Gaze
        Unit vectors, and the angles of their mean m: atan2(m_x, -m_z), atan2(m_y, -m_z).

    Raises
    ------
    InputError
        If shapes are wrong or values are not finite.
    """
    face = check_array("face", face, (68, 3), np.float32)
    eyes = check_array("eyes", eyes, (2 * _EYE_POINTS, 3), np.float32)
    rotation = euler_to_matrix(check_type("pose", pose, HeadPose).rotation)
    vectors = np.empty((2, 3), np.float32)
    centre = np.empty(3, np.float32)
    for i, (one, other) in enumerate(_CORNERS):
        eyeball_centre(face[one], face[other], rotation, centre)
        gaze_vector(eyes[_EYE_POINTS * i : _EYE_POINTS * (i + 1)], centre, vectors[i])
    x, y, z = (vectors[0] + vectors[1]) / np.float32(2)
    return Gaze(vectors, np.array([atan2f(x, -z), atan2f(y, -z)], np.float32))
