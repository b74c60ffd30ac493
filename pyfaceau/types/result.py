"""What is measured of a face in a frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pyfaceau.errors import check_array, check_image
from pyfaceau.types.arrays import Float32, Float64, UInt8, store
from pyfaceau.types.face import ShapeFit, TrackedFace


@dataclass(frozen=True, eq=False)
class HeadPose:
    """Head pose in camera space.

    Attributes
    ----------
    translation : (3,) float32
        mm; x to the image's right, y down, z away from the camera.
    rotation : (3,) float32
        Euler angles, radians, R = Rx Ry Rz: pitch (positive looks down), yaw (positive turns the
        nose to the image's left), roll (positive is clockwise in the image). A head at rest looks
        along (0, 0, -1), one that is turned along R (0, 0, -1).
    """

    translation: Float32
    rotation: Float32

    def __post_init__(self) -> None:
        for name in ("translation", "rotation"):
            store(self, name, check_array(name, getattr(self, name), (3,), np.float32))


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
        store(self, "vectors", check_array("vectors", self.vectors, (2, 3), np.float32))
        store(self, "angles", check_array("angles", self.angles, (2,), np.float32))


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
        store(self, "image", check_image("image", self.image, channels=(3,)))
        store(self, "warp", check_array("warp", self.warp, (2, 3), np.float32))


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
        store(self, "hog", check_array("hog", self.hog, (4464,), np.float32))
        store(self, "geometry", check_array("geometry", self.geometry, (238,), np.float64))


AU_INTENSITIES = tuple(
    f"AU{n:02d}_r" for n in (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 45)
)
"""The 17 intensity columns, in the CSV's order."""

AU_PRESENCES = tuple(
    f"AU{n:02d}_c" for n in (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 28, 45)
)
"""The 18 presence columns, in the CSV's order."""

SIDES = ("left", "right")
"""The patient's own sides; where the recording is not mirrored, left is the image's right."""

SPLIT_UNITS = (
    *(f"{name}_{side}" for name in AU_INTENSITIES + AU_PRESENCES for side in SIDES),
    "split_hidden",
)
"""The 71 columns of a split face, in the CSV's order."""


MESH_UNITS = (
    "AU01_bs",
    *(f"{unit}_bs{side}" for unit in ("AU06", "AU10", "AU12") for side in ("", "_left", "_right")),
    "AU25_bs",
    *(f"AU45_bs{side}" for side in ("", "_left", "_right")),
)
"""Action units read from blendshapes, in the table's order; the sides are the patient's own."""


@dataclass(frozen=True, eq=False)
class SplitFace:
    """What the action-unit models see of each half of a face, made whole by its reflection.

    Attributes
    ----------
    left, right : FaceFeatures or None
        The patient's sides; None where the head is turned too far.
    hidden : float
        Share of the surface of the half that is turned away which the camera does not see, 0 to 1.
    units : tuple of (AUPrediction or None)
        Left, right: values known at this frame, before the whole-video pass; None where not
        computed.
    fits : tuple of (ShapeFit or None)
        Left, right: the shape of each half made whole, without its eyes' own fit, from which that
        of the next frame starts; None where there is none. Of the half on the image's right it is
        that in the mirrored picture.
    """

    left: FaceFeatures | None
    right: FaceFeatures | None
    hidden: float
    units: tuple[AUPrediction | None, AUPrediction | None] = (None, None)
    fits: tuple[ShapeFit | None, ShapeFit | None] = (None, None)


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
        store(self, "intensities", check_array("intensities", self.intensities, (17,), np.float64))
        store(self, "presences", check_array("presences", self.presences, (18,), np.float64))


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
    marks : frozenset of str
        What was noticed of the frame, see `Frame`.
    split : SplitFace or None
        The halves, where they are asked for; None in a frame without face.
    turn : int
        Quarter turns, counter-clockwise, after which the frame was measured.
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
    marks: frozenset[str] = frozenset()
    split: SplitFace | None = None
    mesh_units: Float64 | None = None
    turn: int = 0
