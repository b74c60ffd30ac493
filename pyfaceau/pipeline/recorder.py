"""From results to files: what is written of a video, also where reading it ends early."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from pyfaceau.errors import OutputError, VideoError
from pyfaceau.output.openface_csv import OpenFaceCSV
from pyfaceau.output.sink import Sink
from pyfaceau.types import Float64, Frame, FrameResult

logger = logging.getLogger(__name__)

Seen: TypeAlias = tuple[Frame, Sequence[FrameResult]]
"""A frame and the rows that the table has of it."""


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
    files : tuple of Path
        What was written beside the table.
    """

    path: Path
    frames: int
    faces: int
    files: tuple[Path, ...] = ()


def record(
    seen: Iterable[Seen],
    table: OpenFaceCSV,
    units: Callable[[int], tuple[Float64, ...]] | None = None,
    sinks: Sequence[Sink] = (),
) -> Written:
    """Write results as they come.

    Parameters
    ----------
    seen : iterable of (Frame, sequence of FrameResult)
        Each frame with its rows.
    table : OpenFaceCSV
        Where to; it is finished here.
    units : callable, optional
        Returns the action units of the first n rows, at the end; not given where the table has
        none or takes them row by row.
    sinks : sequence of Sink
        The files beside the table; they are finished here.

    Returns
    -------
    Written
        The table and its rows.

    Raises
    ------
    VideoError
        If a video cannot be read to its end, after what there is was written as partial.
    OutputError
        If the table cannot be written; or, at the end and with a whole table, another file.
    """
    faces = 0
    beside = _Beside(sinks)

    def _finish(partial: bool = False) -> list[Path]:
        rows = table.rows  # an interrupt may fall between a frame and its row
        path = table.finish(*(units(rows) if units else ()), partial=partial)
        return [path, *beside.finish(partial)]

    try:
        for frame, results in seen:
            for result in results:
                table.write(result)
                faces += result.face.success
            beside.write(frame, results)
    except VideoError as error:
        files = ", ".join(map(str, _finish(partial=True)))
        message = f"{error}; the {table.rows} rows before are in {files}"
        raise VideoError(message) from error
    except KeyboardInterrupt:
        if table.rows:
            files = ", ".join(map(str, _finish(partial=True)))
            logger.warning("interrupted; the first %d rows are in %s", table.rows, files)
        raise
    path, *others = _finish()
    if beside.error is not None:
        raise OutputError(f"{beside.error}; the table is whole: {path}") from beside.error
    return Written(path, table.rows, faces, tuple(others))


class _Beside:
    """The files beside the table: one that fails is given up, the others go on.

    Attributes
    ----------
    error : OutputError or None
        The first failure.
    """

    def __init__(self, sinks: Sequence[Sink]) -> None:
        self.error: OutputError | None = None
        self._sinks = list(sinks)

    def write(self, frame: Frame, results: Sequence[FrameResult]) -> None:
        """Add a frame to each file."""
        self._each(lambda sink: sink.write(frame, results))

    def finish(self, partial: bool) -> list[Path]:
        """Give each file its name."""
        files: list[Path] = []
        self._each(lambda sink: files.append(sink.finish(partial)))
        return files

    def _each(self, action: Callable[[Sink], None]) -> None:
        for sink in tuple(self._sinks):
            try:
                action(sink)
            except OutputError as error:
                self.error = self.error or error
                self._sinks.remove(sink)
