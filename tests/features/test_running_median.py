"""Running median: its quirks by hand, the reference's medians, the defining full scan."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyfaceau.features.running_median import FeatureMedian, RunningMedian, _HistogramMedian
from pyfaceau.types import FaceFeatures

HOG_BIN, GEOMETRY_BIN = 1.005 / 1000, 120 / 10000


def face(hog, geometry=0.0):
    return FaceFeatures(np.full(4464, hog, np.float32), np.full(238, geometry))


def ends(median):
    """One FHOG and one geometry value: all dimensions of these faces are alike."""
    assert len(set(median.neutral[:4464])) == len(set(median.neutral[4464:])) == 1
    return median.neutral[0], median.neutral[-1]


def scan(faces, failures):
    """Median of all bins by sorting them: the definition, frame after frame."""
    counted, latest = [], np.zeros(4702)
    for i, features in enumerate(faces):
        if i % 2 == 0:
            ok = i not in failures
            latest = np.concatenate([features.hog, features.geometry]) if ok else np.zeros(4702)
            if ok:
                hog = np.clip((features.hog.astype(float) + 0.005) * 1000 / 1.005, 0, 999)
                geometry = np.clip((features.geometry + 60) * 10000 / 120, 0, 9999)
                counted.append(np.concatenate([hog, geometry]).astype(int))
            if len(counted) == 1:
                now = latest
            else:
                ranked = np.sort(counted, axis=0) if counted else np.zeros((1, 4702), int)
                at = ranked[max((len(counted) + 1) // 2, 1) - 1]
                now = np.concatenate(
                    [-0.005 + (at[:4464] + 0.5) * HOG_BIN, -60 + (at[4464:] + 0.5) * GEOMETRY_BIN]
                )
            now[:4464] = np.maximum(now[:4464], 0)
        yield now


def test_only_every_second_frame_counts_and_the_first_is_copied():
    median = RunningMedian()
    assert median.update(face(0.2, 3))
    assert ends(median) == pytest.approx((0.2, 3), rel=1e-7)
    assert not median.update(face(0.9, 50))
    assert ends(median) == pytest.approx((0.2, 3), rel=1e-7)
    median.update(face(0.3, 4))  # two values: the smaller one's bin
    # 0.2 is in bin floor(0.205 / 0.001005) = 203, 3 mm in bin 5250
    assert ends(median) == pytest.approx((-0.005 + 203.5 * HOG_BIN, 3.006), rel=1e-12)


def test_before_any_face_the_median_is_the_first_bin():
    median = RunningMedian()
    median.update(None)
    assert ends(median) == pytest.approx((0.0, -59.994), rel=1e-12)


def test_a_faceless_frame_clears_the_median_while_one_face_is_counted():
    median = RunningMedian()
    for features in (face(0.2, 3), None, None):
        median.update(features)
    assert ends(median) == (0, 0)


def test_values_out_of_range_go_to_the_end_bins():
    median = RunningMedian()
    for features in (face(7, -500), None, face(8, -70)):
        median.update(features)
    assert ends(median) == pytest.approx((-0.005 + 999.5 * HOG_BIN, -59.994), rel=1e-12)


def test_medians_of_a_video_equal_the_reference(shared):
    folder = shared / "reference/stages/single_face"
    stages = np.load(folder / "stages.npz")
    records = np.frombuffer(gzip.decompress((folder / "single_face.hog.gz").read_bytes()), "<f4")
    median = RunningMedian()
    for i, record in enumerate(records.reshape(72, 4468)):
        median.update(FaceFeatures(record[4:], stages["f_geom"][i]))
        np.testing.assert_array_equal(median.neutral[4464:], stages["f_geommed"][i])
        if i < len(stages["f_hogmed"]):
            np.testing.assert_array_equal(median.neutral[:4464], stages["f_hogmed"][i])


@given(
    seed=st.integers(0, 2**32 - 1),
    spread=st.sampled_from([0.0, 0.01, 0.6]),
    failures=st.sets(st.integers(0, 24)),
)
@settings(max_examples=15, deadline=None)
def test_incremental_median_equals_the_full_scan(seed, spread, failures):
    rng = np.random.default_rng(seed)
    faces = [
        FaceFeatures(
            (0.2 + spread * rng.standard_normal(4464)).astype(np.float32),
            100 * spread * rng.standard_normal(238),
        )
        for _ in range(25)
    ]
    median = RunningMedian()
    for i, expected in enumerate(scan(faces, failures)):
        median.update(None if i in failures else faces[i])
        np.testing.assert_allclose(median.neutral, expected, rtol=0, atol=1e-12)


def test_a_reset_median_is_a_new_one():
    median = RunningMedian()
    for _ in range(5):
        median.update(face(0.9, 9))
    median.reset()
    assert not median.neutral.any()
    median.update(face(0.1, 1))
    assert ends(median) == pytest.approx((0.1, 1), rel=1e-7)


def test_the_median_cannot_be_written_to():
    with pytest.raises(ValueError, match="read-only"):
        RunningMedian().neutral[0] = 1


def test_what_was_told_stays():
    """A later face changes what is told then, not what was told before; nobody else can."""
    median = FeatureMedian()
    median.insert(face(0.2, 3))
    told = median.value
    before = told.copy()
    median.insert(face(0.1, 1))
    np.testing.assert_array_equal(told, before)
    with pytest.raises(ValueError, match="read-only"):
        median.value[0] = 1


def test_a_bin_counts_beyond_sixteen_bits():
    low, high = 2**16 + 5, 2**16 + 5
    median, out = _HistogramMedian(1, 10, 0.0, 1.0), np.empty(1)
    for value in [0.05] * low + [0.95] * high:
        median.insert(np.array([value]), out)
    assert out[0] == pytest.approx(0.05)  # as many of either: the smaller one's bin
    median.insert(np.array([0.95]), out)
    assert out[0] == pytest.approx(0.95)
