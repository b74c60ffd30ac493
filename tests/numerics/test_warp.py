"""Fixed-point warps: by hand, the reference's patches and gray picture, NumPy twins, borders."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyfaceau.media.video import VideoReader
from pyfaceau.numerics._jit import kernel
from pyfaceau.numerics.warp import (
    gray_from_bgr,
    invert_affine,
    row_terms,
    sample_f32,
    warp_affine_u8,
)
from pyfaceau.types import Float32, Float64, UInt8

RAMP = np.array([[0, 100], [40, 140]], np.uint8)
seeds = st.integers(0, 2**32 - 1)


def affine(seed: int, side: int) -> Float64:
    """Return a similarity that shows about all of a picture of that side, and some outside."""
    rng = np.random.default_rng(seed)
    angle, scale = rng.uniform(-4, 4), math.exp(rng.uniform(-1, 1))
    c, s = scale * math.cos(angle), scale * math.sin(angle)
    tx, ty = rng.uniform(-side, 2 * side, 2)
    return np.array([[c, -s, tx], [s, c, ty]])


def positions_twin(m: Float64, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return x and y of every pixel's source, in 1/32 pixel."""
    columns, rows = np.arange(width), np.arange(height)[:, None]
    axes = []
    for a, b, c in m:
        row_term = np.rint((b * rows + c) * 1024).astype(int) + 16
        axes.append((row_term + np.rint(a * columns * 1024).astype(int)) >> 5)
    return axes[0], axes[1]


def neighbours_twin(image: np.ndarray, m: Float64, size: tuple[int, int]) -> list[np.ndarray]:
    """Return the four neighbours of every pixel's source, zero outside, and x, y in 32nds."""
    x, y = positions_twin(m, *size)
    height, width = image.shape[:2]
    corners = []
    for dy, dx in ((0, 0), (0, 1), (1, 0), (1, 1)):
        row, column = (y >> 5) + dy, (x >> 5) + dx
        inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
        found = image[np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)]
        corners.append(np.where(inside if image.ndim == 2 else inside[:, :, None], found, 0))
    return [*corners, x & 31, y & 31]


def warp_f32_twin(image: np.ndarray, m: Float64, size: tuple[int, int]) -> Float32:
    *corners, x, y = neighbours_twin(image, m, size)
    p00, p01, p10, p11 = (corner.astype(np.float32) for corner in corners)
    fx, fy = x.astype(np.float32) / np.float32(32), y.astype(np.float32) / np.float32(32)
    gx, gy = 1 - fx, 1 - fy
    return p00 * (gy * gx) + p01 * (gy * fx) + p10 * (fy * gx) + p11 * (fy * fx)


def warp_u8_twin(image: UInt8, m: Float64, size: tuple[int, int]) -> UInt8:
    *corners, x, y = neighbours_twin(image, m, size)
    x, y = x[:, :, None], y[:, :, None]
    weights = [(32 - y) * (32 - x), (32 - y) * x, y * (32 - x), y * x]
    total = sum(32 * w * corner for w, corner in zip(weights, corners, strict=True))
    return ((total + 16384) >> 15).astype(np.uint8)


@kernel
def sample_all(image: UInt8 | Float32, m: Float64, out: Float32) -> None:
    """Sample a picture of one channel at every pixel of another."""
    for y in range(out.shape[0]):
        x0, y0 = row_terms(m, y)
        for x in range(out.shape[1]):
            xs = (x0 + np.int64(np.rint(m[0, 0] * x * 1024.0))) >> 5
            ys = (y0 + np.int64(np.rint(m[1, 0] * x * 1024.0))) >> 5
            out[y, x] = sample_f32(image, xs, ys)


def warped(image: np.ndarray, m: object, size: tuple[int, int]) -> np.ndarray:
    """Return a warp: of colour pictures in uint8, of others in float32."""
    matrix = np.array(m, np.float64)
    if image.ndim == 3:
        colour = np.full((*size, 3), 77, np.uint8)
        warp_affine_u8(image, matrix, colour)
        return colour
    out = np.full(size, np.nan, np.float32)
    sample_all(image, matrix, out)
    return out


def test_samples_by_hand() -> None:
    image = RAMP.astype(np.float32)
    assert sample_f32(image, 0, 0) == 0
    assert sample_f32(image, 16, 0) == 50  # half way to the right
    assert sample_f32(image, 8, 24) == 25 + 30  # a quarter right, three quarters down
    assert sample_f32(image, -16, 0) == 0
    assert sample_f32(image, 48, 32) == 70  # half of 140, half of what is outside
    assert sample_f32(image, 64, 0) == 0


def test_warp_by_hand() -> None:
    np.testing.assert_array_equal(warped(RAMP, [[1, 0, 0], [0, 1, 0]], (2, 2)), RAMP)
    half = warped(RAMP, [[1, 0, 0.5], [0, 1, 0]], (2, 2))
    np.testing.assert_array_equal(half, [[50, 50], [90, 70]])
    # positions are rounded to 1/32: 0.015 is none, 0.016 is one
    assert warped(RAMP, [[1, 0, 0.015], [0, 1, 0]], (1, 1))[0, 0] == 0
    assert warped(RAMP, [[1, 0, 0.016], [0, 1, 0]], (1, 1))[0, 0] == 100 / 32
    colour = np.stack([RAMP, RAMP // 2, 255 - RAMP], axis=2)
    turned = warped(colour, [[0, 1, 0], [1, 0, 0]], (2, 2))
    np.testing.assert_array_equal(turned, colour.transpose(1, 0, 2))


def test_gray_by_hand() -> None:
    pixels = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]], np.uint8)
    assert gray_from_bgr(pixels).tolist() == [[29, 150, 76, 255]]


def test_gray_of_the_reference(shared: Path) -> None:
    with VideoReader(shared / "samples/video/single_face.mp4") as video:
        image = next(iter(video)).image
    with np.load(shared / "reference/stages/single_face/stages.npz") as golden:
        np.testing.assert_array_equal(gray_from_bgr(image), golden["gray1"])


@pytest.mark.parametrize("scale", [0, 1, 2])
def test_patches_of_the_reference(shared: Path, scale: int) -> None:
    with np.load(shared / "reference/stages/single_face/stages.npz") as golden:
        gray = golden["gray1"]
        points = golden[f"h0_s{scale}_shape0"].reshape(2, -1).T
        (a, minus_b), _ = golden[f"h0_s{scale}_r2i"]
        patches = golden[f"h0_s{scale}_aoi"]
    b, side = -minus_b, round(math.sqrt(patches.shape[1]))
    half = np.float32((side - 1) / 2)
    for (x, y), patch in zip(points, patches, strict=True):
        m = [[a, -b, x - a * half + b * half], [b, a, y - a * half - b * half]]
        np.testing.assert_array_equal(warped(gray, m, (side, side)).ravel(), patch)


@settings(deadline=None, max_examples=60)
@given(seeds, st.integers(1, 30), st.integers(1, 30))
def test_warps_equal_their_twins(seed: int, height: int, width: int) -> None:
    image = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    m = affine(seed, max(height, width))
    np.testing.assert_array_equal(warped(image, m, (20, 25)), warp_u8_twin(image, m, (20, 25)))
    for plane in (image[:, :, 0].copy(), image[:, :, 1].astype(np.float32)):
        np.testing.assert_array_equal(warped(plane, m, (9, 31)), warp_f32_twin(plane, m, (9, 31)))


@settings(deadline=None)
@given(seeds)
def test_gray_equals_its_twin(seed: int) -> None:
    image = np.random.default_rng(seed).integers(0, 256, (7, 37, 3), dtype=np.uint8)
    twin = (image.astype(int) @ [3735, 19235, 9798] + 16384) >> 15
    np.testing.assert_array_equal(gray_from_bgr(image), twin)


@settings(deadline=None)
@given(seeds)
def test_inverse_goes_back(seed: int) -> None:
    m = affine(seed, 500)
    back = invert_affine(m)
    points = np.random.default_rng(seed).uniform(0, 500, (5, 2))
    there = points @ m[:, :2].T + m[:, 2]
    np.testing.assert_allclose(there @ back[:, :2].T + back[:, 2], points, atol=1e-9)


@settings(deadline=None)
@given(seeds, st.integers(-60, 60), st.integers(-60, 60))
def test_whole_pixel_shifts_are_exact(seed: int, dx: int, dy: int) -> None:
    image = np.random.default_rng(seed).integers(1, 256, (24, 32), dtype=np.uint8)
    got = warped(image, [[1, 0, dx], [0, 1, dy]], (24, 32))
    padded = np.pad(image, 100)
    np.testing.assert_array_equal(got, padded[100 + dy : 124 + dy, 100 + dx : 132 + dx])


@pytest.mark.parametrize("shift", [-1e6, -31, 31, 1e6])
def test_nothing_is_seen_outside(shift: float) -> None:
    white = np.full((30, 30, 3), 255, np.uint8)
    away = [[1, 0, shift], [0, 1, shift]]
    assert not warped(white, away, (30, 30))[: 1 if shift > 0 else None].any()
    assert not warped(white[:, :, 0].copy(), away, (1, 1)).any()
