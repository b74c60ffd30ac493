"""Gray pictures of frames, made once, ahead of the trackers that need them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from pyfaceau.numerics.warp import gray_from_bgr
from pyfaceau.types import Frame, UInt8


def in_gray(frame: Frame) -> UInt8:
    """Return a frame's picture in gray.

    Parameters
    ----------
    frame : Frame
        The frame; where it comes without a gray picture, that is made.

    Returns
    -------
    (H, W) uint8
        Gray.
    """
    return gray_from_bgr(frame.image) if frame.gray is None else frame.gray


def with_gray(frames: Iterable[Frame]) -> Iterator[Frame]:
    """Put the gray picture into each frame.

    Parameters
    ----------
    frames : iterable of Frame
        Frames.

    Yields
    ------
    Frame
        The same with `gray`.
    """
    for frame in frames:
        yield replace(frame, gray=in_gray(frame))
