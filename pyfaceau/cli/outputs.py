"""Which files the command writes beside a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pyfaceau.cli.options import option_group

if TYPE_CHECKING:
    from pyfaceau.output.beside import Origin, Outputs
    from pyfaceau.output.sink import Sink

_OPTIONS = (
    click.option("--hog", "-hogalign", is_flag=True, help="NAME.hog: descriptors of the faces."),
    click.option(
        "--aligned",
        type=click.Path(path_type=Path),
        metavar="FOLDER",
        help="A picture of each aligned face, of one INPUT; -simalign for NAME_aligned.",
    ),
    click.option("-simalign", is_flag=True, hidden=True),
    click.option(
        "-simsize", type=click.IntRange(1, 4096), help="Side of aligned faces, pixels.  [112]"
    ),
    click.option(
        "-simscale",
        type=click.FloatRange(0, min_open=True),
        help="Their pixels per mm; grows with -simsize if not given.  [0.7]",
    ),
    click.option("-nomask", is_flag=True, help="Show what is around aligned faces."),
    click.option("-g", is_flag=True, help="Aligned faces without colour."),
    click.option("-nobadaligned", is_flag=True, help="No aligned face where there is no success."),
    click.option(
        "--tracked",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="The INPUT with its faces marked; -tracked for NAME.avi, of pictures NAME.jpg.",
    ),
    click.option("-tracked", "named_tracked", is_flag=True, hidden=True),
    click.option("--details", is_flag=True, help="NAME_of_details.txt: input, camera, files."),
    click.option(
        "--quality", is_flag=True, help="NAME.quality.csv.gz: what speaks against each frame."
    ),
    click.option(
        "--provenance",
        is_flag=True,
        help="NAME.provenance.json: version, settings, models, checksums, command.",
    ),
)
_CROP = ("simsize", "simscale", "nomask", "g", "nobadaligned")
_TABLES = (".csv.gz", ".csv", ".parquet")


output_options = option_group(*_OPTIONS)
"""Adds the options for files beside the table."""


def check_outputs(options: Mapping[str, Any], inputs: int) -> None:
    """Refuse options that do not go together.

    Parameters
    ----------
    options : mapping
        Values of `output_options`.
    inputs : int
        How many inputs there are.

    Raises
    ------
    UsageError
        If an option is without effect, or one file is named for several inputs.
    """
    for name, flag in (("aligned", "simalign"), ("tracked", "named_tracked")):
        plain = flag.removeprefix("named_")
        if options[name] is None:
            continue
        if options[flag]:
            raise click.UsageError(f"--{name} and -{plain}: give one of them")
        if inputs > 1:
            raise click.UsageError(f"--{name} is for one input, got {inputs}: use -{plain}")
    unused = [name for name in _CROP if options[name] not in (None, False)]
    if unused and not (options["aligned"] or options["simalign"]):
        raise click.UsageError(f"-{unused[0]} goes with --aligned FOLDER")


def outputs_for(options: Mapping[str, Any], table: Path, still: bool) -> Outputs:
    """Return the files to be written beside a table.

    Parameters
    ----------
    options : mapping
        Values of `output_options`.
    table : Path
        The table.
    still : bool
        The input is a still picture.

    Returns
    -------
    Outputs
        The files that are not named stand beside the table and bear its name. A program that runs
        the command line itself adds sinks of its own as click's context object, see `cli.job`.
    """
    from pyfaceau.output.aligned import SIZE, Crop
    from pyfaceau.output.beside import Outputs

    suffix = next((end for end in _TABLES if table.name.lower().endswith(end)), "")
    name = table.name[: len(table.name) - len(suffix)]

    def beside(wanted: bool, ending: str) -> Path | None:
        return table.with_name(name + ending) if wanted else None

    return Outputs(
        hog=beside(options["hog"], ".hog"),
        aligned=options["aligned"] or beside(options["simalign"], "_aligned"),
        crop=Crop(
            size=options["simsize"] or SIZE,
            scale=options["simscale"],
            mask=not options["nomask"],
            gray=options["g"],
            failures=not options["nobadaligned"],
        ),
        tracked=options["tracked"] or beside(options["named_tracked"], ".jpg" if still else ".avi"),
        details=beside(options["details"], "_of_details.txt"),
        quality=beside(bool(options.get("quality")) and not still, ".quality.csv.gz"),
        also=_added(),
    )


def _added() -> tuple[Callable[[Origin], Sink], ...]:
    """Return the sinks of a program that runs the command line itself."""
    context = click.get_current_context(silent=True)
    return (context and context.obj) or ()
