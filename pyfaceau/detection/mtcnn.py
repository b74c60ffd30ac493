"""MTCNN, the three-network cascade that OpenFace starts its tracking with.

Zhang, Zhang, Li, Qiao, "Joint face detection and alignment using multi-task cascaded convolutional
networks", IEEE Signal Processing Letters 23 (2016), with the weights, thresholds and rounding of
OpenFace 2.2. A picture passes through numbered steps:

1. PNet looks at every 12x12 window of an image pyramid and proposes squares (`_propose`);
2. RNet refines or rejects each proposal, resized to 24x24 (`_refine`);
3. ONet does so again at 48x48 and adds five points (`_decide`);
4. the boxes are moved to where the 68 landmarks lie (`_adapt`).

Boxes are equal to OpenFace's to the last bit, on every machine: see `pyfaceau.numerics.cnn`.
"""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Literal, overload

import numpy as np
from numpy.typing import NDArray

from pyfaceau.detection import _mtcnn_kernels as kernels
from pyfaceau.errors import check_image
from pyfaceau.models.modelfile import BinaryReader
from pyfaceau.models.weights import locate
from pyfaceau.numerics.cnn import Network, read_network
from pyfaceau.types import FaceBox, Float32, UInt8

MIN_FACE = 60
"""Side of the smallest face that is looked for, pixels."""
PYRAMID_FACTOR = 0.709
"""Ratio of neighbouring pyramid levels."""
SUPPORT, STRIDE = 12, 2
"""Side of PNet's window and the step between windows, pixels of the level."""
THRESHOLDS = (np.float32(0.6), np.float32(0.7), np.float32(0.7))
"""Lowest probability that passes PNet, RNet and ONet."""
_BATCH = 64

Integers = NDArray[np.int64]


class MTCNN:
    """Face detector: boxes with five points, any number of faces of 60 pixels and more.

    Parameters
    ----------
    folder : path, optional
        Holds ``PNet.dat``, ``RNet.dat`` and ``ONet.dat``; None takes the installed weights.

    Raises
    ------
    WeightsError
        If a model file is missing or altered.
    """

    def __init__(self, folder: str | os.PathLike[str] | None = None) -> None:
        paths = (
            Path(folder) / f"{name}.dat" if folder else locate(f"mtcnn_detector/{name}.dat")
            for name in ("PNet", "RNet", "ONet")
        )
        self._pnet, self._rnet, self._onet = (_read(path) for path in paths)

    @overload
    def detect(  # numpydoc ignore=GL08
        self, image: UInt8, return_landmarks: Literal[False] = False
    ) -> Float32: ...

    @overload
    def detect(  # numpydoc ignore=GL08
        self, image: UInt8, return_landmarks: Literal[True]
    ) -> tuple[Float32, Float32]: ...

    def detect(
        self, image: UInt8, return_landmarks: bool = False
    ) -> Float32 | tuple[Float32, Float32]:
        """Find all faces.

        Parameters
        ----------
        image : (H, W, 3) or (H, W) uint8
            BGR or gray. Where the shorter side is below 60 pixels there is no face.
        return_landmarks : bool
            Return the five points of each face as well.

        Returns
        -------
        boxes : (n, 4) float32
            x, y, width, height, pixels, highest probability first; around the 68 landmarks, and
            possibly reaching outside the picture.
        points : (n, 5, 2) float32
            Only with `return_landmarks`: eye on the image's left, eye on its right, nose, mouth
            corners left and right, pixels.

        Raises
        ------
        InputError
            If the picture is not 8-bit gray or BGR.
        """
        boxes, _, points = self._cascade(image)
        return (boxes, points) if return_landmarks else boxes

    def faces(self, image: UInt8) -> tuple[FaceBox, ...]:
        """Find all faces, as values for the tracker.

        Parameters
        ----------
        image : (H, W, 3) or (H, W) uint8
            BGR or gray.

        Returns
        -------
        tuple of FaceBox
            As from `detect`, with ONet's probability as score; empty where there is no face.

        Raises
        ------
        InputError
            If the picture is not 8-bit gray or BGR.
        """
        boxes, scores, points = self._cascade(image)
        return tuple(
            FaceBox(x, y, width, height, score, five)
            for (x, y, width, height), score, five in zip(
                boxes.tolist(), scores.tolist(), points, strict=True
            )
        )

    def _cascade(self, image: UInt8) -> tuple[Float32, Float32, Float32]:
        image = check_image("image", image)
        if image.ndim == 2:
            image = np.repeat(image[:, :, None], 3, axis=2)
        boxes = self._refine(image, self._propose(image))
        boxes, scores, points = self._decide(image, boxes)
        return _adapt(boxes), scores, points

    def _propose(self, image: UInt8) -> Float32:
        height, width = image.shape[:2]
        found = [np.empty((0, 9), np.float32)]
        for scale in pyramid(min(height, width)):
            size = (3, 1, math.ceil(height * scale), math.ceil(width * scale))
            level = np.empty(size, np.float32)
            kernels.resample(image, 0, 0, width, height, level, 0)
            proposals = _decode_level(self._pnet(level)[:, 0], np.float32(scale))
            found.append(proposals[_suppress(proposals[:, :4], proposals[:, 4], 0.5)])
        proposals = np.concatenate(found)
        proposals = proposals[_suppress(proposals[:, :4], proposals[:, 4], 0.7)]
        return _square(_regress(proposals[:, :4], proposals[:, 5:]))

    def _refine(self, image: UInt8, boxes: Float32) -> Float32:
        outputs = _on_crops(self._rnet, image, boxes, 24, 6)
        scores = kernels.probability(outputs)
        passed = scores >= THRESHOLDS[1]
        boxes, outputs, scores = boxes[passed], outputs[passed], scores[passed]
        kept = _suppress(boxes, scores, 0.7)
        return _square(_regress(boxes[kept], outputs[kept, 2:]))

    def _decide(self, image: UInt8, boxes: Float32) -> tuple[Float32, Float32, Float32]:
        outputs = _on_crops(self._onet, image, boxes, 48, 16)
        scores = kernels.probability(outputs)
        passed = scores >= THRESHOLDS[2]
        boxes, outputs, scores = boxes[passed], outputs[passed], scores[passed]
        offsets = outputs[:, 6:].reshape(-1, 2, 5).transpose(0, 2, 1)
        points = boxes[:, None, :2] + offsets * (boxes[:, None, 2:] + 1)
        boxes = _regress(boxes, outputs[:, 2:6], grow=1)
        kept = _suppress(boxes, scores, 0.7, smaller=True)
        return boxes[kept], scores[kept], points[kept]


def pyramid(side: int) -> list[float]:
    """Return the scales at which PNet sees a picture.

    Parameters
    ----------
    side : int
        The shorter side of the picture, pixels.

    Returns
    -------
    list of float
        12 / 60 x 0.709^i, while the shorter side stays at 12 pixels or more; empty below 60.
    """
    levels = math.floor(math.log(MIN_FACE / side) / math.log(PYRAMID_FACTOR)) + 1
    return [SUPPORT / MIN_FACE * PYRAMID_FACTOR**i for i in range(levels)]


def _read(path: Path) -> Network:
    reader = BinaryReader(path)
    network = read_network(reader)
    reader.expect_end()
    return network


def _decode_level(maps: Float32, scale: np.float32) -> Float32:
    """Return (n, 9): x, y, width, height, probability and regression of PNet's proposals."""
    outputs = np.ascontiguousarray(maps.reshape(len(maps), -1).T)
    scores = kernels.probability(outputs).reshape(maps.shape[1:])
    passed = scores >= THRESHOLDS[0]
    columns, rows = np.nonzero(passed.T)
    corner = np.stack([columns, rows], axis=1).astype(np.float32) * STRIDE
    low = np.trunc((corner + np.float32(1)) / scale)
    high = np.trunc((corner + np.float32(SUPPORT)) / scale)
    parts = [low, high - low, scores[rows, columns][:, None], maps[2:, rows, columns].T]
    return np.concatenate(parts, axis=1)


def _suppress(boxes: Float32, scores: Float32, limit: float, smaller: bool = False) -> Integers:
    """Return the indices of the boxes that survive, best first, of equals the last first."""
    order = np.argsort(scores, kind="stable")[::-1].copy()
    keep = np.ones(len(boxes), np.uint8)
    whole = np.rint(boxes).astype(np.int32)
    kernels.suppress(whole, order, np.float32(limit), smaller, keep)
    survivors: Integers = order[keep[order] == 1]
    return survivors


def _regress(boxes: Float32, offsets: Float32, grow: int = 0) -> Float32:
    """Move the corners of rounded boxes by offsets in units of their (grown) size."""
    whole = np.rint(boxes)
    low, size = whole[:, :2], whole[:, 2:] + np.float32(grow)
    first = low + offsets[:, :2] * size
    second = low + size + offsets[:, 2:4] * size
    return np.concatenate([first, second - first], axis=1)


def _square(boxes: Float32) -> Float32:
    """Return the squares of whole pixels around the boxes' centres, as wide as the longer side."""
    side = boxes[:, 2:].max(axis=1, keepdims=True)
    corner = np.trunc(boxes[:, :2] + np.float32(0.5) * (boxes[:, 2:] - side))
    return np.concatenate([corner, np.trunc(side), np.trunc(side)], axis=1)


def _on_crops(network: Network, image: UInt8, boxes: Float32, side: int, outputs: int) -> Float32:
    """Return (n, outputs) of the network on each box, which is seen from one pixel left and up."""
    results = [np.empty((0, outputs), np.float32)]
    for start in range(0, len(boxes), _BATCH):
        batch = boxes[start : start + _BATCH].astype(np.int64)
        crops = np.empty((3, len(batch), side, side), np.float32)
        for i, (x, y, width, height) in enumerate(batch):
            kernels.resample(image, x - 1, y - 1, width + 1, height + 1, crops, i)
        results.append(network(crops))
    return np.concatenate(results)


def _adapt(boxes: Float32) -> Float32:
    """Move boxes from MTCNN's convention to the extent of the 68 landmarks, as OpenFace does."""
    x, y, width, height = boxes.astype(np.float64).T
    moved = (x - 0.0075 * width, y + 0.2459 * height, 1.0323 * width, 0.7751 * height)
    return np.stack(moved, axis=1).astype(np.float32)
