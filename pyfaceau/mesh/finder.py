"""BlazeFace: faces in a picture.

Bazarevsky, Kartynnik, Vakunov, Raveendran and Grundmann, "BlazeFace: Sub-millisecond neural face
detection on mobile GPUs", 2019: 896 anchors without sizes on grids of 16 x 16 (two in each cell)
and 8 x 8 (six); boxes that overlap are blended, not suppressed (section 3.3).
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from pyfaceau.mesh.runtime import Network
from pyfaceau.types import FaceBox, Float32, Float64, UInt8

SIZE = 128
"""Side of what the network sees, pixels."""

SURE = 0.5
_OVERLAP = 0.3
_GRIDS = ((16, 2), (8, 6))
_VALUES = 16  # centre, size, six points
_CLIP = 80.0


class FaceFinder:
    """Finds faces; of a picture without any, its parts are looked at too, for small ones.

    Parameters
    ----------
    model : bytes
        The network.
    """

    def __init__(self, model: bytes) -> None:
        shape, anchors = (1, SIZE, SIZE, 3), _anchors()
        self._network = Network(model, "face detector", shape, (len(anchors) * _VALUES, 896))
        self._anchors = anchors

    def detect(self, image: UInt8) -> tuple[FaceBox, ...]:
        """Find the faces of a picture.

        Parameters
        ----------
        image : (H, W, 3) uint8
            BGR picture.

        Returns
        -------
        tuple of FaceBox
            Largest first. Of the mouth the network knows the middle, which stands for both of its
            corners.
        """
        return next(filter(None, self.looks(image)), ())

    def looks(self, image: UInt8) -> Iterator[tuple[FaceBox, ...]]:
        """Look at a picture, then at its parts.

        Parameters
        ----------
        image : (H, W, 3) uint8
            BGR picture.

        Yields
        ------
        tuple of FaceBox
            What was found in all of it; in its parts. Largest first, as from `detect`.
        """
        height, width = image.shape[:2]
        yield _faces(self._look(image, 0, 0, max(height, width), whole=True))
        found: list[Float64] = []
        for x, y, side in _parts(width, height):
            found += self._look(image, x, y, side)
        yield _faces(found)

    def _look(self, image: UInt8, x: int, y: int, side: int, whole: bool = False) -> list[Float64]:
        """Return score and values, in the picture's pixels, of what is found in a square of it."""
        part = image if whole else image[y : y + side, x : x + side]
        scale = SIZE / side
        height, width = (max(1, round(length * scale)) for length in part.shape[:2])
        square = np.zeros((SIZE, SIZE, 3), np.uint8)
        top, left = (SIZE - height) // 2, (SIZE - width) // 2
        small = cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA)
        square[top : top + height, left : left + width] = small
        seen = square[None, :, :, ::-1].astype(np.float32) / np.float32(127.5) - np.float32(1)
        values, logits = self._network(seen)
        scores = 1 / (1 + np.exp(-np.clip(logits.astype(np.float64), -_CLIP, _CLIP)))
        sure = np.flatnonzero(scores >= SURE)
        values = values.reshape(-1, _VALUES)[sure].astype(np.float64)
        points = np.delete(values.reshape(-1, _VALUES // 2, 2), 1, axis=1)
        points += self._anchors[sure][:, None] * SIZE
        points = (points - (left, top)) / scale + (x, y)
        sizes = np.abs(values[:, 2:4]) / scale
        rows = np.column_stack([scores[sure], points[:, 0], sizes, points[:, 1:].reshape(-1, 12)])
        return list(rows)


def _anchors() -> Float32:
    """Return the anchors' centres, 0 to 1, row by row, those of a cell together."""
    centres = []
    for cells, each in _GRIDS:
        y, x = np.mgrid[:cells, :cells].reshape(2, -1)
        centres.append(np.repeat(np.column_stack([x, y]) + 0.5, each, axis=0) / cells)
    return np.concatenate(centres).astype(np.float32)


def _parts(width: int, height: int) -> list[tuple[int, int, int]]:
    """Return squares, half overlapping, of two thirds and of a third of the picture's height."""
    parts = []
    for share in (2 / 3, 1 / 3):
        side = max(SIZE // 2, round(min(width, height) * share))
        for y in _starts(height, side):
            parts += [(x, y, side) for x in _starts(width, side)]
    return parts


def _starts(length: int, side: int) -> list[int]:
    """Return where squares begin that half overlap and reach both ends."""
    count = max(1, int(np.ceil(2 * (length - side) / side)) + 1)
    return sorted({round(at) for at in np.linspace(0, max(0, length - side), count)})


def _faces(rows: list[Float64]) -> tuple[FaceBox, ...]:
    """Return rows of score and values as faces, largest first."""
    faces = [_face(values) for values in _blended(np.array(rows).reshape(-1, _VALUES + 1))]
    return tuple(sorted(faces, key=lambda face: -face.width * face.height))


def _blended(rows: Float64) -> list[Float64]:
    """Blend rows whose boxes overlap, weighted by their scores; keep the best score of each."""
    rows = rows[np.argsort(-rows[:, 0], kind="stable")] if len(rows) else rows
    kept = []
    while len(rows):
        alike = _overlap(rows[0], rows) > _OVERLAP
        alike[0] = True
        cluster = rows[alike]
        blend = np.average(cluster, axis=0, weights=cluster[:, 0])
        blend[0] = rows[0, 0]
        kept.append(blend)
        rows = rows[~alike]
    return kept


def _overlap(one: Float64, others: Float64) -> Float64:
    """Return intersection over union of boxes, rows of (score, centre, size, ...)."""
    low = np.maximum(one[1:3] - one[3:5] / 2, others[:, 1:3] - others[:, 3:5] / 2)
    high = np.minimum(one[1:3] + one[3:5] / 2, others[:, 1:3] + others[:, 3:5] / 2)
    common = np.clip(high - low, 0, None).prod(axis=1)
    union = one[3:5].prod() + others[:, 3:5].prod(axis=1) - common
    overlap: Float64 = common / np.maximum(union, 1e-9)
    return overlap


def _face(values: Float64) -> FaceBox:
    """Return a row as a face."""
    score, x, y, width, height = values[:5].tolist()
    width, height = max(width, 1.0), max(height, 1.0)
    points = values[5:].reshape(6, 2)[[0, 1, 2, 3, 3]].astype(np.float32)
    return FaceBox(x - width / 2, y - height / 2, width, height, score, points)
