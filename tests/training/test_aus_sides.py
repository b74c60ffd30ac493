"""Action-unit models learnt from labels of the two sides of faces."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs the extra train")

from pyfaceau.errors import InputError
from pyfaceau.features.geometry import geometry_descriptor
from pyfaceau.features.running_median import RunningMedian
from pyfaceau.pdm.model import PDM
from pyfaceau.prediction.models import AUModels
from pyfaceau.study.feature_writer import FeatureWriter
from pyfaceau.study.features import FeatureFile
from pyfaceau.training.aus import train_aus
from pyfaceau.training.aus_fit import COSTS
from pyfaceau.training.aus_labels import read_labels
from pyfaceau.training.aus_options import AUOptions
from pyfaceau.training.aus_samples import collect
from pyfaceau.types import (
    SIDES,
    FaceFeatures,
    FrameResult,
    HeadPose,
    ShapeFit,
    SplitFace,
    TrackedFace,
)

F32 = np.float32
VIDEOS = ("p1/a.mov", "p2/b.mov", "p3/c.mov")
FRAMES, LATENT = 30, 6
TURNED = 5
"""A frame whose head is turned too far to be split."""
AU12 = 8


@pytest.fixture(scope="module")
def pdm() -> PDM:
    rng = np.random.default_rng(1)
    basis = rng.normal(size=(204, 34)).astype(F32)
    return PDM(rng.normal(size=204).astype(F32), basis, np.linspace(900, 1, 34).astype(F32))


def write_cache(folder: Path, pdm: PDM, sides: bool) -> Path:
    """Write features of three people whose halves move apart."""
    rng = np.random.default_rng(2)
    to_hog, to_shape = rng.normal(size=(LATENT, 4464)), rng.normal(size=(LATENT, 34))

    def face() -> FaceFeatures:
        state = rng.normal(size=LATENT)
        hog = np.clip(0.2 + 0.02 * state @ to_hog, 0, 1).astype(F32)
        return FaceFeatures(hog, geometry_descriptor(pdm, (state @ to_shape).astype(F32)))

    tracked = TrackedFace(
        True, True, 0.9, np.zeros((68, 2), F32), ShapeFit(np.zeros(6, F32), np.zeros(34, F32))
    )
    rest = HeadPose(np.zeros(3, F32), np.zeros(3, F32)), None
    for video in VIDEOS:
        with FeatureWriter(folder / f"{video}.features", sides) as out:
            for index in range(FRAMES):
                halves = (None, None) if index == TURNED else (face(), face())
                out.write(
                    FrameResult(
                        index,
                        index / 25,
                        tracked,
                        np.zeros((68, 3), F32),
                        *rest,
                        features=face(),
                        split=SplitFace(*halves, 0.1) if sides else None,
                    )
                )
            out.finish({})
    return folder


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory, pdm: PDM) -> Path:
    return write_cache(tmp_path_factory.mktemp("sides"), pdm, sides=True)


def faces(cache: Path, video: str, pdm: PDM, view: str) -> dict[int, FaceFeatures]:
    """Return the whole or half faces of a video by the number of their frame, from 1."""
    found = {}
    with FeatureFile(cache / f"{video}.features", pdm) as file:
        for result in file:
            assert result.split is not None
            halves = {"left": result.split.left, "right": result.split.right}
            face = halves.get(view, result.features)
            if face is not None:
                found[result.index + 1] = face
    return found


def row_of(face: FaceFeatures) -> np.ndarray:
    return np.concatenate([face.hog, face.geometry])


def write_rows(path: Path, head: str, rows: list[Any]) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([head.split(), *rows])
    return path


def test_each_label_meets_its_half(cache: Path, pdm: PDM, tmp_path: Path) -> None:
    rows = [["p1/a.mov", 3, 1.0, "", 0.5], ["p2/b.mov", 9, "", 4.0, ""], ["p2/b.mov", 6, 2, 3, 1]]
    path = write_rows(tmp_path / "l.csv", "video frame AU12_r_left AU12_right AU12_r", rows)
    samples = collect(cache, read_labels(path), pdm)
    assert samples.names == ("AU12_r",)
    known = ~np.isnan(samples.values[:, 0])
    assert sorted(samples.values[known, 0]) == [0.5, 1.0, 1.0, 4.0]
    expected = {
        0.5: [faces(cache, "p1/a.mov", pdm, "")[3]],
        1.0: [faces(cache, "p1/a.mov", pdm, "left")[3], faces(cache, "p2/b.mov", pdm, "")[6]],
        4.0: [faces(cache, "p2/b.mov", pdm, "right")[9]],
    }  # frame 6 is turned: its halves are missing, its whole face is there
    for value, found in expected.items():
        rows_of = np.stack([row_of(face) for face in found]).astype(F32)
        got = samples.features[samples.values[:, 0] == value]
        np.testing.assert_array_equal(np.sort(got, axis=0), np.sort(rows_of, axis=0))
    assert samples.facts["labelled frames without a face"] == 2
    assert samples.facts["sides"]


def test_each_side_has_its_own_neutral_face(cache: Path, pdm: PDM, tmp_path: Path) -> None:
    path = write_rows(tmp_path / "l.csv", "video frame AU12_r_left AU12_r_right",
                      [["p1/a.mov", 3, 1.0, 2.0]])  # fmt: skip
    samples = collect(cache, read_labels(path), pdm)
    for number, side in enumerate(SIDES):
        median = RunningMedian()
        halves = faces(cache, "p1/a.mov", pdm, side)
        for frame in range(1, FRAMES + 1):
            median.update(halves.get(frame), (frame - 1) / 25)
        of_side = samples.video[samples.values[:, 0] == number + 1][0]
        np.testing.assert_array_equal(samples.neutral[of_side], median.neutral.astype(F32))


def test_a_round_trip_by_halves_alone(cache: Path, pdm: PDM, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    weights = rng.normal(size=4702)
    scores = {
        (video, side, frame): float(row_of(face) @ weights)
        for video in VIDEOS
        for side in SIDES
        for frame, face in faces(cache, video, pdm, side).items()
    }
    low, high = min(scores.values()), max(scores.values())
    taught = {key: 0.5 + 4 * (score - low) / (high - low) for key, score in scores.items()}
    rows = [
        [video, frame, *(repr(taught[video, side, frame]) for side in SIDES)]
        for video in VIDEOS
        for frame in range(1, FRAMES + 1)
        if frame != TURNED + 1
    ]
    path = write_rows(tmp_path / "l.csv", "video frame AU12_r_left AU12_r_right", rows)
    train_aus(cache, path, tmp_path / "out", pdm, None, AUOptions(costs=(COSTS[-1],)))
    learnt = AUModels.load(tmp_path / "out", static=True)
    for (video, side, frame), expected in taught.items():
        half = faces(cache, video, pdm, side)[frame]
        assert learnt.scores(half)[AU12] == pytest.approx(expected, abs=1e-3)
    card = (tmp_path / "out/CARD.md").read_text()
    assert "halves of faces, each made whole by its reflection" in card
    assert "174 labelled faces in 3 videos" in card


def test_features_of_whole_faces_are_told_apart(pdm: PDM, tmp_path: Path) -> None:
    folder = write_cache(tmp_path / "whole", pdm, sides=False)
    path = write_rows(tmp_path / "l.csv", "video frame AU12_r_left", [["p1/a.mov", 3, 1.0]])
    with pytest.raises(InputError, match=r"whole faces; make them again .* --split-face"):
        collect(folder, read_labels(path), pdm)


def test_most_is_never_exceeded(cache: Path, pdm: PDM, tmp_path: Path) -> None:
    rows = [[video, frame, 1.0, 2.0] for video in VIDEOS for frame in range(1, FRAMES + 1)]
    labels = read_labels(
        write_rows(tmp_path / "l.csv", "video frame AU12_r_left AU12_r_right", rows)
    )
    with pytest.raises(InputError, match=r"most: expected at least one .* 3 videos and side"):
        collect(cache, labels, pdm, most=5)
    # Beside those to learn from, as many of each half give its zero level.
    samples = collect(cache, labels, pdm, most=12)
    learnt = ~np.isnan(samples.values[:, 0]) & ~samples.even
    assert learnt.sum() <= 12
    assert samples.facts["faces"] <= 24
