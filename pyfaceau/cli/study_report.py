"""``pyfaceau study report``: a page about each video of a study."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pyfaceau.cli.report import BLUR, MIRRORED, own_command
from pyfaceau.cli.running import errors
from pyfaceau.cli.strict import StrictCommand


@click.command("report", cls=StrictCommand)
@click.argument("out", type=click.Path(file_okay=False, path_type=Path))
@click.option("--no-pictures", is_flag=True, help="Show no picture of the person.")
@BLUR
@MIRRORED
@click.option("--rest", default="", metavar="START-END", help="Seconds at rest, without actions.")
@click.option("--force", is_flag=True, help="Write those anew that are there.")
def study_report(out: Path, no_pictures: bool, force: bool, **options: Any) -> None:
    """Write a page beside each finished table of OUT, NAME.html; see `pyfaceau report`.

    Actions and affected side are those of the manifest's columns. Pages that are newer than their
    tables stay. Exit code 1 if one could not be written; standard error says why.
    """
    from tqdm import tqdm

    from pyfaceau.report.of_study import study_reports
    from pyfaceau.report.report import Wishes

    wishes = Wishes(pictures=not no_pictures, **options)
    failed, count = [], 0
    with errors():
        for name, _, trouble in tqdm(
            study_reports(out, wishes, own_command(), force=force), unit=" reports", disable=None
        ):
            count += not trouble
            failed += [f"{name}: {trouble}"] if trouble else []
    for line in failed:
        click.echo(line, err=True)
    click.echo(f"{count} reports in {out}")
    if failed:
        raise SystemExit(1)
