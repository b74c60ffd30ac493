"""Feature files: all that is needed to predict a video's action units again without the video.

A feature file is a ZIP archive, readable by any ZIP tool and NumPy:

``header.json``
    ``format`` (``"pyfaceau features"``), ``version`` (1), ``pyfaceau`` (version that wrote it),
    ``frames``, ``faces``, ``block`` (frames per block), ``reasons`` (why frames have no face;
    position 0 is the empty reason), ``gaze`` (whether eyes were fitted), ``source`` (facts of the
    video), ``sides`` (whether faces were split).
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
``halves/B.npy``
    Where faces were split, how: a record array, fields as in `HALVES`.
``left_geometry/B.npy``, ``left_hog/B.npy``, ``right_geometry/B.npy``, ``right_hog/B.npy``
    As of the whole face, of the patient's halves that have features.

A file without its end is no ZIP archive and is refused; versions other than 1 are refused.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pyfaceau.errors import InputError
from pyfaceau.study.feature_records import (
    FORMAT,
    HALVES,
    RECORD,
    VERSION,
    eyes_of,
    unpacked,
)
from pyfaceau.types import (
    SIDES,
    FaceFeatures,
    Float32,
    FrameResult,
    HeadPose,
    ShapeFit,
    SplitFace,
    TrackedFace,
)

if TYPE_CHECKING:
    from typing_extensions import Self

    from pyfaceau.pdm.model import PDM


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
            As written, without `aligned` and action units.

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
        return self._whole("frames", RECORD, self._blocks)

    def _whole(self, kind: str, dtype: np.dtype[Any], blocks: int) -> NDArray[Any]:
        with self._damage():
            arrays = [self._array(kind, number) for number in range(blocks)]
            return np.concatenate([np.empty(0, dtype), *arrays])

    def halves(self) -> NDArray[Any]:
        """Read which frames have which halves.

        Returns
        -------
        (frames,) array of `HALVES`
            In their order; empty where no sides are kept.

        Raises
        ------
        InputError
            If the file is damaged.
        """
        return self._whole("halves", HALVES, self._blocks if self.sides else 0)

    @property
    def sides(self) -> bool:
        """Whether halves of faces are kept."""
        return bool(self.header.get("sides", False))

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
        features = self._features(number, records["described"])
        splits = self._splits(number) if self.sides else [None] * len(records)
        for record, pair, face, split in zip(records, eyes, features, splits, strict=True):
            yield self._result(record, pair, face, split)

    def _splits(self, number: int) -> Iterator[SplitFace | None]:
        halves = self._array("halves", number)
        sides = (self._features(number, halves[side], f"{side}_") for side in SIDES)
        for hidden, left, right in zip(halves["hidden"], *sides, strict=True):
            yield None if np.isnan(hidden) else SplitFace(left, right, float(hidden))

    def _features(
        self, number: int, described: NDArray[np.bool_], prefix: str = ""
    ) -> Iterator[FaceFeatures | None]:
        """Yield the features of each frame of a block; None where it has none."""
        from pyfaceau.features.geometry import geometry_descriptor

        faces: Iterator[tuple[Float32, Float32]] = iter(())
        if described.any():
            hog = unpacked(self._array(f"{prefix}hog", number))
            faces = zip(hog, self._array(f"{prefix}geometry", number), strict=True)
        for there in described:
            if there:
                values, shape = next(faces)
                yield FaceFeatures(values, geometry_descriptor(self._pdm, shape))
            else:
                yield None

    def _result(
        self, record: Any, pair: Any, features: FaceFeatures | None, split: SplitFace | None
    ) -> FrameResult:
        eyes, gaze = (None, None) if pair is None else eyes_of(pair)
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
            split=split,
        )

    def _array(self, kind: str, number: int) -> Any:
        member: IO[bytes]
        with self._zip.open(f"{kind}/{number:06d}.npy") as member:
            return np.lib.format.read_array(member, allow_pickle=False)
