"""The tables of a picture or video that went through FaceMap."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from pyfaceau.landmarks.crop import Crop
from pyfaceau.landmarks.facemap_3dmm import VALUES
from pyfaceau.output.target import Target, writing
from pyfaceau.types import Float32, Float64

if TYPE_CHECKING:
    from typing_extensions import Self


@dataclass(frozen=True, eq=False)
class Answer:
    """What is known of a frame: a row of each table.

    Attributes
    ----------
    index : int
        From 0.
    status : str
        ``ok``, ``jump``, ``whole_picture``, ``no_face`` or ``failed``.
    reason : str
        Why it is not ``ok``.
    crop : tuple of int
        What the network saw: x0, y0, x1, y1.
    values : (n,) float32 or None
        What it answered; None where it was not asked.
    points : (k, 2) float64 or None
        Pixels; None where no rule gives them.
    pose : (3,) float64 or None
        Pitch, yaw, roll, degrees.
    """

    index: int
    status: str
    reason: str
    crop: Crop
    values: Float32 | None = None
    points: Float64 | None = None
    pose: Float64 | None = None


class Tables:
    """The tables of one picture or video; used in a ``with`` statement, left by `finish`.

    Parameters
    ----------
    folder : Path
        Where they go.
    name : str
        What their names begin with.
    kinds : iterable of str
        Those of ``raw`` and ``landmarks`` that are wanted beside ``summary`` and ``meta``.
    count : int
        Points.
    npy : bool
        Keep all values for ``NAME_raw.npy``.

    Raises
    ------
    OutputError
        If a file cannot be written; from the methods, too.
    """

    def __init__(
        self, folder: Path, name: str, kinds: Iterable[str], count: int, npy: bool
    ) -> None:
        self._targets = {
            kind: Target(folder / f"{name}_{kind}.csv", (".csv",))
            for kind in ("summary", "meta", *kinds)
        }
        self._npy = Target(folder / f"{name}_raw.npy", (".npy",)) if npy else None
        self._kept: list[Float32 | None] = []
        self._count = count
        self._streams: dict[str, IO[str]] = {}
        self._headed: set[str] = set()

    def __enter__(self) -> Self:
        for kind, target in self._targets.items():
            with writing(target.path):
                self._streams[kind] = target.part.open("w", encoding="utf-8", newline="")
        return self

    def __exit__(self, *error: object) -> None:
        for stream in self._streams.values():
            stream.close()
        for target in (*self._targets.values(), *([self._npy] if self._npy else [])):
            target.discard()

    def write(self, answer: Answer) -> None:
        """Add a frame.

        Parameters
        ----------
        answer : Answer
            What is known of it.
        """
        values, number = answer.values, answer.index + 1
        ends = ["", ""] if values is None else [f"{values.min():.6g}", f"{values.max():.6g}"]
        self._row("summary", ["frame", "min", "max"], [number, *ends])
        meta = [number, answer.status, answer.reason, *answer.crop]
        self._row("meta", "frame status reason x0 y0 x1 y1".split(), meta)
        if "raw" in self._targets:
            width = VALUES if values is None else len(values)
            cells = [""] * width if values is None else [f"{v:.9g}" for v in values.tolist()]
            self._row("raw", ["frame", *(f"v_{i}" for i in range(width))], [number, *cells])
        if "landmarks" in self._targets:
            self._row("landmarks", self._point_names(), [number, *self._point_cells(answer)])
        if self._npy is not None:
            self._kept.append(values)

    def _point_names(self) -> list[str]:
        axes = [f"{axis}_{i}" for axis in "xy" for i in range(self._count)]
        return ["frame", *axes, "pitch", "yaw", "roll"]

    def _point_cells(self, answer: Answer) -> list[str]:
        points, pose = answer.points, answer.pose
        cells = [""] * (2 * self._count)
        if points is not None:
            cells = [f"{v:.3f}" for v in points.T.ravel().tolist()]
        return cells + (["", "", ""] if pose is None else [f"{v:.3f}" for v in pose.tolist()])

    def _row(self, kind: str, header: list[str], cells: list[Any]) -> None:
        stream = self._streams[kind]
        with writing(self._targets[kind].path):
            table = csv.writer(stream, lineterminator="\n")
            if kind not in self._headed:
                self._headed.add(kind)
                table.writerow(header)
            table.writerow(cells)

    def finish(self) -> list[Path]:
        """Give the files their names.

        Returns
        -------
        list of Path
            What now exists.
        """
        done = []
        for kind, target in self._targets.items():
            with writing(target.path):
                self._streams[kind].close()
            done.append(target.commit())
        if self._npy is not None:
            width = max((len(v) for v in self._kept if v is not None), default=VALUES)
            missing = np.full(width, np.nan, np.float32)
            rows = np.stack([missing if v is None else v for v in self._kept])
            with writing(self._npy.path), self._npy.part.open("wb") as stream:
                np.save(stream, rows, allow_pickle=False)
            done.append(self._npy.commit())
        return done
