"""Person calibration: the running median of a face's features stands for its neutral face."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from pyfaceau.features import _kernels
from pyfaceau.types import FaceFeatures, Float32, Float64, UInt16, UInt32

_HOG, _GEOMETRY = 4464, 238

DIMENSIONS = _HOG + _GEOMETRY
"""Values that describe a face."""


class Calibration(Protocol):
    """What gives the neutral face that person-specific models subtract."""

    @property
    def covers_all_frames(self) -> bool:
        """Whether the last neutral face stands for all frames, not for the later ones only."""

    def update(self, features: FaceFeatures | None, timestamp: float) -> bool:
        """Take the next frame.

        Parameters
        ----------
        features : FaceFeatures or None
            The frame's features; None where there is no face.
        timestamp : float
            The frame's time, seconds.

        Returns
        -------
        bool
            Whether `neutral` may have changed.
        """

    @property
    def neutral(self) -> Float64:
        """(4702,) float64: FHOG, then geometry, of the neutral face as known now."""

    def reset(self) -> None:
        """Start a new person."""


class _HistogramMedian:
    """Medians of many dimensions, each kept as a histogram over the same range.

    `first` is the centre of the first bin: the median where nothing was counted.
    """

    def __init__(self, dimensions: int, bins: int, low: float, high: float) -> None:
        self._low, self._high = low, high
        self.first = low + 0.5 * (high - low) / bins
        self._histogram: UInt16 | UInt32 = np.zeros((dimensions, bins), np.uint16)
        self._at = np.zeros(dimensions, np.uint32)
        self._below = np.zeros(dimensions, np.uint32)
        self._count = 0

    def insert(self, values: Float32 | Float64, out: Float64) -> None:
        """Count a face's values; fill `out` with the centres of the median bins."""
        if self._count == np.iinfo(np.uint16).max:  # few videos are as long: half the memory
            self._histogram = self._histogram.astype(np.uint32)
        self._count += 1
        cut = (self._count + 1) // 2
        _kernels.histogram_medians(
            values, self._low, self._high, cut, self._histogram, self._below, self._at, out
        )


class FeatureMedian:
    """Median face of those that were inserted.

    Each dimension's value is counted in a histogram: FHOG in 1000 bins over [-0.005, 1], geometry
    in 10000 bins over [-60, 60] mm, values outside in the end bins.

    Attributes
    ----------
    count : int
        Faces inserted.
    """

    def __init__(self) -> None:
        self._hog = _HistogramMedian(_HOG, 1000, -0.005, 1.0)
        self._geometry = _HistogramMedian(_GEOMETRY, 10000, -60.0, 60.0)
        hog, geometry = max(self._hog.first, 0.0), self._geometry.first
        self._value = np.repeat([hog, geometry], [_HOG, _GEOMETRY])
        self._value.setflags(write=False)
        self.count = 0

    def insert(self, features: FaceFeatures) -> None:
        """Count a face.

        Parameters
        ----------
        features : FaceFeatures
            What describes it.
        """
        value = np.empty(DIMENSIONS)  # a new one: who asked before keeps what he was told
        self._hog.insert(features.hog, value[:_HOG])
        self._geometry.insert(features.geometry, value[_HOG:])
        np.maximum(value[:_HOG], 0.0, out=value[:_HOG])
        value.setflags(write=False)
        self._value = value
        self.count += 1

    @property
    def value(self) -> Float64:
        """The median of every dimension.

        Each is the centre of the first bin where the cumulative count reaches
        floor((n + 1) / 2), n the number of faces; of the first bin where there is none.

        Returns
        -------
        (4702,) float64
            FHOG, not below 0, then geometry in mm.
        """
        return self._value


class RunningMedian:
    """Running median over a video, as OpenFace keeps it.

    Every second frame, from the first on, is looked at; if it has a face, that is inserted into a
    `FeatureMedian`, whose value is the neutral face. One rule of the reference is kept: while one
    face has been inserted, the neutral face is a copy of the looked-at frame's features (zeros if
    that frame has no face).

    Notes
    -----
    The histograms are never scanned: each dimension's median bin and the count below it are kept,
    and move by one order statistic per frame. T. Baltrusaitis et al., Cross-dataset learning and
    person-specific normalisation for automatic action unit detection, FERA 2015.
    """

    covers_all_frames = False

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget everything: a new video starts."""
        self._median = FeatureMedian()
        self._neutral = np.zeros(DIMENSIONS)
        self._frames = 0

    @property
    def neutral(self) -> Float64:
        """(4702,) float64, read-only: median FHOG, then median geometry in mm."""
        view: Float64 = self._neutral.view()
        view.flags.writeable = False
        return view

    def update(self, features: FaceFeatures | None, timestamp: float = 0.0) -> bool:  # noqa: ARG002
        """Take the next frame of the video.

        Parameters
        ----------
        features : FaceFeatures or None
            The frame's features; None where there is no face.
        timestamp : float
            Not used: the median knows frames, not seconds.

        Returns
        -------
        bool
            Whether the frame was looked at, so that `neutral` may have changed.
        """
        self._frames += 1
        if self._frames % 2 == 0:
            return False
        if features is not None:
            self._median.insert(features)
        if self._median.count != 1:
            self._neutral = self._median.value
        elif features is None:
            self._neutral = np.zeros(DIMENSIONS)
        else:
            self._neutral = np.concatenate([np.maximum(features.hog, 0.0), features.geometry])
        return True
