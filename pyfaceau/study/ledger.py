"""The ledger: what was done to every video of a study, in an SQLite file."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from pyfaceau.errors import InputError, OutputError
from pyfaceau.study.inputs import StudyVideo

if TYPE_CHECKING:
    from typing_extensions import Self

FILE = "study.sqlite"
"""Name of the ledger in the output folder."""

LOCK = "study.lock"
"""Name of the file that a running study holds."""

FORMAT = 1
"""Version of the tables below."""

STATES = ("pending", "running", "tracked", "done", "failed")
"""Waiting; at work; features kept, action units wait for the subject's other videos; ended."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS videos (
    name TEXT PRIMARY KEY,      -- the table is <name>.csv
    source BLOB NOT NULL,       -- absolute path of the video
    subject TEXT NOT NULL DEFAULT '',
    session TEXT NOT NULL DEFAULT '',
    neutral TEXT NOT NULL DEFAULT '',   -- declared interval, seconds
    extra TEXT NOT NULL DEFAULT '{}',   -- the manifest's other columns, JSON
    state TEXT NOT NULL DEFAULT 'pending',
    why TEXT NOT NULL DEFAULT 'new',    -- why it was, or is to be, worked on
    kind TEXT NOT NULL DEFAULT '',      -- of the error: input video output memory time worker error
    error TEXT NOT NULL DEFAULT '',
    input_sha256 TEXT, input_stamp TEXT,
    config_sha256 TEXT, version TEXT, weights_sha256 TEXT,
    calibration TEXT,           -- 'running median', 'neutral 2.0-4.0' or 'baseline SUBJECT SHA-256'
    frames INTEGER, tracked INTEGER, failed INTEGER,
    reasons TEXT,               -- of the failed frames, JSON: reason to count
    codec TEXT, rotation INTEGER, fps REAL, width INTEGER, height INTEGER,
    usable REAL,                -- share of frames fit for use
    quality TEXT,               -- JSON: flag to count of frames
    warnings TEXT,              -- why the video should not be trusted
    table_sha256 TEXT, table_size INTEGER,
    features INTEGER NOT NULL DEFAULT 0, -- whether a feature file was kept
    started TEXT, seconds REAL, host TEXT
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS videos_by_state ON videos (state);
CREATE INDEX IF NOT EXISTS videos_by_source ON videos (source);
CREATE TABLE IF NOT EXISTS configs (sha256 TEXT PRIMARY KEY, config TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS weights (sha256 TEXT PRIMARY KEY, files TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS runs (
    id INTEGER PRIMARY KEY,
    started TEXT NOT NULL, finished TEXT,
    outcome TEXT,               -- 'complete', 'failures', 'interrupted'; null: at work or killed
    host TEXT, pid INTEGER, executor TEXT, workers INTEGER,
    options TEXT,               -- JSON
    environment TEXT            -- JSON: Python, platform, versions of the libraries
);
"""

_RESULTS = frozenset(
    "state why kind error input_sha256 input_stamp config_sha256 version weights_sha256 "
    "calibration frames tracked failed reasons codec rotation fps width height usable quality "
    "warnings table_sha256 table_size features started seconds host".split()
)


class Ledger:
    """A study's ledger; used in a ``with`` statement.

    Only one run writes (see `Lock`), any number of others may read meanwhile.

    Parameters
    ----------
    folder : Path
        The study's output folder.
    create : bool
        Make folder and ledger where there are none.

    Raises
    ------
    InputError
        If there is no ledger and none is to be made, or it is of another format.
    OutputError
        If it cannot be opened.
    """

    def __init__(self, folder: Path, create: bool = False) -> None:
        self.path = folder / FILE
        if not create and not self.path.is_file():
            raise InputError(f"{folder}: expected the output folder of a study, got no {FILE}")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(self.path, timeout=30, isolation_level=None)
            self._db.row_factory = sqlite3.Row
            self._prepare()
        except (OSError, sqlite3.Error) as error:
            raise OutputError(f"{self.path}: the ledger cannot be opened: {error}") from error

    def _prepare(self) -> None:
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version not in (0, FORMAT):
            raise InputError(f"{self.path}: expected a ledger of format {FORMAT}, got {version}")
        if version == 0:
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.executescript(_SCHEMA)
            self._db.execute(f"PRAGMA user_version = {FORMAT}")
        # A killed process loses nothing; after a power cut the last rows may be old, never wrong.
        self._db.execute("PRAGMA synchronous = NORMAL")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._db.close()

    def rows(self, state: str | None = None) -> list[dict[str, Any]]:
        """Return the videos.

        Parameters
        ----------
        state : str, optional
            Only those in this state.

        Returns
        -------
        list of dict
            By name; `source` is a Path, JSON columns are parsed.
        """
        where, values = (" WHERE state = ?", (state,)) if state else ("", ())
        found = self._db.execute(f"SELECT * FROM videos{where} ORDER BY name", values)  # noqa: S608
        return [_parsed(row) for row in found]

    def row(self, name: str) -> dict[str, Any]:
        """Return a video.

        Parameters
        ----------
        name : str
            Its name in the study.

        Returns
        -------
        dict
            As of `rows`.

        Raises
        ------
        InputError
            If there is none of that name.
        """
        row = self._db.execute("SELECT * FROM videos WHERE name = ?", (name,)).fetchone()
        if row is None:
            raise InputError(f"name: expected a video of the study, got {name!r}")
        return _parsed(row)

    def counts(self) -> dict[str, int]:
        """Return the number of videos in each state.

        Returns
        -------
        dict
            All of `STATES`.
        """
        found = self._db.execute("SELECT state, count(*) FROM videos GROUP BY state")
        return {**dict.fromkeys(STATES, 0), **dict(found.fetchall())}

    def names(self) -> dict[str, Path]:
        """Return the names that were given, and to which source.

        Returns
        -------
        dict
            Name to source.
        """
        found = self._db.execute("SELECT name, source FROM videos")
        return {name: Path(os.fsdecode(source)) for name, source in found}

    def enter(self, videos: Sequence[StudyVideo]) -> None:
        """Note videos, or what is new about them.

        Parameters
        ----------
        videos : sequence of StudyVideo
            With names that no two share.
        """
        self._many(
            "INSERT INTO videos (name, source, subject, session, neutral, extra) "
            "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET source = excluded.source, "
            "subject = excluded.subject, session = excluded.session, neutral = excluded.neutral, "
            "extra = excluded.extra",
            [
                (v.name, os.fsencode(v.source), v.subject, v.session, v.neutral, _text(v.extra))
                for v in videos
            ],
        )

    def update(self, changes: Mapping[str, Mapping[str, Any]]) -> None:
        """Set columns of videos, all or none.

        Parameters
        ----------
        changes : mapping
            Name to columns and values.

        Raises
        ------
        OutputError
            If the ledger cannot be written.
        """
        groups: dict[tuple[str, ...], list[tuple[Any, ...]]] = {}
        for name, values in changes.items():
            columns = tuple(sorted(_RESULTS & values.keys()))
            row = (*(_column(values[column]) for column in columns), name)
            groups.setdefault(columns, []).append(row)
        for columns, rows in groups.items():
            settings = ", ".join(f"{column} = ?" for column in columns)
            self._many(f"UPDATE videos SET {settings} WHERE name = ?", rows)  # noqa: S608 - names

    def remember(self, table: str, digest: str, value: Mapping[str, Any]) -> None:
        """Note what a checksum of ``configs`` or ``weights`` stands for.

        Parameters
        ----------
        table : {'configs', 'weights'}
            Which of them.
        digest : str
            The checksum.
        value : mapping
            What it is of.
        """
        self._many(f"INSERT OR IGNORE INTO {table} VALUES (?, ?)", [(digest, _text(value))])  # noqa: S608

    def weights(self) -> dict[str, dict[str, str]]:
        """Return the sets of model files that were used.

        Returns
        -------
        dict
            Checksum of the set to checksums by path.
        """
        found = self._db.execute("SELECT sha256, files FROM weights")
        return {digest: json.loads(files) for digest, files in found}

    def config(self, digest: str) -> dict[str, Any]:
        """Return the settings that a checksum stands for.

        Parameters
        ----------
        digest : str
            The checksum.

        Returns
        -------
        dict
            As `pyfaceau.config.Config.from_table` takes them.
        """
        found = self._db.execute("SELECT config FROM configs WHERE sha256 = ?", (digest,))
        settings: dict[str, Any] = json.loads(found.fetchone()[0])
        return settings

    def begin_run(self, **columns: Any) -> int:
        """Note that a run begins.

        Parameters
        ----------
        **columns : Any
            Of table ``runs``.

        Returns
        -------
        int
            The run's number.
        """
        names = ", ".join(columns)
        marks = ", ".join("?" for _ in columns)
        values = [_column(value) for value in columns.values()]
        self._many(f"INSERT INTO runs ({names}) VALUES ({marks})", [values])  # noqa: S608
        (number,) = self._db.execute("SELECT max(id) FROM runs").fetchone()
        return int(number)

    def end_run(self, number: int, finished: str, outcome: str) -> None:
        """Note that a run has ended.

        Parameters
        ----------
        number : int
            As from `begin_run`.
        finished : str
            When.
        outcome : {'complete', 'failures', 'interrupted'}
            How.
        """
        self._many(
            "UPDATE runs SET finished = ?, outcome = ? WHERE id = ?", [(finished, outcome, number)]
        )

    def last_run(self) -> dict[str, Any] | None:
        """Return the last run, or None before the first.

        Returns
        -------
        dict or None
            Columns of table ``runs``.
        """
        row = self._db.execute("SELECT * FROM runs ORDER BY id DESC LIMIT 1").fetchone()
        return dict(row) if row else None

    def _many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        try:
            with closing(self._db.cursor()) as cursor:
                cursor.execute("BEGIN IMMEDIATE")
                try:
                    cursor.executemany(statement, rows)
                    cursor.execute("COMMIT")
                except BaseException:
                    if self._db.in_transaction:
                        cursor.execute("ROLLBACK")
                    raise
        except sqlite3.Error as error:
            raise OutputError(f"{self.path}: the ledger cannot be written: {error}") from error


class Lock:
    """Held while a run is at work in a folder; ends with its process, however that ends.

    Parameters
    ----------
    folder : Path
        The output folder, which exists.

    Raises
    ------
    OutputError
        If another run holds it, or the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / LOCK
        try:
            self._db = sqlite3.connect(path, timeout=0, isolation_level=None)
            self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._db.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error as error:
            if "locked" in str(error):
                raise OutputError(f"{folder}: another run is at work in this folder") from None
            raise OutputError(f"{path}: cannot be written: {error}") from None

    def release(self) -> None:
        """Let others work in the folder."""
        self._db.close()


def _parsed(row: sqlite3.Row) -> dict[str, Any]:
    values = dict(row)
    values["source"] = Path(os.fsdecode(values["source"]))
    for column in ("extra", "reasons", "quality"):
        values[column] = json.loads(values[column] or "{}")
    return values


def _text(value: Mapping[str, Any]) -> str:
    return json.dumps(value, sort_keys=True)


def _column(value: Any) -> Any:
    """Return a value as SQLite takes it: mappings as JSON, text without halves of characters."""
    if isinstance(value, Mapping):
        return _text(value)
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value
