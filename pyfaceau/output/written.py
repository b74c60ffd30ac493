"""What a tool has written into a folder, so that it can clear away that and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from pyfaceau.errors import OutputError
from pyfaceau.output.target import Target, writing

NAME = "written.json"


class WrittenFiles:
    """The list of files that a tool wrote below a folder.

    A file that was changed since, or put there by others, is never deleted.

    Parameters
    ----------
    folder : str or Path
        The folder.
    place : str
        Folder of the list within it.
    """

    def __init__(self, folder: str | Path, place: str = "logs") -> None:
        self.folder = Path(folder)
        self._list = self.folder / place / NAME

    def note(self, paths: Iterable[Path]) -> None:
        """Add files to the list.

        Parameters
        ----------
        paths : iterable of Path
            Below the folder.

        Raises
        ------
        OutputError
            If the list cannot be read or written.
        """
        known = self._read()
        for path in paths:
            name = path.relative_to(self.folder).as_posix()
            known[name] = self._mark(path)
        target = Target(self._list, (".json",))
        with writing(self._list):
            target.part.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
        target.commit()

    def clean(self) -> tuple[list[Path], list[Path]]:
        """Delete the files of the list, and the list.

        Returns
        -------
        deleted : list of Path
            Files that are gone.
        kept : list of Path
            Files that were changed since they were written.

        Raises
        ------
        OutputError
            If the list cannot be read or a file cannot be deleted.
        """
        deleted, kept = [], []
        for name, mark in self._read().items():
            path = self.folder / name
            if not path.is_file() or path.is_symlink():
                continue
            if self._mark(path) != mark:
                kept.append(path)
                continue
            with writing(path):
                path.unlink()
            deleted.append(path)
        with writing(self._list):
            self._list.unlink(missing_ok=True)
        return deleted, kept

    def _read(self) -> dict[str, list[int]]:
        if not self._list.is_file():
            return {}
        try:
            known = json.loads(self._list.read_text(encoding="utf-8"))
            safe = all(
                isinstance(mark, list) and _is_below(name) for name, mark in dict(known).items()
            )
        except (OSError, ValueError, TypeError) as error:
            raise OutputError(f"{self._list}: damaged, delete it by hand ({error})") from None
        if not safe:
            raise OutputError(f"{self._list}: damaged, it names files outside; delete it by hand")
        return dict(known)

    @staticmethod
    def _mark(path: Path) -> list[int]:
        status = path.stat()
        return [status.st_size, status.st_mtime_ns]


def _is_below(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and "\\" not in name
