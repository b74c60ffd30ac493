"""The ``.hog`` file of OpenFace: what the action-unit models saw of each face."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pyfaceau.errors import InputError
from pyfaceau.output.sink import Sink
from pyfaceau.output.target import Target, writing
from pyfaceau.types import Float32, Frame, FrameResult

SHAPE = (12, 12, 31)
"""Rows, columns and channels of a descriptor."""

RECORD = np.dtype([("size", "<i4", 3), ("good", "<f4"), ("values", "<f4", 4464)])
"""One face: columns, rows, channels; +1 where the face is a success and -1 where it is none;
the descriptor."""


class HogFile(Sink):
    """Writes the descriptors of a video's or picture's faces, one record of 17,872 bytes per row.

    The record of a frame without face is zeros.

    Parameters
    ----------
    path : str or Path
        The file, ``NAME.hog``.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """

    def __init__(self, path: str | Path) -> None:
        super().__init__(Target(path, (".hog",)))
        self._record = np.zeros(1, RECORD)
        self._record["size"] = SHAPE[1], SHAPE[0], SHAPE[2]
        with writing(self.target.path):
            self._file = self.target.part.open("wb")

    def write(self, frame: Frame, faces: Sequence[FrameResult]) -> None:  # noqa: ARG002 - see Sink
        """Append a record for each face.

        Parameters
        ----------
        frame : Frame
            Not used.
        faces : sequence of FrameResult
            Faces with their features; without them where there is no face.

        Raises
        ------
        OutputError
            If the disk is full.
        """
        for result in faces:
            self._record["good"] = 1 if result.face.success else -1
            self._record["values"] = 0 if result.features is None else result.features.hog
            with writing(self.target.path):
                self._file.write(self._record.tobytes())

    def _close(self) -> None:
        """Bring everything to disk."""
        if not self._file.closed:
            with self._file:
                self._file.flush()
                os.fsync(self._file.fileno())


@dataclass(frozen=True, eq=False)
class HogTable:
    """The descriptors in a ``.hog`` file.

    Attributes
    ----------
    good : (N,) bool
        Rows with success.
    values : (N, 12, 12, 31) float32
        Indices: row, column and channel of a cell; no unit. Read-only, taken from disk as needed.
    """

    good: NDArray[np.bool_]
    values: Float32


def read_hog(path: str | Path) -> HogTable:
    """Read a ``.hog`` file, ours or OpenFace's.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    HogTable
        In the order of the table's rows.

    Raises
    ------
    InputError
        If the file cannot be read, or is no such file or not a whole one.
    """
    path = Path(path)
    try:
        size = path.stat().st_size
        if size % RECORD.itemsize:
            raise InputError(
                f"{path}: expected records of {RECORD.itemsize:,} bytes, got {size:,} bytes"
            )
        records = np.memmap(path, RECORD, "r") if size else np.zeros(0, RECORD)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None
    known = (records["size"] == (SHAPE[1], SHAPE[0], SHAPE[2])).all()
    if not known or not (np.abs(records["good"]) == 1).all():
        raise InputError(f"{path}: expected descriptors of 12 x 12 x 31 values, got other bytes")
    return HogTable(np.asarray(records["good"] > 0), records["values"].reshape(-1, *SHAPE))
