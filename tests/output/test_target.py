"""Names of output: temporary, final, partial; folders that are replaced and those that are not."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyfaceau.errors import OutputError
from pyfaceau.output.target import FolderTarget, Target, writing

BMP = r"\d+\.bmp"


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def grown(target: FolderTarget, *files: str) -> FolderTarget:
    for name in files:
        (target.part / name).write_text(name)
    return target


def test_a_file_has_its_name_when_it_is_committed(tmp_path):
    (tmp_path / "a.csv.gz").write_text("old")
    target = Target(tmp_path / "a.csv.gz", (".csv", ".csv.gz"))
    target.part.write_text("new")
    assert target.suffix == ".csv.gz"
    assert (tmp_path / "a.csv.gz").read_text() == "old"
    assert target.commit() == tmp_path / "a.csv.gz"
    assert (tmp_path / "a.csv.gz").read_text() == "new"
    assert names(tmp_path) == ["a.csv.gz"]


@settings(max_examples=30, deadline=None)
@given(st.text("ab.", min_size=1, max_size=8), st.sampled_from([".csv", ".CSV", ".csv.gz"]))
def test_the_partial_name_keeps_the_ending(stem, suffix):
    target = Target(Path("out") / f"{stem}{suffix}", (".csv", ".csv.gz"))
    assert target.partial_path == Path("out") / f"{stem}.partial{suffix}"
    assert target.part.name.startswith(".")


def test_the_whole_file_takes_the_place_of_the_partial_one(tmp_path):
    for partial, left in ((True, "a.partial.hog"), (False, "a.hog")):
        target = Target(tmp_path / "a.hog", (".hog",))
        target.part.touch()
        assert target.commit(partial) == tmp_path / left
        assert names(tmp_path) == [left]


def test_discarding_leaves_nothing(tmp_path):
    target = Target(tmp_path / "a.hog", (".hog",))
    target.part.touch()
    target.discard()
    target.discard()
    grown(FolderTarget(tmp_path / "faces", BMP), "1.bmp").discard()
    assert names(tmp_path) == []


def test_a_folder_has_its_name_when_it_is_committed_and_replaces_its_like(tmp_path):
    for count in (3, 1):
        target = grown(FolderTarget(tmp_path / "faces", BMP), *[f"{k}.bmp" for k in range(count)])
        assert target.commit() == tmp_path / "faces"
        assert names(tmp_path) == ["faces", *[f"faces/{k}.bmp" for k in range(count)]]


def test_a_partial_folder_goes_when_the_whole_one_comes(tmp_path):
    for partial, left in ((True, "faces.partial"), (False, "faces")):
        assert grown(FolderTarget(tmp_path / "faces", BMP)).commit(partial) == tmp_path / left
        assert names(tmp_path) == [left]


def test_a_folder_with_other_files_is_never_replaced(tmp_path):
    (tmp_path / "faces").mkdir()
    (tmp_path / "faces/letter.doc").touch()
    with pytest.raises(OutputError, match=r"faces: holds other files \(letter\.doc\)"):
        FolderTarget(tmp_path / "faces", BMP)
    target = grown(FolderTarget(tmp_path / "others", BMP), "1.bmp")
    (tmp_path / "others").mkdir()
    (tmp_path / "others/late.txt").touch()
    with pytest.raises(OutputError, match=r"others: holds other files"):
        target.commit()
    assert names(tmp_path) == ["faces", "faces/letter.doc", "others", "others/late.txt"]


@pytest.mark.parametrize("name", ["a.txt", "folder.hog", "file/a.hog", "x" * 300 + ".hog"])
def test_what_cannot_be_a_file_is_refused(tmp_path, name):
    (tmp_path / "folder.hog").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"\.(hog|txt): (expected|cannot be written)"):
        Target(tmp_path / name, (".hog",))


@pytest.mark.parametrize("name", ["file", "file/faces", "x" * 300])
def test_what_cannot_be_a_folder_is_refused(tmp_path, name):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r": (expected a folder|cannot be written)"):
        FolderTarget(tmp_path / name, BMP)


def test_the_systems_refusal_is_one_line(tmp_path):
    with (
        pytest.raises(OutputError, match=r"^a\.hog: cannot be written: No space left on device$"),
        writing(Path("a.hog")),
    ):
        raise OSError(28, "No space left on device")
