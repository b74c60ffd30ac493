"""``pyfaceau app``: the window in the browser."""

from __future__ import annotations

from pathlib import Path

import click

from pyfaceau.cli.strict import StrictCommand
from pyfaceau.errors import PyfaceauError


@click.command(cls=StrictCommand)
@click.option("--port", type=click.IntRange(0, 65535), default=8501, show_default=True)
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Output folder of a study, to be looked at while it runs and after.",
)
@click.option("--limit", type=click.IntRange(1), help="Largest upload, MB. Default: 4096.")
def app(port: int, folder: Path | None, limit: int | None) -> None:
    """Open the window: drop a video, look at it with its curves, compare, report.

    It runs in the browser, is served to this machine alone and sends nothing anywhere. What is
    uploaded lies in a temporary folder that is removed when the browser closes. Port 0 takes any
    free port.
    """
    from pyfaceau.app.launch import UPLOAD_LIMIT, serve

    try:
        code = serve(port, folder, limit or UPLOAD_LIMIT)
    except PyfaceauError as error:
        raise click.ClickException(str(error)) from error
    click.get_current_context().exit(code)
