"""Who does the tasks: processes of this machine, or a cluster; the same futures either way."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

from pyfaceau.errors import InputError, PyfaceauError
from pyfaceau.resources import read_toml
from pyfaceau.study.isolation import PROCESSOR, Limits, WorkerProcess

_CONNECT = 10.0
"""Seconds within which a cluster must answer."""


class Executor(Protocol):
    """Does tasks."""

    name: str

    @property
    def slots(self) -> int:
        """How many tasks are worth having in hand."""

    @property
    def frames(self) -> int:
        """Frames of the tasks now in hand, as far as known."""

    def submit(self, task: Mapping[str, Any]) -> Future[dict[str, Any]]:
        """Have a task done.

        Parameters
        ----------
        task : mapping
            JSON.

        Returns
        -------
        Future
            Of the outcome.
        """

    def close(self) -> None:
        """End all work, at once."""


class WorkerPool:
    """One `WorkerProcess` for each thread that asks."""

    def __init__(self) -> None:
        self._local = threading.local()
        self._workers: list[WorkerProcess] = []

    def run(self, task: Mapping[str, Any], limits: Limits, processor: str) -> dict[str, Any]:
        """Have a task done by this thread's process.

        Parameters
        ----------
        task : mapping
            JSON.
        limits : Limits
            What it may take.
        processor : str
            What does it.

        Returns
        -------
        dict
            The outcome.
        """
        wanted = limits, processor
        if getattr(self._local, "wanted", None) != wanted:
            if hasattr(self._local, "worker"):
                self._local.worker.close()
            self._local.worker, self._local.wanted = WorkerProcess(limits, processor), wanted
            self._workers.append(self._local.worker)
        outcome: dict[str, Any] = self._local.worker.run(task)
        return outcome

    @property
    def frames(self) -> int:
        """Frames of the tasks now in hand."""
        return sum(worker.frames for worker in self._workers)

    def close(self) -> None:
        """End all processes, at once."""
        for worker in self._workers:
            worker.close()


class LocalExecutor:
    """Processes of this machine.

    Parameters
    ----------
    workers : int
        How many.
    limits : Limits
        For each task.
    processor : str
        What does the tasks, ``module:function``.

    Raises
    ------
    InputError
        If `workers` is not positive.
    """

    name = "processes"

    def __init__(
        self, workers: int, limits: Limits | None = None, processor: str = PROCESSOR
    ) -> None:
        if workers < 1:
            raise InputError(f"workers: expected 1 or more, got {workers}")
        self.slots = workers
        self._job = limits or Limits(), processor
        self._pool = WorkerPool()
        self._threads = ThreadPoolExecutor(workers)

    @property
    def frames(self) -> int:
        """Frames of the tasks now in hand."""
        return self._pool.frames

    def submit(self, task: Mapping[str, Any]) -> Future[dict[str, Any]]:
        """Have a task done.

        Parameters
        ----------
        task : mapping
            JSON.

        Returns
        -------
        Future
            Of the outcome.
        """
        return self._threads.submit(self._pool.run, task, *self._job)

    def close(self) -> None:
        """End all work, at once."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._pool.close()
        self._threads.shutdown(wait=True)


_cluster_pool = WorkerPool()


def run_on_cluster(task: Mapping[str, Any], limits: Limits, processor: str) -> dict[str, Any]:
    """Have a task done on the machine that this is called on, in a process of its own.

    Parameters
    ----------
    task : mapping
        JSON; its paths must mean the same files here.
    limits : Limits
        What it may take.
    processor : str
        What does it.

    Returns
    -------
    dict
        The outcome.
    """
    return _cluster_pool.run(task, limits, processor)


class DaskExecutor:
    """A Dask cluster whose workers see the same files under the same paths.

    A worker that dies is Dask's business: its task goes to another one.

    Parameters
    ----------
    client : distributed.Client
        Connected; closed by `close`.
    slots : int
        Workers that are expected; as many as there are, if 0.
    limits : Limits
        For each task.
    processor : str
        What does the tasks.
    """

    name = "dask"

    frames = 0

    def __init__(
        self,
        client: Any,
        slots: int = 0,
        limits: Limits | None = None,
        processor: str = PROCESSOR,
    ) -> None:
        self._client, self._slots = client, slots
        self._job = limits or Limits(), processor
        self._executor = client.get_executor(pure=False)

    @property
    def slots(self) -> int:
        """Twice the threads of the cluster, so that none waits for the next task."""
        threads: dict[str, int] = self._client.nthreads()
        return 2 * max(self._slots, sum(threads.values()), 1)

    def submit(self, task: Mapping[str, Any]) -> Future[dict[str, Any]]:
        """Have a task done.

        Parameters
        ----------
        task : mapping
            JSON.

        Returns
        -------
        Future
            Of the outcome.
        """
        future: Future[dict[str, Any]] = self._executor.submit(run_on_cluster, task, *self._job)
        return future

    def close(self) -> None:
        """Take back what has not begun, and leave the cluster."""
        self._executor.shutdown(wait=False)
        self._client.close()


def connect(address: str, limits: Limits | None = None, processor: str = PROCESSOR) -> DaskExecutor:
    """Connect to a Dask cluster.

    Parameters
    ----------
    address : str
        Of its scheduler, such as ``"tcp://127.0.0.1:8786"``.
    limits : Limits, optional
        For each task.
    processor : str
        What does the tasks.

    Returns
    -------
    DaskExecutor
        Ready.

    Raises
    ------
    InputError
        If the extra ``[cluster]`` is not installed.
    PyfaceauError
        If nobody answers.
    """
    distributed = _extra("distributed")
    try:
        client = distributed.Client(address, timeout=_CONNECT, set_as_default=False)
    except (OSError, ValueError) as error:
        raise PyfaceauError(f"{address}: no Dask scheduler answers: {error}") from None
    return DaskExecutor(client, 0, limits, processor)


def slurm_cluster(settings: str | Path) -> Any:
    """Describe a cluster of SLURM jobs, one worker each; none is submitted yet.

    Parameters
    ----------
    settings : str or Path
        TOML file: arguments of ``dask_jobqueue.SLURMCluster`` such as ``queue``, ``account``,
        ``walltime``, ``memory``; ``cores`` and ``processes`` are 1 if not given.

    Returns
    -------
    dask_jobqueue.SLURMCluster
        Its ``job_script()`` is what SLURM will be given.

    Raises
    ------
    InputError
        If the extra ``[cluster]`` is not installed, or an argument is unknown.
    """
    jobqueue = _extra("dask_jobqueue")
    arguments = {"cores": 1, "processes": 1, "memory": "4GB", **read_toml(settings)}
    try:
        return jobqueue.SLURMCluster(**arguments)
    except (TypeError, ValueError) as error:
        raise InputError(f"{settings}: {error}") from error


def submit_slurm(settings: str | Path, jobs: int, limits: Limits | None = None) -> DaskExecutor:
    """Start a cluster of SLURM jobs.

    Parameters
    ----------
    settings : str or Path
        As for `slurm_cluster`.
    jobs : int
        How many.
    limits : Limits, optional
        For each task.

    Returns
    -------
    DaskExecutor
        Ready; tasks wait until SLURM starts the jobs.
    """
    distributed = _extra("distributed")
    cluster = slurm_cluster(settings)
    cluster.scale(jobs=jobs)
    return DaskExecutor(distributed.Client(cluster, set_as_default=False), jobs, limits)


def _extra(module: str) -> Any:
    import importlib

    try:
        return importlib.import_module(module)
    except ImportError:
        raise InputError(
            "clusters: expected the extra [cluster]; install it: pip install 'pyfaceau[cluster]'"
        ) from None
