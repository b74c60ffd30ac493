"""OpenFace's tracker: its states with scripted stages, its output of whole videos, odd frames."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyfaceau.detection.mtcnn import MTCNN
from pyfaceau.media.video import VideoReader
from pyfaceau.refinement.face_model import FaceModel, blank_shape
from pyfaceau.refinement.fits import FaceFit
from pyfaceau.tracking.openface import OpenFaceTracker
from pyfaceau.types import EyeFit, FaceBox, Frame, ShapeFit, TrackedFace

Parts = tuple[tuple[ShapeFit, np.ndarray], ...]

POOR, GOOD = 0.35, 0.95
PRINTED = 5.1e-8
"""Half a unit of the seventh decimal, to which the reference was printed."""


@dataclass
class World:
    """A detector and a landmark model that do as they are told; all fits bear a number.

    Attributes
    ----------
    holds : bool
        Whether a fit from the frame before succeeds.
    shown : float or None
        Confidence that a detected face is fitted with; None where none is detected.
    """

    holds: bool = True
    shown: float | None = GOOD
    looks: int = 0
    fits: int = 0
    starts: list[tuple[float, bool]] = field(default_factory=list)
    boxes: list[FaceBox] = field(default_factory=list)
    main: SimpleNamespace = field(
        default_factory=lambda: SimpleNamespace(pdm=SimpleNamespace(n_modes=34))
    )

    def faces(self, image: np.ndarray) -> tuple[FaceBox, ...]:
        """Detect, and count it."""
        self.looks += 1
        if self.shown is None:
            return ()
        return (FaceBox(0, 0, 9, 9), FaceBox(1, 0, 20, 9), FaceBox(2, 0, 20, 30))

    def fit(self, gray: np.ndarray, start: ShapeFit, *, tracked: bool) -> FaceFit:
        """Follow, and note where from."""
        self.starts.append((float(start.params_global[4]), tracked))
        return self._fitted(GOOD if self.holds else POOR)

    def fit_box(self, gray: np.ndarray, box: FaceBox) -> FaceFit:
        """Fit a detected face, and note which."""
        self.boxes.append(box)
        return self._fitted(self.shown or 0.0)

    def empty_parts(self) -> Parts:
        return ((blank_shape(10), np.zeros((28, 2), np.float32)),) * 2

    def eyes(self, parts: Parts) -> tuple[EyeFit, EyeFit]:
        left, right = (EyeFit(points, shape) for shape, points in parts)
        return left, right

    def _fitted(self, confidence: float) -> FaceFit:
        self.fits += 1
        shape = ShapeFit(np.array([1, 0, 0, 0, self.fits, 0], np.float32), np.zeros(34, "f4"))
        eye = (blank_shape(10), np.full((28, 2), self.fits, np.float32))
        ok = confidence > 0.725
        return FaceFit(
            shape=shape, landmarks=np.full((68, 2), self.fits, np.float32), parts=(eye, eye),
            likelihood=0.0, confidence=confidence, ok=ok, view=0, iterations=1, converged=True,
            final_update=0.0, accepted=ok,
        )  # fmt: skip


def frame(index: int = 0) -> Frame:
    return Frame(np.zeros((4, 6, 3), np.uint8), index, index / 30)


def follow(tracker: OpenFaceTracker, count: int) -> list[TrackedFace]:
    return [tracker.update(frame(i)) for i in range(count)]


def looked(world: World, tracker: OpenFaceTracker, count: int) -> list[int]:
    """Return which of the next frames, from 1, the detector was asked about."""
    asked = []
    for i in range(1, count + 1):
        before = world.looks
        tracker.update(frame(i))
        if world.looks > before:
            asked.append(i)
    return asked


def number(face: TrackedFace) -> tuple[float, float, float]:
    """Return the numbers of the fits that a row's shape, landmarks and eyes come from."""
    assert face.eyes is not None
    return (
        float(face.shape.params_global[4]),
        float(face.landmarks[0, 0]),
        float(face.eyes[0].points[0, 0]),
    )


def machine_twin(script: list[tuple[bool, float | None]]) -> list[tuple[bool, bool, bool]]:
    """Return success, ok and whether the detector was asked, of every frame of a script."""
    tracking = ok = False
    fails, rows = -1, []
    for holds, shown in script:
        first = not tracking
        if tracking:
            ok = holds
            fails = -1 if ok else fails + 1
        ask = (first and (fails + 1) % 12 == 0) or (not first and not ok and fails % 2 == 0)
        if ask and shown is not None:
            tracking, ok = True, shown > 0.725
            if first or ok:
                fails = -1
            rows.append((first or ok, ok, ask))
            continue
        if not tracking:
            fails += 1
        tracking = tracking and fails <= 100
        rows.append((ok, ok, ask))
    return rows


def test_a_first_face_is_looked_for_every_twelfth_frame() -> None:
    world = World(shown=None)
    tracker = OpenFaceTracker(world, world)
    assert looked(world, tracker, 40) == [1, 13, 25, 37]
    face = tracker.update(frame())
    assert (face.success, face.ok, face.confidence) == (False, False, 0)
    assert face.reason == "no face found"
    assert not face.landmarks.any()
    assert face.shape.params_global.tolist() == [1, 0, 0, 0, 0, 0]
    assert number(face) == (0, 0, 0)
    world.shown = GOOD
    assert looked(world, tracker, 40) == [8]
    assert world.starts[0] == (1, True)


def test_the_widest_face_is_taken_the_first_of_equals() -> None:
    world = World()
    tracker = OpenFaceTracker(world, world)
    tracker.update(frame())
    assert [(box.x, box.width) for box in world.boxes] == [(1, 20)]


def test_a_followed_face_needs_no_detector() -> None:
    world = World()
    faces = follow(OpenFaceTracker(world, world), 30)
    assert world.looks == 1
    assert all(face.success and face.ok and face.confidence == GOOD for face in faces)
    assert [number(face) for face in faces] == [(n, n, n) for n in range(1, 31)]
    assert world.starts == [(n, True) for n in range(1, 30)]


def test_what_is_found_first_counts_whatever_it_is() -> None:
    world = World(shown=POOR, holds=False)
    tracker = OpenFaceTracker(world, world)
    first = tracker.update(frame())
    assert (first.success, first.ok, first.confidence, first.reason) == (True, False, POOR, "")
    second = tracker.update(frame(1))
    assert world.starts == [(1, False)]  # the wide windows of a face that is not followed
    assert not second.success
    assert second.reason == "track rejected"


def test_a_lost_face_is_looked_for_every_second_frame() -> None:
    world = World()
    tracker = OpenFaceTracker(world, world)
    follow(tracker, 3)
    world.holds, world.shown = False, None
    assert looked(world, tracker, 8) == [1, 3, 5, 7]
    face = tracker.update(frame())
    assert not face.success
    assert (face.confidence, face.reason) == (POOR, "track rejected")
    assert number(face) == (world.fits,) * 3  # as it was fitted, poor as it is
    world.holds = True
    assert tracker.update(frame()).success


def test_a_rejected_find_leaves_the_lost_track_where_it_was() -> None:
    world = World()
    tracker = OpenFaceTracker(world, world)
    follow(tracker, 3)
    world.holds, world.shown = False, 0.5
    face = tracker.update(frame())
    assert (face.success, face.ok, face.confidence) == (False, False, 0.5)
    assert number(face) == (4, 4, 5)  # the eyes are those of the find
    tracker.update(frame())
    assert world.starts[-1] == (4, False)


def test_an_accepted_find_goes_on() -> None:
    world = World()
    tracker = OpenFaceTracker(world, world)
    follow(tracker, 3)
    world.holds = False
    face = tracker.update(frame())
    assert (face.success, face.confidence) == (True, GOOD)
    assert number(face) == (5, 5, 5)
    world.holds = True
    assert tracker.update(frame()).success
    assert world.starts[-1] == (5, True)
    assert world.looks == 2


def test_after_a_hundred_failures_the_search_starts_afresh() -> None:
    world = World()
    tracker = OpenFaceTracker(world, world)
    follow(tracker, 1)
    world.holds, world.shown = False, None
    assert looked(world, tracker, 102) == list(range(1, 102, 2))
    fits = world.fits
    # 102 failures: twelfths of a count that goes on, so the next are at 108 and 120
    assert looked(world, tracker, 20) == [7, 19]
    assert world.fits == fits
    face = tracker.update(frame())
    assert face.reason == "no face found"
    world.shown = POOR
    faces = follow(tracker, 12)
    assert [face.success for face in faces].index(True) == 9  # a first face again
    assert faces[9].confidence == POOR


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(st.integers(1, 60), st.booleans(), st.sampled_from([None, None, POOR, GOOD])),
        min_size=1,
        max_size=8,
    )
)
def test_states_equal_their_twin(scenes: list[tuple[int, bool, float | None]]) -> None:
    script = [(holds, shown) for count, holds, shown in scenes for _ in range(count)]
    world = World()
    tracker = OpenFaceTracker(world, world)
    rows = []
    for world.holds, world.shown in script:
        before = world.looks
        face = tracker.update(frame())
        rows.append((face.success, face.ok, world.looks > before))
        assert bool(face.reason) is not face.success
    assert rows == machine_twin(script)


def test_reset_forgets_everything() -> None:
    world = World()
    tracker = OpenFaceTracker(world, world)
    follow(tracker, 3)
    world.holds, world.shown = False, None
    follow(tracker, 40)
    tracker.reset()
    fresh = World(shown=None)
    again, anew = (looked(w, t, 15) for w, t in (
        (world, tracker), (fresh, OpenFaceTracker(fresh, fresh))))  # fmt: skip
    assert again == anew == [1, 13]
    assert number(tracker.update(frame())) == (0, 0, 0)


@pytest.fixture(scope="module")
def openface(weights_dir: Path) -> OpenFaceTracker:
    return OpenFaceTracker(FaceModel.load(), MTCNN())


def columns(table: pd.DataFrame, *stems: str, count: int) -> np.ndarray:
    """Return columns such as x_0, x_1, ..., y_0, ... as float64."""
    return table[[f"{stem}{i}" for stem in stems for i in range(count)]].to_numpy(np.float64)


@pytest.mark.parametrize(
    ("name", "frames"),
    [
        ("single_face.mp4", math.inf),
        ("face_noface.mov", math.inf),
        ("noface_face.mov", 104),
        ("changeLighting.wmv", 60),
    ],
)
def test_videos_of_the_reference(
    openface: OpenFaceTracker, shared: Path, name: str, frames: float
) -> None:
    path = shared / "samples/video" / name
    table = pd.read_csv(shared / "reference/precise" / f"{path.stem}.csv.gz", skipinitialspace=True)
    points = columns(table, "x_", "y_", count=68)
    eyes = columns(table, "eye_lmk_x_", "eye_lmk_y_", count=56)
    rigid = table[[f"p_{c}" for c in ("scale", "rx", "ry", "rz", "tx", "ty")]].to_numpy()
    local = columns(table, "p_", count=34)
    openface.reset()
    with VideoReader(path) as video:
        for picture in video:
            i = picture.index
            if i >= min(frames, len(table)):
                break
            face = openface.update(picture)
            told = (face.success, f"{face.confidence:.2f}")
            assert told == (bool(table["success"][i]), f"{table['confidence'][i]:.2f}"), i
            assert face.eyes is not None
            fitted = [
                (face.landmarks.T.ravel(), points[i]),
                (np.concatenate([eye.points for eye in face.eyes]).T.ravel(), eyes[i]),
                (face.shape.params_global, rigid[i]),
                (face.shape.params_local, local[i]),
            ]
            for got, expected in fitted:
                np.testing.assert_allclose(
                    got.astype(np.float64), expected, rtol=0, atol=PRINTED, err_msg=f"frame {i + 1}"
                )
    assert i + 1 >= min(frames, len(table) - 1)


def test_states_of_the_reference(openface: OpenFaceTracker, shared: Path) -> None:
    with np.load(shared / "reference/stages/single_face/stages.npz") as golden:
        states, lefts = golden["f_state"], golden["f_part1_g"]
    openface.reset()
    with VideoReader(shared / "samples/video/single_face.mp4") as video:
        for picture, state, left in zip(video, states[:12], lefts, strict=False):
            face = openface.update(picture)
            assert (face.success, face.ok, face.confidence) == (state[0], state[1], state[4])
            assert face.eyes is not None
            np.testing.assert_array_equal(face.eyes[0].shape.params_global, left)


def test_frames_of_any_size(openface: OpenFaceTracker, shared: Path) -> None:
    openface.reset()
    with VideoReader(shared / "samples/video/single_face.mp4") as video:
        assert openface.update(next(iter(video))).success
    for index, shape in enumerate([(1, 1, 3), (50, 2, 3), (360, 640, 3)]):
        face = openface.update(Frame(np.zeros(shape, np.uint8), index, 0.0))
        assert not face.success
        assert np.isfinite(face.landmarks).all()
        assert face.reason
