"""Curves of training and of errors, PNG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pyfaceau.errors import OutputError
from pyfaceau.types import Float64


def training_curves(history: Sequence[Mapping[str, float]], path: Path) -> None:
    """Draw loss and errors over the epochs.

    Parameters
    ----------
    history : sequence of mapping
        A row for each epoch.
    path : Path
        PNG.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    figure, (left, right) = _figure(2)
    epochs = [row["epoch"] for row in history]
    left.plot(epochs, [row["loss"] for row in history], color="#1f5fa8")
    left.set(yscale="log", xlabel="epoch", ylabel="training loss")
    right.plot(epochs, [row["nme_train"] for row in history], color="#9aa5b1", label="training")
    right.plot(epochs, [row["nme"] for row in history], color="#c2410c", label="validation")
    best = min(history, key=lambda row: row["nme"])
    right.plot(best["epoch"], best["nme"], "o", color="#c2410c")
    right.set(xlabel="epoch", ylabel="NME, % of the outer-eye distance", ylim=(0, None))
    right.set_title(f"best {best['nme']:.2f} % after {best['epoch']:.0f}", fontsize=10)
    right.legend(frameon=False)
    _save(figure, path)


def error_curves(errors: Mapping[str, Float64], limit: float, path: Path) -> None:
    """Draw the share of faces below each error.

    Parameters
    ----------
    errors : mapping of str to (n,) float64
        NME of each face by model, infinite where none was found.
    limit : float
        Where the axis ends.
    path : Path
        PNG.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    figure, (axes,) = _figure(1)
    for name, values in errors.items():
        ordered = np.sort(values)
        share = np.arange(1, len(ordered) + 1) / len(ordered)
        axes.step([0, *(100 * ordered)], [0, *share], where="post", label=name)
    axes.set(
        xlim=(0, 100 * limit),
        ylim=(0, 1),
        xlabel="NME, % of the outer-eye distance",
        ylabel="share of faces",
    )
    axes.legend(frameon=False, loc="lower right")
    _save(figure, path)


def _figure(columns: int) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5 * columns, 3.6), dpi=120, layout="constrained")
    axes = figure.subplots(1, columns, squeeze=False)[0]
    for each in axes:
        each.grid(alpha=0.25)
        each.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _save(figure: Any, path: Path) -> None:
    try:
        figure.savefig(path, format="png")
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error}") from error
