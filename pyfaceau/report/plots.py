"""The figures of a report: both sides over time, blinks, matrices, sessions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from pyfaceau.report.figures import label, thinned
from pyfaceau.types import SIDES

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

Band = tuple[str, float, float]
"""An action's name, start and end in seconds."""

_STYLE = {
    "left": {"color": "#0072b2", "dash": "solid", "width": 2},
    "right": {"color": "#d55e00", "dash": "dash", "width": 2},
}
_MARK = {"left": "triangle-left", "right": "triangle-right"}


def both_sides(
    table: pd.DataFrame, values: pd.DataFrame, name: str, unit: str, bands: Sequence[Band] = ()
) -> go.Figure:
    """Draw one measure of both sides over time.

    Parameters
    ----------
    table : DataFrame
        As from `pyfaceau.read`: times and successes.
    values : DataFrame
        Its rows, with ``NAME_left`` and ``NAME_right``.
    name : str
        The measure.
    unit : str
        Of the axis.
    bands : sequence of (str, float, float)
        Actions.

    Returns
    -------
    plotly Figure
        The left side a solid line, the right one dashed; gaps where there is no value.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    times = table["timestamp"].to_numpy(np.float64)
    seen = table["success"].to_numpy() == 1
    for side in SIDES:
        curve = np.where(seen, values[f"{name}_{side}"].to_numpy(np.float64), np.nan)
        rows = thinned(curve)
        figure.add_scatter(
            x=times[rows].tolist(), y=_plain(curve[rows]), name=f"patient's {side}",
            mode="lines", line=_STYLE[side], hovertemplate="%{y:.3f} at %{x:.3f} s",
        )  # fmt: skip
    return _laid_out(figure, words(name), unit, bands)


def one_curve(
    table: pd.DataFrame, values: Any, title: str, unit: str, bands: Sequence[Band] = ()
) -> go.Figure:
    """Draw one series over time, with a line at zero.

    Parameters
    ----------
    table : DataFrame
        As from `pyfaceau.read`.
    values : (N,) array_like
        One for each of its rows; NaN where there is none.
    title, unit : str
        Of the figure and its axis.
    bands : sequence of (str, float, float)
        Actions.

    Returns
    -------
    plotly Figure
        Dots, because values stand apart where nothing moves.
    """
    import plotly.graph_objects as go

    curve = np.asarray(values, np.float64)
    rows = thinned(curve)
    times = table["timestamp"].to_numpy(np.float64)[rows]
    figure = go.Figure()
    figure.add_scatter(
        x=times.tolist(), y=_plain(curve[rows]), name=title, mode="lines+markers",
        marker={"size": 4, "color": "black"}, line={"width": 1, "color": "black"},
        hovertemplate="%{y:.3f} at %{x:.3f} s",
    )  # fmt: skip
    figure.add_hline(0, line={"width": 1, "color": "gray"})
    return _laid_out(figure, title, unit, bands)


def blink_raster(blinks: pd.DataFrame, bands: Sequence[Band] = ()) -> go.Figure:
    """Draw when each eye closes.

    Parameters
    ----------
    blinks : DataFrame
        As from `pyfaceau.asymmetry.blinks.blink_table`.
    bands : sequence of (str, float, float)
        Actions.

    Returns
    -------
    plotly Figure
        A row for each eye; the size of a mark grows with the closure's duration.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    for level, side in enumerate(SIDES):
        found = blinks[blinks[f"height_{side}"].notna()]
        length = found[f"duration_{side}"].to_numpy(np.float64)
        figure.add_scatter(
            x=found["start"].tolist(), y=[level] * len(found), name=f"patient's {side}",
            mode="markers", customdata=_plain(length),
            marker={
                "symbol": _MARK[side], "color": _STYLE[side]["color"],
                "size": np.clip(8 + 20 * length, 8, 30).tolist(),
            },
            hovertemplate="from %{x:.3f} s, %{customdata:.3f} s long",
        )  # fmt: skip
    figure = _laid_out(figure, "Closures of each eye", "", bands)
    figure.update_yaxes(tickvals=[0, 1], ticktext=["left", "right"], range=[-0.6, 1.6])
    figure.update_layout(height=200)
    return figure


def matrix(rows: Sequence[str], columns: Sequence[str], values: Any, title: str) -> go.Figure:
    """Draw a matrix of shares, with its numbers in the cells.

    Parameters
    ----------
    rows, columns : sequence of str
        Their names.
    values : (len(rows), len(columns)) array_like
        Shares; NaN where nothing is known, which is an empty cell.
    title : str
        Of the figure.

    Returns
    -------
    plotly Figure
        Gray levels, darker is more.
    """
    import plotly.graph_objects as go

    numbers = np.asarray(values, np.float64)
    text = [["" if np.isnan(v) else f"{v:.2f}" for v in line] for line in numbers]
    figure = go.Figure(
        go.Heatmap(
            z=[_plain(line) for line in numbers],
            x=list(columns),
            y=list(rows),
            text=text,
            texttemplate="%{text}",
            colorscale="Greys",
            zmin=0,
            zmax=1,
            showscale=False,
            xgap=2,
            ygap=2,
            hovertemplate="%{y}, %{x}: %{z:.3f}",
        )
    )  # fmt: skip
    figure.update_layout(
        title=title, height=120 + 34 * len(rows), margin={"l": 10, "r": 10, "t": 40, "b": 10}
    )
    figure.update_yaxes(autorange="reversed", automargin=True)
    figure.update_xaxes(automargin=True)
    return figure


def sessions_plot(
    names: Sequence[str], sides: Mapping[str, ArrayLike], title: str, unit: str
) -> go.Figure:
    """Draw a value of both sides over the sessions of a person.

    Parameters
    ----------
    names : sequence of str
        The sessions, in order.
    sides : dict
        ``left`` and ``right`` to a value for each session; NaN where there is none.
    title, unit : str
        Of the figure and its axis.

    Returns
    -------
    plotly Figure
        Marks joined by lines.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    for side in SIDES:
        figure.add_scatter(
            x=list(names), y=_plain(sides[side]), name=f"patient's {side}", mode="lines+markers",
            line=_STYLE[side], marker={"symbol": _MARK[side], "size": 12},
            hovertemplate="%{y:.3f} in %{x}",
        )  # fmt: skip
    figure = _laid_out(figure, title, unit, ())
    figure.update_xaxes(title=None, type="category")
    return figure


def words(name: str) -> str:
    """Return a measure's name as people read it.

    Parameters
    ----------
    name : str
        Such as ``AU12_r`` or ``commissure_excursion``.

    Returns
    -------
    str
        Such as ``AU12 lip corner puller`` or ``commissure excursion``.
    """
    if name.startswith("AU"):
        return label(name)
    return name.replace("_2d", ", in the picture").replace("_", " ")


def _laid_out(figure: go.Figure, title: str, unit: str, bands: Sequence[Band]) -> go.Figure:
    """Give a figure over time its axes, and bands for actions."""
    for name, start, end in bands:
        figure.add_vrect(
            start, end, annotation_text=name, annotation_position="top left",
            annotation_font_size=10, fillcolor="gray", opacity=0.12, line_width=1,
        )  # fmt: skip
    figure.update_layout(
        title=title, height=260, margin={"l": 50, "r": 10, "t": 40, "b": 40},
        xaxis_title="time, s", yaxis_title=unit, template="plotly_white",
        legend={"orientation": "h", "y": -0.28, "x": 0, "yanchor": "top"},
    )  # fmt: skip
    return figure


def _plain(values: Any) -> list[float | None]:
    """Return numbers as JSON has them, None for NaN."""
    return [None if np.isnan(v) else float(v) for v in np.asarray(values, np.float64)]
