"""The card of trained action-unit models: data, labels, folds, numbers, limits, in Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pyfaceau import __version__
from pyfaceau.types import AU_INTENSITIES, AU_PRESENCES

if TYPE_CHECKING:
    from pyfaceau.training.aus_fit import Fitted
    from pyfaceau.training.aus_options import AUOptions
    from pyfaceau.training.aus_samples import Samples

_ALL = AU_INTENSITIES + AU_PRESENCES

_LIMITS = """\
- The numbers hold for people, cameras and labels such as these; for others, measure.
- The choice between static and dynamic is made on the numbers above, which flatters the chosen one
  a little.
- Frames of one video resemble each other: the number of people counts, not that of faces.
- Models learn the labels, their errors included; where labels are another program's output, the
  numbers say how well that program is imitated.
- The features depend on the landmarks that the study was made with: measure with the same profile.
- Licence: these files follow that of your data. Models that were not trained here keep their own;
  OpenFace's may not be passed on."""


def write_card(
    path: Path,
    samples: Samples,
    fitted: Sequence[Fitted],
    best: Sequence[Fitted],
    skipped: Mapping[str, str],
    options: AUOptions,
    others: str,
) -> None:
    """Write the card.

    Parameters
    ----------
    path : Path
        The file.
    samples : Samples
        What was learnt from.
    fitted : sequence of Fitted
        All models.
    best : sequence of Fitted
        Those chosen for ``AU_all_best.txt``.
    skipped : mapping of str to str
        Why a target has no model.
    options : AUOptions
        How it was trained.
    others : str
        What the models of other action units do, a clause.
    """
    parts = [
        "# Action-unit models",
        (
            f"Trained by pyfaceau {__version__}: linear support vector machines on FHOG (4464) and "
            "geometry (238), in OpenFace's file format."
        ),
        "    pyfaceau VIDEO -o out.csv --au-models FOLDER",
        'In a profile: `au_predictors = "FOLDER"` under `[models]`.',
        *_data(samples, options),
        *_numbers(fitted, best),
        *_rest(fitted, skipped, others),
        *_limits(samples),
    ]
    path.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def _data(samples: Samples, options: AUOptions) -> list[str]:
    facts = samples.facts
    who = f" of {facts['people']} people"
    if not facts["people known"]:
        who = "; nobody is named, so each video is taken for a person"
    lines = [
        f"- {facts['faces']} labelled faces in {facts['videos']} videos{who}",
        *(
            ["- among them halves of faces, each made whole by its reflection (`--split-face`)"]
            if facts["sides"]
            else []
        ),
        (
            f"- each video's labelled faces thinned evenly to {options.most} in all, where there "
            "were more; beside them, those by which its zero levels are found"
        ),
        f"- {facts['labelled frames without a face']} labelled frames without a face, left out",
        f"- {facts['videos without features']} labelled videos without features, left out",
        *(f"- {note}, left out" for note in facts["notes"]),
    ]
    if options.presence_from is not None:
        lines.append(
            f"- where presence was not labelled: present from intensity {options.presence_from:g}"
        )
    folds = min(options.folds, facts["people"])
    return [
        "## Data and labels",
        "\n".join(lines),
        "## Validation",
        (
            f"{folds} folds of people (fewer for a unit that fewer have): nobody is in the "
            "learning and the held-out part at once. Each fold's cost C, and the quantile that "
            "is taken for intensity 0 (dynamic models), are chosen on the other folds. "
            "Intensities are clipped to 0 to 5 and not smoothed. `static` models know nothing of "
            "the person; `dynamic` ones subtract the video's median face. The files hold models "
            "of all faces."
        ),
    ]


def _numbers(fitted: Sequence[Fitted], best: Sequence[Fitted]) -> list[str]:
    parts = ["## Numbers", "`*`: the variant in `AU_all_best.txt`. Pooled over held-out faces."]
    tables = (
        ("_r", "faces | people | above 0 | ICC(3,1) | r | mean error | mean r of people"),
        ("_c", "faces | people | present | F1 | F1 of 'always present' | r | mean F1 of people"),
    )
    for ending, head in tables:
        ones = [one for one in fitted if one.name.endswith(ending)]
        if not ones:
            continue
        rows = [f"| model | variant | {head} | C | cutoff |", "|---" * 11 + "|"]
        rows += [
            _row(one, one in best)
            for one in sorted(ones, key=lambda one: (_ALL.index(one.name), one.dynamic))
        ]
        parts.append("\n".join(rows))
    return parts


def _row(one: Fitted, chosen: bool) -> str:
    agreed, share = one.agreement, one.positives
    if one.name.endswith("_r"):
        numbers = (agreed.icc, agreed.r, agreed.error, one.per_person)
    else:
        numbers = (agreed.f1, 2 * share / (1 + share), agreed.r, one.per_person)
    cells = [
        one.name,
        ("dynamic" if one.dynamic else "static") + (" *" if chosen else ""),
        str(one.faces),
        str(one.people),
        f"{100 * share:.0f} %",
        *("n/a" if np.isnan(number) else f"{number:.2f}" for number in numbers),
        f"{one.cost:g}",
        "none" if one.cutoff == -1 else f"{one.cutoff:g}",
    ]
    return f"| {' | '.join(cells)} |"


def _rest(fitted: Sequence[Fitted], skipped: Mapping[str, str], others: str) -> list[str]:
    trained = {one.name for one in fitted}
    rest = [name for name in _ALL if name not in trained]
    parts = ["## Not trained here"]
    if rest:
        parts.append(f"{', '.join(rest)}: these models {others}.")
    else:
        parts.append("None: all 35 models are trained.")
    if skipped:
        parts.append("\n".join(f"- {name}: {reason}" for name, reason in skipped.items()))
    return parts


def _limits(samples: Samples) -> list[str]:
    few = samples.facts["people"]
    warning = f"- {few} people are few: with others these numbers will move by much.\n"
    return ["## Limits", (warning if few < 10 else "") + _LIMITS]
