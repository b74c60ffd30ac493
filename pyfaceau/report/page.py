"""The page of a report: parts put into one file that opens anywhere."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pyfaceau import __version__
from pyfaceau.errors import InputError, OutputError


@dataclass(frozen=True)
class Table:
    """A table as text.

    Attributes
    ----------
    columns : tuple of str
        Their names.
    rows : tuple of tuple of str
        The cells.
    numbers : frozenset of str
        Columns that hold numbers.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: frozenset[str]

    @classmethod
    def of(cls, frame: pd.DataFrame, decimals: int = 3) -> Table:
        """Return a table's cells as text.

        Parameters
        ----------
        frame : DataFrame
            Words and numbers.
        decimals : int
            Of numbers that are not whole.

        Returns
        -------
        Table
            Cells of NaN are empty.
        """
        numbers = frozenset(n for n in frame.columns if frame[n].dtype.kind in "iuf")
        rows = tuple(
            tuple(_cell(value, decimals) for value in row)
            for row in frame.itertuples(index=False, name=None)
        )
        return cls(tuple(frame.columns), rows, numbers)


@dataclass(frozen=True)
class Picture:
    """A picture with what it shows.

    Attributes
    ----------
    caption : str
        In words.
    data : str
        JPEG, base64.
    """

    caption: str
    data: str


@dataclass(frozen=True)
class ActionPictures:
    """Pictures of an action.

    Attributes
    ----------
    name : str
        The action.
    pictures : tuple of Picture
        Rest, then peaks.
    """

    name: str
    pictures: tuple[Picture, ...]


@dataclass(frozen=True)
class Part:
    """A chapter of a recording.

    Attributes
    ----------
    title : str
        Its heading.
    notes : tuple of str
        Paragraphs.
    figures : dict
        Key, one of its own in the report, to plotly figure.
    table : Table or None
        A table.
    key : str
        The table's, one of its own in the report.
    """

    title: str
    notes: tuple[str, ...] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)
    table: Table | None = None
    key: str = ""


@dataclass(frozen=True)
class SessionPage:
    """All of a recording that the page shows.

    Attributes
    ----------
    name : str
        What it is called.
    notes : tuple of str
        Paragraphs of the summary.
    summary : Table or None
        Per action.
    warnings : tuple of str
        What speaks against it.
    pictures : tuple of ActionPictures
        Where pictures may be shown.
    no_pictures : str
        Why there are none.
    parts : tuple of Part
        Chapters.
    provenance : str
        A line.
    """

    name: str
    notes: tuple[str, ...]
    summary: Table | None
    warnings: tuple[str, ...]
    pictures: tuple[ActionPictures, ...]
    no_pictures: str
    parts: tuple[Part, ...]
    provenance: str


SHRINKAGE = (
    "Landmarks are pulled towards symmetry: the geometry of a mouth reports a third to a half of a "
    "one-sided movement and that of one eye's closure almost nothing, so an asymmetry of lengths "
    "is a lower bound."
)
"""What docs/paralysis.md says in full."""


def write_page(
    path: Path,
    title: str,
    sessions: Sequence[SessionPage],
    longitudinal: Part | None,
    command: str,
) -> None:
    """Write a report.

    Parameters
    ----------
    path : Path
        The file, .html; it gets its name when it is whole.
    title : str
        Its heading.
    sessions : sequence of SessionPage
        The recordings.
    longitudinal : Part or None
        What is said of all together.
    command : str
        What made it.

    Raises
    ------
    InputError
        If plotting and page libraries are not installed, or the name does not end in .html.
    OutputError
        If it cannot be written.
    """
    try:
        import jinja2
        import plotly.offline
    except ImportError:
        raise InputError(
            "a report needs plotly and jinja2: pip install 'pyfaceau[report]'"
        ) from None
    if path.suffix.lower() not in (".html", ".htm"):
        raise InputError(f"{path}: expected a name that ends in .html")
    figures = dict(longitudinal.figures) if longitudinal else {}
    for session in sessions:
        for part in session.parts:
            figures |= part.figures
    source = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        trim_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    plain = json.dumps({key: _plotted(figure) for key, figure in figures.items()})
    library = source.filters["safe"](plotly.offline.get_plotlyjs())
    text = source.get_template("page.html").render(
        title=title,
        shrinkage=SHRINKAGE,
        sessions=sessions,
        longitudinal=longitudinal,
        titles={key: figure.layout.title.text or "" for key, figure in figures.items()},
        figures=source.filters["safe"](plain.replace("<", "\\u003c")),
        library=library,
        version=__version__,
        command=command,
    )
    unfinished = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(path)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from None
    finally:
        unfinished.unlink(missing_ok=True)


def _plotted(figure: Any) -> dict[str, Any]:
    """Return a figure as the library reads it, numbers as they are."""
    plotted: dict[str, Any] = json.loads(figure.to_json())
    return {"data": plotted["data"], "layout": plotted["layout"]}


def _cell(value: Any, decimals: int) -> str:
    if pd.isna(value):
        return ""
    if isinstance(value, float | np.floating):
        return f"{value:.{decimals}f}"
    return str(value)
