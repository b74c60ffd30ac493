"""Work of one stage done while the next is busy, in the same order and with the same results."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from pyfaceau.errors import InputError

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

DEPTH = 2
"""Items that a stage may be ahead of the next."""


@dataclass(frozen=True)
class End:
    """What comes after the last item of a stage.

    Attributes
    ----------
    error : BaseException or None
        What ended the stage; None where its items did.
    """

    error: BaseException | None


def with_end(items: Iterable[T]) -> Iterator[T | End]:
    """Yield items, then their end, for stages that have work left when no more items come.

    Parameters
    ----------
    items : iterable
        A stage.

    Yields
    ------
    object or End
        The items, then one `End`; an error of the stage is not raised but in there.
    """
    error: Exception | None = None
    try:
        yield from items
    except Exception as raised:  # noqa: BLE001 - for the caller to raise
        error = raised
    yield End(error)


def usable_cores() -> int:
    """Return the number of processor cores that this process may use.

    Returns
    -------
    int
        1 or more.
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def check_threads(threads: int | None) -> int:
    """Return a number of threads: the one given, or that of the usable cores.

    Parameters
    ----------
    threads : int or None
        What the user asked for.

    Returns
    -------
    int
        1 or more.

    Raises
    ------
    InputError
        If it is less than 1.
    """
    if threads is None:
        return usable_cores()
    if threads < 1:
        raise InputError(f"threads: expected 1 or more, got {threads}")
    return threads


class Promise(Protocol[T_co]):
    """The result of work that may not be done yet."""

    def result(self) -> T_co:
        """Wait for the work and return its result, or raise what it raised."""

    def cancel(self) -> bool:
        """Leave the work undone if it has not begun; nobody asks for its result."""


class Shelved(Generic[T]):
    """A promise whose work is done when its result is first asked for, by who asks.

    Parameters
    ----------
    work : callable
        Takes nothing.
    """

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._done: tuple[T] | None = None

    def result(self) -> T:
        """Do the work, or return what it gave.

        Returns
        -------
        object
            What the work returns.
        """
        if self._done is None:
            self._done = (self._work(),)
        return self._done[0]

    def cancel(self) -> bool:
        """Do nothing: work that nobody asks for is not done.

        Returns
        -------
        bool
            True.
        """
        return True


class Helper:
    """A thread that works beside its owner, one task after the other in their order.

    Parameters
    ----------
    threads : int
        With 1 there is no such thread; a task is done when its result is asked for.
    """

    def __init__(self, threads: int) -> None:
        self.beside = threads > 1
        self._pool = ThreadPoolExecutor(1, "pyfaceau-helper") if self.beside else None

    def start(self, work: Callable[[], T]) -> Promise[T]:
        """Have work done.

        Parameters
        ----------
        work : callable
            Takes nothing; may wait for tasks started before it.

        Returns
        -------
        Promise
            Its result.
        """
        return Shelved(work) if self._pool is None else self._pool.submit(work)


@contextmanager
def ahead(items: Iterable[T], threads: int) -> Iterator[Iterable[T]]:
    """Take items in a thread of their own, a few ahead of who uses them.

    Parameters
    ----------
    items : iterable
        A stage; it runs in one thread, item by item, so its state has one owner.
    threads : int
        With 1 nothing runs ahead: `items` itself is given back.

    Yields
    ------
    iterable
        The items in their order; an exception of the stage comes after the last good item. When
        the context is left, the stage has stopped.
    """
    if threads < 2:
        yield items
        return
    stage = _Stage(items)
    stage.thread.start()
    try:
        yield stage
    finally:
        stage.stop.set()
        stage.thread.join()


class _Stage(Generic[T]):
    """A thread that fills a queue, and the iterator that empties it."""

    def __init__(self, items: Iterable[T]) -> None:
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._fill, name="pyfaceau-ahead", daemon=True)
        self._items = items
        self._queue: queue.Queue[T | End] = queue.Queue(DEPTH)

    def __iter__(self) -> Iterator[T]:
        while True:
            item = self._queue.get()
            if not isinstance(item, End):
                yield item
            elif item.error is None:
                return
            else:
                raise item.error

    def _fill(self) -> None:
        end = End(None)
        try:
            for item in self._items:
                self._offer(item)
                if self.stop.is_set():
                    return
        except BaseException as error:  # noqa: BLE001 - raised again where the items are used
            end = End(error)
        self._offer(end)

    def _offer(self, item: T | End) -> None:
        """Wait for room in the queue, but no longer than anybody wants the item."""
        waiting = True
        while waiting and not self.stop.is_set():
            with suppress(queue.Full):
                self._queue.put(item, timeout=0.1)
                waiting = False
