"""A process of its own for the work on a video, so that nothing but that work can die of it."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Any

PROCESSOR = "pyfaceau.study.job:perform"
"""What does the work: module and function."""

STALL = 600.0
"""Seconds without a further frame after which a video is given up."""

_ONE_THREAD = (
    "OMP_NUM_THREADS OPENBLAS_NUM_THREADS MKL_NUM_THREADS NUMBA_NUM_THREADS VECLIB_MAXIMUM_THREADS"
)


@dataclass(frozen=True)
class Limits:
    """What a task may take.

    Attributes
    ----------
    seconds : float
        Of time; 0 for no limit.
    stall : float
        Seconds without a further frame.
    memory : int
        MiB of address space, where the operating system can limit it; 0 for no limit.
    """

    seconds: float = 0.0
    stall: float = STALL
    memory: int = 0


class WorkerProcess:
    """A child process that does one task after the other, and is replaced when it breaks.

    Tasks and outcomes are lines of JSON on its standard input and output; what it and its
    libraries print goes to an unnamed file, the end of which is reported if it dies. It ends
    itself when this process ends.

    Parameters
    ----------
    limits : Limits
        For each task.
    processor : str
        ``module:function``; takes a task and a function to be told of frames, returns an outcome.

    Attributes
    ----------
    frames : int
        Frames done of the task in hand; 0 without one.
    """

    def __init__(self, limits: Limits, processor: str = PROCESSOR) -> None:
        self.limits = limits
        self.frames = 0
        self._processor = processor
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False
        self._guard = threading.Lock()

    def run(self, task: Mapping[str, Any]) -> dict[str, Any]:
        """Have a task done.

        Parameters
        ----------
        task : mapping
            What can be written as JSON.

        Returns
        -------
        dict
            The outcome; if there is none: `state` ``'failed'`` with `kind` ``'time'``,
            ``'memory'`` or ``'worker'`` and `error`, one line.
        """
        outcome = self._attempt(task)
        self.frames = 0
        if outcome.get("state") == "failed" and outcome.get("kind") in ("time", "memory", "worker"):
            self.end()
        return outcome

    @property
    def closed(self) -> bool:
        """Whether it was ended by `close` and takes no further task."""
        return self._closed

    def close(self) -> None:
        """End the process, at once."""
        with self._guard:
            self._closed = True
        self.end()

    def _attempt(self, task: Mapping[str, Any]) -> dict[str, Any]:
        process = self._start()
        if process is None:
            return _failed("worker", "stopped")
        assert process.stdin is not None  # noqa: S101 - for the type checker
        try:
            process.stdin.write(json.dumps(task).encode() + b"\n")
            process.stdin.flush()
        except (OSError, ValueError):  # it died, or was closed by who wants it to end
            return self._obituary(process)
        began = heard = time.monotonic()
        taken = False
        while True:
            now = time.monotonic()
            left = heard + self.limits.stall - now
            if self.limits.seconds:
                left = min(left, began + self.limits.seconds - now)
            if left <= 0:
                if self.limits.seconds and now - began >= self.limits.seconds:
                    return _failed("time", f"not done within {self.limits.seconds:g} s")
                return _failed("time", f"no further frame within {self.limits.stall:g} s")
            try:
                line = self._replies.get(timeout=left)
            except queue.Empty:
                continue
            if line is None:
                return self._obituary(process)
            reply: dict[str, Any] = json.loads(line)
            if "outcome" in reply:
                outcome: dict[str, Any] = reply["outcome"]
                return outcome
            self.frames, heard = reply["frames"], time.monotonic()
            if not taken:  # the time that a process needs to start is nobody's
                taken, began = True, heard

    def _start(self) -> subprocess.Popen[bytes] | None:
        """Start the process unless it lives; return it, or None where there is to be none."""
        with self._guard:
            if self._closed:
                return None
            if self._process is not None and self._process.poll() is None:
                return self._process
            environment = dict.fromkeys(_ONE_THREAD.split(), "1") | dict(os.environ)
            environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
            self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by end
            command = [sys.executable, "-m", "pyfaceau.study.worker"]
            self._process = subprocess.Popen(  # noqa: S603 - this interpreter, this package
                [*command, self._processor, str(self.limits.memory)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log,
                env=environment,
            )
            self._replies: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
            listener = threading.Thread(
                target=_listen, args=(self._process.stdout, self._replies), daemon=True
            )
            listener.start()
            return self._process

    def _obituary(self, process: subprocess.Popen[bytes]) -> dict[str, Any]:
        """Say what a process died of."""
        try:
            code = process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        try:
            self._log.seek(max(0, self._log.tell() - 4096))
            said = self._log.read().decode("utf-8", "replace")
        except ValueError:  # closed together with the process, by who wanted its end
            return _failed("worker", "ended on request")
        fatal = [line for line in said.splitlines() if line.startswith("Fatal Python error")]
        last = (fatal or [line for line in said.splitlines() if line.strip()] or [""])[-1].strip()
        if "MemoryError" in said or "bad_alloc" in said:
            return _failed("memory", "out of memory")
        if code == -getattr(signal, "SIGKILL", 9):
            return _failed("worker", "the worker was killed, by a person or for lack of memory")
        name = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return _failed("worker", f"the worker died of {name}" + (f": {last}" if last else ""))

    def end(self) -> None:
        """End the process, at once; a further task has a new one."""
        with self._guard:
            process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, self._log):
            if stream is not None:
                try:
                    stream.close()
                except OSError:  # a task that was never read
                    continue


def _listen(stream: IO[bytes], replies: queue.SimpleQueue[bytes | None]) -> None:
    """Pass on what a worker says; None at its end."""
    try:
        for line in stream:
            replies.put(line)
    except (OSError, ValueError):  # closed from this side
        pass
    replies.put(None)


def _failed(kind: str, error: str) -> dict[str, Any]:
    return {"state": "failed", "kind": kind, "error": error}
