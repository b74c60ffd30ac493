"""The quality table of a single video, beside its table: the one that studies have."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from pyfaceau.output.quality import QualityWriter
from pyfaceau.output.sink import Sink
from pyfaceau.output.target import Target
from pyfaceau.types import Frame, FrameResult

if TYPE_CHECKING:
    from typing_extensions import Self


class QualityFile(Sink):
    """Writes what speaks against each frame, see `QualityWriter`.

    Parameters
    ----------
    path : str or Path
        The file, .csv.gz.
    fps : float
        Frames per second, by which missing ones are counted.
    aspect : float
        Width over height of the stored pixels.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    """

    def __init__(self, path: str | Path, fps: float, aspect: float = 1.0) -> None:
        super().__init__(Target(path, (".csv.gz",)))
        self._writer = QualityWriter(path, fps, aspect)

    def write(self, frame: Frame, faces: Sequence[FrameResult]) -> None:  # noqa: ARG002
        """Add a frame.

        Parameters
        ----------
        frame : Frame
            Not looked at.
        faces : sequence of FrameResult
            Rows of the frame.

        Raises
        ------
        OutputError
            If the disk is full.
        """
        for result in faces:
            self._writer.write(result)

    def finish(self, partial: bool = False) -> Path:
        """Complete the file and give it its name.

        Parameters
        ----------
        partial : bool
            The video was not read to its end: nothing is left.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        self._writer.finish()
        if partial:
            self.target.path.replace(self.target.partial_path)
            return self.target.partial_path
        return self.target.path

    def _close(self) -> None:
        """Nothing is open but the writer's own."""

    def __enter__(self) -> Self:
        self._writer.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._writer.__exit__(kind, error, trace)
        self.target.discard()
