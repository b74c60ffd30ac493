"""The default tracker: loss, recovery, two people, reset; scripted stages, then real ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pyfaceau.detection.retinaface import RetinaFace
from pyfaceau.errors import InputError
from pyfaceau.landmarks.pfld import PFLD
from pyfaceau.media.video import VideoReader
from pyfaceau.pdm.model import PDM
from pyfaceau.refinement.validator import DetectionValidator
from pyfaceau.tracking.targeted import TargetedTracker
from pyfaceau.types import FaceBox, Frame, ShapeFit

BLANK = np.zeros((480, 640, 3), np.uint8)
ANNA, BELA = (150.0, 240.0), (450.0, 240.0)
Show = Callable[..., "float | None"]


class Scene:
    """A world of faces at known places, seen by a detector and a landmark network without error."""

    def __init__(self, pdm: PDM) -> None:
        self.pdm = pdm
        self.centres: list[tuple[float, float]] = []
        self.calls = 0

    def shape(self, centre: tuple[float, float]) -> np.ndarray:
        """Return the mean face at a place, 1 px per mm."""
        place = np.array([1, 0, 0, 0, *centre], np.float32)
        return self.pdm.shape_2d(ShapeFit(place, np.zeros(34, np.float32)))

    def detect(self, image: np.ndarray) -> tuple[FaceBox, ...]:
        """Return all faces, and count the call."""
        self.calls += 1
        boxes = []
        for centre in self.centres:
            low, high = self.shape(centre).min(axis=0), self.shape(centre).max(axis=0)
            width, height = (float(v) for v in high - low)
            boxes.append(
                FaceBox(float(low[0]), float(high[1]) - 1.31 * height, width, 1.31 * height, 0.9)
            )
        return tuple(boxes)

    def predict_crops(self, image: np.ndarray, crops: np.ndarray) -> np.ndarray:
        """Return the face nearest to the crop's middle; nonsense where there is none near."""
        answers = []
        for crop in crops:
            middle = np.linalg.solve(crop[:, :2], 55.5 - crop[:, 2])
            side = 112 / np.hypot(*crop[0, :2])
            near = [c for c in self.centres if np.hypot(*(np.array(c) - middle)) < side / 3]
            rng = np.random.default_rng(0)
            nonsense = rng.uniform(-side / 2, side / 2, (68, 2)) + middle
            answers.append(self.shape(near[0]) if near else nonsense)
        return np.array(answers, np.float32)


@pytest.fixture(scope="module")
def pdm(weights_dir: Path) -> PDM:
    return PDM.load(weights_dir / "In-the-wild_aligned_PDM_68.txt")


@pytest.fixture
def scene(pdm: PDM) -> Scene:
    return Scene(pdm)


@pytest.fixture
def step(scene: Scene) -> Show:
    """Return a function that shows the next frame and tells the face's x, None where it fails."""
    tracker = TargetedTracker(scene, scene, pdm=scene.pdm)
    count = 0

    def show(*centres: tuple[float, float]) -> float | None:
        nonlocal count
        scene.centres = list(centres)
        face = tracker.update(Frame(BLANK, count, count / 30))
        count += 1
        assert bool(face.reason) != face.success
        return float(face.landmarks[:, 0].mean()) if face else None

    return show


def test_detector_runs_once(scene: Scene, step: Show) -> None:
    for k in range(20):
        assert step((200 + 5.5 * k, 240)) == pytest.approx(200 + 5.5 * k, abs=1)
    assert scene.calls == 1


def test_loss_is_noticed_and_mended(scene: Scene, step: Show) -> None:
    assert step() is None
    assert step(ANNA) == pytest.approx(ANNA[0], abs=1)
    assert step() is None
    assert step() is None
    assert step((ANNA[0] + 90, 240)) == pytest.approx(ANNA[0] + 90, abs=1)


def test_two_people_do_not_swap(step: Show) -> None:
    step(ANNA)
    for _ in range(10):
        assert step(BELA, ANNA) == pytest.approx(ANNA[0], abs=1)
    for _ in range(10):
        assert step(BELA) is None
    assert step(BELA, ANNA) == pytest.approx(ANNA[0], abs=1)


def test_another_face_is_taken_after_the_wait(step: Show) -> None:
    step(ANNA)
    found = [step(BELA) for _ in range(40)]
    assert found[:29] == [None] * 29
    assert found[-1] == pytest.approx(BELA[0], abs=1)


def test_reset_starts_from_nothing(scene: Scene, pdm: PDM) -> None:
    tracker = TargetedTracker(scene, scene, pdm=pdm)
    scene.centres = [ANNA]
    tracker.update(Frame(BLANK, 0, 0.0))
    tracker.reset()
    scene.centres = [BELA]
    face = tracker.update(Frame(BLANK, 0, 0.0))
    assert face.landmarks[:, 0].mean() == pytest.approx(BELA[0], abs=1)
    assert scene.calls == 2


class Follower:
    """A refiner that remembers its starts and answers with a start moved by `error` pixels."""

    needs_landmarks = False

    def __init__(self, error: float = 0.0) -> None:
        self.error = error
        self.starts: list[tuple[float, float]] = []

    def fit(
        self, gray: np.ndarray, start: ShapeFit, landmarks: np.ndarray, trusted: bool
    ) -> ShapeFit:
        """Return the start, moved to the right."""
        self.starts.append((float(start.params_global[4]), float(trusted)))
        moved = start.params_global.copy()
        moved[4] += self.error
        return ShapeFit(moved, start.params_local)


def test_refinement_goes_on_from_the_frame_before(scene: Scene, pdm: PDM) -> None:
    refiner = Follower(error=4)
    tracker = TargetedTracker(scene, scene, pdm=pdm, refiner=refiner)
    scene.centres = [ANNA]
    for k in range(2):
        tracker.update(Frame(BLANK, k, k / 30))
    (first, unknown), (second, known) = refiner.starts
    assert second == pytest.approx(first + 4, abs=1e-3)
    assert unknown == 0
    assert known > 0.5


def test_a_refinement_that_drifts_starts_again_from_the_network(scene: Scene, pdm: PDM) -> None:
    tracker = TargetedTracker(scene, scene, pdm=pdm, refiner=Follower(error=4))
    scene.centres = [ANNA]
    for k in range(20):
        face = tracker.update(Frame(BLANK, k, k / 30))
        assert face.success
        assert 3 < face.shape.params_global[4] - ANNA[0] < 11
    assert scene.calls == 1


def test_a_sudden_movement_is_followed_at_once(scene: Scene, pdm: PDM) -> None:
    tracker = TargetedTracker(scene, scene, pdm=pdm, refiner=Follower())
    for k, x in enumerate((200.0, 202.0, 240.0, 241.0)):
        scene.centres = [(x, 240.0)]
        face = tracker.update(Frame(BLANK, k, k / 30))
        assert face.success
        assert face.shape.params_global[4] == pytest.approx(x, abs=3)
    assert scene.calls == 1


class Judge:
    """A validator that says what it is told to, and a network that counts how often it is asked."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.verdict, self.asked = scene, 0.9, 0

    def check(self, *_: object) -> float:
        """Return the verdict."""
        return self.verdict

    def predict_crops(self, image: np.ndarray, crops: np.ndarray) -> np.ndarray:
        """Count, and return what the scene shows."""
        self.asked += 1
        return self.scene.predict_crops(image, crops)


@pytest.mark.parametrize("threads", [1, 2])
def test_the_network_watches_every_second_frame_and_where_in_doubt(
    scene: Scene, pdm: PDM, threads: int
) -> None:
    judge = Judge(scene)
    tracker = TargetedTracker(
        scene, judge, pdm=pdm, refiner=Follower(), validator=judge, threads=threads
    )
    scene.centres = [ANNA]
    asked = []
    for k, verdict in enumerate((0.9, 0.9, 0.9, 0.9, 0.9, 0.6, 0.6)):
        judge.verdict, judge.asked = verdict, 0
        assert tracker.update(Frame(BLANK, k, k / 30)).success
        asked.append(judge.asked)
    assert asked[0] == 2  # in the detector's box, then around what was seen there
    assert asked[1:5] == [1, 0, 1, 0]
    assert asked[5:] == [1, 1]


def test_bad_options_are_refused(scene: Scene, pdm: PDM) -> None:
    with pytest.raises(InputError, match="threshold: expected"):
        TargetedTracker(scene, scene, pdm=pdm, threshold=1.5)
    with pytest.raises(InputError, match="patience: expected"):
        TargetedTracker(scene, scene, pdm=pdm, patience=float("nan"))


@pytest.mark.parametrize("name", ["noface_face", "face_noface", "no_face"])
def test_success_agrees_with_the_reference(
    weights_dir: Path, shared: Path, pdm: PDM, name: str
) -> None:
    (video,) = (shared / "samples/video").glob(f"{name}.*")
    reference = pd.read_csv(shared / f"reference/video/{name}.csv.gz", skipinitialspace=True)
    tracker = TargetedTracker(
        RetinaFace(weights_dir / "retinaface_mobilenet025.onnx"),
        PFLD(weights_dir / "pfld_cunjian.onnx"),
        pdm=pdm,
        validator=DetectionValidator.load(weights_dir / "detection_validation/validator_cnn.txt"),
    )
    with VideoReader(video) as reader:
        faces = [tracker.update(frame) for frame in reader]
    success = np.array([face.success for face in faces])
    expected = reference["success"].to_numpy() > 0
    assert (success == expected).mean() >= 0.95
    if not expected.any():
        assert not success.any()
    both = np.flatnonzero(success & expected)
    for k in both[:: max(1, len(both) // 10)]:
        row = reference.iloc[k]
        truth = np.array([[row[f"x_{i}"], row[f"y_{i}"]] for i in range(68)])
        error = np.hypot(*(faces[k].landmarks - truth).T).mean()
        assert error / np.hypot(*(truth[36] - truth[45])) < 0.06
