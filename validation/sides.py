"""Left and right measured on faces whose two sides are known.

    python -m validation.sides blends FOLDER     # one-sided smiles and closures of known amplitude
    python -m validation.sides shrinkage FOLDER  # how much of a one-sided movement landmarks report
    python -m validation.sides mirror VIDEO...   # mirrored videos: exact, and tracked anew
    python -m validation.sides cost VIDEO...     # time per frame with and without --split-face

FOLDER holds the webmorph pictures, see `validation.blends`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

import pyfaceau
from pyfaceau import CLNF, Config, FullPythonAUPipeline, VideoReader
from pyfaceau.actions.balance import SYMMETRIC, TOLD_BY, UNIT_STEPS
from pyfaceau.asymmetry.gate import asymmetry
from pyfaceau.asymmetry.geometry import measure
from pyfaceau.asymmetry.midline import PARTNERS
from pyfaceau.output.openface_csv import OpenFaceCSV
from pyfaceau.tracking.targeted import TargetedTracker
from pyfaceau.types import TrackedFace
from validation.blends import FPS, Clip, Movement, Picture, Points, people
from validation.provenance import provenance

ROUNDS = 5
"""Times that a video is measured either way."""

STEPS = (0.25, 0.5, 0.75, 1.0)
RESTING, RISE, HOLD = 12, 2, 4


def staircase() -> Points:
    """Return a course of rest, then a hold at each of `STEPS`."""
    parts = [np.zeros(RESTING)]
    before = 0.0
    for step in STEPS:
        parts += [np.linspace(before, step, RISE + 2)[1:-1], np.full(HOLD, step)]
        before = step
    return np.concatenate(parts)


def table_of(pipeline: FullPythonAUPipeline, frames: Iterable[Picture]) -> pd.DataFrame:
    """Return the table that a pipeline writes of frames."""
    pipeline.reset()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.csv"
        with OpenFaceCSV(path, layout=pipeline.layout) as table:
            for k, frame in enumerate(frames):
                table.write(pipeline.process_frame(frame, k / FPS))
            table.finish(*pipeline.action_units(table.rows))
        return pyfaceau.read(path)


def blends(
    folder: Path, count: int | None, store: Path | None, kinds: Iterable[str]
) -> Iterator[str]:
    """Measure one-sided smiles and closures of known side and amplitude."""
    pipeline = FullPythonAUPipeline(config=replace(Config.load("default"), split_face=True))
    columns = ["person", "kind", "side", "measure", "step", "difference", "left", "right", "leads"]
    kept = [] if store is None or not store.exists() else [pd.read_csv(store, dtype={0: str})]
    known = set() if not kept else set(kept[0]["person"])
    shares = staircase()
    rest = np.arange(len(shares)) < RESTING
    for person in people(folder, count, known):
        rows = []
        for kind, side in [(k, s) for k in kinds for s in ("left", "right", "both")]:
            clip = Clip(person, [(Movement(kind, side), shares)], int(person.name))
            table = table_of(pipeline, clip)
            values = measure(table, rest=rest)
            values = values.join(table[[n for n in table if n.startswith("AU") and "_r_" in n]])
            for name in _names(values):
                left, right = (values[f"{name}_{s}"].to_numpy() for s in ("left", "right"))
                if not np.isfinite(left[rest]).sum() > 3:
                    continue
                floor = 0.01 if name.startswith("AU") else 0.0
                compared = asymmetry(left, right, rest, floor=floor)
                for step in STEPS:
                    held = np.flatnonzero(shares == step)
                    part = compared.iloc[held]
                    rows.append((person.name, kind, side, name, step, *part[columns[5:]].median()))
        kept.append(pd.DataFrame(rows, columns=columns))
        if store is not None:
            pd.concat(kept).to_csv(store, index=False)
    yield from summary(pd.concat(kept))


def _names(values: pd.DataFrame) -> list[str]:
    return [n.removesuffix("_left") for n in values if n.endswith("_left") and "closed" not in n]


def together(frame: pd.DataFrame, names: Sequence[str]) -> Iterator[pd.DataFrame]:
    """Yield rows of the balance and the difference, see `pyfaceau.actions.balance`."""
    keys = ["person", "kind", "side", "step"]
    part = frame[frame["measure"].isin(names)].copy()
    a, b = part["left"].abs(), part["right"].abs()
    least = np.where(part["measure"].str.startswith("AU"), 0.5, 0.01)
    step = np.where(part["measure"].str.startswith("AU"), UNIT_STEPS["0-5"], UNIT_STEPS["iod"])
    part["balance"], part["amount"] = (a - b) / np.maximum(a + b, least), (a - b) / step
    mean = part.groupby(keys, sort=False)[["balance", "amount"]].mean().reset_index()
    leads = np.sign(mean["balance"]).where(mean["balance"].abs() > SYMMETRIC, 0.0)
    for name, column in (("balance", "balance"), ("difference", "amount")):
        yield mean.assign(
            measure=f"{name} of {', '.join(names)}",
            left=mean[column].clip(lower=0),
            right=-mean[column].clip(upper=0),
            difference=mean[column],
            leads=leads,
        )


def summary(frame: pd.DataFrame) -> Iterator[str]:
    """Yield the table of what was named rightly, per kind and measure."""
    yield (
        "| kind | measure | side right at 100 % | at 75 % | at 50 % | at 25 % | grows "
        "| Spearman, median | leads, symmetric |"
    )
    yield "| :-- | :-- | --: | --: | --: | --: | --: | --: | --: |"
    for kind, act in (("smile", "smile lips open"), ("eye", "close eyes tightly")):
        part = frame[frame["kind"] == kind]
        told = [name for name in TOLD_BY[act] if (part["measure"] == name).any()]
        frame = pd.concat([frame, *together(part, told)])
    for (kind, name), part in frame.groupby(["kind", "measure"], sort=False):
        one = part[part["side"] != "both"]
        sign = np.where(one["side"] == "left", 1.0, -1.0)
        move = np.abs(one["left"]) - np.abs(one["right"])
        right = (np.sign(move) == sign).groupby(one["step"]).mean()
        known = one.assign(lead=sign * move)
        wide = known.pivot_table(index=["person", "side"], columns="step", values="lead")
        order = wide.rank(axis=1).apply(lambda row: np.corrcoef(row, np.arange(4))[0, 1], axis=1)
        grows = (wide[1.0] > wide[0.25]).mean()
        both = part[(part["side"] == "both") & (part["step"] == 1.0)]
        false = (both["leads"] != 0).mean()
        yield (
            f"| {kind} | {name} | "
            + " | ".join(f"{100 * right[s]:.1f} %" for s in (1.0, 0.75, 0.5, 0.25))
            + f" | {100 * grows:.1f} % | {order.median():.2f} | {100 * false:.1f} % |"
        )


def _tracked() -> dict[str, FullPythonAUPipeline]:
    """Return what gives landmarks of a video."""
    default = Config.load("default")
    made = {name: Config.load(name) for name in ("fast", "default", "openface")}
    points = replace(default, refinement=replace(default.refinement, method="points"))
    found = {
        "PFLD": made["fast"],
        "nine points": points,
        "default": made["default"],
        "openface (full CLNF)": made["openface"],
    }
    pipelines = {n: FullPythonAUPipeline(config=c, threads=1) for n, c in found.items()}
    for weight in (10.0, 2.5):
        tracker = CLNF(detector="retinaface", regularization=weight).tracker()
        pipelines[f"full CLNF, prior {weight:g}"] = FullPythonAUPipeline(
            config=made["openface"], tracker=tracker, threads=1
        )
    return pipelines


def shrinkage(folder: Path, count: int | None) -> Iterator[str]:
    """Compare the asymmetry that landmarks report with the one that was made."""
    kept = ("commissure_x", "commissure_y", "commissure_excursion", "smile_angle")
    kept += ("upper_lip_height", "palpebral_height", "mrd1")
    moves = {"smile": kept[:5], "eye": kept[5:]}
    found = _tracked()
    course = np.concatenate([np.zeros(8), np.linspace(0, 1, 8), np.ones(8)])
    rest, held = course == 0, np.arange(len(course)) >= len(course) - 5
    rows: dict[str, list[tuple[float, float, int]]] = {f"{s} {n}": [] for s in found for n in kept}
    for number, person in enumerate(people(folder, count)):
        known = np.where(np.isfinite(person.manual), person.manual, person.points)
        for kind, names in moves.items():
            side = ("left", "right")[number % 2]
            clip = Clip(person, [(Movement(kind, side), course)], int(person.name))
            pictures, truth = list(clip), _differences(clip.truth(known), names, rest, held)
            for source, pipeline in found.items():
                pipeline.reset()
                faces = [pipeline.process_frame(p, k / FPS).face for k, p in enumerate(pictures)]
                points = np.stack([face.landmarks for face in faces]).astype(np.float64)
                points[[not face.success for face in faces]] = np.nan
                for name, a, b in zip(
                    names, truth, _differences(points, names, rest, held), strict=True
                ):
                    if np.isfinite(b):
                        rows[f"{source} {name}"].append((a, b, number // 2 % 2))
    yield "| source | " + " | ".join(kept) + " |"
    yield "| :-- |" + " --: |" * len(kept)
    for source in found:
        cells = []
        for name in kept:
            x, y, half = np.array(rows[f"{source} {name}"]).T
            parts = [np.ones(len(x), bool), half == 0, half == 1]
            a, b, c = (float(x[p] @ y[p] / (x[p] @ x[p])) for p in parts)
            cells.append(f"{a:.2f} ({b:.2f}, {c:.2f}; r {np.corrcoef(x, y)[0, 1]:.2f})")
        yield f"| {source} | " + " | ".join(cells) + " |"


def _differences(points: Points, names: Iterable[str], rest: Points, held: Points) -> list[float]:
    """Return the change of left less right from rest to what is held."""
    values = measure(flat_table(points))
    change = values[held].median() - values[rest].median()
    return [float(change[f"{n}_2d_left"] - change[f"{n}_2d_right"]) for n in names]


def flat_table(points: Points) -> pd.DataFrame:
    """Return a table of landmarks, (N, 68, 2) pixels."""
    names = [f"{axis}_{i}" for axis in "xy" for i in range(68)]
    values = np.asarray(points, np.float64).transpose(0, 2, 1).reshape(len(points), -1)
    return pd.DataFrame(values, columns=names)


class Fixed:
    """A tracker that says what it was told: the faces of another, perhaps mirrored."""

    def __init__(
        self, faces: list[TrackedFace], like: TargetedTracker, width: int | None = None
    ) -> None:
        self.faces, self.refiner, self.width, self.next = faces, like.refiner, width, 0
        self.network, self.eyes = like.network, like.eyes

    def reset(self) -> None:
        """Begin again."""
        self.next = 0

    def update(self, frame: object) -> TrackedFace:  # noqa: ARG002 - what a tracker takes
        """Return the next face, its landmarks on a grid of 1/1024 pixel."""
        face = self.faces[self.next]
        self.next += 1
        seen = face.network_points
        return replace(
            face,
            landmarks=self._on_grid(face.landmarks, face.ok),
            network_points=None if seen is None else self._on_grid(seen, face.ok),
        )

    def _on_grid(self, points: Points, ok: bool) -> Points:
        points = np.round(points.astype(np.float64) * 1024) / 1024
        if self.width is not None and ok:
            points = points[PARTNERS]
            points[:, 0] = self.width - 1 - points[:, 0]
        return points.astype(np.float32)


def mirror(videos: list[Path]) -> Iterator[str]:
    """Hold the mirror law: with landmarks given mirrored, and tracked anew."""
    config = replace(Config.load("default"), split_face=True)
    yield (
        "| video | values | swapped exactly, landmarks given | tracked anew: mean r of split AUs "
        "| mean difference |"
    )
    yield "| :-- | --: | --: | --: | --: |"
    for video in videos:
        with VideoReader(video) as reader:
            frames = [frame.image for frame in reader]
        mirrored = [np.ascontiguousarray(image[:, ::-1]) for image in frames]
        first = FullPythonAUPipeline(config=config, threads=1)
        first.reset()
        faces = [first.process_frame(image, k / FPS).face for k, image in enumerate(frames)]
        like = first._tracker.inner
        tables = []
        for images, width in ((frames, None), (mirrored, frames[0].shape[1])):
            fixed = FullPythonAUPipeline(
                config=config, tracker=Fixed(faces, like, width), threads=1
            )
            tables.append(table_of(fixed, images))
        anew = [table_of(first, images) for images in (frames, mirrored)]
        same, total, rs, gaps = 0, 0, [], []
        for name in [n for n in tables[0] if n.endswith(("_left", "_right"))]:
            stem, side = name.rsplit("_", 1)
            twin = f"{stem}_{'left' if side == 'right' else 'right'}"
            a, b = tables[0][name], tables[1][twin]
            same += int(((a == b) | (a.isna() & b.isna())).sum())
            total += len(a)
            c, d = anew[0][name], anew[1][twin]
            if "_r_" in name and min(c.std(), d.std()) > 0.05:
                rs.append(c.corr(d))
                gaps.append((c - d).abs().mean())
        yield (
            f"| {video.stem} | {total} | {100 * same / total:.2f} % | {np.mean(rs):.3f} "
            f"| {np.mean(gaps):.3f} |"
        )


def cost(videos: list[Path]) -> Iterator[str]:
    """Compare time per frame, both ways in turn: of the processor, and by the clock."""
    ways = " | ".join(
        f"default, {unit} | with --split-face | times" for unit in ("CPU ms", "wall ms")
    )
    yield f"| video | threads | {ways} |"
    yield "| :-- |" + " --: |" * 7
    default = Config.load("default")
    for video in videos:
        for threads in (1, 2):
            both = [
                FullPythonAUPipeline(config=c, threads=threads)
                for c in (default, replace(default, split_face=True))
            ]
            for pipeline in both:
                pipeline.process_video(video)
            spent: list[list[tuple[float, float]]] = [[], []]
            for _ in range(ROUNDS):
                for i, pipeline in enumerate(both):
                    began = time.process_time(), time.perf_counter()
                    rows = len(pipeline.process_video(video))
                    ended = time.process_time(), time.perf_counter()
                    spent[i].append(
                        tuple((e - b) / rows * 1000 for b, e in zip(began, ended, strict=True))
                    )
            (cpu_a, wall_a), (cpu_b, wall_b) = (np.median(s, axis=0) for s in spent)
            yield (
                f"| {video.stem} | {threads} | {cpu_a:.2f} | {cpu_b:.2f} | {cpu_b / cpu_a:.2f} "
                f"| {wall_a:.2f} | {wall_b:.2f} | {wall_b / wall_a:.2f} |"
            )


def main() -> int:
    """Run one of the checks."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m validation.sides")
    parser.add_argument("check", choices=["blends", "shrinkage", "mirror", "cost"])
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--people", type=int)
    parser.add_argument("--kinds", nargs="+", choices=["smile", "eye"], default=["smile", "eye"])
    parser.add_argument("--store", type=Path, help="CSV of every value; goes on from it")
    options = parser.parse_args()
    if options.check == "blends":
        lines = blends(options.paths[0], options.people, options.store, options.kinds)
    elif options.check == "shrinkage":
        lines = shrinkage(options.paths[0], options.people)
    else:
        lines = {"mirror": mirror, "cost": cost}[options.check](options.paths)
    for key, value in provenance(" ".join(["python -m validation.sides", *sys.argv[1:]])).items():
        sys.stdout.write(f"- {key}: {value}\n")
    sys.stdout.write("\n")
    for line in lines:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
