"""Results made by hand, for tests of what is written."""

from __future__ import annotations

import numpy as np

from pyfaceau.types import (
    AlignedFace,
    EyeFit,
    FaceFeatures,
    Frame,
    FrameResult,
    Gaze,
    HeadPose,
    ShapeFit,
    TrackedFace,
)

F32 = np.float32
SIZE = (160, 120)
"""Width and height of the picture that the face is in."""


def frame(index: int = 0) -> Frame:
    """Return a gray picture."""
    return Frame(np.full((SIZE[1], SIZE[0], 3), 90, np.uint8), index, index / 25)


def face(
    index: int = 0,
    *,
    success: bool = True,
    confidence: float = 0.975,
    seen: bool = True,
    face_id: int = 0,
) -> FrameResult:
    """Return a face in the picture's middle, 800 mm away, that looks along (0.6, 0, -0.8).

    Without `seen` it is what a video has in a frame without face.
    """
    x, y = np.meshgrid(np.arange(17), np.arange(4))
    points = np.stack([60 + 2.5 * x, 45 + 10 * y], -1).reshape(68, 2).astype(F32)
    eyes = tuple(
        EyeFit(np.full((28, 2), (middle, 50), F32), ShapeFit(np.ones(6, F32), np.zeros(10, F32)))
        for middle in (70, 90)
    )
    shape = ShapeFit(np.array([0.3, 0, 0, 0, 80, 60], F32), np.zeros(34, F32))
    result = FrameResult(
        index=index,
        timestamp=index / 25,
        face=TrackedFace(success, success, confidence, points, shape, (eyes[0], eyes[1])),
        landmarks_3d=np.zeros((68, 3), F32),
        pose=HeadPose(np.array([0, 0, 800], F32), np.zeros(3, F32)),
        gaze=Gaze(np.array([[0.6, 0, -0.8]] * 2, F32), np.zeros(2, F32)),
        eyes_3d=np.repeat(np.array([[-32, -20, 800], [32, -20, 800]], F32), 28, axis=0),
        face_id=face_id,
    )
    if not seen:
        return result
    rng = np.random.default_rng(index)
    aligned = AlignedFace(rng.integers(0, 256, (112, 112, 3), np.uint8), np.eye(2, 3, dtype=F32))
    features = FaceFeatures(rng.random(4464, F32), np.zeros(238))
    return FrameResult(**{**result.__dict__, "aligned": aligned, "features": features})
