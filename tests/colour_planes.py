"""Planes of made-up pictures, the same on every machine."""

from __future__ import annotations

import av
import numpy as np


def noise(count: int, top: int, seed: int) -> np.ndarray:
    """Return numbers from 0 to `top` - 1 that look random."""
    steps = np.arange(count, dtype=np.uint64) + np.uint64(seed * 7919 + 1)
    return ((steps * steps * np.uint64(2654435761) >> np.uint64(17)) % np.uint64(top)).astype("<u2")


def noisy_frame(name: str, width: int, height: int, seed: int = 0) -> av.VideoFrame:
    """Make a frame of a format whose samples are noise over their whole range, padding too."""
    frame = av.VideoFrame(width, height, name)
    for number, plane in enumerate(frame.planes):
        if "10le" in name:
            samples = noise(plane.buffer_size // 2, 1024, seed + number)
            plane.update(samples << 6 if name == "p010le" else samples)
        else:
            plane.update(noise(plane.buffer_size, 256, seed + number).astype(np.uint8))
    return frame
