"""Decoders are opened so that they give one answer: OpenCV 4.6's on x86-64."""

from __future__ import annotations

import base64
import hashlib
import zlib
from pathlib import Path
from types import SimpleNamespace

import pytest

from pyfaceau.media.decoding import steady_options
from pyfaceau.media.video import VideoReader

# Two frames of MPEG-4 part 2, 32x32, in AVI.
CLIP = zlib.decompress(
    base64.b85decode(
        "c-"
        "jl{baPuG!NA}c=BeQ0865IPkbxm1r6?z{EHlG`fq}tc4g(wra56A3LD`HD5e5Yyslb2<KxR!5U|=XNDarw2uvul9DaCH"
        "S0Vc@mK;}q7*&wq^fdc=504A>hgh2gi8bG!N)Gh_EJ_!b}Sv;6_dxiRWO91U=f$|LuQj!@)!6+C7qhJ(_f>AIEM!_f;1"
        "*2dTjDk@xq5x=ofQ6BPAwMNI2Z%C$jNq^Ujnha0X-_{lf6rjI5MGd2Vp*D*k)E-"
        "hp@9J;w0<y;rkYVO3Px%P5yiy7kegqY2^vW)1rPl)ZU9n@TRVjzL%56z3`cr97|t@Xu!uMVxtoAxNHVYtF*Jk}B8;0E1"
        "lWPpHh~16bmn(L-"
        "Oc<$%?JLg@kE92F&}tf!_nb5rTxJvhnosN3M^Oyw7k7tTp3guTP7q*$g#0aNIYO8{%65~E*_2r%h_8Rd?X!ecoqmUKHU"
        "FNzRz7@HLFw8K~WEmWL5#gvrIj|co%%IzubJtL5oM8nf<_lm8=m>TpKDnm`-"
        "<dGx~5%Rb8aiywJnEaW;G7zb~Q*9|E|WHP`~!8Xww!W(ho@)c)YWijaj4HPT<b_+;xD7!DcsGhOf$?P50KXZ*FopoaHA"
        "g$BQiAPaBvq54gchYtLZlVY;}zH~{8!?GJ}eHA>R=Sn18+0Qko_J|&M%Pw)pL4@Iggdn3IpM3knA2mFz>|E?j90vLSzH"
        "FJ?-"
        "Z+Jy*^Hl=xuTArm0^bke{;i+2Xeyy4U!K0kl3(ALX`R9i6_zvR_N#mhBUN;$Fa|Y<AiZrz=tN0183x!m<nq6e;xc_|D6"
        "3mLySWI!M!`UOpiDuMi@+BY&amrk$fQ`FinF^Fg%FAm%$^LSs>wrJoCQ~H5_~g8+7Vc)Ua>gRU^U7*s`->0UJ}o&k4-"
        "?85mBm8W^!Teozo(Kkz?9o{6#GgqM)x)MkwU-lJM2B0H`zX8G|mGIg-EC{)OQKk(s=2t&)##&`W8>Y+1iRJn3^m|3`Pz"
        "uI8_LEBB?hk$&GJ;z1mMyC~$E+OkfRz5SCGsRm^h;hnAS%*)$yOzqZsns)Nrc@XzFhIuX1sEXX_MlV-"
        "8@F!)vO)d^0GHYby#"
    )
)
SIGNED = b"Lavc62.11.100"


@pytest.mark.parametrize(
    ("signature", "md5"),
    [
        (SIGNED, "f15391ba4de7305455a0c948c068b138"),
        (b"XviD0050".ljust(13, b"\0"), "d5d80b51d1f12a888bf8a60ee002543e"),
    ],
)
def test_each_encoders_transform_is_that_of_opencv_4_6(
    tmp_path: Path, signature: bytes, md5: str
) -> None:
    assert CLIP.count(SIGNED) == 1
    path = tmp_path / "a.avi"
    path.write_bytes(CLIP.replace(SIGNED, signature))
    digest = hashlib.md5(usedforsecurity=False)
    with VideoReader(path) as video:
        for frame in video:
            digest.update(frame.image)
    assert digest.hexdigest() == md5


@pytest.mark.parametrize(
    ("name", "tag", "signed", "simple"),
    [
        ("h264", "avc1", b"", False),
        ("mjpeg", "MJPG", b"", True),
        ("mpeg4", "mp4v", b"", True),
        ("mpeg4", "XVID", b"", False),
        ("mpeg4", "xvid", b"", False),
        ("mpeg4", "XVID", b"..Lavc55..", True),
        ("mpeg4", "DX50", b"..XviD0050..", False),
    ],
)
def test_only_xvids_own_streams_keep_its_transform(name, tag, signed, simple):
    codec = SimpleNamespace(name=name, codec_tag=tag, extradata=None)
    assert steady_options(codec, signed) == ({"idct": "simple"} if simple else {})
