"""The stage timer."""

from __future__ import annotations

import time

import pytest

from validation.stopwatch import Stopwatch


def test_a_callees_time_is_not_its_callers() -> None:
    watch = Stopwatch()
    inner = watch.call("inner", lambda: time.sleep(0.03))

    def outer() -> None:
        time.sleep(0.01)
        inner()

    watch.call("outer", outer)()
    figures = {name: times.figures() for name, times in watch.times.items()}
    assert figures["inner"]["wall_ms"] >= 30
    assert 10 <= figures["outer"]["wall_ms"] < 28
    assert figures["outer"]["cpu_ms"] < 9  # sleeping is no work


def test_each_step_of_an_iterator_is_a_call() -> None:
    watch = Stopwatch()
    assert list(watch.iterate("steps", lambda: iter([1, 2]))()) == [1, 2]
    assert watch.times["steps"].figures()["calls"] == 3  # the last finds the end


def test_functions_are_replaced_where_they_were_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    import pyfaceau.features.geometry as home
    import pyfaceau.types as elsewhere

    monkeypatch.setattr(home, "probe", abs, raising=False)
    monkeypatch.setattr(elsewhere, "probe", abs, raising=False)
    watch = Stopwatch()
    watch.watch({"pyfaceau.features.geometry:probe": "stage"})
    assert elsewhere.probe(-2) == 2
    assert watch.times["stage"].figures()["calls"] == 1


def test_an_exception_is_timed_and_passed_on() -> None:
    watch = Stopwatch()
    with pytest.raises(ZeroDivisionError):
        watch.call("stage", lambda: 1 // 0)()
    assert len(watch.times["stage"].wall) == 1
