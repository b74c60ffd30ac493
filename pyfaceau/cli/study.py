"""The commands ``pyfaceau study`` and ``pyfaceau repredict``: parse, call, report."""

from __future__ import annotations

import json
import logging
import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pyfaceau.cli.dialect import header_option, with_header
from pyfaceau.cli.options import option_group
from pyfaceau.cli.selection import NAMES, selection_options, with_selection
from pyfaceau.cli.sides import split_options, with_sides
from pyfaceau.cli.strict import StrictCommand
from pyfaceau.errors import PyfaceauError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyfaceau.config import Config
    from pyfaceau.study.executors import Executor
    from pyfaceau.study.inputs import StudyVideo
    from pyfaceau.study.plan import Wanted
    from pyfaceau.study.runner import Summary

INTERRUPTED = 130
"""Exit code after Ctrl-C or SIGTERM."""

_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.group()
def study() -> None:
    """Process many videos: resume, audit, distribute.

    The output folder holds a ledger, study.sqlite, of what was done to every video. A second run
    does only what is missing or has changed: the video, the settings, a model file, the version.
    """


_worker_options = option_group(
    click.option(
        "--workers",
        type=click.IntRange(1),
        help="Videos at a time.  [default: one per processor]",
    ),
    click.option(
        "--time-limit",
        type=click.FloatRange(0),
        default=0.0,
        metavar="SECONDS",
        help="Give up a video after this long; one without a frame for 600 s in any case.",
    ),
    click.option(
        "--memory-limit",
        type=click.IntRange(0),
        default=0,
        metavar="MB",
        help="Address space of each worker.",
    ),
    click.option("--dask", metavar="ADDRESS", help="Dask scheduler, such as tcp://host:8786."),
    click.option(
        "--slurm",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="TOML file of SLURM settings: start --workers jobs there.",
    ),
)
"""Adds the options that say who does the work."""


@study.command(cls=StrictCommand)
@click.argument("videos", nargs=-1, required=True, metavar="VIDEOS...")
@click.option("-o", "--out", type=_FOLDER, required=True, help="Folder of tables and ledger.")
@click.option("--config", default="default", show_default=True, help="Profile: name or TOML file.")
@click.option("--static", is_flag=True, help="Action-unit models that know no neutral face.")
@click.option(
    "--neutral",
    default="",
    metavar="START-END",
    help="Seconds of a neutral face, instead of the running median; a manifest may say other ones.",
)
@click.option(
    "--baseline",
    "baselines",
    multiple=True,
    metavar="SUBJECT",
    help="Share one neutral face over all videos of a subject; may be repeated.",
)
@click.option("--keep-features", is_flag=True, help="Keep NAME.features, for repredict.")
@header_option
@selection_options
@split_options
@_worker_options
def run(
    videos: tuple[str, ...],
    out: Path,
    config: str,
    static: bool,
    neutral: str,
    baselines: tuple[str, ...],
    keep_features: bool,
    split_face: bool,
    mirrored_input: bool,
    header: str | None,
    **worker_options: Any,
) -> None:
    """Process VIDEOS: files, folders, patterns, or manifests.

    A manifest is a CSV file with a column "video" (paths from its own folder), any of "subject",
    "session" and "neutral", and free columns, which `export` carries along.

    Each video gets one table, OUT/<relative path>.csv, and beside it NAME.quality.csv.gz: per
    frame, what speaks against it.

    Exit codes: 0 every video has its table; 1 some have not, and standard error says why; 2 wrong
    use; 130 interrupted.
    """
    from pyfaceau.study.inputs import find_videos
    from pyfaceau.study.plan import Wanted

    with _errors():
        _check_neutral(neutral)
        found = find_videos(videos, out)
        chosen = {name: worker_options.pop(name) for name in NAMES}
        sides = {"split_face": split_face, "mirrored_input": mirrored_input}
        settings = with_sides(
            with_selection(with_header(_settings(config, static), header), chosen), sides
        )
        if settings.split_face and baselines:
            raise click.UsageError(
                "--split-face: a shared neutral face is of whole faces only; leave out --baseline"
            )
        if not settings.has_units and (keep_features or neutral or baselines or static):
            raise click.UsageError(
                "--keep-features, --neutral, --baseline and --static do not go with profile "
                f"{config}: it has none of OpenFace's action units"
            )
        wanted = Wanted(settings, keep_features, neutral, tuple(sorted(set(baselines))))
        _run(out, wanted, found, worker_options, force=False)


@study.command(cls=StrictCommand)
@click.argument("out", type=_FOLDER)
@_worker_options
def retry(out: Path, **worker_options: Any) -> None:
    """Try all failed videos of a study again, with the settings of its last run."""
    from pyfaceau.config import Config
    from pyfaceau.study.inputs import StudyVideo
    from pyfaceau.study.ledger import Ledger
    from pyfaceau.study.plan import Wanted

    with _errors():
        with Ledger(out) as ledger:
            rows, last = ledger.rows(), ledger.last_run()
        if last is None or not any(row["state"] != "done" for row in rows):
            click.echo("Nothing has failed.")
            return
        options = json.loads(last["options"])
        options["config"] = Config.from_table(options["config"])
        options["baselines"] = tuple(options["baselines"])
        wanted = Wanted(**options)
        columns = ("source", "name", "subject", "session", "neutral", "extra")
        found = [
            StudyVideo(**{column: row[column] for column in columns})
            for row in rows
            if row["state"] != "done" or row["subject"] in wanted.baselines
        ]
        _run(out, wanted, found, worker_options, force=True)


@study.command(cls=StrictCommand)
@click.argument("out", type=_FOLDER)
@click.option("--json", "as_json", is_flag=True, help="All that the ledger knows of each video.")
def status(out: Path, as_json: bool) -> None:
    """Show how far a study is, what failed, and which videos should not be trusted."""
    from pyfaceau.study.ledger import Ledger

    with _errors(), Ledger(out) as ledger:
        rows, counts, last = ledger.rows(), ledger.counts(), ledger.last_run()
    if as_json:
        click.echo(json.dumps([{**row, "source": str(row["source"])} for row in rows], indent=1))
        return
    click.echo(", ".join(f"{count} {state}" for state, count in counts.items()))
    if last is not None:
        ended = f"{last['outcome']} {last['finished']}" if last["outcome"] else "at work, or killed"
        click.echo(f"last run: began {last['started']} on {last['host']}, {ended}")
    for row in rows:
        if row["state"] == "failed":
            click.echo(f"failed: {row['name']}: {row['error']}")
        if row["state"] == "done" and row["warnings"]:
            click.echo(f"warning: {row['name']}: {row['warnings']}")


@study.command(cls=StrictCommand)
@click.argument("out", type=_FOLDER)
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path))
@header_option
@click.option("--actions", is_flag=True, help="Also NAME_actions, NAME_synkinesis, NAME_change.")
def export(out: Path, target: Path, header: str | None, actions: bool) -> None:
    """Write all finished tables into one TARGET, .csv or .parquet: a row per frame.

    Rows are keyed by subject, session and video; a manifest's free columns come along. Without
    --header, names and values of a .csv have a comma between them and no space. With --actions, of
    videos whose manifest names their "actions" (and "affected" side): what came of each, and each
    subject's change since the first session beside what a change must exceed.
    """
    from pyfaceau.study.actions import export_actions
    from pyfaceau.study.export import export as write

    with _errors():
        click.echo(f"{target}: {write(out, target, header or 'plain')} rows")
        files, said = export_actions(out, target) if actions else ([], [])
        for path in files:
            click.echo(path)
        for clause in said:
            click.echo(f"  {clause}", err=True)


@click.command(cls=StrictCommand)
@click.argument("features", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The table, of one file.")
@click.option(
    "--out-dir",
    type=_FOLDER,
    default=Path("processed"),
    show_default=True,
    help="Folder of the tables where -o is not given.",
)
@click.option("--config", default="default", show_default=True, help="Profile: name or TOML file.")
@click.option("--static", is_flag=True, help="Action-unit models that know no neutral face.")
@click.option("--neutral", default="", metavar="START-END", help="Seconds of a neutral face.")
@click.option("--baseline", is_flag=True, help="Share one neutral face over all FEATURES.")
@click.option("--no-smoothing", is_flag=True, help="Leave each frame's values as they are.")
@click.option("--au-models", metavar="FOLDER", help="Other action-unit models.")
@header_option
def repredict(
    features: tuple[Path, ...],
    output: Path | None,
    out_dir: Path,
    config: str,
    static: bool,
    neutral: str,
    baseline: bool,
    no_smoothing: bool,
    au_models: str | None,
    header: str | None,
) -> None:
    """Predict action units again from FEATURES files, without the videos.

    A table has the bytes that its video gives with the same options.
    """
    from dataclasses import replace

    from pyfaceau.study.repredict import Repredictor, share_baseline

    tables = _tables(features, output, out_dir)
    with _errors():
        _check_neutral(neutral)
        settings = with_header(_settings(config, static), header)
        if no_smoothing:
            settings = replace(settings, smoothing=False)
        if au_models is not None:
            settings = replace(settings, models=replace(settings.models, au_predictors=au_models))
        predictor = Repredictor(settings)
        shared = None
        if baseline:
            shared = share_baseline(predictor, features, [neutral] * len(features))
        failed = False
        for path, table in zip(features, tables, strict=True):
            try:
                frames = predictor.write(path, table, neutral, shared)
            except PyfaceauError as error:
                failed = True
                click.echo(f"Error: {error}", err=True)
            else:
                click.echo(f"{table}: {frames} frames")
    if failed:
        click.get_current_context().exit(1)


def _tables(features: Sequence[Path], output: Path | None, out_dir: Path) -> list[Path]:
    """Return the path of each feature file's table; no two may be the same."""
    if output is not None:
        if len(features) > 1:
            raise click.UsageError(f"-o names one table, got {len(features)} files: use --out-dir")
        return [output]
    tables = [out_dir / f"{path.name.removesuffix('.features')}.csv" for path in features]
    seen: dict[str, Path] = {}
    for path, table in zip(features, tables, strict=True):
        other = seen.setdefault(os.path.normcase(table), path)
        if other is not path:
            raise click.UsageError(f"{other} and {path} would both be written to {table}")
    return tables


def _settings(config: str, static: bool) -> Config:
    from dataclasses import replace

    from pyfaceau.config import Config

    settings = Config.load(config)
    return replace(settings, static_aus=True) if static else settings


def _check_neutral(text: str) -> None:
    if text:
        from pyfaceau.features.interval import parse_interval

        parse_interval(text)


def _run(
    out: Path, wanted: Wanted, videos: Sequence[StudyVideo], options: Mapping[str, Any], force: bool
) -> None:
    """Run a study, show its progress, report, exit."""
    from pyfaceau.study.progress import Bar
    from pyfaceau.study.runner import Study

    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # schedulers end jobs so
    with (
        Bar(lambda line: click.echo(line, err=True)) as bar,
        Study(out, wanted, _executor(**options), bar) as work,
    ):
        summary = work.run(videos, force)
    _report(summary)


def _executor(
    workers: int | None,
    time_limit: float,
    memory_limit: int,
    dask: str | None,
    slurm: Path | None,
) -> Executor:
    from pyfaceau.study import executors
    from pyfaceau.study.isolation import Limits

    limits = Limits(seconds=time_limit, memory=memory_limit)
    count = workers or len(
        getattr(os, "sched_getaffinity", lambda _: range(os.cpu_count() or 1))(0)
    )
    if dask is not None and slurm is not None:
        raise click.UsageError("--dask and --slurm exclude each other")
    if dask is not None:
        return executors.connect(dask, limits)
    if slurm is not None:
        return executors.submit_slurm(slurm, count, limits)
    return executors.LocalExecutor(count, limits)


def _report(summary: Summary) -> None:
    rate = summary.frames / summary.seconds if summary.seconds else 0.0
    click.echo(
        f"{summary.done} done, {summary.fresh} as they were, {len(summary.failures)} failed; "
        f"{summary.frames} frames in {summary.seconds:.1f} s, {rate:.1f} frames/s"
    )
    if summary.failures:
        click.echo(f"{len(summary.failures)} videos have no table:", err=True)
        for name, error in summary.failures.items():
            click.echo(f"  {name}: {error}", err=True)
        click.get_current_context().exit(1)


@contextmanager
def _errors() -> Iterator[None]:
    """Turn what may go wrong into one line and an exit code."""
    try:
        yield
    except PyfaceauError as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        click.echo("Interrupted; the same command goes on from here.", err=True)
        raise click.exceptions.Exit(INTERRUPTED) from None
