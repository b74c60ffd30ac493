"""Actions of a video: names, starts and ends."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from pyfaceau.errors import InputError

STANDARD = (
    "rest", "raise brows", "close eyes gently", "close eyes tightly", "blink", "wrinkle nose",
    "smile lips closed", "smile lips open", "pucker", "show lower teeth", "puff cheeks", "frown",
    "speak",
)  # fmt: skip
"""Names of actions that have a meaning here; any other name is taken as it is."""

REST = STANDARD[0]


@dataclass(frozen=True)
class Interval:
    """One action.

    Attributes
    ----------
    action : str
        Its name; one of `STANDARD` in whichever case, or a free one.
    start, end : float
        Seconds of the video, as its table has them; start < end.
    """

    action: str
    start: float
    end: float

    def __post_init__(self) -> None:
        name = " ".join(str(self.action).split())
        if not name:
            raise InputError(
                f"action: expected a name, got none for {self.start:g} s to {self.end:g} s"
            )
        known = name.lower().replace("_", " ")
        object.__setattr__(self, "action", known if known in STANDARD else name)
        if not all(math.isfinite(value) for value in (self.start, self.end)):
            raise InputError(f"{name}: expected start and end in seconds, got {self._said}")
        if not 0 <= self.start < self.end:
            raise InputError(f"{name}: expected 0 <= start < end, got {self._said}")

    @property
    def _said(self) -> str:
        return f"{self.start:g} s to {self.end:g} s"

    def __str__(self) -> str:
        return f"{self.action} ({self._said})"


@dataclass(frozen=True)
class ActionList:
    """The actions of one video, in the order of time, none reaching into the next.

    Attributes
    ----------
    intervals : tuple of Interval
        Sorted by their start.
    """

    intervals: tuple[Interval, ...]

    def __post_init__(self) -> None:
        ordered = tuple(sorted(self.intervals, key=lambda one: (one.start, one.end)))
        object.__setattr__(self, "intervals", ordered)
        for one, other in pairwise(ordered):
            if other.start < one.end:
                raise InputError(f"{other}: expected a start after {one}, the two overlap")

    def __iter__(self) -> Iterator[Interval]:
        return iter(self.intervals)

    def __len__(self) -> int:
        return len(self.intervals)

    @property
    def rest(self) -> tuple[Interval, ...]:
        """Those of the resting face."""
        return tuple(one for one in self.intervals if one.action == REST)

    def check_within(self, duration: float) -> None:
        """Refuse actions outside the video.

        Parameters
        ----------
        duration : float
            Seconds at which the video ends.

        Raises
        ------
        InputError
            If one ends later.
        """
        for one in self.intervals:
            if one.end > duration:
                raise InputError(f"{one}: expected an end within the video's {duration:.3f} s")

    def as_csv(self) -> str:
        """Return them as `read_actions` reads them: columns action, start, end."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(("action", "start", "end"))
        writer.writerows((one.action, f"{one.start:.3f}", f"{one.end:.3f}") for one in self)
        return text.getvalue()
