"""Checksums that tell whether two runs would give the same."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import platform
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from pyfaceau.config import Config
from pyfaceau.models import weights

_LIBRARIES = ("av", "numba", "numpy", "onnxruntime", "opencv-python-headless")

_known: dict[tuple[str, str], str] = {}


def stamp(path: Path) -> str:
    """Return a text that is another one after any change to a file, without reading it.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    str
        Size, time of the last change to content, and to anything.
    """
    status = path.stat()
    return f"{status.st_size}:{status.st_mtime_ns}:{status.st_ctime_ns}"


def file_sha256(path: Path) -> str:
    """Return a file's SHA-256, read once per process and `stamp`.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    key = str(path), stamp(path)
    if key not in _known:
        _known[key] = weights.sha256(path)
    return _known[key]


def digest(value: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a mapping, whatever the order of its keys.

    Parameters
    ----------
    value : mapping
        JSON.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def config_table(config: Config) -> dict[str, Any]:
    """Return settings as JSON has them.

    Parameters
    ----------
    config : Config
        The settings.

    Returns
    -------
    dict
        Every setting.
    """
    return dataclasses.asdict(config)


def environment() -> dict[str, str]:
    """Return what else a result may hang on, for the record.

    Returns
    -------
    dict
        Python, platform and versions of the libraries that compute.
    """
    found = {"python": sys.version.split()[0], "platform": platform.platform()}
    for name in _LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "unknown"
    return found
