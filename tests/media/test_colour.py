"""Conversion to BGR: OpenCV 4.6's bytes, by hand, by twins, by FFmpeg where it has x86's code."""

from __future__ import annotations

import hashlib
import platform
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import Colorspace, Interpolation, VideoReformatter
from hypothesis import given, settings
from hypothesis import strategies as st

from pyfaceau.media import conversion
from pyfaceau.media._kernels_colour import blend_rows, paint_pairs, paint_pixels, widen
from pyfaceau.media.chroma import taps
from pyfaceau.media.colour import LAYOUTS, bgr_from, convert
from pyfaceau.media.video import VideoReader
from tests.colour_planes import noisy_frame

X86 = platform.machine() in ("x86_64", "AMD64")

GOLDEN = [
    ("nv12", 64, 48, "d9f1865572cfdde61ab1d4ff02dd6fda"),
    ("nv21", 62, 46, "b5c9ecb61ddf13588c719e58a2be5cab"),
    ("uyvy422", 64, 48, "e05e2863d4b570fd0eed21bd0e78529e"),
    ("yuv420p10le", 63, 47, "5756efcc80d5f28e5774606c07d1dca9"),
    ("yuv420p10le", 64, 48, "7b266ecbe01565e1e899c35a6290a411"),
    ("yuv420p", 63, 47, "05ea370824bb917cf3cbf2e83adb57e0"),
    ("yuv420p", 63, 48, "124693867d3c7d0bfa74b0837be79ec1"),
    ("yuv420p", 64, 47, "c89c8bac2ef5574258595e13e7ad38b3"),
    ("yuv420p", 64, 48, "4996662f673f24d629dfa3d1b162592b"),
    ("yuv422p10le", 64, 48, "1009b0a9237a7517f6b41f1887ef4852"),
    ("yuv422p", 63, 47, "18b2c318a7a0187e573e86d05526d1a4"),
    ("yuv422p", 64, 47, "080d68871c97f7f728f6e1d068dd86d6"),
    ("yuv444p10le", 64, 48, "80cce7136587dcc477703d45fb0b911b"),
    ("yuv444p", 63, 47, "0050856ec18df8998ab065e58d4bfb26"),
    ("yuyv422", 64, 48, "525cfdf07c8f7795bee0ed523631ff8a"),
]
"""MD5 of the second frame as opencv-python-headless 4.6.0.66 reads it on x86-64."""


def write(path: Path, name: str, width: int, height: int) -> Path:
    """Write two frames of noise, without loss."""
    planar = name.startswith("yuv") and name != "yuyv422"
    path = path / ("a.mkv" if planar else "a.nut")
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1" if planar else "rawvideo", rate=25)
        stream.width, stream.height, stream.pix_fmt = width, height, name
        for seed in (0, 10):
            container.mux(stream.encode(noisy_frame(name, width, height, seed)))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(("name", "width", "height", "md5"), GOLDEN)
def test_pictures_are_those_of_opencv_4_6(tmp_path, name, width, height, md5):
    with VideoReader(write(tmp_path, name, width, height)) as video:
        image = list(video)[1].image
    assert hashlib.md5(image, usedforsecurity=False).hexdigest() == md5


@pytest.mark.parametrize(
    ("name", "sample", "expected"),
    [
        # 520 * 9539 >> 16 = 75; Cb -304: -77 and 14; Cr 896: -92 and 178
        ("yuv420p", (81, 90, 240), (0, 0, 253)),
        ("yuv420p", (16, 128, 128), (0, 0, 0)),
        ("yuv420p", (235, 128, 128), (255, 255, 255)),
        ("yuvj420p", (100, 128, 128), (100, 100, 100)),
        # luma 84 gives 801276; with Cb 2: 834326, with both 768218, with Cr 4: 853576; in 1/8192
        ("yuv444p", (100, 130, 132), (102, 94, 104)),
        ("nv12", (16, 128, 128), (0, 0, 0)),
        ("yuv420p10le", (64, 512, 512), (0, 0, 0)),
    ],
)
def test_flat_colours_by_hand(name, sample, expected):
    layout = LAYOUTS[name]
    kind = np.uint8 if layout.bits == 8 else np.uint16
    planes = [np.full((20, 40), value, kind) for value in sample]
    if name == "nv12":
        planes = [planes[0], np.full((20, 40), 128, kind)]
    out = convert(planes, 16, 12, layout)
    np.testing.assert_array_equal(out[4:10], np.broadcast_to(np.uint8(expected), (6, 16, 3)))


def test_taps_of_doubling_are_the_cubic_at_quarters():
    """B = 0, C = 0.6 at 1/4: 1 - 2.4/16 + 1.4/64; at 3/4, 5/4, 7/4 likewise; times 4096."""
    found = taps(10, 20, 4096, 2)
    np.testing.assert_array_equal(found.weights[8], [-115, 985, 3572, -346])
    np.testing.assert_array_equal(found.weights[9], [-346, 3572, 985, -115])
    assert (found.first[8], found.first[9]) == (2, 3)


@settings(max_examples=60, deadline=None)
@given(source=st.integers(1, 60), more=st.integers(0, 1), whole=st.sampled_from([1 << 12, 1 << 14]))
def test_taps_stay_inside_and_sum_to_the_whole(source, more, whole):
    found = taps(source, 2 * source - more, whole)
    assert (found.first >= 0).all()
    count = found.weights.shape[1]
    assert (found.first + count <= max(source, count)).all()
    assert np.abs(found.weights.sum(axis=1, dtype=int) - whole).max() <= 1


def high(a, b):
    return (np.asarray(a, int) * np.asarray(b, int)) >> 16


def twin_of_pairs(luma, cb, cr, down, lifts, rounder, k, shape):
    height, width = shape
    rows, columns = np.arange(height) >> down, np.arange(width) // 2
    u = (cb.astype(int)[rows][:, columns] << lifts[1]) - 1024
    v = (cr.astype(int)[rows][:, columns] << lifts[1]) - 1024
    y = high((luma[:height, :width].astype(int) << lifts[0]) + rounder - k[0], k[1])
    channels = [y + high(u, k[2]), y + high(u, k[3]) + high(v, k[4]), y + high(v, k[5])]
    return np.clip(np.stack(channels, -1), 0, 255)


def twin_of_pixels(luma, lift, cb, cr, first, weights, k, shape):
    height, width = shape

    def blended(plane):
        total = np.zeros((height, width), int)
        for j in range(weights.shape[1]):
            rows = np.minimum(first + j, len(plane) - 1)
            total += plane.astype(int)[rows] * weights[:, j : j + 1].astype(int)
        return (total + 512 - (128 << 19)) >> 10

    u, v = blended(cb), blended(cr)
    y = ((luma[:height, :width].astype(int) << lift) * 4 - k[0]) * int(k[1]) + (1 << 21)
    k = k.astype(int)
    sums = np.stack([y + u * k[2], y + u * k[3] + v * k[4], y + v * k[5]], -1)
    return np.clip(sums.astype(np.int32) >> 22, 0, 255)


K_PAIRS = np.array([128, 9539, 16525, -3209, -6660, 13075], np.int16)
K_PIXELS = np.array([8192, 9539, 16525, -3209, -6660, 13075], np.int32)


@pytest.mark.parametrize(
    ("kind", "top", "lifts", "rounder"), [("u1", 256, (3, 3), 0), ("u2", 1024, (1, 1), 4)]
)
@pytest.mark.parametrize("shape", [(7, 9), (16, 66)])
def test_pairs_are_their_twins(kind, top, lifts, rounder, shape):
    random = np.random.default_rng(shape[0])
    planes = [random.integers(0, top, (20, 80)).astype(kind) for _ in range(3)]
    out = np.empty((*shape, 3), np.uint8)
    lifts = np.array(lifts, np.int16)
    paint_pairs(*planes, 1, lifts, np.int16(rounder), K_PAIRS, out)
    twin = twin_of_pairs(*planes, 1, lifts, rounder, K_PAIRS, shape)
    np.testing.assert_array_equal(out, twin)


def test_pixels_are_their_twins_where_blue_wraps_too():
    random = np.random.default_rng(5)
    luma = random.integers(0, 256, (20, 40)).astype(np.uint8)
    luma[3, 3] = 255
    cb, cr = (random.integers(0, 256 << 7, (10, 33)).astype(np.int16) for _ in range(2))
    cb[1:3] = 255 << 7
    found = taps(10, 19, 1 << 12)
    out = np.empty((19, 33, 3), np.uint8)
    paint_pixels(luma, np.int16(7), cb, cr, found.first, found.weights, K_PIXELS, out)
    twin = twin_of_pixels(luma, 7, cb, cr, found.first, found.weights, K_PIXELS, (19, 33))
    np.testing.assert_array_equal(out, twin)
    assert out[3, 3, 0] == 0


def test_blending_and_widening_are_their_twins():
    random = np.random.default_rng(6)
    plane = random.integers(0, 1024, (10, 24)).astype(np.uint16)
    down, over = taps(10, 20, 1 << 12, 2), taps(24, 47, 1 << 14)
    blended, wide = np.empty((20, 24), np.int16), np.empty((10, 47), np.int16)
    blend_rows(plane, np.int16(5), down.first, down.weights, np.int16(4), blended)
    widen(plane, np.int16(5), over.first, over.weights, wide)
    lifted = plane.astype(int) << 5
    rows = [[lifted[f + j] for j in range(down.weights.shape[1])] for f in down.first]
    sums = 4 + high(rows, down.weights[:, :, None]).sum(axis=1)
    np.testing.assert_array_equal(blended, sums)
    columns = over.first[:, None] + np.arange(over.weights.shape[1])
    sums = (lifted[:, columns] * over.weights.astype(int)).sum(axis=2) >> 14
    np.testing.assert_array_equal(wide, np.clip(sums, -32768, 32767))


@pytest.mark.skipif(not X86, reason="FFmpeg has other arithmetic on this processor")
@pytest.mark.parametrize("name", sorted(LAYOUTS))
@settings(max_examples=8, deadline=None)
@given(
    width=st.integers(1, 90), height=st.integers(9, 70) | st.integers(1, 6), seed=st.integers(0, 99)
)
def test_any_size_is_ffmpegs_on_x86(name, width, height, seed):
    """Not those of seven and eight rows, too low for a face: two taps have a path of their own."""
    frame = noisy_frame(name, width, height, seed)
    matrix = int(Colorspace.ITU601)
    bgr = VideoReformatter().reformat(
        frame,
        format="bgr24",
        src_colorspace=matrix,
        dst_colorspace=matrix,
        interpolation=Interpolation.BICUBIC,
        threads=1,
    )
    np.testing.assert_array_equal(bgr_from(frame), bgr.to_ndarray())


def test_a_format_without_a_kernel_is_named_once(tmp_path, caplog):
    conversion._name_once.cache_clear()
    for _ in range(2):
        with VideoReader(write(tmp_path, "yuv410p", 64, 48)) as video:
            assert [frame.image.shape for frame in video] == [(48, 64, 3)] * 2
    warnings = [record.getMessage() for record in caplog.records]
    assert len(warnings) == 1
    assert warnings[0].startswith("pixel format yuv410p is converted by FFmpeg: last bits may")


def test_gray_and_rgb_need_no_kernel_and_no_warning(tmp_path, caplog):
    for name in ("gray", "bgr0"):
        with VideoReader(write(tmp_path, name, 34, 20)) as video:
            list(video)
    assert not caplog.records


def test_range_and_interlacing_of_a_frame_are_not_heeded():
    plain, tagged = noisy_frame("yuv410p", 64, 48), noisy_frame("yuv410p", 64, 48)
    tagged.color_range = 2
    convert_ = conversion.Conversion(64, 48).bgr
    np.testing.assert_array_equal(convert_(plain), convert_(tagged))
