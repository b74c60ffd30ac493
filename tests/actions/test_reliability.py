"""Reliability against published and hand-made numbers."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from pyfaceau.actions.reliability import agreement, changes, reliability, residual
from pyfaceau.errors import InputError

SHROUT = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float
)
"""Table 2 of Shrout and Fleiss 1979: six targets, four judges. ICC(2,1) 0.29, ICC(3,1) 0.71."""


def study_of(values: np.ndarray, level: str = "session") -> pd.DataFrame:
    """Return excursions of one measure: targets by sessions, or by repetitions of one session."""
    rows = [
        (f"s{i}", f"{j}" if level == "session" else "1", 1 if level == "session" else j + 1, y)
        for i, targets in enumerate(values)
        for j, y in enumerate(targets)
    ]
    table = pd.DataFrame(rows, columns=["subject", "session", "number", "excursion"])
    return table.assign(action="smile lips open", measure="AU12_r", side="left", unit="0-5")


@pytest.mark.parametrize("over", ["session", "repetition"])
def test_shrout_and_fleiss(over: str) -> None:
    pytest.importorskip("pingouin", reason="needs the extra reliability")
    one = reliability(study_of(SHROUT, over), over)[0]
    assert (one.targets, one.levels, one.dropped, one.reason) == (6, 4, 0, "")
    assert round(one.icc21, 2) == 0.29
    assert round(one.icc31, 2) == 0.71
    assert one.icc31_low < one.icc31 < one.icc31_high
    assert one.sem == pytest.approx(math.sqrt(1.02), abs=0.001)  # their residual mean square, 1.02
    assert one.mdc95 == pytest.approx(1.96 * math.sqrt(2) * one.sem)
    assert one.mean == pytest.approx(SHROUT.mean())


def test_error_of_measurement_by_hand() -> None:
    # Rows differ by 2, columns by 1: +-0.5 is left in each cell, of 1 degree of freedom.
    assert residual(np.array([[0.5, 0.5], [1.5, 3.5]])) == pytest.approx(1.0)
    assert residual(np.array([[0.0, 1.0], [2.0, 3.0], [5.0, 6.0]])) == 0.0


def test_targets_without_a_level_are_left_out_and_counted() -> None:
    pytest.importorskip("pingouin", reason="needs the extra reliability")
    table = study_of(SHROUT)
    more = table.iloc[:1].assign(subject="new")
    one = reliability(pd.concat([table, more]))[0]
    assert (one.targets, one.dropped) == (6, 1)
    assert round(one.icc31, 2) == 0.71


def test_too_few_say_so() -> None:
    assert reliability(study_of(SHROUT[:2]))[0].reason == "too few: 2 measured 4 times"
    one = reliability(study_of(SHROUT[:, :1]))[0]
    assert (one.reason, math.isnan(one.icc31)) == ("too few: 6 measured once", True)
    assert reliability(study_of(np.ones((3, 2))))[0].reason == "no variance"


def test_bland_and_altman_by_hand() -> None:
    pytest.importorskip("scipy", reason="needs the extra reliability")
    one = agreement(study_of(np.array([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]])))[0]
    assert (one.first, one.second, one.targets) == ("0", "1", 3)
    assert (one.bias, one.sd) == (2.0, 1.0)
    assert (one.loa_low, one.loa_high) == pytest.approx((0.04, 3.96))
    assert one.bias_high - one.bias == pytest.approx(4.302653 / math.sqrt(3), rel=1e-6)
    assert agreement(study_of(SHROUT[:2])) == []


def test_change_since_the_first_session_by_hand() -> None:
    rows = [("a", "1", n, y) for n, y in enumerate((1.0, 3.0), 1)]
    rows += [("a", "2", n, y) for n, y in enumerate((6.0, 8.0), 1)]
    rows += [("b", "1", 1, 5.0)]
    table = study_of(SHROUT).iloc[:5].copy()
    table[["subject", "session", "number", "excursion"]] = rows
    (one,) = changes(table)  # b has one session
    assert (one.subject, one.since, one.session) == ("a", "1", "2")
    assert (one.before, one.after, one.change) == (2.0, 7.0, 5.0)
    assert (one.repeats_before, one.repeats_after, one.sem_df) == (2, 2, 2)
    assert one.sem == pytest.approx(math.sqrt(2))  # variance 2 in both sessions
    assert one.mdc95 == pytest.approx(1.96 * math.sqrt(2))
    assert one.exceeds is True


def test_an_action_done_once_has_no_uncertainty() -> None:
    one = changes(study_of(SHROUT))[0]
    assert (one.reason, one.exceeds) == ("never repeated", None)
    assert math.isnan(one.mdc95)
    assert one.change == -7.0


def test_videos_of_one_session_are_counted_on() -> None:
    table = study_of(SHROUT[:, :2])
    videos = [table.assign(session="1", video=name, number=1) for name in ("a", "b")]
    videos = [part.drop_duplicates("subject") for part in videos]
    videos[1]["excursion"] += 1.0
    one = changes(pd.concat([*videos, videos[0].assign(session="2", video="c")]))[0]
    assert (one.repeats_before, one.repeats_after, one.sem_df) == (2, 1, 6)
    assert one.sem == pytest.approx(math.sqrt(0.5))


def test_refusals() -> None:
    table = study_of(SHROUT)
    with pytest.raises(InputError, match="expected a column 'side'"):
        reliability(table.drop(columns="side"))
    with pytest.raises(InputError, match="'session' or 'repetition'"):
        reliability(table, "day")
    with pytest.raises(InputError, match="stands there twice"):
        changes(pd.concat([table, table]))
    with pytest.raises(InputError, match="got none"):
        changes(table.assign(excursion=math.nan))
