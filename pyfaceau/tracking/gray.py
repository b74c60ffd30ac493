"""Gray pictures of frames, made once, ahead of the trackers that need them."""

from __future__ import annotations

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


def with_gray(frame: Frame) -> Frame:
    """Put the gray picture into a frame, for those who need it more than once.

    Parameters
    ----------
    frame : Frame
        The frame.

    Returns
    -------
    Frame
        The same with `gray`.
    """
    return frame if frame.gray is not None else replace(frame, gray=in_gray(frame))
