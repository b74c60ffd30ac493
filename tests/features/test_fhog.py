"""FHOG: a ramp by hand, a NumPy twin, the reference's descriptors to the bit."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyfaceau.errors import InputError
from pyfaceau.features.fhog import fhog, orientation_bins


def faces(seed, low=0, high=256):
    return np.random.default_rng(seed).integers(low, high, (112, 112, 3), dtype=np.uint8)


def twin(image):
    """FHOG by whole-array NumPy, float64 but for the gradient's orientation."""
    i = image.astype(np.int64)
    dx = (i[1:-1, 2:] - i[1:-1, :-2])[..., ::-1]  # R, G, B
    dy = (i[2:, 1:-1] - i[:-2, 1:-1])[..., ::-1]
    length = dx**2 + dy**2
    late = 2 - np.argmax(length[..., ::-1], axis=-1)
    early = np.argmax(length, axis=-1)
    channel = np.where(np.arange(1, 111) < 105, late, early)[..., None]
    dx, dy = (np.take_along_axis(d, channel, -1)[..., 0] for d in (dx, dy))
    ux = np.float32([1, 0.9397, 0.7660, 0.5, 0.1736, -0.1736, -0.5, -0.7660, -0.9397])
    uy = np.float32([0, 0.3420, 0.6428, 0.8660, 0.9848, 0.9848, 0.8660, 0.6428, 0.3420])
    dot = dx[..., None].astype(np.float32) * ux + dy[..., None].astype(np.float32) * uy
    ranked = np.stack([dot, -dot], axis=-1).reshape(*dot.shape[:-1], 18)
    o = np.argmax(np.concatenate([np.zeros_like(ranked[..., :1]), ranked], axis=-1), axis=-1) - 1
    o = np.where(o < 0, 0, o // 2 + 9 * (o % 2))
    h = np.zeros((16, 16, 18))
    place = (np.arange(1, 111) + 0.5) / 8 - 0.5
    cell, part = np.floor(place).astype(int) + 1, place - np.floor(place)
    for a, wy in ((0, 1 - part), (1, part)):
        for b, wx in ((0, 1 - part), (1, part)):
            votes = np.sqrt(dx**2 + dy**2) * wy[:, None] * wx[None, :]
            np.add.at(h, ((cell + a)[:, None], (cell + b)[None, :], o), votes)
    h = h[1:15, 1:15]
    both = h[..., :9] + h[..., 9:]
    energy = (both**2).sum(-1)
    blocks = energy[:-1, :-1] + energy[:-1, 1:] + energy[1:, :-1] + energy[1:, 1:]
    limits = 0.2 * np.sqrt(blocks + 1e-4)
    out = np.zeros((12, 12, 31))
    for q, (r, c) in enumerate(((1, 1), (0, 1), (1, 0), (0, 0))):
        n = limits[r : r + 12, c : c + 12, None]
        signed = np.minimum(h[1:-1, 1:-1], n) * 0.1 / n
        out[..., :18] += signed
        out[..., 18:27] += np.minimum(both[1:-1, 1:-1], n) * 0.1 / n
        out[..., 27 + q] = 0.4714 * signed.sum(-1)
    return out.reshape(-1)


def test_a_ramp_to_the_right_by_hand():
    image = np.repeat(np.arange(112, dtype=np.uint8)[None, :, None], 112, axis=0).repeat(3, axis=2)
    cells = fhog(image).reshape(12, 12, 31)
    # Every gradient is (2, 0): inner cells hold 64 * 2 = 128 in bin 0; four blocks of energy
    # 4 * 128^2 cap it at 0.2 * 256 = 51.2 and scale it to 0.1 each.
    expected = np.zeros(31)
    expected[[0, 18]] = 0.4
    expected[27:] = 0.04714
    np.testing.assert_allclose(cells[1:-1, 1:-1], np.tile(expected, (10, 10, 1)), atol=1e-7)


def test_orientation_of_simple_gradients():
    bins = orientation_bins()
    for (gx, gy), o in {(0, 0): 0, (5, 0): 0, (-5, 0): 9, (1, 2): 3, (-1, -2): 12}.items():
        assert bins[gy + 255, gx + 255] == o
    assert bins[255 + 7, 255] == 4  # straight down lies between bins 4 and 5: the first wins


def test_descriptors_of_a_video_equal_the_reference_to_the_bit(shared):
    folder = shared / "reference/stages/single_face"
    faces = np.load(folder / "aligned_bgr.npz")["aligned"]
    records = np.frombuffer(gzip.decompress((folder / "single_face.hog.gz").read_bytes()), "<f4")
    expected = records.reshape(72, 4468)[:, 4:]
    np.testing.assert_array_equal(np.stack([fhog(face) for face in faces]), expected)


@pytest.mark.parametrize("high", [3, 256])
def test_kernel_agrees_with_its_twin(high):
    # With few levels the three channels tie all the time.
    image = faces(1, 0, high)
    np.testing.assert_allclose(fhog(image), twin(image), atol=1e-6)


@given(seed=st.integers(0, 2**32 - 1), shift=st.integers(0, 155))
@settings(max_examples=20, deadline=None)
def test_brightness_does_not_matter(seed, shift):
    image = faces(seed, 0, 100)
    np.testing.assert_array_equal(fhog(image), fhog(image + np.uint8(shift)))


def test_a_black_face_has_no_gradient():
    assert not fhog(np.zeros((112, 112, 3), np.uint8)).any()


@pytest.mark.parametrize("shape", [(112, 112), (96, 112, 3), (0, 0, 3)])
def test_other_sizes_are_refused(shape):
    with pytest.raises(InputError, match=r"image: expected"):
        fhog(np.zeros(shape, np.uint8))
