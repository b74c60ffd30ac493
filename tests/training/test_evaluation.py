"""Evaluation of landmarks: figures by hand, faces that are not found, the command."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from pyfaceau.cli.command import main
from pyfaceau.training import evaluation
from pyfaceau.training.data import FaceSample, only_points, read_faces
from pyfaceau.training.evaluation import Errors, evaluate_landmarks

pytest.importorskip("matplotlib", reason="needs the extra train")


def test_figures_by_hand() -> None:
    distances = np.zeros((3, 68))
    distances[0, 36:48] = 5  # 12 of 68 points
    distances[1] = 15
    distances[2] = np.inf
    figures = Errors(distances, np.full(3, 100.0), np.full(3, 200.0)).figures()
    first = 100 * 5 * 12 / 68 / 100
    assert (figures["faces"], figures["found"]) == (3, 2)
    assert figures["nme"] == pytest.approx((first + 15) / 2)
    assert figures["nme_box"] == pytest.approx((first + 15) / 4)
    assert figures["distance"] == pytest.approx((5 * 12 / 68 + 15) / 2)
    assert figures["eyes"] == pytest.approx((5 + 15) / 2)
    assert figures["failures"] == pytest.approx(100 * 2 / 3)
    assert figures["auc"] == pytest.approx((1 - first / 10) / 3)


def sample(folder: Path, points: np.ndarray, name: str = "a.png") -> FaceSample:
    cv2.imwrite(str(folder / name), np.zeros((90, 90, 3), np.uint8))
    return FaceSample(folder / name, points.astype(np.float32))


def test_the_nearest_face_counts_and_points_without_annotation_do_not(tmp_path: Path) -> None:
    points = np.random.default_rng(0).uniform(20, 60, (68, 2))
    points[36], points[45] = (25, 30), (55, 30)
    found = (points + np.array([3, 4])).astype(np.float32)
    shown = only_points([sample(tmp_path, points)], [8, 36, 45])
    errors = evaluate_landmarks(shown, lambda _: [found + 200, found + 9, found])
    assert np.isfinite(errors.distances[0]).sum() == 3
    assert errors.nme[0] == pytest.approx(5 / 30, rel=1e-4)
    assert not evaluate_landmarks(shown, lambda _: []).found.any()
    none = Errors(np.full((1, 68), np.inf), np.ones(1), np.ones(1)).figures()
    assert np.isnan(none["nme"])
    assert none["failures"] == 100


def test_the_command(tmp_path: Path, shared: Path, weights_dir: Path) -> None:
    data = str(shared / "datasets/lfpw5/examples/data/ibug_lfpw_trainset")
    args = ["evaluate", "landmarks", "--data", data, "--out", str(tmp_path)]
    done = CliRunner().invoke(main, [*args, "--model", "pfld", "--model", "profile:default"])
    assert done.exit_code == 0, done.output
    lines = (tmp_path / "landmarks.csv").read_text(encoding="utf-8").splitlines()
    rows = {
        line.split(",")[0]: dict(zip(lines[0].split(","), line.split(","), strict=True))
        for line in lines[1:]
    }
    assert len(read_faces(Path(data)).samples) == float(rows["pfld"]["found"]) == 5
    assert float(rows["pfld"]["nme"]) < 6
    assert float(rows["profile:default"]["nme"]) < 5
    figures = json.loads((tmp_path / "landmarks.json").read_text(encoding="utf-8"))
    assert figures["pfld"]["nme"] == pytest.approx(float(rows["pfld"]["nme"]), rel=1e-4)
    assert (tmp_path / "landmarks.png").read_bytes()[:4] == b"\x89PNG"
    done = CliRunner().invoke(main, [*args, "--model", "pfld", "--points", "70"])
    assert "expected numbers from 0 to 67" in done.output
    done = CliRunner().invoke(main, [*args, "--model", str(tmp_path / "gone.onnx")])
    assert done.exit_code == 1
    assert "no such model file" in done.output
    done = CliRunner().invoke(main, [*args, "--model", "onet"])
    assert "expected pfld, clnf, facemap, free, PATH.onnx or profile:NAME" in done.output


def test_a_missing_model_is_said_before_anything_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = np.random.default_rng(0).uniform(20, 60, (1, 68, 2))
    np.savez(tmp_path / "data.npz", names=["a.png"], points=points)
    sample(tmp_path, points[0])
    open_model = evaluation.finder
    monkeypatch.setattr(
        evaluation, "finder", lambda name: list if name == "first" else open_model(name)
    )
    monkeypatch.setattr(evaluation, "evaluate_landmarks", lambda *_: pytest.fail("measured"))
    args = ["--data", str(tmp_path / "data.npz"), "--out", str(tmp_path / "out")]
    args += ["--model", "first", "--model", str(tmp_path / "gone.onnx")]
    done = CliRunner().invoke(main, ["evaluate", "landmarks", *args])
    assert done.exit_code == 1, done.output
    assert "no such model file" in done.output


def test_data_that_cannot_be_measured_are_refused_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    np.savez(tmp_path / "nan.npz", names=["a.png"], points=np.full((1, 68, 2), np.nan))
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((90, 90, 3), np.uint8))
    for data, message in (
        ("empty", "got none"),
        ("nan.npz", "0 points are numbers"),
        ("gone.xml", "got nothing there"),
    ):
        args = ["--data", str(tmp_path / data), "--model", "pfld", "--out", str(tmp_path / "out")]
        done = CliRunner().invoke(main, ["evaluate", "landmarks", *args])
        assert done.exit_code == 1, data
        assert message in done.output
        assert not (tmp_path / "out").exists()
