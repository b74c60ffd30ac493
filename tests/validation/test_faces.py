"""The comparison of pictures and several faces counts what it should."""

from __future__ import annotations

import gzip

import pytest

from validation.faces import compare, person, trust

HEADER = "frame, face_id, success, gaze_0_x, pose_Rx, x_30, y_30, AU01_r, AU01_c"
ROWS = ["1, 0, 1, 0.100000, 0.5, 1.0, 2.0, 0.10, 1.0", "1, 1, 1, 0.2, 0.6, 3.0, 4.0, 0.20, 0.0"]


@pytest.fixture
def table(tmp_path):
    """Return a function that writes a table of lines."""

    def write(name, lines):
        path = tmp_path / name
        text = "\n".join([HEADER, *lines]) + "\n"
        path.write_bytes(gzip.compress(text.encode()) if name.endswith("gz") else text.encode())
        return path

    return write


def test_equal_tables_have_no_unequal_string(table):
    result = compare(table("r.csv.gz", ROWS), table("o.csv", ROWS))
    assert (result.rows, result.good(), sum(result.unequal.values())) == (2, True, 0)
    assert result.total == {"meta": 6, "gaze": 2, "pose": 2, "2Dfp": 4, "aus": 4}


@pytest.mark.parametrize(
    ("old", "new", "kind", "good"),
    [
        ("0.100000", "0.100200", "gaze", True),
        ("0.100000", "0.100400", "gaze", False),
        ("0.5,", "-0.5,", "pose", False),
        ("0.10,", "0.11,", "aus", False),
        ("2.0,", "2.1,", "2Dfp", False),
    ],
)
def test_an_unequal_string_is_counted_in_its_group(table, old, new, kind, good):
    changed = [ROWS[0].replace(old, new), ROWS[1]]
    result = compare(table("r.csv.gz", ROWS), table("o.csv", changed))
    assert result.unequal == {kind: 1}
    assert result.good() == good


def test_a_missing_row_is_no_agreement(table):
    assert not compare(table("r.csv.gz", ROWS), table("o.csv", ROWS[:1])).good()


def test_rows_with_their_persons_number_are_counted(table):
    assert [person(1, frame) for frame in (1, 409, 521)] == ["B", "C", "B"]
    lines = [
        f"{frame}, {slot}, 1, 0, 0, {frame}.0, {slot}.0, 0, 0"
        for frame, slot in ((1, 0), (2, 0), (1, 1), (2, 1), (1, 2), (2, 2))
    ]
    named = [line.replace("2, 2, 1,", "2, 7, 1,") for line in lines]
    assert trust(table("s.csv", lines), table("n.csv", named)) == (5, 6, 4)
