"""A source of pictures and a pipeline that take as long as a test wants."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from pyfaceau.config import Config
from pyfaceau.errors import VideoError
from pyfaceau.live.calibration import LiveUnits
from pyfaceau.live.engine import LiveEngine
from pyfaceau.live.source import Captured
from pyfaceau.prediction.models import AUModels
from pyfaceau.types import AUPrediction, FaceFeatures, FrameResult, SplitFace
from tests.output.results import face, frame


def models(cutoff: float = 0.2) -> AUModels:
    """Return models that score a face by its first HOG value and its geometry's sum."""
    weights = np.zeros((4702, 35))
    weights[0] = np.arange(1, 36)
    return AUModels(
        weights,
        np.linspace(-1, 1, 35),
        np.ones(35, bool),
        np.full(17, cutoff),
        np.tile([1.0, 0.0], (18, 1)),
    )


STAMP = 1 / 30
"""Seconds between the time stamps of two pictures."""


class Pictures:
    """Pictures as fast as they are measured, or (rushed) at once, however long that takes.

    At the end the camera is pulled out, if so told.
    """

    name = "pictures"

    def __init__(self, count: int, pipeline: Pipeline, rushed: bool, vanishes: bool) -> None:
        self.first = frame().image
        self._count, self._pipeline = count, pipeline
        self._rushed, self._vanishes = rushed, vanishes

    def frames(self) -> Iterator[Captured]:
        for index in range(self._count):
            yield Captured(self.first, index, index * STAMP, time.monotonic())
            while not self._rushed and self._pipeline.seen <= index and not self.left:
                time.sleep(0.0005)
        if self._vanishes:
            raise VideoError("camera 0: gives no more pictures after 5; was it unplugged?")

    def __enter__(self):
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing is open."""

    left = False
    """Nobody measures any more."""


class Pipeline:
    """Finds a face in every picture but each third, and sleeps over it.

    Where faces are split, the left half has 3 more of everything, and the first face has no halves.
    """

    def __init__(self, work: float = 0.0, landmarks: str = "pfld", split: bool = False) -> None:
        self.config = replace(Config(), landmarks=landmarks, split_face=split)
        self.work, self.seen, self.calibrations = work, 0, []

    def reset(self) -> None:
        self.seen = 0

    def calibrate(self, calibration: object, *sides: object) -> None:
        self.calibrations.append((calibration, sides))

    def process_frame(self, image: np.ndarray, timestamp: float) -> FrameResult:
        time.sleep(self.work)
        index = self.seen
        self.seen += 1
        units = AUPrediction(np.arange(17) / 4.0 + index, np.ones(18))
        if index % 3 == 2:
            nothing = face(index, success=False, seen=False)
            zeros = AUPrediction(np.zeros(17), np.zeros(18))
            missing = replace(nothing.face, reason="no face detected")
            return replace(nothing, face=missing, action_units=zeros)
        return replace(face(index), action_units=units, split=self._split(index))

    def _split(self, index: int) -> SplitFace | None:
        if not self.config.split_face:
            return None
        if index == 0:
            return SplitFace(None, None, 0.8)
        half = FaceFeatures(np.full(4464, 0.1, np.float32), np.zeros(238))
        units = (AUPrediction(np.full(17, raw + index), np.ones(18)) for raw in (3.0, 0.0))
        return SplitFace(half, half, 0.1, tuple(units))


def engine(
    count: int = 6,
    *,
    work: float = 0.0,
    rushed: bool = False,
    window: bool = False,
    vanishes: bool = False,
    landmarks: str = "pfld",
    split: bool = False,
) -> LiveEngine:
    """Return a session of doubles, not started."""
    pipeline = Pipeline(work, landmarks, split)
    source = Pictures(count, pipeline, rushed, vanishes)
    # without zero levels halves are as they come, so that they can be told apart
    sides = (LiveUnits(models(-1.0)), LiveUnits(models(-1.0))) if split else None
    session = LiveEngine(pipeline, LiveUnits(models()), source, window, sides)
    session.listen(End(source))
    return session


class End:
    """A listener that tells the source when the session is over."""

    def __init__(self, source: Pictures) -> None:
        self._source = source

    def put(self, value: object) -> None: ...

    def close(self) -> None:
        self._source.left = True


def run(session: LiveEngine) -> None:
    """Take a session to its end."""
    session.start()
    session.join()
