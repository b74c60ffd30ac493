"""The table that OpenFace's FeatureExtraction writes, column for column and digit for digit."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from pyfaceau.errors import InputError, check_array
from pyfaceau.output.table_formats import SEPARATOR, SUFFIXES, check_format, store
from pyfaceau.output.target import Target, writing
from pyfaceau.types import AU_INTENSITIES, AU_PRESENCES, SPLIT_UNITS, FrameResult

if TYPE_CHECKING:
    import pandas as pd
    from typing_extensions import Self

Columns = tuple[tuple[str, str], ...]
"""Name and number format of each column."""

META: Columns = (
    ("frame", "%d"),
    ("face_id", "%d"),
    ("timestamp", "%.3f"),
    ("confidence", "%.2f"),
    ("success", "%d"),
)


def _numbered(names: str, count: int, number_format: str) -> Columns:
    """Return columns name_0, name_1, ... of each name in turn."""
    return tuple((f"{name}_{i}", number_format) for name in names.split() for i in range(count))


GROUPS: dict[str, Columns] = {
    "gaze": tuple((f"gaze_{eye}_{axis}", "%.6f") for eye in (0, 1) for axis in "xyz")
    + tuple((f"gaze_angle_{axis}", "%.3f") for axis in "xy")
    + _numbered("eye_lmk_x eye_lmk_y eye_lmk_X eye_lmk_Y eye_lmk_Z", 56, "%.1f"),
    "pose": tuple((f"pose_T{axis}", "%.1f") for axis in "xyz")
    + tuple((f"pose_R{axis}", "%.3f") for axis in "xyz"),
    "2Dfp": _numbered("x y", 68, "%.1f"),
    "3Dfp": _numbered("X Y Z", 68, "%.1f"),
    "pdmparams": tuple((f"p_{name}", "%.3f") for name in ("scale", "rx", "ry", "rz", "tx", "ty"))
    + _numbered("p", 34, "%.3f"),
    "aus": tuple((name, "%.2f") for name in AU_INTENSITIES + AU_PRESENCES),
}
"""Groups of columns, in the table's order, under the names of OpenFace's options.

``gaze`` holds gaze and eye landmarks, ``aus`` intensities (0 to 5), then presences (0 or 1).
"""


@dataclass(frozen=True)
class Layout:
    """What differs between the tables of OpenFace's three programs.

    Attributes
    ----------
    meta : tuple of (str, str)
        Columns that every row begins with.
    units : tuple of (str, str)
        Columns of the action units.
    at_end : bool
        Action units are known when the whole video is; otherwise each row brings its own.
    groups : dict
        Columns of the other groups.
    values : mapping
        Where a group's values are not OpenFace's: what gives them.
    """

    meta: Columns
    units: Columns
    at_end: bool = False
    groups: dict[str, Columns] = field(default_factory=lambda: GROUPS)
    values: Mapping[str, Callable[[FrameResult], list[float]]] = field(default_factory=dict)


_SINGLE = tuple((name, "%.2f") for name in AU_INTENSITIES) + tuple(
    (name, "%.1f") for name in AU_PRESENCES
)

VIDEO = Layout(META, GROUPS["aus"], at_end=True)
"""One face in a video."""
SPLIT = Layout(META, GROUPS["aus"] + tuple((name, "%.2f") for name in SPLIT_UNITS), at_end=True)
"""One face in a video, and its halves."""
SEVERAL = Layout(META, _SINGLE)
"""Several faces in a video."""
PICTURE = Layout((("face", "%d"), ("confidence", "%.3f")), _SINGLE)
"""Faces of a still picture."""


def selected_groups(groups: Iterable[str] | None) -> tuple[str, ...]:
    """Return a selection of groups in the table's order.

    Parameters
    ----------
    groups : iterable of str, or None
        Keys of `GROUPS`; None or none at all selects all of them, as in OpenFace. ``'meta'``
        selects nothing but what every row begins with, so that alone it gives a table of that.

    Returns
    -------
    tuple of str
        Keys of `GROUPS`; ``'meta'`` where there is none of them.

    Raises
    ------
    InputError
        If a name is unknown.
    """
    asked = set(groups or GROUPS)
    unknown = asked - {"meta", *GROUPS}
    if unknown:
        raise InputError(f"groups: expected some of {', '.join(GROUPS)}, got {min(unknown)!r}")
    return tuple(name for name in GROUPS if name in asked) or ("meta",)


def _gaze_values(result: FrameResult) -> list[float]:
    eyes, gaze, eyes_3d = result.face.eyes, result.gaze, result.eyes_3d
    if eyes is None or gaze is None or eyes_3d is None:
        raise InputError("result: expected eyes and gaze as in the first row, got None")
    points = np.concatenate([eyes[0].points, eyes[1].points])
    return [
        *gaze.vectors.ravel().tolist(),
        *gaze.angles.tolist(),
        *points.T.ravel().tolist(),
        *eyes_3d.T.ravel().tolist(),
    ]


def _pose_values(result: FrameResult) -> list[float]:
    return [*result.pose.translation.tolist(), *result.pose.rotation.tolist()]


def _points_values(result: FrameResult) -> list[float]:
    values: list[float] = result.face.landmarks.T.ravel().tolist()
    return values


def _points_3d_values(result: FrameResult) -> list[float]:
    values: list[float] = result.landmarks_3d.T.ravel().tolist()
    return values


def _shape_values(result: FrameResult) -> list[float]:
    shape = result.face.shape
    return [*shape.params_global.tolist(), *shape.params_local.tolist()]


def _unit_values(result: FrameResult) -> list[float]:
    units = result.action_units
    if units is None:
        raise InputError("result: expected action units, got None")
    return [*units.intensities.tolist(), *units.presences.tolist()]


_META_VALUES: dict[str, Callable[[FrameResult], float]] = {
    "frame": lambda result: result.index + 1,
    "face": lambda result: result.face_id,
    "face_id": lambda result: result.face_id,
    "timestamp": lambda result: result.timestamp,
    "confidence": lambda result: result.face.confidence,
    "success": lambda result: result.face.success,
}


_VALUES: dict[str, Callable[[FrameResult], list[float]]] = {
    "meta": lambda _: [],
    "gaze": _gaze_values,
    "pose": _pose_values,
    "2Dfp": _points_values,
    "3Dfp": _points_3d_values,
    "pdmparams": _shape_values,
    "aus": _unit_values,
}


class OpenFaceCSV:
    """Writes one video's table; used in a ``with`` statement, left by `finish`.

    Rows are spooled to an unnamed file in the target's folder, because the action units are known
    at the end only; `finish` merges them in and gives the file its name. Leaving the ``with``
    statement in any other way leaves nothing behind.

    Parameters
    ----------
    path : str or Path
        The table, .csv, .csv.gz or .parquet (which needs pyarrow); the numbers are the same in
        each. Its folder is made if it does not exist. A file of that name is replaced.
    groups : iterable of str, or None
        Keys of `GROUPS`; None or none at all for all. Gaze is left out of the table if the first
        frame written has none.
    layout : Layout
        `VIDEO`, `SEVERAL` or `PICTURE`.
    header : {'openface', 'plain'}
        Between the cells of a text table, the header's too: a comma and a space, as OpenFace has
        it, or a comma, for readers that take column names as they stand.

    Attributes
    ----------
    path : Path
        The table.
    rows : int
        Rows written so far.
    groups : tuple of str
        The groups of the table; before the first row, those that may come.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    """

    def __init__(
        self,
        path: str | Path,
        groups: Iterable[str] | None = None,
        layout: Layout = VIDEO,
        *,
        header: str = "openface",
    ) -> None:
        self.path = Path(path)
        self.rows = 0
        self._layout = layout
        self._plain = header == "plain"
        known = {*layout.groups, "aus", "meta"}
        self.groups = tuple(name for name in selected_groups(groups) if name in known)
        self._values = {**_VALUES, **layout.values}
        self._target = Target(path, SUFFIXES)
        check_format(self.path, self._target.suffix)
        with writing(self.path):
            self._spool: IO[str] = tempfile.TemporaryFile(  # noqa: SIM115 - closed by __exit__
                "w+", encoding="ascii", newline="\n", dir=self.path.parent
            )

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns; before the first row, of all that may come."""
        return tuple(name for name, _ in self._columns(self.groups))

    def _columns(self, groups: Iterable[str]) -> Columns:
        """Return names and formats of the columns of groups."""
        kinds = {**self._layout.groups, "meta": (), "aus": self._layout.units}
        return self._layout.meta + tuple(column for name in groups for column in kinds[name])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(OSError):  # a full disk has already been reported
            self._spool.close()
        self._target.discard()

    def write(self, result: FrameResult) -> None:
        """Append a frame's row.

        Parameters
        ----------
        result : FrameResult
            The frame; where the layout has action units at the end, its own are not used, see
            `finish`.

        Raises
        ------
        OutputError
            If the disk is full.
        """
        if not self.rows:
            self._begin(result)
        values = [_META_VALUES[name](result) for name, _ in self._layout.meta]
        for group in self._body:
            values += self._values[group](result)
        with writing(self.path):
            self._spool.write(self._format % tuple(values))
        self.rows += 1

    def _begin(self, first: FrameResult) -> None:
        """Fix the columns by what the first frame has."""
        if first.gaze is None:
            self.groups = tuple(name for name in self.groups if name != "gaze")
        self._body = tuple(n for n in self.groups if n != "aus" or not self._layout.at_end)
        self._format = SEPARATOR.join(form for _, form in self._columns(self._body)) + "\n"

    def finish(
        self,
        intensities: Any = None,
        presences: Any = None,
        split: Any = None,
        *,
        partial: bool = False,
    ) -> Path:
        """Give the table its action units and its name.

        Parameters
        ----------
        intensities : (rows, 17) float64
            In the order of `AU_INTENSITIES`, after the whole-video pass; not used where the group
            ``aus`` is not selected or each row has brought its own.
        presences : (rows, 18) float64
            In the order of `AU_PRESENCES`.
        split : (rows, 71) float64, optional
            In the order of `SPLIT_UNITS`, of layout `SPLIT`; NaN where a half has no values.
        partial : bool
            The video was not read to its end: take the name ``NAME.partial.csv``.

        Returns
        -------
        Path
            The file that now exists.

        Raises
        ------
        InputError
            If the action units are not those of the rows written.
        OutputError
            If the file cannot be written.
        """
        extra = None
        if "aus" in self.groups and self._layout.at_end:
            r = check_array("intensities", intensities, (self.rows, len(AU_INTENSITIES)), "f8")
            c = check_array("presences", presences, (self.rows, len(AU_PRESENCES)), "f8")
            extra = np.hstack([r, c])
            if self._layout is SPLIT:
                shape = (self.rows, len(SPLIT_UNITS))
                extra = np.hstack([extra, check_array("split", split, shape, "f8", finite=False)])
        with writing(self.path):
            part, suffix = self._target.part, self._target.suffix
            store(part, suffix, self.columns, self._rows(extra), self._plain)
        return self._target.commit(partial)

    def _rows(self, extra: Any) -> Iterator[str]:
        """Yield the rows, each row's action units behind it."""
        tail = "".join(SEPARATOR + form for _, form in self._layout.units) + "\n"
        self._spool.seek(0)
        if extra is None:
            yield from self._spool
            return
        for line, values in zip(self._spool, extra, strict=True):
            yield line[:-1] + tail % tuple(values.tolist())


def read_table(path: str | Path) -> pd.DataFrame:
    """Read a table as it stands in a file that `OpenFaceCSV` has written; see `pyfaceau.read`.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    DataFrame
        One row per frame, column names without spaces.
    """
    import pandas as pd

    if Path(path).suffix.lower() == ".parquet":
        return pd.read_parquet(path)
    return pd.read_csv(path, skipinitialspace=True)
