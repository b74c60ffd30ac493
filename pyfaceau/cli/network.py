"""The option ``--landmarks``: another landmark network than the profile's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from pyfaceau.config import Config

F = TypeVar("F", bound=Callable[..., Any])


def network_option(command: F) -> F:
    """Add the option to a command, which gets it as ``network``.

    Parameters
    ----------
    command : callable
        The command.

    Returns
    -------
    callable
        The same.
    """
    return click.option(
        "--landmarks",
        "network",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        metavar="FILE.onnx",
        help="A landmark network of your own, in place of PFLD.",
    )(command)


def with_network(settings: Config, network: Path | None) -> Config:
    """Return settings with a landmark network put in.

    Parameters
    ----------
    settings : Config
        A profile's.
    network : Path or None
        The ONNX file, if one was named.

    Returns
    -------
    Config
        The same settings where none was.

    Raises
    ------
    UsageError
        If the profile asks no landmark network.
    """
    if network is None:
        return settings
    if settings.landmarks != "pfld":
        raise click.UsageError(
            "--landmarks goes with profiles that ask a landmark network: --config default or fast"
        )
    return replace(settings, models=replace(settings.models, pfld=str(network)))
