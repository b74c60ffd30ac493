"""How action-unit models are trained."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pyfaceau.errors import InputError
from pyfaceau.training.aus_fit import COSTS


@dataclass(frozen=True)
class AUOptions:
    """How action-unit models are trained.

    Attributes
    ----------
    folds : int
        Parts of the people, 2 or more.
    most : int
        Faces to learn from; of more, each video's are thinned evenly.
    costs : tuple of float
        Costs C to choose from.
    presence_from : float or None
        Intensity from which on a unit is present where presence is not labelled; None for not at
        all.
    """

    folds: int = 5
    most: int = 3000
    costs: tuple[float, ...] = COSTS
    presence_from: float | None = None

    def __post_init__(self) -> None:
        if self.folds < 2:
            raise InputError(f"folds: expected 2 or more, got {self.folds}")
        if self.most < 10:
            raise InputError(f"most: expected 10 faces or more, got {self.most}")
        if not self.costs or not all(0 < cost < np.inf for cost in self.costs):
            raise InputError(f"costs: expected numbers above 0, got {self.costs}")
        if self.presence_from is not None and not 0 < self.presence_from <= 5:
            raise InputError(f"presence_from: expected 0 to 5, got {self.presence_from}")
