"""When a frame is shown: clocks that run forward, whatever the file's own does."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import av

LEAP = 3600
"""A gap of more seconds than this is a clock that was set anew, not a pause."""


class FixedClock:
    """OpenFace's stamps: frame number times the reciprocal of the frame rate.

    Parameters
    ----------
    fps : float
        Frames per second.
    """

    restarts = 0
    """It never restarts."""

    def __init__(self, fps: float) -> None:
        self._period = 1.0 / fps

    def time(self, index: int, frame: av.VideoFrame) -> tuple[float, bool]:  # noqa: ARG002
        """Return when a frame is shown.

        Parameters
        ----------
        index : int
            Its number, from 0.
        frame : VideoFrame
            Not looked at.

        Returns
        -------
        float
            Seconds.
        bool
            Whether the file's clock was corrected here: never.
        """
        return index * self._period, False


class StreamClock:
    """Presentation times, counted from the file's start, that never repeat or go back.

    Where the stream's own clock does not move forward (recordings joined end to end), or leaps by
    more than an hour, it goes on from the last frame by the stream's own step.

    Parameters
    ----------
    start : int
        The file's start, microseconds.
    time_base : Fraction
        Seconds of a tick.
    fps : float
        Frames per second, for frames without a stamp and for the step after a restart.

    Attributes
    ----------
    restarts : int
        How often the clock was corrected.
    """

    def __init__(self, start: int, time_base: Fraction, fps: float) -> None:
        self._start = Fraction(max(start, 0), 1_000_000)
        self._time_base = time_base
        self._period = 1 / Fraction(fps)
        self._last: Fraction | None = None
        self._moved = Fraction(0)
        self.restarts = 0

    def time(self, index: int, frame: av.VideoFrame) -> tuple[float, bool]:  # noqa: ARG002
        """Return when a frame is shown; one without a stamp follows its predecessor.

        Parameters
        ----------
        index : int
            Its number, from 0.
        frame : VideoFrame
            The decoder's frame.

        Returns
        -------
        float
            Seconds, 0 or more, later than the frame before.
        bool
            Whether the file's clock was corrected here.
        """
        due = Fraction(0) if self._last is None else self._last + self._period
        now = due
        corrected = False
        if frame.pts is not None:
            now = frame.pts * self._time_base - self._start + self._moved
            if self._last is None:
                self._moved -= min(now, Fraction(0))
                now = max(now, Fraction(0))
            elif now <= self._last or now > self._last + LEAP:
                self._moved += due - now
                now, corrected = due, True
                self.restarts += 1
        self._last = now
        return float(now), corrected
