"""Halves made whole: the mirror law to the byte, hidden surface, columns of the table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import pyfaceau
from pyfaceau.alignment.aligner import FaceAligner
from pyfaceau.alignment.mask import read_triangles
from pyfaceau.asymmetry.midline import PARTNERS
from pyfaceau.asymmetry.split import FaceSplitter
from pyfaceau.asymmetry.units import SplitPredictor
from pyfaceau.media.video import VideoReader
from pyfaceau.output.openface_csv import SPLIT, OpenFaceCSV
from pyfaceau.pdm.model import PDM
from pyfaceau.prediction.models import AUModels
from pyfaceau.prediction.predictor import AUPredictor
from pyfaceau.types import SPLIT_UNITS, FaceFeatures, Float32, SplitFace, UInt8


@pytest.fixture(scope="module")
def pdm(weights_dir: Path) -> PDM:
    """Return the shape model."""
    return PDM.load(weights_dir / "In-the-wild_aligned_PDM_68.txt")


@pytest.fixture(scope="module")
def face(shared: Path) -> tuple[UInt8, Float32]:
    """Return a frame and the reference's landmarks, on a grid that mirroring keeps."""
    with VideoReader(shared / "samples" / "video" / "single_face.mp4") as video:
        image = next(iter(video)).image
    table = pyfaceau.read(shared / "reference" / "precise" / "single_face.csv.gz")
    row = table.iloc[0]
    points = np.array([[row[f"x_{i}"], row[f"y_{i}"]] for i in range(68)])
    return image, (np.round(points * 1024) / 1024).astype(np.float32)


def splitter(pdm: PDM, weights: Path, mirrored_input: bool = False) -> FaceSplitter:
    """Return what divides faces."""
    file = weights / "tris_68_full.txt"
    return FaceSplitter(pdm, FaceAligner(pdm, file), read_triangles(file), mirrored_input)


def equal(one: FaceFeatures | None, other: FaceFeatures | None) -> bool:
    """Tell whether two halves are the same to the byte."""
    assert one is not None
    assert other is not None
    return (one.hog == other.hog).all() and (one.geometry == other.geometry).all()


def test_mirrored_picture_swaps_sides_exactly(
    pdm: PDM, weights_dir: Path, face: tuple[UInt8, Float32]
) -> None:
    image, points = face
    turned = points[PARTNERS]
    turned[:, 0] = image.shape[1] - 1 - turned[:, 0]
    plain = splitter(pdm, weights_dir).split(image, points)
    mirror = splitter(pdm, weights_dir).split(np.ascontiguousarray(image[:, ::-1]), turned)
    assert equal(plain.left, mirror.right)
    assert equal(plain.right, mirror.left)
    assert plain.hidden == mirror.hidden
    assert not equal(plain.left, plain.right)
    selfie = splitter(pdm, weights_dir, mirrored_input=True).split(image, points)
    assert equal(plain.left, selfie.right)


def test_left_is_the_half_on_the_images_right(
    pdm: PDM, weights_dir: Path, face: tuple[UInt8, Float32]
) -> None:
    image, points = face
    middle = int(points[27, 0])
    changed = image.copy()
    changed[:, middle + 20 :] = 0
    before, after = (splitter(pdm, weights_dir).split(i, points) for i in (image, changed))
    assert equal(before.right, after.right)
    assert not equal(before.left, after.left)


def test_hidden_share_grows_with_yaw(pdm: PDM, weights_dir: Path) -> None:
    made = splitter(pdm, weights_dir)
    turned = [made.hidden(np.array([0.0, yaw, 0.0], np.float32)) for yaw in (0, 0.2, 0.5, 1.0)]
    other = [made.hidden(np.array([0.0, -yaw, 0.0], np.float32)) for yaw in (0.2, 0.5)]
    worse = [max(a, b) for a, b in zip(turned[1:3], other, strict=True)]
    assert turned[0] == pytest.approx(0.0, abs=1e-6)
    assert 0.02 < worse[0] < worse[1] < 1.0
    assert min(turned[1], other[0]) == 0.0


def test_turned_face_has_no_split(pdm: PDM, weights_dir: Path) -> None:
    shape = pdm.mean.reshape(3, -1).astype(np.float64)
    yaw = np.radians(45)
    x = shape[0] * np.cos(yaw) + shape[2] * np.sin(yaw)
    points = (np.stack([x, shape[1]], axis=1) * 1.5 + 160).astype(np.float32)
    split = splitter(pdm, weights_dir).split(np.zeros((320, 320, 3), np.uint8), points)
    assert split.left is None
    assert split.right is None
    assert split.hidden > 0.3


def test_columns_and_gaps(weights_dir: Path) -> None:
    models = AUModels.load(weights_dir / "AU_predictors")
    sides = SplitPredictor(AUPredictor(models), AUPredictor(models))
    rng = np.random.default_rng(5)
    one, two = (FaceFeatures(rng.random(4464, np.float32), rng.normal(0, 1, 238)) for _ in range(2))
    told = [
        sides.update(half) for half in (SplitFace(one, two, 0.1), SplitFace(None, None, 0.7), None)
    ]
    for units, features in zip(told[0], (one, two), strict=True):
        expected = AUPredictor(models).update(features)
        np.testing.assert_array_equal(units.intensities, expected.intensities)
    assert told[1:] == [(None, None), (None, None)]
    values = sides.finish()
    assert values.shape == (3, len(SPLIT_UNITS)) == (3, 71)
    assert np.isfinite(values[0]).all()
    assert np.isnan(values[1:, :-1]).all()
    assert values[:, -1].tolist() == [0.1, 0.7, 1.0]
    assert SPLIT_UNITS[:3] == ("AU01_r_left", "AU01_r_right", "AU02_r_left")
    assert SPLIT_UNITS[-2:] == ("AU45_c_right", "split_hidden")


def test_the_table_ends_with_the_halves(tmp_path: Path) -> None:
    with OpenFaceCSV(tmp_path / "t.csv", layout=SPLIT) as table:
        assert table.columns[-71:] == SPLIT_UNITS
        assert table.columns[-72] == "AU45_c"
