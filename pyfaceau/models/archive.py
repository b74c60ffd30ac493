"""ONNX networks that come as a .zip: unpacked beside it, and held to what the .zip says."""

from __future__ import annotations

import os
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from pyfaceau.errors import WeightsError

_KINDS = (".onnx", ".data", ".bin")


def unpacked_network(archive: str | Path) -> Path:
    """Return the ONNX file of an archive, unpacked with its external data.

    Parameters
    ----------
    archive : str or Path
        The .zip; what it holds is put beside it, under base names, where it is not there already
        with the archive's checksum.

    Returns
    -------
    Path
        The .onnx file.

    Raises
    ------
    WeightsError
        If the archive is damaged, holds no network or several, or its folder cannot be written.
    """
    archive = Path(archive)
    try:
        with zipfile.ZipFile(archive) as file:
            found = [i for i in file.infolist() if PurePosixPath(i.filename).suffix in _KINDS]
            for item in found:
                _unpack(file, item, archive.parent / PurePosixPath(item.filename).name)
    except OSError as error:
        raise WeightsError(
            f"{archive}: cannot be unpacked beside itself: {error.strerror or error}"
        ) from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise WeightsError(f"{archive}: not a readable archive ({error})") from None
    networks = [i for i in found if i.filename.endswith(".onnx")]
    if len(networks) != 1:
        raise WeightsError(f"{archive}: expected one .onnx file in it, got {len(networks)}")
    return archive.parent / PurePosixPath(networks[0].filename).name


def _unpack(file: zipfile.ZipFile, item: zipfile.ZipInfo, target: Path) -> None:
    """Put one file in place unless it is there."""
    if target.is_file() and target.stat().st_size == item.file_size and _crc(target) == item.CRC:
        return
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with file.open(item) as source, part.open("wb") as sink:
            while block := source.read(1 << 20):
                sink.write(block)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _crc(path: Path) -> int:
    """Return a file's CRC-32."""
    crc = 0
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            crc = zlib.crc32(block, crc)
    return crc
