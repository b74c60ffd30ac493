"""One-sided movements with a known truth: photographs of people, warped and blended into clips.

    python -m validation.blends FOLDER --out CLIPS [--people N] [--movement smile] [--side left]

FOLDER holds the webmorph pictures (CC BY 4.0): the same people neutral and smiling. A smile of one
side and some amplitude is the neutral face whose landmarks moved by that share of the way to the
smiling one, on that side of the midline, with the smiling picture's texture there; a closed eye is
the neutral face whose upper lid was drawn down. The way is made symmetric first, so that the two
sides of a person move alike and what is left between them is the truth. Clips: rest, ramp, hold,
ramp, rest, with sensor noise and a face that is never quite still; lossless (FFV1), with a CSV of
the truth per frame beside each.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pyfaceau.asymmetry.midline import PARTNERS, Midline, find_midline

Points = NDArray[np.float64]
Picture = NDArray[np.uint8]

SIDES = {"left": (1.0,), "right": (-1.0,), "both": (-1.0, 1.0)}
"""The patient's sides, as signs of the distance from the midline in the picture."""

FPS = 30
SIZE = 448
_SEAM = 0.12
"""Half width of the band about the midline in which a one-sided movement fades, in distances
between the outer corners of the eyes."""
_RIGID = [0, 16, 27, 28, 29, 30, 36, 39, 42, 45]
_LIDS = {1.0: ((43, 47), (44, 46)), -1.0: ((37, 41), (38, 40))}
_SHUT = 0.95
"""Share of the lids' opening that a full closure takes."""
_LASHES = 0.35
"""Share of the opening above the lid that the lashes take: they move down with the lid's edge,
unstretched, and the skin above them is stretched."""


@dataclass(frozen=True, eq=False)
class Person:
    """One person's two pictures, cut out about the face, and their landmarks.

    Attributes
    ----------
    name : str
        Number of the person.
    neutral, smiling : (SIZE, SIZE, 3) uint8
        BGR; the smiling one laid over the neutral one by its rigid landmarks.
    points, smile : (68, 2) float64
        Landmarks of both by full CLNF, pixels.
    manual : (68, 2) float64
        Landmarks of the neutral picture by hand, NaN where there are none.
    """

    name: str
    neutral: Picture
    smiling: Picture
    points: Points
    smile: Points
    manual: Points

    @cached_property
    def midline(self) -> Midline:
        """The neutral face's."""
        return find_midline(self.points)

    @cached_property
    def eyes(self) -> float:
        """Pixels between the outer corners of the eyes."""
        return float(np.hypot(*(self.points[45] - self.points[36])))

    @cached_property
    def way(self) -> Points:
        """(68, 2) pixels from neutral to smiling, the same on both sides but for the mirror."""
        way = self.smile - self.points
        return (way + way[PARTNERS] @ self.midline.reflection[:, :2].T) / 2


@dataclass(frozen=True)
class Movement:
    """What a face does.

    Attributes
    ----------
    kind : str
        ``smile`` or ``eye``.
    side : str
        ``left``, ``right`` (the patient's) or ``both``.
    amplitude : float
        Share of the whole movement at its height, 0 to 1.
    """

    kind: str = "smile"
    side: str = "left"
    amplitude: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in ("smile", "eye") or self.side not in SIDES:
            raise ValueError(f"expected smile or eye of {list(SIDES)}, got {self}")

    def weight(self, distance: Points, eyes: float) -> Points:
        """Return how far points at a distance from the midline take part, 0 to 1."""
        if self.side == "both":
            return np.ones_like(distance)
        share = np.clip((SIDES[self.side][0] * distance / (_SEAM * eyes) + 1) / 2, 0, 1)
        return share * share * (3 - 2 * share)


def moved(person: Person, movement: Movement, amount: float) -> Points:
    """Return by how much the landmarks of a person move, (68, 2) pixels."""
    if movement.kind == "smile":
        weight = movement.weight(person.midline.beyond(person.points), person.eyes)
        return amount * weight[:, None] * person.way
    shift = np.zeros((68, 2))
    for side in SIDES[movement.side]:
        for upper, lower in _LIDS[side]:
            shift[upper] = amount * _SHUT * (person.points[lower] - person.points[upper])
    return shift


def blend(
    person: Person,
    movement: Movement,
    amount: float,
    drift: tuple[float, float] = (0.0, 0.0),
) -> Picture:
    """Return the picture of a person who has made `amount` (0 to 1) of a movement.

    `drift` moves the whole face, pixels.
    """
    now = person.points + moved(person, movement, amount)
    if movement.kind == "eye":
        return _shut(person, movement, amount, drift)
    picture = _warped(person.neutral, now, person.points, drift)
    if amount == 0:
        return picture
    grid = np.stack(np.meshgrid(np.arange(SIZE), np.arange(SIZE)), axis=-1) - np.array(drift)
    weight = amount * movement.weight(person.midline.beyond(grid), person.eyes)[..., None]
    other = _warped(person.smiling, now, person.smile, drift)
    mixed = (1 - weight) * picture + weight * other
    return np.rint(mixed).astype(np.uint8)


def _shut(person: Person, movement: Movement, amount: float, drift: tuple[float, float]) -> Picture:
    """Return the neutral picture with upper lids drawn down, column by column."""
    fine = np.arange(SIZE, dtype=np.float64)
    x, y = np.meshgrid(fine - drift[0], fine - drift[1])
    source = y.copy()
    for side in SIDES[movement.side]:
        corners = (42, 45) if side > 0 else (36, 39)
        ends = person.points[list(corners)]
        (u, low), (v, low2) = _LIDS[side]
        upper, lower = (
            np.polyfit(*person.points[[corners[0], *middle, corners[1]]].T, 2)
            for middle in ((u, v), (low, low2))
        )
        inside = (x > ends[:, 0].min()) & (x < ends[:, 0].max())
        lid, under = np.polyval(upper, x), np.polyval(lower, x)
        gap = np.maximum(under - lid, 0)
        edge = lid + amount * _SHUT * gap
        skin, lash = lid - _LASHES * gap, edge - _LASHES * gap
        top = lid - 3.5 * _LASHES * gap
        above = inside & (y > top) & (y <= lash)
        strip = inside & (y > lash) & (y <= edge)
        below = inside & (y > edge) & (y < under)
        with np.errstate(divide="ignore", invalid="ignore"):
            stretched = top + (y - top) * (skin - top) / (lash - top)
        source[above], source[below] = stretched[above], y[below]
        source[strip] = y[strip] - (edge - lid)[strip]
    maps = x.astype(np.float32), source.astype(np.float32)
    return np.asarray(
        cv2.remap(person.neutral, *maps, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    )


def _warped(picture: Picture, at: Points, source: Points, drift: tuple[float, float]) -> Picture:
    """Return a picture whose landmarks moved from `source` to `at`, piecewise linearly."""
    from scipy.spatial import Delaunay

    edge = np.linspace(0, SIZE - 1, 5)
    frame = np.array([(x, y) for x in edge for y in edge if {x, y} & {0.0, SIZE - 1.0}])
    places = np.vstack([at, frame])
    corners = Delaunay(places).simplices
    sides = places[corners[:, 1:]] - places[corners[:, :1]]
    corners = corners[np.abs(np.linalg.det(sides)) > 1e-6]
    shifts = np.vstack([source - at, np.zeros_like(frame)])
    affine = np.linalg.solve(np.dstack([places[corners], np.ones(corners.shape)]), shifts[corners])
    inside = np.zeros((SIZE, SIZE), np.int32)
    for number, three in enumerate(np.rint(places[corners] * 16).astype(np.int32)):
        cv2.fillConvexPoly(inside, three, number, shift=4)
    fine = np.arange(SIZE, dtype=np.float32)
    x, y = np.meshgrid(fine, fine)
    a, b, c = np.moveaxis(affine.astype(np.float32)[inside], 2, 0)
    field = a * x[..., None] + b * y[..., None] + c
    px, py = x - np.float32(drift[0]), y - np.float32(drift[1])
    dense = cv2.remap(field, px, py, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    maps = (px + dense[..., 0]).astype(np.float32), (py + dense[..., 1]).astype(np.float32)
    return np.asarray(cv2.remap(picture, *maps, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE))


def course(rest: int = 15, ramp: int = 8, hold: int = 15, end: int = 10) -> NDArray[np.float64]:
    """Return the share of the movement's height in each frame: rest, ramp, hold, ramp, rest."""
    rise = (1 - np.cos(np.pi * np.arange(1, ramp + 1) / (ramp + 1))) / 2
    return np.concatenate([np.zeros(rest), rise, np.ones(hold), rise[::-1], np.zeros(end)])


@dataclass(frozen=True, eq=False)
class Clip:
    """A clip to be: iterate it for its frames.

    Attributes
    ----------
    person : Person
        Who moves.
    movements : sequence of (Movement, (n,) float64)
        What is done one after the other, with the course of each.
    seed : int
        Of noise and drift.
    """

    person: Person
    movements: Sequence[tuple[Movement, NDArray[np.float64]]]
    seed: int = 0

    @cached_property
    def amounts(self) -> list[tuple[Movement, float]]:
        """What each frame shows: movement and amount, 0 to 1."""
        return [(m, float(m.amplitude * share)) for m, shares in self.movements for share in shares]

    @cached_property
    def drift(self) -> Points:
        """(N, 2) pixels by which the head is off in each frame."""
        steps = np.random.default_rng(self.seed).normal(0, 0.25, (len(self.amounts), 2))
        drift = np.zeros_like(steps)
        for i in range(1, len(steps)):
            drift[i] = 0.9 * drift[i - 1] + steps[i]
        return drift

    def __iter__(self) -> Iterator[Picture]:
        rng = np.random.default_rng(self.seed + 1)
        for (movement, amount), (x, y) in zip(self.amounts, self.drift, strict=True):
            picture = blend(self.person, movement, amount, (float(x), float(y)))
            noise = rng.normal(0, 2, picture.shape)
            yield np.clip(np.rint(picture + noise), 0, 255).astype(np.uint8)

    def truth(self, points: Points) -> Points:
        """Return where landmarks of the neutral picture are in each frame, (N, 68, 2) pixels."""
        shifts = [moved(self.person, movement, amount) for movement, amount in self.amounts]
        return points + np.stack(shifts) + self.drift[:, None]

    def write(self, path: Path) -> Path:
        """Write the clip, lossless, and its truth as NAME.truth.csv."""
        path.parent.mkdir(parents=True, exist_ok=True)
        write_lossless(path, self)
        lines = ["frame,timestamp,movement,side,amount"]
        for k, (movement, amount) in enumerate(self.amounts):
            lines.append(f"{k + 1},{k / FPS:.3f},{movement.kind},{movement.side},{amount:.4f}")
        truth = path.with_suffix(".truth.csv")
        truth.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path


def write_lossless(path: Path, frames: Iterator[Picture] | Clip, fps: int = FPS) -> None:
    """Write BGR frames as FFV1 in Matroska: the bytes that come back are those that went in."""
    import av

    with av.open(str(path), "w") as container:
        stream = None
        for index, frame in enumerate(frames):
            if stream is None:
                stream = container.add_stream("ffv1", rate=fps)
                stream.height, stream.width = frame.shape[:2]
                stream.pix_fmt = "bgr0"
                stream.time_base = Fraction(1, fps)
            picture = av.VideoFrame.from_ndarray(frame, format="bgr24")
            picture.pts = index
            container.mux(stream.encode(picture))
        if stream is not None:
            container.mux(stream.encode(None))


def people(folder: Path, count: int | None = None, known: Collection[str] = ()) -> Iterator[Person]:
    """Yield the people of a webmorph folder who have both pictures, but those that are known."""
    from pyfaceau import CLNF

    model = CLNF(detector="retinaface")
    marked = np.load(folder / "neutral_front.npz", allow_pickle=False)
    for name, manual in list(zip(marked["names"], marked["ibug68"], strict=True))[:count]:
        number = str(name)[:3]
        if number in known:
            continue
        neutral = cv2.imread(str(folder / "neutral_front" / str(name)))
        smiling = cv2.imread(str(folder / "smiling_front" / f"{number}_08.jpg"))
        points, smile = (model.detect_and_fit(picture)[0] for picture in (neutral, smiling))
        if points is None or smile is None:
            continue
        yield _person(number, neutral, smiling, np.float64(points), np.float64(smile), manual)


def _person(
    name: str, neutral: Picture, smiling: Picture, points: Points, smile: Points, manual: Points
) -> Person:
    """Cut both pictures out about the face, the smiling one laid over the neutral one."""
    centre = points[_RIGID].mean(axis=0)
    centre[1] += 0.2 * np.hypot(*(points[45] - points[36]))
    corner = np.rint(centre - SIZE / 2)
    cut = np.array([[1.0, 0, -corner[0]], [0, 1.0, -corner[1]]])
    placed = points - corner
    onto, _ = cv2.estimateAffinePartial2D(smile[_RIGID], placed[_RIGID], method=cv2.LMEDS)
    pictures = [
        cv2.warpAffine(
            picture,
            matrix,
            (SIZE, SIZE),
            flags=cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_REPLICATE,
        )
        for picture, matrix in ((neutral, cut), (smiling, onto))
    ]
    laid = smile @ onto[:, :2].T + onto[:, 2]
    return Person(name, pictures[0], pictures[1], placed, laid, np.float64(manual) - corner)


def main(argv: Sequence[str] | None = None) -> int:
    """Write clips."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m validation.blends")
    parser.add_argument("folder", type=Path, help="webmorph pictures")
    parser.add_argument("--out", type=Path, required=True, help="folder of the clips")
    parser.add_argument("--people", type=int, help="the first so many; all if not given")
    parser.add_argument("--movement", choices=["smile", "eye"], default="smile")
    parser.add_argument("--side", choices=list(SIDES), default="left")
    parser.add_argument("--amplitude", type=float, default=1.0)
    options = parser.parse_args(argv)
    movement = Movement(options.movement, options.side, options.amplitude)
    for person in people(options.folder, options.people):
        name = f"{person.name}_{movement.kind}_{movement.side}_{movement.amplitude * 100:.0f}.mkv"
        clip = Clip(person, [(movement, course())], int(person.name))
        sys.stdout.write(f"{clip.write(options.out / name)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
