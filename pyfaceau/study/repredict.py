"""Action units again, from feature files: another calibration, other models, without the video."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pyfaceau.asymmetry.units import SplitPredictor, restart
from pyfaceau.config import Config
from pyfaceau.errors import InputError, OutputError, check_array
from pyfaceau.features.interval import parse_interval
from pyfaceau.features.neutral import FixedNeutral, IntervalMedian
from pyfaceau.features.running_median import DIMENSIONS, Calibration, FeatureMedian
from pyfaceau.models.weights import locate
from pyfaceau.output.openface_csv import SPLIT, VIDEO, OpenFaceCSV
from pyfaceau.pdm.model import PDM
from pyfaceau.prediction.models import AUModels
from pyfaceau.prediction.predictor import AUPredictor
from pyfaceau.prediction.whole_video import zero_levels
from pyfaceau.study.features import FeatureFile
from pyfaceau.types import AU_INTENSITIES, Float64


@dataclass(frozen=True, eq=False)
class Baseline:
    """What is taken for zero in all videos of a person.

    Attributes
    ----------
    neutral : (4702,) float64
        The neutral face: FHOG, then geometry in mm.
    levels : (17,) float64
        Scores of the intensity models, less those of the neutral face, that stand for 0.
    """

    neutral: Float64
    levels: Float64

    def save(self, path: Path) -> None:
        """Write an NPZ file of both.

        Parameters
        ----------
        path : Path
            The file; its folder is made.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as file:
                np.savez(file, neutral=self.neutral, levels=self.levels)
            part.replace(path)
        except OSError as error:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from None

    @classmethod
    def load(cls, path: Path) -> Baseline:
        """Read an NPZ file of both.

        Parameters
        ----------
        path : Path
            The file.

        Returns
        -------
        Baseline
            As saved.

        Raises
        ------
        InputError
            If it is no such file.
        """
        try:
            with np.load(path, allow_pickle=False) as arrays:
                neutral, levels = arrays["neutral"], arrays["levels"]
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise InputError(f"{path}: not a baseline: {error}") from None
        return cls(
            check_array("neutral", neutral, (DIMENSIONS,), np.float64),
            check_array("levels", levels, (len(AU_INTENSITIES),), np.float64),
        )


class Repredictor:
    """Predicts action units from feature files by some settings.

    Parameters
    ----------
    config : Config
        Of its settings, those of action units count: ``static_aus``, ``smoothing`` and the files
        ``pdm`` and ``au_predictors``.

    Raises
    ------
    WeightsError
        If a model file is missing or altered.
    """

    def __init__(self, config: Config) -> None:
        self.pdm = PDM.load(locate(config.models.pdm))
        self.models = AUModels.load(locate(config.models.au_predictors), config.static_aus)
        self._smooth = config.smoothing
        self._header = config.header
        self._restarts = config.reading.at_cuts == "restart"

    def write(
        self,
        features: Path,
        table: Path,
        neutral: str = "",
        baseline: Path | Baseline | None = None,
        tell: Callable[[int], None] | None = None,
    ) -> int:
        """Write a video's table anew.

        Parameters
        ----------
        features : Path
            The video's feature file.
        table : Path
            The table; replaced when the new one is whole.
        neutral : str
            Interval with a neutral face; OpenFace's running median if empty.
        baseline : Path or Baseline, optional
            Known neutral face and levels, instead of either.
        tell : callable, optional
            Is told the number of frames done.

        Returns
        -------
        int
            Rows of the table, which has the bytes that the video gives with the same settings.

        Raises
        ------
        InputError
            If a file is not what it should be, or the interval has no face.
        OutputError
            If the table cannot be written.
        """
        calibration: Calibration | None = IntervalMedian.parse(neutral) if neutral else None
        levels = None
        if baseline is not None:
            known = baseline if isinstance(baseline, Baseline) else Baseline.load(baseline)
            calibration, levels = FixedNeutral(known.neutral), known.levels
        predictor = AUPredictor(self.models, calibration, levels, self._smooth)
        with FeatureFile(features, self.pdm) as file, ExitStack() as stack:
            if file.sides and baseline is not None:
                raise InputError(f"{features}: a baseline is of whole faces, not of their halves")
            sides = self._sides(calibration) if file.sides else None
            layout = VIDEO if sides is None else SPLIT
            out = stack.enter_context(OpenFaceCSV(table, layout=layout, header=self._header))
            cuts = set(file.header.get("source", {}).get("cuts", ())) if self._restarts else set()
            for result in file:
                out.write(result)
                if result.index in cuts:
                    restart(predictor, sides)
                predictor.update(result.features, result.timestamp)
                if sides is not None:
                    sides.update(result.split, result.timestamp)
                if tell is not None:
                    tell(out.rows)
            halves = () if sides is None else (sides.finish(),)
            out.finish(*predictor.finish(), *halves)
            return out.rows

    def _sides(self, calibration: Calibration | None) -> SplitPredictor:
        """Return the predictor of the halves, as the pipeline has it."""
        left, right = (
            AUPredictor(self.models, deepcopy(calibration), smooth=self._smooth) for _ in range(2)
        )
        return SplitPredictor(left, right)


def share_baseline(
    predictor: Repredictor,
    features: Sequence[Path],
    neutral: Sequence[str],
    tell: Callable[[int], None] | None = None,
) -> Baseline:
    """Find one baseline for all videos of a person.

    The neutral face is the median of the faces in the declared intervals, where there is any;
    otherwise of every second frame of all videos, as in OpenFace's running median. Zero levels are
    the same quantiles as OpenFace's, taken over the scores of all videos together. The order of
    the videos does not matter.

    Parameters
    ----------
    predictor : Repredictor
        The models.
    features : sequence of Path
        The person's feature files.
    neutral : sequence of str
        Interval of each, such as ``"2.0-4.0"``; empty where none is declared.
    tell : callable, optional
        Is told the number of frames done.

    Returns
    -------
    Baseline
        The person's.

    Raises
    ------
    InputError
        If a file is not what it should be, or no face is found to be neutral.
    """
    models, median = predictor.models, FeatureMedian()
    declared = any(neutral)
    scores = []
    done = 0
    for path, text in zip(features, neutral, strict=True):
        start, end = parse_interval(text) if text else (0.0, 0.0)
        with FeatureFile(path, predictor.pdm) as file:
            for result in file:
                done += 1
                if tell is not None:
                    tell(done)
                if result.features is None:
                    continue
                scores.append(models.scores(result.features))
                inside = bool(text) and start <= result.timestamp <= end
                if inside or (not declared and result.index % 2 == 0):
                    median.insert(result.features)
    if not median.count:
        raise InputError("baseline: expected a neutral face in one of the videos, got none")
    now = np.stack(scores) - models.neutral_scores(median.value)
    count = len(AU_INTENSITIES)
    levels = zero_levels(now[:, :count], np.ones(len(now), np.bool_), models.cutoffs)
    return Baseline(median.value, levels)
