"""Faces that are not upright: in which quarter turn they are, and tracking them there.

Detectors and patch experts learnt upright faces. A patient who lies, or a phone that lost its
rotation mark, gives faces on their side or upside down; they are looked for in the turned picture,
and what is found is turned back, so that landmarks, pose and all that follows are in the source's
pixels.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import numpy as np

from pyfaceau.numerics.rotation import turned_euler
from pyfaceau.tracking.tracker import Tracker, choose_face, track
from pyfaceau.types import (
    Camera,
    EyeFit,
    FaceBox,
    Float32,
    Frame,
    FrameResult,
    Gaze,
    HeadPose,
    Selection,
    ShapeFit,
    TrackedFace,
    UInt8,
)

Detect = Callable[[UInt8], tuple[FaceBox, ...]]
"""Finds faces with their five points, best first."""

FIRST_LOOKS = (0, 5, 10, 20, 40)
LOOK_EVERY = 60
"""Frames, without a face so far, at which all four turns are looked at."""

SURE = 0.8
"""Detections below this score do not count."""

CLEAR = 1.0
"""Agreement by which another turn must beat a picture in which a face is seen upright: nearly all
faces are, and in a turned picture the detector often says so of a face that is not."""


def upright_turn(image: UInt8, detect: Detect) -> int | None:
    """Tell by how much a picture is to be turned so that its face is upright.

    The face is looked for in all four turns. In the right one the mouth lies below the eyes, in the
    next ones to the right, above and to the left of them: the turn whose four expectations agree
    best with what was found, weighted by the detector's scores, is the answer. One detection alone
    would not do: detectors find faces that stand on their head too, and often say that they do not.

    Parameters
    ----------
    image : (H, W, 3) uint8
        BGR picture.
    detect : callable
        The detector.

    Returns
    -------
    int or None
        Quarter turns, counter-clockwise, 0 to 3; None where there is no face, or where it is seen
        upright as it is and another turn is likelier but not clearly so.
    """
    angles: list[float] = []
    scores: list[float] = []
    for turn in range(4):
        boxes = detect(np.ascontiguousarray(np.rot90(image, turn)))
        points = boxes[0].points5 if boxes and boxes[0].score >= SURE else None
        down = np.zeros(2) if points is None else points[3:].mean(axis=0) - points[:2].mean(axis=0)
        angles.append(float(np.arctan2(down[0], down[1])))
        scores.append(boxes[0].score if points is not None else 0.0)
    if not any(scores):
        return None
    quarter = np.pi / 2
    agreement = [
        sum(scores[t] * np.cos(angles[t] - quarter * ((t - turn) % 4)) for t in range(4))
        for turn in range(4)
    ]
    best = int(np.argmax(agreement))
    seen_upright = scores[0] > 0 and np.cos(angles[0]) > np.sqrt(0.5)
    if best and seen_upright and agreement[best] - agreement[0] < CLEAR:
        return None
    return best if agreement[best] > 0 else None


LIKEWISE = 0.4
"""Of the widest face's width: another face as wide as this may be the one that is meant."""


def several(boxes: tuple[FaceBox, ...]) -> bool:
    """Tell whether more than one face of a picture may be the one that is meant.

    Parameters
    ----------
    boxes : tuple of FaceBox
        What was detected.

    Returns
    -------
    bool
        Two or more that count are at least `LIKEWISE` as wide as the widest.
    """
    widths = [box.width for box in boxes if box.score >= SURE]
    return sum(width >= LIKEWISE * max(widths) for width in widths) > 1


def with_turns(frames: Iterable[Frame], detect: Detect) -> Iterator[Frame]:
    """Mark frames with the turn in which their face is upright, once one is found.

    Parameters
    ----------
    frames : iterable of Frame
        Frames in order; after a cut the turn is found anew.
    detect : callable
        The detector.

    Yields
    ------
    Frame
        The same with `turn` and the marks ``turned``, if that is not 0, and ``several`` faces.
    """
    turn: int | None = None
    looked_at = 0
    seen: list[tuple[FaceBox, ...]] = []

    def _detect(image: UInt8) -> tuple[FaceBox, ...]:
        """Detect, and remember what was found."""
        seen.append(detect(image))
        return seen[-1]

    for frame in frames:
        if "cut" in frame.marks:
            turn, looked_at = None, 0
        marked = frame
        if turn is None and (looked_at in FIRST_LOOKS or looked_at % LOOK_EVERY == 0):
            seen.clear()
            turn = upright_turn(frame.image, _detect)
            if several(seen[turn or 0]):
                marked = replace(frame, marks=frame.marks | {"several"})
        looked_at += 1
        yield turned_by(marked, turn) if turn else marked


def turned_by(frame: Frame, turn: int) -> Frame:
    """Mark a frame with a turn.

    Parameters
    ----------
    frame : Frame
        The frame.
    turn : int
        Quarter turns, counter-clockwise.

    Returns
    -------
    Frame
        Its picture stays as it is.
    """
    return replace(frame, turn=turn, marks=frame.marks | {"turned"}) if turn else frame


class TurningTracker:
    """A tracker that sees each frame in the turn that it is marked with.

    Its faces are in the pixels of the turned picture, see `upright` and `turned_back`.

    Parameters
    ----------
    inner : Tracker
        Follows the face in upright pictures.
    """

    def __init__(self, inner: Tracker) -> None:
        self.inner = inner
        self._selection = Selection()

    @property
    def selection(self) -> Selection:
        """Whose face is followed."""
        return self._selection

    @selection.setter
    def selection(self, selection: Selection) -> None:
        """Choose whose face is followed.

        Parameters
        ----------
        selection : Selection
            Whose.
        """
        choose_face(self.inner, selection)
        self._selection = selection

    def reset(self) -> None:
        """Forget everything: a new video starts."""
        self.inner.reset()

    def update(self, frame: Frame) -> TrackedFace:
        """Track the face into the next frame.

        Parameters
        ----------
        frame : Frame
            The frame.

        Returns
        -------
        TrackedFace
            In the pixels of the turned picture.
        """
        return self.inner.update(upright(frame))

    def track_ahead(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, TrackedFace]]:
        """Track the face through frames, as the inner tracker does it.

        Parameters
        ----------
        frames : iterable of Frame
            Frames in order.

        Yields
        ------
        frame : Frame
            As it came.
        face : TrackedFace
            As from `update`.
        """
        under_way: deque[Frame] = deque()

        def turned() -> Iterator[Frame]:
            """Yield frames upright; remember them as they came."""
            for frame in frames:
                under_way.append(frame)
                yield upright(frame)

        for _, face in track(self.inner, turned()):
            yield under_way.popleft(), face


def upright(frame: Frame) -> Frame:
    """Turn a frame as it is marked.

    Parameters
    ----------
    frame : Frame
        The frame.

    Returns
    -------
    Frame
        Its pictures turned; itself where there is nothing to turn.
    """
    if not frame.turn:
        return frame
    gray = None if frame.gray is None else np.ascontiguousarray(np.rot90(frame.gray, frame.turn))
    image = np.ascontiguousarray(np.rot90(frame.image, frame.turn))
    return replace(frame, image=image, gray=gray, turn=0)


def turned_camera(camera: Camera, frame: Frame) -> Camera:
    """Turn a camera with its picture.

    Parameters
    ----------
    camera : Camera
        Of the frame as it is.
    frame : Frame
        The frame.

    Returns
    -------
    Camera
        Of the frame turned upright.
    """
    if not frame.turn:
        return camera
    height, width = frame.image.shape[:2]
    cx, cy = camera.cx, camera.cy
    focal = (camera.fx, camera.fy) if frame.turn == 2 else (camera.fy, camera.fx)
    centre = {1: (cy, width - cx), 2: (width - cx, height - cy), 3: (height - cy, cx)}[frame.turn]
    return Camera(*focal, *centre)


def measured_upright(
    frame: Frame, camera: Camera, measure: Callable[[Frame, Camera], FrameResult]
) -> FrameResult:
    """Measure a frame in the turn that it is marked with; answer in its own pixels.

    Parameters
    ----------
    frame : Frame
        The frame.
    camera : Camera
        Its camera.
    measure : callable
        Measures the frame turned upright, with the camera turned likewise.

    Returns
    -------
    FrameResult
        In the frame's own pixels.
    """
    if not frame.turn:
        return measure(frame, camera)
    return turned_back(measure(upright(frame), turned_camera(camera, frame)), frame)


def turned_back(result: FrameResult, frame: Frame) -> FrameResult:
    """Bring what was measured in the turned picture into the frame's own pixels.

    Parameters
    ----------
    result : FrameResult
        Of the frame turned upright.
    frame : Frame
        The frame.

    Returns
    -------
    FrameResult
        Points, shapes, pose and gaze turned back; what was not found (zeros) stays so.
    """
    face = result.face
    result = replace(result, turn=frame.turn)
    if not frame.turn or not face.landmarks.any():
        return result
    height, width = frame.image.shape[:2]
    back = _Back(frame.turn, width, height)
    gaze, eyes_3d = result.gaze, result.eyes_3d
    if gaze is not None:
        x, y, z = back.space(gaze.vectors).mean(axis=0)
        angles = np.arctan2([x, y], -z) if gaze.vectors.any() else gaze.angles
        gaze = Gaze(back.space(gaze.vectors), angles.astype(np.float32))
    return replace(
        result,
        face=back.face(face),
        landmarks_3d=back.space(result.landmarks_3d),
        pose=HeadPose(
            back.space(result.pose.translation[None])[0], back.angles(result.pose.rotation)
        ),
        gaze=gaze,
        eyes_3d=None if eyes_3d is None else back.space(eyes_3d),
    )


class _Back:
    """The way from a turned picture to the picture as it is, of so many pixels."""

    def __init__(self, turn: int, width: int, height: int) -> None:
        self._turn, self._far, self._low = turn, np.float32(width - 1), np.float32(height - 1)
        cosine, sine = ((0, 1), (-1, 0), (0, -1))[turn - 1]
        self._matrix = np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]], np.float32)

    def points(self, points: Float32) -> Float32:
        x, y = points[:, 0], points[:, 1]
        turned = {1: (self._far - y, x), 2: (self._far - x, self._low - y), 3: (y, self._low - x)}
        return np.stack(turned[self._turn], axis=1).astype(np.float32)

    def space(self, points: Float32) -> Float32:
        return np.asarray(points @ self._matrix.T, np.float32)

    def angles(self, angles: Float32) -> Float32:
        return turned_euler(angles, -self._turn)

    def shape(self, shape: ShapeFit) -> ShapeFit:
        scale, *rest = shape.params_global
        angles = self.angles(np.array(rest[:3], np.float32))
        place = self.points(np.array([rest[3:]], np.float32))[0]
        return replace(shape, params_global=np.array([scale, *angles, *place], np.float32))

    def face(self, face: TrackedFace) -> TrackedFace:
        eyes = face.eyes
        if eyes is not None:
            left, right = (EyeFit(self.points(e.points), self.shape(e.shape)) for e in eyes)
            eyes = left, right
        landmarks, mesh, seen = self.points(face.landmarks), face.mesh, face.network_points
        if mesh is not None:
            points = np.column_stack([self.points(mesh.points), mesh.points[:, 2]])
            mesh = replace(mesh, points=points)
        return replace(
            face,
            landmarks=landmarks,
            shape=self.shape(face.shape),
            eyes=eyes,
            mesh=mesh,
            network_points=None if seen is None else self.points(seen),
        )
