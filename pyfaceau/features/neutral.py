"""Person calibration from a declared neutral face instead of the running median."""

from __future__ import annotations

from typing import Any

import numpy as np

from pyfaceau.errors import check_array
from pyfaceau.features.interval import check_interval, parse_interval
from pyfaceau.features.running_median import DIMENSIONS, FeatureMedian
from pyfaceau.types import FaceFeatures, Float64


class IntervalMedian:
    """The median face of a declared interval, in which the person shows a neutral expression.

    Every frame of the interval that has a face counts; medians are those of `FeatureMedian`, as
    fine as OpenFace's. The neutral face then stands for all frames, those before it included.

    Parameters
    ----------
    start, end : float
        Seconds; both ends belong to the interval.

    Raises
    ------
    InputError
        If there is no such interval.
    """

    covers_all_frames = True

    def __init__(self, start: float, end: float) -> None:
        check_interval(start, end)
        self.start, self.end = start, end
        self.reset()

    @classmethod
    def parse(cls, text: str) -> IntervalMedian:
        """Read an interval.

        Parameters
        ----------
        text : str
            Such as ``"2.0-4.0"``, seconds.

        Returns
        -------
        IntervalMedian
            The calibration.

        Raises
        ------
        InputError
            If the text is anything else.
        """
        return cls(*parse_interval(text))

    def reset(self) -> None:
        """Forget everything: a new video starts."""
        self._median = FeatureMedian()

    @property
    def faces(self) -> int:
        """Faces counted so far."""
        return self._median.count

    @property
    def neutral(self) -> Float64:
        """(4702,) float64: median FHOG, then median geometry in mm; zeros before any face."""
        return self._median.value if self.faces else np.zeros(DIMENSIONS)

    def update(self, features: FaceFeatures | None, timestamp: float) -> bool:
        """Take the next frame of the video.

        Parameters
        ----------
        features : FaceFeatures or None
            The frame's features; None where there is no face.
        timestamp : float
            The frame's time, seconds.

        Returns
        -------
        bool
            Whether the frame was counted.
        """
        if features is None or not self.start <= timestamp <= self.end:
            return False
        self._median.insert(features)
        return True


class FixedNeutral:
    """A neutral face that is known beforehand, such as that of a patient's other videos.

    Parameters
    ----------
    neutral : (4702,) float64
        FHOG, then geometry in mm.

    Raises
    ------
    InputError
        If `neutral` is anything else.
    """

    covers_all_frames = True

    def __init__(self, neutral: Any) -> None:
        self.neutral: Float64 = check_array("neutral", neutral, (DIMENSIONS,), np.float64)
        self.reset()

    def reset(self) -> None:
        """Start a new video."""
        self._told = False

    def update(self, features: FaceFeatures | None, timestamp: float) -> bool:  # noqa: ARG002
        """Take the next frame of the video; nothing is learnt from it.

        Parameters
        ----------
        features : FaceFeatures or None
            Not used.
        timestamp : float
            Not used.

        Returns
        -------
        bool
            True at the first frame.
        """
        first, self._told = not self._told, True
        return first
