"""Action units that blendshapes can stand in for, by their definitions alone: nothing is fitted.

They are not OpenFace's and bear other names. Which readings of the coefficients agree with
OpenFace's intensities, and which do not, is in docs/free.md; only those that do are here.
"""

from __future__ import annotations

import numpy as np

from pyfaceau.types import BLENDSHAPES, MESH_UNITS, FaceMesh, Float64

_INDEX = {name: number for number, name in enumerate(BLENDSHAPES)}
_LIPS = (13, 14)
_EYES = (33, 263)
_WIDE = 0.15
"""Gap between the lips, in distances between the outer corners of the eyes, that counts as 1: about
a finger's breadth, 14 of 90 mm."""


def mesh_units(mesh: FaceMesh) -> Float64:
    """Return the action units of a mesh.

    Parameters
    ----------
    mesh : FaceMesh
        A face.

    Returns
    -------
    (n,) float64
        0 to 1, in the order of `MESH_UNITS`. AU01: browInnerUp. AU06: geometric mean of eyeSquint
        and mouthSmile, for a squint without a smile is no raised cheek. AU10: mouthUpperUp. AU12:
        mouthSmile. AU25: the gap between the lips. AU45: eyeBlink. A unit of both sides is the
        mean of its sides.
    """
    sides = {}
    for side in ("Left", "Right"):
        one = {name: float(mesh.blendshapes[_INDEX[name + side]]) for name in _SIDED}
        smile = one["mouthSmile"]
        squint = float(np.sqrt(one["eyeSquint"] * smile))
        for unit, value in (
            ("AU06", squint),
            ("AU10", one["mouthUpperUp"]),
            ("AU12", smile),
            ("AU45", one["eyeBlink"]),
        ):
            sides[f"{unit}_bs_{side.lower()}"] = value
    upper, lower = mesh.points[list(_LIPS)].astype(np.float64)
    left, right = mesh.points[list(_EYES)].astype(np.float64)
    width = max(float(np.linalg.norm(right - left)), 1e-6)
    gap = float(np.linalg.norm(lower - upper)) / width / _WIDE
    values = {
        "AU01_bs": float(mesh.blendshapes[_INDEX["browInnerUp"]]),
        "AU25_bs": min(gap, 1.0),
        **sides,
    }
    for unit in ("AU06", "AU10", "AU12", "AU45"):
        values[f"{unit}_bs"] = (values[f"{unit}_bs_left"] + values[f"{unit}_bs_right"]) / 2
    return np.array([values[name] for name in MESH_UNITS])


_SIDED = ("eyeSquint", "mouthSmile", "mouthUpperUp", "eyeBlink")
