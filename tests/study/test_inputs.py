"""Which videos a study is of, and names that stay inside its folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfaceau.errors import InputError
from pyfaceau.study.inputs import LONGEST, distinct, find_videos, safe_name


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def names(arguments: list[str], out: Path, taken: dict[str, Path] | None = None) -> list[str]:
    return [video.name for video in distinct(find_videos(arguments, out), taken or {})]


def test_a_folder_is_searched_to_the_bottom_but_not_its_output(tmp_path: Path):
    touch(tmp_path / "a.mp4", tmp_path / "s1/a.mp4", tmp_path / "s1/a.MOV", tmp_path / "s1/a.txt")
    touch(tmp_path / "out/b.mp4", tmp_path / ".hidden.mp4")
    assert names([str(tmp_path)], tmp_path / "out") == ["a.mp4", "s1/a.MOV", "s1/a.mp4"]


def test_a_pattern_begins_where_its_wildcards_do(tmp_path: Path):
    touch(tmp_path / "day1/s1/a.mp4", tmp_path / "day1/s2/a.mp4", tmp_path / "day2/s1/a.mp4")
    assert names([f"{tmp_path}/day1/*/a.mp4"], tmp_path / "out") == ["s1/a.mp4", "s2/a.mp4"]
    every = names([f"{tmp_path}/**/*.mp4"], tmp_path / "out")
    assert every == ["day1/s1/a.mp4", "day1/s2/a.mp4", "day2/s1/a.mp4"]


def test_equal_names_get_the_folders_above_them(tmp_path: Path):
    one, two, three = (tmp_path / part for part in ("x/c/a.mp4", "y/c/a.mp4", "y/c/b.mp4"))
    touch(one, two, three)
    given_names = names([str(one), str(two), str(three)], tmp_path / "out")
    assert given_names == ["x/c/a.mp4", "y/c/a.mp4", "b.mp4"]


def test_a_name_once_given_stays(tmp_path: Path):
    one, two = tmp_path / "x/a.mp4", tmp_path / "y/a.mp4"
    touch(one, two)
    assert names([str(one), str(two)], tmp_path / "out", {"a.mp4": one}) == ["a.mp4", "y/a.mp4"]
    assert names([str(two)], tmp_path / "out", {"a.mp4": one}) == ["y/a.mp4"]
    one.unlink()
    assert names([str(two)], tmp_path / "out", {"a.mp4": one}) == ["a.mp4"]


def test_a_manifest_says_who_and_when(tmp_path: Path):
    touch(tmp_path / "v/a.mp4", tmp_path / "other/b, 2.mp4")
    manifest = tmp_path / "v/list.csv"
    manifest.write_text(
        "\ufeffvideo,subject,session,neutral,side\n"
        'a.mp4,P1,pre,2.0-4.0,left\n"../other/b, 2.mp4",P1,post,,right\n',
        encoding="utf-8",
    )
    second, first = find_videos([str(manifest), str(tmp_path / "v")], tmp_path / "out")
    assert (first.subject, first.session, first.neutral) == ("P1", "pre", "2.0-4.0")
    assert first.extra == {"side": "left"}
    assert second.name == "b, 2.mp4"
    assert second.source == tmp_path / "other/b, 2.mp4"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("file\na.mp4\n", "expected a column 'video'"),
        ("", "expected a column 'video'"),
        ("video\n\n,\n", "expected a video"),
        ("video,subject\na.mp4,P1,more\n", "expected a video and a value per column"),
        ("video,neutral\na.mp4,4-2\n", "line 2: neutral: expected 0 <= start < end"),
        ("video\na.mp4\n./a.mp4\n", "stands there twice"),
        ("video\n", "got none"),
    ],
)
def test_a_bad_manifest_is_refused(tmp_path: Path, text: str, complaint: str):
    (tmp_path / "list.csv").write_text(text)
    with pytest.raises(InputError, match=complaint):
        find_videos([str(tmp_path / "list.csv")], tmp_path / "out")


def test_nothing_found_is_refused(tmp_path: Path):
    for argument in (str(tmp_path), f"{tmp_path}/*.mp4"):
        with pytest.raises(InputError, match="expected videos, got none"):
            find_videos([argument], tmp_path / "out")


@given(st.lists(st.text(min_size=1, max_size=200), min_size=1, max_size=3))
def test_any_name_stays_inside_its_folder(parts: list[str]):
    name = safe_name(parts)
    folder = Path("/study/out")
    assert ".." not in Path(name).parts
    assert (folder / name).is_relative_to(folder)
    assert not set(name) & set('\0\n\r\x1b"\\:*?<>|')
    assert all(len(part.encode("utf-8", "surrogateescape")) <= LONGEST for part in parts_of(name))


def parts_of(name: str) -> list[str]:
    return name.split("/")


@given(st.text(min_size=1, max_size=90), st.text(min_size=1, max_size=90))
def test_different_names_stay_different(one: str, two: str):
    assert (safe_name([one]) == safe_name([two])) == (one == two)


def test_names_from_other_worlds():
    assert safe_name(["..", "a b.mp4"]) == "%2E%2E/a b.mp4"
    assert safe_name(["Zoë's café.mp4"]) == "Zoë's café.mp4"
    assert safe_name(["a\nb%.mp4"]) == "a%0Ab%25.mp4"
    assert safe_name(["bad\udcff.mp4"]) == "bad%FF.mp4"
    long = ["x" * 250 + "1.mp4", "x" * 250 + "2.mp4"]
    assert len({safe_name([name]) for name in long}) == 2
    assert safe_name([long[0]]).endswith(".mp4")
