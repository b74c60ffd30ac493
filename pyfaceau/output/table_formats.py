"""How a table is stored, by the ending of its name: text, compressed text or Parquet."""

from __future__ import annotations

import gzip
import importlib.util
import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

from pyfaceau.errors import OutputError

SUFFIXES = (".csv", ".csv.gz", ".parquet")
"""Endings of a table's name."""

SEPARATOR = ", "
"""Between the values of a row, in text."""

INTEGERS = frozenset({"frame", "face_id", "face", "success"})
"""Columns of whole numbers; all others are measured."""

_BATCH = 1000


def check_format(path: Path, suffix: str) -> None:
    """Refuse a format that cannot be written here.

    Parameters
    ----------
    path : Path
        The table.
    suffix : str
        One of `SUFFIXES`.

    Raises
    ------
    OutputError
        If it is Parquet and pyarrow is not installed.
    """
    if suffix == ".parquet" and importlib.util.find_spec("pyarrow") is None:
        raise OutputError(f"{path}: Parquet needs pyarrow: pip install 'pyfaceau[parquet]'")


def store(
    path: Path, suffix: str, columns: Sequence[str], rows: Iterable[str], plain: bool = False
) -> None:
    """Write a table to disk, in memory that does not grow with it.

    Parameters
    ----------
    path : Path
        The file.
    suffix : str
        One of `SUFFIXES`: what it is to be.
    columns : sequence of str
        Names of the columns.
    rows : iterable of str
        Values as text, separated by `SEPARATOR`, each row with its line end.
    plain : bool
        Separate by a comma alone, in the header too; of text tables.

    Raises
    ------
    OSError
        If the disk is full.
    """
    if suffix == ".parquet":
        _store_parquet(path, columns, iter(rows))
        return
    text: Iterable[str] = chain([SEPARATOR.join(columns) + "\n"], rows)
    if plain:
        text = (line.replace(SEPARATOR, ",") for line in text)
    lines = (line.encode("ascii") for line in text)
    with path.open("wb") as file:
        if suffix == ".csv.gz":  # no name, no time: the same table gives the same bytes
            with gzip.GzipFile("", "wb", 6, file, 0) as packed:
                packed.writelines(lines)
        else:
            file.writelines(lines)
        file.flush()
        os.fsync(file.fileno())


def _store_parquet(path: Path, columns: Sequence[str], rows: Iterator[str]) -> None:
    """Write the rows in groups of `_BATCH`, as numbers."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds: list[Any] = [pa.int64() if name in INTEGERS else pa.float64() for name in columns]
    schema = pa.schema(list(zip(columns, kinds, strict=True)))
    with pq.ParquetWriter(path, schema) as writer:
        while batch := list(islice(rows, _BATCH)):
            values = np.array([row.split(SEPARATOR) for row in batch], np.float64).T
            arrays = [
                pa.array(column).cast(kind) for column, kind in zip(values, kinds, strict=True)
            ]
            writer.write_table(pa.table(arrays, schema=schema))
