"""The linear action-unit models: 17 support vector regressors, 18 classifiers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pyfaceau.errors import check_array, check_type
from pyfaceau.models.modelfile import BinaryReader, mend, read_bytes
from pyfaceau.models.weights import resolve
from pyfaceau.prediction import _kernels
from pyfaceau.types import AU_INTENSITIES, AU_PRESENCES, FaceFeatures, Float64

N_FEATURES = 4702
"""FHOG, then geometry."""

_REGRESSION, _CLASSIFICATION = (0, 1), (4, 5)
_DYNAMIC = (1, 5)


@dataclass(frozen=True)
class _Linear:
    """One model file: score = (x - mean - neutral) . weights + bias, neutral 0 if not dynamic."""

    dynamic: bool
    weights: Float64
    offset: float
    cutoff: float = -1.0
    classes: tuple[float, float] = (1.0, 0.0)


def _read(path: Path, kinds: tuple[int, int]) -> _Linear:
    reader = BinaryReader(path)
    kind = reader.int32()
    if kind not in kinds:
        raise mend(path, f"expected a model of type {kinds[0]} or {kinds[1]}, got {kind}")
    cutoff = reader.float64() if kind == 1 else -1.0
    mean, weights = reader.matrix(), reader.matrix()
    if mean.shape != (1, N_FEATURES) or weights.shape != (N_FEATURES, 1):
        raise mend(path, f"expected {N_FEATURES} weights, got {mean.shape} and {weights.shape}")
    bias = reader.float64()
    classes = (1.0, 0.0)
    if kinds == _CLASSIFICATION:
        classes = (reader.float64(), reader.float64())
    reader.expect_end()
    numbers = np.array([cutoff, bias, *classes, *mean[0], *weights[:, 0]], dtype=np.float64)
    if not np.isfinite(numbers).all() or not cutoff < 1:
        raise mend(path, "model file holds numbers out of range")
    column = weights[:, 0].astype(np.float64)
    average = np.zeros(1)
    _kernels.linear_scores(mean[0].astype(np.float64), column[:, None], average)
    return _Linear(kind in _DYNAMIC, column, bias - float(average[0]), cutoff, classes)


def _entries(path: Path) -> dict[str, Path]:
    """Read a list file: column name of the CSV to model file."""
    entries: dict[str, str] = {}
    for line in read_bytes(path).decode("utf-8", errors="replace").splitlines():
        words = line.split()
        if not words:
            continue
        if len(words) != 2:
            raise mend(path, f"expected 'path AU' in each line, got {line!r}")
        suffix = "_r" if words[0].startswith("svr") else "_c"
        entries[words[1] + suffix] = words[0]
    missing = [name for name in AU_INTENSITIES + AU_PRESENCES if name not in entries]
    if missing:
        raise mend(path, f"no model for {', '.join(missing)}")
    return {name: resolve(path, entry) for name, entry in entries.items()}


@dataclass(frozen=True, eq=False)
class AUModels:
    """All action-unit models as one matrix; columns are `AU_INTENSITIES`, then `AU_PRESENCES`.

    Attributes
    ----------
    weights : (4702, 35) float64
        One column per model.
    offsets : (35,) float64
        Bias minus mean feature vector times weights: a static score is ``x @ weights + offsets``.
    dynamic : (35,) bool
        The model subtracts the person's neutral face.
    cutoffs : (17,) float64
        Quantile of a person's scores that is taken for intensity 0; -1 for none.
    classes : (18, 2) float64
        Value of a positive score, value of any other. In most of the files a positive score means
        that the action unit is absent.
    """

    weights: Float64
    offsets: Float64
    dynamic: np.ndarray[tuple[int], np.dtype[np.bool_]]
    cutoffs: Float64
    classes: Float64

    @classmethod
    def load(cls, folder: str | Path, static: bool = False) -> AUModels:
        """Read the models of a folder.

        Parameters
        ----------
        folder : str or Path
            Holds the list files ``AU_all_best.txt`` and ``AU_all_static.txt`` and the files they
            name, in the folders they name or beside the list.
        static : bool
            Take the models that know no neutral face, OpenFace's ``-au_static`` (and its models
            for still pictures).

        Returns
        -------
        AUModels
            OpenFace's models in the CSV's order.

        Raises
        ------
        WeightsError
            If a file is missing or not what it should be.
        """
        files = _entries(Path(folder) / ("AU_all_static.txt" if static else "AU_all_best.txt"))
        regressors = [_read(files[name], _REGRESSION) for name in AU_INTENSITIES]
        classifiers = [_read(files[name], _CLASSIFICATION) for name in AU_PRESENCES]
        models = regressors + classifiers
        return cls(
            weights=np.ascontiguousarray(np.stack([m.weights for m in models], axis=1)),
            offsets=np.array([m.offset for m in models]),
            dynamic=np.array([m.dynamic for m in models]),
            cutoffs=np.array([m.cutoff for m in regressors]),
            classes=np.array([m.classes for m in classifiers]),
        )

    def scores(self, features: FaceFeatures) -> Float64:
        """Score one face by all models, as if its neutral face were zero.

        Parameters
        ----------
        features : FaceFeatures
            The face.

        Returns
        -------
        (35,) float64
            Decision values; subtract `neutral_scores` for the dynamic models' own.

        Raises
        ------
        InputError
            If `features` are no FaceFeatures.
        """
        check_type("features", features, FaceFeatures)
        out = np.empty(len(self.offsets))
        _kernels.face_scores(features.hog, features.geometry, self.weights, self.offsets, out)
        return out

    def neutral_scores(self, neutral: Float64) -> Float64:
        """Score a neutral face by all models.

        Parameters
        ----------
        neutral : (4702,) float64
            FHOG, then geometry, as a `Calibration` gives it.

        Returns
        -------
        (35,) float64
            ``neutral @ weights`` of the dynamic models, 0 of the static ones.

        Raises
        ------
        InputError
            If `neutral` is anything else.
        """
        row = check_array("neutral", neutral, (N_FEATURES,), np.float64)
        out = np.zeros(len(self.offsets))
        _kernels.linear_scores(row, self.weights, out)
        return np.where(self.dynamic, out, 0.0)

    def presences(self, scores: Float64) -> Float64:
        """Turn decision values of the classifiers into classes.

        Parameters
        ----------
        scores : (..., 18) float64
            Decision values.

        Returns
        -------
        (..., 18) float64
            1 where the action unit is present, else 0.
        """
        return np.where(scores > 0, self.classes[:, 0], self.classes[:, 1])
