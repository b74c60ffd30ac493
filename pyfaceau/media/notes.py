"""What speaks against a recording, in a line each: noticed while it is read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from pyfaceau.media.picture import FrameSource
from pyfaceau.types import Frame

_SAID = {
    "resized": "{n} frames are stored in another size; they were brought to {size}",
    "clock": "the clock did not run forward {n} times (first at frame {first}); it was continued",
    "damaged": "the decoder reports damage in {n} frames (first {first})",
    "cut": "the scene changes {n} times (first at frame {first}), maybe to another person",
    "turned": "the face is not upright; {n} frames were measured turned",
}


class Notes:
    """Counts the marks of frames as they pass.

    Attributes
    ----------
    counts : Counter
        Frames with each mark.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._first: dict[str, int] = {}

    def watch(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Yield frames as they are, and note their marks.

        Parameters
        ----------
        frames : iterable of Frame
            In order.

        Yields
        ------
        Frame
            The same.
        """
        for frame in frames:
            for mark in frame.marks:
                self.note(mark, frame.index)
            yield frame

    def note(self, mark: str, index: int) -> None:
        """Note one mark.

        Parameters
        ----------
        mark : str
            One of `pyfaceau.types.MARKS`.
        index : int
            Number of the frame, from 0.
        """
        self.counts[mark] += 1
        self._first.setdefault(mark, index + 1)

    def lines(self, frames: FrameSource) -> list[str]:
        """Say what was noticed.

        Parameters
        ----------
        frames : FrameSource
            What was read.

        Returns
        -------
        list of str
            A line for each thing, worst first.
        """
        size = f"{frames.width}x{frames.height}"
        said = [
            _SAID[mark].format(n=self.counts[mark], first=self._first[mark], size=size)
            for mark in ("damaged", "cut", "clock", "resized", "turned")
            if self.counts[mark]
        ]
        return [*said, *frames.remarks]
