"""What passes between the threads: the newest value, never a queue of old ones."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Latest(Generic[T]):
    """A place for one value: who is slow finds the newest, and what it replaced is counted.

    Parameters
    ----------
    told : callable, optional
        Called, by whoever puts, when there is something new or the end.

    Attributes
    ----------
    dropped : int
        Values that were replaced before they were taken.
    """

    def __init__(self, told: Callable[[], None] | None = None) -> None:
        self._condition = threading.Condition()
        self._value: T | None = None
        self._closed = False
        self._told = told
        self.dropped = 0

    def put(self, value: T) -> None:
        """Leave a value; never waits.

        Parameters
        ----------
        value : T
            The newest one.
        """
        with self._condition:
            self.dropped += self._value is not None
            self._value = value
            self._condition.notify()
        if self._told is not None:
            self._told()

    def take(self, wait: bool = True) -> T | None:
        """Take the newest value.

        Parameters
        ----------
        wait : bool
            Wait for one that has not been taken yet.

        Returns
        -------
        T or None
            None where nothing more comes; without `wait` also where nothing is there.
        """
        with self._condition:
            while wait and self._value is None and not self._closed:
                self._condition.wait()
            value, self._value = self._value, None
            return value

    @property
    def closed(self) -> bool:
        """Whether nothing more comes; a last value may still be there."""
        return self._closed

    def close(self) -> None:
        """Say that nothing more comes."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()
        if self._told is not None:
            self._told()
