"""Measures of other public tools: their definitions by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import pyfaceau
from pyfaceau.errors import InputError
from pyfaceau.expressions.public_tools import (
    OPENDBM_UNITS,
    eye_aspect_ratio,
    opendbm_action_units,
)


def eyes(opening_left: float, opening_right: float) -> dict[str, float]:
    """Return landmarks of eyes 30 pixels wide that are open so far."""
    row = {f"{axis}_{i}": 0.0 for axis in "xy" for i in range(68)}
    for start, x, opening in ((36, 100.0, opening_right), (42, 160.0, opening_left)):
        places = [(0, 0), (10, -0.5), (20, -0.5), (30, 0), (20, 0.5), (10, 0.5)]
        for i, (dx, dy) in enumerate(places):
            row[f"x_{start + i}"], row[f"y_{start + i}"] = x + dx, 200 + dy * opening
    return row


def test_eye_aspect_ratio_by_hand() -> None:
    table = pd.DataFrame([eyes(12.0, 6.0), eyes(0.0, 6.0), eyes(9.0, 9.0)])
    table["success"] = [1, 1, 0]
    found = eye_aspect_ratio(table)
    assert found.columns.tolist() == ["left", "right", "mean"]
    np.testing.assert_allclose(found.iloc[0], [0.4, 0.2, 0.3])
    np.testing.assert_allclose(found.iloc[1], [0.0, 0.2, 0.1])
    assert found.iloc[2].isna().all()
    with pytest.raises(InputError, match="expected landmarks"):
        eye_aspect_ratio(table[["x_0"]])


def test_opendbm_summaries_by_hand() -> None:
    units = {f"AU{n:02d}_{kind}": [0.0] * 4 for n in OPENDBM_UNITS for kind in "rc"}
    table = pd.DataFrame(units).assign(confidence=[0.98, 0.8, 0.9, 0.79])
    table["AU12_r"], table["AU12_c"] = [1.0, 2.0, 3.0, 5.0], [0.0, 1.0, 1.0, 1.0]
    found = opendbm_action_units(table)
    assert found["fac_au12int_mean"] == 2.0  # the unsure fourth frame does not count
    assert found["fac_au12int_std"] == 1.0
    assert found["fac_au12pres_pct"] == pytest.approx(200 / 3)
    assert found["fac_au01int_mean"] == found["fac_au01pres_pct"] == 0.0
    assert len(found) == 3 * len(OPENDBM_UNITS)
    unsure = opendbm_action_units(table.assign(confidence=0.1))
    assert np.isnan(unsure["fac_au12int_mean"])
    with pytest.raises(InputError, match="AU26_c"):
        opendbm_action_units(table.drop(columns="AU26_c"))


def test_a_table_of_openface_gives_both(shared: Path) -> None:
    table = pyfaceau.read(shared / "reference" / "precise" / "single_face.csv.gz")
    ratios = eye_aspect_ratio(table)
    assert ratios["mean"].between(0.05, 0.6).all()
    found = opendbm_action_units(table)
    sure = table[table["confidence"] >= 0.8]
    assert found["fac_au06int_mean"] == (pytest.approx(sure["AU06_r"].mean()))
