"""What each input of the command is, and what is refused before any work."""

from __future__ import annotations

from pathlib import Path

import click
import cv2
import numpy as np
import pytest

from pyfaceau.cli.inputs import plan
from pyfaceau.errors import VideoError

OUT = Path("tables")


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("seq/b.png", "seq/a.jpg", "other/a.png", "b.JPG", "c.jpeg", "x.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        assert cv2.imwrite(str(tmp_path / name), np.zeros((8, 8, 3), np.uint8))
    for name in ("empty/notes.txt", "boxes/a.txt", "a.mov"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def planned(*names: str, **options: object) -> list[tuple[str, str, str]]:
    jobs = plan([Path(name) for name in names], None, OUT, **options)
    return [(job.kind, str(job.path), job.table.name) for job in jobs]


def test_pictures_videos_and_folders_are_told_apart(here):
    assert planned("a.mov", "b.JPG", "c.jpeg", "d", "seq") == [
        ("video", "a.mov", "a.csv"),
        ("still", "b.JPG", "b.csv"),
        ("still", "c.jpeg", "c.csv"),
        ("video", "d", "d.csv"),
        ("video", "seq", "seq.csv"),
    ]


def test_stills_takes_a_folder_apart(here):
    assert planned("seq", "x.png", stills=True) == [
        ("still", "seq/a.jpg", "a.csv"),
        ("still", "seq/b.png", "b.csv"),
        ("still", "x.png", "x.csv"),
    ]
    with pytest.raises(VideoError, match="empty: no picture in it"):
        planned("empty", stills=True)


def test_the_folder_in_which_one_is_has_its_name(here, monkeypatch):
    monkeypatch.chdir(here / "seq")
    assert planned(".") == [("video", ".", "seq.csv")]


def test_two_inputs_that_would_write_one_table_are_refused(here):
    for names, options in (
        (["seq/a.jpg", "other/a.png"], {}),
        (["seq", "other"], {"stills": True}),
        (["x/v.mp4", "y/v.avi"], {}),
        (["a.mp4", "a.mp4"], {}),
    ):
        with pytest.raises(click.UsageError, match="would both be written to"):
            planned(*names, **options)


def test_one_table_is_of_one_input(here):
    [job] = plan([Path("seq")], Path("x.csv"), OUT)
    assert job.table == Path("x.csv")
    with pytest.raises(click.UsageError, match="-o names one table, got 2 inputs"):
        plan([Path("seq")], Path("x.csv"), OUT, stills=True)


def test_boxes_belong_to_stills(here):
    [job] = plan([Path("seq/a.jpg")], None, OUT, bboxes=Path("boxes"))
    assert job.boxes == Path("boxes/a.txt")
    with pytest.raises(click.UsageError, match="expected still pictures, got seq"):
        planned("seq", bboxes=Path("boxes"))
    with pytest.raises(click.UsageError, match=r"expected a folder, got boxes\.txt"):
        planned("seq/a.jpg", bboxes=Path("boxes.txt"))
