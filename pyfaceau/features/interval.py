"""Intervals of a video, as options and manifests name them."""

from __future__ import annotations

import math

from pyfaceau.errors import InputError


def parse_interval(text: str) -> tuple[float, float]:
    """Read an interval.

    Parameters
    ----------
    text : str
        Such as ``"2.0-4.0"``, seconds.

    Returns
    -------
    (float, float)
        Start and end.

    Raises
    ------
    InputError
        If the text is anything else, or ends before it begins.
    """
    try:
        start, end = (float(part) for part in text.split("-"))
    except ValueError:
        raise InputError(f"neutral: expected START-END in seconds, got {text!r}") from None
    check_interval(start, end)
    return start, end


def check_interval(start: float, end: float) -> None:
    """Refuse what is no interval.

    Parameters
    ----------
    start, end : float
        Seconds.

    Raises
    ------
    InputError
        If 0 <= start < end does not hold.
    """
    if not (math.isfinite(start) and math.isfinite(end) and 0 <= start < end):
        raise InputError(f"neutral: expected 0 <= start < end in seconds, got {start}-{end}")
