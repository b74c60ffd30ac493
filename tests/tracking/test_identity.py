"""People keep their number: lost and found, crossing, strangers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfaceau.tracking.identity import Identities, difference, look_of
from pyfaceau.types import ShapeFit, TrackedFace

ANNA, BELA, CARL = 1, 2, 3
LEFT, MIDDLE, RIGHT = 120, 320, 520


def face(x: float, ok: bool = True) -> TrackedFace:
    """Return a face of half a pixel per mm."""
    shape = ShapeFit(np.array([0.5, 0, 0, 0, x, 240], np.float32), np.zeros(34, np.float32))
    return TrackedFace(ok, ok, 0.9 * ok, np.zeros((68, 2), np.float32), shape)


def picture(people: dict[float, int], noise: float = 8.0, seed: int = 0) -> np.ndarray:
    """Paint each person, a colour pattern of their own, at a place."""
    image = np.full((480, 640, 3), 128, np.uint8)
    for x, person in people.items():
        coarse = np.random.default_rng(person).uniform(0, 255, (9, 7, 3))
        rows, columns = np.linspace(0, 8, 150).round(), np.linspace(0, 6, 110).round()
        left = round(x) - 55
        image[150:300, left : left + 110] = coarse[np.ix_(rows.astype(int), columns.astype(int))]
    shaken = image + np.random.default_rng(seed).normal(0, noise, image.shape)
    return np.clip(shaken, 0, 255).astype(np.uint8)


class Film:
    """Feeds frames to the identities and says who was whom."""

    def __init__(self) -> None:
        self.identities = Identities()
        self.frame = 0

    def show(self, people: dict[float, int], tracks: dict[int, tuple[float, bool]]) -> dict:
        """Return the person of each place that has a row."""
        self.frame += 1
        given = [(track, face(x, ok)) for track, (x, ok) in tracks.items()]
        named = self.identities.name(picture(people, seed=self.frame), given)
        return {float(f.shape.params_global[4]): person for person, f in named}


@pytest.fixture
def film() -> Film:
    return Film()


def test_the_same_face_looks_like_itself_wherever_it_is():
    here = look_of(picture({LEFT: ANNA}), face(LEFT))
    there = look_of(picture({RIGHT: ANNA}, seed=5), face(RIGHT))
    other = look_of(picture({RIGHT: BELA}), face(RIGHT))
    assert difference(here, here) == pytest.approx(0, abs=1e-9)
    assert difference(here, there) < 0.2
    assert difference(here, other) > 1.25
    assert difference(here, other) == difference(other, here)


@given(gain=st.floats(0.5, 1.0), seed=st.integers(0, 99))
def test_a_look_survives_dimmer_light_better_than_another_face(gain, seed):
    bright = picture({LEFT: ANNA}, seed=seed)
    dim = (bright * gain).astype(np.uint8)
    own = difference(look_of(bright, face(LEFT)), look_of(dim, face(LEFT)))
    other = look_of(picture({LEFT: BELA}, seed=seed), face(LEFT))
    assert own < difference(look_of(bright, face(LEFT)), other)


def test_a_face_outside_the_picture_has_finite_looks():
    look = look_of(picture({}, noise=0), face(-900))
    assert np.isfinite(look.pattern).all()
    assert np.isfinite(difference(look, look))


def test_who_is_lost_and_found_has_the_old_number(film):
    both = {LEFT: ANNA, RIGHT: BELA}
    assert film.show(both, {0: (LEFT, True), 1: (RIGHT, True)}) == {LEFT: 0, RIGHT: 1}
    for _ in range(30):
        film.show({LEFT: ANNA}, {0: (LEFT, True)})
    # Bela comes back in another slot's track, Anna's track starts anew at the same time
    assert film.show(both, {7: (RIGHT, True), 8: (LEFT, True)}) == {LEFT: 0, RIGHT: 1}
    # and long after, in each other's places
    for _ in range(200):
        film.show({}, {})
    swapped = {LEFT: BELA, RIGHT: ANNA}
    assert film.show(swapped, {9: (LEFT, True), 10: (RIGHT, True)}) == {LEFT: 1, RIGHT: 0}


def test_a_stranger_has_a_new_number(film):
    film.show({LEFT: ANNA}, {0: (LEFT, True)})
    for _ in range(100):
        film.show({}, {})
    assert film.show({LEFT: CARL}, {1: (LEFT, True)}) == {LEFT: 1}


def test_tracks_that_swap_people_as_they_cross_are_put_right(film):
    for _ in range(60):
        film.show({LEFT: ANNA, RIGHT: BELA}, {0: (LEFT, True), 1: (RIGHT, True)})
    crossed = {LEFT: BELA, RIGHT: ANNA}
    seen = [film.show(crossed, {0: (LEFT, True), 1: (RIGHT, True)}) for _ in range(10)]
    assert seen[0] == {LEFT: 0, RIGHT: 1}
    assert seen[-1] == {LEFT: 1, RIGHT: 0}


def test_a_lost_track_is_left_out_when_its_person_is_found_elsewhere(film):
    for _ in range(5):
        film.show({LEFT: ANNA}, {0: (LEFT, True)})
    assert film.show({MIDDLE: ANNA}, {0: (LEFT, False)}) == {LEFT: 0}
    assert film.show({MIDDLE: ANNA}, {0: (LEFT, False), 1: (MIDDLE, True)}) == {MIDDLE: 0}
    assert film.show({MIDDLE: ANNA}, {0: (LEFT, False), 1: (MIDDLE, True)}) == {MIDDLE: 0}


def test_a_number_given_too_early_is_withdrawn(film):
    for _ in range(40):
        film.show({LEFT: ANNA}, {0: (LEFT, True)})
    for _ in range(60):
        film.show({}, {})
    blur = {LEFT: CARL}  # the first frames of the new track do not look like Anna
    assert film.show(blur, {1: (LEFT, True)}) == {LEFT: 1}
    seen = [film.show({LEFT: ANNA}, {1: (LEFT, True)}) for _ in range(8)]
    assert seen[-1] == {LEFT: 0}


def test_a_new_video_starts_from_nothing(film):
    film.show({LEFT: ANNA, RIGHT: BELA}, {0: (LEFT, True), 1: (RIGHT, True)})
    film.identities.reset()
    assert film.show({RIGHT: BELA}, {0: (RIGHT, True)}) == {RIGHT: 0}
