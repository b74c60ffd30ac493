"""Actions from files, and what is refused of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfaceau.actions.intervals import STANDARD, ActionList, Interval
from pyfaceau.actions.reading import parse_actions, read_actions
from pyfaceau.errors import InputError

CSV = "action,start,end\nrest,0,2\nSmile lips open,3.5,6\nmy own,7,8.25\n"
SMILE = ActionList(
    (Interval("rest", 0, 2), Interval("smile lips open", 3.5, 6), Interval("my own", 7, 8.25))
)
SRT = """1
00:00:00,000 --> 00:00:02,000
rest

2
00:00:03,500 --> 00:00:06,000
<i>Smile_lips_open</i>

3
00:00:07,000 --> 00:00:08,250
my own
"""
VTT = "WEBVTT\n\n" + SRT.replace(",", ".")
TIER = """<TIER LINGUISTIC_TYPE_REF="t" TIER_ID="{0}">{1}</TIER>"""
NOTE = """<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a{0}" TIME_SLOT_REF1="ts{0}"
TIME_SLOT_REF2="ts{1}"><ANNOTATION_VALUE>{2}</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
"""
TIMES = (0, 2000, 3500, 6000, 7000, 8250)


def elan(*tiers: str, head: str = "") -> str:
    """Return an ELAN document."""
    slots = "".join(
        f'<TIME_SLOT TIME_SLOT_ID="ts{i}" TIME_VALUE="{t}"/>' for i, t in enumerate(TIMES)
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n{head}<ANNOTATION_DOCUMENT FORMAT="3.0">'
        f'<HEADER TIME_UNITS="milliseconds"/><TIME_ORDER>{slots}</TIME_ORDER>'
        f"{''.join(tiers)}</ANNOTATION_DOCUMENT>"
    )


FACE = TIER.format(
    "face", "".join(NOTE.format(2 * i, 2 * i + 1, one.action) for i, one in enumerate(SMILE))
)
OTHER = TIER.format("voice", NOTE.format(0, 1, "speak"))


def written(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", CSV),
        ("bom.csv", "\ufeff" + CSV),
        ("spaces.csv", CSV.replace(",", ", ")),
        ("more.csv", CSV.replace("\n", ",x\n").replace(",x", ",note", 1)),
        ("a.srt", SRT),
        ("a.vtt", VTT),
        ("a.eaf", elan(FACE)),
        ("empty_tier.eaf", elan(FACE, TIER.format("default", ""))),
    ],
)
def test_all_formats_say_the_same(tmp_path: Path, name: str, text: str) -> None:
    assert read_actions(written(tmp_path, name, text)) == SMILE


def test_a_tier_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, "a.eaf", elan(FACE, OTHER))
    assert read_actions(path, tier="face") == SMILE
    assert read_actions(path, tier="voice") == ActionList((Interval("speak", 0, 2),))
    with pytest.raises(InputError, match=r"expected one tier, got \['face', 'voice'\]"):
        read_actions(path)
    with pytest.raises(InputError, match=r"expected a tier of .*, got 'mouth'"):
        read_actions(path, tier="mouth")


def test_a_manifest_cell() -> None:
    assert parse_actions("rest 0-2; smile lips open 3.5 - 6;my own 7-8.25;") == SMILE
    with pytest.raises(InputError, match="expected NAME START-END"):
        parse_actions("rest from the start")


BOMB = '<!DOCTYPE x [<!ENTITY a "b">]>\n'


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.csv", "action,start,end\nrest,2,2\n", "line 2: rest: expected 0 <= start < end"),
        ("a.csv", "action,start,end\nrest,3,2\n", "got 3 s to 2 s"),
        ("a.csv", "action,start,end\nrest,-1,2\n", "expected 0 <= start"),
        ("a.csv", "action,start,end\nrest,nan,2\n", "in seconds"),
        ("a.csv", "action,start,end\nrest,one,2\n", "line 2: expected start and end in seconds"),
        ("a.csv", "action,start,end\n ,1,2\n", "line 2: action: expected a name"),
        ("a.csv", "action,start,end\nrest,0,2\nblink,1,3\n", "the two overlap"),
        ("a.csv", "action,start,end\n", "expected actions, got none"),
        ("a.csv", "name,from,to\nrest,0,2\n", "expected columns action, start, end"),
        ("a.csv", "", "expected columns"),
        ("a.csv", "action,start,end\nrest,0,2,3\n", "more cells than columns"),
        ("a.csv", "action,start,end\nrest\n", "line 2: expected start and end"),
        ("a.csv", b"action,start,end\nl\xe4cheln,0,2\n", "UTF-8"),
        ("a.csv", "action,start,end,suggested\nrest,0,2,1\n", "nobody checked"),
        ("a.txt", CSV, "expected actions as .csv"),
        ("a.srt", SRT.replace("rest", ""), "caption 1: action: expected a name"),
        ("a.srt", "no captions", "captions|got none"),
        ("a.srt", SRT.replace("00:00:02,000", "00:00:05,000"), "overlap"),
        ("a.eaf", elan(FACE, head=BOMB), "DOCTYPE"),
        ("a.eaf", elan(FACE, head=BOMB).replace("UTF-8", "UTF-16").encode("utf-16"), "DOCTYPE"),
        ("a.eaf", "<html></html>", "expected an ELAN document, got <html>"),
        ("a.eaf", "<ANNOTATION", "cannot be read as XML"),
        ("a.eaf", elan(), "got none"),
        ("a.eaf", elan(FACE).replace('TIME_VALUE="2000"', ""), "annotation 1: expected a start"),
    ],
)
def test_bad_input_is_one_line(tmp_path: Path, name: str, text: str | bytes, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        read_actions(written(tmp_path, name, text))
    assert "\n" not in str(caught.value)
    assert name in str(caught.value)


def test_no_file_and_a_tier_of_no_eaf(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        read_actions(tmp_path / "a.csv")
    with pytest.raises(InputError, match=r"only \.eaf has tiers"):
        read_actions(written(tmp_path, "a.csv", CSV), tier="face")


def test_suggestions_are_taken_when_asked(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", "action,start,end,suggested\nrest,0,2,1\nblink,3,4,0\n")
    assert len(read_actions(path, accept_suggestions=True)) == 2


def test_actions_lie_within_the_video() -> None:
    SMILE.check_within(8.25)
    with pytest.raises(InputError, match=r"my own \(7 s to 8.25 s\): expected an end within"):
        SMILE.check_within(8.2)


@given(
    st.lists(st.tuples(st.sampled_from((*STANDARD, 'ä, "b"')), st.integers(1, 4000)), min_size=1)
)
def test_csv_comes_back(
    tmp_path_factory: pytest.TempPathFactory, parts: list[tuple[str, int]]
) -> None:
    at, intervals = 0, []
    for name, length in parts:
        intervals.append(Interval(name, at / 1000, (at + length) / 1000))
        at += length
    actions = ActionList(tuple(intervals))
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    path.write_text(actions.as_csv(), encoding="utf-8")
    assert read_actions(path) == actions
