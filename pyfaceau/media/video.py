"""Decoding: every frame of a video, in order, with the colours that OpenFace sees.

OpenFace decodes with OpenCV 4.6, which converts every YUV frame with the BT.601 matrix at limited
range, whatever the stream's colour tags say; later releases of OpenCV follow the tags, which moves
action units by up to 0.3. Here no tag is heeded, so the pixels are OpenFace's bit for bit: see
`pyfaceau.media.colour`.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, cast

import av
from av.error import FFmpegError
from av.stream import Disposition

from pyfaceau.errors import VideoError
from pyfaceau.media.clock import FixedClock, StreamClock
from pyfaceau.media.conversion import Conversion
from pyfaceau.media.decoding import steady_options
from pyfaceau.media.extent import declared_size
from pyfaceau.media.grid import PixelGrid
from pyfaceau.media.kind import content_of
from pyfaceau.types import Frame, UInt8

if TYPE_CHECKING:
    import av.container
    from typing_extensions import Self

FALLBACK_FPS = 30.0
"""Frames per second of a stream that does not tell, as in OpenFace."""

_CLOCKLESS = frozenset({"h264", "hevc", "m4v", "mjpeg", "mpegvideo", "obu", "vc1", "vvc"})
"""Raw streams: pictures without times, to which FFmpeg gives 25 a second."""

_TEXT_ART = frozenset({"ansi", "bintext", "idf", "xbin"})
"""Codecs under which a plain text file passes for video."""


class VideoReader:
    """A video file as an iterator of frames, to be used once, in a ``with`` statement.

    The first frame is decoded at construction, so that a file without one is refused there. Edit
    lists are honoured: frames that a player does not show are not decoded. Rotation metadata is
    applied in quarter turns (others are ignored, mirroring too), as OpenCV does.

    Parameters
    ----------
    path : str or Path
        The file.
    fixed_fps : bool
        Stamp frame k (from 1) with (k - 1) * (1 / fps), as OpenFace does, instead of the time at
        which a player shows it.
    square : bool
        Make pixels square where the file says that they are not, see `PixelGrid`.
    fps : float, optional
        Frames per second to reckon with, whatever the file says; frames are stamped by it.

    Attributes
    ----------
    path : Path
        The file.
    width, height : int
        Size of the first frame in pixels, after rotation.
    fps : float
        Average frame rate of the stream; 30 where it does not tell.
    frame_count : int or None
        What the file says it holds, or its duration times `fps`: for progress bars. None where
        neither is known.
    codec : str
        FFmpeg's name of the codec.
    rotation : int
        Counter-clockwise degrees that were applied: 0, 90, 180 or 270.
    aspect : Fraction
        Width of a stored pixel over its height.
    corrected : bool
        Whether pixels were made square.
    clockless : bool
        The file has no clock, so that `fps` is assumed unless given.
    damaged : int
        Packets so far that could not be decoded; their frames are missing.

    Raises
    ------
    VideoError
        If there is no such file or no frame of video in it.
    """

    def __init__(
        self,
        path: str | Path,
        fixed_fps: bool = False,
        *,
        square: bool = True,
        fps: float | None = None,
    ) -> None:
        self.path = Path(path)
        self.damaged = 0
        self._square = square
        self._container = _open(self.path)
        try:
            self._stream = _first_video_stream(self.path, self._container)
            self._describe(fixed_fps, fps)
        except BaseException:
            self._container.close()
            raise

    def _describe(self, fixed_fps: bool, fps: float | None) -> None:
        """Read the stream's facts and its first frame."""
        stream, container = self._stream, self._container
        stream.thread_type = "NONE"  # several threads conceal damage differently from run to run
        stream.codec_context.thread_count = 1
        rate = stream.average_rate
        self.fps = fps or (float(rate) if rate and rate > 0 else FALLBACK_FPS)
        self.clockless = fps is None and container.format.name in _CLOCKLESS
        self.codec = stream.codec_context.name
        self.frame_count = stream.frames or None
        if self.frame_count is None and container.duration:
            self.frame_count = max(1, round(container.duration / 1_000_000 * self.fps))
        self._clock: FixedClock | StreamClock = FixedClock(self.fps)
        if not fixed_fps and fps is None and stream.time_base is not None:
            self._clock = StreamClock(container.start_time or 0, stream.time_base, self.fps)
        self._decoded = self._decode()
        self._first = next(self._decoded, None)
        if self._first is None:
            raise VideoError(f"{self.path}: expected video, no frame in it can be decoded")
        self.rotation = self._first.rotation % 360 if self._first.rotation % 90 == 0 else 0
        self._grid = PixelGrid.of(stream, self._first, self._square)
        self.aspect, self.corrected = self._grid.aspect, self._grid.corrected
        size = self._grid.width, self._grid.height
        self._conversion = Conversion(*size)
        self.width, self.height = size[::-1] if self.rotation % 180 == 90 else size

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def remarks(self) -> tuple[str, ...]:
        """Lines on its pixels and its clock, where there is something to say."""
        said = []
        if self.aspect != 1:
            done = (
                f"made square, {self.width}x{self.height}" if self.corrected else "left as stored"
            )
            said.append(f"pixels are {self.aspect.numerator}:{self.aspect.denominator}, {done}")
        if self.clockless:
            said.append(f"the stream has no clock: {self.fps:g} frames/s assumed, --fps sets it")
        return tuple(said)

    def close(self) -> None:
        """Close the file; frames already given stay valid."""
        self._decoded.close()
        self._container.close()

    def __iter__(self) -> Iterator[Frame]:
        """Yield all frames.

        Yields
        ------
        Frame
            BGR picture, index from 0, seconds.

        Raises
        ------
        VideoError
            After the last frame that could be decoded: if the file was cut off, or a part of it
            could not be decoded.
        """
        first, self._first = self._first, None
        if first is None:
            return
        yield self._frame(0, first)
        for index, picture in enumerate(self._decoded, 1):
            yield self._frame(index, picture)
        self._complain()

    def _frame(self, index: int, picture: av.VideoFrame) -> Frame:
        """Return a decoded picture with its time and what was noticed of it."""
        time, corrected = self._clock.time(index, picture)
        marks = {
            "resized": self._grid.resized(picture),
            "clock": corrected,
            "damaged": bool(picture.is_corrupt),
        }
        marked = frozenset(name for name, raised in marks.items() if raised)
        return Frame(self._picture(picture), index, time, marks=marked)

    def _decode(self) -> Generator[av.VideoFrame, None, None]:
        """Yield the decoder's frames; skip and count what it refuses."""
        packets, codec = self._container.demux(self._stream), self._stream.codec_context
        while True:
            try:
                packet = next(packets, None)
            except FFmpegError:
                self.damaged += 1
                packet = None
            if packet is None or (packet.size == 0 and packet.dts is None):
                break
            if packet.size == 0:
                continue
            if not codec.is_open:
                codec.options = steady_options(codec, packet)
            try:
                yield from self._stream.decode(packet)
            except FFmpegError:
                self.damaged += 1
        try:
            yield from self._stream.decode(None)
        except av.EOFError:
            return
        except FFmpegError:
            self.damaged += 1

    def _picture(self, frame: av.VideoFrame) -> UInt8:
        """Convert a frame to an upright BGR array."""
        image = self._conversion.bgr(frame)
        return _turned(image, self.rotation) if self.rotation else image

    def _complain(self) -> None:
        """Raise if the file did not give all that it should."""
        claimed, size = declared_size(self.path), self.path.stat().st_size
        if claimed is not None and claimed > size:
            raise VideoError(f"{self.path}: cut off, expected {claimed:,} bytes, got {size:,}")
        if self.damaged:
            raise VideoError(f"{self.path}: damaged, {self.damaged} packets cannot be decoded")


def _open(path: Path) -> av.container.InputContainer:
    """Open a container, or say in one line why not."""
    if not path.exists():
        raise VideoError(f"{path}: no such file")
    if not path.is_file():
        raise VideoError(f"{path}: expected a video file, got a folder or device")
    size = path.stat().st_size
    if size == 0:
        raise VideoError(f"{path}: expected a video file, got 0 bytes")
    content = content_of(path)
    if content.kind == "still":
        raise VideoError(f"{path}: expected a video, got a still picture ({content.format})")
    try:
        return av.open(f"file:{path}")
    except (FFmpegError, OSError, ValueError) as error:
        claimed = declared_size(path) or 0
        cut = f"; it is cut off, expected {claimed:,} bytes, got {size:,}" if claimed > size else ""
        reason = getattr(error, "strerror", None) or str(error)
        raise VideoError(f"{path}: cannot be read as a video: {reason}{cut}") from None


def _turned(image: UInt8, degrees: int) -> UInt8:
    """Turn a picture counter-clockwise by 90, 180 or 270 degrees."""
    import cv2

    codes = {
        90: cv2.ROTATE_90_COUNTERCLOCKWISE,
        180: cv2.ROTATE_180,
        270: cv2.ROTATE_90_CLOCKWISE,
    }
    return cast("UInt8", cv2.rotate(image, codes[degrees]))


def _first_video_stream(path: Path, container: av.container.InputContainer) -> av.VideoStream:
    """Return the first stream of moving pictures (cover art is none)."""
    for stream in container.streams.video:
        if not stream.disposition & Disposition.attached_pic:
            if stream.codec_context is None or stream.codec_context.name in _TEXT_ART:
                continue
            return stream
    kinds = ", ".join(sorted({stream.type for stream in container.streams})) or "nothing"
    raise VideoError(f"{path}: expected a video stream, got {kinds}")
