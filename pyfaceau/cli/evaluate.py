"""The commands ``pyfaceau evaluate``: parse, call, report."""

from __future__ import annotations

import json
import math
from pathlib import Path

import click

from pyfaceau.cli.strict import StrictCommand
from pyfaceau.errors import OutputError, PyfaceauError

_NAMES = {
    "faces": "faces",
    "found": "found",
    "distance": "mean distance, px",
    "nme": "NME, eyes, %",
    "nme_box": "NME, box, %",
    "failures": "failures, %",
    "auc": "AUC",
}


@click.group()
def evaluate() -> None:
    """Measure models on annotated data."""


@evaluate.command(cls=StrictCommand)
@click.option(
    "--data",
    "paths",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path),
    help="dlib XML, folder of .pts, or .npz; may be repeated.",
)
@click.option(
    "--model",
    "models",
    multiple=True,
    required=True,
    help="pfld, clnf, facemap, free, PATH.onnx, or profile:NAME; may be repeated.",
)
@click.option("--points", metavar="LIST", help="Points that count, such as 8,33,36-59; else all.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder of the report.")
def landmarks(
    paths: tuple[Path, ...], models: tuple[str, ...], points: str | None, out: Path
) -> None:
    """Measure landmark models side by side: landmarks.md, .csv, .json and .png in OUT.

    Faces are found by the detector as in a video. NME is the mean distance in units of the
    distance between the eyes' outer corners, or of the square root of the area of the points' box,
    over the faces that were found; a face that was not, or with an NME over 10 %, is a failure;
    AUC is the area under the cumulative curve up to there.
    """
    chosen = None if points is None else point_numbers(points)
    try:
        _measure(paths, models, chosen, out)
    except PyfaceauError as error:
        raise click.ClickException(str(error)) from error


def _measure(
    paths: tuple[Path, ...], models: tuple[str, ...], points: list[int] | None, out: Path
) -> None:
    from pyfaceau.training.data import only_points, read_faces
    from pyfaceau.training.evaluation import FAILED, evaluate_landmarks, finder
    from pyfaceau.training.layouts import REGIONS
    from pyfaceau.training.plots import error_curves

    data = read_faces(*paths)
    for problem in data.problems:
        click.echo(problem, err=True)
    samples = list(data.samples) if points is None else only_points(data.samples, points)
    finders = {model: finder(model) for model in models}  # one that is missing is said at once
    results = {model: evaluate_landmarks(samples, find) for model, find in finders.items()}
    figures = {name: errors.figures() for name, errors in results.items()}
    columns = [*_NAMES, *REGIONS]
    lines = [
        "| model | " + " | ".join([*_NAMES.values(), *REGIONS]) + " |",
        "| :-- |" + " --: |" * len(columns),
    ]
    table = [",".join(["model", *columns])]
    for name, row in figures.items():
        lines.append(f"| {name} | " + " | ".join(_text(row[key]) for key in columns) + " |")
        table.append(",".join([name, *(f"{row[key]:.6g}" for key in columns)]))
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / "landmarks.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
        (out / "landmarks.csv").write_text("\n".join(table) + "\n", encoding="utf-8")
        known = {
            name: {key: value if math.isfinite(value) else None for key, value in row.items()}
            for name, row in figures.items()
        }
        (out / "landmarks.json").write_text(json.dumps(known, indent=1), encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{out}: cannot be written: {error}") from error
    error_curves({name: each.nme for name, each in results.items()}, FAILED, out / "landmarks.png")
    click.echo("\n".join(lines))


def _text(value: float) -> str:
    """Return a figure as it stands in the table."""
    if math.isnan(value):  # nothing was measured
        return "-"
    return f"{value:.0f}" if value == int(value) else f"{value:.2f}"


def point_numbers(text: str) -> list[int]:
    """Return the points of a list such as ``8,36-41``.

    Parameters
    ----------
    text : str
        As given.

    Returns
    -------
    list of int
        0 to 67.

    Raises
    ------
    UsageError
        If it is no such list.
    """
    numbers: list[int] = []
    try:
        for word in text.split(","):
            first, _, last = word.partition("-")
            numbers += range(int(first), int(last or first) + 1)
    except ValueError:
        raise click.UsageError(f"--points: expected such as 8,36-41, got {text!r}") from None
    if not numbers or any(n not in range(68) for n in numbers):
        raise click.UsageError(f"--points: expected numbers from 0 to 67, got {text!r}")
    return numbers
