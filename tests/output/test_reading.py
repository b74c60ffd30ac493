"""Tables in every format, and reading them: ours, OpenFace's, and what is neither."""

from __future__ import annotations

import gzip
import importlib.util

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pyfaceau
from pyfaceau.errors import InputError, OutputError
from pyfaceau.output.openface_csv import PICTURE, SEVERAL, OpenFaceCSV
from pyfaceau.output.table_formats import store
from pyfaceau.types import AUPrediction, FrameResult
from tests.output.results import face

SUFFIXES = (".csv", ".csv.gz", ".parquet")


def with_units(result, value):
    units = AUPrediction(np.full(17, value), np.full(18, float(value > 1)))
    return FrameResult(**{**result.__dict__, "action_units": units})


def write(path, rows=4, groups=None, layout=SEVERAL):
    with OpenFaceCSV(path, groups, layout) as table:
        for index in range(rows):
            result = face(index // 2, confidence=index / 7, face_id=index % 2)
            table.write(with_units(result, index / 3))
        return table.finish()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_each_format_reads_the_same(tmp_path, suffix):
    table = pyfaceau.read(write(tmp_path / f"a{suffix}"))
    assert table.index.name == "frame"
    assert table.index.tolist() == [1, 1, 2, 2]
    assert table["face_id"].tolist() == [0, 1, 0, 1]
    assert table["confidence"].tolist() == [0.0, 0.14, 0.29, 0.43]
    assert table["AU01_r"].tolist() == [0.0, 0.33, 0.67, 1.0]
    kinds = {name: str(kind) for name, kind in table.dtypes.items()}
    assert {name for name, kind in kinds.items() if kind == "int64"} == {"face_id", "success"}
    assert set(kinds.values()) == {"int64", "float64"}
    assert [path.name for path in tmp_path.iterdir()] == [f"a{suffix}"]
    pd.testing.assert_frame_equal(table, pyfaceau.read(write(tmp_path / "b.csv")))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_choice_of_columns_is_the_whole_tables(tmp_path, suffix):
    path = write(tmp_path / f"a{suffix}")
    whole = pyfaceau.read(path)
    some = pyfaceau.read(path, lambda name: name.startswith("AU12"))
    about = ["face_id", "timestamp", "confidence", "success"]
    assert list(some) == [*about, "AU12_r", "AU12_c", whole.columns[-1]]
    pd.testing.assert_frame_equal(some, whole[list(some)])


@pytest.mark.parametrize(
    "rows", ["1, 0.5, 1, 2, 3, 4", "1, 0.5, 1, 2", "1, 0.5, 1"], ids=["long", "short", "shorter"]
)
def test_a_choice_of_columns_does_not_hide_a_broken_row(tmp_path, rows):
    path = tmp_path / "a.csv"
    path.write_text(f"frame, confidence, success, x_0, x_1\n1, 0.5, 1, 2, 3\n{rows}\n")
    for wanted in (None, lambda name: name == "x_1", lambda name: False):
        with pytest.raises(InputError, match=r"cannot be read as a table|row 2 is not complete"):
            pyfaceau.read(path, wanted)


def test_long_tables_pass_through_parquet_in_pieces(tmp_path):
    rows = [f"{k}, 0.5, 1, {k / 8:.3f}\n" for k in range(2500)]
    columns = ["frame", "confidence", "success", "x_0"]
    for suffix in (".parquet", ".csv"):
        store(tmp_path / f"a{suffix}", suffix, columns, iter(rows))
    table = pyfaceau.read(tmp_path / "a.parquet")
    pd.testing.assert_frame_equal(table, pyfaceau.read(tmp_path / "a.csv"))
    assert table["x_0"].iloc[-1] == 2499 / 8


def test_the_same_table_is_the_same_bytes(tmp_path):
    first = write(tmp_path / "a.csv.gz").read_bytes()
    assert write(tmp_path / "other.csv.gz").read_bytes() == first
    assert gzip.decompress(first) == write(tmp_path / "a.csv").read_bytes()


def test_a_still_pictures_faces_are_the_index(tmp_path):
    table = pyfaceau.read(write(tmp_path / "a.csv", layout=PICTURE))
    assert table.index.name == "face"
    assert table.index.tolist() == [0, 1, 0, 1]
    assert "success" not in table


@pytest.mark.parametrize(
    ("name", "shape", "index"),
    [
        ("video/single_face", (72, 713), "frame"),
        ("multi/multi_face", (2103, 713), "frame"),
        ("image/sample6", (12, 710), "face"),
    ],
)
def test_openfaces_own_tables(shared, name, shape, index):
    path = shared / f"reference/{name}.csv.gz"
    table = pyfaceau.read(path)
    assert (table.shape, table.index.name) == (shape, index)
    with gzip.open(path, "rt") as file:
        header, *_, last = file.read().splitlines()
    assert [index, *table.columns] == [column.strip() for column in header.split(",")]
    values = [float(cell) for cell in last.split(",")]
    assert [float(table.index[-1]), *table.iloc[-1]] == values


@settings(max_examples=30, deadline=None)
@given(st.lists(st.decimals(-99999, 99999, places=6), min_size=1, max_size=5))
def test_every_digit_is_read(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("read") / "a.csv"
    rows = [f"{k}, {value}\n" for k, value in enumerate(values)]
    path.write_text("face, confidence\n" + "".join(rows))
    assert pyfaceau.read(path)["confidence"].tolist() == [float(value) for value in values]


def test_true_and_false_are_numbers(tmp_path):
    (tmp_path / "a.csv").write_text("frame,confidence,success,x_0\n1,0.5,True,2\n2,0.5,False,3\n")
    table = pyfaceau.read(tmp_path / "a.csv")
    assert table["success"].tolist() == [1, 0]
    assert str(table["success"].dtype) == "int64"


def test_no_number_is_not_zero(tmp_path):
    (tmp_path / "a.csv").write_text(
        "frame,confidence,success,x_0,x_1\n1,0.5,1,nan,2\n2,0.5,1,-nan(ind),3\n"
    )
    table = pyfaceau.read(tmp_path / "a.csv")
    assert table["x_0"].isna().all()
    assert table["x_1"].tolist() == [2, 3]


def test_a_table_without_rows_is_one(tmp_path):
    (tmp_path / "a.csv").write_text("frame, face_id, confidence, success, x_0\n")
    table = pyfaceau.read(tmp_path / "a.csv")
    assert len(table) == 0
    assert pyfaceau.read(tmp_path / "a.csv", lambda name: False).dtypes.equals(table.dtypes)
    assert str(table["success"].dtype) == "int64"


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.csv", b"", "cannot be read as a table: No columns"),
        ("a.csv", b"name,age\nx,3\n", "expected a table of pyfaceau or OpenFace .* got name, age"),
        ("a.csv", bytes(range(256)) * 9, "cannot be read as a table"),
        (
            "a.csv",
            b"face, confidence\n0, high\n",
            "column confidence: expected numbers, got 'high'",
        ),
        ("a.csv", b"face, confidence\n0.5, 1\n", "column face: expected whole numbers"),
        ("a.csv", b"face, confidence, x\n0, 1, 2\n1, 1\n", "row 2 is not complete"),
        ("a.csv", b"face, confidence\n0, 1, 2\n", "cannot be read as a table"),
        ("a.csv.gz", b"no gzip", "cannot be read"),
        ("a.csv.gz", gzip.compress(b"face, confidence\n0, 1\n", mtime=0)[:-9], "cannot be read"),
        ("a.parquet", b"PAR1", "cannot be read as a table"),
        ("a.csv", None, "cannot be read: No such file"),
        ("", None, "expected a table, got a folder"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path, name, data, message):
    if data is not None:
        (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=message) as caught:
        pyfaceau.read(tmp_path / name)
    assert str(caught.value).startswith(str(tmp_path / name))
    assert "\n" not in str(caught.value)


def test_parquet_without_pyarrow_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(OutputError, match=r"a\.parquet: Parquet needs pyarrow: pip install"):
        OpenFaceCSV(tmp_path / "a.parquet")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_full_disk_at_the_end_leaves_nothing(tmp_path, full_disk, suffix):
    with OpenFaceCSV(tmp_path / f"a{suffix}", ["2Dfp"]) as table:
        for index in range(10):
            table.write(face(index))
        with full_disk(500), pytest.raises(OutputError, match=r"cannot be written: "):
            table.finish()
    assert list(tmp_path.iterdir()) == []
