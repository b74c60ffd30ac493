"""Baselines, peaks and pace by hand."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from pyfaceau.actions.intervals import Interval
from pyfaceau.actions.measures import ActionMeasure, measure_actions
from pyfaceau.errors import InputError
from tests.actions.tables import bump, table_of

ACTIONS = (Interval("rest", 0, 0.96), Interval("smile lips open", 1, 3.96))


def smiling(left: float = 4.0, right: float = 1.0, rest: float = 0.5) -> pd.DataFrame:
    """Return 4 seconds: rest, a rise from frame 25 over 10 frames, 30 frames held, a fall."""
    sides = {
        "AU12_r_left": bump(100, 30, 10, 30, left, rest),
        "AU12_r_right": bump(100, 30, 10, 30, right, rest),
    }
    return table_of(AU12_r=bump(100, 30, 10, 30, (left + right) / 2, rest), **sides)


def by_side(rows: list[ActionMeasure]) -> dict[str, ActionMeasure]:
    return {row.side: row for row in rows}


def test_a_smile_by_hand() -> None:
    rows = by_side(measure_actions(smiling(), ACTIONS, affected="right"))
    left, right = rows["left"], rows["right"]
    assert (left.baseline, left.peak, left.excursion) == (0.5, 4.5, 4.0)
    assert (right.baseline, right.peak, right.excursion) == (0.5, 1.5, 1.0)
    assert left.baseline_from == "rest"
    assert left.noise == 0.05  # the least of an intensity
    assert (left.zone, left.unit, left.moved, left.repetitions) == ("lower", "0-5", True, 1)
    assert left.coverage == 1.0
    # The rise: 0.1 of the way in frame 30 (0-based), all of it in frame 39.
    assert left.peak_frame >= 40
    assert left.time_to_peak == pytest.approx(10 / 25)
    assert left.velocity == pytest.approx(4.0 * 0.9 / (9 / 25))
    for row in (left, right):
        assert row.ratio == 0.25
        assert row.index == pytest.approx(0.6)
        assert row.share == 0.25
        assert row.leads == "neither"  # 0.75 of the larger one: healthy sides differ by up to 0.95
    assert math.isnan(rows["whole"].ratio)
    assert rows["whole"].excursion == 2.5


def test_a_side_leads_beyond_what_healthy_ones_differ_by() -> None:
    rows = measure_actions(smiling(4.0, 0.1), ACTIONS)
    assert {row.leads for row in rows if row.side != "whole"} == {"left"}


def test_rest_is_no_movement() -> None:
    rows = measure_actions(smiling(0.0, 0.0), ACTIONS, affected="left")
    assert [row.reason for row in rows] == ["no movement"] * 3
    assert [row.moved for row in rows] == [False] * 3
    assert all(math.isnan(row.share) and math.isnan(row.ratio) for row in rows)
    assert all(row.leads == "" and row.repetitions == 0 for row in rows)


def test_a_still_healthy_side_gives_no_share() -> None:
    left = by_side(measure_actions(smiling(4.0, 0.0), ACTIONS, affected="left"))["left"]
    assert math.isnan(left.share)
    assert left.ratio == 0.0
    assert left.leads == "left"


def test_both_sides_are_measured_in_one_direction() -> None:
    rows = by_side(measure_actions(smiling(4.0, -0.4, 1.0), ACTIONS, affected="right"))
    assert rows["right"].excursion == 0.0  # it went down, where the face's smile goes up
    rows = by_side(measure_actions(smiling(-0.8, -0.4, 1.0), ACTIONS))
    assert rows["left"].excursion == pytest.approx(-0.8)
    assert rows["left"].peak == pytest.approx(0.2)


def test_one_slip_is_no_peak() -> None:
    table = smiling()
    table.loc[60, "AU12_r_left"] = 5.0 + 0.5
    assert by_side(measure_actions(table, ACTIONS))["left"].peak == 4.5


def test_repetitions_are_counted() -> None:
    values = sum(bump(100, start, 5, 4, 3.0) for start in (28, 48, 68))
    row = measure_actions(table_of(AU12_r=np.asarray(values)), ACTIONS)[0]
    assert row.repetitions == 3


def test_no_interval_of_rest_means_the_frames_between() -> None:
    rows = measure_actions(smiling(), ACTIONS[1:])
    assert {row.baseline_from for row in rows} == {"between"}
    assert rows[0].baseline == 0.5


def test_no_rest_at_all_says_so() -> None:
    row = measure_actions(smiling(), [Interval("speak", 0, 4)])[0]
    assert (row.reason, row.baseline_from, row.moved) == ("no rest", "none", None)
    assert math.isnan(row.excursion)
    assert row.coverage == 1.0


def test_frames_without_a_face_are_not_measured() -> None:
    table = smiling()
    table.loc[26:, "success"] = 0
    assert {row.reason for row in measure_actions(table, ACTIONS)} == {"no value"}
    table.loc[1:25, "success"] = 0
    table.loc[26:, "success"] = 1
    assert {row.reason for row in measure_actions(table, ACTIONS)} == {"no rest"}


def test_one_side_without_values() -> None:
    table = smiling()
    table["AU12_r_left"] = np.nan
    rows = by_side(measure_actions(table, ACTIONS, affected="left"))
    assert rows["left"].reason == "no value"
    assert rows["right"].excursion == 1.0
    assert math.isnan(rows["right"].ratio)


def test_refusals() -> None:
    table = smiling()
    with pytest.raises(InputError, match=r"expected an end within the video's 4\.0"):
        measure_actions(table, [Interval("smile", 1, 5)])
    with pytest.raises(InputError, match="'left' or 'right'"):
        measure_actions(table, ACTIONS, affected="both")
    with pytest.raises(InputError, match="overlap"):
        measure_actions(table, [Interval("rest", 0, 2), Interval("smile", 1, 3)])
    with pytest.raises(InputError, match="one of a picture"):
        measure_actions(table.drop(columns="timestamp"), ACTIONS)
    with pytest.raises(InputError, match="neither"):
        measure_actions(table[["success", "timestamp"]], ACTIONS)
    with pytest.raises(InputError, match="one face in each frame"):
        measure_actions(pd.concat([table, table]), ACTIONS)
