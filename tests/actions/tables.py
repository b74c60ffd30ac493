"""Tables of action units made by hand, as `pyfaceau.read` gives them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pyfaceau.types import Float64

FPS = 25


def table_of(**series: Float64) -> pd.DataFrame:
    """Return a table of 25 frames per second; a face in each, its columns as given."""
    rows = len(next(iter(series.values())))
    index = pd.RangeIndex(1, rows + 1, name="frame")
    table = pd.DataFrame(series, index=index).assign(success=1)
    return table.assign(timestamp=np.arange(rows) / FPS)


def bump(rows: int, start: int, ramp: int, hold: int, height: float, rest: float = 0.0) -> Float64:
    """Return rest, a straight rise over `ramp` frames from frame `start`, a hold, a fall, rest."""
    rise = np.arange(1, ramp + 1) / ramp
    shape = np.concatenate([rise, np.ones(hold), rise[::-1][1:]])
    values = np.full(rows, rest)
    values[start : start + len(shape)] += height * shape
    return values
