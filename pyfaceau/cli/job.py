"""A command line run for another program: with its progress, a preview, and what it said."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from pyfaceau.output.beside import Origin
    from pyfaceau.output.sink import Sink
    from pyfaceau.types import Frame, FrameResult

Tell = Callable[[int], None]
"""To be called with the number of frames done."""


def perform(task: dict[str, Any], tell: Tell) -> dict[str, Any]:
    """Run a command line.

    Parameters
    ----------
    task : dict
        ``arguments``, what stands behind ``pyfaceau``; ``preview``, where a small copy of the video
        goes (see `pyfaceau.output.preview`), or None. Or ``probe``, a file to be looked at. Or
        ``warm``, a profile that is to be loaded ahead of its first use.
    tell : callable
        To be told the number of frames done.

    Returns
    -------
    dict
        ``state`` ``'done'`` or ``'failed'``; ``error``, one line, and ``notes``, lines that the
        command wrote on standard error; ``width``, ``height``, ``fps`` of the input. Of a probe:
        ``frames``, as the file claims, or None.
    """
    if "probe" in task:
        return {"state": "done", "frames": _claimed_frames(Path(task["probe"]))}
    if "warm" in task:
        return _warm(task["warm"])
    from pyfaceau.cli.command import main

    sys.argv = ["pyfaceau", *task["arguments"]]  # what goes on record as the command
    facts: dict[str, Any] = {}
    sinks = (_preview(Path(task["preview"]), tell, facts),) if task.get("preview") else ()
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
            code = main.main(list(task["arguments"]), standalone_mode=False, obj=sinks)
    except click.ClickException as error:
        return {"state": "failed", "error": error.format_message(), "notes": _lines(said), **facts}
    except click.Abort:
        return {"state": "failed", "error": "interrupted", "notes": _lines(said), **facts}
    notes = _lines(said)
    if code:
        problems = [line for line in notes if line.startswith("Error: ")]
        problem = problems[0].removeprefix("Error: ") if problems else f"exit code {code}"
        return {"state": "failed", "error": problem, "notes": notes, **facts}
    return {"state": "done", "notes": notes, **facts}


def _warm(profile: str) -> dict[str, Any]:
    """Load libraries, model files and compiled kernels."""
    import numpy as np

    from pyfaceau.errors import PyfaceauError
    from pyfaceau.pipeline import FullPythonAUPipeline

    try:
        FullPythonAUPipeline(config=profile).process_image(np.zeros((240, 320, 3), np.uint8))
    except PyfaceauError as error:
        return {"state": "failed", "error": str(error)}
    return {"state": "done"}


def _claimed_frames(path: Path) -> int | None:
    from pyfaceau.errors import PyfaceauError
    from pyfaceau.media.video import VideoReader

    try:
        with VideoReader(path) as video:
            return video.frame_count
    except PyfaceauError:  # measuring it will say why
        return None


def _lines(said: io.StringIO) -> list[str]:
    return [line.strip() for line in said.getvalue().split(os.linesep) if line.strip()]


def _preview(path: Path, tell: Tell, facts: dict[str, Any]) -> Callable[[Origin], Sink]:
    """Return what makes the preview's sink, which also tells how far the work is."""
    from pyfaceau.output.preview import PreviewVideo

    class Telling(PreviewVideo):
        """The preview of a video under work."""

        def write(self, frame: Frame, faces: Sequence[FrameResult]) -> None:
            super().write(frame, faces)
            tell(self._frames)

    def make(origin: Origin) -> Sink:
        facts.update(width=origin.size[0], height=origin.size[1], fps=origin.fps)
        return Telling(path, origin.size)

    return make
