"""Action-unit models of one's own, from a study's features and a CSV of labels."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from shutil import rmtree

import numpy as np

from pyfaceau.errors import InputError, OutputError
from pyfaceau.pdm.model import PDM
from pyfaceau.prediction.models import N_FEATURES, AUModels
from pyfaceau.training.aus_card import write_card
from pyfaceau.training.aus_files import write_models
from pyfaceau.training.aus_fit import Fitted, fit
from pyfaceau.training.aus_labels import read_labels
from pyfaceau.training.aus_options import AUOptions
from pyfaceau.training.aus_samples import collect, with_presence
from pyfaceau.types import AU_INTENSITIES, AU_PRESENCES

NAMES = AU_INTENSITIES + AU_PRESENCES
"""Every model of a folder, in its order."""

CARD, NUMBERS = "CARD.md", "validation.csv"
"""Beside the models: what was done, for people; how each did, for programs."""


def empty_models() -> AUModels:
    """Return models that always say 0.

    Returns
    -------
    AUModels
        Static ones.
    """
    count = len(NAMES)
    return AUModels(
        np.zeros((N_FEATURES, count)),
        np.zeros(count),
        np.zeros(count, np.bool_),
        np.full(len(AU_INTENSITIES), -1.0),
        np.tile([1.0, 0.0], (len(AU_PRESENCES), 1)),
    )


def with_models(models: AUModels, fitted: Sequence[Fitted]) -> AUModels:
    """Put trained models in the place of others.

    Parameters
    ----------
    models : AUModels
        The others.
    fitted : sequence of Fitted
        Trained ones.

    Returns
    -------
    AUModels
        New ones.
    """
    weights, offsets = models.weights.copy(), models.offsets.copy()
    dynamic, cutoffs, classes = models.dynamic.copy(), models.cutoffs.copy(), models.classes.copy()
    for one in fitted:
        at = NAMES.index(one.name)
        weights[:, at], offsets[at], dynamic[at] = one.weights, one.offset, one.dynamic
        if at < len(cutoffs):
            cutoffs[at] = one.cutoff
        else:
            classes[at - len(cutoffs)] = 1.0, 0.0
    return replace(
        models, weights=weights, offsets=offsets, dynamic=dynamic, cutoffs=cutoffs, classes=classes
    )


def best_of(fitted: Sequence[Fitted]) -> list[Fitted]:
    """Choose the static or the dynamic model of each target by what held-out people say.

    Parameters
    ----------
    fitted : sequence of Fitted
        Both of each.

    Returns
    -------
    list of Fitted
        One of each; the static one of equals.
    """
    best: dict[str, Fitted] = {}
    for one in sorted(fitted, key=lambda one: one.dynamic):
        if one.name not in best or one.merit > best[one.name].merit + 1e-9:
            best[one.name] = one
    return list(best.values())


def train_aus(
    features: Path,
    labels: Path,
    out: Path,
    pdm: PDM,
    others: Path | None,
    options: AUOptions | None = None,
    tell: Callable[[str, int, int], None] | None = None,
) -> tuple[list[Fitted], dict[str, str]]:
    """Train models and write a folder that `AUModels.load` reads, with its card.

    Parameters
    ----------
    features : Path
        Output folder of a study whose features were kept.
    labels : Path
        CSV, see `read_labels`.
    out : Path
        The new folder; must not exist, or be empty.
    pdm : PDM
        The shape model.
    others : Path or None
        Folder of the models of units that are not trained; None for models that say 0.
    options : AUOptions, optional
        How.
    tell : callable, optional
        Is told a stage, ``"faces"`` or ``"models"``, what is done of it and of how much.

    Returns
    -------
    models : list of Fitted
        Static and dynamic ones.
    skipped : dict of str to str
        Why a labelled target has none.

    Raises
    ------
    InputError
        If features or labels are not what they should be, see `collect` and `fit`.
    OutputError
        If the folder cannot be written.
    """
    options = options or AUOptions()
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out}: expected a new or empty folder, got one with files")
    given = read_labels(labels)
    base = {False: empty_models(), True: empty_models()}
    if others is not None:
        base = {static: AUModels.load(others, static) for static in (False, True)}

    def _stage(name: str) -> Callable[[int, int], None] | None:
        return None if tell is None else lambda done, total: tell(name, done, total)

    samples = collect(features, given, pdm, options.most, _stage("faces"))
    if options.presence_from is not None:
        samples = with_presence(samples, options.presence_from)
    fitted, skipped = fit(samples, options.folds, options.costs, _stage("models"))
    best, static = best_of(fitted), [one for one in fitted if not one.dynamic]
    part = out.with_name(f".{out.name}.part")
    try:
        rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        mean = samples.features.mean(axis=0, dtype=np.float64)
        write_models(part, with_models(base[False], best), with_models(base[True], static), mean)
        _write_numbers(part / NUMBERS, fitted, best)
        source = "say 0" if others is None else f"are those of `{others.name}`, unchanged"
        write_card(part / CARD, samples, fitted, best, skipped, options, source)
        with suppress(FileNotFoundError):
            out.rmdir()
        part.replace(out)
    except OSError as error:
        raise OutputError(f"{out}: cannot be written: {error.strerror or error}") from None
    finally:
        rmtree(part, ignore_errors=True)
    return fitted, skipped


def _write_numbers(path: Path, fitted: Sequence[Fitted], best: Sequence[Fitted]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        head = "model variant chosen faces people positives icc31 r mae f1 per_person cost cutoff"
        rows.writerow(head.split())
        for one in sorted(fitted, key=lambda one: (NAMES.index(one.name), one.dynamic)):
            agreed = one.agreement
            numbers = (agreed.icc, agreed.r, agreed.error, agreed.f1, one.per_person)
            rows.writerow(
                [one.name, "dynamic" if one.dynamic else "static", int(one in best)]
                + [one.faces, one.people, f"{one.positives:.4f}"]
                + ["" if np.isnan(number) else f"{number:.4f}" for number in numbers]
                + [f"{one.cost:g}", f"{one.cutoff:g}"]
            )
