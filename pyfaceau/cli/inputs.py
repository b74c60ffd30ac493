"""What the command's inputs are, and which table each becomes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import click

Kind = Literal["video", "still"]


@dataclass(frozen=True)
class Job:
    """One input.

    Attributes
    ----------
    kind : {'video', 'still'}
        A video (or a folder of pictures that is one), or a still picture.
    path : Path
        File or folder.
    table : Path
        Where its table goes.
    boxes : Path or None
        Boxes of its faces.
    """

    kind: Kind
    path: Path
    table: Path
    boxes: Path | None = None


def plan(
    inputs: Sequence[Path],
    output: Path | None,
    out_dir: Path,
    stills: bool = False,
    bboxes: Path | None = None,
) -> list[Job]:
    """Decide what to do with each input.

    Parameters
    ----------
    inputs : sequence of Path
        As given.
    output : Path or None
        The table, where there is one input.
    out_dir : Path
        Folder of the tables otherwise; each is named as its input.
    stills : bool
        A folder is not a video: each picture in it stands for itself.
    bboxes : Path or None
        Folder with a text file for each still picture.

    Returns
    -------
    list of Job
        In the order of the inputs.

    Raises
    ------
    UsageError
        If two inputs would write one table, or options contradict inputs.
    VideoError
        If a folder of stills holds no picture.
    """
    found = [pair for path in inputs for pair in _inputs(path, stills)]
    if output is not None and len(found) > 1:
        raise click.UsageError(f"-o names one table, got {len(found)} inputs: use --out-dir")
    if bboxes is not None:
        _check_boxes(bboxes, found)
    jobs = []
    seen: dict[str, Path] = {}
    for kind, path in found:
        name = path.resolve().name if path.is_dir() else path.stem
        table = output if output is not None else out_dir / f"{name}.csv"
        other = seen.setdefault(os.path.normcase(table), path)
        if other is not path:
            raise click.UsageError(f"{other} and {path} would both be written to {table}")
        jobs.append(Job(kind, path, table, bboxes and bboxes / f"{path.stem}.txt"))
    return jobs


def _inputs(path: Path, stills: bool) -> Iterator[tuple[Kind, Path]]:
    """Yield the kind and path of each input that a path stands for."""
    from pyfaceau.media.picture import is_picture, passed_over, pictures_in

    if path.is_dir():
        _check_folder(path)
    if path.is_dir() and stills:
        for other in passed_over(path):
            click.echo(f"{other}: passed over, no picture", err=True)
        yield from (("still", picture) for picture in pictures_in(path))
    else:
        yield ("still" if is_picture(path) and not path.is_dir() else "video"), path


def videos_in(folder: Path) -> list[Path]:
    """Return the videos of a folder that has no pictures.

    Parameters
    ----------
    folder : Path
        The folder; its own folders are not looked into.

    Returns
    -------
    list of Path
        Empty where a picture is among the files: it is a sequence then.
    """
    from pyfaceau.media.picture import is_picture
    from pyfaceau.study.inputs import VIDEO_SUFFIXES

    files = [path for path in folder.iterdir() if path.is_file()]
    if any(map(is_picture, files)):
        return []
    return [path for path in files if path.suffix.lower() in VIDEO_SUFFIXES]


def _check_folder(folder: Path) -> None:
    """Refuse a folder of videos: who has many of them wants a study."""
    videos = videos_in(folder)
    if videos:
        raise click.UsageError(
            f"{folder}: expected a video or a folder of pictures, got a folder of {len(videos)} "
            f"video{'s' * (len(videos) > 1)}: use pyfaceau study run {folder} --out FOLDER"
        )


def _check_boxes(bboxes: Path, found: Sequence[tuple[Kind, Path]]) -> None:
    """Refuse boxes for what is no still picture."""
    if not bboxes.is_dir():
        raise click.UsageError(f"--bboxes: expected a folder, got {bboxes}")
    for kind, path in found:
        if kind != "still":
            raise click.UsageError(f"--bboxes: expected still pictures, got {path}")
