"""Curves of a table as interactive figures: readable without colour, light for long videos."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from pyfaceau.types import Int64

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

POINTS = 2000
"""A curve of more points is drawn by the extremes of so many stretches."""

NAMES = {
    "AU01": "inner brow raiser", "AU02": "outer brow raiser", "AU04": "brow lowerer",
    "AU05": "upper lid raiser", "AU06": "cheek raiser", "AU07": "lid tightener",
    "AU09": "nose wrinkler", "AU10": "upper lip raiser", "AU12": "lip corner puller",
    "AU14": "dimpler", "AU15": "lip corner depressor", "AU17": "chin raiser",
    "AU20": "lip stretcher", "AU23": "lip tightener", "AU25": "lips part", "AU26": "jaw drop",
    "AU28": "lip suck", "AU45": "blink",
}  # fmt: skip
"""The units in words."""

_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")


def label(column: str) -> str:
    """Return a column's name with what it is in words.

    Parameters
    ----------
    column : str
        Such as ``AU12_r_left``.

    Returns
    -------
    str
        Such as ``AU12 lip corner puller, left``.
    """
    unit, *rest = column.split("_")
    side = next((f", {word}" for word in rest if word in ("left", "right")), "")
    mesh = " of the mesh, 0 to 1" if "bs" in rest else ""  # not OpenFace's unit
    return f"{unit} {NAMES.get(unit, '')}".strip() + mesh + side


def curves_of(table: pd.DataFrame) -> list[str]:
    """Return the columns that can be drawn as curves: intensities, whole face first.

    Parameters
    ----------
    table : DataFrame
        As `pyfaceau.read` gives it.

    Returns
    -------
    list of str
        In the table's order, whole faces before sides.
    """
    endings = ("_r", "_bs", "_r_left", "_r_right", "_bs_left", "_bs_right")
    found = [name for name in table.columns if name[:2] == "AU" and name.endswith(endings)]
    return sorted(found, key=lambda name: name.endswith(("_left", "_right")))


def strongest(table: pd.DataFrame, count: int = 4) -> list[str]:
    """Return the units that change most.

    Parameters
    ----------
    table : DataFrame
        As `pyfaceau.read` gives it.
    count : int
        How many.

    Returns
    -------
    list of str
        Columns, in the table's order.
    """
    names = [name for name in curves_of(table) if not name.endswith(("_left", "_right"))]
    spread = table[names].std().fillna(0.0)
    chosen = set(spread.nlargest(count).index)
    return [name for name in names if name in chosen]


def thinned(values: ArrayLike, points: int = POINTS) -> Int64:
    """Return which rows draw a curve: all, or those of the extremes of equal stretches.

    Parameters
    ----------
    values : (n,) array_like
        The curve.
    points : int
        Rows, at most about.

    Returns
    -------
    (m,) int64
        Rising; the first, the last, and every stretch's smallest and largest are among them.
    """
    curve = np.nan_to_num(np.asarray(values, np.float64))
    n = len(curve)
    if n <= points:
        return np.arange(n)
    stretch = -(-2 * n // points)
    padded = np.pad(curve, (0, -n % stretch), mode="edge").reshape(-1, stretch)
    starts = np.arange(len(padded)) * stretch
    rows = np.concatenate([starts + padded.argmin(1), starts + padded.argmax(1), [0, n - 1]])
    return np.unique(np.minimum(rows, n - 1))


def figure_of(
    table: pd.DataFrame,
    columns: Sequence[str],
    now: float | None = None,
    intervals: Sequence[tuple[str, float, float]] = (),
) -> go.Figure:
    """Draw curves over time.

    Parameters
    ----------
    table : DataFrame
        As `pyfaceau.read` gives it, of a video.
    columns : sequence of str
        What to draw.
    now : float, optional
        Seconds at which a line stands: the picture that is shown.
    intervals : sequence of (str, float, float)
        Actions with start and end, seconds, drawn as bands.

    Returns
    -------
    plotly Figure
        Every curve with a colour and a dash of its own; frames without a face are gaps. Each point
        carries its row as ``customdata``.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    time = table["timestamp"].to_numpy()
    seen = table["success"].to_numpy() == 1
    for number, name in enumerate(columns):
        curve = np.where(seen, table[name].to_numpy(), np.nan)
        rows = thinned(curve)
        style = _style(number, name)
        figure.add_scatter(
            x=time[rows], y=curve[rows], customdata=rows, name=label(name), mode="lines+markers",
            line=style, marker={"size": 3}, hovertemplate="%{y:.2f} at %{x:.3f} s",
        )  # fmt: skip
    for name, start, end in intervals:
        figure.add_vrect(
            start, end, annotation_text=name, annotation_position="top left",
            fillcolor="gray", opacity=0.15, line_width=1,
        )  # fmt: skip
    if now is not None:
        figure.add_vline(now, line={"color": "black", "width": 2})
    figure.update_layout(
        height=340,
        margin={"l": 50, "r": 10, "t": 30, "b": 40},
        xaxis_title="time, s",
        yaxis_title="intensity" if any(c.endswith("_bs") for c in columns) else "intensity, 0 to 5",
        legend={"orientation": "h", "y": -0.25},
        hovermode="closest",
        uirevision="curves",
    )
    return figure


def _style(number: int, name: str) -> dict[str, Any]:
    """Return colour and dash: of sides, solid is left and dashed is right."""
    colour = _COLOURS[number % len(_COLOURS)]
    if name.endswith("_left"):
        return {"color": colour, "dash": "solid", "width": 2}
    if name.endswith("_right"):
        return {"color": colour, "dash": "dash", "width": 2}
    return {"color": colour, "dash": _DASHES[number % len(_DASHES)], "width": 2}
