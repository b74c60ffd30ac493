"""A frame with what was measured in it, for the page."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from pyfaceau.app.measuring import Measured
from pyfaceau.report.drawing import draw_row

if TYPE_CHECKING:
    from pyfaceau.types import UInt8


def marked_picture(measured: Measured, row: int, frame: int | None = None) -> UInt8:
    """Return a frame with landmarks, midline, sides and score drawn into it.

    Parameters
    ----------
    measured : Measured
        The video.
    row : int
        Of the table, from 0.
    frame : int, optional
        Of the preview, from 0; `row` if not given.

    Returns
    -------
    (h, w, 3) uint8
        RGB.
    """
    image = measured.picture(row if frame is None else frame).copy()
    face = measured.faces.face(row)
    if face is not None:
        scale = image.shape[1] / measured.size[0]
        face = replace(face, landmarks=(face.landmarks + 0.5) * scale - 0.5)
    draw_row(image, face, mirrored="--mirrored-input" in measured.arguments)
    return np.ascontiguousarray(image[:, :, ::-1])
