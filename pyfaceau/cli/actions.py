"""The command ``pyfaceau actions``: parse, call, report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pyfaceau.cli.running import errors
from pyfaceau.cli.sides import measuring_options
from pyfaceau.cli.strict import StrictCommand

_PATH = click.Path(path_type=Path)
_TARGET = click.option("-o", "--output", type=_PATH, required=True, help=".csv or .parquet.")


@click.group()
def actions() -> None:
    """Measure what came of actions: smiles, closures, brows; suggest when they were."""


@actions.command(cls=StrictCommand)
@click.argument("table", type=_PATH)
@click.option(
    "--actions",
    "source",
    type=_PATH,
    required=True,
    help="When what was done: .csv (action,start,end), .srt, .vtt or .eaf.",
)
@_TARGET
@click.option("--tier", help="Tier of an .eaf that has several.")
@click.option("--accept-suggestions", is_flag=True, help="Take suggestions that nobody checked.")
@click.option("--affected", type=click.Choice(["left", "right"]), help="The paretic side.")
@measuring_options
def measure(
    table: Path, source: Path, output: Path, tier: str | None, accept_suggestions: bool, **rest: Any
) -> None:
    """Measure each action in TABLE: baseline, peak, excursion, pace, per side and measure.

    Writes a row per action, side and measure; beside it NAME_synkinesis, movement of regions that
    were not asked to move, and NAME_balance, which side did more. Intervals called "rest" are the
    baseline. Action units per side need a table made with --split-face. Measurements, not a grade.
    """
    from pyfaceau.actions.files import write_actions
    from pyfaceau.actions.reading import read_actions

    with errors():
        found = read_actions(source, tier=tier, accept_suggestions=accept_suggestions)
        files, said = write_actions(table, found, output, **rest)
    click.echo("\n".join(map(str, files)))
    for clause in said:
        click.echo(f"  {clause}", err=True)


@actions.command(cls=StrictCommand)
@click.argument("table", type=_PATH)
@click.option("-o", "--output", type=_PATH, required=True, help=".csv, to be corrected.")
def suggest(table: Path, output: Path) -> None:
    """Propose when what was done in TABLE, for a person to correct.

    Each row is marked as a suggestion, with a score and what was seen; `measure` refuses the file
    until column "suggested" says 0.
    """
    from pyfaceau.actions.suggest import suggest_actions, write_suggestions
    from pyfaceau.output.reading import read

    with errors():
        found = suggest_actions(read(table))
        if not found:
            raise click.ClickException(f"{table}: nothing stands out: no suggestion")
        write_suggestions(found, output)
    click.echo(f"{output}: {len(found)} suggestions; correct them, then put 0 into suggested")


@actions.command(cls=StrictCommand)
@click.argument("table", type=_PATH)
@_TARGET
@click.option(
    "--over",
    type=click.Choice(["session", "repetition"]),
    default="session",
    show_default=True,
    help="What is repeated.",
)
def reliability(table: Path, output: Path, over: str) -> None:
    """Tell how far measures of TABLE, by study export --actions, can be trusted.

    Writes ICC(3,1) and ICC(2,1) with 95 % intervals, standard error of measurement and minimal
    detectable change of each measure, action and side; and NAME_bland_altman, bias and limits of
    agreement of every two sessions or repetitions. Needs the extra [reliability].
    """
    from pyfaceau.actions.files import write_reliability

    with errors():
        files, said = write_reliability(table, output, over)
    click.echo("\n".join(map(str, files)))
    for clause in said:
        click.echo(f"  {clause}", err=True)
