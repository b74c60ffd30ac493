"""The options and the command for the two sides of the face: parse, call, report."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pyfaceau.cli.options import option_group
from pyfaceau.errors import PyfaceauError

if TYPE_CHECKING:
    from pyfaceau.config import Config

_MIRRORED = click.option(
    "--mirrored-input",
    is_flag=True,
    help="The recording is mirrored (selfie): the patient's left is the image's left.",
)
_SPLIT = click.option(
    "--split-face", is_flag=True, help="Action units of each half of the face as well."
)
_SCALE = (
    click.option("--iris-mm", type=float, help="Assume irises this wide, mm: 11.7."),
    click.option("--scale", "scale_mm", type=float, help="Outer eye corners are so far apart, mm."),
)


_GEOMETRY = click.option(
    "--geometry", is_flag=True, help="NAME_geometry.csv: measures of each side, per frame."
)

split_options = option_group(_SPLIT, _MIRRORED)
"""Adds the options that split faces."""

side_options = option_group(_SPLIT, _MIRRORED, _GEOMETRY, *_SCALE)
"""Adds the options for both sides of the face."""

measuring_options = option_group(_MIRRORED, *_SCALE)
"""Adds the options that say how a table's geometry is measured."""


def with_sides(settings: Config, options: Mapping[str, Any], multi_face: bool = False) -> Config:
    """Return settings with the options for both sides put in.

    Parameters
    ----------
    settings : Config
        The profile's.
    options : mapping
        Values of `side_options` or `split_options`.
    multi_face : bool
        Several faces are followed.

    Returns
    -------
    Config
        The settings.

    Raises
    ------
    UsageError
        If options do not go together.
    """
    from dataclasses import replace

    for name in ("split_face", "geometry"):
        if options.get(name) and multi_face:
            raise click.UsageError(
                f"--{name.replace('_', '-')} is for one face, --multi-face for several"
            )
    for name, option in (("iris_mm", "--iris-mm"), ("scale_mm", "--scale")):
        if options.get(name) is not None and not options.get("geometry"):
            raise click.UsageError(f"{option} goes with --geometry")
    if any(options.get(f"group_{n}") for n in ("gaze", "pose", "2Dfp", "3Dfp", "pdmparams")):
        if options.get("split_face") and not options.get("group_aus"):
            raise click.UsageError("--split-face goes with -aus")
        if options.get("geometry") and not options.get("group_2Dfp"):
            raise click.UsageError("--geometry goes with -2Dfp (and -3Dfp -pose)")
    return replace(
        settings,
        split_face=settings.split_face or options["split_face"],
        mirrored_input=settings.mirrored_input or options["mirrored_input"],
    )


def write_geometry(table: Path, settings: Config, options: Mapping[str, Any]) -> list[str]:
    """Write the geometry of a table where it is asked for.

    Parameters
    ----------
    table : Path
        The table.
    settings : Config
        What it was made by.
    options : mapping
        Values of `side_options`.

    Returns
    -------
    list of str
        What is to be said.
    """
    if not options["geometry"]:
        return []
    from pyfaceau.asymmetry.files import Sides, write_sides

    sides = Sides(settings.mirrored_input, options["iris_mm"], options["scale_mm"])
    files, said = write_sides(table, sides)
    return [*map(str, files), *(clause for clause in said if "--rest" not in clause)]


@click.command()
@click.argument("tables", nargs=-1, required=True, type=click.Path(path_type=Path))
@measuring_options
@click.option("--rest", default="", metavar="START-END", help="Seconds at rest: the gate's noise.")
@click.option("--affected", type=click.Choice(["left", "right"]), help="The paretic side.")
def asymmetry(tables: tuple[Path, ...], **options: Any) -> None:
    """Measure both sides of the face in TABLES of pyfaceau or OpenFace.

    Writes NAME_geometry.csv beside each: brow, lids, mouth, per side and frame. With --rest also
    NAME_asymmetry.csv: difference, ratio, index and, with --affected, share of the affected over
    the healthy side, behind a gate: what moves no more than the person's own resting noise is "no
    movement". Left and right are the patient's. Measurements, not a grade.
    """
    from pyfaceau.asymmetry.files import Sides, write_sides

    failed = False
    for table in tables:
        try:
            files, said = write_sides(table, Sides(**options))
        except PyfaceauError as error:
            failed = True
            click.echo(f"Error: {error}", err=True)
            continue
        click.echo("\n  ".join([*map(str, files)]))
        for clause in said:
            click.echo(f"  {clause}", err=True)
    if failed:
        click.get_current_context().exit(1)
