"""Which videos a study is of, and what each one's table is called."""

from __future__ import annotations

import csv
import glob
import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from pyfaceau.actions.manifest import check_manifest
from pyfaceau.errors import InputError
from pyfaceau.features.interval import parse_interval

VIDEO_SUFFIXES = frozenset(
    ".3gp .asf .avi .flv .m2ts .m4v .mkv .mov .mp4 .mpeg .mpg .mts .mxf .ogv .ts .vob .webm .wmv"
    .split()
)  # fmt: skip
"""What is taken for a video when a folder is searched; a file that is named is always taken."""

LONGEST = 180
"""Bytes of a file name; longer ones are cut and get a checksum."""

_OWN_COLUMNS = ("video", "subject", "session", "neutral")
_UNSAFE = re.compile(r'[\x00-\x1f\x7f%<>:"|?*\\/\udc80-\udcff]|^\.+$|[. ]$|^ ')


@dataclass(frozen=True)
class StudyVideo:
    """One video of a study.

    Attributes
    ----------
    source : Path
        The file, absolute.
    name : str
        Path within the study, with ``/``; the table is ``FOLDER/<name>.csv``.
    subject, session : str
        Who and when; empty where not known.
    neutral : str
        Interval with a neutral face, such as ``"2.0-4.0"`` seconds; empty for none.
    extra : mapping
        The manifest's other columns.
    """

    source: Path
    name: str
    subject: str = ""
    session: str = ""
    neutral: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)


def safe_name(parts: Iterable[str]) -> str:
    """Return a path that is fit for any file system and stays inside the folder it is put in.

    Parameters
    ----------
    parts : iterable of str
        Names of folders, then of the file.

    Returns
    -------
    str
        The names joined by ``/``; what a file system or terminal may choke on is written as
        ``%XX``, as in an address, and so is ``%`` itself: different paths stay different.
    """
    return "/".join(_safe_part(part) for part in parts)


def find_videos(arguments: Sequence[str], out: Path) -> list[StudyVideo]:
    """Find the videos that a command's arguments stand for.

    Parameters
    ----------
    arguments : sequence of str
        Files, folders (searched to the bottom), patterns with ``*``, ``**``, ``?`` or ``[...]``,
        and manifests: CSV files with a column ``video`` (paths from the manifest's folder), any of
        ``subject``, ``session``, ``neutral``, and others that are carried along.
    out : Path
        The study's output folder, which is not searched.

    Returns
    -------
    list of StudyVideo
        Sorted by source, each source once; what a manifest says of one wins. Names may coincide,
        see `distinct`.

    Raises
    ------
    InputError
        If an argument stands for no video, or a manifest is not one.
    """
    found: dict[Path, StudyVideo] = {}
    for argument in arguments:
        path = Path(argument)
        if path.is_dir():
            videos = _in_folder(path, out)
        elif path.suffix.lower() == ".csv" and path.is_file():
            videos = _in_manifest(path)
        elif path.exists() or not glob.has_magic(argument):
            videos = [StudyVideo(_absolute(path), path.name)]
        else:
            videos = _in_pattern(argument, out)
        if not videos:
            raise InputError(f"VIDEOS: expected videos, got none by {argument!r}")
        for video in videos:
            if video.source not in found or video.subject or video.extra or video.neutral:
                found[video.source] = video
    return [found[source] for source in sorted(found)]


def distinct(videos: Sequence[StudyVideo], taken: Mapping[str, Path]) -> list[StudyVideo]:
    """Give videos names that no two share.

    Parameters
    ----------
    videos : sequence of StudyVideo
        As from `find_videos`.
    taken : mapping
        Names that the study has given, to which source.

    Returns
    -------
    list of StudyVideo
        In order. A video keeps the name that the study has given it; another's name is only taken
        over where that source is gone. Where two would have one name, both get as many of the
        folders above them as it takes.
    """
    held = {source: name for name, source in taken.items()}
    sources = {video.source for video in videos}
    blocked = {name for name, source in taken.items() if source in sources or source.exists()}
    deeper: Counter[Path] = Counter()
    while True:
        names = {v.source: held.get(v.source) or _name(v, deeper[v.source]) for v in videos}
        uses = Counter(os.path.normcase(name) for name in names.values())
        clashing = [
            video
            for video in videos
            if video.source not in held
            and (uses[os.path.normcase(names[video.source])] > 1 or names[video.source] in blocked)
            and deeper[video.source] < len(video.source.parts)
        ]
        if not clashing:
            break
        deeper.update(video.source for video in clashing)
    return [_renamed(video, names[video.source]) for video in videos]


def _name(video: StudyVideo, more: int) -> str:
    """Return a video's name with some of the folders above it."""
    count = len(Path(video.name).parts) + more
    parts = video.source.parts[1:] if count >= len(video.source.parts) else video.source.parts
    return safe_name(parts[-count:])


def _renamed(video: StudyVideo, name: str) -> StudyVideo:
    return StudyVideo(video.source, name, video.subject, video.session, video.neutral, video.extra)


def _safe_part(part: str) -> str:
    def escape(match: re.Match[str]) -> str:
        return "".join(f"%{byte:02X}" for byte in os.fsencode(match[0]))

    safe = _UNSAFE.sub(escape, part)
    if len(safe.encode("utf-8", "surrogateescape")) <= LONGEST:
        return safe
    suffix = Path(part).suffix[:10]
    digest = hashlib.sha256(os.fsencode(part)).hexdigest()[:16]
    kept = safe.encode("utf-8")[: LONGEST - 40].decode("utf-8", "ignore")
    return f"{kept}~{digest}{_UNSAFE.sub('_', suffix)}"


def _absolute(path: Path) -> Path:
    """Return an absolute path without ``..``; links keep their names."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - Path.resolve would follow links


def _in_folder(folder: Path, out: Path) -> list[StudyVideo]:
    videos = []
    for root, folders, files in os.walk(folder):
        here = Path(root)
        folders[:] = [name for name in folders if _absolute(here / name) != _absolute(out)]
        videos += [
            StudyVideo(_absolute(here / name), str((here / name).relative_to(folder)))
            for name in files
            if Path(name).suffix.lower() in VIDEO_SUFFIXES and not name.startswith(".")
        ]
    return videos


def _in_pattern(pattern: str, out: Path) -> list[StudyVideo]:
    base = Path(pattern)
    while glob.has_magic(str(base)):
        base = base.parent
    inside = _absolute(out)
    paths = [Path(name) for name in glob.glob(pattern, recursive=True)]  # noqa: PTH207 - any base
    return [
        StudyVideo(_absolute(path), str(path.relative_to(base)))
        for path in paths
        if path.is_file() and inside not in _absolute(path).parents
    ]


def _in_manifest(path: Path) -> list[StudyVideo]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _rows(path, file)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: not a readable manifest: {error}") from error


def _rows(path: Path, file: IO[str]) -> list[StudyVideo]:
    table = csv.DictReader(file, restkey="", restval="")
    if not table.fieldnames or "video" not in table.fieldnames:
        raise InputError(f"{path}: expected a column 'video', got {table.fieldnames}")
    videos: dict[Path, StudyVideo] = {}
    for row in table:
        where = f"{path}, line {table.line_num}"
        if not row["video"] or "" in row:
            raise InputError(f"{where}: expected a video and a value per column, got {row}")
        if row.get("neutral"):
            try:
                parse_interval(row["neutral"])
            except InputError as error:
                raise InputError(f"{where}: {error}") from None
        source = _absolute(path.parent / row["video"])
        if source in videos:
            raise InputError(f"{where}: {row['video']!r} stands there twice")
        folder = _absolute(path.parent)
        name = source.relative_to(folder) if folder in source.parents else source.name
        own = {key: row.get(key, "") for key in _OWN_COLUMNS[1:]}
        extra = {key: value for key, value in row.items() if key not in _OWN_COLUMNS}
        try:
            extra = check_manifest(extra, folder)
        except InputError as error:
            raise InputError(f"{where}: {error}") from None
        videos[source] = StudyVideo(source, str(name), **own, extra=extra)
    return list(videos.values())
