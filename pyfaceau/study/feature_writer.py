"""Writing of feature files, see `pyfaceau.study.features`."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pyfaceau import __version__
from pyfaceau.errors import OutputError
from pyfaceau.study.feature_records import (
    EYES,
    FORMAT,
    HALVES,
    RECORD,
    VERSION,
    eyes_record,
    halves_record,
    member,
    packed,
)
from pyfaceau.types import FaceFeatures, FrameResult

if TYPE_CHECKING:
    from typing_extensions import Self

BLOCK = 64
"""Frames that are packed together."""


class FeatureWriter:
    """Writes a feature file; used in a ``with`` statement, left by `finish`.

    The file gets its name when it is whole. Leaving in any other way leaves nothing behind.

    Parameters
    ----------
    path : str or Path
        The file; its folder is made.
    sides : bool
        Keep the halves of split faces too.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    """

    def __init__(self, path: str | Path, sides: bool = False) -> None:
        self.path = Path(path)
        self._sides = sides
        self._frames: list[FrameResult] = []
        self._reasons = {"": 0}
        self._blocks = self._count = self._faces = 0
        self._gaze = False
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._part.unlink(missing_ok=True)
            self._zip = zipfile.ZipFile(self._part, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
        except OSError as error:
            raise self._unwritable(error) from None

    @property
    def _part(self) -> Path:
        return self.path.with_name(f".{self.path.name}.{os.getpid()}.part")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(OSError, ValueError):  # a full disk has already been reported
            self._zip.close()
        with suppress(OSError):
            self._part.unlink(missing_ok=True)

    def write(self, result: FrameResult) -> None:
        """Append a frame.

        Parameters
        ----------
        result : FrameResult
            The frame.

        Raises
        ------
        OutputError
            If the disk is full.
        """
        self._frames.append(result)
        if len(self._frames) == BLOCK:
            self._flush()

    def finish(self, source: Mapping[str, Any]) -> Path:
        """Complete the file and give it its name.

        Parameters
        ----------
        source : mapping
            Facts of the video, for the header; JSON.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        self._flush()
        header = {
            "format": FORMAT,
            "version": VERSION,
            "pyfaceau": __version__,
            "frames": self._count,
            "faces": self._faces,
            "block": BLOCK,
            "gaze": self._gaze,
            "sides": self._sides,
            "reasons": list(self._reasons),
            "source": dict(source),
        }
        try:
            with self._zip.open(member("header.json"), "w") as file:
                file.write(json.dumps(header, indent=1).encode())
            self._zip.close()
            self._part.replace(self.path)
        except OSError as error:
            raise self._unwritable(error) from None
        return self.path

    def _flush(self) -> None:
        frames, self._frames = self._frames, []
        if not frames:
            return
        if not self._count:
            self._gaze = frames[0].gaze is not None
        described = [result.features for result in frames if result.features is not None]
        try:
            self._array("frames", np.array([self._record(frame) for frame in frames], RECORD))
            if self._gaze:
                self._array("eyes", np.array([eyes_record(frame) for frame in frames], EYES))
            self._features("", described)
            if self._sides:
                self._array("halves", np.array([halves_record(one) for one in frames], HALVES))
                splits = [frame.split for frame in frames if frame.split is not None]
                self._features("left_", [one.left for one in splits if one.left is not None])
                self._features("right_", [one.right for one in splits if one.right is not None])
        except OSError as error:
            raise self._unwritable(error) from None
        self._blocks += 1
        self._count += len(frames)
        self._faces += len(described)

    def _features(self, prefix: str, described: list[FaceFeatures]) -> None:
        if described:
            for kind, array in packed(described).items():
                self._array(f"{prefix}{kind}", array)

    def _record(self, result: FrameResult) -> tuple[Any, ...]:
        face = result.face
        return (
            result.index,
            result.timestamp,
            face.confidence,
            face.success,
            face.ok,
            result.features is not None,
            self._reasons.setdefault(face.reason, len(self._reasons)),
            face.landmarks,
            face.shape.params_global,
            face.shape.params_local,
            result.landmarks_3d,
            result.pose.translation,
            result.pose.rotation,
        )

    def _array(self, kind: str, array: NDArray[Any]) -> None:
        with self._zip.open(member(f"{kind}/{self._blocks:06d}.npy"), "w") as file:
            np.lib.format.write_array(file, np.ascontiguousarray(array), allow_pickle=False)

    def _unwritable(self, error: OSError) -> OutputError:
        return OutputError(f"{self.path}: cannot be written: {error.strerror or error}")
