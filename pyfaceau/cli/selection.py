"""Options that say which part of a video is measured, and whose face."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from pyfaceau.cli.options import option_group

if TYPE_CHECKING:
    from pyfaceau.config import Config


def _region(ctx: click.Context, param: click.Parameter, value: str | None) -> Any:
    """Read X,Y,W,H."""
    if value is None:
        return None
    try:
        return tuple(map(int, value.split(",")))
    except ValueError:
        message = f"expected X,Y,W,H in whole pixels, got {value!r}"
        raise click.BadParameter(message, ctx, param) from None


_OPTIONS = (
    click.option("--start", type=float, metavar="SECONDS", help="Begin here; by time stamps."),
    click.option("--end", type=float, metavar="SECONDS", help="End here."),
    click.option("--every", type=int, metavar="N", help="Each N-th frame of these."),
    click.option("--rate", type=float, metavar="FPS", help="So many frames of each second."),
    click.option("--max-frames", type=click.IntRange(1), metavar="N", help="So many at most."),
    click.option(
        "--face",
        metavar="WHICH",
        help="Of several people: largest, left, right, or a number, from the left.  [largest]",
    ),
    click.option(
        "--roi",
        metavar="X,Y,W,H",
        callback=_region,
        help="Part of the picture, pixels, where the middle of the face is to be found.",
    ),
)
NAMES = ("start", "end", "every", "rate", "max_frames", "face", "roi")
"""Names of the options' values, which are the fields of `pyfaceau.types.Selection`."""


selection_options = option_group(*_OPTIONS)
"""Adds them to a command, which gets them by `NAMES`."""


def with_selection(settings: Config, options: Mapping[str, Any]) -> Config:
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
        If a value is out of range, or they contradict each other.
    """
    given = {name: options[name] for name in NAMES if options[name] is not None}
    return replace(settings, selection=replace(settings.selection, **given)) if given else settings


def check_selection(settings: Config, stills: bool, multi_face: bool) -> None:
    """Refuse a selection where there is nothing to select.

    Parameters
    ----------
    settings : Config
        The settings.
    stills : bool
        Still pictures are among the inputs.
    multi_face : bool
        Several faces are followed.

    Raises
    ------
    UsageError
        If there are pictures without time, or no one face is to be chosen.
    """
    selection = settings.selection
    if stills and (selection.of_frames or selection.of_people):
        raise click.UsageError("--start to --roi: expected videos, got a still picture")
    if multi_face and selection.of_people:
        raise click.UsageError("--face and --roi choose one face: not with --multi-face")
