"""What a training run is asked to do."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pyfaceau.errors import InputError
from pyfaceau.training.augment import Augmentation
from pyfaceau.training.losses import LOSSES
from pyfaceau.training.networks import NetworkSpec

SCHEDULES = ("constant", "cosine", "step")


@dataclass(frozen=True)
class TrainOptions:
    """A training run; the defaults are the published recipe's.

    Attributes
    ----------
    network : NetworkSpec
        What is trained.
    loss : {'mse', 'wing'}
        Over landmarks.
    epochs, batch : int
        Times through the data, faces in a step.
    lr : float
        Adam's learning rate.
    weight_decay : float
        Of AdamW, which with 0 is Adam.
    schedule : {'constant', 'cosine', 'step'}
        Learning rate over the epochs: as it is; to 0 along half a cosine after a twentieth of
        warming up; a tenth after two thirds.
    patience : int
        End after this many epochs without a better validation error; 0 for never.
    pose_weight : float
        Weight of the auxiliary branch's squared error, radians, where the network has one.
    seed : int
        Decides weights, order and augmentation; on the CPU two runs of it are the same.
    augmentation : Augmentation
        How far faces are changed.
    """

    network: NetworkSpec = field(default_factory=NetworkSpec)
    loss: str = "mse"
    epochs: int = 30
    batch: int = 32
    lr: float = 7.5e-4
    weight_decay: float = 0.0
    schedule: str = "constant"
    patience: int = 0
    pose_weight: float = 0.1
    seed: int = 0
    augmentation: Augmentation = field(default_factory=Augmentation)

    def __post_init__(self) -> None:
        for name, allowed in (("loss", LOSSES), ("schedule", SCHEDULES)):
            value = getattr(self, name)
            if value not in allowed:
                raise InputError(f"{name}: expected {' or '.join(allowed)}, got {value!r}")
        for name, least in (("epochs", 1), ("batch", 2), ("patience", 0), ("seed", 0)):
            if getattr(self, name) < least:
                raise InputError(f"{name}: expected {least} or more, got {getattr(self, name)}")
        if not (math.isfinite(self.lr) and self.lr > 0):
            raise InputError(f"lr: expected a positive number, got {self.lr}")

    def rate(self, progress: float) -> float:
        """Return the learning rate.

        Parameters
        ----------
        progress : float
            Part of the run that is done, 0 to 1.

        Returns
        -------
        float
            For the next step.
        """
        if self.schedule == "cosine":
            warm = min(1.0, progress / 0.05 + 0.02)
            return self.lr * warm * 0.5 * (1 + math.cos(math.pi * progress))
        return self.lr * (0.1 if self.schedule == "step" and progress >= 2 / 3 else 1.0)

    def to_table(self) -> dict[str, Any]:
        """Return the options as plain values.

        Returns
        -------
        dict
            For `from_table`.
        """
        return dataclasses.asdict(self)

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> TrainOptions:
        """Return options from plain values.

        Parameters
        ----------
        table : mapping
            As `to_table` gives it.

        Returns
        -------
        TrainOptions
            The same.
        """
        values = dict(table)
        values["network"] = NetworkSpec(**values["network"])
        values["augmentation"] = Augmentation(**values["augmentation"])
        return cls(**values)
