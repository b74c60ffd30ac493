"""The command ``pyfaceau``: parses, calls, reports."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from pyfaceau import __version__
from pyfaceau.cli_weights import weights
from pyfaceau.errors import PyfaceauError

if TYPE_CHECKING:
    from pyfaceau.pipeline import FullPythonAUPipeline

F = TypeVar("F", bound=Callable[..., Any])

GROUP_HELP = {
    "2Dfp": "Landmarks in the picture.",
    "3Dfp": "Landmarks in camera space.",
    "pdmparams": "Parameters of the shape model.",
    "pose": "Head pose.",
    "aus": "Action units.",
    "gaze": "Gaze and eye landmarks; profile openface only.",
}
"""OpenFace's options that select groups of columns."""

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""


class _VideoGroup(click.Group):
    """Takes arguments that begin with no command's name for those of `process`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ("--help", "--version"):
            args = ["process", *args]
        return super().parse_args(ctx, args)

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_usage(ctx.command_path, "VIDEO... [OPTIONS]")
        formatter.write_usage(ctx.command_path, "COMMAND [ARGS]...", prefix="       ")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        options = [p for p in (*process.params, *self.params) if isinstance(p, click.Option)]
        records = [option.get_help_record(ctx) for option in options]
        with formatter.section("Options"):
            formatter.write_dl([record for record in records if record is not None])
        self.format_commands(ctx, formatter)


def _group_options(command: F) -> F:
    """Add OpenFace's options that select groups of columns."""
    for name, text in reversed(GROUP_HELP.items()):
        command = click.option(f"-{name}", f"group_{name}", is_flag=True, help=text)(command)
    return command


@click.group(cls=_VideoGroup)
@click.version_option(__version__, prog_name="pyfaceau")
def main() -> None:
    """Facial action units, landmarks, head pose and gaze from video, as OpenFace writes them.

    Each VIDEO becomes a table with one row per frame. Options -2Dfp to -gaze select groups of
    columns; without them all that can be computed is written.

    A video that is cut off or damaged, and one interrupted by Ctrl-C, leaves what was read in
    NAME.partial.csv; a table under its own name is always whole.

    Exit codes: 0 all tables are written; 1 something failed, and standard error says what; 2 wrong
    use; 130 interrupted.
    """


@main.command(hidden=True)
@click.argument("videos", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The table, of one VIDEO.")
@click.option(
    "--out-dir",
    "-out_dir",
    type=click.Path(path_type=Path),
    default=Path("processed"),
    show_default=True,
    help="Folder of the tables where -o is not given; each is named as its VIDEO.",
)
@click.option("--config", default="default", show_default=True, help="Profile: name or TOML file.")
@click.option("--fixed-fps", is_flag=True, help="Stamp frame k with (k-1)/fps, as OpenFace does.")
@_group_options
@click.option("--debug", is_flag=True, help="Show where an unexpected error comes from.")
def process(
    videos: tuple[Path, ...],
    output: Path | None,
    out_dir: Path,
    config: str,
    fixed_fps: bool,
    debug: bool,
    **selected: bool,
) -> None:
    """Process each VIDEO into a table."""
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    groups = [name.removeprefix("group_") for name, on in selected.items() if on]
    tables = _tables(videos, output, out_dir)
    try:
        pipeline = _pipeline(config, fixed_fps, groups)
        failures = [
            problem
            for video, table in zip(videos, tables, strict=True)
            if (problem := _process_one(pipeline, video, table, groups, debug)) is not None
        ]
    except PyfaceauError as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        _interrupted()
    if failures and len(videos) > 1:
        click.echo(f"{len(failures)} of {len(videos)} videos failed:", err=True)
        for problem in failures:
            click.echo(f"  {problem}", err=True)
    if failures:
        click.get_current_context().exit(1)


def _tables(videos: Sequence[Path], output: Path | None, out_dir: Path) -> list[Path]:
    """Return the path of each video's table; no two may be the same."""
    if output is not None:
        if len(videos) > 1:
            raise click.UsageError(f"-o names one table, got {len(videos)} videos: use --out-dir")
        return [output]
    tables = [out_dir / f"{video.stem}.csv" for video in videos]
    seen: dict[str, Path] = {}
    for video, table in zip(videos, tables, strict=True):
        other = seen.setdefault(os.path.normcase(table), video)
        if other is not video:
            raise click.UsageError(f"{other} and {video} would both be written to {table}")
    return tables


def _pipeline(config: str, fixed_fps: bool, groups: Sequence[str]) -> FullPythonAUPipeline:
    """Load the stages of a profile."""
    from dataclasses import replace

    from pyfaceau.config import Config
    from pyfaceau.pipeline import FullPythonAUPipeline

    settings = Config.load(config)
    if fixed_fps:
        settings = replace(settings, fixed_fps=True)
    if "gaze" in groups and settings.landmarks != "clnf":
        click.echo(f"-gaze: profile {config} fits no eyes, its tables have no gaze", err=True)
    return FullPythonAUPipeline(config=settings, verbose=True)


def _process_one(
    pipeline: FullPythonAUPipeline, video: Path, table: Path, groups: Sequence[str], debug: bool
) -> str | None:
    """Process one video; return what went wrong, one line."""
    try:
        done = pipeline.write_csv(video, table, groups)
    except PyfaceauError as error:
        problem = str(error)
    except Exception as error:  # a batch goes on after whatever one video causes
        if debug:
            raise
        problem = f"{video}: {type(error).__name__}: {error}"
    else:
        click.echo(f"{done.path}: {done.frames} frames, {done.faces} with a face")
        return None
    problem = " ".join(problem.splitlines())
    click.echo(f"Error: {problem}", err=True)
    return problem


def _interrupted() -> NoReturn:
    click.echo("Interrupted.", err=True)
    raise click.exceptions.Exit(INTERRUPTED)


main.add_command(weights)
