"""Action-unit models of one's own: labels, folds, files, a round trip."""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs the extra train")

from click.testing import CliRunner

from pyfaceau.cli.train import train
from pyfaceau.errors import InputError
from pyfaceau.features.running_median import RunningMedian
from pyfaceau.pdm.model import PDM
from pyfaceau.prediction.models import AUModels
from pyfaceau.study.feature_writer import FeatureWriter
from pyfaceau.study.features import FeatureFile
from pyfaceau.training.aus import empty_models, train_aus, with_models
from pyfaceau.training.aus_files import write_models
from pyfaceau.training.aus_fit import Fitted, fit
from pyfaceau.training.aus_labels import labels_of_frames, match_videos, read_labels
from pyfaceau.training.aus_samples import collect
from pyfaceau.training.aus_scores import Agreement, f1_score, icc31
from pyfaceau.types import FaceFeatures, FrameResult, HeadPose, ShapeFit, TrackedFace

F32 = np.float32
VIDEOS = ("p1/a.mov", "p2/b.mov", "p3/c.mov", "p4/d.mov")
FRAMES, LATENT = 40, 8
COMMAND = ("aus", "--cost", "1", "--others", "zero", "--features")


@pytest.fixture(scope="module")
def pdm() -> PDM:
    rng = np.random.default_rng(1)
    basis = rng.normal(size=(204, 34)).astype(F32)
    return PDM(rng.normal(size=204).astype(F32), basis, np.linspace(900, 1, 34).astype(F32))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory, pdm: PDM) -> Path:
    """Return features of four people, 40 frames each, frames 4, 12, ... without a face."""
    from pyfaceau.features.geometry import geometry_descriptor

    folder = tmp_path_factory.mktemp("cache")
    rng = np.random.default_rng(2)
    to_hog, to_shape = rng.normal(size=(LATENT, 4464)), rng.normal(size=(LATENT, 34))
    for video in VIDEOS:
        person = rng.normal(size=LATENT)
        with FeatureWriter(folder / f"{video}.features") as out:
            for index in range(FRAMES):
                state = rng.normal(size=LATENT) + 0.5 * person
                found = index % 8 != 3
                face = TrackedFace(
                    found,
                    found,
                    0.9,
                    np.zeros((68, 2), F32),
                    ShapeFit(np.zeros(6, F32), np.zeros(34, F32)),
                    None,
                    "" if found else "no face",
                )
                features = None
                if found:
                    hog = np.clip(0.2 + 0.02 * state @ to_hog, 0, 1).astype(F32)
                    shape = geometry_descriptor(pdm, (state @ to_shape).astype(F32))
                    features = FaceFeatures(hog, shape)
                pose = HeadPose(np.zeros(3, F32), np.zeros(3, F32))
                points = np.zeros((68, 3), F32)
                out.write(
                    FrameResult(index, index / 25, face, points, pose, None, features=features)
                )
            out.finish({})
    return folder


@pytest.fixture(scope="module")
def teacher(cache: Path, pdm: PDM) -> AUModels:
    """Return random models whose scores of these faces stay within 0 and 5."""
    rng = np.random.default_rng(3)
    models = replace(empty_models(), weights=rng.normal(size=(4702, 35)))
    faces = [face for video in VIDEOS for _, face, _ in described(cache, video, pdm)]
    scores = np.stack([models.scores(face) for face in faces])
    scale = 4.0 / np.ptp(scores, axis=0)
    return replace(
        models,
        weights=models.weights * scale,
        offsets=0.5 - scores.min(axis=0) * scale,
    )


def described(cache: Path, video: str, pdm: PDM) -> list[tuple[int, FaceFeatures, Any]]:
    """Return frame from 1, features, neutral face at the video's end, of each face."""
    median, found = RunningMedian(), []
    with FeatureFile(cache / f"{video}.features", pdm) as file:
        for result in file:
            median.update(result.features)
            if result.features is not None:
                found.append((result.index + 1, result.features))
    return [(frame, face, median.neutral) for frame, face in found]


def write_rows(path: Path, head: str, rows: list[Any]) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([head.split(), *rows])
    return path


@pytest.fixture(scope="module")
def labels(
    cache: Path, pdm: PDM, teacher: AUModels, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Return a file with what the teacher says of every face: AU12_r and, as presence, AU10_c."""
    rows = []
    for video in VIDEOS:
        for frame, face, _ in described(cache, video, pdm):
            scores = teacher.scores(face)
            rows.append([video, frame, repr(float(scores[8])), int(scores[7] > 2.5)])
    path = tmp_path_factory.mktemp("labels") / "facs.csv"
    return write_rows(path, "video frame AU12_r AU10_c", rows)


def test_a_round_trip_reproduces_the_models_own_outputs(
    cache: Path, labels: Path, teacher: AUModels, pdm: PDM, tmp_path: Path
) -> None:
    fitted, skipped = train_aus(cache, labels, tmp_path / "out", pdm, None)
    assert skipped == {}
    assert {one.name for one in fitted} == {"AU12_r", "AU10_c"}
    learnt = AUModels.load(tmp_path / "out", static=True)
    best = AUModels.load(tmp_path / "out")
    wrong = []
    for video in VIDEOS:
        for _, face, neutral in described(cache, video, pdm):
            expected = teacher.scores(face)
            assert learnt.scores(face)[8] == pytest.approx(expected[8], abs=1e-3)
            own = (best.scores(face) - best.neutral_scores(neutral))[8]
            assert best.dynamic[8] or own == pytest.approx(expected[8], abs=1e-3)
            present = learnt.presences(learnt.scores(face)[17:])[7]
            wrong.append(present != (expected[7] > 2.5))
    assert np.mean(wrong) <= 0.02
    held_out = {(one.name, one.dynamic): one.agreement for one in fitted}
    assert held_out["AU12_r", False].icc > 0.99
    assert held_out["AU10_c", False].f1 > 0.8
    card = (tmp_path / "out/CARD.md").read_text()
    assert "140 labelled faces in 4 videos; nobody is named, so each video is taken" in card
    assert "these models say 0" in card


def test_a_dynamic_model_learns_what_is_relative_to_the_neutral_face(
    cache: Path, teacher: AUModels, pdm: PDM, tmp_path: Path
) -> None:
    rows = []
    for video in VIDEOS:
        for frame, face, neutral in described(cache, video, pdm):
            row = np.concatenate([face.hog, face.geometry]) - neutral
            rows.append([video, frame, float(np.clip(2.5 + row @ teacher.weights[:, 8], 0, 5))])
    path = write_rows(tmp_path / "facs.csv", "video frame AU12_r", rows)
    train_aus(cache, path, tmp_path / "out", pdm, None)
    best = AUModels.load(tmp_path / "out")
    assert best.dynamic[8]
    said = {}
    for video in VIDEOS:
        for frame, face, neutral in described(cache, video, pdm):
            said[video, frame] = (best.scores(face) - best.neutral_scores(neutral))[8]
    unclipped = [(said[v, f], y) for v, f, y in rows if 0 < y < 5]
    assert len(unclipped) > 100
    agreed = np.array(unclipped)
    assert np.abs(agreed[:, 0] - agreed[:, 1]).max() < 0.05


def test_written_models_score_as_before(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    models = AUModels(
        rng.normal(size=(4702, 35)),
        rng.normal(size=35),
        rng.random(35) < 0.5,
        rng.random(17),
        np.tile([0.0, 1.0], (18, 1)),
    )
    models.cutoffs[~models.dynamic[:17]] = -1
    write_models(tmp_path, models, models, rng.normal(size=4702))
    again = AUModels.load(tmp_path)
    np.testing.assert_array_equal(again.weights, models.weights)
    np.testing.assert_allclose(again.offsets, models.offsets, atol=1e-10)
    np.testing.assert_array_equal(again.dynamic, models.dynamic)
    np.testing.assert_array_equal(again.cutoffs, models.cutoffs)
    np.testing.assert_array_equal(again.classes, models.classes)
    # OpenFace's sizes: static and dynamic regressors, classifiers.
    sizes = {path.stat().st_size for path in tmp_path.rglob("*.dat")}
    assert sizes == {75268, 75276, 75284}


def test_openfaces_models_come_back_from_their_own_format(
    weights_dir: Path, tmp_path: Path
) -> None:
    best, static = (AUModels.load(weights_dir / "AU_predictors", s) for s in (False, True))
    write_models(tmp_path, best, static, np.linspace(0, 1, 4702))
    for before, again in ((best, AUModels.load(tmp_path)), (static, AUModels.load(tmp_path, True))):
        np.testing.assert_array_equal(again.weights, before.weights)
        np.testing.assert_allclose(again.offsets, before.offsets, atol=1e-10)
        np.testing.assert_array_equal(again.classes, before.classes)
        np.testing.assert_array_equal(again.cutoffs, before.cutoffs)


def test_a_trained_model_takes_its_place_among_others() -> None:
    one = Fitted("AU12_c", True, np.ones(4702), 2.0, 1.0, -1.0, Agreement(f1=0.5), 0.5, 10, 2, 0.5)
    models = with_models(replace(empty_models(), classes=np.zeros((18, 2))), [one])
    assert models.offsets.tolist() == [0.0] * 25 + [2.0] + [0.0] * 9
    assert models.dynamic.nonzero()[0].tolist() == [25]
    assert models.classes[8].tolist() == [1.0, 0.0]


def test_agreement_by_hand() -> None:
    # Means 1, 2.5, 4 have variance 2.25, so MSR is 4.5; differences 0, 1, 2 have 1, so MSE is 0.5.
    first, second = np.array([1.0, 2, 3]), np.array([1.0, 3, 5])
    assert icc31(first, second) == pytest.approx((4.5 - 0.5) / (4.5 + 0.5))
    assert icc31(first, first + 3) == pytest.approx(1.0)
    assert icc31(first, -first) == pytest.approx(-1.0)
    assert np.isnan(icc31(np.ones(4), np.ones(4)))
    truth, said = np.array([1, 1, 0, 0, 1], bool), np.array([1, 0, 1, 0, 1], bool)
    assert f1_score(truth, said) == pytest.approx(4 / 6)


def test_labels_per_frame_and_per_interval(tmp_path: Path) -> None:
    path = write_rows(
        tmp_path / "facs.csv",
        "video person frame start end timestamp AU12_r AU4 AU6_left",
        [
            ["a.mov", "P1", 3, "", "", "", 2.5, "", ""],
            ["p1/a.mov", "P1", "", 0.16, 0.28, "", 1, "1", "NaN"],
            ["a", "P1", "", "", "", 0.37, "", 0, 4],
        ],
    )
    labels = read_labels(path)
    assert [str(target) for target in labels.targets] == ["AU12_r", "AU04_c", "AU06_r_left"]
    rows = match_videos(labels, ["p1/a.mov", "p2/b.mov"])
    assert rows["p1/a.mov"].tolist() == [0, 1, 2]
    values = labels_of_frames(labels, rows["p1/a.mov"], np.arange(12), np.arange(12) / 25)
    expected = np.full((12, 3), np.nan)
    expected[2, 0] = 2.5
    expected[4:8] = [1, 1, np.nan]  # 0.16, 0.20, 0.24, 0.28 s
    expected[9] = [np.nan, 0, 4]  # 0.36 s is the nearest to 0.37
    np.testing.assert_array_equal(values, expected)


@pytest.mark.parametrize(
    ("head", "row", "message"),
    [
        ("video frame AU99_r", ["a", 1, 1], "column AU99_r: there is no model"),
        ("video frame AU12_x", ["a", 1, 1], "column AU12_x: there is no model"),
        ("video frame AU28_r", ["a", 1, 1], "AU28 has a presence model only"),
        ("video frame AU12_r", ["a", 1, 7], "line 2: AU12_r: expected 0 to 5, got 7"),
        ("video frame AU12_c", ["a", 1, 2], "line 2: AU12_c: expected 0 or 1, got 2"),
        ("video frame AU12_r", ["a", 1, "inf"], "line 2: AU12_r: expected a number, got 'inf'"),
        ("video frame AU12_r", ["a", 1, "much"], "expected a number, got 'much'"),
        ("video frame AU12_r", ["a", 1, "nan"], "got none but empty or NaN"),
        ("video frame AU12_r", ["a", "", 1], "line 2: expected a frame, a timestamp, or start"),
        ("video frame AU12_r", ["a", 0, 1], "frame: expected a whole number from 1, got 0"),
        ("video start end AU12_r", ["a", 2, 1, 1], "line 2: end lies before start"),
        ("frame AU12_r", [1, 1], "expected a column 'video'"),
        ("video frame smile", ["a", 1, 1], "expected columns such as AU12_r"),
        ("video frame AU12_r AU12_r", ["a", 1, 1, 1], "AU12_r"),
    ],
)
def test_labels_that_are_none(tmp_path: Path, head: str, row: list[Any], message: str) -> None:
    path = write_rows(tmp_path / "facs.csv", head, [row])
    with pytest.raises(InputError, match=re.escape(message)) as error:
        read_labels(path)
    assert "\n" not in str(error.value)


def test_contradicting_and_ambiguous_labels_are_refused(tmp_path: Path) -> None:
    rows = [["a", 1, 1], ["a", 1, 2]]
    labels = read_labels(write_rows(tmp_path / "facs.csv", "video frame AU12_r", rows))
    with pytest.raises(InputError, match="line 3: AU12_r of a contradicts an earlier line"):
        labels_of_frames(labels, np.arange(2), np.arange(4), np.arange(4) / 25)
    with pytest.raises(InputError, match=r"may be x/a\.mov or y/a\.mov"):
        match_videos(labels, ["x/a.mov", "y/a.mov"])


def test_bad_input_of_the_command_is_one_line(
    cache: Path, labels: Path, weights_dir: Path, tmp_path: Path
) -> None:
    table = list(csv.reader(labels.open()))

    def outcome(head: str, rows: list[Any], folder: Path = cache) -> str:
        path = write_rows(tmp_path / "facs.csv", head, rows)
        result = CliRunner().invoke(
            train,
            [*COMMAND, str(folder), "--labels", str(path), "--out", str(tmp_path / "out")],
        )
        assert result.exit_code == 1, result.output
        assert not (tmp_path / "out").exists()
        assert result.stderr.count("\n") == 1
        return result.stderr

    head = " ".join(table[0])
    one = [row for row in table[1:] if row[0] == VIDEOS[0]]
    assert "one person only" in outcome(head, one)
    named = [[*row, "P1"] for row in table[1:]]
    assert "one person only" in outcome(head + " person", named)
    elsewhere = [["other.mov", *row[1:]] for row in table[1:]]
    assert "no video of the labels (other.mov) is among the features" in outcome(head, elsewhere)
    late = [[row[0], int(row[1]) + 1000, *row[2:]] for row in table[1:]]
    assert "no labelled frame has a face" in outcome(head, late)
    assert "these features of whole faces" in outcome("video frame AU12_left", [[VIDEOS[0], 1, 2]])
    assert "no .features files" in outcome(head, table[1:], tmp_path)
    constant = [[*row[:2], 1, 1] for row in table[1:]]
    assert "AU12_r: all labels are equal; AU10_c: absent in 0 people" in outcome(head, constant)
    cut = tmp_path / "cut"
    for video in VIDEOS:
        (cut / video).parent.mkdir(parents=True)
        whole = (cache / f"{video}.features").read_bytes()
        (cut / f"{video}.features").write_bytes(whole[: len(whole) // 2])
    assert "not a whole feature file" in outcome(head, table[1:], cut)


def test_the_command_trains_and_the_folder_is_used(
    cache: Path, labels: Path, weights_dir: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    line = f"aus --cost 1 --presence-from 2.5 --features {cache} --labels {labels} --out {out}"
    result = CliRunner().invoke(train, line.split(" "))
    assert result.exit_code == 0, result.output
    assert "AU12_c" in result.stdout  # from intensities
    theirs, ours = AUModels.load(weights_dir / "AU_predictors"), AUModels.load(out)
    changed = (theirs.weights != ours.weights).any(axis=0)
    assert changed.nonzero()[0].tolist() == [8, 17 + 7, 17 + 8]
    rows = list(csv.DictReader((out / "validation.csv").open()))
    assert [(row["model"], row["variant"]) for row in rows] == [
        (name, variant)
        for name in ("AU12_r", "AU10_c", "AU12_c")
        for variant in ("static", "dynamic")
    ]
    again = CliRunner().invoke(
        train, [*COMMAND, str(cache), "--labels", str(labels), "--out", str(out)]
    )
    assert again.exit_code == 1
    assert "expected a new or empty folder" in again.stderr


def test_nobody_is_in_both_parts_of_a_fold(
    cache: Path, labels: Path, pdm: PDM, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A label that only a person's number tells is worthless on people not seen."""
    samples = collect(cache, read_labels(labels), pdm)
    rng = np.random.default_rng(0)
    level = rng.permutation(4)[samples.person].astype(float)
    marked = samples.features.copy()
    marked[:, :4] = 0.2 + 0.2 * np.eye(4, dtype=F32)[samples.person]
    told = replace(samples, features=marked, values=level[:, None], names=("AU12_r",))
    models, _ = fit(told, costs=(1e7,))
    static = next(one for one in models if not one.dynamic)
    assert static.agreement.r < 0.5
    inside = marked @ static.weights + static.offset
    assert np.abs(inside - level).max() < 0.01  # though it is learnt by heart where it was seen
