"""The newest value: taken once, replaced and counted, never waited for by who puts."""

from __future__ import annotations

import threading

from hypothesis import given
from hypothesis import strategies as st

from pyfaceau.live.latest import Latest


@given(st.lists(st.booleans()))
def test_the_newest_is_found_and_the_rest_is_counted(steps: list[bool]) -> None:
    """True puts the next number, False takes."""
    place: Latest[int] = Latest()
    last, taken, put = -1, [], 0
    for step in steps:
        if step:
            place.put(put)
            put += 1
        elif (value := place.take(wait=False)) is not None:
            assert value == put - 1 > last
            last = value
            taken.append(value)
        else:
            assert put - 1 == last
    waiting = int(put - 1 > last)
    assert place.dropped == put - len(taken) - waiting


def test_the_last_value_is_there_after_the_end() -> None:
    told = []
    place: Latest[str] = Latest(lambda: told.append(place.closed))
    place.put("a")
    place.close()
    assert place.take() == "a"
    assert place.take() is None
    assert told == [False, True]


def test_who_waits_is_woken() -> None:
    place: Latest[int] = Latest()
    got = []
    thread = threading.Thread(target=lambda: got.extend([place.take(), place.take()]))
    thread.start()
    place.put(7)
    while not got and place.take(wait=False) is not None:
        place.put(7)
    place.close()
    thread.join(5)
    assert got == [7, None]
