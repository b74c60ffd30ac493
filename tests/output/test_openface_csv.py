"""The table: OpenFace's columns and digits, streaming, never half written under its name."""

from __future__ import annotations

import dataclasses
import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyfaceau.errors import InputError, OutputError
from pyfaceau.output.openface_csv import GROUPS, OpenFaceCSV, read_table, selected_groups
from pyfaceau.output.reading import read
from pyfaceau.types import EyeFit, FrameResult, Gaze, HeadPose, ShapeFit, TrackedFace

F32 = np.float32


def plain(index: int = 0, value: float = 0.25, success: bool = True) -> FrameResult:
    """Return a result without eyes in which every number is `value`."""
    shape = ShapeFit(np.full(6, value, F32), np.full(34, value, F32))
    face = TrackedFace(success, success, 0.975, np.full((68, 2), value, F32), shape)
    pose = HeadPose(np.full(3, value, F32), np.full(3, value, F32))
    return FrameResult(index, index / 25, face, np.full((68, 3), value, F32), pose)


def from_numbers(numbers: dict[str, float]) -> FrameResult:
    """Turn a row of the reference's full-precision table into the result that it reports."""

    def take(*names: str) -> np.ndarray:
        return np.array([numbers[name] for name in names], F32)

    def points(names: str, start: int, stop: int) -> np.ndarray:
        columns = [take(*(f"{n}_{i}" for i in range(start, stop))) for n in names.split()]
        return np.stack(columns, -1)

    shape = ShapeFit(
        take(*(f"p_{n}" for n in ("scale", "rx", "ry", "rz", "tx", "ty"))),
        take(*(f"p_{i}" for i in range(34))),
    )
    eye_shape = ShapeFit(np.ones(6, F32), np.zeros(10, F32))
    eyes = tuple(EyeFit(points("eye_lmk_x eye_lmk_y", k, k + 28), eye_shape) for k in (0, 28))
    success = bool(numbers["success"])
    face = TrackedFace(
        success, success, numbers["confidence"], points("x y", 0, 68), shape, (eyes[0], eyes[1])
    )
    gaze = Gaze(
        take(*(f"gaze_{e}_{a}" for e in (0, 1) for a in "xyz")).reshape(2, 3),
        take("gaze_angle_x", "gaze_angle_y"),
    )
    pose = HeadPose(take("pose_Tx", "pose_Ty", "pose_Tz"), take("pose_Rx", "pose_Ry", "pose_Rz"))
    return FrameResult(
        index=int(numbers["frame"]) - 1,
        timestamp=numbers["timestamp"],
        face=face,
        landmarks_3d=points("X Y Z", 0, 68),
        pose=pose,
        gaze=gaze,
        eyes_3d=points("eye_lmk_X eye_lmk_Y eye_lmk_Z", 0, 56),
    )


def numbers_of(path: Path) -> tuple[list[str], np.ndarray]:
    with gzip.open(path, "rt") as file:
        names = [name.strip() for name in file.readline().split(",")]
        return names, np.loadtxt(file, delimiter=",", ndmin=2)


def on_the_edge(value: float, text: str) -> bool:
    """Tell whether seven decimals do not tell which way `text` was rounded."""
    unit = 10.0 ** -len(text.partition(".")[2])
    return abs(value / unit - np.floor(value / unit) - 0.5) * unit < 1.01e-7


@pytest.mark.parametrize("name", ["single_face", "face_noface", "noface_face"])
def test_the_text_is_the_reference_programs(shared, tmp_path, name):
    # Values from the run printed with seven decimals, expected text from the run itself.
    names, table = numbers_of(shared / f"reference/precise/{name}.csv.gz")
    first = names.index("AU01_r")
    with OpenFaceCSV(tmp_path / "out.csv") as writer:
        for row in table:
            writer.write(from_numbers(dict(zip(names, row, strict=True))))
        writer.finish(table[:, first : first + 17], table[:, first + 17 :])
    with gzip.open(shared / f"reference/video/{name}.csv.gz", "rt", newline="") as file:
        expected = file.read().split("\n")
    lines = (tmp_path / "out.csv").read_text().split("\n")
    assert (lines[0], lines[-1], len(lines)) == (expected[0], "", len(expected))
    edges = 0
    for line, reference, row in zip(lines[1:-1], expected[1:-1], table, strict=True):
        cells = zip(line.split(", "), reference.split(", "), row, strict=True)
        wrong = [cell for cell in cells if cell[0] != cell[1]]
        assert [cell for cell in wrong if not on_the_edge(cell[2], cell[1])] == []
        edges += len(wrong)
    assert edges < 0.001 * table.size


def test_columns_are_714_in_openfaces_order(shared):
    with gzip.open(shared / "reference/video/single_face.csv.gz", "rt") as file:
        header = file.readline().strip().split(", ")
    meta = header[:5]
    assert meta + [name for group in GROUPS.values() for name, _ in group] == header
    assert len(header) == 714


def test_hand_made_row(tmp_path):
    with OpenFaceCSV(tmp_path / "out.csv", ["pose", "aus"]) as writer:
        writer.write(plain(index=3, value=-0.04))
        writer.finish(np.full((1, 17), 1.125), np.ones((1, 18)))
    header, row, end = (tmp_path / "out.csv").read_text().split("\n")
    assert header.startswith("frame, face_id, timestamp, confidence, success, pose_Tx, pose_Ty")
    assert row == "4, 0, 0.120, 0.97, 1, " + "-0.0, " * 3 + "-0.040, " * 3 + ", ".join(
        ["1.12"] * 17 + ["1.00"] * 18
    )
    assert end == ""


def test_gaze_is_left_out_where_there_is_none(tmp_path):
    with OpenFaceCSV(tmp_path / "out.csv", ["gaze", "pose"]) as writer:
        writer.write(plain())
        writer.finish()
    assert list(read_table(tmp_path / "out.csv").columns[5:]) == [n for n, _ in GROUPS["pose"]]


def test_gaze_that_ends_mid_way_is_an_error(shared, tmp_path):
    names, table = numbers_of(shared / "reference/precise/single_face.csv.gz")
    result = from_numbers(dict(zip(names, table[0], strict=True)))
    with OpenFaceCSV(tmp_path / "out.csv") as writer:
        writer.write(result)
        with pytest.raises(InputError, match="expected eyes and gaze"):
            writer.write(dataclasses.replace(result, gaze=None))


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=5))
def test_what_is_read_is_what_was_written_to_the_last_digit(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("csv") / "out.csv"
    with OpenFaceCSV(path, ["2Dfp"]) as writer:
        for index, value in enumerate(values):
            writer.write(plain(index, value))
        writer.finish()
    table = read_table(path)
    assert table["x_67"].tolist() == [round(float(F32(value)), 1) for value in values]
    assert table["frame"].tolist() == [k + 1 for k in range(len(values))]


def test_nothing_has_the_name_before_the_end(tmp_path):
    (tmp_path / "out.csv").write_text("old")
    with OpenFaceCSV(tmp_path / "out.csv", ["pose"]) as writer:
        writer.write(plain())
        assert (tmp_path / "out.csv").read_text() == "old"
        writer.finish()
    assert (tmp_path / "out.csv").read_text().startswith("frame, ")
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]


def test_an_error_leaves_nothing(tmp_path):
    writer = OpenFaceCSV(tmp_path / "out.csv")
    writer.write(plain())
    writer.__exit__(RuntimeError, RuntimeError(), None)
    assert list(tmp_path.iterdir()) == []


def test_partial_table_has_its_own_name_and_goes_when_the_whole_one_comes(tmp_path):
    for partial, left in ((True, "a.b.partial.csv"), (False, "a.b.csv")):
        with OpenFaceCSV(tmp_path / "a.b.csv", ["pose"]) as writer:
            writer.write(plain())
            assert writer.finish(partial=partial) == tmp_path / left
        assert [path.name for path in tmp_path.iterdir()] == [left]


def test_action_units_of_other_frames_are_refused(tmp_path):
    with OpenFaceCSV(tmp_path / "out.csv") as writer:
        writer.write(plain())
        with pytest.raises(InputError, match=r"intensities: expected \(1, 17\)"):
            writer.finish(np.zeros((2, 17)), np.zeros((2, 18)))


@pytest.mark.parametrize("name", ["out.txt", "folder.csv", "file.txt/out.csv", "x" * 300 + ".csv"])
def test_an_output_that_cannot_be_is_refused_before_the_first_row(tmp_path, name):
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "file.txt").touch()
    with pytest.raises(OutputError, match=r"\.(csv|txt): "):
        OpenFaceCSV(tmp_path / name)


def write_many(writer: OpenFaceCSV, count: int) -> None:
    for index in range(count):
        writer.write(plain(index))


def test_a_full_disk_is_an_output_error_and_leaves_nothing(tmp_path, full_disk):
    with (
        OpenFaceCSV(tmp_path / "out.csv", ["3Dfp"]) as writer,
        full_disk(20_000),
        pytest.raises(OutputError, match=r"out\.csv: cannot be written: "),
    ):
        write_many(writer, 1000)
    assert list(tmp_path.iterdir()) == []


def test_missing_folders_are_made_and_permissions_are_the_usual_ones(tmp_path):
    with OpenFaceCSV(tmp_path / "a/b/out.csv", ["pose"]) as writer:
        writer.write(plain())
        writer.finish()
    (tmp_path / "plain").touch()
    modes = {(tmp_path / name).stat().st_mode for name in ("plain", "a/b/out.csv")}
    assert len(modes) == 1


def test_unknown_group():
    with pytest.raises(InputError, match=r"groups: expected some of gaze, pose, .* got 'hog'"):
        selected_groups(["pose", "hog"])
    assert selected_groups(["aus", "gaze"]) == ("gaze", "aus")
    assert selected_groups([]) == selected_groups(None) == tuple(GROUPS)


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz"])
def test_plain_dialect_differs_by_its_spaces_alone(shared, tmp_path, suffix):
    names, table = numbers_of(shared / "reference/precise/single_face.csv.gz")
    first = names.index("AU01_r")
    texts = {}
    for header in ("openface", "plain"):
        with OpenFaceCSV(tmp_path / f"{header}{suffix}", header=header) as writer:
            for row in table[:5]:
                writer.write(from_numbers(dict(zip(names, row, strict=True))))
            path = writer.finish(table[:5, first : first + 17], table[:5, first + 17 :])
        data = path.read_bytes()
        texts[header] = (gzip.decompress(data) if suffix == ".csv.gz" else data).decode()
    assert texts["plain"].startswith("frame,face_id,timestamp,")
    assert " " not in texts["plain"]
    assert texts["plain"] == texts["openface"].replace(", ", ",")
    pd.testing.assert_frame_equal(
        read(tmp_path / f"plain{suffix}"), read(tmp_path / f"openface{suffix}")
    )
