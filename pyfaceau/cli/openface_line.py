"""The command line of OpenFace's programs: one hyphen, words in any order, nothing refused.

A word that OpenFace does not know is passed over, as OpenFace does; but it is named, as are options
that have no effect here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pyfaceau.cli.command import FIT_HELP, GROUP_HELP, LENS_HELP
from pyfaceau.errors import InputError

_FILES = ("f", "fdir", "of", "out_dir", "root", "inroot", "mloc", "bboxdir")
_NUMBERS: dict[str, Callable[[str], Any]] = {
    "device": int,
    "simsize": int,
    "simscale": float,
    **dict.fromkeys(LENS_HELP, float),
    **{name: kind if kind in (int, float) else int for name, (kind, _) in FIT_HELP.items() if kind},
}
_CHOOSING = (*GROUP_HELP, "hogalign", "simalign", "tracked")
_FLAGS = (*_CHOOSING, *"nomask g nobadaligned au_static wild q quiet".split())
_IDLE_VALUES = tuple(
    "oc fdloc validate_detections cam_width cam_height format_aligned format_vis_image".split()
)
_IDLE_FLAGS = re.compile(
    r"-(verbose|rigid|vis-\w+|no(2dfp|3dfp|[mp]\w*params|pose|aus|gaze))", re.IGNORECASE
)


@dataclass
class Line:
    """What a command line of OpenFace says.

    Attributes
    ----------
    inputs : list of (str, Path)
        ``'f'`` or ``'fdir'``, and the path with its root; in the order of the line.
    names : list of str
        Of the outputs, by ``-of``.
    values : dict
        Values of other options, by their names without the hyphen.
    flags : set of str
        Options without a value.
    fit : list of (str, object)
        Options of the fit, in the order of the line.
    idle : list of str
        Options that have no effect here.
    unknown : list of str
        Words that OpenFace does not know.
    """

    inputs: list[tuple[str, Path]] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)
    flags: set[str] = field(default_factory=set)
    fit: list[tuple[str, Any]] = field(default_factory=list)
    idle: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    @property
    def chooses(self) -> bool:
        """Whether outputs are chosen; otherwise all are written."""
        return not self.flags.isdisjoint(_CHOOSING)

    def wants(self, output: str) -> bool:
        """Tell whether an output is to be written.

        Parameters
        ----------
        output : str
            Its option, without the hyphen.

        Returns
        -------
        bool
            Also where nothing is chosen.
        """
        return output in self.flags or not self.chooses


def parse(words: Sequence[str]) -> Line:
    """Read a command line.

    Parameters
    ----------
    words : sequence of str
        What stands behind the program's name.

    Returns
    -------
    Line
        What it says.

    Raises
    ------
    InputError
        If an option lacks its value, or a number is none.
    """
    line = Line()
    left = list(words)
    while left:
        word = left.pop(0)
        name = word[1:] if word.startswith("-") else ""
        if name in _FILES:
            _take(line, name, _value(word, left, "a path"))
        elif name in _NUMBERS:
            value = _number(word, _value(word, left, "a number"), _NUMBERS[name])
            if name in FIT_HELP:
                line.fit.append((name, value))
            else:
                line.values[name] = value
        elif name in _FLAGS:
            line.flags.add(name)
            if name == "wild":
                line.fit.append((name, True))
        elif name in _IDLE_VALUES:
            line.idle.append(f"{word} {_value(word, left, 'a value')}")
        elif _IDLE_FLAGS.fullmatch(word):
            line.idle.append(word)
        else:
            line.unknown.append(word)
    root = Path(line.values.get("inroot") or line.values.get("root") or "")
    line.inputs = [(kind, root / path) for kind, path in line.inputs]
    return line


def _take(line: Line, name: str, value: str) -> None:
    """Note the value of an option that names a file."""
    if name in ("f", "fdir"):
        line.inputs.append((name, Path(value)))
    elif name == "of":
        line.names.append(value)
    else:
        line.values[name] = value


def _value(word: str, left: list[str], expected: str) -> str:
    """Take an option's value off the line."""
    if not left:
        raise InputError(f"{word}: expected {expected} behind it, got the end of the line")
    known = (*_FILES, *_NUMBERS, *_FLAGS, *_IDLE_VALUES)
    if left[0].startswith("-") and left[0][1:] in known:
        raise InputError(f"{word}: expected {expected} behind it, got {left[0]}")
    return left.pop(0)


def _number(word: str, text: str, kind: Callable[[str], Any]) -> Any:
    try:
        return kind(text)
    except ValueError:
        whole = "a whole number" if kind is int else "a number"
        raise InputError(f"{word}: expected {whole}, got {text!r}") from None
