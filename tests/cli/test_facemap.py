"""The command ``pyfaceau facemap`` on a network of FaceMap's interface that is made on the spot."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result

from pyfaceau.cli.command import main
from pyfaceau.landmarks.facemap_3dmm import FaceMapDecoder
from pyfaceau.media.video import VideoReader
from tests.facemap_files import write_network
from tests.video_files import pictures, write_video

pytest.importorskip("onnx")
META = "frame status reason x0 y0 x1 y1".split()


def run(*args: object) -> Result:
    return CliRunner().invoke(main, ["facemap", *map(str, args)])


@pytest.fixture
def values(shared: Path) -> np.ndarray:
    return np.load(shared / "reference/facemap/golden_params_fitted.npy")


@pytest.fixture
def network(tmp_path: Path, values: np.ndarray, facemap_weights: Path) -> Path:
    return write_network(tmp_path / "facemap.onnx", values, external=True)


def test_a_picture(network: Path, values: np.ndarray, shared: Path, tmp_path: Path) -> None:
    image = shared / "reference/facemap/face_img.jpg"
    out = tmp_path / "out"
    dumps = ("--dump-csv", "--dump-npy", "--dump-landmarks-csv", "--mesh")
    done = run(image, "--model", network, "--output", out, *dumps, "--decode-3dmm")
    assert done.exit_code == 0, done.output
    logs = out / "logs"
    meta = pd.read_csv(logs / "face_img_meta.csv")
    assert meta.columns.tolist() == META
    height, width = cv2.imread(str(image)).shape[:2]
    assert meta.iloc[0, 3:].tolist() == [0, 0, width - 1, height - 1]
    assert meta.status[0] == "ok"
    raw = pd.read_csv(logs / "face_img_raw.csv").iloc[0]
    np.testing.assert_array_equal(raw[1:].to_numpy(np.float32), values)
    np.testing.assert_array_equal(np.load(logs / "face_img_raw.npy"), values[None])
    summary = pd.read_csv(logs / "face_img_summary.csv").iloc[0]
    np.testing.assert_allclose([summary["min"], summary["max"]], [values.min(), values.max()], 1e-5)
    face = FaceMapDecoder.load()(values, (0, 0, width - 1, height - 1))
    row = pd.read_csv(logs / "face_img_landmarks.csv").iloc[0]
    np.testing.assert_allclose(row[1:137], face.points.T.ravel(), atol=1e-3)
    np.testing.assert_allclose(row[["pitch", "yaw", "roll"]], np.degrees(face.pose), atol=1e-3)
    drawn = cv2.imread(str(out / "face_img_overlay.jpg"))
    x, y = face.points[30].round().astype(int)
    assert np.abs(drawn.astype(int) - cv2.imread(str(image)))[y, x].max() > 40


def test_clean_deletes_what_was_written(network: Path, shared: Path, tmp_path: Path) -> None:
    image = shared / "reference/facemap/face_img.jpg"
    out = tmp_path / "out"
    assert run("--image", image, "--model", network, "--out", out).exit_code == 0
    (out / "mine_overlay.jpg").write_text("mine")
    done = run("--clean", "--out", out)
    assert done.stdout == f"{out}: 3 files deleted\n"
    left = [path.name for path in out.rglob("*") if path.is_file()]
    assert left == ["mine_overlay.jpg"]


def test_a_video_whose_face_goes(
    network: Path, values: np.ndarray, shared: Path, tmp_path: Path
) -> None:
    face = cv2.imread(str(shared / "reference/facemap/face_img.jpg"))[:400, :400]
    moved = np.roll(face, 60, axis=1)
    frames = [face, np.full_like(face, 90), moved, face]
    video = write_video(tmp_path / "v.mp4", frames)
    args = ("--video", video, "--model", network, "--face-detect", "--dump-landmarks-csv")
    done = run(*args, "--out", tmp_path / "a", "--save-video", "--skip-if-no-face")
    assert done.exit_code == 0, done.output
    meta = pd.read_csv(tmp_path / "a/logs/v_meta.csv")
    assert meta.frame.tolist() == [1, 2, 3, 4]
    assert meta.status.tolist() == ["ok", "no_face", "ok", "jump"]
    assert meta.reason[1] == "no face detected"
    assert re.fullmatch(r"points moved by (59|6\d)\.\d pixels since the last frame", meta.reason[3])
    x0, _, x1, _ = meta.iloc[0, 3:]
    assert 200 < x1 - x0 < 400
    assert 50 < meta.x0[2] - x0 < 70
    points = pd.read_csv(tmp_path / "a/logs/v_landmarks.csv")
    assert points.iloc[1, 1:].isna().all()
    assert points.iloc[[0, 2, 3], 1:].notna().all(axis=None)
    with VideoReader(tmp_path / "a/v_overlay.mp4") as overlay:
        assert (overlay.width, overlay.height) == (400, 400)
        assert len(list(overlay)) == 4

    done = run(*args, "--out", tmp_path / "b", "--jump-threshold", 1e6)
    meta = pd.read_csv(tmp_path / "b/logs/v_meta.csv")
    assert meta.status.tolist() == ["ok", "whole_picture", "ok", "ok"]
    assert not (tmp_path / "b/v_overlay.mp4").exists()
    assert pd.read_csv(tmp_path / "b/logs/v_landmarks.csv").notna().all(axis=None)


def test_points_of_other_networks(tmp_path: Path) -> None:
    network = write_network(tmp_path / "n.onnx", np.array([0.5, 0.25, 1, 1, 64, 32]))
    write_video(tmp_path / "v.mp4", pictures(2, 64, 48))
    args = (tmp_path / "v.mp4", "--model", network, "--dump-landmarks-csv")
    run(*args, "--assume-points", 2, "--assume-norm", "--out", tmp_path / "a")
    row = pd.read_csv(tmp_path / "a/logs/v_landmarks.csv").iloc[1]
    assert row[1:5].tolist() == [32, 64, 12, 48]
    assert row[5:].isna().all()
    run(*args, "--assume-points", 3, "--out", tmp_path / "b")
    row = pd.read_csv(tmp_path / "b/logs/v_landmarks.csv").iloc[0]
    assert (row.x_2, row.y_2) == (32, 12)


def test_an_answer_of_nan_fails_its_frame(
    shared: Path, tmp_path: Path, facemap_weights: Path
) -> None:
    network = write_network(tmp_path / "n.onnx", np.full(265, np.nan))
    image = shared / "reference/facemap/face_img.jpg"
    args = (image, "--model", network, "--dump-landmarks-csv", "--out", tmp_path / "out")
    assert run(*args).exit_code == 0
    meta = pd.read_csv(tmp_path / "out/logs/face_img_meta.csv").iloc[0]
    assert (meta.status, meta.reason) == ("failed", "the network answers NaN or infinity")
    row = pd.read_csv(tmp_path / "out/logs/face_img_landmarks.csv").iloc[0]
    assert row[1:].isna().all()


def test_inspect_and_wrong_use(network: Path, tmp_path: Path, weights_dir: Path) -> None:
    done = run("--inspect", "--model", network)
    assert done.exit_code == 0
    assert "input  image: tensor(float), shape (1, 3, 128, 128)" in done.stdout
    small = write_network(tmp_path / "n.onnx", np.zeros(20))
    for args, message in (
        ((), "give an IMAGE or VIDEO"),
        (("a.jpg", "--image", "b.jpg"), "IMAGE|VIDEO, --image, --video: give one of them"),
        (("a.jpg", "--assume-norm"), "--assume-norm goes with --assume-points"),
        (("a.jpg", "--skip-if-no-face"), "--skip-if-no-face goes with --face-detect"),
        (("a.jpg", "--model", small, "--decode-3dmm"), "expected a network of 265 values"),
        (("a.jpg", "--model", small, "--assume-points", "11"), "expected 22 values or more"),
        (("a.jpg", "--model", small, "--dump-landmarks-csv"), "--assume-points N says how many"),
        (("a.jpg", "--model", small, "--output-name", "z"), "see --inspect"),
        (("a.jpg", "--model", network), "a.jpg: no such file"),
        (("--inspect", "--model", tmp_path / "no.onnx"), "no.onnx: no such model file"),
    ):
        done = run(*args, *(() if "--model" in args else ("--model", network)))
        assert done.exit_code != 0
        assert message in done.stderr.splitlines()[-1], args
