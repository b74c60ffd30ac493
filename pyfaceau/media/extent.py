"""How many bytes a video file says it has: the only sure sign that it was cut off.

Demuxers read such a file up to the cut and report a regular end. The common containers are chains
of chunks, each a name, a size and the content; where a chunk of picture data reaches beyond the
end of the file, the rest is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

_HEAD = 24
_ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_DATA = bytes.fromhex("3626b2758e66cf11a6d900aa0062ce6c")
_EBML_HEADER = bytes.fromhex("1a45dfa3")
_EBML_SEGMENT = bytes.fromhex("18538067")
_ISO_FIRST = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot")


def declared_size(path: Path) -> int | None:
    """Return the size that a file's own structure claims.

    Parameters
    ----------
    path : Path
        An MP4, MOV, AVI, WMV, MKV or WebM file; other files claim nothing.

    Returns
    -------
    int or None
        Bytes up to the end of the last chunk that holds picture data; None where nothing is
        claimed.
    """
    claimed = None
    size = path.stat().st_size
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
        family = _family(head)
        if family is None:
            return None
        parse, media = family
        at = 0
        while (chunk := parse(head)) is not None:
            at += chunk[1]
            if chunk[0] in media:
                claimed = at
            if at >= size:
                break
            stream.seek(at)
            head = stream.read(_HEAD)
    return claimed


def _family(head: bytes) -> tuple[Callable[[bytes], tuple[bytes, int] | None], set[bytes]] | None:
    """Return a container's chunk parser and the names of its chunks of picture data."""
    if head[4:8] in _ISO_FIRST:
        return _iso_chunk, {b"mdat", b"moov"}
    if head[:4] == b"RIFF":
        return _riff_chunk, {b"RIFF"}
    if head[:16] == _ASF_HEADER:
        return _asf_chunk, {_ASF_DATA}
    if head[:4] == _EBML_HEADER:
        return _ebml_chunk, {_EBML_SEGMENT}
    return None


def _iso_chunk(head: bytes) -> tuple[bytes, int] | None:
    """MP4, MOV: 4-byte size of the whole, name; size 1 says that 8 bytes of size follow."""
    size = int.from_bytes(head[:4], "big")
    if size == 1:
        size = int.from_bytes(head[8:16], "big")
    return (head[4:8], size) if size >= 8 else None


def _riff_chunk(head: bytes) -> tuple[bytes, int] | None:
    """AVI: name, 4-byte size of the content."""
    size = int.from_bytes(head[4:8], "little")
    return (head[:4], 8 + size) if size else None


def _asf_chunk(head: bytes) -> tuple[bytes, int] | None:
    """WMV: 16-byte name, 8-byte size of the whole."""
    size = int.from_bytes(head[16:24], "little")
    return (head[:16], size) if size >= _HEAD else None


def _ebml_chunk(head: bytes) -> tuple[bytes, int] | None:
    """MKV, WebM: 4-byte name at this level, size in 1 to 8 bytes (all bits set: unknown)."""
    if len(head) < 12 or head[4] == 0:
        return None
    width = 9 - head[4].bit_length()
    size = int.from_bytes(head[4 : 4 + width], "big") & ((1 << 7 * width) - 1)
    return (head[:4], 4 + width + size) if size != (1 << 7 * width) - 1 else None
