"""Gaze from the irises of a mesh: a ray through the iris, met with a sphere for the eyeball.

The model is that of Wood, Baltrusaitis, Zhang, Sugano, Robinson and Bulling, "Rendering of eyes for
eye-shape registration and gaze estimation", ICCV 2015, section 5; its constants here are not
OpenFace's.
"""

from __future__ import annotations

import numpy as np

from pyfaceau.types import Float64, Gaze

IRISES = (468, 473)
"""Centre of the iris on the image's left and of that on its right."""

CORNERS = ((33, 133), (362, 263))
"""Corners of the eyes, outer and inner, in the same order."""

RADIUS = 12.0
"""Of the eyeball, mm: half the mean axial length of adults, 24 mm."""

BEHIND = 6.0
"""The eyeball's centre lies so far behind the middle of the eye's corners, mm: the centre of
rotation lies 13 to 14 mm behind the cornea, the corners 7 to 8 mm. An estimate; the scale of the
angles depends on it."""

ABOVE, OUTWARDS = 2.35, 1.7
"""The centre lies so far above the middle of the corners, as the mesh has them, and farther from
the nose, mm: fitted to people who look into the camera (`python -m validation.free_gaze`)."""


def gaze_of_irises(irises: Float64, corners: Float64, rotation: Float64) -> Gaze:
    """Return the gaze of both eyes.

    Parameters
    ----------
    irises : (2, 3) float64
        Centres of the irises in camera space, mm; the eye on the image's left first. Their depth
        does not matter.
    corners : (2, 2, 3) float64
        Corners of each eye, mm.
    rotation : (3, 3) float64
        Of the head.

    Returns
    -------
    Gaze
        Unit vectors from the eyeballs' centres to where the rays through the irises enter; where a
        ray misses, to where it passes nearest. Angles of their mean.
    """
    offsets = np.array([[-OUTWARDS, -ABOVE, BEHIND], [OUTWARDS, -ABOVE, BEHIND]])
    centres = corners.mean(axis=1) + offsets @ rotation.T
    rays = irises / np.linalg.norm(irises, axis=1, keepdims=True)
    along = (rays * centres).sum(axis=1)
    missed = (centres * centres).sum(axis=1) - along**2
    reach = along - np.sqrt(np.clip(RADIUS**2 - missed, 0, None))
    vectors = rays * reach[:, None] - centres
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    x, y, z = vectors.mean(axis=0)
    angles = np.arctan2([x, y], -z)
    return Gaze(vectors.astype(np.float32), angles.astype(np.float32))
