"""Commands whose short options never swallow attached text."""

from __future__ import annotations

import difflib
import re

import click


class StrictCommand(click.Command):
    """Refuses ``-out.csv`` where ``-o`` is an option: click would take it as ``-o ut.csv``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Check every option's spelling, then go on as click does.

        Parameters
        ----------
        ctx : click.Context
            The context.
        args : list of str
            The command line.

        Returns
        -------
        list of str
            What is left of it.

        Raises
        ------
        UsageError
            With the nearest real option.
        """
        check_spelling(self, ctx, args)
        return super().parse_args(ctx, args)


class _Nameless(click.Context):
    """The context of a command that is called by its group's name."""

    @property
    def command_path(self) -> str:
        """What is typed before the arguments."""
        return super().command_path if self.parent is None else self.parent.command_path


class HiddenCommand(StrictCommand):
    """A command that is called by its group's name: messages and help speak of the group."""

    context_class = _Nameless

    def get_usage(self, ctx: click.Context) -> str:
        """Return the group's usage.

        Parameters
        ----------
        ctx : Context
            Of this call.

        Returns
        -------
        str
            Text.
        """
        return super().get_usage(ctx) if ctx.parent is None else ctx.parent.get_usage()

    def get_help(self, ctx: click.Context) -> str:
        """Return the group's help.

        Parameters
        ----------
        ctx : Context
            Of this call.

        Returns
        -------
        str
            Text.
        """
        return super().get_help(ctx) if ctx.parent is None else ctx.parent.get_help()


def check_spelling(command: click.Command, ctx: click.Context, args: list[str]) -> None:
    """Refuse an argument that begins with one dash and is no option.

    Parameters
    ----------
    command : click.Command
        Whose options are meant.
    ctx : click.Context
        The context.
    args : list of str
        The command line.

    Raises
    ------
    UsageError
        With the nearest real option.
    """
    takes: dict[str, int] = {}
    for option in command.get_params(ctx):
        if isinstance(option, click.Option):
            values = 0 if option.is_flag or option.count else option.nargs
            takes |= dict.fromkeys((*option.opts, *option.secondary_opts), values)
    skip = 0
    for argument in args:
        if skip:
            skip -= 1
        elif argument == "--":
            return
        elif argument in takes:
            skip = takes[argument]
        elif re.match("-[^-]", argument) and not _is_number(argument):
            meant = _nearest(argument, takes)
            hint = f"; did you mean {meant}?" if meant else ""
            raise click.UsageError(f"No such option: {argument}{hint}", ctx)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _nearest(argument: str, takes: dict[str, int]) -> str:
    """Return the option that may have been meant."""
    short, attached = argument[:2], argument[2:].lstrip("=")
    if "=" in argument[:3] and short in takes:
        return f"{short} {attached}"
    folded = {_folded(option): option for option in takes}
    found = difflib.get_close_matches(_folded(argument.split("=", 1)[0]), folded, 1, 0.75)
    if found:
        return folded[found[0]]
    return short if short in takes else ""


def _folded(option: str) -> str:
    return option.replace("-", "").replace("_", "").lower()
