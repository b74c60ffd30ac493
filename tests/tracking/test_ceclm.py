"""OpenFace's other landmark models through its tracker: CE-CLM on experts made on the spot, CLM."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pyfaceau.config import WILD, Config, Models
from pyfaceau.errors import WeightsError
from pyfaceau.media.video import VideoReader
from pyfaceau.pipeline.video import FullPythonAUPipeline
from pyfaceau.refinement import face_model
from pyfaceau.refinement.cen import CENExperts
from pyfaceau.refinement.face_model import FaceModel, blank_shape
from pyfaceau.refinement.fits import FaceFit
from pyfaceau.refinement.point_model import FitParameters
from pyfaceau.tracking.openface import OpenFaceTracker
from pyfaceau.tracking.tracker import make_fitter
from pyfaceau.types import FaceBox, Frame
from tests.cen_files import model

BOX = FaceBox(210.0, 60.0, 120.0, 120.0)


@pytest.fixture(scope="module")
def made(weights_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the list file of a CE-CLM model of generated experts."""
    return model(weights_dir, tmp_path_factory.mktemp("ceclm"))


def settings(list_file: Path | str) -> Config:
    return replace(Config.load("ceclm"), models=Models(clnf=str(list_file)))


def points(table: pd.DataFrame) -> np.ndarray:
    """Return landmarks (frames, 68, 2)."""
    columns = [[f"{axis}_{n}" for n in range(68)] for axis in "xy"]
    return np.stack([table[names].to_numpy() for names in columns], axis=-1)


@pytest.mark.parametrize(
    ("fit", "sigmas", "priors", "weights"),
    [
        (FitParameters(), (2.25, 2.371357, 2.5), (22.5, 15.2186, 7.5), (0, 0, 0)),
        (
            FitParameters(WILD.windows, (0, 9, 7, 0), WILD.sigma, WILD.regularisation, 2.5),
            (1.875, 1.996357, 2.125),
            (31.5, 24.2186, 16.5),
            (2.5, 4.927, 7.5),
        ),
    ],
)
def test_parameters_of_each_scale(
    fit: FitParameters,
    sigmas: tuple[float, ...],
    priors: tuple[float, ...],
    weights: tuple[float, ...],
) -> None:
    at = [fit.for_ceclm().at_scale(scale) for scale in (0.25, 0.35, 0.5)]
    np.testing.assert_allclose([a.sigma for a in at], sigmas, atol=5e-7)
    np.testing.assert_allclose([a.regularisation for a in at], priors, atol=5e-5)
    np.testing.assert_allclose([a.weight_factor for a in at], weights, atol=5e-4)


def test_parameters_follow_the_name_of_the_list_file(
    made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert FaceModel.load(made).main.parameters == FitParameters()
    monkeypatch.setattr(face_model, "CECLM", made.stem)
    assert FaceModel.load(made).main.parameters == FitParameters().for_ceclm()


def test_model_has_four_scales_and_eyes_alone(made: Path) -> None:
    loaded = FaceModel.load(made)
    assert [experts.scale for experts in loaded.main.scales] == [0.25, 0.35, 0.5, 1.0]
    assert all(isinstance(experts, CENExperts) for experts in loaded.main.scales)
    assert [part.name for part in loaded.parts] == ["left_eye_28", "right_eye_28"]
    assert loaded.main.early_termination is not None
    assert FaceModel.load().main.early_termination is None


def test_experts_that_are_not_installed_are_named(weights_dir: Path) -> None:
    if any(weights_dir.rglob("cen_patches_*.dat")):
        pytest.skip("the experts are installed")
    with pytest.raises(WeightsError, match=r"cen_patches_0\.25_of\.dat.*weights install ceclm"):
        FaceModel.load("main_ceclm_general.txt")


def test_a_whole_video(made: Path, shared: Path, tmp_path: Path) -> None:
    """The made experts see less than the real ones; the face is found and followed all the same."""
    video = shared / "samples/video/single_face.mp4"
    pipeline = FullPythonAUPipeline(config=settings(made))
    table = pipeline.process_video(video, tmp_path / "out.csv")
    reference = pd.read_csv(shared / "reference/video/single_face.csv.gz", skipinitialspace=True)
    assert list(table.columns) == list(reference.columns)
    assert table["success"].all()
    assert table["confidence"].iloc[0] == pytest.approx(0.98)
    distance = np.linalg.norm(points(table) - points(reference), axis=-1)
    assert distance.mean() < 4
    eye = [f"eye_lmk_x_{n}" for n in range(56)]
    assert np.abs(table[eye] - reference[eye]).to_numpy().mean() < 4


def test_several_faces_are_fitted_without_the_search(
    made: Path, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new face of several is one ordinary fit; a still picture's goes by the rule."""

    def refuse(*_: Any) -> FaceFit:
        raise AssertionError("searched")

    monkeypatch.setattr(face_model, "fit_starts", refuse)
    with VideoReader(shared / "samples/video/single_face.mp4") as video:
        image = next(iter(video)).image
    gray = np.ascontiguousarray(image[:, :, 1])
    several = make_fitter(settings(made), FaceModel.load(made).main.pdm, 0)
    [box] = several.find(image)
    assert several.fit(Frame(image, 0, 0.0, gray), box).landmarks.any()
    with pytest.raises(AssertionError, match="searched"):
        replace(several, hypotheses=1).fit(Frame(image, 0, 0.0, gray), box)


def test_clm_follows_the_face(weights_dir: Path, shared: Path) -> None:
    """SVR experts agree with CCNF ones to a few pixels."""
    assert (weights_dir / "main_clm_general.txt").is_file()
    pipeline = FullPythonAUPipeline(config="clm")
    reference = pd.read_csv(shared / "reference/video/single_face.csv.gz", skipinitialspace=True)
    results = pipeline.results(shared / "samples/video/single_face.mp4", ["2Dfp"])
    for expected, result in zip(points(reference)[:5], results, strict=False):
        assert result.face.ok
        assert np.linalg.norm(result.face.landmarks - expected, axis=1).mean() < 4


@dataclass
class Scripted:
    """A landmark model whose searches end as told; tracked fits always fail."""

    searches: list[tuple[bool, bool]]
    """`ok` and `accepted` of each search."""
    main: Any = None
    pdm: Any = None
    n_modes: int = 34
    made: int = field(default=0)

    def __post_init__(self) -> None:
        self.main = self.pdm = self

    def empty_parts(self) -> tuple[()]:
        return ()

    def eyes(self, parts: object) -> None:
        return None

    def fit(self, gray: object, start: object, *, tracked: bool = False) -> FaceFit:
        return self._fit(False, False)

    def fit_box(self, gray: object, box: FaceBox) -> FaceFit:
        return self._fit(*self.searches.pop(0))

    def faces(self, image: object) -> tuple[FaceBox, ...]:
        return (BOX,)

    def _fit(self, ok: bool, accepted: bool) -> FaceFit:
        self.made += 1
        landmarks = np.full((68, 2), self.made, np.float32)
        shape = blank_shape(34)
        return FaceFit(shape, landmarks, (), 0.0, 0.5, ok, 0, 5, False, 1.0, accepted)


def test_tracker_goes_by_the_verdict_and_reports_ok() -> None:
    """A lost face is taken back when the search says so, whatever the winner's own flag."""
    script = Scripted([(True, True), (True, False), (False, True)])
    tracker = OpenFaceTracker(script, script)  # type: ignore[arg-type]
    image = np.zeros((40, 40, 3), np.uint8)
    found = tracker.update(Frame(image, 0, 0.0))
    assert (found.success, found.ok) == (True, True)
    kept_lost = tracker.update(Frame(image, 1, 0.0))
    assert (kept_lost.success, kept_lost.ok) == (False, True)
    assert kept_lost.landmarks[0, 0] == 2  # the failed track's, not the search's
    assert not tracker.update(Frame(image, 2, 0.0)).success  # no search after two failures
    taken = tracker.update(Frame(image, 3, 0.0))
    assert (taken.success, taken.ok, taken.landmarks[0, 0]) == (True, False, 6)
