"""All tables of a study as one, keyed by subject and session."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from pyfaceau.errors import InputError, OutputError
from pyfaceau.study.files import TABLE, output_path
from pyfaceau.study.ledger import Ledger

KEYS = ("subject", "session", "video")
"""Columns before the manifest's own and those of the tables."""

_WHOLE = frozenset({"frame", "face_id", "success"})
_CHUNK = 2000


def export(out: Path, target: Path, header: str = "plain") -> int:
    """Write all finished tables of a study into one file.

    Parameters
    ----------
    out : Path
        The study's output folder.
    target : Path
        ``.csv``, or ``.parquet`` with the extra ``[parquet]``; gets its name when it is whole.
    header : {'plain', 'openface'}
        A comma between names and between values, or a comma and a space.

    Returns
    -------
    int
        Rows: one per frame, by subject, session, video and frame. Columns that a video's table
        does not have are empty for it.

    Raises
    ------
    InputError
        If there is no such study, nothing is finished in it, or target or header is another.
    OutputError
        If the target cannot be written.
    """
    if header not in ("openface", "plain"):
        raise InputError(f"header: expected 'openface' or 'plain', got {header!r}")
    separator = ", " if header == "openface" else ","
    suffix = target.suffix.lower()
    if suffix not in (".csv", ".parquet"):
        raise InputError(f"{target}: expected a name that ends in .csv or .parquet")
    with Ledger(out) as ledger:
        rows = ledger.rows("done")
    rows.sort(key=lambda row: (row["subject"], row["session"], row["name"]))
    if not rows:
        raise InputError(f"{out}: expected a video that is done, got none")
    extra = sorted({column for row in rows for column in row["extra"]})
    columns: dict[str, None] = {}
    for row in rows:
        columns.update(dict.fromkeys(_header(output_path(out, row["name"], TABLE))))
    clash = columns.keys() & {*KEYS, *extra}
    if clash:
        raise InputError(f"{out}: column {min(clash)!r} is in the manifest and in the tables")
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    write = _write_parquet
    if suffix == ".csv":
        write = partial(_write_csv, separator)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        count = write(part, [*KEYS, *extra], list(columns), _lines(out, rows, extra))
        part.replace(target)
    except OSError as error:
        raise OutputError(f"{target}: cannot be written: {error.strerror or error}") from None
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return count


def _header(table: Path) -> list[str]:
    try:
        with table.open(encoding="ascii") as file:
            return [name.strip() for name in file.readline().split(",")]
    except OSError as error:
        raise InputError(f"{table}: cannot be read: {error.strerror or error}") from None


def _lines(
    out: Path, rows: Sequence[Mapping[str, Any]], extra: Sequence[str]
) -> Iterator[tuple[list[str], dict[str, str]]]:
    """Yield the keys and the values of each frame."""
    for row in rows:
        keys = [row["subject"], row["session"], row["name"]]
        keys += [row["extra"].get(column, "") for column in extra]
        table = output_path(out, row["name"], TABLE)
        names = _header(table)
        with table.open(encoding="ascii") as file:
            next(file)
            for line in file:
                yield keys, dict(zip(names, _cells(line), strict=True))


def _cells(line: str) -> list[str]:
    """Return a row's cells, in whichever dialect."""
    return line.rstrip("\n").replace(" ", "").split(",")


def _write_csv(
    separator: str,
    part: Path,
    keys: list[str],
    columns: list[str],
    lines: Iterator[tuple[list[str], dict[str, str]]],
) -> int:
    count = 0
    with part.open("w", encoding="utf-8", newline="") as file:
        file.write(separator.join(map(_quoted, (*keys, *columns))) + "\n")
        for head, values in lines:
            cells = (*head, *(values.get(column, "") for column in columns))
            file.write(separator.join(map(_quoted, cells)) + "\n")
            count += 1
    return count


def _quoted(cell: str) -> str:
    """Return a cell as CSV has it; by hand, as csv puts no space behind a comma."""
    if any(mark in cell for mark in ',"\r\n'):
        return '"' + cell.replace('"', '""') + '"'
    return cell


def _write_parquet(
    part: Path,
    keys: list[str],
    columns: list[str],
    lines: Iterator[tuple[list[str], dict[str, str]]],
) -> int:
    try:
        pa = importlib.import_module("pyarrow")
        parquet = importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise InputError(
            "parquet: expected the extra [parquet]; install it: pip install 'pyfaceau[parquet]'"
        ) from None
    kinds = [(key, pa.string()) for key in keys]
    kinds += [(name, pa.int64() if name in _WHOLE else pa.float64()) for name in columns]
    schema = pa.schema(kinds)
    count = 0
    with parquet.ParquetWriter(part, schema) as writer:
        for chunk in _chunks(lines):
            heads = list(zip(*(head for head, _ in chunk), strict=True))
            arrays = [pa.array(values, pa.string()) for values in heads]
            for name in columns:
                kind = int if name in _WHOLE else float
                texts = [values.get(name) for _, values in chunk]
                numbers = [None if text is None else kind(text) for text in texts]
                arrays.append(pa.array(numbers, schema.field(name).type))
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
            count += len(chunk)
    return count


def _chunks(
    lines: Iterator[tuple[list[str], dict[str, str]]],
) -> Iterator[list[tuple[list[str], dict[str, str]]]]:
    chunk = []
    for line in lines:
        chunk.append(line)
        if len(chunk) == _CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
