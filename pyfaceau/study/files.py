"""Where a study's files are."""

from __future__ import annotations

from glob import escape
from pathlib import Path

from pyfaceau.study.inputs import safe_name

TABLE, REPORT = ".csv", ".html"
FEATURES, QUALITY = ".features", ".quality.csv.gz"
"""What the names of a video's files end with; no table ends as the quality file does."""


def output_path(out: Path, name: str, ending: str) -> Path:
    """Return the path of one of a video's files.

    Parameters
    ----------
    out : Path
        The study's output folder.
    name : str
        The video's name in the study.
    ending : str
        `TABLE`, `REPORT`, `FEATURES` or `QUALITY`.

    Returns
    -------
    Path
        ``<out>/<name><ending>``.
    """
    return out / f"{name}{ending}"


def baseline_path(out: Path, subject: str) -> Path:
    """Return the path of a subject's baseline.

    Parameters
    ----------
    out : Path
        The study's output folder.
    subject : str
        The subject.

    Returns
    -------
    Path
        ``<out>/<subject>.baseline.npz``.
    """
    return out / f"{safe_name([subject.replace('/', '|')])}.baseline.npz"


def clear_parts(path: Path) -> None:
    """Remove what a killed process left of an output under a temporary name.

    Parameters
    ----------
    path : Path
        The output under its final name, which is not touched.
    """
    for left in path.parent.glob(f".{escape(path.name)}.*.part"):
        left.unlink(missing_ok=True)
