"""The commands that show a table to people: parse, call, report."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any

import click

from pyfaceau.cli.running import errors


def own_command() -> str:
    """Return the command line as a page tells it: of paths the last name alone.

    Returns
    -------
    str
        One line, quoted as shells want it.
    """
    words = (Path(word).name if "/" in word else word for word in sys.argv[1:])
    return shlex.join(["pyfaceau", *words])


BLUR = click.option("--blur-eyes", is_flag=True, help="Make eyes and brows unrecognisable.")
MIRRORED = click.option(
    "--mirrored-input", is_flag=True, default=None, help="The recording is mirrored (selfie)."
)


@click.command()
@click.argument("video", type=click.Path(path_type=Path))
@click.argument("table", type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="The video.")
@click.option("--unit", "units", multiple=True, help="Column with a bar; repeat for more.")
@BLUR
@MIRRORED
def overlay(video: Path, table: Path, output: Path, units: tuple[str, ...], **options: Any) -> None:
    """Write VIDEO with what its TABLE says drawn into every frame.

    Landmarks, midline with the patient's sides L and R, face and head box, the head's axes, gaze,
    and bars of the action units that change most, or of each --unit. A frame is written for each
    row of the table; there is no sound.
    """
    from tqdm import tqdm

    from pyfaceau.report.overlay import write_overlay

    with errors(), tqdm(unit="frame", disable=None, leave=False) as bar:

        def tell(done: int, rows: int) -> None:
            bar.total = rows
            bar.update(done - bar.n)

        count = write_overlay(video, table, output, units=units or None, tell=tell, **options)
    click.echo(f"{output}: {count} frames")


@click.command()
@click.argument("tables", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="The page.")
@click.option(
    "--video",
    "videos",
    multiple=True,
    type=click.Path(path_type=Path),
    help="The video of each table, in order: for pictures.",
)
@click.option(
    "--actions",
    multiple=True,
    type=click.Path(path_type=Path),
    help="When what was done, for each table in order: .csv, .srt, .vtt, .eaf.",
)
@click.option("--name", "names", multiple=True, help="What each TABLE is called, in order.")
@click.option("--rest", default="", metavar="START-END", help="Seconds at rest, without --actions.")
@click.option("--affected", type=click.Choice(["left", "right"]), help="The paretic side.")
@click.option("--no-pictures", is_flag=True, help="Show no picture of the person.")
@BLUR
@MIRRORED
def report(
    tables: tuple[Path, ...],
    output: Path,
    videos: tuple[Path, ...],
    actions: tuple[Path, ...],
    names: tuple[str, ...],
    no_pictures: bool,
    **options: Any,
) -> None:
    """Write a page about TABLES: one recording, or several sessions of one person in order.

    The page is one file and opens without a network: per action what each side did, pictures of
    rest and peak, curves of both sides, asymmetry with its gate, blinks, synkinesis, what speaks
    against the numbers, and where they come from. Measurements, not a grade.
    """
    from pyfaceau.report.report import Wishes, write_report

    wishes = Wishes(pictures=not no_pictures, **options)
    if options["rest"] and actions:
        raise click.UsageError("--rest: an action called rest says it where there are --actions")
    with errors():
        said = write_report(
            tables,
            output,
            videos=videos,
            actions=actions,
            names=names,
            wishes=wishes,
            command=own_command(),
        )
    click.echo(output)
    for line in said:
        click.echo(f"  {line}", err=True)
