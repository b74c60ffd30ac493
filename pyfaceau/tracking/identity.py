"""Whose face a track follows: by place, size and looks, without a face-recognition network.

A track is named when it starts. It gets the number of the known person who looks most like it and
is not being followed already; somebody lost nearby a moment ago is preferred; if nobody looks
enough like it, it is a new person. Tracks in progress are checked against the others' looks, which
finds people who swapped tracks when they crossed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from pyfaceau.types import Float64, TrackedFace, UInt8

STRANGER = 1.25
"""Looks further apart than this are two people's, where place says nothing."""
_NEARBY = 0.4
_SAME_SIZE = 0.4
_SOON = 50
_SURE = 1.0
_CLEARER = 0.4
_VOTES = 5
_SETTLED = 25
_VIEWS, _VIEW_EVERY = 12, 10
_FACE = 140.0

_GRID = (24, 32)
_CORNER, _EXTENT = (-90.0, -150.0), (180.0, 240.0)
_LAB = np.array([1.0, 3.0, 3.0])
_COLOURS = np.array([0.5, 3.0, 3.0])


@dataclass(frozen=True, eq=False)
class Look:
    """What a face looks like.

    Attributes
    ----------
    pattern : (k,) float64
        Head and hair in Lab, upright, 7.5 mm a cell, mean removed, unit length.
    colours : (6,) float64
        Median Lab of hair, then skin, weighted.
    """

    pattern: Float64
    colours: Float64


def look_of(image: UInt8, face: TrackedFace) -> Look:
    """Describe a face.

    Parameters
    ----------
    image : (H, W, 3) uint8
        BGR picture.
    face : TrackedFace
        A face in it.

    Returns
    -------
    Look
        Its looks.
    """
    scale, _, _, roll, x, y = (float(v) for v in face.shape.params_global)
    fine = 4
    step = _EXTENT[0] / _GRID[0] / fine
    cos, sin = scale * np.cos(roll), scale * np.sin(roll)
    turn = np.array([[cos, -sin], [sin, cos]])
    corner = turn @ (np.array(_CORNER) + step / 2) + (x, y)
    patch = cv2.warpAffine(
        image,
        np.column_stack([turn * step, corner]),
        (_GRID[0] * fine, _GRID[1] * fine),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    small = cv2.resize(patch, _GRID, interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(small, cv2.COLOR_BGR2LAB).astype(np.float64)
    head = lab[_head_mask()]
    pattern = ((head - head.mean(axis=0)) * _LAB).ravel()
    hair, skin = lab[3:10, 6:18].reshape(-1, 3), lab[14:22, 8:16].reshape(-1, 3)
    medians = [np.median(part, axis=0) * _COLOURS for part in (hair, skin)]
    return Look(pattern / max(float(np.linalg.norm(pattern)), 1e-9), np.concatenate(medians))


def _head_mask() -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Return the ellipse of the grid that holds head and hair."""
    y, x = np.mgrid[0 : _GRID[1], 0 : _GRID[0]]
    return np.asarray(((x - 11.5) / 9.5) ** 2 + ((y - 15) / 15) ** 2 < 1)


def difference(one: Look, other: Look) -> float:
    """Return how unlike two looks are: 0 equal, about 0.8 one person's, 1.5 two people's.

    Parameters
    ----------
    one, other : Look
        What is compared.

    Returns
    -------
    float
        From correlation of patterns and distance of colours.
    """
    colours = float(np.sqrt(np.square(one.colours - other.colours).mean()))
    return (1 - float(one.pattern @ other.pattern)) / 0.5 + colours / 16


@dataclass(eq=False)
class _Person:
    """What is known of one person: views with their frame, and where the face was last."""

    views: list[tuple[int, Look]] = field(default_factory=list)
    place: Float64 = field(default_factory=lambda: np.zeros(2))
    scale: float = 1.0
    last_frame: int = 0

    def unlike(self, look: Look, before: int) -> float:
        """Return the difference of a look from the two nearest views older than a frame."""
        known = sorted(difference(look, view) for frame, view in self.views if frame < before)
        return float(np.mean(known[:2])) if known else np.inf

    def add(self, frame: int, look: Look) -> None:
        """Keep a view; of too many, the older of the two most alike goes."""
        self.views.append((frame, look))
        if len(self.views) > _VIEWS:
            patterns = np.stack([view.pattern for _, view in self.views])
            alike = np.tril(patterns @ patterns.T, -1) + np.triu(np.full((len(patterns),) * 2, -2))
            del self.views[int(np.argmax(alike.max(axis=0)))]


@dataclass(eq=False)
class _Held:
    """A track: its person, how often another person fitted better in a row, and which."""

    person: int
    votes: int = 0
    rival: int = -1
    frames: int = 0


class Identities:
    """Gives tracks the numbers of people; the only owner of what is known of them."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget everybody: a new video starts."""
        self._people: dict[int, _Person] = {}
        self._tracks: dict[int, _Held] = {}
        self._frame = 0
        self._next = 0
        self._before: frozenset[int] = frozenset()

    def name(
        self, image: UInt8, tracks: Sequence[tuple[int, TrackedFace]]
    ) -> tuple[tuple[int, TrackedFace], ...]:
        """Name the faces of the next frame.

        Parameters
        ----------
        image : (H, W, 3) uint8
            BGR picture.
        tracks : sequence of (int, TrackedFace)
            Number of the track, which no other track of the video has, and its face.

        Returns
        -------
        tuple of (int, TrackedFace)
            Person and face, by person. A lost track whose person has been found elsewhere is
            left out.
        """
        self._frame += 1
        faces = dict(tracks)
        self._tracks = {track: held for track, held in self._tracks.items() if track in faces}
        new = [track for track, face in tracks if face.ok or track not in self._before]
        new = [track for track in new if track not in self._tracks]
        self._before = frozenset(faces)
        looks = {track: look_of(image, face) for track, face in tracks if face.ok or track in new}
        self._start(new, looks, faces)
        self._check({track: look for track, look in looks.items() if faces[track].ok})
        for track, look in looks.items():
            self._learn(self._tracks[track], faces[track], look)
        return self._named(faces)

    def _start(self, new: list[int], looks: dict[int, Look], faces: dict[int, TrackedFace]) -> None:
        """Name new tracks, the surest first."""
        taken = {held.person for track, held in self._tracks.items() if faces[track].ok}
        costs = sorted(
            (self._cost(person, looks[track], faces[track]), track, number)
            for track in new
            for number, person in self._people.items()
            if number not in taken
        )
        for cost, track, number in costs:
            if cost < STRANGER and track not in self._tracks and number not in taken:
                self._tracks[track] = _Held(number)
                taken.add(number)
        for track in new:
            if track not in self._tracks:
                self._people[self._next] = _Person()
                self._tracks[track] = _Held(self._next)
                self._next += 1

    def _cost(self, person: _Person, look: Look, face: TrackedFace) -> float:
        """Return how unlikely it is that a face is a person's."""
        cost = person.unlike(look, self._frame)
        gap = self._frame - person.last_frame
        scale = float(face.shape.params_global[0])
        if gap > _SOON or scale <= 0 or abs(np.log(scale / person.scale)) > _SAME_SIZE:
            return cost
        away = np.hypot(*(face.shape.params_global[4:] - person.place))
        reach = 2 * (1 + 0.08 * gap) * _FACE * max(scale, person.scale)
        return cost - _NEARBY * max(0.0, 1 - float(away / reach))

    def _check(self, looks: dict[int, Look]) -> None:
        """Let tracks change their person where another one has fitted better for a while."""
        settled = self._frame - _SETTLED
        for track, look in looks.items():
            held = self._tracks[track]
            own = self._people[held.person].unlike(look, settled)
            others = {
                number: person.unlike(look, self._frame)
                for number, person in self._people.items()
                if number != held.person
            }
            rival = min(others, key=others.__getitem__, default=-1)
            better = rival >= 0 and others[rival] < min(_SURE, own - _CLEARER)
            same = better and rival == held.rival
            held.votes = held.votes + 1 if same else int(better)
            held.rival = rival if better else -1
        holders = {self._tracks[track].person: self._tracks[track] for track in looks}
        for held in list(holders.values()):
            if held.votes < _VOTES:
                continue
            other = holders.get(held.rival)
            if other is None:
                self._rename(held)
            elif other.rival == held.person and other.votes >= _VOTES:
                held.person, other.person = other.person, held.person
                held.votes = other.votes = 0

    def _rename(self, held: _Held) -> None:
        """Give a track to somebody who is not being followed."""
        settled = self._frame - _SETTLED
        if all(frame >= settled for frame, _ in self._people[held.person].views):
            del self._people[held.person]  # known from this track only: was never somebody else
        held.person, held.votes = held.rival, 0

    def _learn(self, held: _Held, face: TrackedFace, look: Look) -> None:
        """Remember where a person is and, now and then, how they look."""
        person = self._people[held.person]
        if not face.ok and person.views:
            return
        person.place = face.shape.params_global[4:].astype(np.float64)
        person.scale = max(float(face.shape.params_global[0]), 1e-6)
        person.last_frame = self._frame
        if held.votes == 0 and held.frames % _VIEW_EVERY == 0:
            person.add(self._frame, look)
        held.frames += 1

    def _named(self, faces: dict[int, TrackedFace]) -> tuple[tuple[int, TrackedFace], ...]:
        """Return one face for each person, forgetting lost tracks of people found elsewhere."""
        found: dict[int, int] = {}
        for track, held in self._tracks.items():
            person, face = held.person, faces[track]
            if person not in found or (face.ok and not faces[found[person]].ok):
                found[person] = track
        self._tracks = {track: self._tracks[track] for track in found.values()}
        return tuple((person, faces[track]) for person, track in sorted(found.items()))
