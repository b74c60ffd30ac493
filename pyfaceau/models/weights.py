"""Finding model files, and refusing those that are not what their name says.

A file whose base name stands in the manifest must be that very file, wherever it lies: its size is
compared every time, its SHA-256 once per process and state of the file. Own models go under own
names.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path, PurePosixPath

from pyfaceau.errors import WeightsError
from pyfaceau.models.manifest import WeightFile, manifest
from pyfaceau.resources import checkout

RECEIPTS = "installed.json"
"""File of the weights folder in which the installer notes what `receipts` returns."""

_verified: set[tuple[str, int, int, str]] = set()
_opened: set[Path] = set()


def weights_dir() -> Path:
    """Return the folder of model files.

    Returns
    -------
    Path
        ``$PYFACEAU_WEIGHTS_DIR``, else the checkout's ``weights/``, else the user's data folder;
        need not exist.
    """
    configured = os.environ.get("PYFACEAU_WEIGHTS_DIR")
    if configured:
        return Path(configured).expanduser()
    top = checkout()
    if top is not None:
        return top / "weights"
    import platformdirs

    return Path(platformdirs.user_data_dir("pyfaceau", appauthor=False)) / "weights"


def find(name: str | Path) -> Path | None:
    """Return the path of a model file or folder, or None where it is not installed.

    Parameters
    ----------
    name : str or Path
        Base name, path within the weights folder, or any path. The weights folder is looked at
        first for what is named as in the manifest; a path that does not exist stands for its base
        name within the weights folder.

    Returns
    -------
    Path or None
        An existing file, verified where the manifest knows its name, or an existing folder, of
        which the files that are there are verified.

    Raises
    ------
    WeightsError
        If the file, or one of the folder, is truncated or altered.
    """
    asked = Path(name).expanduser()
    file = manifest().get(asked.name)
    if file is None:
        candidates = [asked, weights_dir() / asked, weights_dir() / asked.name]
        found = next((path for path in candidates if path.exists()), None)
        if found is not None and found.is_file():
            _opened.add(found)
        return None if found is None else _verify_folder(found)
    installed = weights_dir() / file.path
    candidates = [asked.with_name(file.name), installed]
    if asked.as_posix() in (file.path, file.name, *file.aliases):
        candidates.reverse()
    path = next((path for path in candidates if path.is_file()), None)
    return None if path is None else _verify(path, file)


def locate(name: str | Path) -> Path:
    """Return the path of a model file or folder that must be there.

    Parameters
    ----------
    name : str or Path
        As for `find`.

    Returns
    -------
    Path
        An existing file, verified where the manifest knows its name, or an existing folder.

    Raises
    ------
    WeightsError
        If it is missing, truncated or altered; the message names it and the command that mends it.
    """
    path = find(name)
    if path is None:
        file = manifest().get(Path(name).name)
        if file is not None:
            raise _error(weights_dir() / file.path, file, "missing")
        raise WeightsError(
            f"{name}: no such model file or folder, nor {Path(name).name} in {weights_dir()}; "
            "install the known ones with: pyfaceau weights install"
        )
    return path


def resolve(list_file: str | Path, entry: str) -> Path:
    """Return the path of a part that a model's list file names.

    List files name their parts by the folders of OpenFace's source tree. A part is looked for at
    that place, beside the list file, one folder up, and by base name within the weights folder.

    Parameters
    ----------
    list_file : str or Path
        The list file.
    entry : str
        The part as the list file writes it, such as ``"pdms/In-the-wild_aligned_PDM_68.txt"``.

    Returns
    -------
    Path
        An existing file, verified where the manifest knows its name.

    Raises
    ------
    WeightsError
        If it is missing, truncated or altered, or the entry leads out of the folder.
    """
    part = PurePosixPath(entry.replace("\\", "/"))
    if not part.parts or part.is_absolute() or ".." in part.parts:
        raise WeightsError(f"{list_file}: expected parts below its folder, got {entry!r}")
    folder = Path(list_file).parent
    for path in (folder / part, folder / part.name, folder.parent / part.name):
        if path.is_file():
            return locate(path)
    return locate(part.name)


def problem(path: Path, file: WeightFile) -> str:
    """Say what is wrong with an installed model file.

    Parameters
    ----------
    path : Path
        Where it lies.
    file : WeightFile
        What it should be.

    Returns
    -------
    str
        A clause; empty where the file is what it should be.
    """
    try:
        status = path.stat()
        if file.size is not None and status.st_size != file.size:
            how = "truncated" if status.st_size < file.size else "altered"
            return f"{how}, expected {file.size:,} bytes, got {status.st_size:,}"
        expected = file.sha256 or receipts()["checksums"].get(file.path)
        if expected is None:
            return "of unknown origin, no checksum is published for it"
        state = (str(path.resolve()), status.st_size, status.st_mtime_ns, expected)
        if state not in _verified:
            if sha256(path) != expected:
                return "altered, its SHA-256 is not the expected one"
            _verified.add(state)
    except FileNotFoundError:
        return "missing"
    except OSError as error:
        return f"unreadable, {error.strerror or error}"
    return ""


def sha256(path: Path) -> str:
    """Return a file's SHA-256.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    str
        64 lower-case hexadecimal digits.
    """
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def receipts() -> dict[str, dict[str, str]]:
    """Return what the installer noted in the weights folder.

    Returns
    -------
    dict
        ``accepted``: fingerprint of the text by licence key; ``checksums``: SHA-256 by path of
        files that came without a published one.

    Raises
    ------
    WeightsError
        If the notes are damaged.
    """
    path = weights_dir() / RECEIPTS
    notes: dict[str, dict[str, str]] = {"accepted": {}, "checksums": {}}
    try:
        if path.is_file():
            notes.update(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise WeightsError(f"{path}: damaged; delete it, then: pyfaceau weights install") from error
    return notes


def opened() -> frozenset[Path]:
    """Return the model files that were found since `forget_opened`, for the record.

    Returns
    -------
    frozenset of Path
        Files, those of folders too.
    """
    return frozenset(_opened)


def forget_opened() -> None:
    """Begin a new record of model files."""
    _opened.clear()


def _verify(path: Path, file: WeightFile) -> Path:
    """Return `path`, or refuse it."""
    trouble = problem(path, file)
    if trouble:
        raise _error(path, file, trouble)
    _opened.add(path)
    return path


def _verify_folder(folder: Path) -> Path:
    """Return `folder` unless a file is not what the manifest says of a folder of this name."""
    for file in manifest().files:
        path = folder.parent / file.path
        if PurePosixPath(file.path).parts[0] == folder.name and path.exists():
            _verify(path, file)
    return folder


def _error(path: Path, file: WeightFile, trouble: str) -> WeightsError:
    """Return the error that names the file and the command that mends it."""
    installed = path.resolve() == (weights_dir() / file.path).resolve()
    mend = "mend it with" if installed else "delete this copy and install the true one with"
    trust = " --unchecked" if file.sha256 is None else ""  # without it the command would refuse
    return WeightsError(f"{path}: {trouble}; {mend}: pyfaceau weights install {file.set}{trust}")
