"""Feature files: all that is needed to predict a video's action units again without the video.

A feature file is a ZIP archive, readable by any ZIP tool and NumPy:

``header.json``
    ``format`` (``"pyfaceau features"``), ``version`` (1), ``pyfaceau`` (version that wrote it),
    ``frames``, ``faces``, ``block`` (frames per block), ``reasons`` (why frames have no face;
    position 0 is the empty reason), ``gaze`` (whether eyes were fitted), ``source`` (facts of the
    video).
``frames/B.npy``
    Block B of the frames: a record array, fields as in `RECORD`; see `pyfaceau.types` for units.
``eyes/B.npy``
    Their eyes, where they were fitted: a record array, fields as in `EYES`.
``geometry/B.npy``
    (faces of block B, 34) float32: non-rigid shape parameters of the fit to the face; the 238
    geometry features follow from them and the shape model.
``hog/B.npy``
    (4, 4464, faces of block B) uint8: FHOG as float32, cut into bytes from the lowest to the
    highest, dimension by dimension. So cut and deflated it takes two thirds of its size, and not
    a bit is lost: predictions from the file are those from the video to the byte.

A file without its end is no ZIP archive and is refused; versions other than 1 are refused.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pyfaceau import __version__
from pyfaceau.errors import InputError, OutputError
from pyfaceau.study.feature_records import EYES, MODES, RECORD
from pyfaceau.types import (
    EyeFit,
    FaceFeatures,
    Float32,
    FrameResult,
    Gaze,
    HeadPose,
    ShapeFit,
    TrackedFace,
)

if TYPE_CHECKING:
    from typing_extensions import Self

    from pyfaceau.pdm.model import PDM

FORMAT, VERSION = "pyfaceau features", 1
BLOCK = 64
"""Frames that are packed together."""

_HOG, _MODES = 4464, MODES


class FeatureWriter:
    """Writes a feature file; used in a ``with`` statement, left by `finish`.

    The file gets its name when it is whole. Leaving in any other way leaves nothing behind.

    Parameters
    ----------
    path : str or Path
        The file; its folder is made.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
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
            "reasons": list(self._reasons),
            "source": dict(source),
        }
        try:
            with self._zip.open(_member("header.json"), "w") as member:
                member.write(json.dumps(header, indent=1).encode())
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
                self._array("eyes", np.array([_eyes(frame) for frame in frames], EYES))
            if described:
                hog = np.stack([features.hog for features in described], axis=1).astype("<f4")
                cut = hog.view("u1").reshape(_HOG, len(described), 4)
                self._array("hog", cut.transpose(2, 0, 1))
                params = np.stack([features.geometry[-_MODES:] for features in described])
                self._array("geometry", params.astype("<f4"))
        except OSError as error:
            raise self._unwritable(error) from None
        self._blocks += 1
        self._count += len(frames)
        self._faces += len(described)

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
        with self._zip.open(_member(f"{kind}/{self._blocks:06d}.npy"), "w") as member:
            np.lib.format.write_array(member, np.ascontiguousarray(array), allow_pickle=False)

    def _unwritable(self, error: OSError) -> OutputError:
        return OutputError(f"{self.path}: cannot be written: {error.strerror or error}")


class FeatureFile:
    """A feature file as an iterable of the frames that were written; used in a ``with`` statement.

    Parameters
    ----------
    path : str or Path
        The file.
    pdm : PDM
        The shape model that the geometry features are of.

    Attributes
    ----------
    header : dict
        ``header.json``.

    Raises
    ------
    InputError
        If it is no feature file of this version, or not whole.
    """

    def __init__(self, path: str | Path, pdm: PDM) -> None:
        self.path = Path(path)
        self._pdm = pdm
        try:
            self._zip = zipfile.ZipFile(self.path)
        except FileNotFoundError:
            raise InputError(f"{path}: no such file") from None
        except (OSError, zipfile.BadZipFile) as error:
            raise InputError(f"{path}: not a whole feature file: {error}") from None
        try:
            self.header: dict[str, Any] = json.loads(self._zip.read("header.json"))
            found = self.header["format"], self.header["version"]
        except (KeyError, TypeError, ValueError, OSError, zipfile.BadZipFile) as error:
            self._zip.close()
            raise InputError(f"{path}: not a feature file: {error}") from None
        if found != (FORMAT, VERSION):
            self._zip.close()
            raise InputError(f"{path}: expected {FORMAT} version {VERSION}, got {found}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._zip.close()

    def __iter__(self) -> Iterator[FrameResult]:
        """Yield the frames.

        Yields
        ------
        FrameResult
            As written, without `aligned` and `action_units`.

        Raises
        ------
        InputError
            If the file is damaged.
        """
        with self._damage():
            for number in range(self._blocks):
                yield from self._block(number)

    def records(self) -> NDArray[Any]:
        """Read what is kept of all frames beside their features, which takes little time.

        Returns
        -------
        (frames,) array of `RECORD`
            In their order.

        Raises
        ------
        InputError
            If the file is damaged.
        """
        with self._damage():
            blocks = [self._array("frames", number) for number in range(self._blocks)]
            return np.concatenate([np.empty(0, RECORD), *blocks])

    @property
    def _blocks(self) -> int:
        return -(-int(self.header["frames"]) // int(self.header["block"]))

    @contextmanager
    def _damage(self) -> Iterator[None]:
        try:
            yield
        except (KeyError, IndexError, ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
            raise InputError(f"{self.path}: damaged: {error}") from error

    def _block(self, number: int) -> Iterator[FrameResult]:
        records = self._array("frames", number)
        eyes = self._array("eyes", number) if self.header["gaze"] else [None] * len(records)
        features: Iterator[FaceFeatures] = iter(())
        if records["described"].any():
            features = self._features(number)
        for record, pair in zip(records, eyes, strict=True):
            yield self._result(record, pair, next(features) if record["described"] else None)

    def _features(self, number: int) -> Iterator[FaceFeatures]:
        from pyfaceau.features.geometry import geometry_descriptor

        planes = self._array("hog", number)
        params: Float32 = self._array("geometry", number)
        hog = np.ascontiguousarray(planes.transpose(2, 1, 0)).view("<f4")[:, :, 0]
        for values, shape in zip(hog, params, strict=True):
            yield FaceFeatures(values, geometry_descriptor(self._pdm, shape))

    def _result(self, record: Any, pair: Any, features: FaceFeatures | None) -> FrameResult:
        eyes = gaze = None
        if pair is not None:
            left, right = (
                EyeFit(points, ShapeFit(placed, bent))
                for points, placed, bent in zip(
                    pair["points"], pair["params_global"], pair["params_local"], strict=True
                )
            )
            eyes, gaze = (left, right), Gaze(pair["gaze"], pair["gaze_angles"])
        face = TrackedFace(
            bool(record["success"]),
            bool(record["ok"]),
            float(record["confidence"]),
            record["landmarks"],
            ShapeFit(record["params_global"], record["params_local"]),
            eyes,
            self.header["reasons"][int(record["reason"])],
        )
        pose = HeadPose(record["translation"], record["rotation"])
        return FrameResult(
            int(record["index"]),
            float(record["timestamp"]),
            face,
            record["landmarks_3d"],
            pose,
            gaze,
            None if pair is None else pair["points_3d"],
            features=features,
        )

    def _array(self, kind: str, number: int) -> Any:
        member: IO[bytes]
        with self._zip.open(f"{kind}/{number:06d}.npy") as member:
            return np.lib.format.read_array(member, allow_pickle=False)


def _member(name: str) -> zipfile.ZipInfo:
    """Return a deflated member without a date: the same video gives the same bytes."""
    info = zipfile.ZipInfo(name)
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


def _eyes(result: FrameResult) -> tuple[Any, ...]:
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
