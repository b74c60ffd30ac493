"""The values that pass between stages: frozen, checked once, at construction.

Pixel coordinates everywhere: x right, y down, (0, 0) the centre of the top left pixel. Camera
space: millimetres, x right, y down, z away from the camera.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyfaceau.errors import InputError, check_array, check_image

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
UInt8 = NDArray[np.uint8]
Int32 = NDArray[np.int32]
UInt16 = NDArray[np.uint16]
UInt32 = NDArray[np.uint32]


def _set(instance: Any, name: str, array: NDArray[Any]) -> None:
    """Store a checked array in a frozen instance, read-only."""
    view = array.view()
    view.setflags(False)  # write=False, by position: half the time
    object.__setattr__(instance, name, view)


@dataclass(frozen=True, eq=False)
class Frame:
    """One decoded picture of a video.

    Attributes
    ----------
    image : (H, W, 3) uint8
        BGR, BT.601 limited range, rotation applied.
    index : int
        Position in decoding order, from 0. OpenFace's column ``frame`` is ``index + 1``.
    timestamp : float
        Seconds.
    gray : (H, W) uint8 or None
        The picture in gray, where it was made ahead of who needs it.
    """

    image: UInt8
    index: int
    timestamp: float
    gray: UInt8 | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "image", check_image("image", self.image, channels=(3,)))
        if self.gray is not None:
            gray, size = check_image("gray", self.gray, channels=(1,)), self.image.shape[:2]
            if gray.shape != size:
                raise InputError(f"gray: expected shape {size}, got {gray.shape}")
            object.__setattr__(self, "gray", gray)
        if self.index < 0:
            raise InputError(f"index: expected 0 or more, got {self.index}")


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
            _set(self, "points5", check_array("points5", self.points5, (5, 2), np.float32))


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
        _set(self, "points", check_array("points", self.points, (68, 2), np.float32))


@dataclass(frozen=True, eq=False)
class ShapeFit:
    """Parameters of a point distribution model (PDM) fitted to landmarks.

    Attributes
    ----------
    params_global : (6,) float32
        scale (pixels per mm), rotation x, y, z (radians, R = Rx Ry Rz), translation x, y (pixels).
    params_local : (m,) float32
        Non-rigid parameters, mm along unit basis vectors; m = 34 for the 68-point model.
    """

    params_global: Float32
    params_local: Float32

    def __post_init__(self) -> None:
        for name, shape in (("params_global", (6,)), ("params_local", (None,))):
            _set(self, name, check_array(name, getattr(self, name), shape, np.float32))


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
        _set(self, "points", check_array("points", self.points, (28, 2), np.float32))


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
    """

    success: bool
    ok: bool
    confidence: float
    landmarks: Float32
    shape: ShapeFit
    eyes: tuple[EyeFit, EyeFit] | None = None
    reason: str = ""

    def __post_init__(self) -> None:
        _set(self, "landmarks", check_array("landmarks", self.landmarks, (68, 2), np.float32))

    def __bool__(self) -> bool:
        return self.success


@dataclass(frozen=True, eq=False)
class Camera:
    """Pinhole camera.

    Attributes
    ----------
    fx, fy : float
        Focal lengths, pixels; not 0.
    cx, cy : float
        Principal point, pixels.
    """

    fx: float
    fy: float
    cx: float
    cy: float

    def __post_init__(self) -> None:
        lens = (self.fx, self.fy, self.cx, self.cy)
        check_array("fx, fy, cx, cy", lens, (4,), np.float64)
        if self.fx == 0 or self.fy == 0:
            raise InputError(f"fx, fy: expected focal lengths other than 0, got {lens[:2]}")

    @cached_property
    def lens(self) -> Float32:
        """All four as (4,) float32: fx, fy, cx, cy."""
        lens = np.array([self.fx, self.fy, self.cx, self.cy], np.float32)
        lens.setflags(write=False)
        return lens

    @classmethod
    def for_size(cls, width: int, height: int) -> Camera:
        """OpenFace's guess for an unknown camera: 500 px at 640x480, scaled, centre of picture.

        Parameters
        ----------
        width, height : int
            Picture size, pixels.

        Returns
        -------
        Camera
            All four values rounded to float32.
        """
        f32 = np.float32
        fx = f32(500) * (f32(width) / f32(640))
        fy = f32(500) * (f32(height) / f32(480))
        f = float((fx + fy) / f32(2))
        return cls(f, f, float(f32(width) / f32(2)), float(f32(height) / f32(2)))


@dataclass(frozen=True, eq=False)
class HeadPose:
    """Head pose in camera space.

    Attributes
    ----------
    translation : (3,) float32
        mm.
    rotation : (3,) float32
        Euler angles, radians, R = Rx Ry Rz: pitch (positive looks down), yaw (positive turns the
        nose to the image's right), roll (positive is clockwise in the image).
    """

    translation: Float32
    rotation: Float32

    def __post_init__(self) -> None:
        for name in ("translation", "rotation"):
            _set(self, name, check_array(name, getattr(self, name), (3,), np.float32))


@dataclass(frozen=True, eq=False)
class Gaze:
    """Gaze of both eyes.

    Attributes
    ----------
    vectors : (2, 3) float32
        Unit vectors in camera space; row 0 the eye on the image's left.
    angles : (2,) float32
        Radians: x (positive looks to the image's right), y (positive looks down), of the mean.
    """

    vectors: Float32
    angles: Float32

    def __post_init__(self) -> None:
        _set(self, "vectors", check_array("vectors", self.vectors, (2, 3), np.float32))
        _set(self, "angles", check_array("angles", self.angles, (2,), np.float32))


@dataclass(frozen=True, eq=False)
class AlignedFace:
    """A face warped to the PDM's frontal frame.

    Attributes
    ----------
    image : (N, N, 3) uint8
        BGR; the PDM's origin lies at (N // 2, N // 2); black outside the face where masked.
    warp : (2, 3) float32
        Matrix from frame pixels to pixels of `image`.
    """

    image: UInt8
    warp: Float32

    def __post_init__(self) -> None:
        _set(self, "image", check_image("image", self.image, channels=(3,)))
        _set(self, "warp", check_array("warp", self.warp, (2, 3), np.float32))


@dataclass(frozen=True, eq=False)
class FaceFeatures:
    """What the action-unit models see of a face.

    Attributes
    ----------
    hog : (4464,) float32
        FHOG, index = (row * 12 + column) * 31 + channel.
    geometry : (238,) float64
        204 offsets from the mean shape (x, then y, then z, mm), then the 34 parameters.
    """

    hog: Float32
    geometry: Float64

    def __post_init__(self) -> None:
        _set(self, "hog", check_array("hog", self.hog, (4464,), np.float32))
        _set(self, "geometry", check_array("geometry", self.geometry, (238,), np.float64))


AU_INTENSITIES = tuple(
    f"AU{n:02d}_r" for n in (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 45)
)
"""The 17 intensity columns, in the CSV's order."""

AU_PRESENCES = tuple(
    f"AU{n:02d}_c" for n in (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 28, 45)
)
"""The 18 presence columns, in the CSV's order."""


@dataclass(frozen=True, eq=False)
class AUPrediction:
    """Action units of one frame.

    Attributes
    ----------
    intensities : (17,) float64
        In the order of `AU_INTENSITIES`; raw SVR scores or, after the whole-video pass, 0 to 5.
    presences : (18,) float64
        In the order of `AU_PRESENCES`; 0 or 1.
    """

    intensities: Float64
    presences: Float64

    def __post_init__(self) -> None:
        _set(self, "intensities", check_array("intensities", self.intensities, (17,), np.float64))
        _set(self, "presences", check_array("presences", self.presences, (18,), np.float64))


@dataclass(frozen=True, eq=False)
class FrameResult:
    """All that the pipeline knows of one frame.

    Attributes
    ----------
    index : int
        Position in decoding order, from 0.
    timestamp : float
        Seconds.
    face : TrackedFace
        Landmarks, shape parameters, success.
    landmarks_3d : (68, 3) float32
        Landmarks in camera space, mm.
    pose : HeadPose
        Head pose.
    gaze : Gaze or None
        None where the tracker fits no eyes.
    eyes_3d : (56, 3) float32 or None
        Eye landmarks in camera space, mm; rows 0-27 the eye on the image's left.
    action_units : AUPrediction or None
        Values known at this frame, before the whole-video pass; None where not computed.
    aligned : AlignedFace or None
        The masked face that the action units were measured on; None in a frame without face.
    features : FaceFeatures or None
        What the models saw; None in a frame without face.
    face_id : int
        Which of several faces, from 0.
    """

    index: int
    timestamp: float
    face: TrackedFace
    landmarks_3d: Float32
    pose: HeadPose
    gaze: Gaze | None = None
    eyes_3d: Float32 | None = None
    action_units: AUPrediction | None = None
    aligned: AlignedFace | None = None
    features: FaceFeatures | None = None
    face_id: int = 0
