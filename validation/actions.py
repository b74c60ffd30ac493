"""Actions, synkinesis and their gates on clips whose truth is known.

    python -m validation.actions FOLDER --tables TABLES [--people N]

FOLDER holds the webmorph pictures, see `validation.blends`. Each person makes one clip: rest, then
movements of both sides, of one side, of none, and movements with synkinesis, each rising, held and
falling, with rest between. Tables that are not in TABLES yet are made first; then all are measured.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pyfaceau import Config, FullPythonAUPipeline
from pyfaceau.actions.intervals import ActionList, Interval
from validation.blends import FPS, Movement, Person, Picture, blend, course, moved, people
from validation.provenance import provenance
from validation.sides import table_of

REST = 30
SHAPE = course(rest=4, ramp=6, hold=10, end=6)
"""Of each movement: 4 frames still, 6 up, 10 held, 6 down, 6 still."""


@dataclass(frozen=True)
class Act:
    """One part of a clip: what is asked, and what moves without being asked.

    Attributes
    ----------
    action : str
        What a clinician would write down.
    kind : str
        ``smile``, ``eye`` or ``none``.
    both : bool
        Both sides do it, else only the side that moves.
    amplitude : float
        At its height, 0 to 1.
    extra : float
        Amplitude at which the affected side's other region follows: the eye a smile, the mouth a
        closure.
    """

    action: str
    kind: str
    both: bool
    amplitude: float = 1.0
    extra: float = 0.0


ACTS = (
    Act("smile lips open", "smile", both=True),
    Act("one-sided smile", "smile", both=False),
    Act("half a one-sided smile", "smile", both=False, amplitude=0.5),
    Act("close eyes tightly", "eye", both=True),
    Act("one-sided closure", "eye", both=False),
    Act("nothing", "none", both=True),
    Act("smile with the eye", "smile", both=True, extra=0.6),
    Act("closure with the mouth", "eye", both=True, extra=0.5),
)


def side_of(name: str) -> str:
    """Return the side that moves alone, and that has synkinesis: by the person's number."""
    return ("left", "right")[int(name) % 2]


def intervals() -> ActionList:
    """Return when each act is, as a person would mark it: a frame wider than the movement."""
    found = [Interval("rest", 0.0, (REST - 1) / FPS)]
    for number, act in enumerate(ACTS):
        first = REST + number * len(SHAPE) + 3
        found.append(Interval(act.action, first / FPS, (first + 24) / FPS))
    return ActionList(tuple(found))


def frames(person: Person) -> Iterator[Picture]:
    """Yield a person's clip, with sensor noise and a head that is never quite still."""
    rng = np.random.default_rng(int(person.name))
    drift = np.zeros(2)
    parts = [(ACTS[0], np.zeros(REST)), *((act, SHAPE) for act in ACTS)]
    for act, shares in parts:
        for share in shares:
            drift = 0.9 * drift + rng.normal(0, 0.25, 2)
            picture = _drawn(person, act, float(share), (float(drift[0]), float(drift[1])))
            noisy = picture + rng.normal(0, 2, picture.shape)
            yield np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def _drawn(person: Person, act: Act, share: float, drift: tuple[float, float]) -> Picture:
    """Return one frame of an act."""
    side = side_of(person.name)
    asked = "both" if act.both else side
    smile = Movement("smile", asked if act.kind == "smile" else side)
    eye = Movement("eye", asked if act.kind == "eye" else side)
    amounts = {"smile": 0.0, "eye": 0.0}
    if act.kind != "none":
        other = "eye" if act.kind == "smile" else "smile"
        amounts[act.kind], amounts[other] = share * act.amplitude, share * act.extra
    if not amounts["eye"]:
        return blend(person, smile, amounts["smile"], drift)
    if amounts["smile"]:
        points = person.points + moved(person, smile, amounts["smile"])
        person = replace(person, neutral=blend(person, smile, amounts["smile"]), points=points)
    return blend(person, eye, amounts["eye"], drift)


def make_tables(folder: Path, tables: Path, count: int | None) -> None:
    """Run every person's clip that has no table yet."""
    tables.mkdir(parents=True, exist_ok=True)
    known = {path.stem for path in tables.glob("*.parquet")}
    pipeline = FullPythonAUPipeline(config=replace(Config.load("default"), split_face=True))
    for person in people(folder, count, known):
        table = table_of(pipeline, frames(person))
        part = tables / f".{person.name}.part"
        table.to_parquet(part)
        part.replace(tables / f"{person.name}.parquet")


def main() -> int:
    """Make what is missing, measure all."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m validation.actions")
    parser.add_argument("folder", type=Path, help="webmorph pictures")
    parser.add_argument("--tables", type=Path, required=True, help="folder that keeps the tables")
    parser.add_argument("--people", type=int, help="the first so many; all if not given")
    options = parser.parse_args()
    make_tables(options.folder, options.tables, options.people)
    for key, value in provenance(" ".join(["python -m validation.actions", *sys.argv[1:]])).items():
        sys.stdout.write(f"- {key}: {value}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
