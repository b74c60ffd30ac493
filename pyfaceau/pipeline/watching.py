"""Frames on their way to the tracker, watched for what speaks against the recording."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from pyfaceau.alignment.covered import covered
from pyfaceau.config import Config
from pyfaceau.errors import VideoError
from pyfaceau.media.notes import Notes
from pyfaceau.media.picture import FrameSource
from pyfaceau.media.scene import with_cuts
from pyfaceau.output.quality import COVERED
from pyfaceau.pipeline.recorder import Written
from pyfaceau.tracking.gray import with_gray
from pyfaceau.tracking.tracker import upright_detector
from pyfaceau.tracking.turning import turned_by, with_turns
from pyfaceau.types import Frame, FrameResult

logger = logging.getLogger(__name__)

MOST = 3
"""Lines that are said of a recording, at most."""


class Watching:
    """Notes of one recording at a time.

    Parameters
    ----------
    config : Config
        What is done where the scene changes, where faces are not upright, and whose is followed.
    one : bool
        One face is followed: others are worth a word, unless one is chosen.

    Attributes
    ----------
    notes : Notes
        What was noticed so far of the recording that was watched last.
    """

    def __init__(self, config: Config, one: bool = True) -> None:
        self._reading = config.reading
        self._one = one and not config.selection.of_people
        self._detect = upright_detector(config)
        self.notes = Notes()
        self._covered: Counter[str] = Counter()
        self._faces = 0

    def frames(self, source: FrameSource) -> Iterator[Frame]:
        """Return a recording's frames with their marks, in gray too.

        Parameters
        ----------
        source : FrameSource
            An open video or sequence.

        Returns
        -------
        iterator of Frame
            As they come.

        Raises
        ------
        VideoError
            At a change of scene, where that is asked for; or as from `source`.
        """
        self.notes = Notes()
        self._covered, self._faces = Counter(), 0
        frames = self._turned(self._whole(source, with_cuts(source)))
        return map(with_gray, self.notes.watch(frames))

    def _turned(self, frames: Iterator[Frame]) -> Iterator[Frame]:
        """Mark frames with the turn in which their face is upright."""
        if self._reading.rotate == "auto":
            return frames if self._detect is None else with_turns(frames, self._detect)
        turn = int(self._reading.rotate) // 90
        return (turned_by(frame, turn) for frame in frames)

    def _whole(self, source: FrameSource, frames: Iterable[Frame]) -> Iterator[Frame]:
        for frame in frames:
            if "cut" in frame.marks and self._reading.at_cuts == "fail":
                raise VideoError(
                    f"{source.path}: the scene changes at frame {frame.index + 1}; "
                    "--at-cuts restart or keep goes on"
                )
            yield frame

    def starts_anew(self, frame: Frame) -> bool:
        """Tell whether a new neutral face is to be learnt from a frame on.

        Parameters
        ----------
        frame : Frame
            A frame that was watched.

        Returns
        -------
        bool
            The scene changes with it, and that counts.
        """
        return "cut" in frame.marks and self._reading.at_cuts == "restart"

    def look(self, result: FrameResult) -> FrameResult:
        """Mark a face that something covers.

        Parameters
        ----------
        result : FrameResult
            Of a frame; one without an aligned face stays as it is.

        Returns
        -------
        FrameResult
            With ``mouth_covered`` or ``eye_covered`` among its marks, where that is so.
        """
        if result.aligned is None:
            return result
        found = covered(result.aligned, result.face.landmarks)
        self._faces += 1
        self._covered.update(found)
        return replace(result, marks=result.marks | found) if found else result

    def report(self, source: FrameSource, path: str | Path, written: Written) -> None:
        """Say in a few lines what speaks against a table.

        Parameters
        ----------
        source : FrameSource
            What was read.
        path : str or Path
            As the user named it.
        written : Written
            The table.
        """
        lines = self.notes.lines(source)
        if not written.faces:
            count = f"{written.frames} " if written.frames else ""
            lines.insert(0, f"no face in any of its {count}frames")
        lines[:0] = [
            f"{self._covered[mark]} of {self._faces} frames {text}"
            for mark, text in COVERED.items()
            if self._covered[mark] > self._faces / 2
        ]
        if self._one and self.notes.counts["several"]:
            lines.insert(0, "more than one face is in view: the largest is followed, see --face")
        for line in lines[:MOST]:
            logger.warning("%s: %s", path, line)
