"""The details file: what OpenFace says of a run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pyfaceau.errors import OutputError
from pyfaceau.output.details import DetailsFile
from pyfaceau.output.openface_csv import GROUPS, OpenFaceCSV
from pyfaceau.types import Camera
from tests.output.results import face, frame

CAMERA = Camera(458.33333, 437.5, 320, 180.5)


def write(folder, others=(), rows=1, groups=("pose", "2Dfp"), source="videos/a.mp4"):
    folder.mkdir(exist_ok=True)
    with (
        OpenFaceCSV(folder / "a.csv", groups) as table,
        DetailsFile(folder / "a_of_details.txt", Path(source), CAMERA, others, table) as details,
    ):
        for index in range(rows):
            table.write(face(index))
            details.write(frame(index), [face(index)])
        return details.finish().read_text(encoding="utf-8").splitlines()


def test_hand_made_file(tmp_path):
    others = [("HOG", tmp_path / "a.hog"), ("video", Path("/elsewhere/b.avi"))]
    assert write(tmp_path, others) == [
        "Input:videos/a.mp4",
        f"Input full path:{Path.cwd()}/videos/a.mp4",
        "Camera parameters:458.333,437.5,320,180.5",
        "Output HOG:a.hog",
        "Output video:/elsewhere/b.avi",
        "Output csv:a.csv",
        "Gaze: 0",
        "AUs: 0",
        "Landmarks 2D: 1",
        "Landmarks 3D: 0",
        "Pose: 1",
        "Shape parameters: 0",
    ]


def test_pixels_and_turns_stand_behind_openfaces_lines(tmp_path):
    with (
        OpenFaceCSV(tmp_path / "a.csv", ("pose",)) as table,
        DetailsFile(
            tmp_path / "a_of_details.txt", Path("a"), CAMERA, (), table, ("pixels are 16:15",)
        ) as details,
    ):
        for index, turn in enumerate((0, 1, 1)):
            details.write(replace(frame(index), turn=turn), [face(index)])
        lines = details.finish().read_text(encoding="utf-8").splitlines()
    assert lines[-2:] == [
        "Note: pixels are 16:15",
        "Note: 2 frames were measured turned by 90 degrees",
    ]


@pytest.mark.parametrize("group", GROUPS)
def test_each_group_has_its_line(tmp_path, group):
    lines = write(tmp_path, groups=(group,))
    assert [line for line in lines if line.endswith(": 1")] == [
        {
            "gaze": "Gaze: 1",
            "aus": "AUs: 1",
            "2Dfp": "Landmarks 2D: 1",
            "3Dfp": "Landmarks 3D: 1",
            "pose": "Pose: 1",
            "pdmparams": "Shape parameters: 1",
        }[group]
    ]


def test_a_table_without_rows_is_not_named(tmp_path):
    lines = write(tmp_path, rows=0)
    assert [line.partition(":")[0] for line in lines] == [
        "Input",
        "Input full path",
        "Camera parameters",
    ]


def test_names_of_any_alphabet(tmp_path):
    assert write(tmp_path, source="видео/é.mp4")[0] == "Input:видео/é.mp4"


def test_a_full_disk_is_an_output_error(tmp_path, full_disk):
    with (
        full_disk(20),
        pytest.raises(OutputError, match=r"a_of_details\.txt: cannot be written: "),
    ):
        write(tmp_path)
    assert list(tmp_path.iterdir()) == []
