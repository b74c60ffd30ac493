"""Everything after the landmarks: given the reference's own, its AU columns come out, as text."""

from __future__ import annotations

import csv
import gzip

import av
import cv2
import numpy as np
import pytest

from pyfaceau.alignment.aligner import FaceAligner
from pyfaceau.features.fhog import fhog
from pyfaceau.features.geometry import geometry_descriptor
from pyfaceau.pdm.model import PDM
from pyfaceau.prediction.models import AUModels
from pyfaceau.prediction.predictor import AUPredictor, predict_picture
from pyfaceau.types import AU_INTENSITIES, AU_PRESENCES, FaceFeatures

TRUSTED = 0.725
"""Confidence above which the reference measured action units."""


def table(path):
    with gzip.open(path, "rt", newline="") as file:
        return list(csv.DictReader(file, skipinitialspace=True))


def pictures(path):
    with av.open(str(path)) as video:
        for frame in video.decode(video=0):
            picture = frame.reformat(
                format="bgr24", src_colorspace="ITU601", dst_colorspace="ITU601"
            ).to_ndarray()
            yield np.rot90(picture, frame.rotation // 90)


@pytest.fixture(scope="module")
def measure(weights_dir):
    """Return the stages from landmarks to features as one function."""
    pdm = PDM.load(weights_dir / "In-the-wild_aligned_PDM_68.txt")
    aligner = FaceAligner(pdm, weights_dir / "tris_68_full.txt")

    def measure(picture, row):
        xy = [[float(row[f"{axis}_{i}"]) for axis in "xy"] for i in range(68)]
        landmarks = np.array(xy, np.float32)
        fit = pdm.calc_params(landmarks)
        face = aligner.align(picture, landmarks, fit)
        return face, FaceFeatures(fhog(face.image), geometry_descriptor(pdm, fit.params_local))

    return measure


def video_file(shared, name):
    return next((shared / "samples/video").glob(name + ".*"))


@pytest.mark.parametrize("name", ["single_face", "face_noface", "changeLighting", "no_face"])
def test_written_action_units_equal_the_reference(shared, weights_dir, measure, name):
    predictor = AUPredictor(AUModels.load(weights_dir / "AU_predictors"))
    rows = table(shared / f"reference/precise/{name}.csv.gz")
    for picture, row in zip(pictures(video_file(shared, name)), rows, strict=False):
        ok = float(row["confidence"]) > TRUSTED
        predictor.update(measure(picture, row)[1] if ok else None)
    intensities, presences = predictor.finish()
    expected = table(shared / f"reference/video/{name}.csv.gz")
    for names, values in ((AU_INTENSITIES, intensities), (AU_PRESENCES, presences)):
        written = [[f"{value:.2f}" for value in row] for row in values]
        assert written == [[row[name] for name in names] for row in expected]


def test_aligned_faces_and_hog_of_a_video_equal_the_reference(shared, measure):
    folder = shared / "reference/stages/single_face"
    faces = np.load(folder / "aligned_bgr.npz")["aligned"]
    records = np.frombuffer(gzip.decompress((folder / "single_face.hog.gz").read_bytes()), "<f4")
    hog = records.reshape(72, 4468)[:, 4:]
    rows = table(shared / "reference/precise/single_face.csv.gz")
    for i, picture in enumerate(pictures(video_file(shared, "single_face"))):
        face, features = measure(picture, rows[i])
        np.testing.assert_array_equal(face.image, faces[i])
        np.testing.assert_array_equal(features.hog, hog[i])


@pytest.mark.parametrize("name", ["lp_s0", "lp_s3"])
def test_action_units_of_a_picture_follow_the_reference(shared, weights_dir, measure, name):
    # Only landmarks rounded to 0.1 pixel are known: equal to what that rounding leaves.
    models = AUModels.load(weights_dir / "AU_predictors", static=True)
    picture = cv2.imread(str(shared / f"samples/image/{name}.jpg"))
    row = table(shared / f"reference/image/{name}.csv.gz")[0]
    got = predict_picture(models, measure(picture, row)[1])
    intensities = [float(row[name]) for name in AU_INTENSITIES]
    np.testing.assert_allclose(got.intensities, intensities, rtol=0, atol=0.05)
    assert [f"{value:.1f}" for value in got.presences] == [row[name] for name in AU_PRESENCES]
