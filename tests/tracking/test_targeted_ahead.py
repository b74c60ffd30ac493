"""Frames begun before the last one is judged: nothing changes, nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pyfaceau.errors import InputError, VideoError
from pyfaceau.pdm.model import PDM
from pyfaceau.tracking.targeted import TargetedTracker
from pyfaceau.types import FaceBox, Frame, ShapeFit, TrackedFace
from tests.tracking.test_targeted import ANNA, BLANK, Scene


@pytest.fixture(scope="module")
def pdm(weights_dir: Path) -> PDM:
    return PDM.load(weights_dir / "In-the-wild_aligned_PDM_68.txt")


class Story:
    """Frames of which each says, in its own pixels, where the face is and how well a fit rates.

    All stages read the picture, so they may work on several frames at a time.
    """

    needs_landmarks = False

    def __init__(self, scene: Scene) -> None:
        self.scene = scene

    @staticmethod
    def frame(index: int, x: int, verdict: int) -> Frame:
        """Return a frame with the face at x (0: none); a fit on it rates verdict %."""
        image = np.full((480, 640, 3), verdict, np.uint8)
        image[0] = x // 4
        return Frame(image, index, index / 30)

    def _shown(self, image: np.ndarray) -> Scene:
        scene = Scene(self.scene.pdm)
        x = 4.0 * int(image[0, 0, 0])
        scene.centres = [(x, 240.0)] if x else []
        return scene

    def detect(self, image: np.ndarray) -> tuple[FaceBox, ...]:
        """Return the face's box."""
        return self._shown(image).detect(image)

    def predict_crops(self, image: np.ndarray, crops: np.ndarray) -> np.ndarray:
        """Return the face's points, or nonsense; at x = 212 its jaw is somewhere else."""
        points = self._shown(image).predict_crops(image, crops)
        if image[0, 0, 0] == 212 // 4:
            points[:, :17, 0] += 7.0
        return points

    def fit(self, gray: np.ndarray, start: ShapeFit, landmarks: object, sure: bool) -> ShapeFit:
        """Move a start towards the face, less far where it is trusted; another jaw is likelier."""
        moved = start.params_global.copy()
        target = 4 * float(gray[0, 0]) or 320.0
        moved[4] += np.clip(target - moved[4], -12, 12) * (0.5 if sure else 0.75)
        likelihood = 0.5 - abs(target - moved[4]) / 20 + np.abs(start.params_local).max() / 20
        return ShapeFit(moved, start.params_local, likelihood)

    def check(self, gray: np.ndarray, landmarks: np.ndarray, rotation: np.ndarray) -> float:
        """Return the verdict written in the picture."""
        return float(gray[1, 0]) / 100


STORY = st.lists(
    st.tuples(
        st.sampled_from([0, 200, 204, 208, 212, 240, 280, 300]), st.sampled_from([90, 90, 60, 20])
    ),
    max_size=25,
)
"""A step of 40 pixels is one that the network follows and the refinement does not."""


def assert_same(seen: list[tuple[Frame, TrackedFace]], expected: list[TrackedFace]) -> None:
    assert [frame.index for frame, _ in seen] == list(range(len(expected)))
    for (_, face), other in zip(seen, expected, strict=True):
        assert (face.success, face.confidence, face.reason) == (
            other.success, other.confidence, other.reason,
        )  # fmt: skip
        np.testing.assert_array_equal(face.landmarks, other.landmarks)
        np.testing.assert_array_equal(face.shape.likelihood, other.shape.likelihood)
        assert (face.network_points is None) == (other.network_points is None)
        if face.network_points is not None:
            np.testing.assert_array_equal(face.network_points, other.network_points)


@pytest.mark.parametrize("refined", ["goes on", "needs landmarks", "no"])
@pytest.mark.parametrize("validated", [True, False])
@given(story=STORY)
@settings(max_examples=25, deadline=None)
@example(story=[(200, 90), (200, 90), (240, 90), (280, 90), (240, 60), (200, 90), (240, 90)])
@example(story=[(208, 90), (212, 90), (212, 90), (212, 90), (212, 90), (208, 90), (204, 90)])
def test_beginning_frames_early_changes_nothing(
    pdm: PDM, refined: str, validated: bool, story: list[tuple[int, int]]
) -> None:
    stage = Story(Scene(pdm))
    stage.needs_landmarks = refined == "needs landmarks"
    frames = [Story.frame(k, *what) for k, what in enumerate(story)]

    def tracker(threads: int) -> TargetedTracker:
        return TargetedTracker(
            stage, stage, pdm=pdm, refiner=None if refined == "no" else stage,
            validator=stage if validated else None, threads=threads,
        )  # fmt: skip

    steps = tracker(1)
    expected = [steps.update(frame) for frame in frames]
    ahead = tracker(2)
    for _ in ahead.track_ahead(frames[: len(frames) // 2]):
        break  # who stops early leaves nothing to the next video
    ahead.reset()
    assert_same(list(ahead.track_ahead(frames)), expected)
    assert_same(list(steps.track_ahead(())), [])


def test_a_jaw_that_the_network_sees_elsewhere_is_part_of_the_story(pdm: PDM) -> None:
    stage = Story(Scene(pdm))
    tracker = TargetedTracker(stage, stage, pdm=pdm, refiner=stage, validator=stage)
    faces = [tracker.update(Story.frame(k, x, 90)) for k, x in enumerate((208, 212, 212, 212))]
    jaws = [float(face.landmarks[:17, 0].mean() - face.landmarks[30, 0]) for face in faces]
    assert jaws[-1] - jaws[0] > 3
    assert faces[-1].shape.likelihood > faces[0].shape.likelihood


def test_where_the_face_goes_on_frames_are_begun_early(
    pdm: PDM, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = []
    speculate = TargetedTracker._speculate

    def noted(self: TargetedTracker, *steps: Any) -> Any:
        begun.append(speculate(self, *steps))
        return begun[-1]

    monkeypatch.setattr(TargetedTracker, "_speculate", noted)
    stage = Story(Scene(pdm))
    tracker = TargetedTracker(stage, stage, pdm=pdm, refiner=stage, validator=stage, threads=2)
    frames = [Story.frame(k, 200, 90) for k in range(6)]
    assert all(face.success for _, face in tracker.track_ahead(frames))
    assert [step is not None for step in begun] == [False, False, True, True, True, True]


@pytest.mark.parametrize("threads", [1, 2])
def test_a_guess_that_fails_is_none(pdm: PDM, threads: int) -> None:
    """Frame 3 is no face; from where it would have been frame 4 cannot be fitted."""

    class Picky(Story):
        def fit(self, gray: Any, start: ShapeFit, landmarks: object, sure: bool) -> ShapeFit:
            if abs(start.params_global[4] - 4 * float(gray[0, 0])) > 50:
                raise InputError("start: too far")
            return super().fit(gray, start, landmarks, sure)

    stage = Picky(Scene(pdm))
    tracker = TargetedTracker(
        stage, stage, pdm=pdm, refiner=stage, validator=stage, patience=0, threads=threads
    )
    story = [(200, 90), (200, 90), (200, 90), (200, 20), (300, 90), (300, 90)]
    frames = [Story.frame(k, *what) for k, what in enumerate(story)]
    seen = [(frame.index, face.success) for frame, face in tracker.track_ahead(frames)]
    assert seen == [(k, k != 3) for k in range(6)]


@pytest.mark.parametrize("threads", [1, 2])
def test_a_true_error_comes_after_the_frames_before_it(pdm: PDM, threads: int) -> None:
    class Failing(Story):
        def fit(self, gray: Any, start: ShapeFit, landmarks: object, sure: bool) -> ShapeFit:
            if gray[0, 0] == 52:
                raise RuntimeError("frame 4")
            return super().fit(gray, start, landmarks, sure)

    stage = Failing(Scene(pdm))
    tracker = TargetedTracker(
        stage, stage, pdm=pdm, refiner=stage, validator=stage, threads=threads
    )
    frames = [Story.frame(k, 208 if k == 4 else 200, 90) for k in range(6)]
    seen = tracker.track_ahead(frames)
    assert [next(seen)[0].index for _ in range(4)] == [0, 1, 2, 3]
    with pytest.raises(RuntimeError, match="frame 4"):
        next(seen)


def test_an_error_of_the_video_comes_after_its_last_frame(pdm: PDM) -> None:
    def frames() -> Iterator[Frame]:
        for k in range(3):
            yield Frame(BLANK, k, k / 30)
        raise VideoError("cut off")

    scene = Scene(pdm)
    scene.centres = [ANNA]
    seen = TargetedTracker(scene, scene, pdm=pdm, threads=2).track_ahead(frames())
    assert [next(seen)[0].index for _ in range(3)] == [0, 1, 2]
    with pytest.raises(VideoError, match="cut off"):
        next(seen)
