"""A progress bar for work that takes its time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")


def with_progress(items: Iterable[T], total: int | None, show: bool) -> Iterable[T]:
    """Return items, with a progress bar where it is wanted and standard error is a terminal.

    Parameters
    ----------
    items : iterable
        Frames.
    total : int or None
        How many, where it is known.
    show : bool
        Whether a bar is wanted.

    Returns
    -------
    iterable
        The items.
    """
    if not show:
        return items
    from tqdm import tqdm

    bar: Iterable[T] = tqdm(items, total=total, unit=" frames", disable=None, leave=False)
    return bar
