"""Which face is chosen, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfaceau.errors import InputError
from pyfaceau.types import FaceBox, Selection

BOXES = (FaceBox(200, 50, 40, 40), FaceBox(10, 60, 30, 30), FaceBox(100, 0, 20, 25))


@pytest.mark.parametrize(
    ("face", "x"), [("largest", 200), ("left", 10), ("right", 200), ("1", 10), ("2", 100)]
)
def test_the_face_that_is_asked_for(face, x):
    assert Selection(face=face).choose(BOXES).x == x


def test_a_face_that_is_not_there():
    assert Selection(face="4").choose(BOXES) is None
    assert Selection().choose(()) is None


def test_only_faces_whose_middle_is_inside():
    assert [box.x for box in Selection(roi=(0, 0, 120, 100)).inside(BOXES)] == [10, 100]
    assert Selection(roi=(0, 0, 120, 100)).choose(BOXES).x == 10
    assert Selection(roi=(0, 0, 25, 100)).choose(BOXES) is None  # its middle is at 25


@given(st.permutations(BOXES), st.sampled_from(["largest", "left", "right", "1", "3"]))
def test_the_order_of_the_boxes_does_not_matter(boxes, face):
    assert Selection(face=face).choose(boxes) is Selection(face=face).choose(BOXES)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"start": -1.0}, "start: expected seconds, 0 or more, got -1"),
        ({"start": float("nan")}, "start: expected seconds"),
        ({"start": 3.0, "end": 1.0}, "end: expected more than start, 3 s, got 1"),
        ({"every": 0}, "every: expected 1 or more, got 0"),
        ({"rate": -5.0}, "rate: expected frames per second, got -5"),
        ({"rate": 5.0, "every": 2}, "every and rate: expected one"),
        ({"max_frames": -1}, "max_frames: expected 1 or more"),
        ({"face": "middle"}, "face: expected largest, left, right or a number from 1"),
        ({"face": "0"}, "face: expected largest, left, right or a number from 1"),
        ({"roi": (1, 2, 3)}, "roi: expected X,Y,WIDTH,HEIGHT in pixels, got 1,2,3"),
        ({"roi": (0, 0, 0, 5)}, "roi: expected X,Y,WIDTH,HEIGHT"),
    ],
)
def test_what_makes_no_sense_is_refused(values, message):
    with pytest.raises(InputError) as error:
        Selection(**values)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize("roi", [(600, 0, 41, 10), (-1, 0, 10, 10), (0, 470, 10, 11)])
def test_a_part_outside_the_picture_is_refused(roi):
    Selection(roi=(600, 470, 40, 10)).check_picture(640, 480)
    with pytest.raises(InputError, match="roi: expected a part of the 640x480 picture"):
        Selection(roi=roi).check_picture(640, 480)
