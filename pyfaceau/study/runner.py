"""A study's run: plan, hand out tasks, keep the ledger."""

from __future__ import annotations

import dataclasses
import os
import socket
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyfaceau import __version__
from pyfaceau.errors import InputError, OutputError
from pyfaceau.study.executors import Executor
from pyfaceau.study.files import baseline_path, clear_parts
from pyfaceau.study.identity import config_table, digest, environment, stamp
from pyfaceau.study.inputs import StudyVideo, distinct
from pyfaceau.study.ledger import Ledger, Lock
from pyfaceau.study.plan import Planner, Step, Wanted

if TYPE_CHECKING:
    from typing_extensions import Self

_TICK = 0.5
"""Seconds between two looks at the progress."""

_PATIENCE = 5.0
"""Seconds for which a ledger that cannot be written is tried again at the end."""


class Observer:
    """What is told of a run as it goes; does nothing by itself."""

    def planned(self, steps: Sequence[Step], total: int) -> None:
        """Take note of the plan.

        Parameters
        ----------
        steps : sequence of Step
            What is to be done.
        total : int
            Videos that were asked for.
        """

    def moved(self, frames: int) -> None:
        """Take note that time has passed.

        Parameters
        ----------
        frames : int
            Frames done in this run.
        """

    def ended(self, name: str, why: str, outcome: Mapping[str, Any]) -> None:
        """Take note that a video has ended.

        Parameters
        ----------
        name : str
            The video's name in the study.
        why : str
            Why it was worked on.
        outcome : mapping
            Columns of the ledger.
        """


@dataclass(frozen=True)
class Summary:
    """What came of a run.

    Attributes
    ----------
    done, failed, fresh : int
        Videos that were done, that failed, and that needed nothing.
    failures : dict
        Name to error of every video asked for that has no table now.
    frames : int
        Frames that were tracked.
    seconds : float
        Of the run.
    bookkeeping : float
        Seconds of these spent on anything but waiting for workers.
    """

    done: int
    failed: int
    fresh: int
    failures: Mapping[str, str]
    frames: int
    seconds: float
    bookkeeping: float


@dataclass
class _Counts:
    done: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)
    frames: int = 0
    waited: float = 0.0
    unwritten: dict[str, Mapping[str, Any]] = field(default_factory=dict)


class Study:
    """A study in its output folder, held for one run; used in a ``with`` statement.

    Parameters
    ----------
    out : Path
        The folder; made if there is none.
    wanted : Wanted
        How videos are to be processed.
    executor : Executor
        Who does the tasks.
    observer : Observer, optional
        Is told of the run.

    Raises
    ------
    OutputError
        If another run is at work in the folder, or it cannot be written.
    """

    def __init__(
        self, out: Path, wanted: Wanted, executor: Executor, observer: Observer | None = None
    ) -> None:
        self.out = Path(os.path.abspath(out))  # noqa: PTH100 - links keep their names
        self.wanted, self._executor = wanted, executor
        self._observer = observer or Observer()
        try:
            self.out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{out}: cannot be made: {error.strerror or error}") from None
        self._lock = Lock(self.out)
        try:
            self.ledger = Ledger(self.out, create=True)
        except BaseException:
            self._lock.release()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._executor.close()
        self.ledger.__exit__(None, None, None)
        self._lock.release()

    def run(self, videos: Sequence[StudyVideo], force: bool = False) -> Summary:
        """Process what is missing or has changed.

        Parameters
        ----------
        videos : sequence of StudyVideo
            As from `find_videos`.
        force : bool
            Try failed videos again, whatever they failed of.

        Returns
        -------
        Summary
            What came of it.

        Raises
        ------
        InputError
            If a baseline is wanted of a subject without videos.
        KeyboardInterrupt
            After the ledger was brought in order.
        """
        began = time.perf_counter()
        self._counts = _Counts()
        named = distinct(videos, self.ledger.names())
        self.ledger.enter(named)
        self.ledger.remember("configs", self.wanted.config_sha256, config_table(self.wanted.config))
        number = self.ledger.begin_run(
            started=_now(),
            host=socket.gethostname(),
            pid=os.getpid(),
            executor=self._executor.name,
            workers=self._executor.slots,
            options=dataclasses.asdict(self.wanted),
            environment=environment(),
        )
        outcome = "interrupted"
        try:
            asked = {video.name for video in named}
            steps = self._plan(asked, force)
            self._work(steps)
            self._share_baselines()
            self._settle()
            failures = self._failures(asked)
            outcome = "failures" if failures else "complete"
        finally:
            with suppress(OutputError):  # a full disk has already been reported
                self.ledger.end_run(number, _now(), outcome)
        seconds = time.perf_counter() - began
        counts = self._counts
        return Summary(
            len(counts.done),
            len(counts.failed),
            len(asked - counts.done - counts.failed),
            failures,
            counts.frames,
            seconds,
            seconds - counts.waited,
        )

    def _plan(self, asked: set[str], force: bool) -> list[Step]:
        self._planner = Planner(self.out, self.wanted, self.ledger.weights(), force)
        rows = [row for row in self.ledger.rows() if row["name"] in asked]
        missing = set(self.wanted.baselines) - {row["subject"] for row in rows}
        if missing:
            raise InputError(f"baseline: expected a subject of the videos, got {min(missing)!r}")
        steps = [step for row in rows if (step := self._planner.step(row)) is not None]
        # The longest first: the last worker to finish has little left to do alone.
        steps.sort(key=lambda step: (-step.size, step.name))
        self._observer.planned(steps, len(rows))
        return steps

    def _work(self, steps: Sequence[Step]) -> None:
        """Do tasks of videos, and note what comes of each."""
        waiting = deque(steps)
        working: dict[Future[dict[str, Any]], Step] = {}
        try:
            while waiting or working:
                slots = self._executor.slots
                while waiting and len(working) < slots:
                    step = waiting.popleft()
                    self._begin(step)
                    working[self._executor.submit(step.task)] = step
                for future in self._wait(working):
                    self._end(working.pop(future), _outcome(future))
        except BaseException:
            self._executor.close()
            self._withdraw(working.values())
            raise

    def _withdraw(self, steps: Iterable[Step]) -> None:
        """Bring in order what was at work when it was interrupted."""
        for step in steps:
            for output in ("table", "features", "quality"):
                if step.task.get(output):
                    clear_parts(Path(step.task[output]))
        noted = {name: columns.get("state") for name, columns in self._counts.unwritten.items()}
        at_work = {row["name"] for row in self.ledger.rows("running")}
        at_work = {name for name in at_work | noted.keys() if noted.get(name) in (None, "running")}
        self._note({name: {"state": "pending", "why": "interrupted"} for name in at_work})

    def _begin(self, step: Step) -> None:
        columns = {"state": "running", "why": step.why}
        with suppress(KeyError, OSError):  # no video is read; there is none
            columns["input_stamp"] = stamp(Path(step.task["source"]))
        self._note({step.name: columns})

    def _wait(self, working: Mapping[Future[dict[str, Any]], Step]) -> set[Future[dict[str, Any]]]:
        began = time.perf_counter()
        done, _ = wait(working, timeout=_TICK, return_when=FIRST_COMPLETED)
        self._counts.waited += time.perf_counter() - began
        self._observer.moved(self._counts.frames + self._executor.frames)
        return done

    def _end(self, step: Step, outcome: dict[str, Any]) -> None:
        """Note what came of a task for a video."""
        task = step.task
        if "weights" in outcome:
            outcome["weights_sha256"] = digest(outcome["weights"])
            self.ledger.remember("weights", outcome["weights_sha256"], outcome["weights"])
        outcome.setdefault("kind", "")
        outcome.setdefault("error", "")
        outcome.update(config_sha256=self.wanted.config_sha256, version=__version__)
        if outcome["state"] == "done":
            outcome["calibration"] = task.get("calibration") or self._calibration(step.name)
        self._note({step.name: outcome})
        if task["job"] == "video":
            self._counts.frames += outcome.get("frames", 0)
        if outcome["state"] != "tracked":
            ended = self._counts.done if outcome["state"] == "done" else self._counts.failed
            ended.add(step.name)
            self._observer.ended(step.name, step.why, outcome)

    def _calibration(self, name: str) -> str:
        return self.wanted.calibration(self.ledger.row(name))

    def _share_baselines(self) -> None:
        """Give all videos of each subject that shares a baseline their action units."""
        for subject in self.wanted.baselines:
            rows = [
                row
                for row in self.ledger.rows()
                if row["subject"] == subject and self._planner.usable(row)
            ]
            if not rows:
                continue
            name = self._planner.baseline_name(rows)
            stale = {row["name"]: self._planner.table_stale(row, name) for row in rows}
            if not any(stale.values()):
                continue
            future = self._executor.submit(self._planner.baseline_task(rows))
            while not self._wait({future: Step(name, "", {})}):
                continue
            found = _outcome(future)
            steps = []
            for row in rows:
                why = stale[row["name"]]
                if why is None:
                    continue
                task = self._planner.repredict_task(row, baseline_path(self.out, subject))
                step = Step(row["name"], why, {**task, "calibration": name})
                steps.append(step)
            if found["state"] == "done":
                self._work(steps)
            else:
                for step in steps:
                    self._end(step, dict(found))

    def _note(self, changes: Mapping[str, Mapping[str, Any]]) -> None:
        """Write to the ledger; keep what cannot be written for later."""
        unwritten = self._counts.unwritten
        for name, columns in changes.items():
            unwritten[name] = {**unwritten.get(name, {}), **columns}
        try:
            self.ledger.update(unwritten)
        except OutputError:
            return
        unwritten.clear()

    def _settle(self) -> None:
        """Write what could not be written before."""
        until = time.monotonic() + _PATIENCE
        while self._counts.unwritten:
            self._note({})
            if self._counts.unwritten and time.monotonic() > until:
                self.ledger.update(self._counts.unwritten)
            time.sleep(0.1 if self._counts.unwritten else 0)

    def _failures(self, asked: set[str]) -> dict[str, str]:
        rows = [row for row in self.ledger.rows() if row["name"] in asked]
        return {row["name"]: row["error"] or row["state"] for row in rows if row["state"] != "done"}


def _outcome(future: Future[dict[str, Any]]) -> dict[str, Any]:
    """Return a task's outcome; that the cluster lost it is one too."""
    try:
        return dict(future.result())
    except Exception as error:  # noqa: BLE001 - clusters raise what they like
        text = " ".join(str(error).split())[:500] or type(error).__name__
        return {"state": "failed", "kind": "worker", "error": f"lost by the cluster: {text}"}


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
