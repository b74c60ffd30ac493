"""One grid of square pixels for all frames of a video.

A frame whose size differs from the first one's is brought to that, by FFmpeg's bicubic scaler, in
the same step as the conversion of colours: what OpenCV does, byte for byte. Pixels that are not
square (a sample aspect ratio other than 1, as DVDs and camcorders have) are made square in the same
step: the picture is widened, or made higher, never reduced.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import av

WIDEST = 4
"""A ratio beyond this, or below its reciprocal, is taken for a mistake in the file."""


@dataclass(frozen=True)
class PixelGrid:
    """The size that every frame is brought to.

    Attributes
    ----------
    width, height : int
        Pixels, before a rotation is applied.
    stored : (int, int)
        Width and height of the first frame as it is stored.
    aspect : Fraction
        Width of a stored pixel over its height; 1 where the file does not tell.
    """

    width: int
    height: int
    stored: tuple[int, int]
    aspect: Fraction

    @classmethod
    def of(cls, stream: av.VideoStream, first: av.VideoFrame, square: bool) -> PixelGrid:
        """Choose the grid of a stream.

        Parameters
        ----------
        stream : VideoStream
            The open stream.
        first : VideoFrame
            Its first frame.
        square : bool
            Make pixels square; otherwise they stay as stored.

        Returns
        -------
        PixelGrid
            The first frame's size, corrected where that is wanted.
        """
        aspect = _aspect(stream)
        width, height = first.width, first.height
        if square and aspect > 1:
            width = round(width * aspect)
        elif square and aspect < 1:
            height = round(height / aspect)
        return cls(width, height, (first.width, first.height), aspect)

    @property
    def corrected(self) -> bool:
        """Whether pixels were made square."""
        return (self.width, self.height) != self.stored

    def resized(self, frame: av.VideoFrame) -> bool:
        """Tell whether a frame is stored in another size than the first.

        Parameters
        ----------
        frame : VideoFrame
            The decoder's frame.

        Returns
        -------
        bool
            It is.
        """
        return (frame.width, frame.height) != self.stored


def _aspect(stream: av.VideoStream) -> Fraction:
    """Return the container's sample aspect ratio, else the codec's, else 1."""
    for source in (stream, stream.codec_context):
        ratio = source.sample_aspect_ratio
        if ratio and ratio > 0:
            found = Fraction(ratio)
            return found if Fraction(1, WIDEST) <= found <= WIDEST else Fraction(1)
    return Fraction(1)
