"""Several faces: the slots' rules with a scripted fitter."""

from __future__ import annotations

import numpy as np
import pytest

from pyfaceau.tracking.multi import MultiFaceTracker, _overlap
from pyfaceau.types import FaceBox, Frame, ShapeFit, TrackedFace

BLANK = np.zeros((48, 64, 3), np.uint8)


class Scene:
    """Faces at places on a line; a fit holds as long as its face is shown."""

    def __init__(self) -> None:
        self.shown: list[int] = []
        self.looks = 0

    def find(self, image: np.ndarray) -> tuple[FaceBox, ...]:
        """Return a box for each face that is shown."""
        self.looks += 1
        return tuple(FaceBox(100.0 * place, 0.0, 50.0, 50.0) for place in self.shown)

    def fit(self, frame: Frame, box: FaceBox) -> TrackedFace:
        """Fit the face of a box."""
        return self._face(round(box.x / 100))

    fit_given = fit

    def follow(self, frame: Frame, face: TrackedFace) -> TrackedFace:
        """Fit where the face was."""
        return self._face(round(float(face.landmarks[0, 0]) / 100))

    def _face(self, place: int) -> TrackedFace:
        side = np.linspace(0, 50, 68, dtype=np.float32)
        points = np.stack([100 * place + side, side], -1)
        shape = ShapeFit(np.array([1, 0, 0, 0, 0, 0], np.float32), np.zeros(34, np.float32))
        shown = place in self.shown
        return TrackedFace(shown, shown, 0.9 * shown, points, shape)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def run(tracker: MultiFaceTracker, scene: Scene, *script: tuple[int, list[int]]) -> list[str]:
    """Show faces for so many frames each; return slots and places, lower case where rejected."""
    seen = []
    for frames, shown in script:
        scene.shown = shown
        for _ in range(frames):
            faces = tracker.update(Frame(BLANK, 0, 0.0))
            words = []
            for slot, face in faces:
                name = "ABCDEFGH"[round(float(face.landmarks[0, 0]) / 100)]
                words.append(f"{slot}{name if face.ok else name.lower()}")
            seen.append(" ".join(words))
    return seen


def test_faces_fill_slots_in_the_detectors_order(scene):
    assert run(MultiFaceTracker(scene), scene, (2, [2, 0])) == ["0C 1A"] * 2


def test_new_faces_are_looked_for_every_eighth_frame(scene):
    seen = run(MultiFaceTracker(scene), scene, (1, [0]), (9, [0, 1]))
    assert seen == ["0A"] * 8 + ["0A 1B"] * 2
    assert scene.looks == 2


def test_a_lost_face_is_given_up_after_six_rejected_frames(scene):
    seen = run(MultiFaceTracker(scene), scene, (1, [0, 1]), (9, [1]))
    assert seen == ["0A 1B"] + ["0a 1B"] * 6 + ["1B"] * 3


def test_a_slot_is_free_for_another_face_in_the_very_frame_in_which_it_is_given_up(scene):
    # rejected in frames 3 to 8, given up in frame 9, where new faces are looked for
    seen = run(MultiFaceTracker(scene), scene, (2, [0]), (7, [3]))
    assert seen == ["0A"] * 2 + ["0a"] * 6 + ["0D"]


def test_a_lost_face_still_covers_its_place_while_its_slot_is_kept(scene):
    # rejected from frame 4 on, it is found again by tracking, not by the detector
    seen = run(MultiFaceTracker(scene), scene, (3, [0]), (5, []), (2, [0, 1]))
    assert seen == ["0A"] * 3 + ["0a"] * 5 + ["0A 1B"] * 2


def test_with_all_slots_taken_nobody_is_looked_for(scene):
    tracker = MultiFaceTracker(scene)
    seen = run(tracker, scene, (1, [0, 1, 2, 3, 4]), (9, [0, 1, 2, 4]))
    assert seen[:7] == ["0A 1B 2C 3D"] + ["0A 1B 2C 3d"] * 6
    assert seen[7:] == ["0A 1B 2C"] + ["0A 1B 2C 3E"] * 2
    assert scene.looks == 2
    run(tracker, scene, (20, [0, 1, 2, 4]))
    assert scene.looks == 2


def test_a_face_that_is_rejected_at_once_is_followed_all_the_same(scene):
    scene.find = lambda image: (FaceBox(0.0, 0.0, 50.0, 50.0),)  # type: ignore[method-assign]
    seen = run(MultiFaceTracker(scene), scene, (7, []))
    assert seen == ["0a"] * 6 + [""]


def test_a_new_video_starts_from_nothing(scene):
    tracker = MultiFaceTracker(scene)
    run(tracker, scene, (3, [0, 1]))
    tracker.reset()
    assert run(tracker, scene, (2, [1])) == ["0B"] * 2


def test_overlap_is_above_a_half_where_intersection_over_union_is_above_a_third():
    square = np.array([[0, 0], [10, 10]], np.float32).repeat(34, axis=0)
    for shift, iou in ((4.9, 51 / 149), (5.0, 1 / 3), (5.1, 49 / 151), (20.0, 0.0)):
        overlap = _overlap(FaceBox(shift, 0.0, 10.0, 10.0), square)
        assert (overlap > 0.5) == (iou > 1 / 3)
    assert _overlap(FaceBox(0.0, 0.0, 10.0, 10.0), square) == np.inf
