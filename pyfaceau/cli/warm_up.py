"""``pyfaceau warm-up``: compile before the first video asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pyfaceau.cli.strict import StrictCommand
from pyfaceau.errors import InputError, PyfaceauError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyfaceau.config import Config

PROFILES = {
    "core": ("default", "openface"),
    "openface": ("default", "openface"),
    "ceclm": ("ceclm",),
    "free": ("free",),
}
"""Profiles that are compiled once a set of model files is installed."""


@click.command("warm-up", cls=StrictCommand)
@click.option(
    "--config",
    "profiles",
    multiple=True,
    metavar="NAME",
    help="Profile: name or TOML file; may be repeated. Default: default and openface.",
)
@click.option(
    "--processes", type=int, help="How many compile at a time. Default: all cores, up to 4."
)
def warm_up(profiles: tuple[str, ...], processes: int | None) -> None:
    """Compile the kernels of profiles, so that the first video starts at once.

    Done once for each version and machine; the result lies in the user's cache folder. Without it,
    the first video does the same on one core.
    """
    from pyfaceau.config import Config

    try:
        compile_all([Config.load(name) for name in profiles or PROFILES["core"]], processes)
    except PyfaceauError as error:
        raise click.ClickException(str(error)) from error


def after_install(sets: Sequence[str]) -> None:
    """Compile what the profiles of installed sets need; say why where that cannot be.

    Parameters
    ----------
    sets : sequence of str
        Names of sets of model files; the usual ones if empty.
    """
    from pyfaceau.config import Config

    names = dict.fromkeys(name for key in sets or ["core"] for name in PROFILES.get(key, ()))
    try:
        compile_all([Config.load(name) for name in names])
    except PyfaceauError as error:
        click.echo(f"not compiled yet: {error}", err=True)


def compile_all(configs: Sequence[Config], processes: int | None = None) -> None:
    """Compile with a bar that names what it waits for.

    Parameters
    ----------
    configs : sequence of Config
        The profiles.
    processes : int, optional
        How many compile at a time; the usable cores, up to four, if not given.

    Raises
    ------
    WeightsError
        If a model file is missing or altered.
    InputError
        If `processes` is less than 1, or a compiling process dies.
    """
    from concurrent.futures.process import BrokenProcessPool

    from tqdm import tqdm

    from pyfaceau.pipeline.warm_up import STEPS, warm_up, workers

    if processes is not None and processes < 1:
        raise InputError(f"processes: expected 1 or more, got {processes}")
    shown = workers(processes)
    waiting = [name for _ in configs for name in STEPS]
    if not waiting:
        return
    with tqdm(total=len(waiting), unit="step", leave=False, disable=None) as bar:
        bar.set_description(f"compiling: {', '.join(waiting[:shown])}")
        try:
            for name in warm_up(configs, processes):
                waiting.remove(name)
                bar.update()
                bar.set_description(f"compiling: {', '.join(waiting[:shown])}")
        except BrokenProcessPool:
            raise InputError(
                "warm-up: a compiling process ended early: try --processes 1, or measure at once"
            ) from None
    click.echo("compiled: the first video starts at once")
