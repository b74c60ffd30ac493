"""Files that are written whole or not at all."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from pyfaceau.errors import OutputError


def write_whole(data: bytes, path: Path) -> None:
    """Write a file, and its folder where there is none; what was there before stays until the end.

    Parameters
    ----------
    data : bytes
        Its contents.
    path : Path
        The file.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(data)
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from error
