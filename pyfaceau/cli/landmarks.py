"""The command ``pyfaceau landmarks``."""

from __future__ import annotations

from pathlib import Path

import click

from pyfaceau.cli.strict import StrictCommand
from pyfaceau.errors import PyfaceauError


@click.command(cls=StrictCommand)
@click.argument("faces", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--model",
    default="pfld",
    show_default=True,
    metavar="MODEL",
    help="onet (5 points), pfld, clnf, facemap, free (68), or PATH.onnx.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("landmarks"),
    show_default=True,
    help="Folder of landmarks.csv and NAME_overlay.jpg.",
)
@click.option("--crops", is_flag=True, help="Each picture is the crop of one face; look for none.")
def landmarks(faces: tuple[Path, ...], model: str, out: Path, crops: bool) -> None:
    """Find the landmarks of FACES, pictures or folders of them.

    landmarks.csv has a row for each face (file, face, status, reason, score, the box that the model
    saw, x_0 ..., y_0 ..., in pixels), and one that says why for a picture without.
    """
    from pyfaceau.media.picture import pictures_in
    from pyfaceau.pipeline.landmarks import open_model, write_landmarks

    try:
        pictures = [p for f in faces for p in (pictures_in(f) if f.is_dir() else (f,))]
        problems = write_landmarks(open_model(model), pictures, out, crops)
    except PyfaceauError as error:
        raise click.ClickException(str(error)) from error
    for problem in problems:
        click.echo(f"Error: {problem}", err=True)
    click.echo(f"{out / 'landmarks.csv'}: {len(pictures) - len(problems)} pictures")
    if problems:
        click.get_current_context().exit(1)
