"""The figures of the conformance tables, on tables small enough to work out by hand."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from validation.metrics import compare, compare_text, noise_failures, pearson


def table(success: list[int], **columns: list[float]) -> pd.DataFrame:
    """Return a table with frames from 1."""
    return pd.DataFrame({"frame": range(1, len(success) + 1), "success": success, **columns})


def test_intensity_by_hand() -> None:
    ref = table([1, 1, 1, 1], AU01_r=[0.0, 1.0, 2.0, 3.0])
    out = table([1, 1, 1, 1], AU01_r=[0.5, 1.5, 2.5, 2.5])
    au = compare(ref, out).intensities["AU01_r"]
    # deviations (-1.5, -.5, .5, 1.5) and (-1.25, -.25, .75, .75): 3.5 / sqrt(5 * 2.75)
    assert au.r == pytest.approx(3.5 / np.sqrt(13.75))
    assert (au.mae, au.bias) == (0.5, 0.25)


def test_only_frames_where_both_succeed_count() -> None:
    ref = table([1, 1, 1, 0], AU01_r=[0.0, 1.0, 2.0, 9.0])
    out = table([1, 1, 1, 1], AU01_r=[0.0, 1.0, 2.0, 0.0])
    figures = compare(ref, out)
    assert (figures.frames, figures.success_agree, figures.mean_r) == (3, 0.75, pytest.approx(1.0))


def test_silent_reference_is_left_out_and_constant_output_is_zero() -> None:
    silent, loud = [0.0, 0.01, 0.02], [0.0, 1.0, 2.0]
    ref = table([1, 1, 1], AU01_r=silent, AU02_r=loud, AU04_r=loud)
    out = table([1, 1, 1], AU01_r=loud, AU02_r=[1.0, 1.0, 1.0], AU04_r=loud)
    figures = compare(ref, out)
    assert figures.correlations == {"AU02_r": 0.0, "AU04_r": pytest.approx(1.0)}
    assert (figures.mean_r, figures.min_r, figures.good) == (pytest.approx(0.5), 0.0, 1)
    assert figures.intensities["AU01_r"].r is None


def test_std_bar_is_that_of_the_sample() -> None:
    values = np.array([0.0, 0.06])  # std 0.03 of the population, 0.0424 of the sample
    assert pearson(values, values) is None
    assert pearson(values * 1.2, values) == pytest.approx(1.0)  # 0.036 and 0.0509


def test_presence_landmarks_and_angles_by_hand() -> None:
    def face(shift: float, yaw: float) -> pd.DataFrame:
        points = {f"{axis}_{i}": [0.0, 0.0] for axis in "xy" for i in range(68)}
        points["x_36"], points["x_45"] = [50.0, 50.0], [150.0, 150.0]
        points["x_0"], points["y_0"] = [3 * shift] * 2, [4 * shift] * 2
        pose = {f"pose_R{a}": [yaw if a == "y" else 0.0] * 2 for a in "xyz"}
        gaze = {"gaze_angle_x": [yaw] * 2, "gaze_angle_y": [0.0] * 2}
        return table([1, 1], AU45_c=[0.0, shift], **points, **pose, **gaze)

    figures = compare(face(0.0, 0.0), face(1.0, 0.3))
    assert figures.presences == {"AU45_c": 0.5}
    assert figures.lm_px == pytest.approx(5 / 68)
    assert figures.lm_iod == pytest.approx(5 / 68)  # eyes are 100 px apart
    assert figures.lm_max == pytest.approx(5.0)
    assert figures.pose_deg == pytest.approx(np.degrees(0.1))
    assert figures.gaze_deg == pytest.approx(np.degrees(0.15))


def test_nothing_in_common_gives_no_figures() -> None:
    figures = compare(table([0, 1], AU01_r=[0.0, 1.0]), table([1, 0], AU01_r=[0.0, 1.0]))
    assert figures.frames == 0
    assert figures.success_agree == 0.0
    assert figures.mean_r is None
    assert figures.lm_px is None


def test_missing_values_are_seen() -> None:
    ref = table([1, 1], AU01_r=[0.0, 1.0])
    out = table([1, 1], AU01_r=[0.0, float("nan")])
    assert np.isnan(compare(ref, out).intensities["AU01_r"].mae)


def test_text_by_hand() -> None:
    header = "frame, success, AU01_r"
    reference = [header, "1, 0, 0.00", "2, 1, 0.10", "3, 1, 0.20"]
    got = compare_text(reference, [header, "1, 0, 9.00", "2, 1, 0.10"])
    assert (got.rows_equal, got.rows, got.cells_equal, got.cells) == (1, 3, 5, 9)
    assert (got.tracked_equal, got.tracked, got.header_equal) == (1, 2, True)


def test_noise_bars() -> None:
    ref = table([1] * 4, AU01_r=[0.0, 1.0, 2.0, 3.0], **_points(4))
    good = compare(ref, ref)
    noise = {"a": {"mean_r": 0.99, "lm_px": 0.02}, "b": {"mean_r": 0.97, "lm_px": 0.01}}
    assert noise_failures(good, noise) == []
    moved = ref.assign(x_0=ref["x_0"] + 68 * 0.0502, AU01_r=[0.0, 1.0, 3.0, 2.0])
    assert noise_failures(compare(ref, moved), noise) == [
        "mean r 0.8000 misses 0.9670",
        "px 0.0502 misses 0.0500",
    ]
    assert noise_failures(compare(ref, ref.assign(success=0)), {}) == [
        "success agreement 0.0000 misses 0.9900"
    ]


def _points(rows: int) -> dict[str, list[float]]:
    points = {f"{axis}_{i}": [0.0] * rows for axis in "xy" for i in range(68)}
    return points | {"x_45": [100.0] * rows}


def test_agrees_with_the_judges_tool(shared: Path) -> None:
    spec = importlib.util.spec_from_file_location("judge", shared / "tools" / "compare.py")
    assert spec is not None
    assert spec.loader is not None
    judge = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(judge)
    path = shared / "reference" / "video" / "face_noface.csv.gz"
    other = shared / "reference" / "video" / "noface_face.csv.gz"
    for out_path in (shared / "reference" / "precise" / "face_noface.csv.gz", other):
        want = judge.compare(path, out_path)
        got = compare(judge.load(path), judge.load(out_path)).summary()
        assert (got["good"], got["counted"]) == (want["ge80"], want["n_au"])
        for name in ("success_agree", "mean_r", "min_r", "mae", "auc_agree", "lm_px", "lm_iod"):
            assert got[name] == pytest.approx(want[name], abs=1e-12), name
        assert got["pose_deg"] == pytest.approx(want["pose_deg"], abs=1e-9)
        assert got["gaze_deg"] == pytest.approx(want["gaze_deg"], abs=1e-9)
