"""Marking actions on the curves: intervals by name, kept as the command line takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pyfaceau.actions.intervals import STANDARD
from pyfaceau.actions.suggest import suggest_actions
from pyfaceau.errors import InputError

if TYPE_CHECKING:
    from pyfaceau.app.measuring import Measured

Interval = tuple[str, float, float]


def marked() -> list[Interval]:
    """Return the actions marked so far: name, start and end in seconds."""
    found: list[Interval] = st.session_state.setdefault("actions", [])
    return found


def begin(measured: Measured) -> None:
    """Forget what was marked in another video.

    Parameters
    ----------
    measured : Measured
        The video shown.
    """
    if st.session_state.get("actions of") != str(measured.table):
        st.session_state["actions of"] = str(measured.table)
        for name in ("actions", "suggestions", "suggested why", "action start", "action stop"):
            st.session_state.pop(name, None)


def bands() -> list[Interval]:
    """Return what is drawn as bands: marked actions, and suggestions as such."""
    suggested: list[Interval] = st.session_state.get("suggestions", [])
    return [*marked(), *((f"{name}?", start, end) for name, start, end in suggested)]


def as_csv(intervals: list[Interval]) -> str:
    """Return intervals as the command line reads them.

    Parameters
    ----------
    intervals : list of (str, float, float)
        Name, start and end in seconds.

    Returns
    -------
    str
        CSV with the columns action, start, end.
    """
    import pandas as pd

    rows = sorted(intervals, key=_start)
    table = pd.DataFrame(rows, columns=["action", "start", "end"])
    return str(table.to_csv(index=False, float_format="%.3f"))


def _start(interval: Interval) -> float:
    return interval[1]


def draw(measured: Measured) -> None:
    """Draw the table of actions, with buttons that take the time of the picture shown.

    Parameters
    ----------
    measured : Measured
        The video.
    """
    st.subheader("Actions")
    name, begin, end, add = st.columns([3, 2, 2, 2], vertical_alignment="bottom")
    chosen = name.selectbox("Action", STANDARD, accept_new_options=True, key="action name")
    for column, verb, key in ((begin, "Begins", "action start"), (end, "Ends", "action stop")):
        column.button(
            f"{verb} at this picture", key=f"{key} here", on_click=_note, args=(key, measured)
        )
    start, stop = st.session_state.get("action start"), st.session_state.get("action stop")
    said = " to ".join("?" if value is None else f"{value:.3f} s" for value in (start, stop))
    whole = start is not None and stop is not None and start < stop and bool(chosen)
    if add.button(f"Add: {said}", disabled=not whole, key="action add"):
        assert start is not None  # noqa: S101 - `whole` tells; for the type checker
        assert stop is not None  # noqa: S101
        marked().append((chosen, start, stop))
        st.session_state.pop("action start")
        st.session_state.pop("action stop")
        st.rerun()
    _table()
    _suggestions(measured)


def _note(key: str, measured: Measured) -> None:
    """Take the time of the picture that was on the page when a button was pressed.

    The slider may have moved on before the page is drawn again.
    """
    row = st.session_state.get("shown", 0)
    st.session_state[key] = float(measured.data["timestamp"].iloc[row])


def _suggestions(measured: Measured) -> None:
    """Draw proposals on request, each with ways to take it over or to dismiss it."""
    if st.button("Suggest actions", key="suggest", help="Proposals from the curves, to correct."):
        try:
            proposed = suggest_actions(measured.data)
        except InputError as error:
            st.error(str(error))
            return
        spans = [(one.interval.action, one.interval.start, one.interval.end) for one in proposed]
        st.session_state["suggestions"] = spans
        st.session_state["suggested why"] = {
            span: f"score {one.score:.2f}, {one.reason}"
            for span, one in zip(spans, proposed, strict=True)
        }
        st.rerun()
    why = st.session_state.get("suggested why", {})
    for number, one in enumerate(list(st.session_state.get("suggestions", []))):
        text, take, leave = st.columns([5, 1, 1])
        text.write(f"*{one[0]}?* {one[1]:.3f} s to {one[2]:.3f} s. {why.get(one, '')}")
        taken = take.button("Take", key=f"take {number}")
        if taken:
            marked().append(one)
        if taken or leave.button("Dismiss", key=f"dismiss {number}"):
            st.session_state["suggestions"].remove(one)
            st.rerun()


def _table() -> None:
    """Draw the marked actions, each with a way to take it back."""
    for number, (name, start, end) in enumerate(sorted(marked(), key=_start)):
        text, button = st.columns([6, 1])
        text.write(f"**{name}** {start:.3f} s to {end:.3f} s")
        if button.button("Remove", key=f"remove {number}"):
            marked().remove((name, start, end))
            st.rerun()
    if marked():
        st.download_button(
            "Actions (CSV)",
            as_csv(marked()),
            "actions.csv",
            "text/csv",
            key="actions csv",
            on_click="ignore",
        )
