"""What a table was made from and by: a file beside it, or a study's ledger."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pyfaceau import __version__
from pyfaceau.config import Config
from pyfaceau.errors import InputError, OutputError
from pyfaceau.models import weights
from pyfaceau.study.identity import config_table, digest, environment, file_sha256
from pyfaceau.study.ledger import FILE, Ledger

ENDING = ".provenance.json"
"""Behind the table's name without its suffix."""

_SUFFIXES = (".csv.gz", ".csv", ".parquet")


@dataclass(frozen=True)
class Provenance:
    """Where a table comes from.

    Attributes
    ----------
    version : str
        Of this package.
    profile : str
        Its name, where one was given; else empty.
    config : dict
        All settings.
    video : str
        Name of the video, without its folder.
    video_sha256, table_sha256 : str
        Checksums; the video's is empty for a folder of pictures.
    frames : int
        Rows of the table.
    weights : dict
        Model files: name to SHA-256.
    command : str
        The command line, where there was one; names without their folders.
    environment : dict
        Python, platform, libraries.
    """

    version: str
    profile: str
    config: dict[str, Any]
    video: str
    video_sha256: str
    table_sha256: str
    frames: int
    weights: dict[str, str] = field(default_factory=dict)
    command: str = ""
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def settings(self) -> Config:
        """The settings."""
        return Config.from_table(self.config)

    @property
    def line(self) -> str:
        """All of it that fits a line: version, profile, checksums, command."""
        parts = [
            f"pyfaceau {self.version}",
            f"profile {self.profile}" if self.profile else "",
            f"settings {digest(self.config)[:12]}",
            f"{len(self.weights)} model files {digest(self.weights)[:12]}" if self.weights else "",
            f"video {self.video_sha256[:12]}" if self.video_sha256 else "",
            f"table {self.table_sha256[:12]}",
            self.command,
        ]
        return ", ".join(filter(None, parts))


def provenance_path(table: Path) -> Path:
    """Return where a table's provenance is written.

    Parameters
    ----------
    table : Path
        The table.

    Returns
    -------
    Path
        The file beside it.
    """
    suffix = next((end for end in _SUFFIXES if table.name.lower().endswith(end)), "")
    return table.with_name(table.name[: len(table.name) - len(suffix)] + ENDING)


def write_provenance(
    table: Path, video: Path, config: Config, profile: str, frames: int, command: Sequence[str] = ()
) -> Path:
    """Write what a table was made from, beside it.

    Parameters
    ----------
    table, video : Path
        Both as they lie there now.
    config : Config
        The settings.
    profile : str
        Its name.
    frames : int
        Rows of the table.
    command : sequence of str
        The command line.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    found = Provenance(
        __version__,
        profile,
        json.loads(json.dumps(config_table(config))),
        video.name,
        file_sha256(video) if video.is_file() else "",
        file_sha256(table),
        frames,
        {path.name: file_sha256(path) for path in sorted(weights.opened()) if path.is_file()},
        " ".join(Path(word).name if "/" in word else word for word in command),
        environment(),
    )
    path = provenance_path(table)
    try:
        path.write_text(json.dumps(asdict(found), indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from None
    return path


def find_provenance(table: Path) -> Provenance | None:
    """Return what is known of a table's origin: from the file beside it, or from its study.

    Parameters
    ----------
    table : Path
        The table.

    Returns
    -------
    Provenance or None
        None where there is neither.

    Raises
    ------
    InputError
        If the file beside it is not as `write_provenance` wrote it, or the table was changed since.
    """
    path = provenance_path(table)
    found = _read(path) if path.is_file() else _of_study(table)
    if found is not None and found.table_sha256 != file_sha256(table):
        raise InputError(f"{table}: was changed since it was made, or is of another run")
    return found


def check_video(found: Provenance | None, table: Path, video: Path) -> None:
    """Refuse a video that is known not to be the table's.

    Parameters
    ----------
    found : Provenance or None
        The table's.
    table, video : Path
        Both.

    Raises
    ------
    InputError
        If the video's checksum is another one.
    """
    if found is None or not found.video_sha256 or not video.is_file():
        return
    if file_sha256(video) != found.video_sha256:
        raise InputError(f"{video}: is not the video of {table.name}, which is {found.video}")


def _read(path: Path) -> Provenance:
    try:
        return Provenance(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        raise InputError(
            f"{path}: expected what a table was made from, got something else"
        ) from None


def _of_study(table: Path) -> Provenance | None:
    """Return what the ledger of a table's study knows of it."""
    table = table.absolute()
    folder = next((parent for parent in table.parents if (parent / FILE).is_file()), None)
    if folder is None:
        return None
    name = table.relative_to(folder).as_posix().removesuffix(".csv")
    with Ledger(folder) as ledger:
        row: Mapping[str, Any] | None = next((r for r in ledger.rows() if r["name"] == name), None)
        if row is None or not row["table_sha256"]:
            return None
        return Provenance(
            row["version"],
            "",
            ledger.config(row["config_sha256"]),
            row["source"].name,
            row["input_sha256"],
            row["table_sha256"],
            row["frames"],
            ledger.weights().get(row["weights_sha256"], {}),
            "pyfaceau study run",
        )
