"""A video played several times over, as one file, its compressed frames untouched."""

from __future__ import annotations

from pathlib import Path

import av


def loop_video(source: Path, times: int, target: Path) -> int:
    """Write an AVI whose frames are those of `source`, `times` in a row.

    Parameters
    ----------
    source : Path
        An AVI file without reordered frames that begins with a key frame.
    times : int
        How often it is played, 1 or more.
    target : Path
        The file to write.

    Returns
    -------
    int
        Number of frames written.
    """
    written = 0
    with av.open(str(target), "w", format="avi") as out:
        stream = None
        for _ in range(times):
            with av.open(str(source)) as container:
                video = container.streams.video[0]
                if stream is None:
                    stream = out.add_stream_from_template(video)
                for packet in container.demux(video):
                    if packet.size:
                        packet.pts = packet.dts = written
                        packet.stream = stream
                        out.mux(packet)
                        written += 1
    return written
