"""Training of a landmark network: epochs, checkpoints, logs; it goes on where it was broken off."""

from __future__ import annotations

import csv
import hashlib
import io
import logging
import math
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from pyfaceau.errors import InputError, OutputError
from pyfaceau.training import checkpoint as checkpoints
from pyfaceau.training.augment import NONE, luminance, make_batch, maps, move_points
from pyfaceau.training.checkpoint import Checkpoint
from pyfaceau.training.crops import FaceCrops
from pyfaceau.training.files import write_whole
from pyfaceau.training.layouts import OUTER_EYES
from pyfaceau.training.losses import landmark_loss, pose_weights
from pyfaceau.training.networks import POINTS
from pyfaceau.training.options import TrainOptions
from pyfaceau.training.pose import head_rotation

logger = logging.getLogger(__name__)

BEST, LAST, LOG = "best.pt", "last.pt", "log.csv"
"""Files of a run."""

_UNCLEAR_ORDER = 100_003
"""Epochs' seeds are this far apart from run to run."""


@dataclass(frozen=True)
class Run:
    """What a training run came to.

    Attributes
    ----------
    folder : Path
        Where its files are.
    best : float
        Least validation error, % of the outer-eye distance.
    best_epoch, epochs : int
        When, and how many there were.
    history : tuple of dict
        A row for each epoch: epoch, loss, nme_train, nme, lr, seconds.
    """

    folder: Path
    best: float
    best_epoch: int
    epochs: int
    history: tuple[dict[str, float], ...]


class Trainer:
    """Trains one network.

    Parameters
    ----------
    options : TrainOptions
        What to do.
    train, validation : FaceCrops
        Faces to learn from, and faces of others, by which the best epoch is chosen.
    folder : Path
        Where its files go.
    device : str
        ``'cpu'`` or ``'cuda'``; there in mixed precision, bfloat16.
    resume : Checkpoint, optional
        Go on from here.
    progress : bool
        Show a bar.

    Raises
    ------
    InputError
        If there are fewer than two faces to learn from or none to validate with, no such device, or
        if the run to go on from had other options or other faces.
    """

    def __init__(
        self,
        options: TrainOptions,
        train: FaceCrops,
        validation: FaceCrops,
        folder: Path,
        *,
        device: str = "cpu",
        resume: Checkpoint | None = None,
        progress: bool = False,
    ) -> None:
        if len(train) < 2 or not len(validation):
            raise InputError(
                f"data: expected two or more faces to learn from and one to validate with, got "
                f"{len(train)} and {len(validation)}"
            )
        if device == "cuda" and not torch.cuda.is_available():
            raise InputError("device: expected cpu, as PyTorch finds no CUDA device here, got cuda")
        self._options, self._folder, self._progress = options, folder, progress
        self._device = torch.device(device)
        self._side = options.network.interface().side
        self._train = self._load(train)
        self._validation = self._load(validation)
        torch.manual_seed(options.seed)
        self.network = options.network.build()
        self._begin_with_the_mean_face(train)
        self.network.to(self._device)
        self._optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=options.lr, weight_decay=options.weight_decay
        )
        self.state = Checkpoint(options, 0, {}, {}, faces=_fingerprint(train, validation))
        if resume is not None:
            self._restore(resume)

    def run(self) -> Run:
        """Train.

        Returns
        -------
        Run
            What it came to; ``best.pt``, ``last.pt`` and ``log.csv`` are in the folder.

        Raises
        ------
        OutputError
            If a file cannot be written.
        """
        options, state = self._options, self.state
        _make_folder(self._folder)
        board = _board(self._folder, state.epoch)
        bar = tqdm(total=options.epochs, initial=state.epoch, disable=not self._progress, unit="ep")
        with bar:
            while state.epoch < options.epochs and not self._stopped():
                row = self._epoch()
                bar.update()
                bar.set_postfix(loss=f"{row['loss']:.2e}", nme=f"{row['nme']:.2f}%")
                for name in ("loss", "nme", "nme_train", "lr"):
                    board.add_scalar(name, row[name], state.epoch)
        board.close()
        return Run(self._folder, state.best, state.best_epoch, state.epoch, tuple(state.history))

    def _stopped(self) -> bool:
        patience, state = self._options.patience, self.state
        return bool(patience) and state.epoch - state.best_epoch >= patience

    def _epoch(self) -> dict[str, float]:
        """Train one epoch, validate, write."""
        state, began = self.state, time.perf_counter()
        loss, error = self._learn()
        row = {
            "epoch": state.epoch + 1.0,
            "loss": loss,
            "nme_train": error,
            "nme": self.validate(),
            "lr": self._optimizer.param_groups[0]["lr"],
            "seconds": time.perf_counter() - began,
        }
        if not (math.isfinite(loss) and math.isfinite(row["nme"])):
            raise InputError(
                f"lr: expected one with which training converges, got {self._options.lr}"
            )
        state.epoch += 1
        state.history.append(row)
        state.model = self.network.state_dict()
        state.optimizer = self._optimizer.state_dict()
        better = row["nme"] < state.best
        if better:
            state.best, state.best_epoch = row["nme"], state.epoch
            checkpoints.save(state, self._folder / BEST)
        checkpoints.save(state, self._folder / LAST)
        write_log(state.history, self._folder / LOG)
        return row

    def _learn(self) -> tuple[float, float]:
        """Go through the training faces; return mean loss and error, %."""
        options, (images, points) = self._options, self._train
        count = len(images)
        seed = options.seed * _UNCLEAR_ORDER + self.state.epoch
        generator = torch.Generator().manual_seed(seed)
        order = torch.randperm(count, generator=generator)
        batches = list(order.split(options.batch))
        if len(batches) > 1 and len(batches[-1]) == 1:  # normalisation needs two faces
            batches[-2:] = [torch.cat(batches[-2:])]
        self.network.train()
        losses, errors = [], []
        for k, picked in enumerate(batches):
            rate = options.rate((self.state.epoch + k / len(batches)) / options.epochs)
            for group in self._optimizer.param_groups:
                group["lr"] = rate
            chosen = picked.to(images.device)
            crops, truth = make_batch(
                images[chosen], points[chosen], self._side, options.augmentation, generator
            )
            loss, found = self._loss(crops, truth)
            self._optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self._optimizer.step()
            losses.append(loss.detach() * len(chosen))
            errors.append(eye_errors(found.detach() * self._side, truth))
        return float(torch.stack(losses).sum()) / count, 100 * float(torch.cat(errors).mean())

    def _loss(self, crops: torch.Tensor, truth: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the loss of a batch, and the points found in units of the side."""
        options = self._options
        with torch.autocast(self._device.type, torch.bfloat16, self._device.type == "cuda"):
            answer, pose = self.network(self._seen(crops))
        found = answer.float().reshape(-1, POINTS, 2)
        if pose is None:
            return landmark_loss(found, truth / self._side, options.loss), found
        rotation = head_rotation(truth)
        weights = 1 + pose_weights(pose.float(), rotation).detach()
        loss = landmark_loss(found, truth / self._side, options.loss, weights)
        return loss + options.pose_weight * (pose.float() - rotation).square().mean(), found

    @torch.no_grad()
    def validate(self) -> float:
        """Return the mean error on the validation faces.

        Returns
        -------
        float
            % of the outer-eye distance.
        """
        self.network.eval()
        images, points = self._validation
        errors = []
        for part, truth in zip(images.split(64), points.split(64), strict=True):
            crops, moved = make_batch(part, truth, self._side, NONE, torch.Generator())
            found = self.network(self._seen(crops))[0].float().reshape(-1, POINTS, 2)
            errors.append(eye_errors(found * self._side, moved))
        return 100 * float(torch.cat(errors).mean())

    def _seen(self, crops: torch.Tensor) -> torch.Tensor:
        """Return crops as the network wants to see them."""
        interface = self._options.network.interface()
        if interface.channels == "gray":
            crops = luminance(crops)
        return crops * (interface.high - interface.low) + interface.low

    def _load(self, faces: FaceCrops) -> tuple[torch.Tensor, torch.Tensor]:
        images, points = torch.from_numpy(faces.images), torch.from_numpy(faces.points)
        return images.to(self._device), points.to(self._device)

    def _begin_with_the_mean_face(self, faces: FaceCrops) -> None:
        """Let the network's first answer be the mean of the training faces."""
        matrix = maps(1, faces.size, self._side, NONE, torch.Generator())
        moved = move_points(torch.from_numpy(faces.points), matrix.expand(len(faces), -1, -1))
        mean = moved.nanmean(dim=0).nan_to_num(self._side / 2) / self._side
        with torch.no_grad():
            self.network.head.weight.mul_(0.1)
            self.network.head.bias.copy_(mean.flatten())

    def _restore(self, resume: Checkpoint) -> None:
        given = replace(self._options, epochs=resume.options.epochs)
        if given != resume.options:
            changed = [k for k, v in vars(given).items() if v != getattr(resume.options, k)]
            raise InputError(
                f"resume: expected the options of the run, other than epochs, got another "
                f"{', '.join(changed)}"
            )
        if resume.faces not in ("", self.state.faces):
            counts = f"{len(self._train[1])} to learn from, {len(self._validation[1])} to judge by"
            raise InputError(
                f"resume: expected the faces of the run, got others ({counts}), or the same read "
                "otherwise: start anew in another folder"
            )
        self.network.load_state_dict(resume.model)
        self._optimizer.load_state_dict(resume.optimizer)
        self.state = replace(resume, options=self._options, faces=self.state.faces)


def _fingerprint(*sets: FaceCrops) -> str:
    """Return a hash of the pictures and points of faces, in their order."""
    digest = hashlib.sha256()
    for faces in sets:
        for array in (faces.images, faces.points):
            digest.update(repr((array.shape, array.dtype.str)).encode())
            digest.update(np.ascontiguousarray(array))
    return digest.hexdigest()


def eye_errors(found: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Return the mean distance of each face's points in units of its outer-eye distance.

    Parameters
    ----------
    found, truth : (n, 68, 2) float32
        Pixels; NaN in `truth` where not annotated.

    Returns
    -------
    (n,) float32
        NME of each face.
    """
    distance = torch.linalg.vector_norm(found - truth, dim=2).nanmean(dim=1)
    eyes = truth[:, OUTER_EYES[0]] - truth[:, OUTER_EYES[1]]
    return distance / torch.linalg.vector_norm(eyes, dim=1)


def write_log(history: list[dict[str, float]], path: Path) -> None:
    """Write the table of a run's epochs.

    Parameters
    ----------
    history : list of dict
        Its rows.
    path : Path
        A CSV.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    text = io.StringIO(newline="")
    table = csv.DictWriter(text, list(history[0]))
    table.writeheader()
    table.writerows({k: f"{v:.7g}" for k, v in row.items()} for row in history)
    write_whole(text.getvalue().encode("ascii"), path)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: expected a folder to write to: {error}") from error


class _NoBoard:
    """Where TensorBoard is not installed."""

    def add_scalar(self, name: str, value: float, step: int) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


def _board(folder: Path, epoch: int) -> Any:
    """Return TensorBoard's writer, whose later rows replace those after `epoch`."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        logger.info("TensorBoard is not installed; log.csv holds the same")
        return _NoBoard()
    return SummaryWriter(str(folder / "tensorboard"), purge_step=epoch + 1)
