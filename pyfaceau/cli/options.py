"""Options that several commands share, given to a command in one line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def option_group(*each: Callable[[Any], Any]) -> Callable[[F], F]:
    """Return a decorator that adds options to a command.

    Parameters
    ----------
    *each : callable
        Decorators as `click.option` gives them, in the order of the help.

    Returns
    -------
    callable
        The decorator.
    """

    def add(command: F) -> F:
        for option in reversed(each):
            command = option(command)
        return command

    return add
