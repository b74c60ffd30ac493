"""The command ``pyfaceau expressions``."""

from __future__ import annotations

from pathlib import Path

import click

from pyfaceau.errors import PyfaceauError

_PATH = click.Path(path_type=Path)


@click.command()
@click.option("--landmarks", type=_PATH, required=True, help="A table with action units or points.")
@click.option("--meta", type=_PATH, help="NAME_meta.csv of facemap: which frames have a face.")
@click.option("--raw", type=_PATH, help="NAME_raw.csv of facemap: frames of NaN are left out.")
@click.option("--rules", type=_PATH, help="Rules of your own, TOML as configs/expressions.toml.")
@click.option("--out", type=_PATH, default=Path("expressions"), show_default=True, help="Folder.")
def expressions(
    landmarks: Path, meta: Path | None, raw: Path | None, rules: Path | None, out: Path
) -> None:
    """Label each frame's expression by published rules: expressions.csv, report.json, score.txt.

    docs/expressions.md says what label and score mean, and what they do not.
    """
    from pyfaceau.expressions.analysis import write_expressions
    from pyfaceau.expressions.rules import Rules

    try:
        for path in write_expressions(landmarks, out, meta, raw, Rules.load(rules)):
            click.echo(path)
    except PyfaceauError as error:
        raise click.ClickException(str(error)) from error
