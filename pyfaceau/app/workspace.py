"""Where the app keeps what is uploaded: folders that die with whom they belong to.

One folder for the server, in it one for each browser session, open to this user alone. A session's
folder goes when its browser has gone, the server's when the server ends in whatever way; what a
crash of everything at once (a power cut) leaves is removed at the next start.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pyfaceau.errors import InputError

_NAME = "pyfaceau-app-"
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Workspace:
    """The server's folder.

    Attributes
    ----------
    root : Path
        The folder.
    """

    root: Path

    @classmethod
    def create(cls, parent: str | Path | None = None) -> Workspace:
        """Make a folder for this process, and remove those of processes that are no more.

        Parameters
        ----------
        parent : str or Path, optional
            Where; the system's temporary folder if not given.

        Returns
        -------
        Workspace
            Empty, open to this user alone.
        """
        base = Path(parent or tempfile.gettempdir())
        remove_left_over(base)
        return cls(Path(tempfile.mkdtemp(prefix=f"{_NAME}{os.getpid()}-", dir=base)))

    def session(self, identity: str) -> Path:
        """Return the folder of a browser session, made where it is new.

        Parameters
        ----------
        identity : str
            The session's number; nothing of what a user typed.

        Returns
        -------
        Path
            The folder.

        Raises
        ------
        InputError
            If `identity` could name another place.
        """
        if not re.fullmatch(r"[A-Za-z0-9-]{1,64}", identity):
            raise InputError(f"identity: expected letters, digits and dashes, got {identity!r}")
        folder = self.root / identity
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    def forget(self, identity: str) -> None:
        """Remove the folder of a session and all that is in it.

        Parameters
        ----------
        identity : str
            The session's number.
        """
        shutil.rmtree(self.root / identity, ignore_errors=True)

    def remove(self) -> None:
        """Remove everything."""
        shutil.rmtree(self.root, ignore_errors=True)


def keep(stream: IO[bytes], folder: Path, stem: str) -> Path:
    """Copy an upload into a session's folder, under a name that owes nothing to its own.

    Parameters
    ----------
    stream : binary file
        The upload.
    folder : Path
        The session's folder.
    stem : str
        What the file is called here; what kind it is, its content says.

    Returns
    -------
    Path
        The file.
    """
    path = folder / stem
    stream.seek(0)
    with path.open("wb") as target:
        shutil.copyfileobj(stream, target, _CHUNK)
    return path


def remove_left_over(base: Path) -> None:
    """Remove folders of servers that no longer run.

    Parameters
    ----------
    base : Path
        The folder in which they were made.
    """
    for folder in base.glob(f"{_NAME}*"):
        number = re.match(rf"{_NAME}(\d+)-", folder.name)
        if number is not None and not _runs(int(number[1])):
            shutil.rmtree(folder, ignore_errors=True)


def _runs(process: int) -> bool:
    """Return whether there is a process of this number; where that cannot be told, yes."""
    if os.name == "nt":  # there, signal 0 would end it
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
