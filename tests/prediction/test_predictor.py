"""The predictor: the reference's scores and table, what a video's end changes, short videos."""

from __future__ import annotations

import csv
import gzip

import numpy as np
import pytest

from pyfaceau.errors import InputError
from pyfaceau.features.neutral import IntervalMedian
from pyfaceau.features.running_median import FeatureMedian, RunningMedian
from pyfaceau.prediction.models import AUModels
from pyfaceau.prediction.predictor import REPREDICTED, AUPredictor, predict_picture
from pyfaceau.types import AU_INTENSITIES, AU_PRESENCES, FaceFeatures

GOLDEN_R = "04 06 07 10 12 14 01 02 05 09 15 17 20 23 25 26 45".split()
GOLDEN_C = "04 05 06 07 10 12 14 23 01 02 09 15 17 20 25 26 28 45".split()


def small_models(dynamic=True):
    rng = np.random.default_rng(0)
    return AUModels(
        weights=rng.standard_normal((4702, 35)) / 50,
        offsets=rng.standard_normal(35),
        dynamic=np.full(35, dynamic) & (np.arange(35) % 3 > 0),
        cutoffs=np.where(dynamic & (np.arange(17) % 3 > 0), 0.4, -1.0),
        classes=np.tile([0.0, 1.0], (18, 1)),
    )


def small_video(frames, missing=(), seed=0):
    rng = np.random.default_rng(seed)
    faces = [
        FaceFeatures(rng.uniform(0, 0.4, 4464).astype(np.float32), rng.standard_normal(238))
        for _ in range(frames)
    ]
    return [None if i in missing else face for i, face in enumerate(faces)]


def run(predictor, video):
    return [predictor.update(features) for features in video]


def test_scores_and_table_of_a_video_equal_the_reference(shared, weights_dir):
    folder = shared / "reference/stages/single_face"
    stages = np.load(folder / "stages.npz")
    records = np.frombuffer(gzip.decompress((folder / "single_face.hog.gz").read_bytes()), "<f4")
    video = [
        FaceFeatures(record[4:], geometry)
        for record, geometry in zip(records.reshape(72, 4468), stages["f_geom"], strict=True)
    ]
    predictor = AUPredictor(AUModels.load(weights_dir / "AU_predictors"))
    known = run(predictor, video)
    order_r = [GOLDEN_R.index(name[2:4]) for name in AU_INTENSITIES]
    order_c = [GOLDEN_C.index(name[2:4]) for name in AU_PRESENCES]
    raw = np.stack([k.intensities for k in known])
    np.testing.assert_allclose(raw, stages["f_aur"][:, order_r], rtol=0, atol=1e-12)
    classes = np.stack([k.presences for k in known])
    np.testing.assert_array_equal(classes, stages["f_auc"][:, order_c])

    with gzip.open(shared / "reference/video/single_face.csv.gz", "rt", newline="") as file:
        table = list(csv.DictReader(file, skipinitialspace=True))
    intensities, presences = predictor.finish()
    for names, values in ((AU_INTENSITIES, intensities), (AU_PRESENCES, presences)):
        written = [[f"{value:.2f}" for value in row] for row in values]
        assert written == [[row[name] for name in names] for row in table]


def test_first_faces_are_predicted_again_with_the_final_neutral_face():
    models, video = small_models(), small_video(20, missing={4, 7})
    predictor, median = AUPredictor(models), RunningMedian()
    run(predictor, video)
    for features in video:
        median.update(features)
    scores, presences = predictor.raw()
    for i, features in enumerate(video):
        expected = np.zeros(35)
        if features is not None:
            x = np.concatenate([features.hog, features.geometry])
            z = (x - np.where(models.dynamic, 1, 0)[:, None] * median.neutral) * models.weights.T
            expected = z.sum(axis=1) + models.offsets
        np.testing.assert_allclose(scores[i], expected[:17], atol=1e-9)
        known = (expected[17:] <= 0) & (features is not None)
        np.testing.assert_array_equal(presences[i], known)


def test_later_faces_keep_the_values_known_at_their_frame():
    video = small_video(8, missing={1})
    video = [video[i % 8] for i in range(REPREDICTED * 8 // 7 + 30)]
    predictor = AUPredictor(small_models())
    known = np.stack([k.intensities for k in run(predictor, video)])
    scores, _ = predictor.raw()
    faces = np.flatnonzero([features is not None for features in video])
    late = faces[REPREDICTED:]
    assert late.size > 20
    np.testing.assert_array_equal(scores[late], known[late])
    dynamic = small_models().dynamic[:17]
    early = faces[:3]
    assert (scores[early] != known[early])[:, dynamic].all()
    np.testing.assert_array_equal(scores[early][:, ~dynamic], known[early][:, ~dynamic])


@pytest.mark.parametrize("frames", [0, 1, 2, 5])
@pytest.mark.parametrize("missing", [(), (0,), range(5)])
def test_short_videos_have_a_row_for_each_frame(frames, missing):
    predictor = AUPredictor(small_models())
    run(predictor, small_video(frames, missing))
    intensities, presences = predictor.finish()
    assert intensities.shape == (frames, 17)
    assert presences.shape == (frames, 18)
    if set(missing) >= set(range(frames)):
        assert not intensities.any()
        assert not presences.any()


@pytest.mark.parametrize("frames", [0, 9, 10, 11])
def test_blocks_of_rows_do_not_show(monkeypatch, frames):
    video, tables = small_video(frames, (3,)), []
    for block in (4096, 5):
        monkeypatch.setattr("pyfaceau.prediction.predictor._BLOCK", block)
        predictor = AUPredictor(small_models())
        run(predictor, video)
        tables.append(predictor.finish())
    for one, other in zip(*tables, strict=True):
        assert len(one) == frames
        np.testing.assert_array_equal(one, other)


def test_a_second_video_starts_from_nothing():
    predictor, fresh = AUPredictor(small_models()), AUPredictor(small_models())
    run(predictor, small_video(300, seed=1))
    predictor.reset()
    for first, second in zip(
        run(predictor, small_video(20)), run(fresh, small_video(20)), strict=True
    ):
        np.testing.assert_array_equal(first.intensities, second.intensities)
    for first, second in zip(predictor.finish(), fresh.finish(), strict=True):
        np.testing.assert_array_equal(first, second)


def test_asking_for_the_table_changes_nothing():
    predictor = AUPredictor(small_models())
    video = small_video(12)
    run(predictor, video[:5])
    predictor.finish()
    run(predictor, video[5:])
    whole = AUPredictor(small_models())
    run(whole, video)
    for first, second in zip(predictor.finish(), whole.finish(), strict=True):
        np.testing.assert_array_equal(first, second)


def test_static_models_need_no_person():
    models, video = small_models(dynamic=False), small_video(9, missing={3})
    predictor = AUPredictor(models)
    known = np.stack([k.intensities for k in run(predictor, video)])
    scores, _ = predictor.raw()
    np.testing.assert_array_equal(scores, known)
    picture = predict_picture(models, video[0])
    np.testing.assert_array_equal(picture.intensities, np.clip(known[0], 0, 5))


def test_a_neutral_face_of_ones_own_can_be_given():
    class Fixed:
        neutral = np.full(4702, 0.1)
        covers_all_frames = False

        def update(self, features, timestamp):
            return True

        def reset(self):
            pass

    models, video = small_models(), small_video(3)
    known = run(AUPredictor(models, Fixed()), video)[2].intensities
    expected = models.scores(video[2]) - models.neutral_scores(Fixed.neutral)
    np.testing.assert_array_equal(known, expected[:17])


def test_a_picture_needs_static_models():
    with pytest.raises(InputError, match="models: expected static ones"):
        predict_picture(small_models(), small_video(1)[0])


def test_a_declared_neutral_face_stands_for_all_frames(monkeypatch):
    models, video = small_models(), small_video(9, missing={3})
    monkeypatch.setattr("pyfaceau.prediction.predictor.REPREDICTED", 2)
    predictor = AUPredictor(models, IntervalMedian(4, 6))
    for time, features in enumerate(video):
        predictor.update(features, time)
    median = FeatureMedian()
    for features in video[4:7]:
        median.insert(features)
    scores, _ = predictor.raw()
    for row, features in zip(scores, video, strict=True):
        if features is not None:
            z = models.scores(features) - models.neutral_scores(median.value)
            np.testing.assert_array_equal(row, z[:17])


def test_an_interval_without_a_face_is_no_calibration():
    predictor = AUPredictor(small_models(), IntervalMedian(90, 99))
    run(predictor, small_video(3))
    with pytest.raises(InputError, match="neutral: expected a face"):
        predictor.finish()


def test_levels_and_smoothing_can_be_chosen():
    models, video = small_models(), small_video(9)
    predictor = AUPredictor(models, levels=np.full(17, 0.5), smooth=False)
    run(predictor, video)
    scores, presences = predictor.raw()
    intensities, classes = predictor.finish()
    np.testing.assert_array_equal(intensities, np.clip(scores - 0.5, 0, 5))
    np.testing.assert_array_equal(classes, presences)


def test_a_new_scene_is_a_video_of_its_own_from_its_first_face_on(weights_dir):
    """Two scenes have the values of two videos; frames without a face belong to the one before."""
    models = AUModels.load(weights_dir / "AU_predictors")
    rng = np.random.default_rng(3)

    def scene(level: float, count: int) -> list[FaceFeatures]:
        return [
            FaceFeatures(
                (level + 0.02 * rng.random(4464)).astype(np.float32), level + rng.random(238)
            )
            for _ in range(count)
        ]

    one, two = scene(0.05, 30), scene(0.09, 40)
    alone = []
    for faces in ([*one, None, None], two):
        predictor = AUPredictor(models)
        for face in faces:
            predictor.update(face)
        alone.append(predictor.finish())
    both = AUPredictor(models)
    for face in (*one, None, None):
        if face is None:
            both.restart()
        both.update(face)
    for face in two:
        both.update(face)
    for whole, first, second in zip(both.finish(), *alone, strict=True):
        np.testing.assert_array_equal(whole, np.concatenate([first, second]))
    kept = AUPredictor(models)
    for face in (*one, None, None, *two):
        kept.update(face)
    assert not np.array_equal(kept.finish()[0], both.finish()[0])
