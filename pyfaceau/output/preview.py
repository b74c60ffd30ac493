"""A small copy of a video in which any frame is found at once."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np
from av.error import FFmpegError

from pyfaceau.errors import InputError, OutputError
from pyfaceau.output.sink import Sink
from pyfaceau.output.target import Target, writing
from pyfaceau.types import Frame, FrameResult, UInt8

if TYPE_CHECKING:
    from typing_extensions import Self

WIDTH = 480
"""Pixels across, at most."""

KEY_EVERY = 12
"""Frames from one that stands for itself to the next: so many are decoded to reach any one."""

_PERIOD = Fraction(1, 25)


class PreviewVideo(Sink):
    """Writes every frame, small, with a key frame every `KEY_EVERY`.

    Parameters
    ----------
    path : str or Path
        The file, .mp4.
    size : (int, int)
        Width and height of the source, pixels.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """

    def __init__(self, path: str | Path, size: tuple[int, int]) -> None:
        super().__init__(Target(path, (".mp4",)))
        width = min(size[0], WIDTH)
        height = max(2, round(size[1] * width / size[0]))
        self._size = (max(2, width - width % 2), height - height % 2)
        self._frames = 0
        self._open = True
        with writing(self.target.path):
            self.target.part.touch()
            self._file = av.open(f"file:{self.target.part}", "w", format="mp4")
        options = {"flags": "+qscale", "global_quality": str(4 * 118), "g": str(KEY_EVERY)}
        stream = self._file.add_stream("mpeg4", rate=1 / _PERIOD, options=options)
        stream.width, stream.height = self._size
        stream.pix_fmt = "yuv420p"
        stream.thread_count = 1
        self._stream = stream

    def write(self, frame: Frame, faces: Sequence[FrameResult]) -> None:  # noqa: ARG002
        """Append a frame.

        Parameters
        ----------
        frame : Frame
            The picture.
        faces : sequence of FrameResult
            Not drawn.

        Raises
        ------
        OutputError
            If the disk is full.
        """
        picture = av.VideoFrame.from_ndarray(_resized(frame.image, self._size), format="bgr24")
        picture.pts, picture.time_base = self._frames, _PERIOD
        self._frames += 1
        self._mux(picture)

    def _mux(self, picture: av.VideoFrame | None) -> None:
        try:
            self._file.mux(self._stream.encode(picture))
        except FFmpegError as error:
            reason = error.strerror or error
            raise OutputError(f"{self.target.path}: cannot be written: {reason}") from None

    def _close(self) -> None:
        if not self._open:
            return
        self._open = False
        self._mux(None)
        self._file.close()


def _resized(image: UInt8, size: tuple[int, int]) -> UInt8:
    """Return a picture made smaller, by halves first: a third of the time of one step."""
    while image.shape[1] >= 2 * size[0]:
        half = (image.shape[1] // 2, max(1, image.shape[0] // 2))
        image = np.asarray(cv2.resize(image, half, interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), np.uint8)


class Preview:
    """The frames of a `PreviewVideo`, in any order; used in a ``with`` statement.

    Parameters
    ----------
    path : str or Path
        The file.

    Attributes
    ----------
    frames : int
        How many there are.
    """

    def __init__(self, path: str | Path) -> None:
        self._file = av.open(f"file:{path}")
        self._stream = self._file.streams.video[0]
        self.frames = self._stream.frames

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def picture(self, index: int) -> UInt8:
        """Return a frame.

        Parameters
        ----------
        index : int
            From 0.

        Returns
        -------
        (h, w, 3) uint8
            BGR.

        Raises
        ------
        InputError
            If there is no such frame.
        """
        if not 0 <= index < self.frames:
            raise InputError(f"index: expected 0 to {self.frames - 1}, got {index}")
        base = self._stream.time_base or _PERIOD
        self._file.seek(round(index * _PERIOD / base), stream=self._stream)
        for frame in self._file.decode(self._stream):
            if frame.pts is not None and round(frame.pts * base / _PERIOD) == index:
                return np.asarray(frame.to_ndarray(format="bgr24"))
        raise InputError(f"index: frame {index} is missing in the preview")
