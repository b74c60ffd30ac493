"""Two videos of one person, side by side, their curves one over the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pyfaceau.app.drawing import marked_picture
from pyfaceau.app.upload import measured_upload
from pyfaceau.report.figures import curves_of, label, strongest

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from pyfaceau.app.measuring import Measured
    from pyfaceau.app.session import Session
    from pyfaceau.app.settings import Choice

PLACES = ("before", "after")


def draw(session: Session, choice: Choice) -> None:
    """Draw the page.

    Parameters
    ----------
    session : Session
        Of this browser.
    choice : Choice
        How to measure both.
    """
    st.title("Before and after")
    halves = st.columns(2)
    found: list[Measured | None] = []
    for half, place in zip(halves, PLACES, strict=True):
        with half:
            st.subheader(place.capitalize())
            found.append(measured_upload(session, choice, place))
    first, second = found
    if first is None or second is None:
        return
    if any("success" not in one.data for one in (first, second)):
        st.info("Two videos can be compared; of a picture there are no curves.")
        return
    _look(first, second)


@st.fragment
def _look(first: Measured, second: Measured) -> None:
    """Draw two pictures, each with a slider, and both curves of a unit."""
    rows = []
    for half, place, one in zip(st.columns(2), PLACES, (first, second), strict=True):
        with half:
            rows.append(st.slider(f"Frame, {place}", 1, max(2, len(one.data)), key=place) - 1)
            row = min(rows[-1], len(one.data) - 1)
            st.image(marked_picture(one, row), caption=f"{place}: {one.name}", width="stretch")
    shared = [name for name in curves_of(first.data) if name in curves_of(second.data)]
    default = strongest(first.data, 1)[0] if strongest(first.data, 1) else None
    index = shared.index(default) if default in shared else 0
    unit = st.selectbox("Curve", shared, index=index, format_func=label)
    align = st.checkbox(
        "Begin each at the picture shown", help="So that one action lies on the other."
    )
    st.plotly_chart(_both(str(unit), (first, second), rows if align else None), key="both")
    st.caption("Time counts from the start of each video, or from the pictures shown.")


def _both(unit: str, videos: tuple[Measured, Measured], rows: list[int] | None) -> go.Figure:
    """Return the curves of a unit in two videos, one over the other."""
    from pyfaceau.report.figures import figure_of

    figure = figure_of(videos[0].data.iloc[:0], [])
    for number, (place, video) in enumerate(zip(PLACES, videos, strict=True)):
        start = video.data["timestamp"].iloc[rows[number]] if rows else 0.0
        curve = figure_of(
            video.data.assign(timestamp=video.data["timestamp"] - start), [unit]
        ).data[0]
        dash, colour = ("solid", "#0072b2") if number == 0 else ("dash", "#d55e00")
        curve.update(name=f"{place}: {label(unit)}", line={"dash": dash, "color": colour})
        figure.add_trace(curve)
    return figure
