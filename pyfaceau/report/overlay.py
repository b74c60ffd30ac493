"""A video with what its table says drawn into every frame."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pyfaceau.errors import InputError
from pyfaceau.output.overlay import OverlayVideo
from pyfaceau.output.reading import read
from pyfaceau.report.drawing import draw_row, eyes_blurred
from pyfaceau.report.faces import RowFace, TableFaces
from pyfaceau.report.figures import strongest
from pyfaceau.report.frames import open_video, pictures
from pyfaceau.report.provenance import find_provenance
from pyfaceau.types import UInt8

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

BARS = 6
"""Action units that have a bar where none are named."""


def write_overlay(
    video: Path,
    table: Path,
    output: Path,
    *,
    units: Sequence[str] | None = None,
    blur_eyes: bool = False,
    mirrored_input: bool | None = None,
    tell: Callable[[int, int], None] | None = None,
) -> int:
    """Write a video with landmarks, midline, sides, head box, axes, gaze and action units drawn in.

    Parameters
    ----------
    video, table : Path
        The video, and the table that was made of it.
    output : Path
        .mp4, .mov, .mkv or .avi; MPEG-4, a frame for each row of the table, without sound.
    units : sequence of str, optional
        Columns that have a bar; if not given the six intensities that change most, each with its
        sides where the table has them.
    blur_eyes : bool
        Make eyes and brows unrecognisable; a frame without a face is black then.
    mirrored_input : bool, optional
        The recording is mirrored; if not given, as it was measured.
    tell : callable, optional
        Called with rows done and all rows.

    Returns
    -------
    int
        Frames written.

    Raises
    ------
    InputError
        If the table is not of this video, or a column is missing.
    VideoError
        If the video cannot be read.
    OutputError
        If the output cannot be written or is the video itself.
    """
    data = read(table)
    faces = TableFaces.of_video(data)
    bars = _bars(data, units)
    found = find_provenance(table)
    if mirrored_input is None:
        mirrored_input = found is not None and found.settings.mirrored_input
    if output.exists() and output.samefile(video):
        raise InputError(f"{output}: is the video itself")
    with open_video(video, table, found) as source:
        camera = faces.camera(source.width, source.height)
        size = (source.width - source.width % 2, source.height - source.height % 2)
        rate = _rate(data, source.fps)
        with OverlayVideo(output, size, rate, camera) as file:
            for row, picture in pictures(source, faces):
                face = faces.face(row)
                image = picture.copy()
                if blur_eyes:
                    image = _unrecognisable(image, face)
                values = {name: float(data[column].iloc[row]) for name, column in bars.items()}
                draw_row(image, face, camera, values, mirrored_input)
                file.append(np.ascontiguousarray(image[: size[1], : size[0]]))
                if tell is not None:
                    tell(row + 1, len(faces))
            file.finish()
    return len(faces)


def _unrecognisable(image: UInt8, face: RowFace | None) -> UInt8:
    """Return a picture with its eyes blurred; black where nobody knows for sure where they are."""
    if face is None or not face.trusted:
        return np.zeros_like(image)
    return eyes_blurred(image, face.landmarks)


def _bars(table: pd.DataFrame, units: Sequence[str] | None) -> dict[str, str]:
    """Return bars' names and their columns."""
    if units is not None:
        missing = [name for name in units if name not in table]
        if missing:
            raise InputError(f"units: expected columns of the table, got {missing[0]}")
        return {name: name for name in units}
    chosen: dict[str, str] = {}
    for column in strongest(table, BARS):
        unit = column.split("_")[0]
        sides = {side: f"{column}_{side}" for side in ("left", "right")}
        if all(name in table for name in sides.values()):
            chosen |= {f"{unit} {side[0].upper()}": name for side, name in sides.items()}
        else:
            chosen[unit] = column
    return chosen


def _rate(table: pd.DataFrame, fps: float) -> float:
    """Return frames per second of the table's rows."""
    times = table["timestamp"].to_numpy()
    steps = np.diff(times)
    steps = steps[steps > 0]
    if not len(steps):
        return fps
    rate = 1 / float(np.median(steps))
    return fps if abs(rate - fps) < 0.05 * fps else rate
