"""Suggestions in the window: shown as such, taken or dismissed by a person."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.actions.tables import bump
from tests.actions.test_suggest import quiet

pytest.importorskip("streamlit", reason="needs the extra app")


def script(path: str) -> None:
    from types import SimpleNamespace

    import pandas as pd

    from pyfaceau.app import actions

    measured = SimpleNamespace(data=pd.read_csv(path, index_col="frame"), table=path)
    actions.begin(measured)  # type: ignore[arg-type]
    actions.draw(measured)  # type: ignore[arg-type]


def test_an_action_begins_at_the_picture_that_was_shown(tmp_path: Path) -> None:
    """The slider may be further on when the page hears of the button."""
    from streamlit.testing.v1 import AppTest

    table = tmp_path / "t.csv"
    quiet(AU12_r=np.zeros(250)).to_csv(table)
    times = pd.read_csv(table)["timestamp"]
    app = AppTest.from_function(script, args=(str(table),), default_timeout=60).run()
    for key, shown in (("action start here", 30), ("action stop here", 75)):
        app.session_state["shown"], app.session_state["frame"] = shown, 200
        app.button(key).click().run()
    assert not app.exception
    span = times[30], times[75]
    assert app.button("action add").label == f"Add: {span[0]:.3f} s to {span[1]:.3f} s"
    app.button("action add").click().run()
    assert [interval[1:] for interval in app.session_state["actions"]] == [span]


def test_suggestions_are_taken_or_dismissed(tmp_path: Path) -> None:
    from streamlit.testing.v1 import AppTest

    table = tmp_path / "t.csv"
    quiet(AU12_r=bump(250, 50, 5, 30, 3.0)).to_csv(table)
    app = AppTest.from_function(script, args=(str(table),), default_timeout=60).run()
    assert "suggestions" not in app.session_state
    app.button("suggest").click().run()
    assert not app.exception
    names = [name for name, _, _ in app.session_state["suggestions"]]
    assert names == ["rest", "smile lips closed", "rest"]
    assert app.session_state["actions"] == []  # never silently
    assert any("*smile lips closed?*" in text.value for text in app.markdown)
    app.button("take 1").click().run()
    assert [name for name, _, _ in app.session_state["actions"]] == ["smile lips closed"]
    app.button("dismiss 0").click().run()
    assert [name for name, _, _ in app.session_state["suggestions"]] == ["rest"]
    other = tmp_path / "other.csv"
    quiet(AU12_r=np.zeros(250)).drop(columns="AU45_r").to_csv(other)
    again = AppTest.from_function(script, args=(str(other),), default_timeout=60)
    for key in ("actions", "suggestions", "actions of"):
        again.session_state[key] = app.session_state[key]
    again.run()
    assert again.session_state["actions"] == []  # of another video
    again.button("suggest").click().run()
    assert "no column AU45_r" in again.error[0].value
