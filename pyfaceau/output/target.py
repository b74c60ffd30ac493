"""Where output goes: a temporary name while it grows, its own name when it is whole."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pyfaceau.errors import OutputError


def unwritable(path: Path, error: OSError) -> OutputError:
    """Return the exception for a file that the system refuses.

    Parameters
    ----------
    path : Path
        The file.
    error : OSError
        What the system says.

    Returns
    -------
    OutputError
        To be raised.
    """
    return OutputError(f"{path}: cannot be written: {error.strerror or error}")


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn the system's refusals in a ``with`` statement into those of this package.

    Parameters
    ----------
    path : Path
        What is being written.

    Raises
    ------
    OutputError
        In place of OSError.
    """
    try:
        yield
    except OSError as error:
        raise unwritable(path, error) from None


class Target:
    """A file that has its name when it is whole, or is marked as partial, or does not exist.

    Parameters
    ----------
    path : str or Path
        The file; its folder is made if it does not exist. A file of that name is replaced at the
        end.
    suffixes : tuple of str
        What its name may end in, in small letters.

    Attributes
    ----------
    path : Path
        The file.
    suffix : str
        The one of `suffixes` that it ends in.

    Raises
    ------
    OutputError
        If the name ends otherwise or the folder cannot be written.
    """

    def __init__(self, path: str | Path, suffixes: tuple[str, ...]) -> None:
        self.path = Path(path)
        fitting = [suffix for suffix in suffixes if self.path.name.lower().endswith(suffix)]
        if not fitting:
            raise OutputError(f"{self.path}: expected a name that ends in {' or '.join(suffixes)}")
        self.suffix = fitting[0]
        with writing(self.path):
            if self.path.is_dir():
                raise OutputError(f"{self.path}: expected a file to write, got a folder")
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.part.unlink(missing_ok=True)

    @property
    def part(self) -> Path:
        """The name while it grows."""
        return self.path.with_name(f".{self.path.name}.{os.getpid()}.part")

    @property
    def partial_path(self) -> Path:
        """The name of what stays unfinished: ``NAME.partial.SUFFIX``."""
        length = len(self.suffix)
        name = self.path.name
        return self.path.with_name(f"{name[:-length]}.partial{name[-length:]}")

    def commit(self, partial: bool = False) -> Path:
        """Give what has grown its name.

        Parameters
        ----------
        partial : bool
            It is not whole: take the name `partial_path`.

        Returns
        -------
        Path
            The file that now exists.

        Raises
        ------
        OutputError
            If the system refuses; nothing is left then.
        """
        target = self.partial_path if partial else self.path
        try:
            with writing(target):
                self.part.replace(target)
        finally:
            self.discard()
        if not partial:
            self.partial_path.unlink(missing_ok=True)
        return target

    def discard(self) -> None:
        """Remove what has grown and has no name yet."""
        with suppress(OSError):
            self.part.unlink(missing_ok=True)


class FolderTarget(Target):
    """A folder of files that has its name when all of them are there.

    Parameters
    ----------
    path : str or Path
        The folder. One of that name is replaced at the end, if it holds nothing but such files.
    names : str
        Regular expression of the files' names.

    Raises
    ------
    OutputError
        If `path` is a file or holds other files, or the folder above cannot be written.
    """

    def __init__(self, path: str | Path, names: str) -> None:
        self.path = Path(path)
        self.suffix = ""
        self._names = re.compile(names)
        with writing(self.path):
            self._check(self.path)
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.discard()
            self.part.mkdir()

    @property
    def partial_path(self) -> Path:
        """The name of what stays unfinished: ``NAME.partial``."""
        return self.path.with_name(f"{self.path.name}.partial")

    def commit(self, partial: bool = False) -> Path:
        """Give the folder its name.

        Parameters
        ----------
        partial : bool
            It is not whole: take the name `partial_path`.

        Returns
        -------
        Path
            The folder that now exists.

        Raises
        ------
        OutputError
            If the system refuses, or a folder of that name holds other files; nothing is left
            then.
        """
        target = self.partial_path if partial else self.path
        try:
            with writing(target):
                self._replace(target)
                if not partial and self.partial_path.exists():
                    self._check(self.partial_path)
                    shutil.rmtree(self.partial_path)
        finally:
            self.discard()
        return target

    def discard(self) -> None:
        """Remove what has grown and has no name yet."""
        shutil.rmtree(self.part, ignore_errors=True)

    def _replace(self, target: Path) -> None:
        """Put the grown folder in the place of one that may be there."""
        self._check(target)
        if not target.exists():
            self.part.rename(target)
            return
        old = target.with_name(f".{target.name}.{os.getpid()}.old")
        target.rename(old)
        self.part.rename(target)
        shutil.rmtree(old)

    def _check(self, folder: Path) -> None:
        """Refuse to replace what this program has not written."""
        if not folder.exists():
            return
        if not folder.is_dir():
            raise OutputError(f"{folder}: expected a folder to write, got a file")
        for path in folder.iterdir():
            if not self._names.fullmatch(path.name):
                raise OutputError(f"{folder}: holds other files ({path.name}): name a new folder")
