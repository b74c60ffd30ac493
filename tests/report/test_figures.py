"""Curves: which, how many points, gaps, styles."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("plotly", reason="needs the extra app")

from pyfaceau.report.figures import curves_of, figure_of, label, strongest, thinned


def table(rows: int = 6) -> pd.DataFrame:
    time = np.arange(rows) / 10
    return pd.DataFrame(
        {
            "timestamp": time,
            "success": [1, 1, 0, *[1] * (rows - 3)],
            "AU01_r": 0.0,
            "AU12_r": np.linspace(0, 5, rows),
            "AU12_c": 1.0,
            "AU12_r_left": np.linspace(0, 3, rows),
            "AU12_r_right": np.linspace(0, 1, rows),
            "AU45_r": np.tile([0.0, 1.0], rows)[:rows],
        }
    )


def test_intensities_are_curves_sides_last() -> None:
    assert curves_of(table()) == ["AU01_r", "AU12_r", "AU45_r", "AU12_r_left", "AU12_r_right"]
    assert strongest(table(), 2) == ["AU12_r", "AU45_r"]
    assert label("AU12_r_left") == "AU12 lip corner puller, left"
    assert label("AU12_bs_left") == "AU12 lip corner puller of the mesh, 0 to 1, left"


def test_frames_without_a_face_are_gaps() -> None:
    figure = figure_of(table(), ["AU12_r"], now=0.3, intervals=[("rest", 0.0, 0.2)])
    [curve] = figure.data
    np.testing.assert_array_equal(curve.y, [0, 1, np.nan, 3, 4, 5])
    np.testing.assert_array_equal(curve.customdata, range(6))
    shapes = {shape.type: shape for shape in figure.layout.shapes}
    line, band = shapes["line"], shapes["rect"]
    assert (line.x0, line.x1) == (0.3, 0.3)
    assert (band.x0, band.x1) == (0.0, 0.2)


def test_curves_are_told_apart_without_colour() -> None:
    names = ["AU12_r_left", "AU12_r_right"]
    assert [curve.line.dash for curve in figure_of(table(), names).data] == ["solid", "dash"]
    whole = figure_of(table(), ["AU01_r", "AU12_r", "AU45_r"]).data
    assert len({curve.line.dash for curve in whole}) == 3


@given(
    st.lists(st.floats(-5, 5), min_size=1, max_size=300),
    st.integers(4, 100),
)
def test_thinned_curve_keeps_its_extremes(values: list[float], points: int) -> None:
    rows = thinned(values, points)
    assert (np.diff(rows) > 0).all()
    assert len(rows) <= max(points + 4, 4)
    kept = np.array(values)[rows]
    assert (kept.min(), kept.max()) == (min(values), max(values))
    assert (rows[0], rows[-1]) == (0, len(values) - 1)
