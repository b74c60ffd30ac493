"""Patch experts: kernels against plain numpy, maps against the reference program's."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyfaceau.errors import InputError, WeightsError
from pyfaceau.refinement import _kernels, _kernels_ccnf, _kernels_svr, ccnf
from pyfaceau.refinement.ccnf import CCNFExperts
from pyfaceau.refinement.experts import nearest_view
from pyfaceau.refinement.svr import SVRExperts

SIDE, AREA, LANES, STRIDE = _kernels.SIDE, _kernels.AREA, _kernels.LANES, _kernels.STRIDE
F32 = np.float32


@pytest.fixture(scope="module")
def stages(shared: Path) -> dict[str, np.ndarray]:
    """Every intermediate of the reference program's first fit of single_face, frame 1."""
    with np.load(shared / "reference/stages/single_face/stages.npz") as data:
        return {name: data[name] for name in data.files if name[:2] == "h0" or name == "gray1"}


@pytest.fixture(scope="module")
def general(weights_dir: Path) -> list[CCNFExperts]:
    """Load the three CCNF scales, coarse to fine."""
    names = ("0.25", "0.35", "0.5")
    return [CCNFExperts.load(weights_dir / f"ccnf_patches_{n}_general.txt") for n in names]


@pytest.fixture(scope="module")
def svr(weights_dir: Path) -> SVRExperts:
    """Load the SVR experts of the coarsest scale."""
    return SVRExperts.load(weights_dir / "svr_patches_0.25_general.txt")


def shape_of(stages: dict[str, np.ndarray], scale: int) -> np.ndarray:
    """Landmarks (68, 2) that the maps of one scale are centred on."""
    return np.ascontiguousarray(stages[f"h0_s{scale}_shape0"].reshape(2, 68).T)


def numpy_area(gray: np.ndarray, x: float, y: float, a: float, b: float, side: int) -> np.ndarray:
    """Bilinear sampling at positions rounded to 1/32 pixel, in float64."""
    a, b, last = F32(a), F32(b), F32(side - 1)
    m02 = F32(x) - a * last / F32(2) + b * last / F32(2)
    m12 = F32(y) - a * last / F32(2) - b * last / F32(2)
    row, column = np.mgrid[:side, :side]
    a, b, m02, m12 = (float(v) for v in (a, b, m02, m12))
    u = (np.rint(a * column * 1024) + np.rint((-b * row + m02) * 1024) + 16).astype(int) >> 5
    v = (np.rint(b * column * 1024) + np.rint((a * row + m12) * 1024) + 16).astype(int) >> 5
    padded = np.zeros((gray.shape[0] + 2, gray.shape[1] + 2))
    padded[1:-1, 1:-1] = gray

    def pixel(i: np.ndarray, j: np.ndarray) -> np.ndarray:
        i, j = np.clip(i + 1, 0, padded.shape[0] - 1), np.clip(j + 1, 0, padded.shape[1] - 1)
        return padded[i, j]

    fx, fy, i, j = u % 32 / 32, v % 32 / 32, v >> 5, u >> 5
    upper = pixel(i, j) * (1 - fx) + pixel(i, j + 1) * fx
    lower = pixel(i + 1, j) * (1 - fx) + pixel(i + 1, j + 1) * fx
    return upper * (1 - fy) + lower * fy


def test_sampling_a_ramp_by_hand() -> None:
    """On a ramp of 10 per column, half a pixel to the right reads 5 more; outside reads 0."""
    gray = np.tile(np.arange(0, 200, 10, dtype=np.uint8), (20, 1))
    area = np.full((STRIDE, STRIDE), -1, F32)
    _kernels.sample_area(gray, F32(10.5), F32(10), F32(1), F32(0), 3, area)
    np.testing.assert_array_equal(area[:3, :3], np.tile([95, 105, 115], (3, 1)).astype(F32))
    _kernels.sample_area(gray, F32(19), F32(0), F32(1), F32(0), 3, area)
    np.testing.assert_array_equal(area[:3, :3], [[0, 0, 0], [180, 190, 0], [180, 190, 0]])


@settings(max_examples=40, deadline=None)
@given(
    x=st.floats(-20, 60, width=32),
    y=st.floats(-20, 60, width=32),
    scale=st.floats(0.25, 3, width=32),
    turn=st.floats(-1, 1, width=32),
    side=st.integers(11, 25),
)
def test_sampling_is_its_numpy_twin(
    x: float, y: float, scale: float, turn: float, side: int
) -> None:
    """Inside, across the border and outside of the picture."""
    gray = np.random.default_rng(3).integers(0, 256, (37, 43), dtype=np.uint8)
    area = np.zeros((STRIDE, STRIDE), F32)
    _kernels.sample_area(gray, F32(x), F32(y), F32(scale), F32(turn), side, area)
    np.testing.assert_array_equal(
        area[:side, :side], numpy_area(gray, x, y, scale, turn, side).astype(F32)
    )


def numpy_patches(area: np.ndarray, window: int) -> np.ndarray:
    """Normalised patches (positions, 121), column by column, with the kernel's order of sums."""
    views = np.lib.stride_tricks.sliding_window_view(area, (SIDE, SIDE))
    rows = views.reshape(window * window, AREA)
    mean = np.add.accumulate(rows, axis=1, dtype=F32)[:, -1] / F32(AREA)
    centred = (rows - mean[:, None]).reshape(-1, SIDE, SIDE).transpose(0, 2, 1).reshape(-1, AREA)
    norm = np.sqrt(np.add.accumulate(centred * centred, axis=1, dtype=F32)[:, -1])
    scale = np.where(norm == 0, 1.0, 1.0 / np.where(norm == 0, 1, norm.astype(float)))
    return centred * scale.astype(F32)[:, None]


def numpy_product(patches: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Neuron outputs (K, positions); fused steps as float64 sums rounded to float32."""
    data = np.concatenate([np.ones((len(patches), 1), F32), patches], axis=1).T.astype(float)
    out = np.zeros((len(weights), data.shape[1]), F32)

    def run(w: np.ndarray, terms: np.ndarray, x: np.ndarray) -> np.ndarray:
        total = np.zeros(x.shape[1], F32)
        for k in terms:
            total = (float(w[k]) * x[k] + total).astype(F32)
        return total

    every = np.arange(AREA + 1)
    split = every < 120
    for r, w in enumerate(weights):
        out[r] = run(w, every, data)
        if r < 4:
            even = run(w, every[(every % 2 == 0) | ~split], data)
            out[r, :-1] = (even + run(w, every[(every % 2 == 1) & split], data))[:-1]
    return out


def random_area(window: int) -> np.ndarray:
    """Area of interest of random pixels whose first patch is constant."""
    side = window + SIDE - 1
    area = np.zeros((STRIDE, STRIDE), F32)
    area[:side, :side] = np.random.default_rng(window).integers(0, 256, (side, side))
    area[:SIDE, :SIDE] = 80
    return area


WINDOWS = [1, 3, 5, 7, 9, 11, 13, 15]


@pytest.mark.parametrize("window", WINDOWS)
def test_patches_are_their_numpy_twins(window: int) -> None:
    area, positions = random_area(window), window * window
    patches = np.zeros(AREA * LANES, F32)
    _kernels.unfold(area.reshape(-1), window, patches)
    _kernels.normalise(
        patches, (positions + 7) // 8 * 8, np.empty(LANES, F32), np.empty(LANES, F32)
    )
    side = window + SIDE - 1
    expected = numpy_patches(area[:side, :side], window)
    np.testing.assert_array_equal(patches.reshape(AREA, LANES)[:, :positions].T, expected)


@pytest.mark.parametrize("window", WINDOWS)
def test_strips_and_neurons_are_their_numpy_twins(window: int) -> None:
    area, positions, side = random_area(window), window * window, window + SIDE - 1
    lanes, strip = _kernels_ccnf.LANES, _kernels_ccnf.STRIP
    strips = np.zeros(_kernels_ccnf.STRIPS, F32)
    _kernels_ccnf.cut_strips(area.reshape(-1), window, strips)
    for dx in range(SIDE):
        np.testing.assert_array_equal(
            strips[dx * strip :][: side * window], area[:side, dx : dx + window].ravel()
        )
    mean, scale = np.empty(lanes, F32), np.empty(lanes, F32)
    _kernels_ccnf.mean_and_scale(strips, window, mean, scale)
    expected = numpy_patches(area[:side, :side], window)
    offsets = np.add.outer(np.arange(SIDE) * strip, np.arange(SIDE) * window).ravel()
    pixels = strips[np.add.outer(np.arange(positions), offsets)]
    np.testing.assert_array_equal(
        (pixels - mean[:positions, None]) * scale[:positions, None], expected
    )
    weights = np.random.default_rng(window).normal(size=(7, AREA + 1)).astype(F32)
    sums = np.zeros(7 * lanes, F32)
    _kernels_ccnf.neuron_sums(strips, offsets, mean, scale, weights.ravel(), positions, sums)
    np.testing.assert_array_equal(
        sums.reshape(7, lanes)[:, :positions], numpy_product(expected, weights)
    )


def test_smoothing_and_logistic_sum_by_hand() -> None:
    """Neurons at 0 give alpha each, one under the limit nothing; the field then mixes them."""
    sums, response = np.zeros(7 * _kernels_ccnf.LANES, F32), np.zeros(_kernels_ccnf.LANES, F32)
    alphas = np.array([0.5, 2, 1e-4, 0, 0, 0, 1])
    _kernels_ccnf.logistic_sum(sums, alphas, 9, np.empty(_kernels_ccnf.LANES, F32), response)
    np.testing.assert_array_equal(response[:9], np.full(9, 3.5, F32))
    sigma = np.zeros((9, 16), F32)
    sigma[:, :9] = np.arange(81).reshape(9, 9).T
    out = np.empty(_kernels_ccnf.LANES, F32)
    _kernels_ccnf.smooth(sigma, response, 9, 16, out)
    np.testing.assert_array_equal(out[:9], np.arange(81).reshape(9, 9).sum(axis=1) * 3.5)


@pytest.mark.parametrize(("scale", "window"), [(0, 11), (1, 9), (2, 7)])
def test_areas_and_maps_equal_the_reference(
    general: list[CCNFExperts], stages: dict[str, np.ndarray], scale: int, window: int
) -> None:
    """Every float32 of 68 areas of interest and response maps."""
    points, similarity = shape_of(stages, scale), stages[f"h0_s{scale}_r2i"]
    area = np.zeros((STRIDE, STRIDE), F32)
    side = window + SIDE - 1
    for n, (x, y) in enumerate(points):
        _kernels.sample_area(stages["gray1"], x, y, similarity[0, 0], -similarity[0, 1], side, area)
        np.testing.assert_array_equal(area[:side, :side].ravel(), stages[f"h0_s{scale}_aoi"][n])
    maps = general[scale].responses(stages["gray1"], points, similarity, 0, window)
    np.testing.assert_array_equal(maps.reshape(68, -1), stages[f"h0_s{scale}_resp"])


def test_field_matrix_equals_the_reference(
    general: list[CCNFExperts], stages: dict[str, np.ndarray]
) -> None:
    matrices, _ = general[0].field(0, 11)
    np.testing.assert_array_equal(matrices[30, :, :121].T, stages["h0_s0_Sigma30"])
    assert matrices[30, 0, 0] == pytest.approx(0.00621285, abs=5e-9)
    assert matrices[30, :, :121].sum() == pytest.approx(0.763849, abs=5e-7)


@pytest.mark.parametrize(
    ("scale", "expected"),
    [(0, "9c4e06c81af186bc"), (1, "c8b9dbe7d81231a6"), (2, "9d3c57562141e1a3")],
)
def test_field_matrices_have_the_same_bits_everywhere(
    general: list[CCNFExperts], scale: int, expected: str
) -> None:
    """The 121 x 121 matrices of all views: exact inverses, correctly rounded, then corrected."""
    digest = hashlib.sha256()
    for view in range(7):
        digest.update(general[scale].field(view, 11)[0].tobytes())
    assert digest.hexdigest()[:16] == expected


def test_field_without_the_measured_rounding(
    general: list[CCNFExperts], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The matrices then lie within rounding of the exact ones."""
    exact, _ = general[0].field(0, 11)
    monkeypatch.setattr(ccnf, "_corrections", lambda *_: None)
    plain, _ = replace(general[0], _fields={}).field(0, 11)
    assert not np.array_equal(plain, exact)
    np.testing.assert_allclose(plain, exact, rtol=1e-5, atol=1e-8)


def test_a_field_without_an_inverse_is_refused(general: list[CCNFExperts]) -> None:
    for window in (9, 11):
        blank = {window: np.zeros_like(general[0].components[window])}
        broken = replace(
            general[0], alphas=np.zeros_like(general[0].alphas), components=blank, _fields={}
        )
        with pytest.raises(WeightsError, match="singular field of landmark 0, view 0"):
            broken.field(0, window)


def test_window_without_components_scales_the_sum(general: list[CCNFExperts]) -> None:
    """No component of side 5 exists: the field is 1 / (2 sum of alphas)."""
    matrices, multiples = general[0].field(0, 5)
    assert matrices.size == 0
    expected = 1 / (2 * general[0].alphas[0].sum(axis=1))
    np.testing.assert_allclose(multiples, expected, rtol=1e-6)


def test_only_the_chosen_points_are_computed(
    general: list[CCNFExperts], svr: SVRExperts, stages: dict[str, np.ndarray]
) -> None:
    points, similarity, only = shape_of(stages, 0), stages["h0_s0_r2i"], np.zeros(68, bool)
    only[[17, 54]] = True
    for experts in (general[0], svr):
        whole = experts.responses(stages["gray1"], points, similarity, 0, 9)
        part = experts.responses(stages["gray1"], points, similarity, 0, 9, only)
        np.testing.assert_array_equal(part[only], whole[only])
        assert not part[~only].any()


def test_profile_view_sees_half_the_face(
    general: list[CCNFExperts], svr: SVRExperts, stages: dict[str, np.ndarray]
) -> None:
    """Yaw -70 degrees is view 3, with 35 points; the others' maps are zeros."""
    for experts in (general[1], svr):
        view = experts.view(np.array([0, -1.2, 0], F32))
        assert view == 3
        maps = experts.responses(stages["gray1"], shape_of(stages, 0), stages["h0_s0_r2i"], view, 9)
        assert np.count_nonzero(maps.any(axis=(1, 2))) == 35
        assert np.array_equal(experts.visibility[view], experts.confidence[view] > 0)


@given(st.lists(st.floats(-2, 2, width=32), min_size=3, max_size=3))
def test_nearest_view_is_the_first_nearest(rotation: list[float]) -> None:
    centres = np.radians([[0, yaw, 0] for yaw in (0, -20, -45, -70, 70, 45, 20)])
    distance = ((centres - np.array(rotation, F32).astype(float)) ** 2).sum(axis=1)
    chosen = nearest_view(centres, np.array(rotation, F32))
    assert distance[chosen] == distance.min()
    assert not (distance[:chosen] == distance.min()).any()


def test_correlation_by_hand() -> None:
    """A patch equal to the template correlates with 1, its negative with -1, a flat one with 0."""
    template = np.sin(np.arange(AREA)).astype(F32)
    template -= template.mean()
    template /= np.linalg.norm(template)
    patches = np.zeros((AREA, LANES), F32)
    patches[:, 0], patches[:, 1], patches[:, 2] = 50 + 9 * template, -template, 7
    sums = np.empty((3, LANES))
    _kernels_svr.correlate(patches.ravel(), template, 8, sums)
    np.testing.assert_allclose(sums[0, :3], [1, -1, 0], atol=1e-6)


def test_svr_maps_are_their_numpy_twin(svr: SVRExperts, stages: dict[str, np.ndarray]) -> None:
    """Against numpy's own correlation coefficients."""
    points, similarity, window = shape_of(stages, 0), stages["h0_s0_r2i"], 11
    maps = svr.responses(stages["gray1"], points, similarity, 0, window)
    area = np.zeros((STRIDE, STRIDE), F32)
    for n in (0, 30, 54):
        _kernels.sample_area(
            stages["gray1"], *points[n], similarity[0, 0], -similarity[0, 1], 21, area
        )
        raw = area[:21, :21].astype(float)
        slope = np.zeros_like(raw)
        slope[1:-1, 1:-1] = (raw[1:-1, 2:] - raw[1:-1, :-2]) ** 2
        slope[1:-1, 1:-1] += (raw[2:, 1:-1] - raw[:-2, 1:-1]) ** 2
        expected = np.ones((window, window))
        for m, plane in enumerate(((raw - raw.mean()) / raw.std(), slope)):
            template = svr.templates[0, n, m].reshape(SIDE, SIDE).T.ravel()
            for i in range(window):
                for j in range(window):
                    patch = plane[i : i + SIDE, j : j + SIDE].ravel()
                    r = np.corrcoef(patch, template)[0, 1]
                    z = svr.scalings[0, n, m] * r + svr.biases[0, n, m]
                    expected[i, j] /= 1 + np.exp(-z)
        np.testing.assert_allclose(maps[n], expected, atol=1e-6)


def ccnf_file(path: Path, picture: int = 0, side: int = 11) -> Path:
    """Write experts of one view of one landmark: one neuron, no components."""

    def matrix(array: np.ndarray, code: int) -> bytes:
        return struct.pack("<iii", *array.shape, code) + array.tobytes()

    weights = np.arange(121, dtype="<f4").reshape(11, 11)
    data = struct.pack("<di", 0.25, 1)
    data += matrix(np.zeros((3, 1), "<f8"), 6) + matrix(np.ones((1, 1), "<i4"), 4)
    data += struct.pack("<i", 0)  # components
    data += struct.pack("<iiii", 5, 11, 11, 1)
    data += struct.pack("<iiddd", 3, picture, 2.0, 7.0, 0.5)
    data += struct.pack("<iii", side, 121 // side, 5) + weights.tobytes()
    path.write_bytes(data + struct.pack("<d", 0.75))  # confidence
    return path


def test_a_file_by_hand(tmp_path: Path) -> None:
    experts = CCNFExperts.load(ccnf_file(tmp_path / "one.txt"))
    (neuron, *rest) = experts.weights[0, 0]
    columns = np.arange(121).reshape(11, 11).T.ravel()
    np.testing.assert_array_equal(neuron, [7, *(2 * columns)])
    assert not np.any(rest)
    np.testing.assert_array_equal(experts.alphas[0, 0], [0.5, 0, 0, 0, 0, 0, 0])
    assert (experts.scale, experts.confidence[0, 0]) == (0.25, 0.75)


def test_neurons_of_another_kind_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="a neuron does not take the raw picture"):
        CCNFExperts.load(ccnf_file(tmp_path / "gradient.txt", picture=1))
    with pytest.raises(WeightsError, match="a neuron has no 11 x 11 weights"):
        CCNFExperts.load(ccnf_file(tmp_path / "flat.txt", side=1))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gray": np.zeros((9, 9), np.uint16)}, "gray"),
        ({"gray": np.zeros((9, 9, 3), np.uint8)}, "gray"),
        ({"landmarks": np.zeros((51, 2), F32)}, "landmarks"),
        ({"landmarks": np.full((68, 2), np.nan, F32)}, "landmarks"),
        ({"sim_img_from_ref": np.eye(3, dtype=F32)}, "sim_img_from_ref"),
        ({"view": 7}, "view"),
        ({"window": 8}, "window"),
        ({"window": 17}, "window"),
    ],
)
def test_bad_input_is_named(svr: SVRExperts, change: dict[str, object], message: str) -> None:
    arguments = {
        "gray": np.zeros((9, 9), np.uint8),
        "landmarks": np.zeros((68, 2), F32),
        "sim_img_from_ref": np.eye(2, dtype=F32),
        "view": 0,
        "window": 9,
    }
    with pytest.raises(InputError, match=message):
        svr.responses(**(arguments | change))
