"""Work of one stage done while the next is busy, in the same order and with the same results."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

from pyfaceau.errors import InputError

T = TypeVar("T")

DEPTH = 8
"""Items that a stage may be ahead of the next."""


@dataclass(frozen=True)
class _End:
    """The last thing in a queue: what ended the stage, None where its items did."""

    error: BaseException | None


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
        self._queue: queue.Queue[T | _End] = queue.Queue(DEPTH)

    def __iter__(self) -> Iterator[T]:
        while True:
            item = self._queue.get()
            if not isinstance(item, _End):
                yield item
            elif item.error is None:
                return
            else:
                raise item.error

    def _fill(self) -> None:
        end = _End(None)
        try:
            for item in self._items:
                self._offer(item)
                if self.stop.is_set():
                    return
        except BaseException as error:  # noqa: BLE001 - raised again where the items are used
            end = _End(error)
        self._offer(end)

    def _offer(self, item: T | _End) -> None:
        """Wait for room in the queue, but no longer than anybody wants the item."""
        waiting = True
        while waiting and not self.stop.is_set():
            with suppress(queue.Full):
                self._queue.put(item, timeout=0.1)
                waiting = False
