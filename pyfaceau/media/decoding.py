"""Options of decoders that give one answer on every kind of processor, where there are such.

Decoders of the MPEG family transform blocks of coefficients back (inverse DCT) by code that differs
between processors. The one that FFmpeg calls ``simple`` is exact everywhere, and is what it uses on
x86 of itself; streams that XviD wrote have another, which is exact everywhere too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import av

_TRANSFORMING = frozenset(
    "dnxhd dvvideo flv1 h263 h263p mjpeg mpeg1video mpeg2video mpeg4 msmpeg4v1 msmpeg4v2 msmpeg4v3 "
    "wmv1".split()
)
_XVID_TAGS = frozenset(("XVID", "XVIX", "RMP4", "ZMP4", "SIPP"))
_OTHERS = (b"DivX", b"Lavc", b"FFmpeg", b"ffmpeg")
"""How other encoders sign a stream."""


def steady_options(codec: av.VideoCodecContext, packet: av.Packet[Any]) -> dict[str, str]:
    """Choose the options that a decoder is opened with.

    Parameters
    ----------
    codec : VideoCodecContext
        The stream's decoder, not open yet.
    packet : Packet
        The stream's first packet, in which an encoder may have signed.

    Returns
    -------
    dict of str to str
        FFmpeg's options; empty where the decoder's own choice stands.
    """
    if codec.name not in _TRANSFORMING:
        return {}
    if codec.name == "mpeg4":
        signed = (codec.extradata or b"") + bytes(packet)
        unsigned = not any(name in signed for name in _OTHERS)
        if b"XviD" in signed or (unsigned and codec.codec_tag.upper() in _XVID_TAGS):
            return {}
    return {"idct": "simple"}
