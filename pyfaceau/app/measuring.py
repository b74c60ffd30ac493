"""Measuring an upload in a process of its own, and what came of it."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyfaceau.output.preview import Preview
from pyfaceau.report.faces import TableFaces
from pyfaceau.study.isolation import Limits, WorkerProcess

if TYPE_CHECKING:
    import pandas as pd

    from pyfaceau.types import UInt8

LIMITS = Limits(stall=120.0, memory=8192)
"""What measuring may take: seconds without a further frame, MiB of address space."""

SHOWN = re.compile("(AU|pose_|[xy]_[0-9])")
"""Columns that the pages show; the whole table of a long video would take three times as much."""

LONG = 10_000
"""Frames from which a recording's measuring takes memory that is better given back."""

PROCESSOR = "pyfaceau.cli.job:perform"
"""What does the work in the worker process."""


@dataclass(frozen=True, eq=False)
class Measured:
    """A video that was measured.

    Attributes
    ----------
    name : str
        What its user calls it; shown, never a path.
    video, table, preview : Path
        The upload, OpenFace's table, the small copy.
    size : (int, int)
        Width and height of the upload, pixels.
    notes : tuple of str
        What the command line said beside the table.
    arguments : tuple of str
        Options of the command line that made it.
    """

    name: str
    video: Path
    table: Path
    preview: Path
    size: tuple[int, int]
    notes: tuple[str, ...]
    arguments: tuple[str, ...]
    _guard: threading.Lock = field(default_factory=threading.Lock)

    @cached_property
    def data(self) -> pd.DataFrame:
        """What the pages show of the table, as `pyfaceau.read` gives it."""
        from pyfaceau.output.reading import read

        return read(self.table, SHOWN.match)

    @cached_property
    def faces(self) -> TableFaces:
        """The table's faces."""
        return TableFaces(self.data)

    @cached_property
    def _frames(self) -> Preview:
        return Preview(self.preview)

    def picture(self, index: int) -> UInt8:
        """Return a frame of the small copy.

        Parameters
        ----------
        index : int
            From 0.

        Returns
        -------
        (h, w, 3) uint8
            BGR.
        """
        with self._guard:  # a page that is left may still be drawing
            return self._frames.picture(index)


class Worker:
    """A session's process, given one task at a time; it loads the default profile ahead."""

    def __init__(self) -> None:
        self._process = WorkerProcess(LIMITS, PROCESSOR)
        self._turn = threading.Lock()
        threading.Thread(target=self.run, args=({"warm": "default"},), daemon=True).start()

    @property
    def frames(self) -> int:
        """Frames done of the task in hand."""
        return self._process.frames

    @property
    def closed(self) -> bool:
        """Whether it takes no further task."""
        return self._process.closed

    def run(self, task: dict[str, Any], *, last: bool = False) -> dict[str, Any]:
        """Have a task done, after those that were asked for before.

        Parameters
        ----------
        task : dict
            See `pyfaceau.cli.job.perform`.
        last : bool
            Give the memory back that it took: the next task has a new process.

        Returns
        -------
        dict
            Its outcome.
        """
        with self._turn:
            outcome = self._process.run(task)
            if last:
                self._process.end()
            return outcome

    def close(self) -> None:
        """End the process and what it does, at once."""
        self._process.close()


class Job:
    """An upload under work.

    Parameters
    ----------
    worker : Worker
        Does it; shared with later jobs of the same session.
    name : str
        What the user calls the upload.
    video : Path
        The upload.
    arguments : sequence of str
        Options of the command line.

    Attributes
    ----------
    total : int or None
        Frames to be done, where the file tells.
    result : Measured or None
        What came of it.
    error : str or None
        Why nothing did, one line.
    """

    def __init__(self, worker: Worker, name: str, video: Path, arguments: tuple[str, ...]) -> None:
        self.name = name
        self.total: int | None = None
        self.result: Measured | None = None
        self.error: str | None = None
        self._worker, self._video, self._arguments = worker, video, arguments
        self._began = time.monotonic()
        self._cancelled = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether it is still at work."""
        return self._thread.is_alive()

    @property
    def frames(self) -> int:
        """Frames done."""
        return self._worker.frames

    @property
    def rate(self) -> float:
        """Frames per second so far."""
        return self.frames / max(time.monotonic() - self._began, 1e-9)

    def cancel(self) -> None:
        """End it, at once; nothing is left of it but the upload."""
        self._cancelled = True
        self._worker.close()
        self._thread.join()
        _clear(self._table, self._preview)

    def wait(self) -> None:
        """Return when it is done."""
        self._thread.join()

    @property
    def _table(self) -> Path:
        return self._video.with_name(f"{self._video.name}.csv")

    @property
    def _preview(self) -> Path:
        return self._video.with_name(f"{self._video.name}-preview.mp4")

    def _run(self) -> None:
        self.total = self._worker.run({"probe": str(self._video)}).get("frames")
        if self._cancelled:
            self.error = f"{self.name}: cancelled"
            return
        task = {
            "arguments": [
                str(self._video),
                "-o",
                str(self._table),
                "--provenance",
                *self._arguments,
            ],
            "preview": str(self._preview),
        }
        outcome = self._worker.run(task, last=(self.total or 0) > LONG)
        if self._cancelled:
            self.error = f"{self.name}: cancelled"
        elif outcome["state"] == "done" and "width" in outcome:
            self.result = Measured(
                self.name,
                self._video,
                self._table,
                self._preview,
                (outcome["width"], outcome["height"]),
                tuple(self._plain(note) for note in outcome.get("notes", ())),
                self._arguments,
            )
        else:
            said = self._plain(str(outcome.get("error", "it is no video and no picture")))
            self.error = said if said.startswith(self.name) else f"{self.name}: {said}"

    def _plain(self, text: str) -> str:
        """Return a message with the upload's own name in place of where it lies here."""
        return text.replace(str(self._video), self.name)


def _clear(*paths: Path) -> None:
    for path in paths:
        for left in path.parent.glob(f"*{path.name}*"):
            left.unlink(missing_ok=True)
