"""Real videos through a study: the pipeline's bytes, from the video or from its features."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from pyfaceau.cli.command import main
from pyfaceau.config import Config
from pyfaceau.errors import InputError, OutputError
from pyfaceau.features.neutral import IntervalMedian
from pyfaceau.pipeline.video import FullPythonAUPipeline
from pyfaceau.study.executors import LocalExecutor
from pyfaceau.study.inputs import find_videos
from pyfaceau.study.ledger import Ledger
from pyfaceau.study.plan import Wanted
from pyfaceau.study.repredict import Baseline, Repredictor, share_baseline
from pyfaceau.study.runner import Study

FAST = Config.load("fast")
NAMES = ("one.mp4", "two.mp4")


def run(folder: Path, wanted: Wanted) -> dict[str, dict[str, Any]]:
    """Run the study of the folder's manifest; return the ledger's rows."""
    with Study(folder / "out", wanted, LocalExecutor(1)) as study:
        summary = study.run(find_videos([str(folder / "list.csv")], folder / "out"))
    assert summary.failures == {}
    with Ledger(folder / "out") as ledger:
        return {row["name"]: row for row in ledger.rows()}


@pytest.fixture(scope="module")
def study(
    shared: Path, weights_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, dict[str, Any]]]:
    """Return a study of two videos of one person, with features, and its rows."""
    folder = tmp_path_factory.mktemp("real")
    for name in NAMES:
        shutil.copy(shared / "samples/video/single_face.mp4", folder / name)
    (folder / "list.csv").write_text("video,subject\none.mp4,P1\ntwo.mp4,P1\n")
    return folder, run(folder, Wanted(FAST, keep_features=True))


@pytest.fixture(scope="module")
def by_pipeline(
    study: tuple[Path, dict[str, dict[str, Any]]],
) -> Callable[[Config, str], bytes]:
    """Return a function that gives the table of the first video without any study."""

    def table(config: Config, neutral: str) -> bytes:
        pipeline = FullPythonAUPipeline(config=config)
        pipeline.calibrate(IntervalMedian.parse(neutral) if neutral else None)
        path = study[0] / "pipeline.csv"
        pipeline.write_csv(study[0] / NAMES[0], path)
        return path.read_bytes()

    return table


def test_a_study_gives_the_pipelines_bytes_alone_and_after_another_video(
    study: tuple[Path, dict[str, dict[str, Any]]], by_pipeline: Callable[[Config, str], bytes]
):
    folder, rows = study
    expected = by_pipeline(FAST, "")
    assert [(folder / f"out/{name}.csv").read_bytes() for name in NAMES] == [expected] * 2
    for row in rows.values():
        assert (row["frames"], row["codec"], row["width"], row["height"]) == (72, "h264", 640, 360)
        assert row["tracked"] == 72
        assert row["usable"] > 0.8
        assert row["warnings"] == ""


def test_the_ledger_names_the_model_files(study: tuple[Path, dict[str, dict[str, Any]]]):
    with Ledger(study[0] / "out") as ledger:
        (files,) = ledger.weights().values()
    assert {"pfld_cunjian.onnx", "In-the-wild_aligned_PDM_68.txt"} <= files.keys()
    assert sum(name.startswith("AU_predictors/") for name in files) > 30
    assert all(len(digest) == 64 for digest in files.values())


@pytest.mark.parametrize(
    ("config", "neutral"),
    [
        (FAST, ""),
        (replace(FAST, static_aus=True), ""),
        (replace(FAST, smoothing=False), "0.5-1.5"),
    ],
    ids=["default", "static", "neutral, unsmoothed"],
)
def test_features_give_the_bytes_that_the_video_gives(
    study: tuple[Path, dict[str, dict[str, Any]]],
    by_pipeline: Callable[[Config, str], bytes],
    tmp_path: Path,
    config: Config,
    neutral: str,
):
    features = study[0] / "out/one.mp4.features"
    assert Repredictor(config).write(features, tmp_path / "t.csv", neutral) == 72
    assert (tmp_path / "t.csv").read_bytes() == by_pipeline(config, neutral)


def test_features_of_split_faces_give_their_bytes_too(
    shared: Path, weights_dir: Path, tmp_path: Path
):
    shutil.copy(shared / "samples/video/single_face.mp4", tmp_path / NAMES[0])
    (tmp_path / "list.csv").write_text("video\none.mp4\n")
    config = replace(FAST, split_face=True)
    run(tmp_path, Wanted(config, keep_features=True))
    features = tmp_path / "out/one.mp4.features"
    for neutral in ("", "0.5-1.5"):
        pipeline = FullPythonAUPipeline(config=config)
        calibration = IntervalMedian.parse(neutral) if neutral else None
        pipeline.calibrate(calibration)
        pipeline.write_csv(tmp_path / NAMES[0], tmp_path / "pipeline.csv")
        Repredictor(config).write(features, tmp_path / "again.csv", neutral)
        expected = (tmp_path / "pipeline.csv").read_bytes()
        assert b"AU12_r_left" in expected
        assert (tmp_path / "again.csv").read_bytes() == expected
    known = Baseline(np.zeros(4702), np.zeros(17))
    with pytest.raises(InputError, match=r"a baseline is of whole faces"):
        Repredictor(config).write(features, tmp_path / "b.csv", baseline=known)


def test_one_baseline_for_all_videos_of_a_person(
    study: tuple[Path, dict[str, dict[str, Any]]], tmp_path: Path
):
    source, _ = study
    folder = tmp_path / "study"
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("out", "pipeline.csv"))
    wanted = Wanted(FAST, baselines=("P1",))
    rows = run(folder, wanted)
    (calibration,) = {row["calibration"] for row in rows.values()}
    assert calibration.startswith("baseline P1 ")
    baseline = Baseline.load(folder / "out/P1.baseline.npz")
    features = [folder / f"out/{name}.features" for name in NAMES]
    predictor = Repredictor(FAST)
    for order in (features, features[::-1]):
        again = share_baseline(predictor, order, ["", ""])
        np.testing.assert_array_equal(again.neutral, baseline.neutral)
        np.testing.assert_array_equal(again.levels, baseline.levels)
    for path, name in zip(features, NAMES, strict=True):
        predictor.write(path, tmp_path / "t.csv", baseline=baseline)
        assert (folder / f"out/{name}.csv").read_bytes() == (tmp_path / "t.csv").read_bytes()
        (folder / name).unlink()  # what follows needs no video
    # A declared neutral face is another baseline, and only action units are done again.
    (folder / "list.csv").write_text("video,subject,neutral\none.mp4,P1,0-1\ntwo.mp4,P1,\n")
    rows = run(folder, wanted)
    assert {row["calibration"] for row in rows.values()} != {calibration}
    assert all(row["why"].startswith("calibration changed from baseline") for row in rows.values())
    rows = run(folder, replace(wanted, baselines=()))
    assert [row["calibration"] for row in rows.values()] == ["neutral 0-1", "running median"]
    assert (folder / "out/two.mp4.csv").read_bytes() == (source / "out/two.mp4.csv").read_bytes()


def test_what_cannot_be_a_baseline_is_refused(
    study: tuple[Path, dict[str, dict[str, Any]]], tmp_path: Path
):
    features = [study[0] / "out/one.mp4.features"]
    with pytest.raises(InputError, match="baseline: expected a neutral face"):
        share_baseline(Repredictor(FAST), features, ["90-99"])
    (tmp_path / "x.npz").write_text("no arrays")
    with pytest.raises(InputError, match=r"x\.npz: not a baseline"):
        Baseline.load(tmp_path / "x.npz")
    with pytest.raises(OutputError, match="cannot be written"):
        Baseline(np.zeros(4702), np.zeros(17)).save(tmp_path / "x.npz" / "y.npz")


def test_the_command_does_the_same(study: tuple[Path, dict[str, dict[str, Any]]], tmp_path: Path):
    features = [str(study[0] / f"out/{name}.features") for name in NAMES]
    options = ["--config", "fast", "--out-dir", str(tmp_path)]
    done = CliRunner().invoke(main, ["repredict", *features, *options])
    assert (done.exit_code, done.output.count(": 72 frames\n")) == (0, 2)
    for name in NAMES:
        table = (tmp_path / f"{name}.csv").read_bytes()
        assert table == (study[0] / f"out/{name}.csv").read_bytes()
    words = ["repredict", features[0], "-o", str(tmp_path / "t.csv"), "--baseline", "--static"]
    models = ["--no-smoothing", "--au-models", "AU_predictors"]
    assert CliRunner().invoke(main, [*words, *models]).exit_code == 0
    assert (tmp_path / "t.csv").read_bytes() != (tmp_path / "one.mp4.csv").read_bytes()
