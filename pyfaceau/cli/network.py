"""The options ``--landmarks`` and ``--au-models``: other models than the profile's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pyfaceau.cli.options import option_group

if TYPE_CHECKING:
    from pyfaceau.config import Config


network_option = option_group(
    click.option(
        "--landmarks",
        "network",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        metavar="FILE.onnx",
        help="A landmark network of your own, in place of PFLD.",
    ),
    click.option(
        "--au-models",
        type=click.Path(path_type=Path, exists=True, file_okay=False),
        metavar="FOLDER",
        help="Action-unit models of your own, as pyfaceau train aus writes them.",
    ),
)
"""Adds the options to a command, which gets them as ``network`` and ``au_models``."""


def with_network(settings: Config, network: Path | None, au_models: Path | None = None) -> Config:
    """Return settings with a landmark network and action-unit models put in.

    Parameters
    ----------
    settings : Config
        A profile's.
    network : Path or None
        The ONNX file, if one was named.
    au_models : Path or None
        The folder, if one was named.

    Returns
    -------
    Config
        The same settings where none was.

    Raises
    ------
    UsageError
        If the profile asks no landmark network.
    """
    if au_models is not None:
        settings = replace(settings, models=replace(settings.models, au_predictors=str(au_models)))
    if network is None:
        return settings
    if settings.landmarks != "pfld":
        raise click.UsageError(
            "--landmarks goes with profiles that ask a landmark network: --config default or fast"
        )
    return replace(settings, models=replace(settings.models, pfld=str(network)))
