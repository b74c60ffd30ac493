"""The ablation's own parts: averaged crops, the timed tracker, the summary line."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pyfaceau.types import Frame
from validation.ablation import AveragedCrops, Timed, rows
from validation.metrics import compare


class Centre:
    """A landmark network that answers with the crop's translation."""

    def predict_crops(self, image: np.ndarray, crops: np.ndarray) -> np.ndarray:
        """Return 68 times the translation."""
        return np.repeat(crops[:, None, :, 2], 68, axis=1).astype(np.float32)


class Tracker:
    """A tracker that answers with the frame's number."""

    def __init__(self) -> None:
        self.resets = 0

    def update(self, frame: Frame) -> int:
        """Return the number."""
        return frame.index

    def reset(self) -> None:
        """Count."""
        self.resets += 1


def test_averaged_crops_lie_around_the_crop() -> None:
    crop = np.array([[[1.0, 0, 10], [0, 1, 20]]])
    answer = AveragedCrops(Centre()).predict_crops(np.zeros((2, 2, 3), np.uint8), crop)
    np.testing.assert_allclose(answer, np.broadcast_to(np.float32([10, 20]), (1, 68, 2)))


def test_timed_tracker_answers_as_the_tracker_does() -> None:
    tracker = Tracker()
    timed = Timed(tracker)
    image = np.zeros((2, 2, 3), np.uint8)
    assert [timed.update(Frame(image, k, k / 30)) for k in range(3)] == [0, 1, 2]
    assert len(timed.seconds) == 3
    assert min(timed.seconds) > 0
    timed.reset()
    assert tracker.resets == 1


def test_summary_counts_units_at_080() -> None:
    rng = np.random.default_rng(0)
    signal = rng.random((50, 2))
    base = {"frame": np.arange(50), "success": np.ones(50), "AU01_c": np.zeros(50)}
    reference = pd.DataFrame({**base, "AU01_r": signal[:, 0], "AU02_r": signal[:, 1]})
    output = pd.DataFrame({**base, "AU01_r": signal[:, 0] * 2, "AU02_r": -signal[:, 1]})
    name, mean_r, good, *_, ms = rows("x", {"v": compare(reference, output)}, [0.001, 0.003, 0.1])
    assert (name, good, ms) == ("x", "1/2", "3.00")
    assert float(mean_r) == pytest.approx(0.0, abs=1e-4)
