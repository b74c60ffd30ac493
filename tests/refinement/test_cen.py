"""CEN patch experts: files made on the spot, maps against plain numpy, mirrored experts."""

from __future__ import annotations

import struct
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyfaceau.errors import InputError, WeightsError
from pyfaceau.numerics.libm import expf
from pyfaceau.refinement import _kernels, _kernels_cen
from pyfaceau.refinement.ccnf import CCNFExperts
from pyfaceau.refinement.cen import CENExperts, load_scales
from pyfaceau.refinement.expert_files import load_experts
from tests.cen_files import ExpertFile, Record, mirror_points, random_records, write
from tests.numerics.test_cnn import product_twin
from tests.refinement.test_experts import numpy_area, numpy_patches

F32 = np.float32
CENTRES = np.radians([[0, yaw, 0] for yaw in (0, -20, -45, -70, 70, 45, 20)])
WINDOWS = (11, 9, 7, 5)


def visibility() -> np.ndarray:
    """Return 68 landmarks in 7 views; in profile one half of the face."""
    seen = np.ones((7, 68), bool)
    points = mirror_points()
    hidden = points < np.arange(68)
    seen[3, hidden] = seen[4, points[hidden]] = False
    return seen


def expert_file(scale: float, seed: int, *widths: int) -> ExpertFile:
    """Return a file as published ones are: half of the experts are mirrored."""
    rng = np.random.default_rng(seed)
    seen = visibility()
    has_own = seen.copy()
    has_own[0, mirror_points() < np.arange(68)] = False
    has_own[4:] = False
    return ExpertFile(scale, CENTRES, seen, random_records(rng, has_own, *widths))


@pytest.fixture(scope="module")
def files() -> list[ExpertFile]:
    """Return four scales; rows in full dozens, in full fours and left over."""
    widths = [(26, 13, 1), (12, 17, 5, 1), (6, 1), (40, 1)]
    return [expert_file(0.25 * (n + 1), n, *w) for n, w in enumerate(widths)]


@pytest.fixture(scope="module")
def scales(files: list[ExpertFile], tmp_path_factory: pytest.TempPathFactory) -> list[CENExperts]:
    """Write and load them."""
    folder = tmp_path_factory.mktemp("cen")
    return [CENExperts.load(write(folder / f"{n}.dat", f)) for n, f in enumerate(files)]


@pytest.fixture(scope="module")
def gray() -> np.ndarray:
    """Return a picture of smooth blobs."""
    y, x = np.mgrid[:120, :140]
    waves = np.sin(x / 7 + y / 19) + np.cos(y / 5 - x / 23) + np.sin(x * y / 900)
    return ((waves + 3) * 42).astype(np.uint8)


def forward(record: Record, x: np.ndarray) -> np.ndarray:
    """Run a network over columns (122, N), in the reference's order of sums."""
    for activation, bias, weights in record.layers:
        x = product_twin(weights, x) + bias[:, None]
        if activation == 0:
            x = F32(1) / (F32(1) + np.vectorize(expf, otypes=[F32])(-x))
        elif activation == 2:
            x = np.maximum(x, F32(0))
    return x[0]


def sparse(area: np.ndarray, window: int) -> np.ndarray:
    """Return columns (122, N) of every other position, column by column."""
    patches = numpy_patches(np.ascontiguousarray(area), window).reshape(window, window, -1)
    odd = patches.transpose(1, 0, 2).reshape(window * window, -1)[1::2]
    return np.concatenate([np.ones((len(odd), 1), F32), odd], axis=1).T


def fill(values: np.ndarray, window: int) -> np.ndarray:
    """Return the map of the odd positions' values, the others interpolated."""
    out = np.zeros((window, window), F32)
    known = dict(zip(range(1, window * window, 2), values, strict=True))
    for k in range(window * window):
        x, y = divmod(k, window)
        near = [(k - window, x > 0), (k - 1, y > 0), (k + 1, y + 1 < window)]
        near.append((k + window, x + 1 < window))
        used = [known[n] for n, inside in near if inside] if k % 2 == 0 else []
        total = 0.0
        for value in used:
            total += float(F32(1 / len(used))) * float(value)
        out[y, x] = total if used else known[k]
    return out


def numpy_maps(
    file: ExpertFile, gray: np.ndarray, points: np.ndarray, view: int, window: int
) -> np.ndarray:
    """Return the maps of one view at identity, landmark by landmark."""
    maps = np.zeros((68, window, window), F32)
    mirrors, views = mirror_points(), (0, 6, 5, 4, 3, 2, 1)

    def columns(n: int, flip: bool) -> np.ndarray:
        area = numpy_area(gray, *points[n], 1, 0, window + 10).astype(F32)
        return sparse(area[:, ::-1] if flip else area, window)

    for n in range(68):
        other, record = int(mirrors[n]), file.records[view][n]
        if view == 0 and record.layers and other != n:
            both = np.concatenate([columns(n, False), columns(other, True)], axis=1)
            one, two = np.split(forward(record, both), 2)
            maps[n], maps[other] = fill(one, window), fill(two, window)[:, ::-1]
        elif record.layers:
            maps[n] = fill(forward(record, columns(n, False)), window)
        elif view != 0 and file.visibility[view, n]:
            record = file.records[views[view]][other]
            maps[n] = fill(forward(record, columns(n, True)), window)[:, ::-1]
    return maps


def scattered(seed: int) -> np.ndarray:
    """Return 68 landmarks in the picture and a little outside of it."""
    rng = np.random.default_rng(seed)
    return rng.uniform((-5, -5), (145, 125), (68, 2)).astype(F32)


@pytest.mark.parametrize("scale", range(4))
def test_maps_are_their_numpy_twin(
    files: list[ExpertFile], scales: list[CENExperts], gray: np.ndarray, scale: int
) -> None:
    """Every float32 of all seven views, at the window of each scale."""
    window, points = WINDOWS[scale], scattered(scale)
    for view in range(7):
        maps = scales[scale].responses(gray, points, np.eye(2, dtype=F32), view, window)
        expected = numpy_maps(files[scale], gray, points, view, window)
        np.testing.assert_array_equal(maps, expected)
        assert np.count_nonzero(maps.any(axis=(1, 2))) == visibility()[view].sum()


def test_large_windows_and_their_columns(
    files: list[ExpertFile], scales: list[CENExperts], gray: np.ndarray
) -> None:
    """Windows of 15 and 13, as fits in the wild have them."""
    points = scattered(4)
    for window in (15, 13):
        maps = scales[0].responses(gray, points, np.eye(2, dtype=F32), 0, window)
        np.testing.assert_array_equal(maps, numpy_maps(files[0], gray, points, 0, window))


def test_interpolation_by_hand() -> None:
    """Four values about the centre; corners have two neighbours, the centre four."""
    out = np.empty((3, 3), F32)
    _kernels_cen.interpolate(np.array([1, 2, 3, 4], F32), 3, False, out)
    np.testing.assert_array_equal(out, [[1.5, 2, 3], [1, 2.5, 4], [2, 3, 3.5]])
    _kernels_cen.interpolate(np.array([1, 2, 3, 4], F32), 3, True, out)
    np.testing.assert_array_equal(out, [[3, 2, 1.5], [4, 2.5, 1], [3.5, 3, 2]])


def test_network_by_hand(gray: np.ndarray, tmp_path: Path) -> None:
    """A layer that ignores the patch: 2 from the column of ones, 0.5 from the bias vector."""
    weights = np.zeros((1, 122), F32)
    weights[0, 0] = 2
    for activation, expected in ((0, 1 / (1 + np.exp(-2.5))), (2, 2.5), (1, 2.5)):
        record = Record([(activation, np.array([0.5], F32), weights)], 0.25)
        file = ExpertFile(1.0, CENTRES[:1], np.ones((1, 68), bool), [[record] * 68])
        experts = CENExperts.load(write(tmp_path / "one.dat", file, (0,)))
        maps = experts.responses(gray, scattered(0), np.eye(2, dtype=F32), 0, 5)
        np.testing.assert_allclose(maps, expected, rtol=1e-7)
        assert (experts.confidence == 0.25).all()


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), view=st.integers(1, 6), window=st.sampled_from([5, 7, 9]))
def test_mirrored_picture_has_mirrored_maps(
    scales: list[CENExperts], gray: np.ndarray, seed: int, view: int, window: int
) -> None:
    """A head turned left in the mirror is one turned right."""
    points = np.rint(scattered(seed))
    flipped = np.array([gray.shape[1] - 1, 0], F32) + np.array([-1, 1], F32) * points
    order, identity = mirror_points(), np.eye(2, dtype=F32)
    maps = scales[1].responses(gray, points, identity, view, window)
    mirrored = scales[1].responses(
        np.ascontiguousarray(gray[:, ::-1]), flipped[order], identity, 7 - view, window
    )
    np.testing.assert_array_equal(mirrored[order][:, :, ::-1], maps)


def test_only_the_chosen_points_are_computed(scales: list[CENExperts], gray: np.ndarray) -> None:
    """Also one whose expert is its mirror image's."""
    points, identity, only = scattered(5), np.eye(2, dtype=F32), np.zeros(68, bool)
    only[[16, 30, 48]] = True
    for view in (0, 2, 5):
        whole = scales[0].responses(gray, points, identity, view, 9)
        part = scales[0].responses(gray, points, identity, view, 9, only)
        np.testing.assert_array_equal(part[only], whole[only])
        assert not part[~only].any()


def record_size(*widths: int) -> int:
    """Return the bytes of a record: head, layers, confidence."""
    layers = [4 + 12 + 4 * k + 12 + 4 * k * c for c, k in pairwise(widths)]
    return 16 + sum(layers) + 8


def test_size_of_the_published_files() -> None:
    """Their sizes follow from the format, 68 landmarks, 7 views and 4 layers."""
    head = 2576
    narrow, wide = record_size(122, 300, 100, 50, 1), record_size(122, 500, 200, 100, 1)
    assert head + 210 * narrow + 266 * 24 == 60_602_360
    assert head + 212 * wide + 264 * 24 == 154_289_792


def test_generated_file_has_the_published_layout(files: list[ExpertFile], tmp_path: Path) -> None:
    path = write(tmp_path / "made.dat", files[0])
    own = sum(bool(record.layers) for row in files[0].records for record in row)
    assert path.stat().st_size == 2576 + own * record_size(122, 26, 13, 1) + (476 - own) * 24


def test_kind_is_told_from_the_contents(
    files: list[ExpertFile], tmp_path: Path, weights_dir: Path
) -> None:
    assert isinstance(load_experts(write(tmp_path / "made.dat", files[2])), CENExperts)
    other = load_experts(weights_dir / "ccnf_patches_0.5_general.txt")
    assert isinstance(other, CCNFExperts)


def test_last_file_says_what_mirrors_what(files: list[ExpertFile], tmp_path: Path) -> None:
    first = write(tmp_path / "0.dat", files[0])
    last = write(tmp_path / "1.dat", files[1], (0, 6, 5, 4, 3, 1, 2))
    with pytest.raises(WeightsError, match="landmark 8 in view 4"):
        load_scales([first, write(tmp_path / "2.dat", files[1], (0, 4, 5, 6, 4, 5, 6))])
    loaded = load_scales([first, last])
    assert all(experts.mirror_views.tolist() == [0, 6, 5, 4, 3, 1, 2] for experts in loaded)
    assert loaded[0].plans[5][0].tolist() == [0, 1, -1, 1, 16]


@pytest.mark.parametrize("cut", [0, 11, 100, 2000, 50_000, -4])
def test_truncated_file_is_refused(files: list[ExpertFile], tmp_path: Path, cut: int) -> None:
    path = write(tmp_path / "made.dat", files[2])
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(WeightsError, match=r"made\.dat"):
        load_experts(path)
    with pytest.raises(WeightsError, match=r"made\.dat"):
        CENExperts.load(path)


@pytest.mark.parametrize(
    ("at", "value", "message"),
    [
        (8, 0, "views"),
        (2264, 68, "mirror"),
        (2548, -1, "mirror"),
        (2576, 5, "CEN"),
        (2576 + 12, 1000, "CEN"),
        (2576 + 12, 1, "one response"),
    ],
)
def test_altered_file_is_refused(
    files: list[ExpertFile], tmp_path: Path, at: int, value: int, message: str
) -> None:
    path = write(tmp_path / "made.dat", files[2])
    data = bytearray(path.read_bytes())
    data[at : at + 4] = struct.pack("<i", value)
    path.write_bytes(data)
    with pytest.raises(WeightsError, match=message):
        CENExperts.load(path)


def test_layers_must_follow_on_each_other(tmp_path: Path) -> None:
    record = Record([(0, np.zeros(1, F32), np.zeros((1, 121), F32))], 1.0)
    file = ExpertFile(1.0, CENTRES[:1], np.ones((1, 68), bool), [[record] * 68])
    with pytest.raises(WeightsError, match="122 values"):
        CENExperts.load(write(tmp_path / "one.dat", file, (0,)))


def test_bad_request_is_named(scales: list[CENExperts], gray: np.ndarray) -> None:
    with pytest.raises(InputError, match="window: expected 3 or more"):
        scales[0].responses(gray, scattered(0), np.eye(2, dtype=F32), 0, 1)
    with pytest.raises(InputError, match="view"):
        scales[0].responses(gray, scattered(0), np.eye(2, dtype=F32), 7, 9)


def test_buffers_hold_two_windows() -> None:
    """The joint evaluation of two landmarks fits the rows of positions."""
    assert 2 * (_kernels.MAX_WINDOW**2 // 2) <= _kernels.LANES
