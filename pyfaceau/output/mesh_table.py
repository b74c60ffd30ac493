"""The columns of a face that is followed by its mesh."""

from __future__ import annotations

from dataclasses import replace

from pyfaceau.errors import InputError
from pyfaceau.output.openface_csv import GROUPS, Columns, Layout
from pyfaceau.types import BLENDSHAPES, MESH_UNITS, FrameResult

BLENDSHAPE_COLUMNS = tuple(f"bs_{name.lstrip('_')}" for name in BLENDSHAPES)
"""Names of the 52 columns."""

_GAZE: Columns = GROUPS["gaze"][:8]
MESH_COLUMNS: Columns = tuple((name, "%.4f") for name in BLENDSHAPE_COLUMNS + MESH_UNITS)
"""Columns of the 52 coefficients and of `MESH_UNITS`, with their decimals."""


def mesh_layout(layout: Layout) -> Layout:
    """Return a layout with the columns that a mesh has.

    Parameters
    ----------
    layout : Layout
        `VIDEO`, `SEVERAL` or `PICTURE`.

    Returns
    -------
    Layout
        Meta columns as they are; of OpenFace's groups gaze (directions and angles, no eye
        landmarks), ``pose`` and ``2Dfp``; in place of action units ``bs_*`` and `MESH_UNITS`, which
        every row brings with it.
    """
    groups = {"gaze": _GAZE, "pose": GROUPS["pose"], "2Dfp": GROUPS["2Dfp"]}
    values = {"gaze": _gaze_values, "aus": mesh_values}
    return replace(layout, units=MESH_COLUMNS, at_end=False, groups=groups, values=values)


def _gaze_values(result: FrameResult) -> list[float]:
    if result.gaze is None:
        raise InputError("result: expected gaze, got None")
    return [*result.gaze.vectors.ravel().tolist(), *result.gaze.angles.tolist()]


def mesh_values(result: FrameResult) -> list[float]:
    """Return the values of `MESH_COLUMNS`.

    Parameters
    ----------
    result : FrameResult
        Of a face that is followed by its mesh.

    Returns
    -------
    list of float
        52 coefficients, then the units, each 0 to 1; zeros where there is no face.

    Raises
    ------
    InputError
        If the result is another profile's.
    """
    if result.mesh_units is None:
        raise InputError("result: expected units of a mesh, got None")
    mesh = result.face.mesh
    shapes = [0.0] * len(BLENDSHAPES) if mesh is None else mesh.blendshapes.tolist()
    return [*shapes, *result.mesh_units.tolist()]
