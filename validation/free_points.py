"""Fit iBUG's points to mesh vertices: half of webmorph's people, tested on the other half.

    python -m validation.free_points FOLDER [--out pyfaceau/mesh/points68.txt]

FOLDER holds the webmorph pictures (Face Research Lab London Set, DeBruine and Jones 2017, CC BY
4.0) with `neutral_front` and its manual points. Every second person fits, the others test. For each
annotated point those three vertices near it are chosen, and weights of sum 1, that miss it least;
ridge 0.02 and weights within 1.5 keep it in its place when the face moves. Points that are not
annotated (jaw, nose, two of the inner lips) are vertices chosen by iBUG's definition on the
canonical face. Nothing is fitted to another program's output.
"""

from __future__ import annotations

import argparse
import sys
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pyfaceau.mesh.bundle import Bundle
from pyfaceau.mesh.finder import FaceFinder
from pyfaceau.mesh.network import MeshNetwork
from pyfaceau.mesh.region import FaceRegion

Points = NDArray[np.float64]

DEFINED = {
    **dict(enumerate((127, 234, 93, 132, 58, 136, 150, 176))),
    **dict(enumerate((400, 379, 365, 288, 361, 323, 454, 356), 9)),
    **dict(enumerate((168, 197, 5, 4, 75, 97), 27)),
    34: 326,
    35: 305,
    60: 78,
    64: 308,
}
"""Vertices of the points that have no manual counterpart."""

SURFACE = 468
"""Vertices of the face without those of the irises, which move with the gaze."""

NEAR, RIDGE, MOST = 8, 0.02, 1.5
AMBIGUOUS = (21, 22)
"""Inner ends of the brows, which webmorph defines otherwise: left out of the mean."""


def main() -> None:
    """Read the command line, fit, test, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    manual, meshes = read(options.folder)
    fitting, testing = np.arange(0, len(manual), 2), np.arange(1, len(manual), 2)
    table = fit(manual[fitting], meshes[fitting])
    for name, who in (("fitted", fitting), ("tested", testing)):
        errors = misses(table, manual[who], meshes[who])
        mean = np.nanmean(np.delete(errors, AMBIGUOUS, axis=1))
        line = f"{name} on {len(who)} people: {mean:.2f} % of the distance of the outer eye corners"
        sys.stdout.write(line + "\n")
    if options.out:
        lines = [f"{i} {a} {b} {c} {u:.4f} {v:.4f} {w:.4f}" for i, (a, b, c, u, v, w) in table]
        options.out.write_text(HEADER + "\n".join(lines) + "\n", encoding="ascii")


HEADER = """\
# iBUG's 68 points as sums of mesh vertices: point, three vertices, their weights.
# Made by `python -m validation.free_points`; fitted to the manual points of every second person of
# the Face Research Lab London Set (DeBruine, Jones 2017, 10.6084/m9.figshare.5047666, CC BY 4.0).
# Points 0-7, 9-16, 27-32, 34, 35, 60, 64 are vertices chosen by definition.
"""


def read(folder: Path) -> tuple[Points, Points]:
    """Return the manual points (n, 68, 2) and meshes (n, 478, 2) of the neutral pictures."""
    bundle = Bundle.load()
    finder, network = FaceFinder(bundle.detector), MeshNetwork(bundle.mesh)
    table = np.load(folder / "neutral_front.npz")
    meshes = []
    for name in table["names"]:
        image = cv2.imread(str(folder / "neutral_front" / str(name)))
        region = FaceRegion.of_box(finder.detect(image)[0])
        for _ in range(3):
            points, _ = network(image, region)
            region = FaceRegion.of_points(points)
        meshes.append(points[:SURFACE, :2])
    return table["ibug68"].astype(np.float64), np.array(meshes, np.float64)


def eyes(manual: Points) -> Points:
    """Return the distances between the outer corners of the eyes."""
    return np.linalg.norm(manual[:, 36] - manual[:, 45], axis=1)


def fit(manual: Points, meshes: Points) -> list[tuple[int, tuple[float, ...]]]:
    """Return three vertices and weights for each point."""
    unit = eyes(manual)[:, None]
    table: list[tuple[int, tuple[float, ...]]] = []
    for point in range(68):
        if point in DEFINED:
            vertex = DEFINED[point]
            table.append((point, (vertex, vertex, vertex, 1.0, 0.0, 0.0)))
            continue
        goal = manual[:, point]
        far = np.linalg.norm(meshes - goal[:, None], axis=2) / unit
        near = np.argsort(far.mean(axis=0))[:NEAR]
        best = min(_weights(goal, meshes, unit, c) for c in combinations(near.tolist(), 3))
        table.append((point, best[1]))
    return table


def _weights(
    goal: Points, meshes: Points, unit: Points, corners: tuple[int, int, int]
) -> tuple[float, tuple[float, ...]]:
    """Return the mean miss of the best weights of three vertices, and vertices and weights."""
    a, b, c = corners
    sides = np.stack([meshes[:, b] - meshes[:, a], meshes[:, c] - meshes[:, a]], -1)
    sides, offset = sides / unit[:, :, None], (goal - meshes[:, a]) / unit
    rows = np.vstack([sides.reshape(-1, 2), RIDGE * np.sqrt(len(goal)) * np.eye(2)])
    v, w = np.linalg.lstsq(rows, np.append(offset.ravel(), [0, 0]), rcond=None)[0]
    miss = np.linalg.norm(sides @ (v, w) - offset, axis=1).mean()
    if max(abs(1 - v - w), abs(v), abs(w)) > MOST:
        miss = np.inf
    return float(miss), (a, b, c, float(1 - v - w), float(v), float(w))


def misses(table: list[tuple[int, tuple[float, ...]]], manual: Points, meshes: Points) -> Points:
    """Return the distances to the manual points, % of the distance of the outer eye corners."""
    rows = np.array([row for _, row in table])
    found = np.einsum("npkd,pk->npd", meshes[:, rows[:, :3].astype(int)], rows[:, 3:])
    return 100 * np.linalg.norm(found - manual, axis=2) / eyes(manual)[:, None]


if __name__ == "__main__":
    main()
