"""The option ``--header``: the dialect of a table's text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

if TYPE_CHECKING:
    from typing import Literal

    from pyfaceau.config import Config

F = TypeVar("F", bound=Callable[..., Any])


def header_option(command: F) -> F:
    """Add the option to a command, which gets it as ``header``.

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
        "--header",
        type=click.Choice(["openface", "plain"]),
        help="'frame, face_id, ...' as OpenFace 2.2 writes, or 'frame,face_id,...'.",
    )(command)


def with_header(settings: Config, header: str | None) -> Config:
    """Return settings with the dialect put in.

    Parameters
    ----------
    settings : Config
        A profile's.
    header : str or None
        The dialect, if one was named.

    Returns
    -------
    Config
        The same settings where none was.
    """
    if header is None:
        return settings
    return replace(settings, header=cast("Literal['openface', 'plain']", header))
