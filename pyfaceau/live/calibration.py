"""Action units while the video goes on: what the end would tell is taken from what was seen.

The table of a whole video subtracts from each score the person's zero level, a quantile of all its
frames, after subtracting the final median face. Live, both are those of the frames so far, or, once
a neutral face is taken, that face's. So the first seconds are less sure than the rest, and a live
value differs from the one that the finished video would have.
"""

from __future__ import annotations

from bisect import insort
from collections import deque

import numpy as np

from pyfaceau.features.neutral import FixedNeutral
from pyfaceau.features.running_median import FeatureMedian
from pyfaceau.prediction.models import AUModels
from pyfaceau.types import AU_INTENSITIES, AUPrediction, FaceFeatures

_KEPT = 15
"""Faces whose median is the neutral face that is taken: half a second at 30 frames/s."""


class LiveUnits:
    """Turns raw scores of a face, or of a half of it, into intensities from 0 to 5.

    Parameters
    ----------
    models : AUModels or None
        Those that the scores come from; None for a profile that has none of OpenFace's units.

    Attributes
    ----------
    taken : bool
        A neutral face was taken; otherwise the levels are those of the frames so far.
    """

    def __init__(self, models: AUModels | None) -> None:
        self._models = models
        self.reset()

    def reset(self) -> None:
        """Forget everything: another person, or another video."""
        self.taken = False
        self._scores: list[list[float]] = [[] for _ in AU_INTENSITIES]
        self._levels = np.zeros(len(AU_INTENSITIES))
        self._recent: deque[FaceFeatures] = deque(maxlen=_KEPT)

    @property
    def seen(self) -> bool:
        """Whether there is a face that `take_neutral` could take."""
        return bool(self._recent)

    def update(
        self, units: AUPrediction | None, features: FaceFeatures | None
    ) -> AUPrediction | None:
        """Take the next frame.

        Parameters
        ----------
        units : AUPrediction or None
            The scores, as from `FullPythonAUPipeline.process_frame`.
        features : FaceFeatures or None
            What they were measured on.

        Returns
        -------
        AUPrediction or None
            Intensities 0 to 5, not smoothed; None where there is no face.
        """
        if self._models is None or units is None or features is None:
            return None
        self._recent.append(features)
        if not self.taken:
            for number, (seen, score) in enumerate(
                zip(self._scores, units.intensities.tolist(), strict=True)
            ):
                insort(seen, score)
                cutoff = float(self._models.cutoffs[number])
                self._levels[number] = seen[int(len(seen) * cutoff)] if cutoff >= 0 else 0.0
        values = np.clip(units.intensities - self._levels, 0.0, 5.0)
        return AUPrediction(values, units.presences)

    def take_neutral(self) -> FixedNeutral | None:
        """Take the face of the last half second as the person's neutral one.

        Returns
        -------
        FixedNeutral or None
            For `FullPythonAUPipeline.calibrate`: the median of the faces; None where there was
            none. From now on that face has intensity 0.
        """
        if self._models is None or not self._recent:
            return None
        median = FeatureMedian()
        for features in self._recent:
            median.insert(features)
        count = len(AU_INTENSITIES)
        scores = np.array([self._models.scores(features) for features in self._recent])
        levels = np.median(scores, axis=0) - self._models.neutral_scores(median.value)
        self._levels = levels[:count]
        self.taken = True
        return FixedNeutral(median.value)
