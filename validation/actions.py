"""Actions, synkinesis and their gates on clips whose truth is known.

    python -m validation.actions FOLDER --tables TABLES [--people N] [--half 0 | 1]

FOLDER holds the webmorph pictures, see `validation.blends`. Each person makes one clip: rest, then
movements of both sides, of one side, of none, and movements with synkinesis, each rising, held and
falling, with rest between. Tables that are not in TABLES yet are made first; then all are measured,
or those of one half of the people: constants are chosen on one and reported on the other.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from pyfaceau import Config, FullPythonAUPipeline
from pyfaceau.actions.balance import Balance, balances
from pyfaceau.actions.intervals import ActionList, Interval
from pyfaceau.actions.measures import NO_MOVEMENT, ActionMeasure, measure_actions
from pyfaceau.actions.synkinesis import Synkinesis, measure_synkinesis
from pyfaceau.actions.tidy import as_table
from pyfaceau.asymmetry.gate import HEALTHY, HEALTHY_UNIT, MULTIPLE
from pyfaceau.asymmetry.geometry import measure
from pyfaceau.types import SIDES
from validation.blends import FPS, Movement, Person, Picture, Points, blend, course, moved, people
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


ASKED = {"smile with the eye": "smile lips open", "closure with the mouth": "close eyes tightly"}
"""What the acts with synkinesis are to a clinician: the second smile, the second closure."""


LIKE = {
    "one-sided smile": "smile lips open",
    "half a one-sided smile": "smile lips open",
    "one-sided closure": "close eyes tightly",
}
"""What one-sided acts are to `balances`."""


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


def half_of(name: str) -> int:
    """Return to which half of the people one belongs; both sides move in each."""
    return int(name) // 2 % 2


def measured(paths: Sequence[Path]) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return what was measured of clips: actions, synkinesis, balances."""
    actions = intervals()
    acts, couplings, sides = [], [], []
    for path in paths:
        table, side = pd.read_parquet(path), side_of(path.stem)
        rows = measure_actions(table, actions, side)
        starts = {one.start: one.action for one in actions}
        order = list(starts)
        alike = [
            replace(row, action=LIKE.get(row.action, row.action), number=order.index(row.start))
            for row in rows
        ]
        told = balances(alike)
        told = [replace(one, action=starts[one.start]) for one in told]
        sides.append(as_table(told, Balance).assign(person=path.stem, truth=side))
        acts.append(as_table(rows, ActionMeasure).assign(person=path.stem, truth=side))
        renamed = [
            replace(row, action=ASKED.get(row.action, row.action), number=1 + (row.action in ASKED))
            for row in rows
        ]
        found = measure_synkinesis(renamed, side)
        couplings.append(as_table(found, Synkinesis).assign(person=path.stem))
    return pd.concat(acts), pd.concat(couplings), pd.concat(sides)


def both_sides(acts: pd.DataFrame) -> pd.DataFrame:
    """Return a row per person, action and measure, with what each side did."""
    keys = ["person", "action", "measure", "truth"]
    sides = [acts[acts["side"] == side] for side in ("left", "right")]
    pairs = sides[0].merge(
        sides[1][[*keys, "excursion", "moved", "noise"]], on=keys, suffixes=("", "_r")
    )
    more = pairs["excursion"].abs() - pairs["excursion_r"].abs()
    pairs["more"] = np.where(more > 0, "left", np.where(more < 0, "right", "none"))
    pairs["led"] = pairs["leads"].isin(["left", "right"])
    larger = pairs[["excursion", "excursion_r"]].abs().max(axis=1)
    noise = MULTIPLE * np.hypot(pairs["noise"], pairs["noise_r"])
    pairs["beyond"] = (pairs["excursion"] - pairs["excursion_r"]).abs() > noise
    pairs["differ"] = (pairs["excursion"] - pairs["excursion_r"]).abs() / larger
    return pairs


def bound(rows: pd.DataFrame) -> list[float]:
    """Return what 95 % of an act's sides differ by less than, of both halves of the people."""
    differ = _differ(rows)
    halves = rows["person"].map(half_of)
    return [float(differ[halves == half].quantile(0.95)) for half in (0, 1)]


def _differ(rows: pd.DataFrame) -> pd.Series:
    """Return by what share of the larger movement sides differ beyond the noise."""
    return rows["differ"].where(rows["beyond"] & (rows["leads"] != ""), 0.0)


def shares(pairs: pd.DataFrame) -> dict[str, float]:
    """Return what 97 % of symmetric acts of these people stay under, rounded up to 0.05, 0.2 to 1.

    `pyfaceau.asymmetry.gate.HEALTHY_SHARES` are those of all people; of action units at least
    `HEALTHY_UNIT`.
    """
    found = {}
    for name, part in pairs.groupby("measure"):
        acts = dict(iter(part.groupby("action")))
        worst = max(float(_differ(acts[action]).quantile(QUANTILE)) for action in SYMMETRIC)
        least = HEALTHY_UNIT if str(name).startswith("AU") else HEALTHY
        found[str(name)] = float(np.clip(np.ceil(worst * 20 - 1e-9) / 20, least, 1.0))
    return found


def held_out_table(pairs: pd.DataFrame) -> Iterator[str]:
    """Yield how often a side leads in symmetric acts of people of whom the shares know nothing."""
    names = sorted(pairs["person"].unique())
    folds = pairs["person"].map({name: k % FOLDS for k, name in enumerate(names)})
    led = []
    for fold in range(FOLDS):
        known = shares(pairs[folds != fold])
        rows = pairs[(folds == fold) & pairs["action"].isin(SYMMETRIC)]
        led.append(rows.assign(led=_differ(rows) > rows["measure"].map(known)))
    rates = pd.concat(led).groupby(["measure", "action"])["led"].mean().unstack()
    worst = rates.max(axis=1).sort_values(ascending=False)
    yield (
        f"A side leads in {100 * rates.to_numpy().mean():.1f} % of the symmetric acts over all "
        f"measures; {(worst > 0.05).sum()} of {len(worst)} measures exceed 5 %. The highest:"
    )
    yield ""
    yield "| measure | " + " | ".join(SYMMETRIC) + " |"
    yield "| :-- |" + " --: |" * len(SYMMETRIC)
    for name in worst.index[:5]:
        cells = [f"{100 * rates.loc[name, action]:.1f} %" for action in SYMMETRIC]
        yield f"| {name} | " + " | ".join(cells) + " |"


def courses_table(paths: Sequence[Path]) -> Iterator[str]:
    """Yield how deep a closure of both eyes is measured to be at each amount that was drawn."""
    steps = SHAPE[4:11]
    yield (
        "| measure | " + " | ".join(f"{100 * step:.0f} %" for step in steps) + " | deepest before |"
    )
    yield "| :-- |" + " --: |" * (len(steps) + 1)
    first = REST + [act.action for act in ACTS].index("close eyes tightly") * len(SHAPE) + 4
    rest = np.zeros(REST + len(ACTS) * len(SHAPE), np.bool_)
    rest[:REST] = True
    found: dict[str, list[Points]] = {"lid_opening": [], "AU45_r": []}
    for path in paths:
        table = pd.read_parquet(path)
        values = table.join(measure(table, rest=rest))
        for name, rows in found.items():
            for side in SIDES:
                move = values[f"{name}_{side}"].to_numpy()
                move = np.abs(move - np.median(move[rest]))[first : first + 16]
                rows.append(np.append(move[:6], np.median(move[6:])) / move.max())
    for name, rows in found.items():
        part = np.stack(rows)
        cells = [f"{value:.2f}" for value in np.median(part, axis=0)]
        deepest = (part[:, :6].max(axis=1) > 1.1 * part[:, 6]).mean()
        yield f"| {name} | " + " | ".join(cells) + f" | {100 * deepest:.0f} % |"


def sides_table(pairs: pd.DataFrame) -> Iterator[str]:
    """Yield what each measure says of the side, and how often it is wrong."""
    yield (
        "| measure | nothing done: moved | symmetric smile: a side leads | symmetric closure: one "
        "leads | 95 % differ by less (both halves of the people) | one-sided smile: "
        "larger side right | leads right | leads wrong | half: larger side right | one-sided "
        "closure: larger side right | leads right | leads wrong |"
    )
    yield "| :-- |" + " --: |" * 11
    for name, part in pairs.groupby("measure"):
        acts = dict(iter(part.groupby("action")))
        still = acts["nothing"]
        cells = [still[["moved", "moved_r"]].astype(float).to_numpy().mean()]
        cells += [acts[action]["led"].mean() for action in SYMMETRIC]
        bounds = [bound(acts[action]) for action in SYMMETRIC]
        quantiles = np.max(bounds, axis=0)
        text = [f"{100 * cell:.0f} %" for cell in cells]
        text.append(f"{quantiles[0]:.2f}, {quantiles[1]:.2f}")
        for action in ("one-sided smile", "half a one-sided smile", "one-sided closure"):
            rows = acts[action]
            right = rows["more"] == rows["truth"]
            lead = [right.mean(), (rows["led"] & right).mean(), (rows["led"] & ~right).mean()]
            text += [f"{100 * cell:.0f} %" for cell in (lead[:1] if "half" in action else lead)]
        yield f"| {name} | " + " | ".join(text) + " |"


def balance_table(sides: pd.DataFrame) -> Iterator[str]:
    """Yield how often the balance names the side that was made to move."""
    yield "| act | right side | leads right | leads wrong | 95 % of sizes under |"
    yield "| :-- | --: | --: | --: | --: |"
    for action, part in sides.groupby("action", sort=False):
        sign = np.where(part["truth"] == "left", 1.0, -1.0)
        toward = part["balance"].fillna(0.0) * sign
        led = part["leads"].isin(["left", "right"])
        symmetric = action in SYMMETRIC
        cells = [float("nan") if symmetric else (toward > 0).mean()]
        cells += [(led & (toward > 0)).mean(), (led & (toward < 0)).mean()]
        size = part["balance"].abs().quantile(0.95)
        yield f"| {action} | " + " | ".join(f"{100 * c:.0f} %" for c in cells) + f" | {size:.2f} |"


def peaks_table(acts: pd.DataFrame) -> Iterator[str]:
    """Yield how well peaks, pace and counts are found where something moved."""
    yield (
        "| act, measure | moved | peak within the hold | repetitions 1 | time to peak, s (true: "
        f"{6 / FPS:.2f}) |"
    )
    yield "| :-- | --: | --: | --: | --: |"
    first = {one.action: one.start for one in intervals()}
    for action, name in (
        ("smile lips open", "commissure_y"),
        ("smile lips open", "AU12_r"),
        ("close eyes tightly", "lid_opening"),
        ("close eyes tightly", "AU45_r"),
    ):
        rows = acts[(acts["action"] == action) & (acts["measure"] == name)]
        rows = rows[rows["side"] != "whole"]
        moved = rows[rows["moved"] == 1]
        into = moved["peak_time"] - first[action]
        held = into.between(6 / FPS, 17 / FPS).mean()
        yield (
            f"| {action}, {name} | {100 * len(moved) / len(rows):.0f} % | {100 * held:.0f} % "
            f"| {100 * (moved['repetitions'] == 1).mean():.0f} % "
            f"| {moved['time_to_peak'].median():.2f} |"
        )


def synkinesis_table(found: pd.DataFrame) -> Iterator[str]:
    """Yield shares and excess with synkinesis on one side, and without."""
    yield (
        "| pattern, measure | synkinesis made | affected: share | control | excess, median (5 to "
        "95 %) | excess over 0.2 | no share |"
    )
    yield "| :-- | --: | --: | --: | --: | --: | --: |"
    made = {"oral-ocular": 0.6, "ocular-oral": 0.5}
    sick = found[(found["role"] == "affected") & found["coupling"].isin(list(made))]
    sick = sick.assign(share=sick["share"].where(sick["reason"] != NO_MOVEMENT, 0.0))
    for (name, told_by), part in sick.groupby(["coupling", "measure"]):
        for number, rows in part.groupby("number"):
            excess = (rows["share"] - rows["control"]).dropna()
            low, high = np.percentile(excess, [5, 95])
            yield (
                f"| {name}, {told_by} | {made[name] if number == 2 else 0:.1f} "
                f"| {rows['share'].median():.2f} | {rows['control'].median():.2f} "
                f"| {excess.median():.2f} ({low:.2f} to {high:.2f}) "
                f"| {100 * (excess > 0.2).mean():.0f} % "
                f"| {100 * (1 - len(excess) / len(rows)):.0f} % |"
            )


QUANTILE, FOLDS = 0.97, 6
SYMMETRIC = ("smile lips open", "close eyes tightly")


def main() -> int:
    """Make what is missing, measure all."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m validation.actions")
    parser.add_argument("folder", type=Path, help="webmorph pictures")
    parser.add_argument("--tables", type=Path, required=True, help="folder that keeps the tables")
    parser.add_argument("--people", type=int, help="the first so many; all if not given")
    parser.add_argument("--half", type=int, choices=[0, 1], help="of the people; all if not given")
    parser.add_argument("--measure-only", action="store_true", help="make no tables")
    options = parser.parse_args()
    if not options.measure_only:
        make_tables(options.folder, options.tables, options.people)
    for key, value in provenance(" ".join(["python -m validation.actions", *sys.argv[1:]])).items():
        sys.stdout.write(f"- {key}: {value}\n")
    paths = [
        path
        for path in sorted(options.tables.glob("*.parquet"))
        if options.half in (None, half_of(path.stem))
    ]
    acts, couplings, sides = measured(paths)
    sys.stdout.write(f"- people: {acts['person'].nunique()}\n")
    parts = {
        "Shares of these people": iter([f"`{shares(both_sides(acts))}`"]),
        f"Shares chosen without these people ({FOLDS} folds)": held_out_table(both_sides(acts)),
        "Sides and the gate": sides_table(both_sides(acts)),
        "Balance": balance_table(sides),
        "Peaks": peaks_table(acts),
        "Depth of a closure of both eyes": courses_table(paths),
        "Synkinesis": synkinesis_table(couplings),
    }
    for title, lines in parts.items():
        sys.stdout.write(f"\n## {title}\n\n" + "\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
