"""Checkpoints: whole or not there, read without running anything that they hold."""

from __future__ import annotations

import os
import pickle
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from pyfaceau.errors import InputError, OutputError
from pyfaceau.training.options import TrainOptions

VERSION = 1


@dataclass
class Checkpoint:
    """A run after an epoch.

    Attributes
    ----------
    options : TrainOptions
        The run's.
    epoch : int
        Epochs that are done.
    model, optimizer : dict
        Their states.
    best : float
        Least validation error so far, % of the outer-eye distance.
    best_epoch : int
        When.
    history : list of dict
        A row for each epoch.
    faces : str
        SHA-256 of the faces that the run learns from and is judged by; empty in checkpoints of
        before it was kept.
    """

    options: TrainOptions
    epoch: int
    model: dict[str, Any]
    optimizer: dict[str, Any]
    best: float = float("inf")
    best_epoch: int = 0
    history: list[dict[str, float]] = field(default_factory=list)
    faces: str = ""


def save(checkpoint: Checkpoint, path: Path) -> None:
    """Write a checkpoint; where that fails, what was there before stays.

    Parameters
    ----------
    checkpoint : Checkpoint
        The run.
    path : Path
        The file.

    Raises
    ------
    OutputError
        If it cannot be written, for a full disk say.
    """
    table = {**vars(checkpoint), "options": checkpoint.options.to_table(), "version": VERSION}
    temporary = path.with_name(path.name + ".part")
    try:
        with temporary.open("wb") as file:
            torch.save(table, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except (OSError, RuntimeError) as error:
        temporary.unlink(missing_ok=True)
        raise OutputError(
            f"{path}: the checkpoint cannot be written ({error}); the one before is untouched"
        ) from error


def load(path: Path) -> Checkpoint:
    """Read a checkpoint; nothing in it is run.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    Checkpoint
        On the CPU.

    Raises
    ------
    InputError
        If it is missing, damaged, or holds anything but numbers and texts.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such checkpoint")
    try:
        table = torch.load(path, map_location="cpu", weights_only=True)
        if table.pop("version") != VERSION:
            raise InputError(f"{path}: a checkpoint of another version")
        table["options"] = TrainOptions.from_table(table["options"])
        return Checkpoint(**table)
    except (
        OSError, RuntimeError, ValueError, KeyError, TypeError, AttributeError, EOFError,
        pickle.UnpicklingError,
    ) as error:  # fmt: skip
        if isinstance(error, InputError):
            raise
        text = " ".join(str(error).split())[:120]
        raise InputError(
            f"{path}: a damaged checkpoint, or none of this program: {text}"
        ) from error
