"""Drawn faces with 68 points, so that training is tested where there are no data."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pyfaceau.training.layouts import MIRROR_68


def mean_face() -> NDArray[np.float64]:
    """Return a symmetric face, (68, 2); its eyes' outer corners are 2 apart."""

    def arc(count: int, middle: tuple[float, float], size: tuple[float, float], *ends: float):
        angle = np.radians(np.linspace(*ends, count))
        return np.stack([np.cos(angle), np.sin(angle)], 1) * size + middle

    points = np.concatenate(
        [
            arc(17, (0, 0.2), (1.6, 2.2), 180, 0),
            arc(5, (-0.75, -0.2), (0.5, 0.35), 190, 350),
            arc(5, (0.75, -0.2), (0.5, 0.35), 190, 350),
            [[0, 0.2 * i] for i in range(4)],
            [[-0.3, 0.85], [-0.15, 0.9], [0, 0.95], [0.15, 0.9], [0.3, 0.85]],
            arc(6, (-0.7, 0), (0.3, 0.12), 180, 480),
            arc(6, (0.7, 0), (0.3, 0.12), 180, 480),
            arc(12, (0, 1.5), (0.6, 0.3), 180, 510),
            arc(8, (0, 1.5), (0.45, 0.12), 180, 495),
        ]
    )
    return (points + points[MIRROR_68] * [-1, 1]) / 2


def write_drawn_faces(folder: Path, count: int = 20, people: int = 10) -> Path:
    """Draw faces of several people and return the ``.npz`` that names them.

    Parameters
    ----------
    folder : Path
        Gets ``few.npz`` and the pictures' folder ``few``.
    count, people : int
        Faces, and whose in turn.

    Returns
    -------
    Path
        As `read_faces` takes it.
    """
    rng = np.random.default_rng(0)
    (folder / "few").mkdir(parents=True)
    shapes = mean_face() + rng.normal(size=(people, 68, 2)) * 0.02
    shapes *= rng.uniform(0.85, 1.15, (people, 1, 2))
    names, points = [], []
    for number in range(count):
        turn, size = np.radians(rng.uniform(-20, 20)), rng.uniform(26, 34)
        c, s = size * np.cos(turn), size * np.sin(turn)
        placed = shapes[number % people] @ [[c, s], [-s, c]] + rng.uniform(85, 105, 2) - [0, 25]
        image = np.full((200, 190, 3), rng.uniform(20, 220), np.uint8)
        _draw(image, placed)
        names.append(f"{number}.png")
        cv2.imwrite(str(folder / "few" / names[-1]), image)
        points.append(placed.astype(np.float32))
    who = np.array([f"P{number % people}" for number in range(count)])
    np.savez(folder / "few.npz", names=names, points=np.stack(points), identity=who)
    return folder / "few.npz"


def _draw(image: NDArray[np.uint8], points: NDArray[np.float64]) -> None:
    corners = np.round(points * 16).astype(np.int32)
    brow = corners[17:27][::-1] - [0, 160]
    cv2.fillPoly(image, [np.concatenate([corners[:17], brow])], (130, 160, 200), cv2.LINE_AA, 4)
    for first, last, closed in ((17, 22, 0), (22, 27, 0), (27, 31, 0), (31, 36, 0), (36, 42, 1),
                                (42, 48, 1), (48, 60, 1), (60, 68, 1)):  # fmt: skip
        line = [corners[first:last]]
        cv2.polylines(image, line, bool(closed), (40, 40, 90), 2, cv2.LINE_AA, 4)
