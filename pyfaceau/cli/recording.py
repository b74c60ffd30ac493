"""Options that say how a recording is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from pyfaceau.cli.options import option_group

if TYPE_CHECKING:
    from pyfaceau.config import Config

_OPTIONS = (
    click.option(
        "--pixels",
        type=click.Choice(["square", "stored"]),
        help="Where pixels are not square: as they are meant, or as they are stored.",
    ),
    click.option("--fps", type=float, metavar="FPS", help="Frames per second; not the file's own."),
    click.option(
        "--at-cuts",
        type=click.Choice(["restart", "keep", "fail"]),
        help="At a change of scene: a new neutral face, one for all, or no table.",
    ),
    click.option(
        "--rotate",
        type=click.Choice(["auto", "0", "90", "180", "270"]),
        help="Degrees counter-clockwise to turn the picture by, to find an upright face.",
    ),
)

NAMES = ("pixels", "fps", "at_cuts", "rotate")
"""Names of the options' values, which are the fields of `pyfaceau.config.Reading`."""


recording_options = option_group(*_OPTIONS)
"""Adds them to a command, which gets them by `NAMES`."""


def with_reading(settings: Config, options: Mapping[str, Any]) -> Config:
    """Return settings with the options that were given put in.

    Parameters
    ----------
    settings : Config
        A profile's.
    options : mapping
        Values of the options; None for those that were not given.

    Returns
    -------
    Config
        The settings.

    Raises
    ------
    InputError
        If a value is out of range.
    """
    given = {name: options[name] for name in NAMES if options.get(name) is not None}
    return replace(settings, reading=replace(settings.reading, **given)) if given else settings
