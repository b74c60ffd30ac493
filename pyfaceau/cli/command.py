"""The command ``pyfaceau``: parses, calls, reports."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pyfaceau import __version__
from pyfaceau.cli.actions import actions
from pyfaceau.cli.app import app
from pyfaceau.cli.dialect import header_option, with_header
from pyfaceau.cli.evaluate import evaluate
from pyfaceau.cli.expressions import expressions
from pyfaceau.cli.facemap import facemap
from pyfaceau.cli.free import check_profile
from pyfaceau.cli.inputs import plan
from pyfaceau.cli.landmarks import landmarks
from pyfaceau.cli.live import live
from pyfaceau.cli.network import network_option, with_network
from pyfaceau.cli.outputs import check_outputs, output_options
from pyfaceau.cli.recording import recording_options, with_reading
from pyfaceau.cli.report import overlay, report
from pyfaceau.cli.running import Runner, errors, run_jobs
from pyfaceau.cli.selection import check_selection, selection_options, with_selection
from pyfaceau.cli.sides import asymmetry, side_options, with_sides
from pyfaceau.cli.strict import HiddenCommand
from pyfaceau.cli.study import repredict, study
from pyfaceau.cli.study_report import study_report
from pyfaceau.cli.train import train
from pyfaceau.cli.warm_up import warm_up
from pyfaceau.cli.weights import weights

if TYPE_CHECKING:
    from pyfaceau.config import Config

F = TypeVar("F", bound=Callable[..., Any])

GROUP_HELP = {
    "2Dfp": "Landmarks in the picture.",
    "3Dfp": "Landmarks in camera space.",
    "pdmparams": "Parameters of the shape model.",
    "pose": "Head pose.",
    "aus": "Action units.",
    "gaze": "Gaze and eye landmarks; not with profile fast.",
}
"""OpenFace's options that select groups of columns."""

LENS_HELP = {
    "fx": "Focal length, pixels; guessed if not given. Give -fx and -fy together.",
    "fy": "The same, vertically.",
    "cx": "Principal point, pixels; the centre if not given. Give -cx and -cy together.",
    "cy": "The same, vertically.",
}
"""OpenFace's options for the camera."""

FIT_HELP = {
    "wild": (None, "For difficult pictures: larger windows, more steps, -multi_view 1."),
    "multi_view": (click.IntRange(0, 1), "1: try stills at eleven head rotations."),
    "sigma": (float, "Width of the mean-shift kernel."),
    "w_reg": (float, "Weight of the patch experts' confidence."),
    "reg": (float, "Weight of the prior on the shape."),
    "n_iter": (int, "Optimiser steps in each phase."),
}
"""OpenFace's options for its landmark fit: type (None: a flag) and help. Their order counts."""

FIT_FIELDS = {
    "sigma": "sigma",
    "w_reg": "weight_factor",
    "reg": "regularisation",
    "n_iter": "iterations",
}
"""Those that are numbers, and their names in the profile's table ``[fit]``."""

DEVICES = ("cpu", "cuda", "coreml", "directml")


class _VideoGroup(click.Group):
    """Takes arguments that begin with no command's name for those of `process`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ("--help", "--version"):
            args = ["process", *args]
        return super().parse_args(ctx, args)

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_usage(ctx.command_path, "INPUT... [OPTIONS]")
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


def _lens_options(command: F) -> F:
    """Add OpenFace's options for the camera."""
    for name, text in reversed(LENS_HELP.items()):
        command = click.option(f"-{name}", type=float, help=text)(command)
    return command


def _fit_options(command: F) -> F:
    """Add OpenFace's options for its landmark fit, which are noted in the order of the line."""

    def note(ctx: click.Context, param: click.Parameter, value: Any) -> None:
        if value is not None and value is not False:
            ctx.meta.setdefault("fit", []).append((param.name, value))

    for name, (kind, text) in reversed(FIT_HELP.items()):
        command = click.option(
            f"-{name}",
            type=kind,
            is_flag=kind is None,
            help=text,
            expose_value=False,
            callback=note,
        )(command)
    return command


@click.group(cls=_VideoGroup)
@click.version_option(__version__, prog_name="pyfaceau")
def main() -> None:
    """Facial action units, landmarks, head pose and gaze from video, as OpenFace writes them.

    Each INPUT becomes a table. A video, or a folder of pictures that is one, has a row per frame;
    with --multi-face a row per frame and face; a still picture has a row per face. Options -2Dfp
    to -gaze select groups of columns; without them all that can be computed is written.

    A video that is cut off or damaged, and one interrupted by Ctrl-C, leaves what was read in
    NAME.partial.csv; a table under its own name is always whole, and so is every file beside it.

    Exit codes: 0 all tables are written; 1 something failed, and standard error says what; 2 wrong
    use; 130 interrupted.
    """


@main.command(hidden=True, cls=HiddenCommand)
@click.argument("inputs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="The table, of one INPUT: .csv, .csv.gz, .parquet.",
)
@click.option(
    "--out-dir",
    "-out_dir",
    type=click.Path(path_type=Path),
    default=Path("processed"),
    show_default=True,
    help="Folder of the tables where -o is not given; each is named as its INPUT.",
)
@click.option("--stills", is_flag=True, help="A folder is no video: each picture has a table.")
@click.option(
    "--bboxes",
    "-bboxdir",
    type=click.Path(path_type=Path),
    help="Folder with a NAME.txt for each still picture: 'min_x min_y max_x max_y' per face.",
)
@click.option("--multi-face", is_flag=True, help="Follow up to four faces in a video.")
@click.option("--identities", is_flag=True, help="With --multi-face: a number for each person.")
@click.option("--config", default="default", show_default=True, help="Profile: name or TOML file.")
@click.option("--fixed-fps", is_flag=True, help="Stamp frame k with (k-1)/fps, as OpenFace does.")
@network_option
@click.option("--device", type=click.Choice(DEVICES), help="Where the networks run.")
@click.option(
    "--threads", type=int, help="1: one stage at a time; more: they overlap. Default: usable cores."
)
@_group_options
@_lens_options
@click.option("-au_static", is_flag=True, help="Action-unit models that learn nothing of a person.")
@_fit_options
@side_options
@output_options
@header_option
@selection_options
@recording_options
@click.option("--debug", is_flag=True, help="Show where an unexpected error comes from.")
def process(
    inputs: tuple[Path, ...],
    output: Path | None,
    out_dir: Path,
    stills: bool,
    bboxes: Path | None,
    multi_face: bool,
    config: str,
    debug: bool,
    **options: Any,
) -> None:
    """Process each INPUT into a table."""
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    groups = [name for name in GROUP_HELP if options[f"group_{name}"]]
    with errors():
        jobs = plan(inputs, output, out_dir, stills, bboxes)
        check_outputs(options, len(jobs))
        settings = _settings(config, options, multi_face)
        check_selection(settings, any(job.kind == "still" for job in jobs), multi_face)
        check_profile(settings, groups, options, config)
        run_jobs(Runner(settings, groups, multi_face, options | {"profile": config}), jobs, debug)


def _settings(config: str, options: dict[str, Any], multi_face: bool) -> Config:
    """Return a profile's settings with the options that were given put in."""
    from dataclasses import replace

    from pyfaceau.config import Config

    if options["identities"] and not multi_face:
        raise click.UsageError("--identities goes with --multi-face")
    settings = with_network(Config.load(config), options["network"], options["au_models"])
    settings = with_selection(with_header(settings, options["header"]), options)
    settings = with_sides(settings, options, multi_face)
    for name, value in click.get_current_context().meta.get("fit", ()):
        settings = with_fit_option(settings, name, value)
    given = {name: options[name] for name in LENS_HELP if options[name] is not None}
    for one, other in (("fx", "fy"), ("fy", "fx"), ("cx", "cy"), ("cy", "cx")):
        if one in given and other not in given:
            effect = f"{other} is -1" if one in ("fx", "cx") else "it does not count"
            message = f"-{one} without -{other}: in videos {effect}, in stills it does not count"
            click.echo(f"{message}, as in OpenFace", err=True)
    settings = with_reading(settings, options)
    return replace(
        settings,
        device=options["device"] or settings.device,
        fixed_fps=settings.fixed_fps or options["fixed_fps"],
        static_aus=settings.static_aus or options["au_static"],
        identities=settings.identities or options["identities"],
        lens=replace(settings.lens, **given),
    )


def with_fit_option(settings: Config, name: str, value: Any) -> Config:
    """Return settings with one of OpenFace's options for its landmark fit put in.

    Parameters
    ----------
    settings : Config
        A profile's, or what the option before has made of it.
    name : str
        One of `FIT_HELP`.
    value : object
        Its value.

    Returns
    -------
    Config
        The settings.

    Raises
    ------
    UsageError
        If the profile does not use OpenFace's landmark models.
    InputError
        If the value makes no sense.
    """
    from dataclasses import replace

    from pyfaceau.config import WILD

    if settings.landmarks != "clnf":
        raise click.UsageError(f"-{name} goes with OpenFace's landmark models: --config openface")
    if name == "wild":
        return replace(settings, fit=WILD, multi_view=True)
    if name == "multi_view":
        return replace(settings, multi_view=bool(value))
    return replace(settings, fit=replace(settings.fit, **{FIT_FIELDS[name]: value}))


main.add_command(weights)
main.add_command(app)
main.add_command(study)
study.add_command(study_report)
main.add_command(repredict)
main.add_command(asymmetry)
main.add_command(actions)
main.add_command(landmarks)
main.add_command(live)
main.add_command(facemap)
main.add_command(expressions)
main.add_command(train)
main.add_command(overlay)
main.add_command(report)
main.add_command(evaluate)
main.add_command(warm_up)
