"""Faces to learn action units from: a study's kept features, joined with labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pyfaceau.errors import InputError
from pyfaceau.features.running_median import DIMENSIONS, RunningMedian
from pyfaceau.study.features import FeatureFile
from pyfaceau.study.files import FEATURES
from pyfaceau.study.ledger import FILE, Ledger
from pyfaceau.training.aus_labels import Labels, labels_of_frames, match_videos
from pyfaceau.types import SIDES, Float32, Float64, FrameResult

if TYPE_CHECKING:
    from pyfaceau.pdm.model import PDM

EVEN = 60
"""Faces of each video, evenly spaced and labelled or not, by which its zero levels are found."""

VIEWS = ("", *SIDES)
"""What of a face labels are of: the whole, or the patient's left or right half made whole."""


@dataclass(frozen=True, eq=False)
class Samples:
    """Labelled faces; halves, made whole by their reflection, are faces too.

    Attributes
    ----------
    features : (n, 4702) float32
        FHOG, then geometry in mm.
    neutral : (views, 4702) float32
        The neutral face of each video, and of each of its halves that is labelled, as the
        pipeline's running medians end.
    video, person : (n,) int64
        Whose each face is; positions in `neutral` and among the people.
    even : (n,) bool
        Of those evenly spaced over their video.
    values : (n, targets) float64
        Labels; NaN where there is none.
    names : tuple of str
        Targets: of `AU_INTENSITIES` and `AU_PRESENCES`.
    facts : dict
        For the card: counts and what was left out.
    """

    features: Float32
    neutral: Float32
    video: NDArray[np.int64]
    person: NDArray[np.int64]
    even: NDArray[np.bool_]
    values: Float64
    names: tuple[str, ...]
    facts: dict[str, Any]


def collect(
    folder: Path,
    labels: Labels,
    pdm: PDM,
    most: int = 3000,
    tell: Callable[[int, int], None] | None = None,
) -> Samples:
    """Read the labelled faces of a features cache.

    Parameters
    ----------
    folder : Path
        Searched to the bottom for ``.features``, as ``pyfaceau study run --keep-features`` leaves
        them.
    labels : Labels
        The labels.
    pdm : PDM
        The shape model that the features are of.
    most : int
        Faces to learn from; of more, each video's are thinned evenly. Up to `EVEN` more of each
        video give its zero level.
    tell : callable, optional
        Is told the videos done and their number.

    Returns
    -------
    Samples
        The faces.

    Raises
    ------
    InputError
        If a file is damaged, labels and features have no face in common, labels are of sides and
        features of whole faces only, or there are more videos than faces to learn from.
    """
    files = _files(folder)
    matched = match_videos(labels, list(files))
    people = _people(folder, labels, matched)
    views = [view for view in VIEWS if any(target.side == view for target in labels.targets)]
    quota = most // (len(matched) * len(views))
    if not quota:
        raise InputError(
            f"most: expected at least one face of each of {len(matched)} videos"
            f"{' and side' if views != [''] else ''}, got {most}"
        )
    parts, lost = [], 0
    neutrals: list[Float32] = []
    for number, (name, rows) in enumerate(matched.items()):
        for part, neutral, missed in _of_video(files[name], labels, rows, pdm, quota, views):
            lost += missed
            if part is not None:
                parts.append((*part, len(neutrals), people[name], name))
                neutrals.append(neutral)
        if tell is not None:
            tell(number + 1, len(matched))
    if not parts:
        raise InputError(
            f"{labels.path}: no labelled frame has a face among the features of {folder}: compare "
            "frame numbers (from 1) and seconds"
        )
    features, even, values = (np.concatenate([part[k] for part in parts]) for k in range(3))
    sizes = [len(part[0]) for part in parts]
    names = sorted({part[4] for part in parts})
    rest = labels.table["video"].nunique() - len(matched)
    facts = {
        "faces": int((~np.isnan(values)).any(axis=1).sum()),
        "videos": len({part[5] for part in parts}),
        "sides": any(views),
        "videos without features": max(rest, 0),
        "labelled frames without a face": lost,
        "people": len(names),
        "people known": bool(labels.table["person"].any() or people.pop("", "")),
        "most": most,
        "notes": labels.notes,
    }
    return Samples(
        features,
        np.stack(neutrals),
        np.repeat([part[3] for part in parts], sizes),
        np.repeat([names.index(part[4]) for part in parts], sizes),
        even,
        values,
        _names(labels),
        facts,
    )


def with_presence(samples: Samples, level: float) -> Samples:
    """Take intensities of at least a level as presence, where no presence is labelled.

    Parameters
    ----------
    samples : Samples
        The faces.
    level : float
        0 to 5.

    Returns
    -------
    Samples
        With further targets.
    """
    added, columns = list(samples.names), [samples.values]
    for name, column in zip(samples.names, samples.values.T, strict=True):
        present = f"{name[:-2]}_c"
        if name.endswith("_r") and present not in samples.names:
            columns.append(np.where(np.isnan(column), np.nan, column >= level)[:, None])
            added.append(present)
    return replace(samples, values=np.concatenate(columns, axis=1), names=tuple(added))


def _files(folder: Path) -> dict[str, Path]:
    """Return the feature files by video."""
    if not folder.is_dir():
        raise InputError(f"{folder}: expected the output folder of a study, got no folder")
    found = {
        path.relative_to(folder).as_posix().removesuffix(FEATURES): path
        for path in sorted(folder.rglob(f"*{FEATURES}"))
    }
    if not found:
        raise InputError(
            f"{folder}: no {FEATURES} files; make them with: pyfaceau study run VIDEOS --out "
            f"{folder} --keep-features"
        )
    return found


def _people(folder: Path, labels: Labels, matched: dict[str, NDArray[np.int64]]) -> dict[str, str]:
    """Return who each video is of; the video itself where nobody says. Key "" has what says it."""
    ledger: dict[str, str] = {}
    if (folder / FILE).is_file():
        with Ledger(folder) as book:
            ledger = {row["name"]: row["subject"] for row in book.rows()}
    people, source = {}, ""
    for name, rows in matched.items():
        said = set(labels.table["person"].iloc[rows]) - {""}
        if len(said) > 1:
            raise InputError(
                f"{labels.path}: video {name} is of two people, {' and '.join(sorted(said)[:2])}"
            )
        source = source or ledger.get(name, "")
        people[name] = said.pop() if said else ledger.get(name) or f"video {name}"
    return {**people, "": source}


def _names(labels: Labels) -> tuple[str, ...]:
    """Return what is learnt: a label of a side is one of a face, that half made whole."""
    return tuple(dict.fromkeys(target.name for target in labels.targets))


def _of_view(values: Float64, labels: Labels, view: str) -> Float64:
    """Return the labels of the whole face or of one side, a column for each of `_names`."""
    names = _names(labels)
    out = np.full((len(values), len(names)), np.nan)
    for column, target in zip(values.T, labels.targets, strict=True):
        if target.side == view:
            out[:, names.index(target.name)] = column
    return out


Part = tuple[Float32, NDArray[np.bool_], Float64]
"""Features, evenness and labels of faces."""


def _of_video(
    path: Path,
    labels: Labels,
    rows: NDArray[np.int64],
    pdm: PDM,
    quota: int,
    views: list[str],
) -> list[tuple[Part | None, Float32, int]]:
    """Return, of each view of a video: its faces, its neutral face, labelled faces missing."""
    with FeatureFile(path, pdm) as file:
        if any(views) and not file.sides:
            raise InputError(
                f"{path}: labels are of sides and these features of whole faces; make them again "
                "with: pyfaceau study run VIDEOS --out FOLDER --keep-features --split-face"
            )
        records, halves = file.records(), file.halves()
        values = labels_of_frames(labels, rows, records["index"], records["timestamp"])
        chosen = [
            _Chosen(halves[view] if view else records["described"], values, labels, view, quota)
            for view in views
        ]
        for position, result in enumerate(file):  # unpacked once for all views
            for one in chosen:
                one.take(position, result)
    return [one.part() for one in chosen]


class _Chosen:
    """The labelled faces of one view of a video, some evenly spaced ones, the neutral face."""

    def __init__(
        self, there: NDArray[np.bool_], values: Float64, labels: Labels, view: str, quota: int
    ) -> None:
        self._view, self._values = view, _of_view(values, labels, view)
        labelled = ~np.isnan(self._values).all(axis=1)
        self._missed = int((labelled & ~there).sum())
        wanted = _thinned(np.flatnonzero(labelled & there), quota)
        self._even = _thinned(np.flatnonzero(there), min(EVEN, quota))
        self._keep = np.union1d(wanted, self._even) if len(wanted) else wanted
        self._kept = set(self._keep.tolist())
        self._median, self._taken = RunningMedian(), list[Float32]()

    def take(self, position: int, result: FrameResult) -> None:
        """Take the next frame."""
        face = result.features
        if self._view:
            split = result.split
            face = None if split is None else split.left if self._view == "left" else split.right
        self._median.update(face, result.timestamp)
        if position in self._kept and face is not None:
            self._taken.append(np.concatenate([face.hog, face.geometry]).astype(np.float32))

    def part(self) -> tuple[Part | None, Float32, int]:
        """Return the faces, the neutral face, labelled faces missing."""
        if not self._taken:
            return None, np.zeros(DIMENSIONS, np.float32), self._missed
        even = np.isin(self._keep, self._even)
        part = np.stack(self._taken), even, self._values[self._keep]
        return part, self._median.neutral.astype(np.float32), self._missed


def _thinned(positions: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Return at most so many of some positions, evenly spaced."""
    if len(positions) <= most:
        return positions
    return positions[np.linspace(0, len(positions) - 1, most).round().astype(np.int64)]
