"""What every file beside the table has in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from pyfaceau.errors import OutputError
from pyfaceau.output.target import Target, writing
from pyfaceau.types import Frame, FrameResult

if TYPE_CHECKING:
    from typing_extensions import Self


class Sink(ABC):
    """A file or folder that grows frame by frame; used in a ``with`` statement, left by `finish`.

    Leaving the ``with`` statement in any other way leaves nothing behind.

    Parameters
    ----------
    target : Target
        Where it grows.

    Attributes
    ----------
    target : Target
        The same.
    """

    def __init__(self, target: Target) -> None:
        self.target = target

    @abstractmethod
    def write(self, frame: Frame, faces: Sequence[FrameResult]) -> None:
        """Add a frame.

        Parameters
        ----------
        frame : Frame
            The picture.
        faces : sequence of FrameResult
            The rows that the table has of it.

        Raises
        ------
        OutputError
            If the disk is full.
        """

    def finish(self, partial: bool = False) -> Path:
        """Complete the file and give it its name.

        Parameters
        ----------
        partial : bool
            The video was not read to its end: mark the name as partial.

        Returns
        -------
        Path
            What now exists.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        with writing(self.target.path):
            self._close()
        return self.target.commit(partial)

    @abstractmethod
    def _close(self) -> None:
        """Complete the file under its temporary name; harmless the second time."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(OSError, OutputError):  # a full disk has already been reported
            self._close()
        self.target.discard()
