"""A recording: a row for each picture that was measured, with how late it was."""

from __future__ import annotations

import csv
import threading
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path

from pyfaceau.errors import OutputError
from pyfaceau.live.message import LiveFrame, columns, row
from pyfaceau.output.target import Target, writing

_WAITING = 30
"""Rows that wait for the window to say when it has drawn them."""


class Recorder:
    """Writes a CSV while frames come.

    The file has its name when it is whole; a recording that fails or is cut off leaves
    ``NAME.partial.csv``.

    Parameters
    ----------
    path : str or Path
        The file, .csv.
    gaze : bool
        Whether eyes are fitted.
    window : bool
        A window will tell by `shown` when it has drawn a frame.
    split : bool
        Whether faces are split.
    mesh : bool
        Whether faces are followed by a mesh: its units in the place of OpenFace's.

    Attributes
    ----------
    rows : int
        Rows so far.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """

    def __init__(
        self, path: str | Path, gaze: bool, window: bool, split: bool = False, mesh: bool = False
    ) -> None:
        self._target = Target(path, (".csv",))
        self._gaze, self._window = gaze, window
        self._lock = threading.Lock()
        self._waiting: OrderedDict[int, tuple[LiveFrame, float | None]] = OrderedDict()
        self.rows = 0
        with writing(self._target.path):
            self._stream = self._target.part.open("w", encoding="utf-8", newline="")
            self._table = csv.writer(self._stream, lineterminator="\n")
            self._table.writerow(columns(gaze, split, mesh))

    @property
    def path(self) -> Path:
        """Where it will be."""
        return self._target.path

    def write(self, frame: LiveFrame) -> None:
        """Add a frame.

        Parameters
        ----------
        frame : LiveFrame
            The next one.

        Raises
        ------
        OutputError
            If the disk is full.
        """
        with self._lock:
            self._waiting[frame.index] = (frame, None)
            self.rows += 1
            self._flush(_WAITING if self._window else 0)

    def shown(self, index: int, clock: float) -> None:
        """Note when the window has drawn a frame.

        Parameters
        ----------
        index : int
            Its index.
        clock : float
            `time.monotonic`.
        """
        with self._lock:
            if index in self._waiting:
                frame, _ = self._waiting[index]
                self._waiting[index] = (frame, clock - frame.clock)

    def _flush(self, keep: int) -> None:
        """Write rows out, the oldest first, until so many wait."""
        with writing(self.path):
            while len(self._waiting) > keep:
                _, (frame, late) = self._waiting.popitem(last=False)
                self._table.writerow(row(frame, self._gaze, late))

    def finish(self, partial: bool = False) -> Path:
        """Complete the file and give it its name.

        Parameters
        ----------
        partial : bool
            The video or camera failed: mark the name as partial.

        Returns
        -------
        Path
            What now exists.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        with self._lock:
            try:
                self._flush(0)
                with writing(self.path):
                    self._stream.close()
            except OutputError:
                with suppress(OSError):
                    self._stream.close()
                self._target.discard()
                raise
            return self._target.commit(partial)
