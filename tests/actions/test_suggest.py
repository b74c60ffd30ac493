"""Proposals from signals made by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyfaceau.actions.intervals import ActionList
from pyfaceau.actions.reading import read_actions
from pyfaceau.actions.suggest import CLUES, suggest_actions, write_suggestions
from pyfaceau.errors import InputError
from tests.actions.tables import bump, table_of

UNITS = sorted({name for names in CLUES.values() for name in names})


def quiet(rows: int = 250, **moving: object) -> pd.DataFrame:
    """Return ten seconds of a still face, but for some action units."""
    return table_of(**{name: np.zeros(rows) for name in UNITS} | moving)  # type: ignore[arg-type]


def test_smile_closure_and_blink_by_hand() -> None:
    closing = bump(250, 120, 4, 40, 3.0) + bump(250, 200, 2, 4, 3.0)
    table = quiet(AU12_r=bump(250, 50, 5, 30, 3.0), AU45_r=closing)
    found = suggest_actions(table)
    names = [one.interval.action for one in found]
    assert names[::2] == ["rest"] * 4
    assert names[1::2] == ["smile lips closed", "close eyes gently", "blink"]
    at = found[1].interval
    assert at.start == pytest.approx(51 / 25, abs=0.09)  # half of a smoothed ramp of 5 frames
    assert at.end == pytest.approx(88 / 25, abs=0.09)
    assert found[1].score == 1.0
    assert "AU12 3.0 above quiet" in found[1].reason
    assert found[0].score == pytest.approx(1.0, abs=0.05)


def test_open_lips_make_another_smile() -> None:
    smile = bump(250, 50, 5, 30, 3.0)
    found = suggest_actions(quiet(AU12_r=smile, AU25_r=0.5 * smile))
    assert found[1].interval.action == "smile lips open"
    assert found[1].score == pytest.approx(1 - 0.25)


def test_a_persons_own_level_is_no_action() -> None:
    found = suggest_actions(quiet(AU04_r=np.full(250, 2.0)))
    assert [one.interval.action for one in found] == ["rest"]
    assert (found[0].interval.start, found[0].interval.end) == (0.0, 10.0)


def test_frames_without_a_face_suggest_nothing() -> None:
    table = quiet()
    table.loc[100:, "success"] = 0
    assert [one.interval.end for one in suggest_actions(table)] == [99 / 25]
    assert suggest_actions(table.assign(success=0)) == []


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(InputError, match="no column AU45_r"):
        suggest_actions(quiet().drop(columns="AU45_r"))
    with pytest.raises(InputError, match="several"):
        suggest_actions(pd.concat([quiet(), quiet()]))


def test_the_file_is_marked_and_refused_until_checked(tmp_path: Path) -> None:
    found = suggest_actions(quiet(AU12_r=bump(250, 50, 5, 30, 3.0)))
    path = write_suggestions(found, tmp_path / "a.csv")
    assert set(pd.read_csv(path)["suggested"]) == {1}
    with pytest.raises(InputError, match="3 actions are suggestions that nobody checked"):
        read_actions(path)
    path.write_text(path.read_text().replace(",1,", ",0,"))
    assert read_actions(path) == ActionList(tuple(one.interval for one in found))


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1), st.sampled_from([24.0, 29.97, 60.0]))
def test_never_overlapping_and_within_the_video(seed: int, fps: float) -> None:
    rng = np.random.default_rng(seed)
    walks = {n: np.clip(rng.normal(0, 0.4, 200).cumsum(), 0, 5) for n in UNITS}
    table = quiet(200, **walks)
    table["timestamp"] = np.round(np.arange(200) / fps, 3)
    table["success"] = (rng.random(200) > 0.05).astype(int)
    found = ActionList(tuple(one.interval for one in suggest_actions(table)))
    found.check_within(200 / fps + 0.001)
