"""Action units of both halves of a face over a video."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace

import numpy as np

from pyfaceau.asymmetry.split import FaceSplitter
from pyfaceau.errors import check_type
from pyfaceau.features.running_median import Calibration
from pyfaceau.overlap import Promise, Shelved
from pyfaceau.prediction.models import AUModels
from pyfaceau.prediction.predictor import AUPredictor
from pyfaceau.tracking.gray import in_gray
from pyfaceau.types import SPLIT_UNITS, AUPrediction, Float64, Frame, SplitFace, TrackedFace


class SplitPredictor:
    """Predicts the action units of both halves; each has its own neutral face and zero level.

    Parameters
    ----------
    left, right : AUPredictor
        Predictors as of the whole face, one of its own for each of the patient's sides.
    splitter : FaceSplitter, optional
        What divides the faces that `see` is given.
    """

    def __init__(
        self, left: AUPredictor, right: AUPredictor, splitter: FaceSplitter | None = None
    ) -> None:
        self._left, self._right, self._splitter = left, right, splitter
        self.reset()

    def reset(self) -> None:
        """Forget everything: a new video starts."""
        self._left.reset()
        self._right.reset()
        self._split = bytearray()
        self._hidden: list[float] = []
        self._before: SplitFace | None = None

    def restart(self) -> None:
        """Learn both neutral faces anew, see `AUPredictor.restart`."""
        self._left.restart()
        self._right.restart()
        self._before = None

    def see(self, frame: Frame, face: TrackedFace) -> Promise[SplitFace | None]:
        """Divide the next frame's face and take its halves.

        Parameters
        ----------
        frame : Frame
            The picture.
        face : TrackedFace
            The face in it.

        Returns
        -------
        Promise of (SplitFace or None)
            Its halves, with the action units known now; None where the frame has no face. To be
            asked for, once, before the next frame is seen.

        Raises
        ------
        InputError
            If there is no splitter.
        """
        splitter = check_type("splitter", self._splitter, FaceSplitter)
        if not face.ok:
            self._take(None, frame.timestamp)
            return Shelved(lambda: None)
        begun = splitter.split(
            frame.image,
            face.landmarks,
            gray=in_gray(frame),
            before=self._before,
            network_points=face.network_points,
        )
        return Shelved(lambda: self._take(begun.result(), frame.timestamp))

    def _take(self, split: SplitFace | None, timestamp: float) -> SplitFace | None:
        """Take a frame's halves; return them with their action units."""
        self._before = split
        units = self.update(split, timestamp)
        return None if split is None else replace(split, units=units)

    def update(
        self, face: SplitFace | None, timestamp: float = 0.0
    ) -> tuple[AUPrediction | None, AUPrediction | None]:
        """Take the next frame.

        Parameters
        ----------
        face : SplitFace or None
            Its halves; None where there is no face.
        timestamp : float
            The frame's time, seconds.

        Returns
        -------
        tuple of (AUPrediction or None)
            Left, right: the values known at this frame, see `AUPredictor.update`; None where there
            is no such half.
        """
        left, right = (None, None) if face is None else (face.left, face.right)
        units = self._left.update(left, timestamp), self._right.update(right, timestamp)
        self._split.append(left is not None)
        self._hidden.append(1.0 if face is None else face.hidden)
        return None if left is None else units[0], None if right is None else units[1]

    def finish(self) -> Float64:
        """Return what the table has of all frames.

        Returns
        -------
        (N, 71) float64
            In the order of `pyfaceau.types.SPLIT_UNITS`: values as of the whole face, NaN where the
            halves have none; the hidden share is 1 where there is no face.

        Raises
        ------
        InputError
            If the calibration saw no neutral face.
        """
        sides = [np.hstack(side.finish()) for side in (self._left, self._right)]
        out = np.full((len(self._split), len(SPLIT_UNITS)), np.nan)
        seen = np.array(self._split, np.bool_)
        out[seen, :-1] = np.stack(sides, axis=2)[seen].reshape(int(seen.sum()), -1)
        out[:, -1] = self._hidden
        return out


def split_predictor(
    models: AUModels,
    calibrations: Sequence[Calibration | None],
    smooth: bool,
    splitter: FaceSplitter,
) -> SplitPredictor:
    """Make the predictors of both halves.

    Parameters
    ----------
    models : AUModels
        The linear models.
    calibrations : sequence of Calibration or None
        What gives the neutral face of the left and of the right half; they are copied, so it may be
        the same twice.
    smooth : bool
        As for `AUPredictor`.
    splitter : FaceSplitter
        What divides the faces.

    Returns
    -------
    SplitPredictor
        Their predictor.
    """
    left, right = (AUPredictor(models, deepcopy(one), smooth=smooth) for one in calibrations)
    return SplitPredictor(left, right, splitter)


def restart(units: AUPredictor, sides: SplitPredictor | None) -> None:
    """Learn all neutral faces of a video anew, see `AUPredictor.restart`.

    Parameters
    ----------
    units : AUPredictor
        Of the whole face.
    sides : SplitPredictor or None
        Of its halves, where they are measured.
    """
    units.restart()
    if sides is not None:
        sides.restart()
