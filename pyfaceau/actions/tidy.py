"""Rows of frozen dataclasses as tables, a row each."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyfaceau.errors import InputError, OutputError
from pyfaceau.output.table_formats import SUFFIXES, check_format
from pyfaceau.output.target import Target, writing

if TYPE_CHECKING:
    import pandas as pd

DECIMALS = 4


def as_table(rows: Sequence[Any], kind: type) -> pd.DataFrame:
    """Return rows as a table.

    Parameters
    ----------
    rows : sequence
        Values of one frozen dataclass.
    kind : type
        That dataclass, for its columns where there is no row.

    Returns
    -------
    DataFrame
        A column per field; what is true, false or unknown is 1, 0 or missing.
    """
    import pandas as pd

    names = [field.name for field in fields(kind)]
    table: pd.DataFrame = pd.DataFrame(
        [[getattr(row, name) for name in names] for row in rows], columns=names
    )
    for field in fields(kind):
        if str(field.type) == "bool | None":
            table[field.name] = table[field.name].astype("boolean").astype("Int64")
    return table


def write_table(table: pd.DataFrame, path: Path) -> Path:
    """Write a tidy table; numbers of four decimals, what is missing empty.

    Parameters
    ----------
    table : DataFrame
        What to write.
    path : Path
        ``.csv``, ``.csv.gz`` or ``.parquet``; gets its name when it is whole.

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    target = Target(path, SUFFIXES)
    check_format(path, target.suffix)
    kept = table.copy()
    fractions = kept.select_dtypes("float").columns
    kept[fractions] = kept[fractions].round(DECIMALS) + 0.0  # no -0.0
    try:
        with writing(path):
            if target.suffix == ".parquet":
                kept.to_parquet(target.part, index=False)
            else:
                packed: Any = None
                if target.suffix == ".csv.gz":
                    packed = {"method": "gzip", "mtime": 0}
                kept.to_csv(target.part, index=False, lineterminator="\n", compression=packed)
        return target.commit()
    finally:
        target.discard()


def read_tidy(path: Path, needs: Sequence[str]) -> pd.DataFrame:
    """Read a table that `write_table` wrote.

    Parameters
    ----------
    path : Path
        The table.
    needs : sequence of str
        Columns that it must have.

    Returns
    -------
    DataFrame
        The table; text that is missing is empty.

    Raises
    ------
    InputError
        If it cannot be read or lacks a column.
    """
    import pandas as pd

    if path.suffix == ".parquet" and importlib.util.find_spec("pyarrow") is None:
        raise OutputError(f"{path}: Parquet needs pyarrow: pip install 'pyfaceau[parquet]'")
    try:
        table = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None
    except ValueError as error:
        raise InputError(f"{path}: cannot be read: {' '.join(str(error).split())}") from None
    missing = [name for name in needs if name not in table]
    if missing:
        raise InputError(f"{path}: expected a column {missing[0]!r}, got {list(table)[:8]}")
    texts = table.select_dtypes(["object", "string"]).columns
    table[texts] = table[texts].fillna("")
    return table
