"""Measures that other public tools name, from a table of pyfaceau or OpenFace.

Only those whose documentation states a definition, and whose inputs a table has: OpenDBM's
summaries of action units (documentation of OpenDBM 2.1, "Action units", "Facial Activity") and the
eye aspect ratio that its blinks are found in (Soukupova and Cech, Real-time eye blink detection
using facial landmarks, Computer Vision Winter Workshop 2016, equation 1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pyfaceau.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

CONFIDENT = 0.8
"""Frames of less confidence have no values in OpenDBM."""

OPENDBM_UNITS = (1, 2, 4, 5, 6, 7, 9, 12, 15, 20, 23, 26)
"""Action units that OpenDBM names and OpenFace has; OpenDBM's table also lists AU 16."""

_EYES = {"left": (45, 44, 43, 42, 47, 46), "right": (36, 37, 38, 39, 40, 41)}


def opendbm_action_units(table: pd.DataFrame) -> dict[str, float]:
    """Return OpenDBM's derived variables of action units.

    Parameters
    ----------
    table : DataFrame
        As from `pyfaceau.read`, with action units and ``confidence``.

    Returns
    -------
    dict of str to float
        ``fac_auXXpres_pct``, percent of the frames in which it is present; ``fac_auXXint_mean``
        and ``fac_auXXint_std``, mean and standard deviation (of a sample: OpenDBM does not say
        which) of the intensity. Over frames with a confidence of 0.8 or more; NaN where there are
        none.

    Raises
    ------
    InputError
        If the table has no action units or no confidence.
    """
    units = [f"AU{number:02d}" for number in OPENDBM_UNITS]
    wanted = ["confidence", *(f"{unit}_{kind}" for unit in units for kind in "rc")]
    missing = [name for name in wanted if name not in table]
    if missing:
        raise InputError(f"table: expected {missing[0]} among its columns, got none")
    sure = table[table["confidence"] >= CONFIDENT]
    found = {}
    for unit in units:
        name = f"fac_{unit.lower()}"
        found[f"{name}pres_pct"] = float(100 * sure[f"{unit}_c"].mean())
        found[f"{name}int_mean"] = float(sure[f"{unit}_r"].mean())
        found[f"{name}int_std"] = float(sure[f"{unit}_r"].std())
    return found


def eye_aspect_ratio(table: pd.DataFrame) -> pd.DataFrame:
    """Return how open each eye is, as a share of its width.

    (|p2 - p6| + |p3 - p5|) / (2 |p1 - p4|), p1 to p6 the eye's six landmarks from the outer corner
    over the upper lid.

    Parameters
    ----------
    table : DataFrame
        As from `pyfaceau.read`, with ``x_0`` ... ``y_67``.

    Returns
    -------
    DataFrame
        Per frame ``left``, ``right`` (the patient's, of a recording that is not mirrored) and
        ``mean``, no unit; NaN where there is no face.

    Raises
    ------
    InputError
        If the table has no landmarks.
    """
    import pandas as pd

    if "x_0" not in table or "y_67" not in table:
        raise InputError("table: expected landmarks x_0 ... y_67, got none")
    ratios = {}
    for side, numbers in _EYES.items():
        x, y = (table[[f"{axis}_{i}" for i in numbers]].to_numpy(np.float64) for axis in "xy")
        first, second, across = (
            np.hypot(x[:, a] - x[:, b], y[:, a] - y[:, b]) for a, b in ((1, 5), (2, 4), (0, 3))
        )
        ratio = np.full(len(table), np.nan)
        seen = across > 0
        if "success" in table:
            seen &= (table["success"] == 1).to_numpy()
        ratio[seen] = (first + second)[seen] / (2 * across[seen])
        ratios[side] = ratio
    ratios["mean"] = (ratios["left"] + ratios["right"]) / 2
    found: pd.DataFrame = pd.DataFrame(ratios, index=table.index)
    return found
