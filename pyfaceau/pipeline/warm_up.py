"""Compile what a profile needs before the first video asks for it, on all cores.

A step calls the kernels of one stage through the stage itself; compiled, they are found in the
cache on disk. Steps are shared among processes, as Numba compiles one function at a time in each;
what two steps both need is compiled by whichever comes first, or by both. Nothing here loads Numba:
a process is prepared before it does.
"""

from __future__ import annotations

import gc
import logging
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import TYPE_CHECKING, ParamSpec

from pyfaceau.config import Config
from pyfaceau.overlap import check_threads

if TYPE_CHECKING:
    from pyfaceau.pipeline.compiling import Stages

P = ParamSpec("P")

STEPS = {
    "fitting landmarks": "following",
    "finding faces": "detection",
    "fitting the shape model": "shape",
    "alignment and features": "features",
    "eyes and head pose": "place",
    "first fit of a face": "fresh_face",
    "action units": "units",
    "colours": "picture",
}
"""What is compiled, by what it is for, and the method of `Stages` that does it; the longest first,
then what shares least with it."""

MOST = 4
"""Processes unless more are asked for: further ones would mostly wait, and each takes 0.6 GiB."""

_FRAME = 70_000
"""Places of a frame of more than half of a megabyte."""


def warm_up(configs: Sequence[Config], processes: int | None = None) -> Iterator[str]:
    """Compile all that profiles call.

    Parameters
    ----------
    configs : sequence of Config
        The profiles.
    processes : int, optional
        How many compile at a time; the usable cores, up to `MOST`, if not given.

    Yields
    ------
    str
        A step of `STEPS` that is done; each as often as there are profiles.

    Raises
    ------
    WeightsError
        If a model file is missing or altered.
    InputError
        If `processes` is less than 1.
    """
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers(processes), spawn, initializer=prepare) as pool:
        steps = {pool.submit(_do, config, name): name for config in configs for name in STEPS}
        try:
            for done in as_completed(steps):
                done.result()
                yield steps[done]
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def workers(processes: int | None) -> int:
    """Return how many processes compile.

    Parameters
    ----------
    processes : int, optional
        As asked for.

    Returns
    -------
    int
        At least 1, and no more than there are steps.

    Raises
    ------
    InputError
        If `processes` is less than 1.
    """
    count = min(check_threads(None), MOST) if processes is None else check_threads(processes)
    return min(count, len(STEPS))


def prepare() -> None:
    """Ready a process that does nothing but compile.

    The caller says what is waited for. A compiler's objects live long: not to look for garbage
    saves a sixth of its time. LLVM's first level of optimisation saves an eighth, and its
    kernels are as fast: their loops are written out in vectors already. It changes no digit, as
    none does where arithmetic is strict. Numba reads the level when it is imported.
    """
    logging.getLogger("pyfaceau").setLevel(logging.ERROR)
    gc.disable()
    os.environ.setdefault("NUMBA_OPT", "1")


def deep(function: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
    """Call a function that calls deeply, as compilers do.

    From 3.11 on Python keeps frames in chunks of 16 KiB and maps and unmaps one whenever calls pass
    its end: a tenth of a compiler's time. This function's own frame is so large that its chunk, the
    next power of two, has room for all frames that follow.

    Parameters
    ----------
    function : callable
        What is called.
    *args, **kwargs
        With what.
    """
    function(*args, **kwargs)


deep.__code__ = deep.__code__.replace(co_stacksize=_FRAME)


class _Process:
    """The stages that a compiling process used last."""

    config: Config | None = None
    stages: Stages


def _do(config: Config, name: str) -> None:
    from pyfaceau.pipeline.compiling import Stages

    if _Process.config != config:
        _Process.config, _Process.stages = config, Stages(config)
    deep(getattr(_Process.stages, STEPS[name]))
