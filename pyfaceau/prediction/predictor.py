"""Action units of a video, frame by frame, and the values that only its end can tell."""

from __future__ import annotations

import sys

import numpy as np

from pyfaceau.errors import InputError, check_type
from pyfaceau.features.running_median import Calibration, RunningMedian
from pyfaceau.prediction.models import AUModels
from pyfaceau.prediction.whole_video import finish_intensities, finish_presences, zero_levels
from pyfaceau.types import AU_INTENSITIES, AU_PRESENCES, AUPrediction, FaceFeatures, Float64

_R, _C = len(AU_INTENSITIES), len(AU_PRESENCES)
_BLOCK = 4096

REPREDICTED = 3000
"""Faces, from the first on, whose scores are computed again with the final neutral face."""


def predict_picture(models: AUModels, features: FaceFeatures) -> AUPrediction:
    """Predict the action units of a still picture.

    Parameters
    ----------
    models : AUModels
        Static models.
    features : FaceFeatures
        The face.

    Returns
    -------
    AUPrediction
        Intensities clipped to 0 .. 5.

    Raises
    ------
    InputError
        If a model needs a person's neutral face.
    """
    if models.dynamic.any():
        raise InputError("models: expected static ones for a still picture, got dynamic ones")
    scores = models.scores(features)
    return AUPrediction(np.clip(scores[:_R], 0.0, 5.0), models.presences(scores[_R:]))


class AUPredictor:
    """Predicts a video's action units; the only owner of what is known of the person.

    Scores are linear, so a face is kept as its 35 scores, not as its 4702 features: subtracting
    those of the neutral face later is the same.

    Parameters
    ----------
    models : AUModels
        The linear models.
    calibration : Calibration or None
        What gives the neutral face; None for OpenFace's running median.
    levels : (17,) float64, optional
        Scores taken for intensity 0; found in the video itself if not given.
    smooth : bool
        Smooth over neighbouring frames at the end, as OpenFace does.
    """

    def __init__(
        self,
        models: AUModels,
        calibration: Calibration | None = None,
        levels: Float64 | None = None,
        smooth: bool = True,
    ) -> None:
        self._models = models
        self._calibration = RunningMedian() if calibration is None else calibration
        self._levels, self._smooth = levels, smooth
        self._personal = bool(models.dynamic.any())
        self.reset()

    def reset(self) -> None:
        """Forget everything: a new video starts."""
        self._scenes: list[tuple[Float64, Float64]] = []
        self._begin()

    def restart(self) -> None:
        """Learn the person anew from the next face on: the scene changes, maybe to somebody else.

        What was seen so far keeps the neutral face and the zero levels that it has by itself. A
        calibration that was declared (an interval, a baseline) holds for all scenes.
        """
        self._due = self._personal and not self._calibration.covers_all_frames

    def _begin(self) -> None:
        self._due = False
        self._calibration.reset()
        self._blocks: list[Float64] = []
        self._ok = bytearray()
        self._faces = 0
        self._neutral = np.zeros(_R + _C)
        self._calibrated = False

    def update(self, features: FaceFeatures | None, timestamp: float = 0.0) -> AUPrediction:
        """Take the next frame.

        Parameters
        ----------
        features : FaceFeatures or None
            Features of the frame's face; None where there is none.
        timestamp : float
            The frame's time, seconds, for calibrations that ask for it.

        Returns
        -------
        AUPrediction
            The values known at this frame: raw scores (neither zero level nor clipping) and
            classes; zeros where there is no face.

        Raises
        ------
        InputError
            If `features` are no FaceFeatures.
        """
        if features is not None:
            check_type("features", features, FaceFeatures)
            if self._due:
                self._scenes.append(self._finished())
                self._begin()
        if self._personal and self._calibration.update(features, timestamp):
            self._neutral = self._models.neutral_scores(self._calibration.neutral)
            self._calibrated = True
        row = self._append(features is not None)
        if features is None:
            return AUPrediction(np.zeros(_R), np.zeros(_C))
        scores = self._models.scores(features)
        now = scores - self._neutral
        self._faces += 1
        row[:] = scores if self._faces <= self._repredicted else now
        return AUPrediction(now[:_R], self._models.presences(now[_R:]))

    def _append(self, ok: bool) -> Float64:
        """Return the new frame's row of scores; blocks, as an array that grows is there twice."""
        row = len(self._ok) % _BLOCK
        if row == 0:
            self._blocks.append(np.zeros((_BLOCK, _R + _C)))
        self._ok.append(ok)
        scores: Float64 = self._blocks[-1][row]
        return scores

    @property
    def _repredicted(self) -> int:
        return sys.maxsize if self._calibration.covers_all_frames else REPREDICTED

    def raw(self) -> tuple[Float64, Float64]:
        """Return all frames' scores and classes, the first faces' with the final neutral face.

        Returns
        -------
        intensities : (N, 17) float64
            Raw scores; 0 where there is no face.
        presences : (N, 18) float64
            0 or 1; 0 where there is no face.
        """
        ok = np.array(self._ok, np.bool_)
        scores = np.concatenate([np.empty((0, _R + _C)), *self._blocks])[: len(ok)]
        scores[np.flatnonzero(ok)[: self._repredicted]] -= self._neutral
        presences = np.where(ok[:, None], self._models.presences(scores[:, _R:]), 0.0)
        return scores[:, :_R], presences

    def finish(self) -> tuple[Float64, Float64]:
        """Return the action units of all frames as the CSV has them.

        Returns
        -------
        intensities : (N, 17) float64
            0 to 5, zero level of the person subtracted, smoothed over three frames.
        presences : (N, 18) float64
            0 or 1, majority of seven frames.

        Raises
        ------
        InputError
            If the calibration asks for a neutral face and saw none, in a video with faces.
        """
        if self._personal and self._faces and not self._calibrated:
            raise InputError("neutral: expected a face in the declared interval, got none")
        parts = [*self._scenes, self._finished()]
        intensities, presences = (np.concatenate(pair) for pair in zip(*parts, strict=True))
        return intensities, presences

    def _finished(self) -> tuple[Float64, Float64]:
        """Return the action units of the scene in hand."""
        ok = np.array(self._ok, np.bool_)
        intensities, presences = self.raw()
        levels = self._levels
        if levels is None:
            levels = zero_levels(intensities, ok, self._models.cutoffs)
        intensities = finish_intensities(intensities, ok, levels, self._smooth)
        return intensities, finish_presences(presences) if self._smooth else presences
