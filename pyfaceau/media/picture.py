"""Reading pictures: files, folders, face boxes beside them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np

from pyfaceau.errors import InputError, VideoError
from pyfaceau.media.animation import MOVING, Animation
from pyfaceau.media.kind import content_of, is_input
from pyfaceau.media.video import FALLBACK_FPS, VideoReader
from pyfaceau.types import FaceBox, Frame, UInt8

if TYPE_CHECKING:
    from typing_extensions import Self

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".heic", ".avif")
"""A file of a folder that is called so and cannot be read is reported, not passed over."""

BY_PILLOW = ("heif", "avif", "gif")
"""Formats that OpenCV does not read, or not as they are meant."""


def is_picture(path: str | Path) -> bool:
    """Tell by its content whether a file is a still picture.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    bool
        JPEG, PNG, BMP, TIFF, WebP, JPEG 2000, AVIF, HEIC or GIF with one picture, whatever its
        name.
    """
    path = Path(path)
    return path.is_file() and content_of(path).kind == "still"


def read_picture(path: str | Path) -> UInt8:
    """Read a picture file.

    Parameters
    ----------
    path : str or Path
        JPEG, PNG, BMP, TIFF, WebP, JPEG 2000, AVIF, HEIC or GIF, whatever its name.

    Returns
    -------
    (H, W, 3) uint8
        BGR, upright by EXIF orientation or by the file's own rotation and mirroring; all tiles of
        a HEIC put together; 16 bits reduced to 8, gray repeated, alpha dropped.

    Raises
    ------
    VideoError
        If there is no such file, it is no picture, or there are several in it.
    """
    path = Path(path)
    content = content_of(path)
    if content.pictures > 1 and content.kind == "still":
        raise VideoError(f"{path}: expected one picture, got several pages; save them one by one")
    if content.format in BY_PILLOW:
        return _by_pillow(path, content.format)
    try:
        data = np.fromfile(path, np.uint8)
    except OSError as error:
        raise VideoError(f"{path}: cannot be read: {error.strerror or error}") from error
    try:
        image = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    except cv2.error as error:
        raise VideoError(f"{path}: cannot be read as a picture: {error.err}") from None
    if image is None:
        raise VideoError(f"{path}: cannot be read as a picture ({data.size:,} bytes)")
    return np.asarray(image, dtype=np.uint8)


def _by_pillow(path: Path, name: str) -> UInt8:
    """Read what OpenCV does not: libheif puts tiles together, turns and mirrors."""
    from PIL import Image, ImageOps

    if name == "heif":
        import pillow_heif

        pillow_heif.register_heif_opener()
    try:
        with Image.open(path) as picture:
            upright = ImageOps.exif_transpose(picture).convert("RGB")
            return np.ascontiguousarray(np.asarray(upright, np.uint8)[:, :, ::-1])
    except (OSError, ValueError, SyntaxError, RuntimeError, Image.DecompressionBombError) as error:
        reason = " ".join(str(error).split())
        raise VideoError(f"{path}: cannot be read as a picture: {reason}") from None


def pictures_in(folder: str | Path) -> tuple[Path, ...]:
    """Return the pictures of a folder, in OpenFace's order.

    Parameters
    ----------
    folder : str or Path
        The folder; its own folders are not looked into.

    Returns
    -------
    tuple of Path
        Sorted as strings: s1, s10, s11, s2.

    Raises
    ------
    VideoError
        If it is no folder or holds no picture.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise VideoError(f"{folder}: expected a folder of pictures")
    files = [path for path in folder.iterdir() if _is_meant(path)]
    if not files:
        raise VideoError(f"{folder}: no picture in it")
    return tuple(sorted(files, key=str))


def passed_over(folder: str | Path) -> tuple[Path, ...]:
    """Return what is in a folder and neither a picture nor hidden.

    Parameters
    ----------
    folder : str or Path
        The folder.

    Returns
    -------
    tuple of Path
        Sorted as strings.
    """
    others = (path for path in Path(folder).iterdir() if is_input(path.name))
    return tuple(sorted((path for path in others if not _is_meant(path)), key=str))


def _is_meant(path: Path) -> bool:
    """Tell whether a file of a folder is a picture, or at least calls itself one."""
    named = path.suffix.lower() in SUFFIXES and path.is_file()
    return is_input(path.name) and (named or is_picture(path))


def read_boxes(path: str | Path) -> tuple[FaceBox, ...]:
    """Read the face boxes of a picture.

    Parameters
    ----------
    path : str or Path
        A text file; each line that is not blank holds ``min_x min_y max_x max_y`` of the 68
        landmarks of one face, pixels.

    Returns
    -------
    tuple of FaceBox
        In the file's order.

    Raises
    ------
    InputError
        If the file cannot be read or a line is anything else.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: expected text, got other bytes") from error
    return tuple(
        _box(f"{path}, line {number}", line) for number, line in enumerate(lines, 1) if line.strip()
    )


def _box(where: str, line: str) -> FaceBox:
    """Read one line of a boxes file."""
    expected = f"{where}: expected 'min_x min_y max_x max_y', got {line.strip()[:60]!r}"
    try:
        left, top, right, bottom = map(float, line.split())
    except ValueError:
        raise InputError(expected) from None
    if not (math.isfinite(left + top + right + bottom) and left < right and top < bottom):
        raise InputError(expected)
    return FaceBox(left, top, right - left, bottom - top)


class FrameSource(Protocol):
    """An open video or sequence of pictures, to be used once, in a ``with`` statement."""

    @property
    def path(self) -> Path:
        """File or folder."""

    @property
    def width(self) -> int:
        """Width of the first frame, pixels."""

    @property
    def height(self) -> int:
        """Height of the first frame, pixels."""

    @property
    def fps(self) -> float:
        """Frames per second."""

    @property
    def frame_count(self) -> int | None:
        """Frames to come, where that is known."""

    @property
    def aspect(self) -> Fraction:
        """Width of a stored pixel over its height."""

    @property
    def remarks(self) -> tuple[str, ...]:
        """Lines on its pixels and its clock, where there is something to say."""

    def __enter__(self) -> Self:
        """Return the source itself."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""

    def __iter__(self) -> Iterator[Frame]:
        """Yield all frames."""


def open_frames(
    path: str | Path, fixed_fps: bool = False, *, square: bool = True, fps: float | None = None
) -> FrameSource:
    """Open a video, an animated picture, or a folder of pictures as one.

    Parameters
    ----------
    path : str or Path
        File or folder.
    fixed_fps : bool
        Stamp a video's frames as OpenFace does, see `pyfaceau.media.video.VideoReader`.
    square : bool
        Make a video's pixels square.
    fps : float, optional
        Frames per second of a video, whatever it says.

    Returns
    -------
    FrameSource
        Ready to be iterated.

    Raises
    ------
    VideoError
        If there is no frame in it.
    """
    if Path(path).is_dir():
        return PictureSequence(path)
    if Path(path).is_file() and content_of(path) in MOVING:
        return Animation(path)
    return VideoReader(path, fixed_fps, square=square, fps=fps)


class PictureSequence:
    """A folder of pictures as one video, to be used as `pyfaceau.media.video.VideoReader` is.

    Parameters
    ----------
    folder : str or Path
        The folder. Its pictures are of one size.

    Attributes
    ----------
    path : Path
        The folder.
    width, height : int
        Size of the first picture, pixels.
    fps : float
        30: for output that needs a rate.
    frame_count : int
        Pictures.
    aspect : Fraction
        1.
    remarks : tuple of str
        Empty.

    Raises
    ------
    VideoError
        If there is no picture or the first cannot be read.
    """

    def __init__(self, folder: str | Path) -> None:
        self.path = Path(folder)
        self._files = pictures_in(folder)
        self._first: UInt8 | None = read_picture(self._files[0])
        self.height, self.width = self._first.shape[:2]
        self.fps = FALLBACK_FPS
        self.frame_count = len(self._files)
        self.aspect, self.remarks = Fraction(1), ()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._first = None

    def __iter__(self) -> Iterator[Frame]:
        """Yield all pictures.

        Yields
        ------
        Frame
            BGR picture, index from 0, timestamp 0: pictures have no time.

        Raises
        ------
        VideoError
            At the first picture that cannot be read, or that has another size than the first.
        """
        for index, path in enumerate(self._files):
            image = read_picture(path) if index or self._first is None else self._first
            height, width = image.shape[:2]
            if (width, height) != (self.width, self.height):
                raise VideoError(
                    f"{path}: expected {self.width}x{self.height} as the first picture, "
                    f"got {width}x{height}; pictures that are no video are taken with --stills"
                )
            yield Frame(image, index, 0.0)
