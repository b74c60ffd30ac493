"""Where a study's files are."""

from __future__ import annotations

from glob import escape
from pathlib import Path

from pyfaceau.study.inputs import safe_name

FEATURES = ".features"
QUALITY = ".quality.csv.gz"


def table_path(out: Path, name: str) -> Path:
    """Return the path of a video's table.

    Parameters
    ----------
    out : Path
        The study's output folder.
    name : str
        The video's name in the study.

    Returns
    -------
    Path
        ``<out>/<name>.csv``.
    """
    return out / f"{name}.csv"


def report_path(out: Path, name: str) -> Path:
    """Return the path of a video's report.

    Parameters
    ----------
    out : Path
        The study's output folder.
    name : str
        The video's name in the study.

    Returns
    -------
    Path
        ``<out>/<name>.html``.
    """
    return out / f"{name}.html"


def features_path(out: Path, name: str) -> Path:
    """Return the path of a video's feature file.

    Parameters
    ----------
    out : Path
        The study's output folder.
    name : str
        The video's name in the study.

    Returns
    -------
    Path
        ``<out>/<name>.features``.
    """
    return out / f"{name}{FEATURES}"


def quality_path(out: Path, name: str) -> Path:
    """Return the path of a video's quality file.

    Parameters
    ----------
    out : Path
        The study's output folder.
    name : str
        The video's name in the study.

    Returns
    -------
    Path
        ``<out>/<name>.quality.csv.gz``: no table ends so.
    """
    return out / f"{name}{QUALITY}"


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
