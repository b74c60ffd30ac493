"""The rules, read from TOML: which units or measures make which expression."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyfaceau.errors import InputError
from pyfaceau.resources import read_toml, resource
from pyfaceau.types import AU_INTENSITIES

MEASURES = ("mouth_open", "mouth_width", "corners_up", "brow_height")
"""What is measured of 68 points."""

UNITS = tuple(name[:-2] for name in AU_INTENSITIES)

ONE_SIDED = " one-sided"
"""Behind a unit's name: how far one side of the face has more of it than the other."""

NEEDS = UNITS + tuple(unit + ONE_SIDED for unit in UNITS)
"""What a rule may need."""


@dataclass(frozen=True)
class Rules:
    """What a rule file says.

    Attributes
    ----------
    threshold : float
        A frame whose best rule scores less is neutral.
    full : float
        Intensity from which on a unit is wholly there.
    least : float
        A rule scores 0 where one of its units is below this.
    units : dict
        Action units that each expression needs, some of `NEEDS`.
    measure_full : dict
        How far from the median each measure is wholly there.
    measures : dict
        Measures that each expression needs, with their direction, ``+`` or ``-``.
    """

    threshold: float
    full: float
    least: float
    units: dict[str, tuple[str, ...]]
    measure_full: dict[str, float]
    measures: dict[str, tuple[str, ...]]

    @classmethod
    def load(cls, path: str | Path | None = None) -> Rules:
        """Read a rule file.

        Parameters
        ----------
        path : str or Path, optional
            TOML, laid out as ``configs/expressions.toml``, which is read if not given.

        Returns
        -------
        Rules
            The rules.

        Raises
        ------
        InputError
            If a key is missing or unknown, or a value makes no sense.
        """
        file = resource("configs/expressions.toml") if path is None else Path(path)
        table = read_toml(file)
        where = str(file)
        _keys(table, ("threshold", "units", "geometry"), where)
        units, geometry = table["units"], table["geometry"]
        _keys(units, ("full", "least", "rules"), f"{where}: units")
        _keys(geometry, ("full", "rules"), f"{where}: geometry")
        _keys(geometry["full"], MEASURES, f"{where}: geometry.full")
        signed = tuple(sign + name for name in MEASURES for sign in "+-")
        return cls(
            _number(table["threshold"], f"{where}: threshold"),
            _number(units["full"], f"{where}: units.full"),
            _number(units["least"], f"{where}: units.least"),
            _needs(units["rules"], NEEDS, f"{where}: units.rules"),
            {k: _number(v, f"{where}: {k}") for k, v in geometry["full"].items()},
            _needs(geometry["rules"], signed, f"{where}: geometry.rules"),
        )


def _keys(table: Any, wanted: tuple[str, ...], where: str) -> None:
    if not isinstance(table, dict) or set(table) != set(wanted):
        got = ", ".join(table) if isinstance(table, dict) else repr(table)
        raise InputError(f"{where}: expected the keys {', '.join(wanted)}, got {got}")


def _number(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 1000:
        raise InputError(f"{where}: expected a number above 0, got {value!r}")
    return float(value)


def _needs(table: Any, known: tuple[str, ...], where: str) -> dict[str, tuple[str, ...]]:
    if not isinstance(table, dict) or not table:
        raise InputError(f"{where}: expected a rule or more, got {table!r}")
    for label, needs in table.items():
        if not isinstance(needs, list) or not needs or not set(map(str, needs)) <= set(known):
            raise InputError(
                f"{where}: {label}: expected a list of some of {', '.join(known)}, got {needs!r}"
            )
    return {str(label): tuple(needs) for label, needs in table.items()}
