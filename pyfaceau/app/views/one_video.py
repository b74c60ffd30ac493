"""One video: picture and curves that move together, its table, its downloads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pyfaceau.app import actions
from pyfaceau.app.downloads import downloads
from pyfaceau.app.drawing import marked_picture
from pyfaceau.app.upload import measured_upload
from pyfaceau.report.figures import curves_of, figure_of, label, strongest

if TYPE_CHECKING:
    from pyfaceau.app.measuring import Measured
    from pyfaceau.app.session import Session
    from pyfaceau.app.settings import Choice

NUMBERS = (
    "**What the numbers are.** Intensities run from 0, nothing, to 5, as much as a face can do; "
    "they are estimates by a model and relative to this person's neutral face. Confidence tells "
    "how much the fit looks like a face, 0 to 1. Gaps in a curve are frames without a face. These "
    "are measurements: not a grade, not a diagnosis, not what somebody felt."
)
OF_THE_MESH = (
    "**What the numbers are.** Units of MediaPipe's mesh, 0 to 1: another measurement than "
    "OpenFace's action units, nothing learnt of the person. Gaps in a curve are frames without a "
    "face. These are measurements: not a grade, not a diagnosis, not what somebody felt."
)
_TABLE = ("timestamp", "confidence", "success", "pose_Rx", "pose_Ry", "pose_Rz")


def draw(session: Session, choice: Choice) -> None:
    """Draw the page.

    Parameters
    ----------
    session : Session
        Of this browser.
    choice : Choice
        How to measure.
    """
    st.title("One video")
    measured = measured_upload(session, choice, "one", camera=True)
    if measured is None:
        return
    actions.begin(measured)
    for note in measured.notes:
        st.warning(note)
    if "success" in measured.data:
        if not measured.data["success"].any():
            st.error(f"{measured.name}: no face in any of its {len(measured.data)} frames.")
        _look(measured)
        actions.draw(measured)
    else:
        _still(measured)
    downloads(session, measured)
    st.markdown(OF_THE_MESH if "AU12_bs" in measured.data else NUMBERS)


@st.fragment
def _look(measured: Measured) -> None:
    """Draw picture and curves; only this part is drawn anew when the slider moves."""
    data = measured.data
    columns = st.multiselect(
        "Curves", curves_of(data), default=strongest(data), format_func=label, key="columns"
    )
    clicked = _clicked_row()
    if clicked is not None:
        st.session_state["frame"] = clicked + 1
    last = len(data)
    if st.session_state.get("frame", 1) > last:
        st.session_state["frame"] = 1
    row = (st.slider("Frame", 1, last, key="frame") if last > 1 else 1) - 1
    st.session_state["shown"] = row
    now = float(data["timestamp"].iloc[row])
    left, right = st.columns([2, 3])
    with left:
        st.image(
            marked_picture(measured, row), caption=f"{measured.name}, {now:.3f} s", width="stretch"
        )
        values = {label(name): [data[name].iloc[row]] for name in columns}
        st.dataframe(values, hide_index=True)
    with right:
        kind = st.radio("Export of figures", ["png", "svg"], horizontal=True, key="export")
        config = {"toImageButtonOptions": {"format": kind, "scale": 2}, "displaylogo": False}
        st.plotly_chart(
            figure_of(data, columns, now, actions.bands()),
            key="curves",
            on_select="rerun",
            selection_mode="points",
            config=config,
        )
        st.caption("A click on a point, or the slider (arrow keys too), moves picture and curves.")
    with st.expander("Table"):
        shown = [name for name in (*_TABLE, *curves_of(data)) if name in data]
        st.dataframe(data[shown], height=300)
        st.caption("The magnifying glass in its corner searches; the download has all columns.")


def _clicked_row() -> int | None:
    """Return the row of a newly clicked point."""
    chosen = st.session_state.get("curves")
    points = chosen["selection"]["points"] if chosen else []
    if not points:
        return None
    row = int(points[0]["customdata"]) if "customdata" in points[0] else None
    if row == st.session_state.get("clicked"):
        return None
    st.session_state["clicked"] = row
    return row


def _still(measured: Measured) -> None:
    """Draw a picture: a row per face."""
    data = measured.data
    if data.empty:
        st.error(f"{measured.name}: no face was found.")
        return
    face = int(st.selectbox("Face", range(len(data)), format_func=lambda n: f"face {n}") or 0)
    left, right = st.columns(2)
    left.image(marked_picture(measured, face, frame=0), caption=measured.name, width="stretch")
    record = data.iloc[face]
    rows = [(label(name), record[name]) for name in curves_of(data)]
    scale = "intensity" if "AU12_bs" in data else "intensity, 0 to 5"
    right.dataframe({"unit": [r[0] for r in rows], scale: [r[1] for r in rows]}, hide_index=True)
