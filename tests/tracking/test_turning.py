"""Faces that lie or stand on their head: found, measured, reported in the source's pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pyfaceau.media.picture import read_picture
from pyfaceau.media.video import VideoReader
from pyfaceau.pipeline.multi import MultiFacePipeline
from pyfaceau.pipeline.stills import PicturePipeline
from pyfaceau.pipeline.video import FullPythonAUPipeline
from pyfaceau.tracking.turning import (
    several,
    turned_back,
    turned_by,
    turned_camera,
    upright,
    upright_turn,
    with_turns,
)
from pyfaceau.types import (
    Camera,
    FaceBox,
    Frame,
    FrameResult,
    HeadPose,
    ShapeFit,
    TrackedFace,
    UInt8,
)

COUNT = 12


def at_angle(degrees: float, score: float = 0.99) -> FaceBox:
    """Return a face whose mouth lies in a direction from the eyes: 0 below, 90 to the right."""
    down = np.array([np.sin(np.radians(degrees)), np.cos(np.radians(degrees))])
    points = np.array([[50, 50], [50, 50], [50, 50], 50 + 20 * down, 50 + 20 * down], np.float32)
    return FaceBox(0, 0, 100, 100, score, points)


class Scripted:
    """A detector that answers each of four looks by a script."""

    def __init__(self, *answers: FaceBox | None) -> None:
        self.answers, self.asked = answers, 0

    def __call__(self, image: UInt8) -> tuple[FaceBox, ...]:
        found = self.answers[self.asked % 4]
        self.asked += 1
        return () if found is None else (found,)


PICTURE = np.zeros((40, 60, 3), np.uint8)


@pytest.mark.parametrize("turn", range(4))
def test_the_turn_in_which_all_four_looks_agree(turn: int) -> None:
    expected = (0, 90, 180, -90)
    answers = [at_angle(expected[(look - turn) % 4]) for look in range(4)]
    assert upright_turn(PICTURE, Scripted(*answers)) == turn


def test_a_face_on_its_head_that_claims_to_be_upright_does_not_win() -> None:
    answers = (at_angle(5, 0.95), at_angle(-88), at_angle(2), at_angle(86))
    assert upright_turn(PICTURE, Scripted(*answers)) == 2


def test_a_face_seen_upright_is_not_turned_by_a_little_doubt() -> None:
    # As measured in a video of an upright face: turned by 90 degrees, the network says the same.
    doubtful = Scripted(at_angle(1, 1.0), at_angle(-67), at_angle(6, 0.97), at_angle(-89))
    assert upright_turn(PICTURE, doubtful) is None
    frames = list(with_turns((Frame(PICTURE, k, 0.0) for k in range(3)), doubtful))
    assert [frame.turn for frame in frames] == [0, 0, 0]
    assert upright_turn(PICTURE, Scripted(None, at_angle(0), None, None)) == 1


def test_several_faces_are_marked_where_they_are_looked_at() -> None:
    def detect(image: UInt8) -> tuple[FaceBox, ...]:
        wide = at_angle(0)
        return (wide, FaceBox(0, 0, 45, 45, 0.9, wide.points5))

    found = list(with_turns((Frame(PICTURE, k, 0.0) for k in range(2)), detect))
    assert [sorted(frame.marks) for frame in found] == [["several"], []]
    wide = at_angle(0)
    assert not several(())
    assert not several((wide, FaceBox(0, 0, 39, 39, 0.9, wide.points5)))
    assert not several((wide, FaceBox(0, 0, 90, 90, 0.7, wide.points5)))


def test_the_command_says_that_others_are_in_view(
    shared: Path, weights_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    video = shared / "samples" / "video"
    pipeline = FullPythonAUPipeline()
    pipeline.process_video(video / "multi_face.avi", max_frames=2)
    assert "more than one face is in view" in caplog.text
    caplog.clear()
    pipeline.process_video(video / "single_face.mp4", max_frames=2)
    assert "more than one face" not in caplog.text


def test_no_face_has_no_turn() -> None:
    assert upright_turn(PICTURE, Scripted(None, None, None, None)) is None
    weak = Scripted(*(at_angle(0, 0.5) for _ in range(4)))
    assert upright_turn(PICTURE, weak) is None


def test_frames_are_looked_at_until_a_face_is_found_and_again_after_a_cut() -> None:
    upside_down = Scripted(at_angle(180), at_angle(-90), at_angle(0), at_angle(90))
    frames = [Frame(PICTURE, k, 0.0, marks=frozenset({"cut"} if k == 5 else ())) for k in range(8)]
    found = list(with_turns(frames, upside_down))
    assert [frame.turn for frame in found] == [2] * 8
    assert all("turned" in frame.marks for frame in found)
    assert upside_down.asked == 8  # four looks at the first frame, four after the cut
    nobody = Scripted(None, None, None, None)
    assert [f.turn for f in with_turns((Frame(PICTURE, k, 0.0) for k in range(61)), nobody)] == [
        0
    ] * 61
    assert nobody.asked == 4 * 6  # frames 0, 5, 10, 20, 40, 60


def test_a_camera_turned_four_times_is_itself() -> None:
    camera, frame = Camera(500.0, 510.0, 20.0, 15.0), Frame(PICTURE, 0, 0.0)
    for _ in range(4):
        marked = turned_by(frame, 1)
        camera, frame = turned_camera(camera, marked), upright(marked)
    assert (camera.fx, camera.fy, camera.cx, camera.cy) == (500.0, 510.0, 20.0, 15.0)
    np.testing.assert_array_equal(frame.image, PICTURE)


@pytest.fixture(scope="module")
def straight(shared: Path, weights_dir: Path) -> list[FrameResult]:
    return follow(shared, 0)


def follow(
    shared: Path, turn: int, name: str = "single_face.mp4", several: bool = False
) -> list[FrameResult]:
    """Measure a video whose pictures are turned clockwise, as a live source gives them."""

    class Turned:
        path, fps, frame_count = Path("turned"), 30.0, COUNT

        def __init__(self) -> None:
            with VideoReader(shared / "samples/video" / name) as video:
                kept = [next(frames).image for frames in [iter(video)] for _ in range(COUNT)]
            self.images = [np.ascontiguousarray(np.rot90(image, -turn)) for image in kept]
            self.height, self.width = self.images[0].shape[:2]

        def __iter__(self):
            return (Frame(image, k, k / 30) for k, image in enumerate(self.images))

    pipeline = MultiFacePipeline() if several else FullPythonAUPipeline()
    return list(pipeline.results(Turned()))


@pytest.mark.parametrize("turn", [1, 2, 3])
def test_a_turned_video_has_the_same_action_units_and_turned_points(
    shared: Path, straight: list[FrameResult], turn: int
) -> None:
    height, width = 360, 640
    for one, other in zip(straight, follow(shared, turn), strict=True):
        assert other.face.success
        assert one.action_units is not None
        assert other.action_units is not None
        np.testing.assert_array_equal(other.action_units.intensities, one.action_units.intensities)
        x, y = one.face.landmarks.T
        expected = {
            1: (height - 1 - y, x),
            2: (width - 1 - x, height - 1 - y),
            3: (y, width - 1 - x),
        }
        np.testing.assert_allclose(other.face.landmarks.T, expected[turn], atol=1e-3)
        roll = {1: np.pi / 2, 2: np.pi, 3: -np.pi / 2}[turn]
        turned = (other.pose.rotation[2] - one.pose.rotation[2] - roll + np.pi) % (
            2 * np.pi
        ) - np.pi
        assert abs(turned) < 0.15


def test_several_faces_are_turned_together(shared: Path, weights_dir: Path) -> None:
    upright_faces, lying = (follow(shared, turn, "multi_face.avi", True) for turn in (0, 1))
    assert len(lying) == len(upright_faces) > COUNT
    assert "turned" not in upright_faces[0].marks
    with VideoReader(shared / "samples/video/multi_face.avi") as video:
        far = video.height - 1
    for one, other in zip(upright_faces, lying, strict=True):
        assert (other.index, other.face_id) == (one.index, one.face_id)
        assert "turned" in other.marks
        x, y = one.face.landmarks.T
        np.testing.assert_allclose(other.face.landmarks.T, (far - y, x), atol=1e-3)
        assert one.action_units is not None
        assert other.action_units is not None
        np.testing.assert_array_equal(other.action_units.intensities, one.action_units.intensities)


@pytest.mark.parametrize("turn", [1, 2, 3])
def test_a_turned_picture_too(shared: Path, weights_dir: Path, turn: int) -> None:
    picture = read_picture(shared / "samples/image/sample1.jpg")
    pipeline = PicturePipeline()
    one = pipeline.faces(picture)[0]
    other = pipeline.faces(np.ascontiguousarray(np.rot90(picture, -turn)))[0]
    assert one.action_units is not None
    assert other.action_units is not None
    np.testing.assert_allclose(
        other.action_units.intensities, one.action_units.intensities, atol=1e-4
    )
    assert other.face.confidence == one.face.confidence


@pytest.mark.parametrize("turn", [1, 2, 3])
def test_what_a_network_saw_is_turned_back_with_the_landmarks(turn: int) -> None:
    points = np.random.default_rng(turn).uniform(10, 60, (68, 2)).astype(np.float32)
    shape = ShapeFit(np.array([1, 0, 0, 0, 30, 30], np.float32), np.zeros(34, np.float32), 0.25)
    face = TrackedFace(True, True, 0.9, points, shape, network_points=points + 1)
    pose = HeadPose(np.zeros(3, np.float32), np.zeros(3, np.float32))
    frame = Frame(np.zeros((70, 80, 3), np.uint8), 0, 0.0, turn=turn)
    back = turned_back(FrameResult(0, 0.0, face, np.zeros((68, 3), np.float32), pose), frame).face
    assert back.shape.likelihood == 0.25
    assert back.network_points is not None
    apart = back.network_points - back.landmarks
    expected = {1: (-1, 1), 2: (-1, -1), 3: (1, -1)}[turn]
    np.testing.assert_allclose(apart, np.broadcast_to(expected, (68, 2)), atol=1e-4)
