"""What a feature file keeps of a frame, as record arrays."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyfaceau.errors import InputError
from pyfaceau.types import EyeFit, FaceFeatures, Float32, FrameResult, Gaze, ShapeFit

FORMAT, VERSION = "pyfaceau features", 1

MODES = 34
"""Non-rigid shape parameters of a face."""

RECORD = np.dtype(
    [
        ("index", "<i8"),
        ("timestamp", "<f8"),
        ("confidence", "<f8"),
        ("success", "?"),
        ("ok", "?"),
        ("described", "?"),  # has geometry and FHOG
        ("reason", "<u2"),  # position in the header's list
        ("landmarks", "<f4", (68, 2)),
        ("params_global", "<f4", (6,)),
        ("params_local", "<f4", (MODES,)),
        ("landmarks_3d", "<f4", (68, 3)),
        ("translation", "<f4", (3,)),
        ("rotation", "<f4", (3,)),
    ]
)
"""What is kept of a frame beside its features."""

HALVES = np.dtype([("hidden", "<f8"), ("left", "?"), ("right", "?")])
"""What is kept of a frame's split face: NaN where it has none; which halves have features."""

EYES = np.dtype(
    [
        ("gaze", "<f4", (2, 3)),
        ("gaze_angles", "<f4", (2,)),
        ("points", "<f4", (2, 28, 2)),
        ("params_global", "<f4", (2, 6)),
        ("params_local", "<f4", (2, 10)),
        ("points_3d", "<f4", (56, 3)),
    ]
)
"""What is kept of a frame's eyes, where they are fitted."""


def halves_record(result: FrameResult) -> tuple[float, bool, bool]:
    """Return what `HALVES` keeps of a frame.

    Parameters
    ----------
    result : FrameResult
        The frame.

    Returns
    -------
    tuple of (float, bool, bool)
        Its fields.
    """
    split = result.split
    if split is None:
        return float("nan"), False, False
    return split.hidden, split.left is not None, split.right is not None


def packed(described: Sequence[FaceFeatures]) -> dict[str, NDArray[Any]]:
    """Return the arrays that hold the features of some faces.

    Parameters
    ----------
    described : sequence of FaceFeatures
        One or more.

    Returns
    -------
    dict of str to array
        ``hog``: (4, 4464, faces) uint8, ``geometry``: (faces, 34) float32.
    """
    hog = np.stack([features.hog for features in described], axis=1).astype("<f4")
    cut = hog.view("u1").reshape(len(hog), len(described), 4)
    params = np.stack([features.geometry[-MODES:] for features in described])
    return {"hog": cut.transpose(2, 0, 1), "geometry": params.astype("<f4")}


def unpacked(hog: NDArray[np.uint8]) -> Float32:
    """Return the FHOG of the faces of `packed`.

    Parameters
    ----------
    hog : (4, 4464, faces) uint8
        As packed.

    Returns
    -------
    (faces, 4464) float32
        Descriptors.
    """
    whole: Float32 = np.ascontiguousarray(hog.transpose(2, 1, 0)).view("<f4")[:, :, 0]
    return whole


def member(name: str) -> zipfile.ZipInfo:
    """Return a deflated member without a date: the same video gives the same bytes.

    Parameters
    ----------
    name : str
        Its name.

    Returns
    -------
    ZipInfo
        For `zipfile.ZipFile.open`.
    """
    info = zipfile.ZipInfo(name)
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


def eyes_record(result: FrameResult) -> tuple[Any, ...]:
    """Return what `EYES` keeps of a frame.

    Parameters
    ----------
    result : FrameResult
        The frame.

    Returns
    -------
    tuple
        Its fields.

    Raises
    ------
    InputError
        If it has no eyes.
    """
    gaze, eyes = result.gaze, result.face.eyes
    if gaze is None or eyes is None:
        raise InputError("result: expected eyes and gaze as in the first frame, got None")
    return (
        gaze.vectors,
        gaze.angles,
        [eye.points for eye in eyes],
        [eye.shape.params_global for eye in eyes],
        [eye.shape.params_local for eye in eyes],
        result.eyes_3d,
    )


def eyes_of(record: Any) -> tuple[tuple[EyeFit, EyeFit], Gaze]:
    """Return the eyes and the gaze that `EYES` has of a frame.

    Parameters
    ----------
    record : record of `EYES`
        As kept.

    Returns
    -------
    eyes : (EyeFit, EyeFit)
        Left and right of the image.
    gaze : Gaze
        Their gaze.
    """
    left, right = (
        EyeFit(points, ShapeFit(placed, bent))
        for points, placed, bent in zip(
            record["points"], record["params_global"], record["params_local"], strict=True
        )
    )
    return (left, right), Gaze(record["gaze"], record["gaze_angles"])
