"""How far a measurement of an action can be trusted: over repetitions and over sessions."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from pyfaceau.errors import InputError
from pyfaceau.types import Float64

if TYPE_CHECKING:
    import pandas as pd

NEEDED = ("subject", "session", "action", "number", "measure", "side", "unit", "excursion")
"""Columns of a study's actions, see `pyfaceau study export --actions`."""

MDC = 1.96 * math.sqrt(2.0)
"""Times the standard error of measurement: the change that two single measurements must exceed."""

FEWEST = 3
"""Subjects without whom no correlation is told."""

Key = tuple[str, str, str, str]
"""Action, measure, side, unit."""

_OF = ["action", "measure", "side", "unit"]


@dataclass(frozen=True)
class Reliability:
    """Agreement of one measure of one action.

    Attributes
    ----------
    action, measure, side, unit : str
        What it is of.
    over : str
        ``session``: subjects measured in several sessions, repetitions averaged; ``repetition``:
        sessions in which the action was done several times.
    targets, levels : int
        What was measured (subjects, or subjects' sessions), and how often each.
    dropped : int
        Targets that lack a level, and are left out.
    mean : float
        Of all excursions.
    icc31, icc31_low, icc31_high : float
        Intraclass correlation ICC(3,1), consistency, with its 95 % interval (Shrout, Fleiss,
        Intraclass correlations, Psychological Bulletin 1979).
    icc21, icc21_low, icc21_high : float
        ICC(2,1), absolute agreement.
    sem : float
        Standard error of measurement, the root of the two-way analysis' residual mean square
        (Weir, Quantifying test-retest reliability, J. Strength Cond. Res. 2005), in the unit.
    mdc95 : float
        Minimal detectable change: 1.96 times the root of 2 times `sem`.
    reason : str
        Why there are no values; empty where there are.
    """

    action: str
    measure: str
    side: str
    unit: str
    over: str
    targets: int
    levels: int
    dropped: int
    mean: float = math.nan
    icc31: float = math.nan
    icc31_low: float = math.nan
    icc31_high: float = math.nan
    icc21: float = math.nan
    icc21_low: float = math.nan
    icc21_high: float = math.nan
    sem: float = math.nan
    mdc95: float = math.nan
    reason: str = ""


@dataclass(frozen=True)
class Agreement:
    """Bland and Altman's comparison of two sessions or repetitions.

    Attributes
    ----------
    action, measure, side, unit, over : str
        As of `Reliability`.
    first, second : str
        The two levels.
    targets : int
        Measured in both.
    bias : float
        Mean of second less first, with its 95 % interval `bias_low`, `bias_high`.
    sd : float
        Standard deviation of the differences.
    loa_low, loa_high : float
        Limits of agreement: bias less and plus 1.96 standard deviations.
    """

    action: str
    measure: str
    side: str
    unit: str
    over: str
    first: str
    second: str
    targets: int
    bias: float
    bias_low: float
    bias_high: float
    sd: float
    loa_low: float
    loa_high: float


@dataclass(frozen=True)
class Change:
    """Of one subject between the first session and a later one.

    Attributes
    ----------
    subject, session, since : str
        Whose, the later session, the first.
    action, measure, side, unit : str
        What it is of.
    before, after : float
        Mean excursions of both sessions, over `repeats_before` and `repeats_after` repetitions.
    change : float
        `after` less `before`.
    sem : float
        Standard error of a single measurement: pooled standard deviation of repetitions within all
        sessions of all subjects, of `sem_df` degrees of freedom.
    mdc95 : float
        1.96 `sem` sqrt(1 / repeats_before + 1 / repeats_after): what a change of these means must
        exceed. It holds what varies within a session; between sessions more may.
    exceeds : bool or None
        Whether it does; None where it is not known.
    reason : str
        ``never repeated``: no session has the action twice, nothing is known of its error.
    """

    subject: str
    session: str
    since: str
    action: str
    measure: str
    side: str
    unit: str
    before: float
    after: float
    repeats_before: int
    repeats_after: int
    change: float
    sem: float = math.nan
    sem_df: int = 0
    mdc95: float = math.nan
    exceeds: bool | None = None
    reason: str = ""


def reliability(table: pd.DataFrame, over: str = "session") -> list[Reliability]:
    """Return intraclass correlations, error and detectable change of every measure.

    Parameters
    ----------
    table : DataFrame
        A row per subject, session, action, number, measure and side, with its excursion. Excursions
        below the gate count as they are, missing ones as missing.
    over : {'session', 'repetition'}
        What is repeated.

    Returns
    -------
    list of Reliability
        By action, measure and side.

    Raises
    ------
    InputError
        If a column is missing, `over` is another, or pingouin is not installed.
    """
    found = []
    for key, grid in _grids(table, over):
        whole = grid.dropna()
        n, k = whole.shape
        blank = Reliability(*key, over, n, k, len(grid) - n)
        values = whole.to_numpy(np.float64)
        if n < FEWEST or k < 2:
            times = f"{k} times" if k != 1 else "once"
            found.append(replace(blank, reason=f"too few: {n} measured {times}"))
        elif np.ptp(values - values.mean(axis=0)) == 0:
            found.append(replace(blank, reason="no variance"))
        else:
            error = residual(values)
            told = _correlations(values)
            mean = float(values.mean())
            found.append(replace(blank, mean=mean, sem=error, mdc95=MDC * error, **told))
    return found


def agreement(table: pd.DataFrame, over: str = "session") -> list[Agreement]:
    """Compare every two sessions, or repetitions, of every measure.

    Parameters
    ----------
    table : DataFrame
        As of `reliability`.
    over : {'session', 'repetition'}
        What is repeated.

    Returns
    -------
    list of Agreement
        By action, measure and side; none where fewer than three targets have both.

    Raises
    ------
    InputError
        As of `reliability`.
    """
    stats = _library("scipy.stats")
    found = []
    for key, grid in _grids(table, over):
        for first, second in combinations(grid.columns, 2):
            gap = (grid[second] - grid[first]).dropna().to_numpy(np.float64)
            if len(gap) < FEWEST:
                continue
            bias, sd = float(gap.mean()), float(gap.std(ddof=1))
            half = float(stats.t.ppf(0.975, len(gap) - 1)) * sd / math.sqrt(len(gap))
            limits: tuple[Any, ...] = (
                bias - half,
                bias + half,
                sd,
                bias - 1.96 * sd,
                bias + 1.96 * sd,
            )
            found.append(Agreement(*key, over, str(first), str(second), len(gap), bias, *limits))
    return found


def changes(table: pd.DataFrame) -> list[Change]:
    """Return each subject's change since the first session, with what it must exceed.

    Parameters
    ----------
    table : DataFrame
        As of `reliability`. Sessions are in the order of their names.

    Returns
    -------
    list of Change
        By subject, measure and session; none of subjects with one session.

    Raises
    ------
    InputError
        If a column is missing.
    """
    found = []
    for names, part in _checked(table).groupby(_OF, sort=True):
        key = tuple(map(str, names))
        cells = part.groupby(["subject", "session"])["excursion"]
        count, mean, variance = cells.count(), cells.mean(), cells.var(ddof=1)
        freedom = (count - 1).clip(lower=0)
        df = int(freedom.sum())
        sem = math.sqrt(float((variance.fillna(0.0) * freedom).sum()) / df) if df else math.nan
        for subject in dict.fromkeys(mean.index.get_level_values(0)):
            since, *later = mean[subject].index
            for session in later:
                both = [int(count[subject][name]) for name in (since, session)]
                pair = [float(mean[subject][name]) for name in (since, session)]
                of: dict[str, Any] = dict(zip(_OF, key, strict=True))
                of |= {"subject": str(subject), "session": str(session), "since": str(since)}
                found.append(Change(**of, **_changed(pair, both, sem, df)))
    return sorted(found, key=lambda one: (one.subject, one.action, one.measure, one.side))


def _changed(pair: list[float], repeats: list[int], sem: float, df: int) -> dict[str, Any]:
    """Return the fields of a change behind its names."""
    found = {
        "before": pair[0],
        "after": pair[1],
        "repeats_before": repeats[0],
        "repeats_after": repeats[1],
        "change": pair[1] - pair[0],
        "sem": sem,
        "sem_df": df,
    }
    if not df:
        return {**found, "reason": "never repeated"}
    mdc = 1.96 * sem * math.sqrt(1 / repeats[0] + 1 / repeats[1])
    return {**found, "mdc95": mdc, "exceeds": abs(pair[1] - pair[0]) > mdc}


def residual(values: Float64) -> float:
    """Return the standard error of measurement.

    Parameters
    ----------
    values : (n, k) float64
        Targets by levels.

    Returns
    -------
    float
        Root of the residual mean square of the two-way analysis of variance.
    """
    rows, columns = values.mean(axis=1, keepdims=True), values.mean(axis=0, keepdims=True)
    left = values - rows - columns + values.mean()
    n, k = values.shape
    return math.sqrt(float((left**2).sum()) / ((n - 1) * (k - 1)))


def _correlations(values: Float64) -> dict[str, Any]:
    """Return ICC(3,1) and ICC(2,1), each with its interval."""
    import pandas as pd

    pingouin = _library("pingouin")
    n, k = values.shape
    long = pd.DataFrame(
        {
            "target": np.repeat(np.arange(n), k),
            "level": np.tile(np.arange(k), n),
            "value": values.ravel(),
        }
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        table = pingouin.intraclass_corr(long, "target", "level", "value")
    bounds = next(name for name in table if str(name).startswith("CI95"))  # its name has changed
    told = {}
    for row, name in ((2, "icc31"), (1, "icc21")):  # in the order ICC1, ICC2, ICC3
        told[name] = float(table["ICC"].iloc[row])
        told[f"{name}_low"], told[f"{name}_high"] = map(float, table[bounds].iloc[row])
    return told


def _library(name: str) -> Any:
    """Return a library of the extra."""
    import importlib

    try:
        return importlib.import_module(name)
    except ImportError:
        raise InputError(
            "reliability: expected the extra [reliability]: pip install 'pyfaceau[reliability]'"
        ) from None


def _checked(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that have a value, with names as text."""
    missing = [name for name in NEEDED if name not in table]
    if missing:
        raise InputError(f"table: expected a column {missing[0]!r}, got {list(table)[:8]}")
    kept: pd.DataFrame = table[table["excursion"].notna()].copy()
    for name in ("subject", "session"):
        kept[name] = kept[name].astype(str)
    if not len(kept):
        raise InputError("table: expected excursions, got none")
    each = ["subject", "session", "action", "measure", "side"]
    if "video" in kept:  # a session may have several
        kept = kept.sort_values(["video", "number"], kind="stable")
        kept["number"] = kept.groupby(each).cumcount() + 1
    twice = kept.duplicated([*each, "number"])
    if twice.any():
        row = kept[twice].iloc[0]
        raise InputError(
            f"table: {row['action']} {row['number']} of subject {row['subject']}, session "
            f"{row['session']} stands there twice"
        )
    return kept


def _grids(table: pd.DataFrame, over: str) -> Iterator[tuple[Key, pd.DataFrame]]:
    """Yield each measure's targets by levels."""
    if over not in ("session", "repetition"):
        raise InputError(f"over: expected 'session' or 'repetition', got {over!r}")
    rows = _checked(table)
    index = ["subject"] if over == "session" else ["subject", "session"]
    level = "session" if over == "session" else "number"
    for key, part in rows.groupby(_OF, sort=True):
        grid = part.pivot_table(index=index, columns=level, values="excursion", aggfunc="mean")
        action, measure, side, unit = map(str, key)
        yield (action, measure, side, unit), grid
