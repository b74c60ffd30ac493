"""Stages that run ahead in threads: order, errors, stopping."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyfaceau.errors import InputError, VideoError
from pyfaceau.overlap import DEPTH, End, Helper, Shelved, ahead, check_threads, with_end


@given(st.lists(st.integers()), st.integers(1, 3))
@settings(max_examples=30, deadline=None)
def test_items_come_in_order(items: list[int], threads: int) -> None:
    with ahead(items, threads) as first, ahead((2 * i for i in first), threads) as second:
        assert list(second) == [2 * i for i in items]


def test_an_error_comes_after_the_last_good_item() -> None:
    def stage() -> Iterator[int]:
        yield 1
        yield 2
        raise VideoError("cut off")

    with ahead(stage(), 2) as stage_ahead:
        items = iter(stage_ahead)
        assert [next(items), next(items)] == [1, 2]
        with pytest.raises(VideoError, match="cut off"):
            next(items)


def test_an_error_of_an_inner_stage_reaches_the_end() -> None:
    def stage() -> Iterator[int]:
        yield 1
        raise VideoError("cut off")

    with ahead(stage(), 2) as first, ahead((i for i in first), 2) as second:
        items = iter(second)
        assert next(items) == 1
        with pytest.raises(VideoError):
            next(items)


def test_a_stage_is_a_few_items_ahead_and_stops_when_left() -> None:
    taken: list[int] = []

    def stage() -> Iterator[int]:
        for i in range(10_000):
            taken.append(i)
            yield i

    with ahead(stage(), 2) as items:
        assert next(iter(items)) == 0
    assert len(taken) <= DEPTH + 3
    assert not [t for t in threading.enumerate() if t.name == "pyfaceau-ahead"]


def test_one_thread_runs_nothing_ahead() -> None:
    def stage() -> Iterator[int]:
        yield threading.get_ident()

    with ahead(stage(), 1) as items:
        assert list(items) == [threading.get_ident()]
    with ahead(stage(), 2) as items:
        assert list(items) != [threading.get_ident()]


def test_threads_are_counted_and_checked() -> None:
    assert check_threads(None) >= 1
    assert check_threads(3) == 3
    with pytest.raises(InputError, match="threads: expected 1 or more, got 0"):
        check_threads(0)


def test_shared_arrays_keep_their_values() -> None:
    stages = (np.full(3, i) for i in range(50))
    with ahead(stages, 2) as items:
        assert [int(a.sum()) for a in items] == [3 * i for i in range(50)]


def test_an_end_follows_the_items_and_holds_their_error() -> None:
    def stage() -> Iterator[int]:
        yield 1
        raise VideoError("cut off")

    assert list(with_end([1, 2])) == [1, 2, End(None)]
    first, last = with_end(stage())
    assert first == 1
    assert isinstance(last, End)
    assert str(last.error) == "cut off"


def test_shelved_work_is_done_once_when_asked_for() -> None:
    done: list[int] = []

    def work() -> int:
        done.append(1)
        return len(done)

    promise = Shelved(work)
    assert not done
    assert [promise.result(), promise.result()] == [1, 1]
    Shelved(work).cancel()
    assert done == [1]


@pytest.mark.parametrize("threads", [1, 2])
def test_a_helper_does_tasks_in_order_and_hands_on_errors(threads: int) -> None:
    helper = Helper(threads)
    first = helper.start(threading.current_thread)
    second = helper.start(lambda: first.result().name)
    third = helper.start(lambda: 1 // 0)
    assert (second.result() == threading.current_thread().name) == (threads == 1)
    with pytest.raises(ZeroDivisionError):
        third.result()
