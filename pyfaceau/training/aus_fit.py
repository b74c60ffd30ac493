"""Linear support vector machines of action units, judged on people they have not seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pyfaceau.errors import InputError
from pyfaceau.training.aus_samples import Samples
from pyfaceau.training.aus_scores import Agreement, icc31, of_intensity, of_presence, pearson
from pyfaceau.types import Float64

COSTS = (0.01, 0.1, 1.0, 10.0, 100.0, 1e7)
"""Costs C that are tried. The last hardly regularises: for labels without noise."""

CUTOFFS = (-1.0, *(k / 20 for k in range(1, 20)))
"""Quantiles of a video's scores that are tried as its intensity 0; -1 for none."""

_HOG = 4464


@dataclass(frozen=True, eq=False)
class Fitted:
    """A model and how it did.

    Attributes
    ----------
    name : str
        Of `AU_INTENSITIES` or `AU_PRESENCES`.
    dynamic : bool
        It subtracts the neutral face.
    weights : (4702,) float64
        Of the raw features.
    offset : float
        Score of a face of zeros.
    cost, cutoff : float
        As chosen.
    agreement : Agreement
        Of held-out people. Each fold's cost and cutoff are chosen on the other folds.
    per_person : float
        Mean over people of r (intensity) or F1 (presence).
    faces, people : int
        That had a label.
    positives : float
        Share of the faces with intensity above 0, or where the unit is present.
    """

    name: str
    dynamic: bool
    weights: Float64
    offset: float
    cost: float
    cutoff: float
    agreement: Agreement
    per_person: float
    faces: int
    people: int
    positives: float

    @property
    def merit(self) -> float:
        """What variants are compared by: ICC of intensities, F1 of presence; NaN counts -1."""
        value = self.agreement.icc if self.name.endswith("_r") else self.agreement.f1
        return value if np.isfinite(value) else -1.0


@dataclass(frozen=True, eq=False)
class _View:
    """Faces as one variant sees them, rotated into as few dimensions as there are faces.

    ``z = Q.T @ (scale * (x - mean))`` with orthonormal Q: lengths and angles are kept, so that a
    linear machine of z is that of x.
    """

    z: Float64
    rotation: Float64
    scale: Float64
    mean: Float64
    dynamic: bool

    @classmethod
    def of(cls, samples: Samples, dynamic: bool) -> _View:
        x = samples.features.astype(np.float64)
        if dynamic:
            x -= samples.neutral[samples.video]
        mean = x.mean(axis=0)
        x -= mean
        # FHOG and geometry (mm) get equal shares of the variance; neither drowns the other.
        scale = np.empty(x.shape[1])
        for block in (slice(None, _HOG), slice(_HOG, None)):
            spread = float(np.sqrt(np.square(x[:, block]).sum() / len(x)))
            scale[block] = 1.0 / spread if spread > 1e-12 else 0.0
        rotation, triangle = np.linalg.qr((x * scale).T)
        return cls(np.ascontiguousarray(triangle.T), rotation, scale, mean, dynamic)

    def raw(self, weights: Float64, bias: float) -> tuple[Float64, float]:
        """Return weights and offset for the features themselves."""
        w = self.scale * (self.rotation @ weights)
        return w, bias - float(self.mean @ w)


def fit(
    samples: Samples,
    folds: int = 5,
    costs: Sequence[float] = COSTS,
    tell: Callable[[int, int], None] | None = None,
) -> tuple[list[Fitted], dict[str, str]]:
    """Train the static and the dynamic model of every target.

    Intensities: linear support vector regression with squared loss; presences: linear
    classification with squared hinge loss, classes weighted equally (liblinear: R.-E. Fan et al.,
    JMLR 9 (2008)). No person is in the training and the held-out part of a fold at once.

    Parameters
    ----------
    samples : Samples
        The faces.
    folds : int
        At most so many parts of the people.
    costs : sequence of float
        Costs C to choose from.
    tell : callable, optional
        Is told the models done and their number.

    Returns
    -------
    models : list of Fitted
        Static, then dynamic.
    skipped : dict of str to str
        Why a target has no model.

    Raises
    ------
    InputError
        If there is one person only, or no target can be trained.
    """
    if samples.facts["people"] < 2:
        raise InputError(
            "labels: one person only, so validation on people not seen is impossible: label a "
            "second person, or name people in a column 'person'"
        )
    skipped = {}
    usable = []
    for column, name in enumerate(samples.names):
        reason = _unusable(samples, column)
        if reason:
            skipped[name] = reason
        else:
            usable.append(column)
    if not usable:
        listed = "; ".join(f"{name}: {reason}" for name, reason in skipped.items())
        raise InputError(f"labels: no action unit can be trained: {listed}")
    done, models = 0, []
    for dynamic in (False, True):
        view = _View.of(samples, dynamic)
        for column in usable:
            models.append(_fit_target(samples, view, column, folds, costs))
            done += 1
            if tell is not None:
                tell(done, 2 * len(usable))
    return models, skipped


def _unusable(samples: Samples, column: int) -> str:
    """Say why a target cannot be trained and judged; empty where it can."""
    values = samples.values[:, column]
    rows = ~np.isnan(values)
    people = samples.person[rows]
    if len(np.unique(people)) < 2:
        return f"labels of {len(np.unique(people))} people, expected two or more"
    if samples.names[column].endswith("_r"):
        return "" if np.ptp(values[rows]) > 0 else "all labels are equal"
    for side, word in ((1.0, "present"), (0.0, "absent")):
        count = len(np.unique(people[values[rows] == side]))
        if count < 2:
            return f"{word} in {count} people, expected two or more"
    return ""


def _fit_target(
    samples: Samples, view: _View, column: int, folds: int, costs: Sequence[float]
) -> Fitted:
    from sklearn.model_selection import GroupKFold

    name = samples.names[column]
    truth = samples.values[:, column]
    rows = np.flatnonzero(~np.isnan(truth))
    people = samples.person[rows]
    parts = min(folds, len(np.unique(people)))
    fold = np.full(len(truth), -1)
    held = np.full((len(costs), len(truth)), np.nan)
    splits = GroupKFold(parts).split(rows, groups=people)
    for number, (inside, outside) in enumerate(splits):
        mine = np.isin(samples.person, people[outside])  # their unlabelled faces too: zero levels
        fold[mine] = number
        for at, cost in enumerate(costs):
            w, b = _machine(name, view.z[rows[inside]], truth[rows[inside]], cost)
            held[at, mine] = view.z[mine] @ w + b
    values, cutoffs = _finished(samples, held, name, view.dynamic)
    assembled = np.full(len(truth), np.nan)
    for number in range(parts):
        others = rows[fold[rows] != number]
        at = _best(values[:, :, others], truth[others], name)
        mine = fold == number
        assembled[mine] = values[at][mine]
    at = _best(values[:, :, rows], truth[rows], name)
    w, b = _machine(name, view.z[rows], truth[rows], costs[at[0]])
    weights, offset = view.raw(w, b)
    compare = of_intensity if name.endswith("_r") else of_presence
    own = [compare(truth[k], assembled[k]) for k in (rows[people == p] for p in np.unique(people))]
    each = np.array([one.r if name.endswith("_r") else one.f1 for one in own])
    return Fitted(
        name,
        view.dynamic,
        weights,
        offset,
        costs[at[0]],
        cutoffs[at[1]],
        compare(truth[rows], assembled[rows]),
        float(np.nanmean(each)) if np.isfinite(each).any() else float("nan"),
        len(rows),
        len(np.unique(people)),
        float((truth[rows] > 0).mean()),
    )


def _machine(name: str, z: Float64, truth: Float64, cost: float) -> tuple[Float64, float]:
    """Train a machine; return its weights and bias."""
    from sklearn.svm import LinearSVC, LinearSVR

    if name.endswith("_r"):
        # The bias is regularised as a weight of a constant: centre, and make that constant large.
        centre = float(truth.mean())
        machine = LinearSVR(
            loss="squared_epsilon_insensitive",
            epsilon=0.0,
            dual=False,
            C=cost,
            intercept_scaling=10.0,
            tol=1e-6,
            max_iter=10_000,
        ).fit(z, truth - centre)
        return machine.coef_.astype(np.float64), float(np.ravel(machine.intercept_)[0]) + centre
    if np.ptp(truth) == 0:  # the others of this fold are of one class
        return np.zeros(z.shape[1]), 1.0 if truth[0] > 0 else -1.0
    classifier = LinearSVC(
        dual=False,
        C=cost,
        class_weight="balanced",
        intercept_scaling=10.0,
        tol=1e-4,
        max_iter=10_000,
    ).fit(z, truth > 0.5)
    return classifier.coef_[0].astype(np.float64), float(classifier.intercept_[0])


def _finished(
    samples: Samples, held: Float64, name: str, dynamic: bool
) -> tuple[Float64, tuple[float, ...]]:
    """Return (costs, cutoffs, n) values as a table has them before smoothing, and the cutoffs."""
    if name.endswith("_c"):
        return held[:, None], (-1.0,)
    if not dynamic:
        return np.clip(held, 0.0, 5.0)[:, None], (-1.0,)
    levels = np.zeros((len(held), len(CUTOFFS), held.shape[1]))
    for video in np.unique(samples.video):
        mine = samples.video == video
        known = np.sort(held[:, mine & samples.even], axis=1)
        for k, cutoff in enumerate(CUTOFFS[1:], 1):
            level = known[:, int(known.shape[1] * cutoff)]
            levels[:, k, mine] = level[:, None]
    return np.clip(held[:, None] - levels, 0.0, 5.0), CUTOFFS


def _best(values: Float64, truth: Float64, name: str) -> tuple[int, int]:
    """Return the positions of cost and cutoff that agree best; the first of equals."""
    merits = np.empty(values.shape[:2])
    for at in np.ndindex(merits.shape):
        if name.endswith("_r"):
            merits[at] = icc31(truth, values[at])
        else:
            merits[at] = of_presence(truth, values[at]).f1 + 1e-3 * pearson(truth, values[at])
    first: NDArray[np.int64] = np.nan_to_num(merits, nan=-1.0).round(6).argmax()
    cost, cutoff = np.unravel_index(first, merits.shape)
    return int(cost), int(cutoff)
