"""Taking inputs through the pipelines, one after the other, and reporting what came of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

import click

from pyfaceau.cli.inputs import Job
from pyfaceau.cli.outputs import outputs_for
from pyfaceau.cli.sides import write_geometry
from pyfaceau.errors import PyfaceauError, WeightsError

if TYPE_CHECKING:
    from pathlib import Path

    from pyfaceau.config import Config
    from pyfaceau.pipeline.multi import MultiFacePipeline
    from pyfaceau.pipeline.recorder import Written
    from pyfaceau.pipeline.stills import PicturePipeline
    from pyfaceau.pipeline.video import FullPythonAUPipeline

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""


def run_jobs(runner: Runner, jobs: Sequence[Job], debug: bool = False) -> None:
    """Process inputs; a bad one does not stop the others, and makes the exit code 1 at the end.

    Parameters
    ----------
    runner : Runner
        Does the work.
    jobs : sequence of Job
        The inputs.
    debug : bool
        Let an unexpected error through.
    """
    failures = [problem for job in jobs if (problem := process_one(runner, job, debug)) is not None]
    if failures and len(jobs) > 1:
        click.echo(f"{len(failures)} of {len(jobs)} inputs failed:", err=True)
        for problem in failures:
            click.echo(f"  {problem}", err=True)
    if failures:
        click.get_current_context().exit(1)


@contextmanager
def errors() -> Iterator[None]:
    """Turn what may go wrong into one line and an exit code."""
    try:
        yield
    except PyfaceauError as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        click.echo("Interrupted.", err=True)
        raise click.exceptions.Exit(INTERRUPTED) from None


class Runner:
    """Takes each input through the pipeline of its kind, loaded when it is first needed."""

    def __init__(
        self, config: Config, groups: Sequence[str], multi_face: bool, options: dict[str, Any]
    ) -> None:
        self._config = config
        self._options = options
        self._groups = groups
        self._multi_face = multi_face

    def run(self, job: Job) -> str:
        """Process one input and return what is to be said of it."""
        done = self.write(job)
        if job.kind == "still":
            count = f"{done.frames or 'no'} face{'s' * (done.frames > 1)}"
        else:
            rows = "rows" if self._multi_face else "frames"
            count = f"{done.frames} {rows}, {done.faces} with a face"
        files = [*map(str, done.files)]
        if self._options.get("provenance"):
            files.append(str(self._record(job, done)))
        if job.kind != "still":
            files += write_geometry(done.path, self._config, self._options)
        return "\n  ".join([f"{done.path}: {count}", *files])

    def write(self, job: Job) -> Written:
        """Process one input.

        Parameters
        ----------
        job : Job
            The input.

        Returns
        -------
        Written
            Its table, and what is beside it.

        Raises
        ------
        PyfaceauError
            If something goes wrong.
        """
        still = job.kind == "still"
        beside = outputs_for(self._options, job.table, still)
        if still:
            return self._stills.write_csv(job.path, job.table, self._groups, job.boxes, beside)
        return self._videos.write_csv(job.path, job.table, self._groups, beside)

    def _record(self, job: Job, done: Written) -> Path:
        """Write where a table comes from."""
        import sys

        from pyfaceau.report.provenance import write_provenance

        rows, profile = done.frames, str(self._options.get("profile", ""))
        command = ["pyfaceau", *sys.argv[1:]]
        return write_provenance(done.path, job.path, self._config, profile, rows, command)

    @cached_property
    def _stills(self) -> PicturePipeline:
        from pyfaceau.pipeline.stills import PicturePipeline

        return PicturePipeline(self._config)

    @cached_property
    def _videos(self) -> FullPythonAUPipeline | MultiFacePipeline:
        threads = self._options["threads"]
        if self._multi_face:
            from pyfaceau.pipeline.multi import MultiFacePipeline

            return MultiFacePipeline(self._config, verbose=True, threads=threads)
        from pyfaceau.pipeline.video import FullPythonAUPipeline

        return FullPythonAUPipeline(config=self._config, verbose=True, threads=threads)


def process_one(runner: Runner, job: Job, debug: bool) -> str | None:
    """Process one input; return what went wrong, one line."""
    try:
        click.echo(runner.run(job))
    except WeightsError:
        raise
    except PyfaceauError as error:
        problem = str(error)
    except Exception as error:  # a batch goes on after whatever one input causes
        if debug:
            raise
        problem = f"{job.path}: {type(error).__name__}: {error}"
    else:
        return None
    problem = " ".join(problem.splitlines())
    click.echo(f"Error: {problem}", err=True)
    return problem
