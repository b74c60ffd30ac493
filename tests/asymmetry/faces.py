"""A face of points, symmetric about x = 0, made by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pyfaceau.asymmetry.midline import PARTNERS, left_half
from pyfaceau.types import Float64

_LEFT = {
    **{i: (-0.95 + 0.01 * i * i, -0.1 + 0.18 * i) for i in range(8)},
    **{17 + i: (-0.75 + 0.15 * i, -0.35 - 0.05 * (i in (1, 2, 3))) for i in range(5)},
    **dict(zip((31, 32), ((-0.17, 0.55), (-0.08, 0.58)), strict=True)),
    36: (-0.5, 0.0),
    37: (-0.42, -0.06),
    38: (-0.3, -0.06),
    39: (-0.22, 0.0),
    40: (-0.3, 0.04),
    41: (-0.42, 0.04),
    48: (-0.3, 0.9),
    49: (-0.2, 0.84),
    50: (-0.1, 0.81),
    58: (-0.12, 1.0),
    59: (-0.22, 0.96),
    60: (-0.26, 0.9),
    61: (-0.1, 0.88),
    67: (-0.1, 0.92),
}
_MIDDLE = {8: 1.4, 27: 0.0, 28: 0.15, 29: 0.3, 30: 0.45, 33: 0.6, 51: 0.82, 57: 1.02, 62: 0.88}


def symmetric_face() -> Float64:
    """Return 68 landmarks, iBUG order: outer eye corners 1 apart on y = 0, the midline x = 0."""
    points = np.zeros((68, 2))
    for index, place in _LEFT.items():
        points[index] = place
    for index, y in {**_MIDDLE, 66: 0.92}.items():
        points[index] = (0.0, y)
    other = PARTNERS[left_half()]
    points[other] = points[left_half()] * (-1.0, 1.0)
    return points


def table_of(points: Float64, success: int = 1) -> pd.DataFrame:
    """Return a table of 2-D landmarks, (N, 68, 2) pixels, as `pyfaceau.read` gives one."""
    names = [f"{axis}_{i}" for axis in "xy" for i in range(68)]
    values = points.transpose(0, 2, 1).reshape(len(points), -1)
    table = pd.DataFrame(values, columns=names, index=pd.RangeIndex(1, len(points) + 1))
    return table.rename_axis("frame").assign(success=success)
