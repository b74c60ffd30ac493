"""Which part of a video is measured, and whose face."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pyfaceau.errors import InputError
from pyfaceau.types.face import FaceBox

_PLACES = ("largest", "left", "right")


@dataclass(frozen=True)
class Selection:
    """Part of a video, and one of the people in it. Frame numbers and times stay the source's.

    Attributes
    ----------
    start, end : float
        Seconds, by the frames' time stamps; both belong to the part.
    every : int
        Take each N-th frame of the part, from its first on.
    rate : float
        Take so many frames per second of the source's time; 0: all.
    max_frames : int
        Take so many frames at most; 0: all.
    face : str
        Whose face is followed where several are found: ``'largest'``, ``'left'``, ``'right'`` (in
        the picture), or a number from 1, counted from the picture's left.
    roi : tuple of int
        Left, top, width and height of the part of the picture, pixels, in which the middle of a
        face has to lie when it is found; empty for all of it.

    Raises
    ------
    InputError
        If a value is out of range, or they contradict each other.
    """

    start: float = 0.0
    end: float = math.inf
    every: int = 1
    rate: float = 0.0
    max_frames: int = 0
    face: str = "largest"
    roi: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.start < math.inf:
            raise InputError(f"start: expected seconds, 0 or more, got {self.start:g}")
        if not self.end > self.start:
            raise InputError(f"end: expected more than start, {self.start:g} s, got {self.end:g}")
        if self.every < 1:
            raise InputError(f"every: expected 1 or more, got {self.every}")
        if not 0 <= self.rate < math.inf:
            raise InputError(f"rate: expected frames per second, got {self.rate:g}")
        if self.rate and self.every > 1:
            raise InputError(f"every and rate: expected one, got {self.every} and {self.rate:g}")
        if self.max_frames < 0:
            raise InputError(f"max_frames: expected 1 or more, got {self.max_frames}")
        if self.face not in _PLACES and not (self.face.isdecimal() and int(self.face) > 0):
            places = ", ".join(_PLACES)
            raise InputError(f"face: expected {places} or a number from 1, got {self.face!r}")
        if self.roi and (len(self.roi) != 4 or min(self.roi[2:]) < 1):
            text = ",".join(map(str, self.roi))
            raise InputError(f"roi: expected X,Y,WIDTH,HEIGHT in pixels, got {text}")

    @property
    def of_frames(self) -> bool:
        """Whether frames are left out."""
        return (self.start, self.end, self.every, self.rate, self.max_frames) != (
            0.0, math.inf, 1, 0.0, 0,
        )  # fmt: skip

    @property
    def of_people(self) -> bool:
        """Whether one face is preferred to another by more than its size."""
        return bool(self.roi) or self.face != "largest"

    def check_picture(self, width: int, height: int) -> None:
        """Refuse a part of the picture that is not in it.

        Parameters
        ----------
        width, height : int
            Of the picture, pixels.

        Raises
        ------
        InputError
            If `roi` reaches outside.
        """
        if not self.roi:
            return
        left, top, across, down = self.roi
        if left < 0 or top < 0 or left + across > width or top + down > height:
            text = ",".join(map(str, self.roi))
            raise InputError(f"roi: expected a part of the {width}x{height} picture, got {text}")

    def choose(self, boxes: Sequence[FaceBox]) -> FaceBox | None:
        """Return the box of the face that is to be followed.

        Parameters
        ----------
        boxes : sequence of FaceBox
            All that were found, largest first where the order matters.

        Returns
        -------
        FaceBox or None
            None where the one that is wanted is not among them.
        """
        inside = self.inside(boxes)
        if self.face == "largest":
            return max(inside, key=lambda box: box.width * box.height, default=None)
        inside.sort(key=lambda box: box.x + box.width / 2)
        number = {"left": 0, "right": len(inside) - 1}.get(self.face)
        if number is None:
            number = int(self.face) - 1
        return inside[number] if 0 <= number < len(inside) else None

    def inside(self, boxes: Sequence[FaceBox]) -> list[FaceBox]:
        """Return the boxes whose middle lies in `roi`.

        Parameters
        ----------
        boxes : sequence of FaceBox
            All that were found.

        Returns
        -------
        list of FaceBox
            In their order.
        """
        if not self.roi:
            return list(boxes)
        left, top, across, down = self.roi
        return [
            box
            for box in boxes
            if 0 <= box.x + box.width / 2 - left < across
            and 0 <= box.y + box.height / 2 - top < down
        ]
