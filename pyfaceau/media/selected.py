"""A part of a video as a video: what a `Selection` leaves of its frames."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from pyfaceau.errors import InputError
from pyfaceau.media.picture import FrameSource
from pyfaceau.types import Frame
from pyfaceau.types.selection import Selection

if TYPE_CHECKING:
    from typing_extensions import Self

_NO_TIMES = (0.0, math.inf, 0.0)
_SLACK = 1e-6
"""Seconds that a time stamp may fall short of what its frame rate promises, by rounding."""


class PassedFrames:
    """What a source has that passes on another's frames; which ones, its subclasses say.

    Parameters
    ----------
    source : FrameSource
        An open video or sequence.

    Attributes
    ----------
    source : FrameSource
        The source.
    path : Path
        The source's.
    width, height : int
        Size of the first frame, pixels.
    fps : float
        Frames per second.
    frame_count : int or None
        Frames to come, where that is known.
    aspect : Fraction
        Width of a stored pixel over its height.
    """

    def __init__(self, source: FrameSource) -> None:
        self.source = source
        self.path: Path = source.path
        self.width, self.height = source.width, source.height
        self.fps, self.frame_count, self.aspect = source.fps, source.frame_count, source.aspect

    @property
    def remarks(self) -> tuple[str, ...]:
        """The source's remarks on its pixels and its clock."""
        return self.source.remarks

    def __enter__(self) -> Self:
        self.source.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.source.__exit__(kind, error, trace)


class SelectedFrames(PassedFrames):
    """Some of the frames of a source, with the numbers and times that they have there.

    Parameters
    ----------
    source : FrameSource
        An open video or sequence; it is read from its start to the last frame that is wanted.
    selection : Selection
        Which frames.

    Attributes
    ----------
    fps : float
        Frames per second that are left, for files that need a rate.
    frame_count : int or None
        Frames to come, about, where the source knows its own.

    Raises
    ------
    InputError
        If the selection's part of the picture is not in it.
    """

    def __init__(self, source: FrameSource, selection: Selection) -> None:
        selection.check_picture(source.width, source.height)
        if source.path.is_dir() and (selection.start, selection.end, selection.rate) != _NO_TIMES:
            raise InputError(
                f"{source.path}: start, end, rate: expected a video, got a folder of pictures, "
                "which have no time; max_frames and every count pictures"
            )
        super().__init__(source)
        self._selection = selection
        self.fps = min(selection.rate or math.inf, source.fps / selection.every)
        self.frame_count = self._expected()

    def _expected(self) -> int | None:
        """Return about how many frames will come."""
        count, selection = self.source.frame_count, self._selection
        if count is None:
            return None
        end = min(selection.end, count / self.source.fps)
        expected = max(1, round((end - selection.start) * self.fps))
        return min(expected, selection.max_frames or expected)

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames that are wanted.

        Yields
        ------
        Frame
            As the source has it.

        Raises
        ------
        InputError
            If there is none: the video ends before the part begins.
        VideoError
            If the source breaks off before the part ends.
        """
        wanted, last = self._selection, 0.0
        inside = taken = 0
        due = -math.inf
        for frame in self.source:
            last = frame.timestamp
            if last > wanted.end + _SLACK:
                break
            if last < wanted.start - _SLACK:
                continue
            turn = inside % wanted.every == 0
            if wanted.rate:
                turn = last >= due - _SLACK
            inside += 1
            if not turn:
                continue
            if wanted.rate:
                due = (last if taken == 0 else due) + 1 / wanted.rate
            yield frame
            taken += 1
            if taken == wanted.max_frames:
                break
        if not taken:
            raise InputError(
                f"{self.path}: start: expected a time in the video, which ends at {last:.3f} s, "
                f"got {wanted.start:g}"
            )


def selected(source: FrameSource, selection: Selection) -> FrameSource:
    """Return what a selection leaves of a source.

    Parameters
    ----------
    source : FrameSource
        An open video or sequence.
    selection : Selection
        Which frames; a part of the picture is checked too.

    Returns
    -------
    FrameSource
        The source itself where all of its frames are wanted.

    Raises
    ------
    InputError
        If the selection's part of the picture is not in it.
    """
    if selection.of_frames:
        return SelectedFrames(source, selection)
    selection.check_picture(source.width, source.height)
    return source
