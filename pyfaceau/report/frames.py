"""The pictures of a table's rows, taken from its video again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pyfaceau.errors import InputError
from pyfaceau.media.picture import FrameSource, open_frames
from pyfaceau.report.faces import TableFaces
from pyfaceau.report.provenance import Provenance, check_video
from pyfaceau.types import UInt8


def open_video(video: Path, table: Path, found: Provenance | None) -> FrameSource:
    """Open the video of a table as it was opened when the table was made.

    Parameters
    ----------
    video, table : Path
        Both.
    found : Provenance or None
        What is known of the table; without it the default profile's settings are taken.

    Returns
    -------
    FrameSource
        Ready to be iterated.

    Raises
    ------
    InputError
        If the video is known to be another one.
    VideoError
        If it cannot be read.
    """
    check_video(found, table, video)
    opening: dict[str, Any] = {} if found is None else found.settings.opening
    return open_frames(video, **opening)


def pictures(
    source: FrameSource, faces: TableFaces, rows: Iterable[int] | None = None
) -> Iterator[tuple[int, UInt8]]:
    """Yield rows of a table with their pictures.

    Parameters
    ----------
    source : FrameSource
        The open video.
    faces : TableFaces
        The table.
    rows : iterable of int, optional
        Which rows; all if not given. Decoding ends with the last.

    Yields
    ------
    row : int
        From 0, rising.
    image : (H, W, 3) uint8
        BGR.

    Raises
    ------
    InputError
        If the video ends before the table does: it is another one.
    """
    chosen = range(len(faces)) if rows is None else sorted(set(rows))
    wanted = {int(faces.frames[row]): row for row in chosen}
    if not wanted:
        return
    last = max(wanted)
    seen = 0
    for frame in source:
        seen = frame.index + 1
        if frame.index in wanted:
            yield wanted[frame.index], frame.image
        if frame.index == last:
            return
    raise InputError(
        f"{source.path}: has {seen} frames, the table tells of frame {last + 1}: "
        "it is the table of another video"
    )
