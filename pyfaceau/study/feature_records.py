"""What a feature file keeps of a frame, as record arrays."""

from __future__ import annotations

import numpy as np

MODES = 34
"""Non-rigid shape parameters of a face."""

RECORD = np.dtype(
    [
        ("index", "<i8"),
        ("timestamp", "<f8"),
        ("confidence", "<f8"),
        ("success", "?"),
        ("ok", "?"),
        ("described", "?"),  # has geometry and FHOG
        ("reason", "<u2"),  # position in the header's list
        ("landmarks", "<f4", (68, 2)),
        ("params_global", "<f4", (6,)),
        ("params_local", "<f4", (MODES,)),
        ("landmarks_3d", "<f4", (68, 3)),
        ("translation", "<f4", (3,)),
        ("rotation", "<f4", (3,)),
    ]
)
"""What is kept of a frame beside its features."""

EYES = np.dtype(
    [
        ("gaze", "<f4", (2, 3)),
        ("gaze_angles", "<f4", (2,)),
        ("points", "<f4", (2, 28, 2)),
        ("params_global", "<f4", (2, 6)),
        ("params_local", "<f4", (2, 10)),
        ("points_3d", "<f4", (56, 3)),
    ]
)
"""What is kept of a frame's eyes, where they are fitted."""
