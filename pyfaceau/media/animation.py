"""Animated pictures as videos, of the formats that FFmpeg does not play: WebP and AVIF."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np

from pyfaceau.errors import VideoError
from pyfaceau.media.kind import Content
from pyfaceau.types import Frame, UInt8

if TYPE_CHECKING:
    from PIL import Image
    from typing_extensions import Self

MOVING = (Content("webp", "video", 2), Content("avif", "video", 2))
"""What is read here; GIF and PNG animations are read as other videos are."""


class Animation:
    """An animated picture, to be used as `pyfaceau.media.video.VideoReader` is.

    Parameters
    ----------
    path : str or Path
        The file.

    Attributes
    ----------
    path : Path
        The file.
    width, height : int
        Pixels.
    fps : float
        Frames by their whole duration.
    frame_count : int
        Frames.
    aspect : Fraction
        1.
    remarks : tuple of str
        Empty.

    Raises
    ------
    VideoError
        If it cannot be read.
    """

    def __init__(self, path: str | Path) -> None:
        from PIL import Image

        self.path = Path(path)
        try:
            self._picture = Image.open(self.path)
            self._times = _times(self._picture)
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            raise VideoError(f"{path}: cannot be read as a video: {error}") from None
        self.width, self.height = self._picture.size
        self.frame_count = len(self._times) - 1
        self.fps = self.frame_count / self._times[-1]
        self.aspect, self.remarks = Fraction(1), ()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._picture.close()

    def __iter__(self) -> Iterator[Frame]:
        """Yield all frames.

        Yields
        ------
        Frame
            BGR picture, index from 0, seconds.

        Raises
        ------
        VideoError
            At the first frame that cannot be read.
        """
        for index, time in enumerate(self._times[:-1]):
            try:
                self._picture.seek(index)
                rgb: UInt8 = np.asarray(self._picture.convert("RGB"), np.uint8)
            except (OSError, ValueError, EOFError) as error:
                raise VideoError(
                    f"{self.path}: frame {index + 1} cannot be read: {error}"
                ) from None
            yield Frame(np.ascontiguousarray(rgb[:, :, ::-1]), index, time)


def _times(picture: Image.Image) -> list[float]:
    """Return when each frame is shown, and when the last one ends, seconds."""
    times = [0.0]
    for index in range(getattr(picture, "n_frames", 1)):
        picture.seek(index)
        picture.load()
        times.append(times[-1] + (picture.info.get("duration") or 100) / 1000)
    return times
