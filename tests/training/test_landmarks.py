"""Training a landmark network: data, resume, export, use; twenty faces, a few steps."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

torch = pytest.importorskip("torch", reason="needs the extra train")

from pyfaceau.cli.train import train
from pyfaceau.errors import InputError, OutputError
from pyfaceau.landmarks.network import open_network
from pyfaceau.landmarks.pfld import crop_from_box
from pyfaceau.training import checkpoint
from pyfaceau.training.crops import cut_faces
from pyfaceau.training.data import read_faces, read_pts, split_by_person
from pyfaceau.training.export import export, network_of
from pyfaceau.training.layouts import MIRROR_68
from pyfaceau.training.networks import NetworkSpec
from pyfaceau.training.options import TrainOptions
from pyfaceau.training.trainer import BEST, LAST, Trainer
from pyfaceau.types import FaceBox
from tests.drawn_faces import write_drawn_faces

SMALL = TrainOptions(NetworkSpec("pfld", 0.1, side=64), epochs=3, batch=8, loss="wing", lr=2e-3)


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_drawn_faces(tmp_path_factory.mktemp("faces"))


@pytest.fixture(scope="module")
def crops(faces: Path):
    first, second = split_by_person(read_faces(faces).samples, 0.2)
    assert not {s.person for s in first} & {s.person for s in second}
    return cut_faces(first, 96), cut_faces(second, 96)


def test_loss_falls_and_resume_is_exact(crops, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    whole = Trainer(SMALL, *crops, tmp_path / "whole").run()
    losses = [row["loss"] for row in whole.history]
    assert losses[-1] < losses[0]
    short = replace(SMALL, epochs=2)
    Trainer(short, *crops, tmp_path / "parts").run()
    before = checkpoint.load(tmp_path / "parts" / LAST)
    again = Trainer(SMALL, *crops, tmp_path / "parts", resume=before).run()
    keys = ("loss", "nme", "nme_train", "lr")
    assert [[row[k] for k in keys] for row in again.history] == [
        [row[k] for k in keys] for row in whole.history
    ]
    one, other = (checkpoint.load(tmp_path / name / LAST).model for name in ("whole", "parts"))
    assert all(torch.equal(one[key], other[key]) for key in one)


def test_resume_refuses_other_faces(crops, tmp_path: Path) -> None:
    short = replace(SMALL, epochs=1)
    Trainer(short, *crops, tmp_path).run()
    before = checkpoint.load(tmp_path / LAST)
    assert len(before.faces) == 64
    learnt, judged = crops
    moved = learnt.points.copy()
    moved[0, 0, 0] += 1
    others = replace(learnt, points=moved)
    with pytest.raises(InputError, match=r"resume: expected the faces of the run, got others \("):
        Trainer(SMALL, others, judged, tmp_path, resume=before)
    unknown = replace(before, faces="")  # of a version that did not keep it
    assert Trainer(SMALL, others, judged, tmp_path, resume=unknown).state.faces != before.faces


def test_export_agrees_and_opens_in_the_pipeline(crops, tmp_path: Path) -> None:
    Trainer(replace(SMALL, epochs=1), *crops, tmp_path).run()
    saved = checkpoint.load(tmp_path / BEST)
    assert export(saved, tmp_path / "best.onnx") < 1e-4
    network = open_network(str(tmp_path / "best.onnx"))
    image = np.ascontiguousarray(crops[1].images[0])
    box = FaceBox(16, 16, 64, 64)
    points = network.predict_crops(image, crop_from_box(box)[None])[0]
    assert points.shape == (68, 2)
    assert np.isfinite(points).all()
    with torch.no_grad():
        answer = network_of(saved)(torch.zeros(1, 3, 64, 64))[0]
    assert answer.shape == (1, 136)


def test_damaged_checkpoint_and_full_disk(crops, tmp_path: Path, monkeypatch) -> None:
    Trainer(replace(SMALL, epochs=1), *crops, tmp_path).run()
    good = (tmp_path / LAST).read_bytes()
    (tmp_path / "cut.pt").write_bytes(good[: len(good) // 2])
    with pytest.raises(InputError, match="a damaged checkpoint"):
        checkpoint.load(tmp_path / "cut.pt")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(OutputError, match="the one before is untouched"):
        checkpoint.save(checkpoint.load(tmp_path / LAST), tmp_path / LAST)
    assert (tmp_path / LAST).read_bytes() == good


def test_formats_agree_on_where_points_are(shared: Path) -> None:
    folder = shared / "datasets/lfpw5/examples/data/ibug_lfpw_trainset"
    data = read_faces(folder)
    assert len(data.samples) == 5
    text = (folder / "image_0001.pts").read_text().split("{")[1].split()[:2]
    np.testing.assert_allclose(
        read_pts(folder / "image_0001.pts")[0], np.array(text, float) - 1, atol=1e-3
    )
    dlib = read_faces(shared / "datasets/dlib_faces/testing_with_face_landmarks.xml")
    assert all(sample.box is not None for sample in dlib.samples)


def test_mirror_is_its_own_inverse() -> None:
    np.testing.assert_array_equal(MIRROR_68[MIRROR_68], np.arange(68))
    assert (MIRROR_68[36], MIRROR_68[48], MIRROR_68[8]) == (45, 54, 8)


@pytest.mark.parametrize("what", ["empty folder", "nothing", "one person", "one image", "NaN"])
def test_bad_data_is_one_line(faces: Path, tmp_path: Path, what: str) -> None:
    path = tmp_path / "data"
    if what == "empty folder":
        path.mkdir()
    elif what != "nothing":
        with np.load(faces) as table:
            values = dict(table)
        if what == "one person":
            values["identity"] = np.array(["A"] * len(values["names"]))
        elif what == "one image":
            values = {key: each[:1] for key, each in values.items()}
        else:
            values["points"] = np.full_like(values["points"], np.nan)
        shutil.copytree(faces.with_suffix(""), tmp_path / "data")
        np.savez(tmp_path / "data.npz", **values)
        path = tmp_path / "data.npz"
    done = CliRunner().invoke(
        train, ["landmarks", "--data", str(path), "--out", str(tmp_path / "run")]
    )
    assert done.exit_code == 1
    assert done.output.startswith("Error: ")
    assert len(done.output.strip().splitlines()) == 1
    assert not (tmp_path / "run").exists()


def test_what_stops_a_run_is_said_in_a_line(faces: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / LAST).write_bytes(b"PK\x03\x04 no checkpoint")
    for out, options, message in (
        ("file", [], "expected a folder to write to"),
        ("run", ["--resume"], "a damaged checkpoint, or none of this program"),
        ("new", ["--resume"], "no such checkpoint"),
        ("new", ["--held-back", "1"], "share: expected a number between 0 and 1"),
        ("new", ["--lr", "-1"], "lr: expected a positive number"),
    ):
        args = ["landmarks", "--data", str(faces), "--out", str(tmp_path / out), *options]
        done = CliRunner().invoke(train, args)
        assert done.exit_code == 1, done.output
        assert message in done.output.strip().splitlines()[-1]
    assert (tmp_path / "file").read_text(encoding="utf-8") == "in the way"


def test_points_outside_the_picture_are_listed(faces: Path, tmp_path: Path) -> None:
    with np.load(faces) as table:
        values = dict(table)
    values["points"][0] += 500
    values["points"][1, :3] -= 300
    values["points"][2, 36] = np.nan
    shutil.copytree(faces.with_suffix(""), tmp_path / "data")
    np.savez(tmp_path / "data.npz", **values)
    args = ["--width", "0.1", "--epochs", "1", "--batch", "8", "--out", str(tmp_path / "run")]
    done = CliRunner().invoke(train, ["landmarks", "--data", str(tmp_path / "data.npz"), *args])
    assert done.exit_code == 0, done.output
    problems = (tmp_path / "run/problems.txt").read_text(encoding="utf-8").splitlines()
    assert [line.partition(".png: ")[2].partition(".png: ")[2] for line in problems] == [
        "68 points lie outside the picture; left out",
        "3 points lie outside the picture; kept",
        "67 points are numbers, of both eyes' outer corners",
    ]
