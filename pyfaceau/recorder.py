"""From results to files: what is written of a video, also where reading it ends early."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from pyfaceau.errors import VideoError
from pyfaceau.output.openface_csv import OpenFaceCSV
from pyfaceau.types import Float64, FrameResult

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Written:
    """What came of one video or picture.

    Attributes
    ----------
    path : Path
        The table.
    frames : int
        Its rows.
    faces : int
        Rows with a face.
    """

    path: Path
    frames: int
    faces: int


def record(
    results: Iterable[FrameResult],
    table: OpenFaceCSV,
    units: Callable[[int], tuple[Float64, Float64]] | None = None,
) -> Written:
    """Write results as they come.

    Parameters
    ----------
    results : iterable of FrameResult
        One per row.
    table : OpenFaceCSV
        Where to; it is finished here.
    units : callable, optional
        Returns the action units of the first n rows, at the end; not given where the table has
        none or takes them row by row.

    Returns
    -------
    Written
        The table and its rows.

    Raises
    ------
    VideoError
        If a video cannot be read to its end, after the partial table is written.
    OutputError
        If the table cannot be written.
    """
    faces = 0

    def finish(partial: bool = False) -> Path:
        rows = table.rows  # an interrupt may fall between a frame and its row
        return table.finish(*(units(rows) if units else ()), partial=partial)

    try:
        for result in results:
            table.write(result)
            faces += result.face.success
    except VideoError as error:
        path = finish(partial=True)
        message = f"{error}; the {table.rows} rows before are in {path}"
        raise VideoError(message) from error
    except KeyboardInterrupt:
        if table.rows:
            path = finish(partial=True)
            logger.warning("interrupted; the first %d rows are in %s", table.rows, path)
        raise
    return Written(finish(), table.rows, faces)
