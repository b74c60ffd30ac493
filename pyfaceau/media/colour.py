"""From a decoder's planes to BGR: the bytes of OpenFace's decoder, on every kind of processor.

OpenFace decodes with OpenCV 4.6, whose FFmpeg converts by the BT.601 matrix whatever the stream's
tags say: colour space, range (but for the formats named yuvj, which are full range), the place of
chroma samples and interlacing are ignored. FFmpeg's result depends on the processor: on x86 it is
one of three arithmetics, according to format and size, elsewhere another. Here all three are
integers in kernels of one result:

- pairs: 8-bit 4:2:0 of even height, and the same for 4:2:2. Two pixels share the nearest chroma
  sample; products of 16 bits keep their upper half.
- blended pairs: every other picture of even width with halved chroma. Chroma rows are blended by a
  bicubic filter first; the last two rows of the picture go by tables of whole numbers.
- single pixels: odd widths and 4:4:4. Chroma is blended in both directions; 32 bits.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pyfaceau.media._kernels_colour import blend_rows, paint_pairs, paint_pixels, widen
from pyfaceau.media.chroma import Taps, taps
from pyfaceau.types import Int16, Int32, UInt8

if TYPE_CHECKING:
    import av

Plane = NDArray[Any]
"""Samples of one kind, (rows, columns) uint8 or uint16."""

Three = tuple[Plane, Plane, Plane]
"""Luma, Cb and Cr."""


_LIFTS = np.array((3, 3), np.int16)
_0 = np.int16(0)


@dataclass(frozen=True)
class _Matrix:
    """BT.601 at one range, in the three arithmetics.

    Attributes
    ----------
    factors : tuple
        Luma, Cb in B, Cb and Cr in G, Cr in R, in 1/8192.
    black : int
        Luma of black.
    table : tuple
        For the tables: the step of luma in 1/65536, its offset, then the steps that one unit of
        chroma is worth, in the order of `factors`, in 1/65536.
    """

    factors: tuple[int, int, int, int, int]
    black: int
    table: tuple[int, int, int, int, int, int]

    @functools.cached_property
    def pairs(self) -> Int16:
        """Black where a step of luma is 8, then the factors."""
        return np.array((8 * self.black, *self.factors), np.int16)

    @functools.cached_property
    def pixels(self) -> Int32:
        """Black where a step of luma is 512, then the factors."""
        return np.array((512 * self.black, *self.factors), np.int32)


_LIMITED = _Matrix(
    (9539, 16525, -3209, -6660, 13075), 16, (76309, -1304898, 113537, -22049, -45756, 89830)
)
_FULL = _Matrix(
    (8192, 14516, -2819, -5850, 11485), 0, (65536, 32768, 116129, -22552, -46801, 91881)
)


@dataclass(frozen=True)
class Layout:
    """How a pixel format stores its samples.

    Attributes
    ----------
    across, down : int
        Pixels that share a chroma sample.
    bits : int
        Bits of a sample.
    split : callable
        Takes the planes, gives luma, Cb and Cr.
    full : bool
        Full range.
    nearest : bool
        At even heights, pairs of pixels take the nearest chroma sample.
    """

    across: int
    down: int
    bits: int = 8
    split: Callable[[list[Plane]], Three] = lambda planes: (planes[0], planes[1], planes[2])
    full: bool = False
    nearest: bool = False


def _interleaved(planes: list[Plane], cb: int = 0, unused: int = 0) -> Three:
    """Take apart luma, and a plane of Cb, Cr, Cb, Cr or with Cr first; drop unused low bits."""
    luma, both = (plane >> unused if unused else plane for plane in planes)
    first, second = (np.ascontiguousarray(both[:, at::2]) for at in (cb, 1 - cb))
    return luma, first, second


def _packed(planes: list[Plane], luma: int) -> Three:
    """Take apart one plane of Y, Cb, Y, Cr, or with luma second."""
    cb = 1 - luma
    places = ((luma, 2), (cb, 4), (cb + 2, 4))
    y, u, v = (np.ascontiguousarray(planes[0][:, at::step]) for at, step in places)
    return y, u, v


LAYOUTS = {
    "yuv420p": Layout(2, 2, nearest=True),
    "yuva420p": Layout(2, 2, nearest=True),
    "yuvj420p": Layout(2, 2, nearest=True, full=True),
    "yuv422p": Layout(2, 1, nearest=True),
    "yuvj422p": Layout(2, 1, nearest=True, full=True),
    "yuv444p": Layout(1, 1),
    "yuvj444p": Layout(1, 1, full=True),
    "yuv420p10le": Layout(2, 2, 10),
    "yuv422p10le": Layout(2, 1, 10),
    "yuv444p10le": Layout(1, 1, 10),
    "nv12": Layout(2, 2, split=_interleaved),
    "nv21": Layout(2, 2, split=functools.partial(_interleaved, cb=1)),
    "p010le": Layout(2, 2, 10, functools.partial(_interleaved, unused=6)),
    "yuyv422": Layout(2, 1, split=functools.partial(_packed, luma=0)),
    "uyvy422": Layout(2, 1, split=functools.partial(_packed, luma=1)),
}
"""Formats that are converted here, by FFmpeg's names."""


def bgr_from(frame: av.VideoFrame) -> UInt8:
    """Convert a frame whose format is one of `LAYOUTS`.

    Parameters
    ----------
    frame : VideoFrame
        The decoder's frame.

    Returns
    -------
    (H, W, 3) uint8
        BGR, contiguous, memory of its own.
    """
    layout = LAYOUTS[frame.format.name]
    kind = np.dtype(np.uint8 if layout.bits == 8 else "<u2")
    planes: list[Plane] = [
        np.frombuffer(memoryview(plane), kind).reshape(-1, plane.line_size // kind.itemsize)
        for plane in frame.planes
    ]
    return convert(planes, frame.width, frame.height, layout)


def convert(planes: list[Plane], width: int, height: int, layout: Layout) -> UInt8:
    """Convert planes.

    Parameters
    ----------
    planes : list of (rows, columns) uint8 or uint16
        As the format has them; rows may be longer than the picture.
    width, height : int
        Pixels.
    layout : Layout
        What the planes are.

    Returns
    -------
    (height, width, 3) uint8
        BGR.
    """
    luma, cb, cr = layout.split(planes)
    matrix = _FULL if layout.full else _LIMITED
    out = np.empty((height, width, 3), np.uint8)
    nearest = layout.nearest and height % 2 == 0
    if layout.across == 1 or (width % 2 and not nearest):
        _convert_pixels((luma, cb, cr), layout, matrix, out)
    elif nearest:
        paint_pairs(luma, cb, cr, layout.down - 1, _LIFTS, _0, matrix.pairs, out)
    else:
        _convert_blended((luma, cb, cr), layout, matrix, out)
    return out


def _convert_pixels(planes: Three, layout: Layout, matrix: _Matrix, out: UInt8) -> None:
    """Give every pixel chroma of its own."""
    height, width = out.shape[:2]
    lift = np.int16(15 - layout.bits)
    down = taps(-(-height // layout.down), height, 1 << 12)
    over = taps(-(-width // layout.across), width, 1 << 14)
    chroma = np.empty((2, -(-height // layout.down), width), np.int16)
    for plane, wide in zip(planes[1:], chroma, strict=True):
        widen(plane, lift, over.first, over.weights, wide)
    paint_pixels(
        planes[0], lift, chroma[0], chroma[1], down.first, down.weights, matrix.pixels, out
    )


def _convert_blended(planes: Three, layout: Layout, matrix: _Matrix, out: UInt8) -> None:
    """Blend chroma rows for pairs of pixels; the last two rows go by tables."""
    height, width = out.shape[:2]
    sources = -(-height // layout.down)
    down = taps(sources, height, 1 << 12, 2)
    rounder = np.int16(4) if down.weights.shape[1] > 2 else _0
    lift = np.int16(15 - layout.bits)
    chroma = np.empty((2, height, width // 2), np.int16)
    for plane, blended in zip(planes[1:], chroma, strict=True):
        blend_rows(plane, lift, down.first, down.weights, rounder, blended)
    lifts = np.array((11 - layout.bits, 0), np.int16)
    paint_pairs(planes[0], chroma[0], chroma[1], 0, lifts, rounder, matrix.pairs, out)
    last = range(max(height - 2, 0), height)
    out[last.start :] = [_by_table(planes, y, down, layout.bits, matrix, width) for y in last]


def _by_table(planes: Three, y: int, down: Taps, bits: int, matrix: _Matrix, width: int) -> UInt8:
    """Convert a row through whole numbers of luma and chroma."""
    step, offset, *worth = matrix.table
    spare = bits - 8
    luma = (planes[0][y, :width].astype(np.int64) + (1 << spare >> 1)) >> spare
    shifts = []
    rows = slice(down.first[y], down.first[y] + down.weights.shape[1])
    for plane in planes[1:]:
        taken = plane[rows, : width // 2].astype(np.int64)
        mean = down.weights[y, : len(taken)] @ taken
        whole = ((mean << (15 - bits)) + (1 << 18)) >> 19
        shifts.append(np.repeat(np.clip(whole, 0, 255), 2))
    cb, cr = shifts
    blue, green_cb, green_cr, red = (
        (level * unit >> 16) - (unit >> 9)
        for level, unit in zip((cb, cb, cr, cr), worth, strict=True)
    )
    channels = [luma + blue, luma + green_cb + green_cr, luma + red]
    found: UInt8 = np.clip((np.stack(channels, -1) * step + offset) >> 16, 0, 255).astype(np.uint8)
    return found
