"""Reading tables, ours and OpenFace's, into one form."""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pyfaceau.errors import InputError
from pyfaceau.output.table_formats import INTEGERS

if TYPE_CHECKING:
    import pandas as pd

_MARKS = ({"frame", "confidence", "success"}, {"face", "confidence"})
_ALWAYS = {"frame", "face", "face_id", "timestamp", "confidence", "success"}
_ROWS = 4000
_NO_NUMBER = ["", "nan", "-nan", "-nan(ind)"]


def read(path: str | Path, columns: Callable[[str], object] | None = None) -> pd.DataFrame:
    """Read a table written by pyfaceau or by OpenFace.

    Parameters
    ----------
    path : str or Path
        A ``.csv``, ``.csv.gz`` or ``.parquet`` file of a video, of several faces in a video, or of
        a still picture.
    columns : callable, optional
        Tells of a column's name whether it is wanted; all are if not given. A long video's table
        takes memory by its columns. Those that say of whom and when a row is (frame, face, face_id,
        timestamp, confidence, success) and the last column, which tells whether a row is complete,
        are always read.

    Returns
    -------
    DataFrame
        In the order of the file. The index is ``frame``, from 1, and repeats where a frame has
        several faces; of a still picture it is ``face``, from 0. Columns have OpenFace's names
        without spaces; face_id and success are int64, all others float64.

    Raises
    ------
    InputError
        If the file cannot be read, is cut off, or is no such table.
    """
    path = Path(path)
    table = _load(path, columns)
    table.columns = [str(name).strip() for name in table.columns]
    if not any(marks <= set(table.columns) for marks in _MARKS):
        raise InputError(
            f"{path}: expected a table of pyfaceau or OpenFace with columns frame or face, "
            f"confidence, ...; got {_listed(list(table.columns))}"
        )
    typed = _typed(path, table)
    indexed: pd.DataFrame = typed.set_index("frame" if "frame" in typed else "face")
    return indexed


def _load(path: Path, wanted: Callable[[str], object] | None) -> pd.DataFrame:
    """Return the table as it stands in the file, whatever it is."""
    import pandas as pd

    if path.is_dir():
        raise InputError(f"{path}: expected a table, got a folder")
    try:
        if path.suffix.lower() == ".parquet":
            return pd.read_parquet(path, columns=_parquet_columns(path, wanted))
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # cells without a column
            return _csv(path, wanted)
    except ImportError:
        raise InputError(
            f"{path}: Parquet needs pyarrow: pip install 'pyfaceau[parquet]'"
        ) from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None
    except (ValueError, EOFError, zlib.error, pd.errors.ParserWarning) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path}: cannot be read as a table: {reason}") from None


def _csv(path: Path, wanted: Callable[[str], object] | None) -> pd.DataFrame:
    """Return a CSV, read in pieces: a long video's takes little more memory than its numbers.

    Of a choice of columns, too, every row is looked at whole.
    """
    import pandas as pd

    with pd.read_csv(
        path, index_col=False, skipinitialspace=True, keep_default_na=False,
        na_values=_NO_NUMBER, chunksize=_ROWS,
    ) as reader:  # fmt: skip
        names: list[str] = []
        pieces: list[NDArray[Any]] = []
        for piece in reader:
            names = _chosen(list(piece.columns), wanted)
            pieces.append(piece[names].to_numpy())
    table: pd.DataFrame = pd.DataFrame(_joined(pieces), columns=names, copy=False)
    return table


def _joined(pieces: list[NDArray[Any]]) -> NDArray[Any]:
    """Return pieces one below the other; each goes as soon as it is copied."""
    rows, columns = sum(map(len, pieces)), pieces[0].shape[1]
    whole = np.empty((rows, columns), np.result_type(*pieces))
    while pieces:
        piece = pieces.pop()
        whole[rows - len(piece) : rows] = piece
        rows -= len(piece)
    return whole


def _parquet_columns(path: Path, wanted: Callable[[str], object] | None) -> list[str] | None:
    """Return the names to be read, as they stand in the file; None for all."""
    if wanted is None:
        return None
    from pyarrow import parquet

    return _chosen(list(parquet.read_schema(path).names), wanted)


def _chosen(names: list[str], wanted: Callable[[str], object] | None) -> list[str]:
    if wanted is None:
        return names
    return [
        name
        for name in names
        if name.strip() in _ALWAYS or wanted(name.strip()) or name == names[-1]
    ]


def _typed(path: Path, table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with numbers of the right kind, or refuse it."""
    for name in table.columns:
        column = table[name]
        if column.dtype.kind not in "iufb" and len(column):
            for text in column:
                if not _is_number(text):
                    raise InputError(
                        f"{path}: column {name}: expected numbers, got {str(text)[:40]!r}"
                    )
    whole = [name for name in table.columns if name in INTEGERS]
    broken = table[[*whole, table.columns[-1]]].isna().any(axis=1)
    if broken.any():
        raise InputError(f"{path}: row {int(broken.argmax()) + 1} is not complete")
    fractions = [name for name in whole if (table[name] % 1 != 0).any()]
    if fractions:
        raise InputError(f"{path}: column {fractions[0]}: expected whole numbers")
    typed: pd.DataFrame = table.astype(
        {n: "int64" if n in INTEGERS else "float64" for n in table.columns}
    )
    return typed


def _is_number(value: object) -> bool:
    if isinstance(value, bool):  # a column of True and False among numbers
        return True
    try:
        float(str(value))
    except ValueError:
        return False
    return True


def _listed(names: list[str]) -> str:
    """Return the first few names in words."""
    return ", ".join(name[:20] for name in names[:5]) + (", ..." if len(names) > 5 else "")
