"""One live frame, as the window, the recording and other programs get it."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from pyfaceau.output.mesh_table import MESH_COLUMNS, mesh_values
from pyfaceau.output.openface_csv import GROUPS
from pyfaceau.types import (
    AU_INTENSITIES,
    AU_PRESENCES,
    SIDES,
    SPLIT_UNITS,
    AUPrediction,
    Camera,
    FrameResult,
    UInt8,
)

SCHEMA = 1
"""Of the stream's messages; it grows when one of them changes its meaning."""

_META = "frame timestamp confidence success latency_ms shown_ms dropped"
_TRACKED = ("2Dfp", "pose", "aus")

Sides = tuple[AUPrediction | None, AUPrediction | None]
"""Action units of the patient's left and right half; None where a half has none."""


@dataclass(frozen=True, eq=False)
class LiveFrame:
    """What is known of a picture as soon as it is measured.

    Attributes
    ----------
    image : (H, W, 3) uint8
        BGR.
    result : FrameResult
        Landmarks, pose, gaze; its index counts the pictures that were measured.
    units : AUPrediction or None
        Intensities 0 to 5 by what was seen so far; None where there is no face.
    camera : Camera
        Which the face was placed with.
    index : int
        Which picture of the source, from 0: where it jumps, pictures were dropped.
    timestamp : float
        Seconds, as the source stamps.
    clock : float
        When the picture was there, `time.monotonic`.
    latency : float
        Seconds from then until it was measured.
    dropped : int
        Pictures so far that came while an older one was measured, and were not.
    neutral : str
        ``running``: the neutral face is learnt as the video goes on; ``taken``: one was taken.
    sides : tuple of (AUPrediction or None), or None
        As `units`, of the patient's left and right half; None where faces are not split.
    """

    image: UInt8
    result: FrameResult
    units: AUPrediction | None
    camera: Camera
    index: int
    timestamp: float
    clock: float
    latency: float
    dropped: int
    neutral: str
    sides: Sides | None = None

    @property
    def hidden(self) -> float:
        """How much of the half that is turned away cannot be seen, 0 to 1; 1 without a face."""
        split = self.result.split
        return 1.0 if split is None else split.hidden

    def message(self) -> dict[str, Any]:
        """Return the frame as a message of the stream, see docs/live.md.

        Returns
        -------
        dict
            Of what JSON knows.
        """
        face, gaze = self.result.face, self.result.gaze
        seen = face.success
        pose = self.result.pose
        return {
            "type": "frame",
            "schema": SCHEMA,
            "frame": self.index + 1,
            "timestamp": round(self.timestamp, 6),
            "latency_ms": round(self.latency * 1000, 3),
            "dropped": self.dropped,
            "success": seen,
            "confidence": round(float(face.confidence), 4),
            "reason": face.reason,
            "neutral": self.neutral,
            "landmarks": _rounded(face.landmarks, 2) if seen else None,
            "pose": {
                "translation": _rounded(pose.translation, 2),
                "rotation": _rounded(pose.rotation, 4),
            }
            if seen
            else None,
            "gaze": {"vectors": _rounded(gaze.vectors, 4), "angles": _rounded(gaze.angles, 4)}
            if seen and gaze is not None
            else None,
            "au_r": _named(AU_INTENSITIES, self.units, "intensities"),
            "au_c": _named(AU_PRESENCES, self.units, "presences"),
            "bs": self._mesh(),
            "sides": self._split(),
        }

    def _mesh(self) -> dict[str, float] | None:
        """Return a mesh's coefficients and units, where there is one."""
        if self.result.mesh_units is None or not self.result.face.success:
            return None
        names = [name for name, _ in MESH_COLUMNS]
        return dict(zip(names, np.round(mesh_values(self.result), 4).tolist(), strict=True))

    def _split(self) -> dict[str, Any] | None:
        """Return what the message has of the halves."""
        if self.sides is None:
            return None
        halves = {
            side: {
                "au_r": _named(AU_INTENSITIES, half, "intensities"),
                "au_c": _named(AU_PRESENCES, half, "presences"),
            }
            for side, half in zip(SIDES, self.sides, strict=True)
        }
        return {**halves, "hidden": round(self.hidden, 4)}

    def line(self) -> str:
        """Return the message as one line of JSON."""
        return json.dumps(self.message(), separators=(",", ":"), allow_nan=False)


def _rounded(array: Any, digits: int) -> Any:
    """Return an array as lists of rounded numbers."""
    return array.astype(float).round(digits).tolist()


def _named(names: tuple[str, ...], units: AUPrediction | None, field: str) -> Any:
    if units is None:
        return None
    values = getattr(units, field).round(3).tolist()
    return dict(zip(names, values, strict=True))


def columns(gaze: bool, split: bool = False, mesh: bool = False) -> list[str]:
    """Return the columns of a recording.

    Parameters
    ----------
    gaze : bool
        Whether eyes are fitted.
    split : bool
        Whether faces are split: `SPLIT_UNITS` at the end.
    mesh : bool
        Whether faces are followed by a mesh: its units in the place of OpenFace's.

    Returns
    -------
    list of str
        OpenFace's names, after those of the frame itself.
    """
    known = {**GROUPS, "aus": MESH_COLUMNS} if mesh else GROUPS
    groups = ("gaze", *_TRACKED) if gaze else _TRACKED
    named = [name for group in groups for name, _ in known[group] if not _is_eye(name)]
    return [*_META.split(), *named, *(SPLIT_UNITS if split else ())]


def _is_eye(name: str) -> bool:
    return name.startswith("eye_lmk")


def row(frame: LiveFrame, gaze: bool, shown: float | None) -> list[str]:
    """Return a frame as a row of a recording.

    Parameters
    ----------
    frame : LiveFrame
        The frame.
    gaze : bool
        As for `columns`.
    shown : float or None
        Seconds from when the picture was there until the window had drawn it; None where it was
        not shown.

    Returns
    -------
    list of str
        Cells; without a face the measured ones are 0, as OpenFace has them.
    """
    result, face = frame.result, frame.result.face
    cells = [
        str(frame.index + 1),
        f"{frame.timestamp:.4f}",
        f"{face.confidence:.2f}",
        str(int(face.success)),
        f"{frame.latency * 1000:.2f}",
        "" if shown is None else f"{shown * 1000:.2f}",
        str(frame.dropped),
    ]
    values: dict[str, list[float]] = {"2Dfp": face.landmarks.T.ravel().tolist()}
    values["pose"] = [*result.pose.translation.tolist(), *result.pose.rotation.tolist()]
    units, known = frame.units, GROUPS
    if result.mesh_units is not None:
        known = {**GROUPS, "aus": MESH_COLUMNS}
        values["aus"] = mesh_values(result)
    elif units is None:
        values["aus"] = [0.0] * len(GROUPS["aus"])
    else:
        values["aus"] = [*units.intensities.tolist(), *units.presences.tolist()]
    if gaze:
        found = result.gaze
        values["gaze"] = (
            [0.0] * 8
            if found is None
            else [*found.vectors.ravel().tolist(), *found.angles.tolist()]
        )
    for group in ("gaze", *_TRACKED) if gaze else _TRACKED:
        formats = [form for name, form in known[group] if not _is_eye(name)]
        cells += [form % value for form, value in zip(formats, values[group], strict=True)]
    if frame.sides is not None:
        missing = [math.nan] * (len(AU_INTENSITIES) + len(AU_PRESENCES))
        left, right = (
            missing if half is None else [*half.intensities.tolist(), *half.presences.tolist()]
            for half in frame.sides
        )
        cells += [f"{v:.2f}" for pair in zip(left, right, strict=True) for v in pair]
        cells.append(f"{frame.hidden:.2f}")
    return cells
