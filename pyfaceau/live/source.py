"""Where live pictures come from: a camera, or a file played as if it were one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from pyfaceau.errors import VideoError
from pyfaceau.media.video import VideoReader
from pyfaceau.types import Frame, UInt8

if TYPE_CHECKING:
    from typing_extensions import Self

_ATTEMPTS = 3


@dataclass(frozen=True, eq=False)
class Captured:
    """A picture as it came in.

    Attributes
    ----------
    image : (H, W, 3) uint8
        BGR.
    index : int
        Which picture of the source, from 0.
    timestamp : float
        Seconds: of a file, where it stands in it; of a camera, since the first picture.
    clock : float
        When it was there, `time.monotonic`.
    """

    image: UInt8
    index: int
    timestamp: float
    clock: float


class Source(Protocol):
    """Pictures as time goes by; used in a ``with`` statement."""

    name: str
    first: UInt8

    def frames(self) -> Iterator[Captured]:
        """Yield pictures when it is their time; the clock starts with the first.

        Yields
        ------
        Captured
            In order.

        Raises
        ------
        VideoError
            If no more pictures can be had though they should.
        """

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: object) -> None: ...


class FileSource:
    """A video file at the speed of its own time stamps.

    Parameters
    ----------
    path : str or Path
        The file.
    square : bool
        Whether pixels that are not square are made so.

    Attributes
    ----------
    name : str
        The file.
    first : (H, W, 3) uint8
        Its first picture.

    Raises
    ------
    VideoError
        If it cannot be read.
    """

    def __init__(self, path: str | Path, square: bool = True) -> None:
        self.name = str(path)
        self._reader = VideoReader(path, square=square)
        self._frames = iter(self._reader)
        self._start: Frame = next(self._frames)
        self.first = self._start.image

    def frames(self) -> Iterator[Captured]:
        """Yield the frames when it is their time.

        Yields
        ------
        Captured
            `clock` is when the frame was due, also where decoding was late.

        Raises
        ------
        VideoError
            After the last frame that can be read, if the file goes on.
        """
        start = time.monotonic()
        yield Captured(self._start.image, 0, self._start.timestamp, start)
        for frame in self._frames:
            due = start + frame.timestamp - self._start.timestamp
            time.sleep(max(0.0, due - time.monotonic()))
            yield Captured(frame.image, frame.index, frame.timestamp, due)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._reader.close()


class CameraSource:
    """A camera of this machine.

    Parameters
    ----------
    number : int
        Which, from 0.

    Attributes
    ----------
    name : str
        ``camera N``.
    first : (H, W, 3) uint8
        A first picture, to get ready with.

    Raises
    ------
    VideoError
        If there is no such camera or it gives no picture.
    """

    def __init__(self, number: int = 0) -> None:
        import cv2

        self.name = f"camera {number}"
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
        self._camera: Any = cv2.VideoCapture(number)
        if not self._camera.isOpened():
            raise VideoError(
                f"{self.name}: cannot be opened: none is connected under this number, another "
                "program uses it, or this program may not"
            )
        self._camera.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        image = self._read()
        if image is None:
            self._camera.release()
            raise VideoError(f"{self.name}: gives no picture")
        self.first = image

    def frames(self) -> Iterator[Captured]:
        """Yield pictures as they come.

        Yields
        ------
        Captured
            `clock` is when the picture was handed over.

        Raises
        ------
        VideoError
            If the camera gives no more.
        """
        index, start = 0, None
        while True:
            image = self._read()
            now = time.monotonic()
            if image is None:
                raise VideoError(
                    f"{self.name}: gives no more pictures after {index}; was it unplugged?"
                )
            start = now if start is None else start
            yield Captured(image, index, now - start, now)
            index += 1

    def _read(self) -> UInt8 | None:
        """Return the next picture; None where the camera has none, asked three times."""
        for _ in range(_ATTEMPTS):
            there, image = self._camera.read()
            if there:
                return np.ascontiguousarray(image, np.uint8)
        return None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._camera.release()
