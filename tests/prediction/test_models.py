"""Action-unit models: what the files say, scores against NumPy, damaged files."""

from __future__ import annotations

import dataclasses
import shutil
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyfaceau.errors import InputError, WeightsError
from pyfaceau.prediction.models import AUModels
from pyfaceau.types import AU_INTENSITIES, AU_PRESENCES, FaceFeatures

SMALL = AUModels(
    weights=np.random.default_rng(0).standard_normal((4702, 35)),
    offsets=np.arange(35.0),
    dynamic=np.arange(35) % 2 == 0,
    cutoffs=np.full(17, -1.0),
    classes=np.tile([1.0, 0.0], (18, 1)),
)


def random_face(seed):
    rng = np.random.default_rng(seed)
    hog = np.maximum(rng.standard_normal(4464), 0).astype(np.float32)
    return FaceFeatures(hog, rng.standard_normal(238))


def matrix(values):
    rows, columns = values.shape
    return struct.pack("<3i", rows, columns, 6) + values.astype("<f8").tobytes()


@pytest.fixture
def folder(tmp_path):
    """Write a folder of models: weight 1 on feature k for column k, mean 0.5, bias k."""
    lines = []
    for k, name in enumerate(AU_INTENSITIES + AU_PRESENCES):
        weights = np.zeros((4702, 1))
        weights[k] = 1
        body = matrix(np.full((1, 4702), 0.5)) + matrix(weights) + struct.pack("<d", k)
        kind = 1 if k < 17 else 4
        cutoff = struct.pack("<d", 0.25) if kind == 1 else b""
        classes = struct.pack("<2d", 0, 1) if kind == 4 else b""
        path = f"{'svr' if k < 17 else 'svm'}_combined/{name}.dat"
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(struct.pack("<i", kind) + cutoff + body + classes)
        lines.append(f"{path} {name[:4]}")
    (tmp_path / "AU_all_best.txt").write_text("\n".join(lines))
    return tmp_path


def test_scores_of_simple_files_by_hand(folder):
    models = AUModels.load(folder)
    features = FaceFeatures(np.arange(4464, dtype=np.float32), np.zeros(238))
    # Column k: weight 1 on feature k of value k, less the mean 0.5, plus the bias k.
    np.testing.assert_array_equal(models.scores(features), 2 * np.arange(35) - 0.5)
    neutral = models.neutral_scores(np.full(4702, 3.0))
    np.testing.assert_array_equal(neutral, np.where(np.arange(35) < 17, 3.0, 0.0))
    np.testing.assert_array_equal(models.cutoffs, np.full(17, 0.25))
    np.testing.assert_array_equal(models.presences(np.array([[1.0, -1.0] * 9])), [[0, 1] * 9])


def test_files_beside_the_list_are_found(folder):
    expected = AUModels.load(folder).weights
    for path in list(folder.glob("*/*.dat")):
        shutil.move(path, folder / path.name)
    np.testing.assert_array_equal(AUModels.load(folder).weights, expected)


def test_models_of_openface(weights_dir):
    models = AUModels.load(weights_dir / "AU_predictors")
    cutoffs = dict(zip(AU_INTENSITIES, models.cutoffs, strict=True))
    assert (cutoffs["AU01_r"], cutoffs["AU17_r"], cutoffs["AU04_r"]) == (0.55, 0.2, -1)
    positive = [n for n, c in zip(AU_PRESENCES, models.classes[:, 0], strict=True) if c == 1]
    assert positive == ["AU10_c", "AU12_c", "AU25_c"]
    assert models.dynamic.sum() == 21
    static = AUModels.load(weights_dir / "AU_predictors", static=True)
    assert not static.dynamic.any()
    assert (static.cutoffs == -1).all()


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_one_product_agrees_with_its_twin(seed):
    features = random_face(seed)
    x = np.concatenate([features.hog, features.geometry])
    np.testing.assert_allclose(SMALL.scores(features), x @ SMALL.weights + SMALL.offsets, rtol=1e-9)
    shift = SMALL.neutral_scores(x)
    np.testing.assert_allclose(shift[::2], (x @ SMALL.weights)[::2], rtol=1e-9)
    assert not shift[1::2].any()


def test_sums_are_taken_in_the_order_of_the_features():
    """In any other order 1 is lost beside 2**60, in the sum over FHOG and geometry alike."""
    hog, geometry, weights = np.zeros(4464, np.float32), np.zeros(238), np.ones((4702, 35))
    hog[[0, 4463]], geometry[0] = 2.0**60, 1
    weights[4463] = -1
    models = dataclasses.replace(SMALL, weights=weights)
    np.testing.assert_array_equal(models.scores(FaceFeatures(hog, geometry)), 1 + np.arange(35.0))


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda data: data[:-1], "ends early"),
        (lambda data: data + b"\0", "too many"),
        (lambda data: b"\x04" + data[1:], "expected a model of type 0 or 1, got 4"),
        (lambda data: data[:-8] + struct.pack("<d", np.nan), "out of range"),
    ],
)
def test_a_damaged_file_is_refused_by_name(folder, damage, says):
    path = folder / "svr_combined/AU12_r.dat"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(WeightsError, match=rf"AU12_r\.dat.*{says}.*pyfaceau weights install"):
        AUModels.load(folder)


def test_missing_files_and_entries_are_refused(folder):
    (folder / "svm_combined/AU28_c.dat").unlink()
    with pytest.raises(WeightsError, match=r"AU28_c\.dat: no such model file"):
        AUModels.load(folder)
    with pytest.raises(WeightsError, match=r"AU_all_static\.txt: model file is missing"):
        AUModels.load(folder, static=True)
    (folder / "AU_all_best.txt").write_text("svr_combined/AU01_r.dat AU01")
    with pytest.raises(WeightsError, match="no model for AU02_r"):
        AUModels.load(folder)
    (folder / "AU_all_best.txt").write_text("one two three")
    with pytest.raises(WeightsError, match="expected 'path AU' in each line"):
        AUModels.load(folder)


def test_a_neutral_face_of_another_length_is_refused():
    with pytest.raises(InputError, match=r"neutral: expected \(4702\) float64"):
        SMALL.neutral_scores(np.zeros(4464))
