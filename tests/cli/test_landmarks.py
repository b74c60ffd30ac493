"""The command ``pyfaceau landmarks``: its table, its overlays, what it refuses."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result

from pyfaceau.cli.command import main
from tests.facemap_files import write_network
from tests.onet_files import weight_dict, write_onnx


def run(*args: object) -> Result:
    return CliRunner().invoke(main, ["landmarks", *map(str, args)])


@pytest.fixture
def face(shared: Path) -> Path:
    return shared / "samples/image/lp_s6.jpg"


@pytest.mark.parametrize(("model", "count"), [("onet", 5), ("pfld", 68), ("clnf", 68)])
def test_each_model_finds_the_face(
    face: Path, shared: Path, weights_dir: Path, tmp_path: Path, model: str, count: int
) -> None:
    cv2.imwrite(str(tmp_path / "empty.png"), np.zeros((90, 90, 3), np.uint8))
    done = run(face, tmp_path / "empty.png", "--model", model, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    table = pd.read_csv(tmp_path / "out/landmarks.csv")
    assert table.status.tolist() == ["ok", "no_face"]
    assert table.reason[1] == "no face detected"
    assert len(table.columns) == 9 + 2 * count
    assert table.iloc[1, 4:].isna().all()
    reference = pd.read_csv(shared / "reference/image/lp_s6.csv.gz", skipinitialspace=True).iloc[0]
    mine, true = (2, 30) if count == 5 else (30, 30)
    for axis in "xy":
        assert abs(table[f"{axis}_{mine}"][0] - reference[f"{axis}_{true}"]) < 10
    drawn = cv2.imread(str(tmp_path / "out/lp_s6_overlay.jpg"))
    assert np.abs(drawn.astype(int) - cv2.imread(str(face))).max() > 100


def test_crops_and_networks_of_ones_own(
    face: Path, weights_dir: Path, facemap_weights: Path, tmp_path: Path
) -> None:
    pytest.importorskip("onnx")
    onet = write_onnx(
        tmp_path / "own.onnx", weight_dict(weights_dir / "mtcnn_detector/ONet.dat"), upright=True
    )
    cv2.imwrite(str(tmp_path / "crop.png"), cv2.imread(str(face))[230:450, 245:475])
    cv2.imwrite(str(tmp_path / "noise.png"), np.full((60, 60, 3), 99, np.uint8))
    cv2.imwrite(str(tmp_path / "pixel.png"), np.zeros((1, 1), np.uint8))
    pictures = [tmp_path / f"{name}.png" for name in ("crop", "noise", "pixel")]
    done = run(*pictures, "--model", onet, "--crops", "--out", tmp_path / "out")
    assert done.exit_code == 1
    assert "pixel.png: cropped_face_image: expected a face of 12 or more pixels" in done.stderr
    table = pd.read_csv(tmp_path / "out/landmarks.csv")
    assert table.status.tolist() == ["ok", "no_face", "failed"]
    assert table.reason[1].startswith("no face: score 0.")
    assert table.score[0] > 0.9

    facemap = write_network(tmp_path / "facemap.onnx", np.full(265, np.nan))
    done = run(face, "--model", facemap, "--crops", "--out", tmp_path / "nan")
    row = pd.read_csv(tmp_path / "nan/landmarks.csv").iloc[0]
    assert (row.status, row.reason) == ("no_face", "the network answers NaN or infinity")


def test_wrong_use_is_one_line(face: Path, weights_dir: Path, tmp_path: Path) -> None:
    out = ("--out", tmp_path / "out")
    done = run(face, "--model", "dlib", *out)
    assert done.exit_code == 1
    assert done.stderr.startswith("Error: model: expected onet, pfld, clnf, facemap, free or PATH")
    done = run(face, "--model", weights_dir / "retinaface_mobilenet025.onnx", *out)
    assert "expected ONet's input" in done.stderr
    assert done.stderr.count("\n") == 1
    (tmp_path / "b").mkdir()
    done = run(face, tmp_path / "b/lp_s6.png", "--model", "pfld", *out)
    assert "would both be drawn as lp_s6_overlay.jpg" in done.stderr
    done = run(tmp_path / "none.jpg", *out)
    assert done.exit_code == 1
    assert "none.jpg: no such file" in done.stderr
    assert pd.read_csv(tmp_path / "out/landmarks.csv").status.tolist() == ["failed"]
