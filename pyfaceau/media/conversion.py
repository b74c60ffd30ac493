"""Frames as the decoder has them into BGR pictures of one size."""

from __future__ import annotations

import functools
import logging
from typing import TYPE_CHECKING

import numpy as np
from av import VideoFrame
from av.video.reformatter import Colorspace, Interpolation, VideoReformatter

from pyfaceau.media.colour import LAYOUTS, bgr_from
from pyfaceau.types import UInt8

if TYPE_CHECKING:
    import av

logger = logging.getLogger(__name__)

_BT601 = int(Colorspace.ITU601)


class Conversion:
    """Converts the frames of one stream.

    Frames of this size and of a format of `pyfaceau.media.colour.LAYOUTS` go through kernels, which
    give the same bytes everywhere. Others go through FFmpeg, bicubic and by BT.601: of another
    format as OpenCV 4.6 does, which heeds no tags; of another size as later OpenCV does. The last
    bits of FFmpeg's YUV depend on the kind of processor; a format without a kernel is named in a
    warning, once.

    Parameters
    ----------
    width, height : int
        Size of the pictures, pixels.
    """

    def __init__(self, width: int, height: int) -> None:
        self._size = width, height
        self._reformatter = VideoReformatter()

    def bgr(self, frame: av.VideoFrame) -> UInt8:
        """Convert a frame.

        Parameters
        ----------
        frame : VideoFrame
            The decoder's frame.

        Returns
        -------
        (height, width, 3) uint8
            BGR, contiguous; stays valid after the next frame is decoded.
        """
        name, scaled = frame.format.name, (frame.width, frame.height) != self._size
        upright = all(plane.line_size > 0 for plane in frame.planes)
        if name in LAYOUTS and upright and not scaled:
            return bgr_from(frame)
        if _is_yuv(frame) and upright and name not in LAYOUTS:
            _name_once(name)
            frame = frame if scaled else _untagged(frame)
        bgr = self._reformatter.reformat(
            frame,
            *self._size,
            format="bgr24",
            src_colorspace=_BT601,
            dst_colorspace=_BT601,
            interpolation=Interpolation.BICUBIC,
            threads=1,
        )
        plane = bgr.planes[0]
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(bgr.height, plane.line_size)
        return np.ascontiguousarray(rows[:, : 3 * bgr.width].reshape(bgr.height, bgr.width, 3))


def _is_yuv(frame: av.VideoFrame) -> bool:
    """Tell colour that has to be converted from RGB, gray and palettes."""
    kind = frame.format
    return not (kind.is_rgb or kind.has_palette or kind.name.startswith(("gray", "ya", "mono")))


def _untagged(frame: av.VideoFrame) -> av.VideoFrame:
    """Return a copy without what FFmpeg would heed and OpenCV 4.6 does not.

    That is range, interlacing, and where chroma samples lie; a frame's attributes do not tell all.
    """
    bare = VideoFrame(frame.width, frame.height, frame.format.name)
    for source, target in zip(frame.planes, bare.planes, strict=True):
        rows = np.frombuffer(memoryview(source), np.uint8).reshape(-1, source.line_size)
        copy = np.zeros((target.buffer_size // target.line_size, target.line_size), np.uint8)
        height, width = (min(a, b) for a, b in zip(rows.shape, copy.shape, strict=True))
        copy[:height, :width] = rows[:height, :width]
        target.update(copy.tobytes())
    return bare


@functools.lru_cache
def _name_once(name: str) -> None:
    """Say that a pixel format has no kernel."""
    logger.warning(
        "pixel format %s is converted by FFmpeg: last bits may differ on other kinds of processors",
        name,
    )
