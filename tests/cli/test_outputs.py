"""The command's files beside the table: names, options that go together, what is said."""

from __future__ import annotations

import cv2
import pandas as pd
import pytest
from click.testing import CliRunner

import pyfaceau
from pyfaceau.cli.command import main
from pyfaceau.cli.outputs import outputs_for
from pyfaceau.output.aligned import Crop
from tests.pipeline.test_video import Drifting
from tests.video_files import pictures, write_video

NOTHING = {
    "hog": False,
    "aligned": None,
    "simalign": False,
    "simsize": None,
    "simscale": None,
    "nomask": False,
    "g": False,
    "nobadaligned": False,
    "tracked": None,
    "named_tracked": False,
    "details": False,
}


@pytest.fixture
def run(weights_dir, tmp_path, monkeypatch):
    """Return a function that runs the command, in an empty folder, with a face in every frame."""
    assert weights_dir.is_dir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("pyfaceau.pipeline.video.make_tracker", lambda *_: Drifting(gaps=(1,)))
    return lambda *arguments: CliRunner().invoke(main, [str(word) for word in arguments])


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".parquet", ".CSV"])
def test_files_without_a_name_bear_the_tables(tmp_path, suffix):
    wanted = {"hog": True, "simalign": True, "named_tracked": True, "details": True}
    outputs = outputs_for({**NOTHING, **wanted}, tmp_path / f"a.b{suffix}", still=False)
    assert outputs.hog == tmp_path / "a.b.hog"
    assert outputs.aligned == tmp_path / "a.b_aligned"
    assert outputs.tracked == tmp_path / "a.b.avi"
    assert outputs.details == tmp_path / "a.b_of_details.txt"
    still = outputs_for({**NOTHING, **wanted}, tmp_path / f"a.b{suffix}", still=True)
    assert still.tracked == tmp_path / "a.b.jpg"


def test_nothing_but_the_table_without_options(tmp_path):
    outputs = outputs_for(NOTHING, tmp_path / "a.csv", still=False)
    assert not outputs.features
    assert {outputs.hog, outputs.aligned, outputs.tracked, outputs.details} == {None}


def test_options_of_aligned_faces(tmp_path):
    given = {"simsize": 200, "simscale": 1.1, "nomask": True, "g": True, "nobadaligned": True}
    outputs = outputs_for({**NOTHING, **given}, tmp_path / "a.csv", still=False)
    assert outputs.crop == Crop(200, 1.1, mask=False, gray=True, failures=False)


def test_every_file_is_announced(run, tmp_path):
    write_video(tmp_path / "v.mp4", pictures(3))
    result = run(
        *("v.mp4", "-o", "out/a.csv", "-aus", "--hog", "--details"),
        *("--aligned", "faces", "-simsize", "50", "-g", "-nobadaligned", "--tracked", "a.mp4"),
    )
    assert result.output.splitlines() == [
        "out/a.csv: 3 frames, 2 with a face",
        "  out/a.hog",
        "  faces",
        "  a.mp4",
        "  out/a_of_details.txt",
    ]
    assert names(tmp_path) == [
        "a.mp4",
        "faces/frame_det_00_000001.bmp",
        "faces/frame_det_00_000003.bmp",
        "out/a.csv",
        "out/a.hog",
        "out/a_of_details.txt",
        "v.mp4",
    ]
    face = cv2.imread(str(tmp_path / "faces/frame_det_00_000001.bmp"), cv2.IMREAD_UNCHANGED)
    assert face.shape == (50, 50)


def test_openfaces_names_for_a_batch(run, tmp_path):
    for name in ("v.mp4", "w.mp4"):
        write_video(tmp_path / name, pictures(2))
    result = run("v.mp4", "w.mp4", "-out_dir", "x", "-hogalign", "-simalign", "-tracked")
    assert result.exit_code == 0
    assert {name.partition("/")[0] for name in names(tmp_path / "x")} == {
        f"{stem}{end}" for stem in "vw" for end in (".csv", ".hog", "_aligned", ".avi")
    }


@pytest.mark.parametrize("suffix", ["csv.gz", "parquet"])
def test_the_tables_name_tells_its_format(run, tmp_path, suffix):
    write_video(tmp_path / "v.mp4", pictures(3))
    for name in (f"a.{suffix}", "b.csv"):
        assert run("v.mp4", "-o", name).exit_code == 0
    assert pyfaceau.read(f"a.{suffix}").equals(pyfaceau.read("b.csv"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-simsize", "200"], "-simsize goes with --aligned FOLDER"),
        (["-nomask"], "-nomask goes with --aligned FOLDER"),
        (["--hog", "-g"], "-g goes with --aligned FOLDER"),
        (["-simalign", "-simsize", "0"], "Invalid value for '-simsize'"),
        (["-simalign", "-simscale", "0"], "Invalid value for '-simscale'"),
        (["--aligned", "x", "-simalign"], "--aligned and -simalign: give one of them"),
        (["--tracked", "x.avi", "-tracked"], "--tracked and -tracked: give one of them"),
        (["b.mp4", "--aligned", "x"], "--aligned is for one input, got 2: use -simalign"),
        (["b.mp4", "--tracked", "x.avi"], "--tracked is for one input, got 2: use -tracked"),
    ],
)
def test_wrong_use(run, arguments, message):
    result = run("a.mp4", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--tracked", "v.mp4"], "Error: v.mp4: is the input itself"),
        (["--tracked", "t.jpg"], "Error: t.jpg: expected a name that ends in .avi or .mp4"),
        (["--aligned", "."], "Error: .: holds other files (v.mp4): name a new folder"),
        (["--aligned", "v.mp4"], "Error: v.mp4: is the input itself"),
    ],
)
def test_what_must_not_be_written_is_one_line(run, tmp_path, arguments, message):
    write_video(tmp_path / "v.mp4", pictures(2))
    before = (tmp_path / "v.mp4").read_bytes()
    result = run("v.mp4", "-o", "a.csv", *arguments)
    assert result.exit_code == 1
    assert result.stderr.startswith(message)
    assert names(tmp_path) == ["v.mp4"]
    assert (tmp_path / "v.mp4").read_bytes() == before


def test_quality_of_a_single_video(run, tmp_path):
    write_video(tmp_path / "a.mp4", pictures(5))
    result = run("a.mp4", "-o", "a.csv", "-pose", "--quality")
    assert result.exit_code == 0, result.output
    table = pd.read_csv(tmp_path / "a.quality.csv.gz")
    assert table["frame"].tolist() == [1, 2, 3, 4, 5]
    assert {"damaged", "cut", "clock", "resized", "turned", "usable"} <= set(table.columns)
    assert table["no_face"].sum() == 1  # the gap of the drifting face
