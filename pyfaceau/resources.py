"""Where the package's own data files are: beside it in a checkout, inside it in a wheel."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from pyfaceau.errors import InputError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_PACKAGE = Path(__file__).resolve().parent


def checkout() -> Path | None:
    """Return the top folder of the checkout that this package runs from.

    Returns
    -------
    Path or None
        None where the package was installed from a wheel.
    """
    top = _PACKAGE.parent
    is_checkout = (top / "pyproject.toml").is_file() and (top / "weights/manifest.toml").is_file()
    return top if is_checkout else None


def resource(name: str) -> Path:
    """Return the path of a data file that belongs to the package.

    Parameters
    ----------
    name : str
        Path within the checkout, such as ``"configs/default.toml"``.

    Returns
    -------
    Path
        In the checkout's folder, or in the wheel's copy of it; need not exist.
    """
    return (checkout() or _PACKAGE / "_data") / name


def read_toml(path: str | Path) -> dict[str, Any]:
    """Read a TOML file.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    dict
        Its contents.

    Raises
    ------
    InputError
        If it cannot be read or is no TOML.
    """
    try:
        with Path(path).open("rb") as file:
            table: dict[str, Any] = tomllib.load(file)
            return table
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a TOML file: {error}") from error
