"""The option ``--header``: the dialect of a table's text."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

import click

if TYPE_CHECKING:
    from typing import Literal

    from pyfaceau.config import Config


header_option = click.option(
    "--header",
    type=click.Choice(["openface", "plain"]),
    help="'frame, face_id, ...' as OpenFace 2.2 writes, or 'frame,face_id,...'.",
)
"""Adds the option to a command, which gets it as ``header``."""


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
