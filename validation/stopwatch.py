"""Times functions of the package from outside: wall and processor time, callees left out."""

from __future__ import annotations

import functools
import importlib
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

GENERATORS = ("__iter__", "track_ahead")
"""Names of methods whose steps are timed, not their calls."""


@dataclass
class Times:
    """Self times of one stage, one entry for each call, ns.

    Attributes
    ----------
    wall, cpu : list of int
        Without the time spent in other watched functions that it called.
    """

    wall: list[int] = field(default_factory=list)
    cpu: list[int] = field(default_factory=list)

    def figures(self) -> dict[str, float]:
        """Return calls, median and total wall time and total processor time, ms."""
        return {
            "calls": len(self.wall),
            "median_ms": float(np.median(self.wall)) / 1e6 if self.wall else 0.0,
            "wall_ms": sum(self.wall) / 1e6,
            "cpu_ms": sum(self.cpu) / 1e6,
        }


class Stopwatch:
    """Wraps functions, methods and generator methods by name, and keeps their times."""

    def __init__(self) -> None:
        self.times: dict[str, Times] = defaultdict(Times)
        self._local = threading.local()

    @contextmanager
    def _clock(self, stage: str) -> Iterator[None]:
        """Time a block; its time is taken off the block around it in the same thread."""
        stack: list[list[int]] = self._local.__dict__.setdefault("stack", [])
        inner = [0, 0]
        stack.append(inner)
        wall, cpu = time.perf_counter_ns(), time.thread_time_ns()
        try:
            yield
        finally:
            cpu, wall = time.thread_time_ns() - cpu, time.perf_counter_ns() - wall
            stack.pop()
            if stack:
                stack[-1][0] += wall
                stack[-1][1] += cpu
            self.times[stage].wall.append(wall - inner[0])
            self.times[stage].cpu.append(cpu - inner[1])

    def call(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return `function`, timed."""

        @functools.wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Any:
            with self._clock(stage):
                return function(*args, **kwargs)

        return timed

    def iterate(self, stage: str, function: Callable[..., Iterator[Any]]) -> Callable[..., Any]:
        """Return a function that gives an iterator, each step timed."""

        @functools.wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Iterator[Any]:
            items = function(*args, **kwargs)
            end = object()
            while True:
                with self._clock(stage):
                    item = next(items, end)
                if item is end:
                    return
                yield item

        return timed

    def watch(self, stages: Mapping[str, str]) -> None:
        """Put timers around functions, wherever the package has imported them.

        Parameters
        ----------
        stages : mapping of str to str
            ``module:function`` or ``module:Class.method`` to the name of the stage.
        """
        for target, stage in stages.items():
            module, _, path = target.partition(":")
            *owners, name = path.split(".")
            owner: Any = importlib.import_module(module)
            for part in owners:
                owner = getattr(owner, part)
            original = getattr(owner, name)
            wrap = self.iterate if name in GENERATORS else self.call
            timed = wrap(stage, original)
            setattr(owner, name, timed)
            if not owners:
                _replace_everywhere(original, timed)


def _replace_everywhere(original: Any, timed: Any) -> None:
    for name, module in list(sys.modules.items()):
        if name.startswith("pyfaceau"):
            for key, value in list(vars(module).items()):
                if value is original:
                    setattr(module, key, timed)
