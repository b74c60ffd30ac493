"""The faces of a table, row by row, as they are drawn."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from pyfaceau.errors import InputError
from pyfaceau.types import Camera, Float64, HeadPose, Int64

if TYPE_CHECKING:
    import pandas as pd

_SURE = 0.7
"""Confidence from which a face of a still picture, which has no success, is trusted."""

_POINTS = [f"{axis}_{n}" for axis in "xy" for n in range(68)]
_EYES = [f"eye_lmk_{axis}_{n}" for axis in "xy" for n in range(56)]
_EYES_3D = [f"eye_lmk_{axis}_{n}" for axis in "XYZ" for n in range(56)]
_POSE = ["pose_Tx", "pose_Ty", "pose_Tz", "pose_Rx", "pose_Ry", "pose_Rz"]
_GAZE = [f"gaze_{eye}_{axis}" for eye in range(2) for axis in "xyz"]


@dataclass(frozen=True, eq=False)
class RowFace:
    """What a row of a table says of where a face is.

    Attributes
    ----------
    landmarks : (68, 2) float64
        Pixels.
    confidence : float
        0 to 1.
    trusted : bool
        Whether the row counts as a success.
    pose : HeadPose or None
        None where the table has none.
    eyes : (2, 28, 2) float64 or None
        Eye landmarks, pixels; None where the table has none.
    eyes_3d : (56, 3) float64 or None
        The same in camera space, mm.
    gaze : (2, 3) float64 or None
        Unit vectors in camera space.
    """

    landmarks: Float64
    confidence: float
    trusted: bool
    pose: HeadPose | None = None
    eyes: Float64 | None = None
    eyes_3d: Float64 | None = None
    gaze: Float64 | None = None


class TableFaces:
    """The faces of a table.

    Parameters
    ----------
    table : DataFrame
        As `pyfaceau.read` gives it, with landmarks.

    Raises
    ------
    InputError
        If there are no landmarks.
    """

    def __init__(self, table: pd.DataFrame) -> None:
        if any(name not in table for name in _POINTS):
            raise InputError("table: expected landmarks x_0 ... y_67, got none: run with -2Dfp")
        self._table = table

    @classmethod
    def of_video(cls, table: pd.DataFrame) -> TableFaces:
        """Return the faces of a video's table.

        Parameters
        ----------
        table : DataFrame
            As `pyfaceau.read` gives it.

        Returns
        -------
        TableFaces
            One face per frame.

        Raises
        ------
        InputError
            If the table is of a still picture, has several faces in a frame, or no landmarks.
        """
        if table.index.name != "frame" or "success" not in table:
            raise InputError("table: expected the table of a video, got that of a still picture")
        if table.index.has_duplicates:
            raise InputError("table: expected one face in each frame, got several (--multi-face)")
        return cls(table)

    @property
    def frames(self) -> Int64:
        """(N,) int64: each row's number of the frame in its video, from 0."""
        numbers: Int64 = self._table.index.to_numpy(np.int64) - 1
        return numbers

    def __len__(self) -> int:
        return len(self._table)

    def face(self, row: int) -> RowFace | None:
        """Return the face of a row.

        Parameters
        ----------
        row : int
            From 0.

        Returns
        -------
        RowFace or None
            None where nothing was found.
        """
        landmarks = self._points[row]
        if not landmarks.any() or not np.isfinite(landmarks).all():
            return None
        pose = None
        if self._pose is not None:
            numbers = self._pose[row].astype(np.float32)
            pose = HeadPose(numbers[:3], numbers[3:])
        confidence = float(self._table["confidence"].iloc[row])
        return RowFace(
            landmarks,
            confidence,
            bool(self._table["success"].iloc[row] == 1)
            if "success" in self._table
            else confidence > _SURE,
            pose,
            None if self._eyes is None else self._eyes[row],
            None if self._eyes_3d is None else self._eyes_3d[row],
            None if self._gaze is None else self._gaze[row],
        )

    def camera(self, width: int, height: int) -> Camera:
        """Return the camera that the table was reckoned with.

        Its focal length and principal point follow from shape parameters and head position, since
        p_scale = fx / Tz and p_tx = cx + fx Tx / Tz; where a table has not both, it is guessed
        from the picture's size.

        Parameters
        ----------
        width, height : int
            Picture size, pixels.

        Returns
        -------
        Camera
            The camera.
        """
        guess = Camera.for_size(width, height)
        names = ("p_scale", "p_tx", "p_ty", "pose_Tx", "pose_Ty", "pose_Tz")
        if any(name not in self._table for name in names):
            return guess
        seen = self._table[self._table["success"] == 1]
        scale, tx, ty, x, y, z = (seen[name].to_numpy() for name in names)
        sound = (scale > 0) & (z > 0)
        if not sound.any():
            return guess
        scale, tx, ty, x, y, z = (v[sound] for v in (scale, tx, ty, x, y, z))
        focal = float(np.median(scale * z))
        cx, cy = float(np.median(tx - focal * x / z)), float(np.median(ty - focal * y / z))
        near = np.allclose((focal, cx, cy), (guess.fx, guess.cx, guess.cy), rtol=0.02, atol=2)
        return guess if near else Camera(focal, focal, cx, cy)

    @cached_property
    def _points(self) -> Float64:
        return self._pairs(_POINTS, 68)

    @cached_property
    def _pose(self) -> Float64 | None:
        return self._columns(_POSE)

    @cached_property
    def _eyes(self) -> Float64 | None:
        if any(name not in self._table for name in _EYES):
            return None
        return self._pairs(_EYES, 56).reshape(-1, 2, 28, 2)

    @cached_property
    def _eyes_3d(self) -> Float64 | None:
        found = self._columns(_EYES_3D)
        return None if found is None else found.reshape(-1, 3, 56).transpose(0, 2, 1)

    @cached_property
    def _gaze(self) -> Float64 | None:
        found = self._columns(_GAZE)
        return None if found is None else found.reshape(-1, 2, 3)

    def _pairs(self, names: list[str], count: int) -> Float64:
        values = self._table[names].to_numpy(np.float64)
        pairs: Float64 = values.reshape(-1, 2, count).transpose(0, 2, 1)
        return pairs

    def _columns(self, names: list[str]) -> Float64 | None:
        if any(name not in self._table for name in names):
            return None
        values: Float64 = self._table[names].to_numpy(np.float64)
        return values
