"""Annotated faces from dlib XML, folders of ``.pts`` and ``.npz``; what is wrong is listed."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
from numpy.typing import NDArray

from pyfaceau.errors import InputError
from pyfaceau.media.picture import SUFFIXES
from pyfaceau.training.layouts import OUTER_EYES
from pyfaceau.types import Float32, UInt8

PICTURES = (*SUFFIXES, ".ppm")


@dataclass(frozen=True, eq=False)
class FaceSample:
    """A face in a picture, with its points.

    Attributes
    ----------
    picture : Path
        The picture's file.
    points : (68, 2) float32
        Pixels, the first pixel's centre at 0; NaN where a point is not annotated.
    box : (float, float, float, float) or None
        Left, top, width, height of the face, pixels, where the data have one.
    person : str
        Who it is; the empty string where nobody knows.
    source : str
        The file that the annotation is from.
    """

    picture: Path
    points: Float32
    box: tuple[float, float, float, float] | None = None
    person: str = ""
    source: str = ""


@dataclass(frozen=True, eq=False)
class FaceData:
    """Annotated faces, and what could not be used.

    Attributes
    ----------
    samples : tuple of FaceSample
        In the order of the files.
    problems : tuple of str
        A line for each annotation that was left out or is doubtful.
    """

    samples: tuple[FaceSample, ...]
    problems: tuple[str, ...] = ()


def read_faces(*paths: Path) -> FaceData:
    """Read annotated faces.

    Parameters
    ----------
    *paths : Path
        Each a dlib XML file of the iBUG 300-W layout (boxes with 68 parts, first pixel 0); a folder
        of ``.pts`` files beside pictures of the same stem (first pixel 1, as iBUG writes them); or
        an ``.npz`` with ``names`` and ``points`` (or ``ibug68``) (n, 68, 2) and, if known,
        ``identity``, with the pictures in the folder of the file's stem or its own.

    Returns
    -------
    FaceData
        Usable faces; missing pictures, wrong counts of points, points or boxes outside the picture
        and duplicates are among the problems.

    Raises
    ------
    InputError
        If a path is none of these, or nothing in them is usable.
    """
    samples: list[FaceSample] = []
    problems: list[str] = []
    for path in paths:
        for found in _reader(path)(path):
            if isinstance(found, str):
                problems.append(found)
            else:
                samples.append(found)
    kept = list(_checked(samples, problems))
    if not kept:
        first = f"; the first problem: {problems[0]}" if problems else ""
        raise InputError(
            f"data: expected annotated faces in {', '.join(map(str, paths))}, got none{first}"
        )
    return FaceData(tuple(kept), tuple(problems))


def split_by_person(
    samples: Sequence[FaceSample], share: float, seed: int = 0
) -> tuple[list[FaceSample], list[FaceSample]]:
    """Split faces in two, no person in both.

    Parameters
    ----------
    samples : sequence of FaceSample
        Faces; those of no known person count as one person per picture.
    share : float
        Share of the people in the second part, 0 to 1.
    seed : int
        Decides who.

    Returns
    -------
    first : list of FaceSample
        The greater part, in their order.
    second : list of FaceSample
        Those of the people held back.

    Raises
    ------
    InputError
        If there is one person only, or `share` leaves a part empty.
    """
    if not 0 < share < 1:
        raise InputError(f"share: expected a number between 0 and 1, got {share}")
    who = [sample.person or str(sample.picture) for sample in samples]
    people = sorted(set(who))
    if len(people) < 2:
        raise InputError(
            f"data: expected faces of two or more people to hold some back, got {len(people)}"
        )
    count = min(max(1, round(share * len(people))), len(people) - 1)
    held = {people[i] for i in np.random.default_rng(seed).permutation(len(people))[:count]}
    first = [sample for sample, person in zip(samples, who, strict=True) if person not in held]
    second = [sample for sample, person in zip(samples, who, strict=True) if person in held]
    return first, second


def only_points(samples: Sequence[FaceSample], trusted: Sequence[int]) -> list[FaceSample]:
    """Return faces with the points that are not to be trusted taken off.

    Parameters
    ----------
    samples : sequence of FaceSample
        Faces.
    trusted : sequence of int
        Points that stay, 0 to 67.

    Returns
    -------
    list of FaceSample
        The others' coordinates are NaN.
    """
    lost = np.setdiff1d(np.arange(68), np.asarray(trusted, int))
    result = []
    for sample in samples:
        points = sample.points.copy()
        points[lost] = np.nan
        result.append(replace(sample, points=points))
    return result


def _reader(path: Path) -> Callable[[Path], Iterator[FaceSample | str]]:
    """Return what reads a path."""
    if path.is_dir():
        return _read_pts
    readers = {".xml": _read_xml, ".npz": _read_npz}
    if not path.exists() or path.suffix.lower() not in readers:
        got = "another kind of file" if path.exists() else "nothing there"
        raise InputError(
            f"{path}: expected a dlib .xml, a folder of .pts files or an .npz, got {got}"
        )
    return readers[path.suffix.lower()]


def _read_xml(path: Path) -> Iterator[FaceSample | str]:
    try:
        root = ElementTree.parse(path).getroot()  # noqa: S314 (expat here expands no entities)
    except ElementTree.ParseError as error:
        raise InputError(f"{path}: expected dlib XML, got a file that is not: {error}") from error
    for image in root.iter("image"):
        picture = path.parent / image.get("file", "")
        for number, box in enumerate(image.iter("box")):
            where = f"{path}: {picture.name} box {number}"
            try:
                parts = {int(p.get("name", "")): _xy(p) for p in box.iter("part")}
                sides = [float(box.get(k, "")) for k in ("left", "top", "width", "height")]
            except ValueError:
                yield f"{where}: not all numbers are numbers"
                continue
            if sorted(parts) != list(range(68)):
                yield f"{where}: expected 68 points, got {len(parts)}"
                continue
            points = np.array([parts[i] for i in range(68)], np.float32)
            left, top, width, height = sides
            yield FaceSample(picture, points, (left, top, width, height), source=str(path))


def _xy(part: ElementTree.Element) -> tuple[float, float]:
    return float(part.get("x", "")), float(part.get("y", ""))


def _read_pts(folder: Path) -> Iterator[FaceSample | str]:
    pictures = {p.stem: p for p in sorted(folder.iterdir()) if p.suffix.lower() in PICTURES}
    for path in sorted(folder.glob("*.pts")):
        picture = pictures.get(path.stem)
        if picture is None:
            yield f"{path}: no picture of that name beside it"
            continue
        try:
            points = read_pts(path)
        except InputError as error:
            yield str(error)
            continue
        yield FaceSample(picture, points, source=str(path))


def read_pts(path: Path) -> Float32:
    """Read a ``.pts`` file of iBUG.

    Parameters
    ----------
    path : Path
        The file, whose first pixel is 1.

    Returns
    -------
    (68, 2) float32
        Pixels, the first 0.

    Raises
    ------
    InputError
        If it is no such file or holds another number of points.
    """
    text = path.read_text(encoding="ascii", errors="replace")
    inside = text.partition("{")[2].partition("}")[0]
    try:
        rows = [
            [float(word) for word in line.split()] for line in inside.split("\n") if line.strip()
        ]
        points = np.array(rows, np.float32)
    except ValueError as error:
        raise InputError(f"{path}: expected x and y on each line, got other text") from error
    if points.shape != (68, 2):
        raise InputError(f"{path}: expected 68 points, got {len(rows)}")
    return points - 1


def _read_npz(path: Path) -> Iterator[FaceSample | str]:
    try:
        with np.load(path, allow_pickle=False) as table:
            names = [str(name) for name in table["names"]]
            points = table["points" if "points" in table else "ibug68"].astype(np.float32)
            people = table["identity"] if "identity" in table else np.array([""] * len(names))
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: expected an .npz with names and points, got {error}") from error
    if points.shape != (len(names), 68, 2) or len(people) != len(names):
        raise InputError(
            f"{path}: expected points ({len(names)}, 68, 2) and as many identities, got "
            f"{points.shape} and {len(people)}"
        )
    folder = path.with_suffix("")
    for name, shape, person in zip(names, points, people, strict=True):
        picture = folder / name
        if not picture.exists():
            picture = path.parent / name
        yield FaceSample(picture, shape, person=str(person), source=f"{path}: {name}")


def _checked(samples: Sequence[FaceSample], problems: list[str]) -> Iterator[FaceSample]:
    """Yield what is usable; add to the problems."""
    seen: set[tuple[str, bytes]] = set()
    sizes: dict[Path, tuple[int, int] | None] = {}
    for sample in samples:
        where = f"{sample.source}: {sample.picture.name}"
        key = (str(sample.picture.resolve()), sample.points.tobytes())
        if sample.picture not in sizes:
            sizes[sample.picture] = _size(sample.picture)
        size = sizes[sample.picture]
        known = np.isfinite(sample.points).all(axis=1)
        if key in seen:
            problems.append(f"{where}: twice; the second is left out")
        elif size is None:
            reason = "cannot be read" if sample.picture.exists() else "is missing"
            problems.append(f"{where}: the picture {reason}")
        elif known.sum() < 10 or not known[list(OUTER_EYES)].all():
            problems.append(
                f"{where}: {known.sum()} points are numbers, of both eyes' outer corners"
            )
        else:
            seen.add(key)
            yield from _inside(sample, size, known, where, problems)


def load_picture(path: Path) -> UInt8 | None:
    """Read a picture as it is stored, points being of its stored pixels.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    (H, W, 3) uint8 or None
        BGR; None where it is missing or cannot be read.
    """
    if not path.is_file():
        return None
    data = np.fromfile(path, np.uint8)
    image = (
        cv2.imdecode(data, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION) if data.size else None
    )
    return None if image is None else image.astype(np.uint8, copy=False)


def _size(path: Path) -> tuple[int, int] | None:
    """Return width and height of a picture, None where it cannot be read."""
    image = load_picture(path)
    return None if image is None else (image.shape[1], image.shape[0])


def _inside(
    sample: FaceSample,
    size: tuple[int, int],
    known: NDArray[np.bool_],
    where: str,
    problems: list[str],
) -> Iterator[FaceSample]:
    """Yield a face that lies in its picture; note what reaches out of it."""
    limit = np.array(size) - 1
    outside = ((sample.points < 0) | (sample.points > limit)).any(axis=1) & known
    if outside.sum() > known.sum() / 2:
        problems.append(f"{where}: {outside.sum()} points lie outside the picture; left out")
        return
    if np.ptp(sample.points[known], axis=0).min() <= 1:
        problems.append(f"{where}: the points form no face; left out")
        return
    if outside.any():
        problems.append(f"{where}: {outside.sum()} points lie outside the picture; kept")
    if sample.box is not None:
        left, top, width, height = sample.box
        if left < 0 or top < 0 or left + width > size[0] or top + height > size[1]:
            problems.append(f"{where}: the box reaches out of the picture; kept")
    yield sample
