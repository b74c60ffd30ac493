"""A face as it is found, fitted and followed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pyfaceau.errors import InputError, check_array
from pyfaceau.types.arrays import Float32, store


@dataclass(frozen=True, eq=False)
class FaceBox:
    """A detected face.

    Attributes
    ----------
    x, y, width, height : float
        Top left corner and size, pixels; may reach outside the picture.
    score : float
        Detector's probability, 0 to 1.
    points5 : (5, 2) float32 or None
        Eye on the image's left, eye on its right, nose, mouth corners left and right, pixels.
    """

    x: float
    y: float
    width: float
    height: float
    score: float = 1.0
    points5: Float32 | None = None

    def __post_init__(self) -> None:
        box = np.array([self.x, self.y, self.width, self.height, self.score], dtype=np.float64)
        if not np.isfinite(box).all() or self.width <= 0 or self.height <= 0:
            raise InputError(
                "box: expected finite x, y and positive width, height, "
                f"got ({self.x}, {self.y}, {self.width}, {self.height})"
            )
        if self.points5 is not None:
            store(self, "points5", check_array("points5", self.points5, (5, 2), np.float32))


@dataclass(frozen=True, eq=False)
class Landmarks68:
    """68 landmarks of a face, iBUG order.

    Attributes
    ----------
    points : (68, 2) float32
        x, y in pixels.
    confidence : float
        0 to 1; what it measures is said by the stage that made it.
    """

    points: Float32
    confidence: float = 1.0

    def __post_init__(self) -> None:
        store(self, "points", check_array("points", self.points, (68, 2), np.float32))


@dataclass(frozen=True, eq=False)
class ShapeFit:
    """Parameters of a point distribution model (PDM) fitted to landmarks.

    Attributes
    ----------
    params_global : (6,) float32
        scale (pixels per mm), rotation x, y, z (radians, R = Rx Ry Rz), translation x, y (pixels).
    params_local : (m,) float32
        Non-rigid parameters, mm along unit basis vectors; m = 34 for the 68-point model, 0 for a
        rigid face.
    likelihood : float
        Mean log likelihood of the landmarks by the patch experts that fitted them to a picture, at
        the last scale; NaN where none did, or nobody asked.
    """

    params_global: Float32
    params_local: Float32
    likelihood: float = float("nan")

    def __post_init__(self) -> None:
        for name, shape in (("params_global", (6,)), ("params_local", (None,))):
            store(self, name, check_array(name, getattr(self, name), shape, np.float32))


@dataclass(frozen=True, eq=False)
class EyeFit:
    """One eye's 28-point model.

    Attributes
    ----------
    points : (28, 2) float32
        Pixels: 0-7 iris, 8-19 eyelid, 20-27 pupil contour.
    shape : ShapeFit
        The eye model's own parameters (m = 10).
    """

    points: Float32
    shape: ShapeFit

    def __post_init__(self) -> None:
        store(self, "points", check_array("points", self.points, (28, 2), np.float32))


MESH_POINTS = 478
"""Points of a `FaceMesh`."""

BLENDSHAPES = tuple(
    """
    _neutral browDownLeft browDownRight browInnerUp browOuterUpLeft browOuterUpRight cheekPuff
    cheekSquintLeft cheekSquintRight eyeBlinkLeft eyeBlinkRight eyeLookDownLeft eyeLookDownRight
    eyeLookInLeft eyeLookInRight eyeLookOutLeft eyeLookOutRight eyeLookUpLeft eyeLookUpRight
    eyeSquintLeft eyeSquintRight eyeWideLeft eyeWideRight jawForward jawLeft jawOpen jawRight
    mouthClose mouthDimpleLeft mouthDimpleRight mouthFrownLeft mouthFrownRight mouthFunnel mouthLeft
    mouthLowerDownLeft mouthLowerDownRight mouthPressLeft mouthPressRight mouthPucker mouthRight
    mouthRollLower mouthRollUpper mouthShrugLower mouthShrugUpper mouthSmileLeft mouthSmileRight
    mouthStretchLeft mouthStretchRight mouthUpperUpLeft mouthUpperUpRight noseSneerLeft
    noseSneerRight
    """.split()
)
"""The coefficients of a `FaceMesh`, in order; left and right are the patient's own."""


@dataclass(frozen=True, eq=False)
class FaceMesh:
    """A face as MediaPipe's Face Landmarker sees it.

    Attributes
    ----------
    points : (478, 3) float32
        x, y in pixels; z, smaller nearer to the camera, in pixels too. 0-467 lie on the face, 468
        and 473 are the irises' centres.
    blendshapes : (52,) float32
        0 to 1, in the order of `BLENDSHAPES`.
    """

    points: Float32
    blendshapes: Float32

    def __post_init__(self) -> None:
        store(self, "points", check_array("points", self.points, (MESH_POINTS, 3), np.float32))
        shape = (len(BLENDSHAPES),)
        store(self, "blendshapes", check_array("blendshapes", self.blendshapes, shape, np.float32))


@dataclass(frozen=True, eq=False)
class TrackedFace:
    """What a tracker says of one frame.

    Attributes
    ----------
    success : bool
        OpenFace's column ``success``: the frame has a face that the tracker stands behind.
    ok : bool
        The fit itself was accepted; the action-unit stage runs on these frames only. In OpenFace
        the two differ on the first frame after a detection.
    confidence : float
        Column ``confidence``, 0 to 1.
    landmarks : (68, 2) float32
        Pixels; zeros before the first face, as OpenFace writes.
    shape : ShapeFit
        The 68-point model's parameters that the row reports.
    eyes : tuple of EyeFit, or None
        The eye on the image's left, then on its right; None where the tracker fits no eyes.
    reason : str
        Why there is no success; empty otherwise.
    mesh : FaceMesh or None
        The face's mesh, where the tracker has one.
    network_points : (68, 2) float32, or None
        Where a landmark network saw the points, pixels; None in frames in which none was asked.
    """

    success: bool
    ok: bool
    confidence: float
    landmarks: Float32
    shape: ShapeFit
    eyes: tuple[EyeFit, EyeFit] | None = None
    reason: str = ""
    mesh: FaceMesh | None = None
    network_points: Float32 | None = None

    def __post_init__(self) -> None:
        store(self, "landmarks", check_array("landmarks", self.landmarks, (68, 2), np.float32))
        if self.network_points is not None:
            seen = check_array("network_points", self.network_points, (68, 2), np.float32)
            store(self, "network_points", seen)

    def __bool__(self) -> bool:
        return self.success
