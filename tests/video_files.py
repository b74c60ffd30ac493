"""Small videos made on the spot, each with one property that a test needs."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np


def pictures(count: int, width: int = 64, height: int = 48) -> list[np.ndarray]:
    """Return pictures that differ from each other and from their own mirror images."""
    ramp = np.mgrid[0:height, 0:width]
    return [
        np.stack([ramp[1] * 3 % 256, ramp[0] * 4 % 256, (ramp[0] + 9 * k) % 256], -1).astype("u1")
        for k in range(count)
    ]


def write_video(
    path: Path,
    images: list[np.ndarray],
    *,
    codec: str = "mpeg4",
    pix_fmt: str = "yuv420p",
    rate: int = 25,
    ticks: list[int] | None = None,
    options: dict[str, str] | None = None,
    audio: bool = False,
    aspect: Fraction | None = None,
) -> Path:
    """Encode pictures; `ticks` are presentation times in 1/1000 s for a variable frame rate."""
    with av.open(str(path), "w", options=options or {}) as container:
        stream = container.add_stream(codec, rate=rate)
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = pix_fmt
        if aspect is not None:
            stream.codec_context.sample_aspect_ratio = aspect
        base = Fraction(1, 1000) if ticks else Fraction(1, rate)
        stream.codec_context.time_base = base
        sound = container.add_stream("aac", rate=44100) if audio else None
        for index, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            frame.pts = ticks[index] if ticks else index
            frame.time_base = base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if sound is not None:
            _add_silence(container, sound)
    return path


def write_audio(path: Path) -> Path:
    """Write half a second of silence."""
    with av.open(str(path), "w") as container:
        _add_silence(container, container.add_stream("aac", rate=44100))
    return path


def _add_silence(container: av.container.OutputContainer, stream: av.AudioStream) -> None:
    for index in range(20):
        block = av.AudioFrame.from_ndarray(np.zeros((1, 1024), "f4"), "fltp", "mono")
        block.sample_rate, block.pts = 44100, 1024 * index
        container.mux(stream.encode(block))
    container.mux(stream.encode(None))


def turn(path: Path, degrees: int) -> Path:
    """Give an MP4 file the display matrix of a phone held turned; clockwise degrees."""
    one, minus = (1 << 16).to_bytes(4, "big"), (-1 << 16).to_bytes(4, "big", signed=True)
    none = bytes(4)
    a, b, c, d = {
        90: (none, one, minus, none),
        180: (minus, none, none, minus),
        270: (none, minus, one, none),
    }[degrees]
    data = bytearray(path.read_bytes())
    matrix = data.index(b"tkhd") + 4 + 40
    data[matrix : matrix + 36] = (
        a + b + none + c + d + none + none + none + (1 << 30).to_bytes(4, "big")
    )
    path.write_bytes(data)
    return path


def cut(path: Path, share: float) -> Path:
    """Keep the first part of a file."""
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path
