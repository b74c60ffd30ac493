"""What an input is, by its bytes: a still picture, an animation or a video. Names do not count."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pyfaceau.errors import VideoError

Kind = Literal["still", "video"]
"""A picture that stands for itself, or frames in a row."""

_HEAD = 4096
_HEIF_STILLS = frozenset({b"heic", b"heix", b"heim", b"heis", b"mif1", b"avif"})
_SEQUENCES = frozenset({b"avis", b"hevc", b"hevx", b"msf1"})
_NO_INPUT = frozenset({"thumbs.db", "desktop.ini", "ehthumbs.db", "__macosx"})


@dataclass(frozen=True)
class Content:
    """What a file's bytes say.

    Attributes
    ----------
    format : str
        Such as ``'jpeg'``; ``'video'`` for what is none of the picture formats.
    kind : {'still', 'video'}
        How it is measured.
    pictures : int
        Pictures in the file, as far as it matters: 2 means more than one.
    """

    format: str
    kind: Kind
    pictures: int = 1


def is_input(name: str) -> bool:
    """Tell whether a file or folder of this name can be meant, where a folder is searched.

    Parameters
    ----------
    name : str
        Name without its folder.

    Returns
    -------
    bool
        False for hidden names (``._clip.mov``, ``.DS_Store``) and what systems leave in folders
        (``Thumbs.db``).
    """
    return not name.startswith(".") and name.lower() not in _NO_INPUT


def content_of(path: str | Path) -> Content:
    """Look at a file's first bytes, and further where several pictures may be in it.

    Parameters
    ----------
    path : str or Path
        A file.

    Returns
    -------
    Content
        What it is, whatever its name says. GIF, WebP and PNG of several frames are videos, of one
        frame stills; a TIFF of several pages is a still with `pictures` 2.

    Raises
    ------
    VideoError
        If the file cannot be read.
    """
    path = Path(path)
    if not path.exists():
        raise VideoError(f"{path}: no such file")
    if not path.is_file():
        raise VideoError(f"{path}: expected a file, got a folder or device")
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD)
    except OSError as error:
        raise VideoError(f"{path}: cannot be read: {error.strerror or error}") from error
    return _of_head(head, path)


def _of_head(head: bytes, path: Path) -> Content:
    """Tell the format by its first bytes."""
    if head.startswith(b"\xff\xd8\xff"):
        return Content("video", "video", 2) if _is_motion_jpeg(path) else Content("jpeg", "still")
    if head.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return Content("tiff", "still", _tiff_pages(path))
    if head[4:8] == b"ftyp":
        return _iso(head, path)
    for name, found, several in (
        ("png", head.startswith(b"\x89PNG\r\n\x1a\n"), b"acTL" in head),
        ("gif", head.startswith((b"GIF87a", b"GIF89a")), True),
        ("webp", head[:4] == b"RIFF" and head[8:12] == b"WEBP", _webp_moves(head)),
        ("jpeg2000", head.startswith((b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51")), False),
        ("bmp", head.startswith(b"BM") and head[6:10] == b"\0\0\0\0", False),
    ):
        if found:
            return _animated(name, several, path)
    return Content("video", "video")


def _webp_moves(head: bytes) -> bool:
    return head[12:16] == b"VP8X" and len(head) > 20 and bool(head[20] & 2)


def _iso(head: bytes, path: Path) -> Content:
    """Tell pictures from films among files of the ISO family, by their major brand."""
    size = min(int.from_bytes(head[:4], "big"), len(head))
    major = head[8:12]
    brands = {head[at : at + 4] for at in range(16, size, 4)} | {major}
    if (major in _SEQUENCES and major != b"msf1") or (major == b"msf1" and b"avis" in brands):
        sort = "avif" if b"avis" in brands else "video"
        return _animated("avif", True, path) if sort == "avif" else Content("video", "video")
    if major in _HEIF_STILLS:
        return Content("avif" if b"avif" in brands else "heif", "still")
    return Content("video", "video")


def _animated(name: str, possible: bool, path: Path) -> Content:
    """Count frames where there may be several, as far as two."""
    if not possible:
        return Content(name, "still")
    from PIL import Image

    try:
        with Image.open(path) as picture:
            several = getattr(picture, "n_frames", 1) > 1
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise VideoError(f"{path}: cannot be read as a {name.upper()}: {error}") from None
    return Content(name, "video", 2) if several else Content(name, "still")


def _tiff_pages(path: Path) -> int:
    """Return 2 where a TIFF has a second page, else 1."""
    with path.open("rb") as stream:
        head = stream.read(8)
        order = "<" if head[:2] == b"II" else ">"
        if head[2:4] in (b"+\0", b"\0+"):  # BigTIFF is not read any further
            return 1
        try:
            stream.seek(struct.unpack(f"{order}I", head[4:8])[0])
            entries = struct.unpack(f"{order}H", stream.read(2))[0]
            stream.seek(12 * entries, 1)
            following = struct.unpack(f"{order}I", stream.read(4))[0]
        except struct.error:
            return 1
    return 2 if following else 1


def _is_motion_jpeg(path: Path) -> bool:
    """Tell whether JPEGs follow each other without anything between, and are no one's preview.

    A phone's "motion photo" has a film behind its picture, a multi-picture file an index (MPF).
    """
    with path.open("rb") as stream:
        data = stream.read(1 << 24)
    if b"MPF\0" in data[: 1 << 17]:
        return False
    at = 2
    while data[at : at + 1] == b"\xff" and data[at + 1] != 0xDA:
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    end = data.find(b"\xff\xd9", at)
    return end > 0 and data[end + 2 : end + 5] == b"\xff\xd8\xff"
