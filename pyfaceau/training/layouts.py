"""The 68 points: their regions, and which is which in the mirror."""

from __future__ import annotations

import numpy as np

REGIONS = {
    "jaw": range(17),
    "brows": range(17, 27),
    "nose": range(27, 36),
    "eyes": range(36, 48),
    "mouth": range(48, 68),
}
"""Parts of the face and their points, iBUG order."""

MIRROR_68 = np.array(
    [
        *range(16, -1, -1),
        *range(26, 16, -1),
        *range(27, 31),
        *range(35, 30, -1),
        *(45, 44, 43, 42, 47, 46),
        *(39, 38, 37, 36, 41, 40),
        *range(54, 47, -1),
        *range(59, 54, -1),
        *range(64, 59, -1),
        *(67, 66, 65),
    ]
)
"""Point i of a mirrored face is point ``MIRROR_68[i]`` of the face."""

OUTER_EYES = (36, 45)
"""Outer corners of the eyes, whose distance errors are divided by."""
