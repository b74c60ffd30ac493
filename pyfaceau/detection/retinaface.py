"""RetinaFace with a MobileNet-0.25 backbone, run through ONNX Runtime on the CPU.

Deng, Guo, Zhou, Yu, Kotsia, Zafeiriou, "RetinaFace: Single-stage dense face localisation in the
wild", CVPR 2020. The picture is letterboxed into the network's fixed square: scaled to fit, laid
at the top left, the rest filled with the mean colour.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pyfaceau.detection._kernels_resize import shrink
from pyfaceau.errors import InputError, check_image
from pyfaceau.models.onnxsession import open_session
from pyfaceau.numerics.libm import expf
from pyfaceau.types import FaceBox, Float32, UInt8

SIDE = 640
STRIDES = (8, 16, 32)
MIN_SIZES = ((16, 32), (64, 128), (256, 512))
VARIANCES = (0.1, 0.2)
MEAN_BGR = (104.0, 117.0, 123.0)


def make_priors(side: int = SIDE) -> Float32:
    """Return the anchor boxes in the order of the network's output rows.

    Each feature map of stride s has cells centred at (i + 1/2) s; each cell carries one square
    anchor for each of the stride's two sizes. Order: stride, row, column, size.

    Parameters
    ----------
    side : int
        Side of the network's input, pixels.

    Returns
    -------
    (n, 4) float32
        Centre x, centre y, width, height, in units of `side`.
    """
    maps = []
    for stride, sizes in zip(STRIDES, MIN_SIZES, strict=True):
        centres = (np.arange(-(-side // stride)) + 0.5) * stride
        y, x, size = np.meshgrid(centres, centres, sizes, indexing="ij")
        maps.append(np.stack([x, y, size, size], axis=-1).reshape(-1, 4))
    return (np.concatenate(maps) / side).astype(np.float32)


def decode_boxes(offsets: Float32, priors: Float32) -> Float32:
    """Turn regressed offsets into boxes.

    centre = prior centre + 0.1 offset prior size; size = prior size exp(0.2 offset)
    (SSD parametrisation, Liu et al., ECCV 2016, eq. 2, divided by the variances 0.1 and 0.2).

    Parameters
    ----------
    offsets : (n, 4) float32
        The network's ``loc`` output.
    priors : (n, 4) float32
        From `make_priors`, the same rows.

    Returns
    -------
    (n, 4) float32
        x, y, width, height with x, y the top left corner, in units of the input's side.
    """
    centre = priors[:, :2] + VARIANCES[0] * offsets[:, :2] * priors[:, 2:]
    exponents = (VARIANCES[1] * offsets[:, 2:]).astype(np.float32)
    growth = np.array([expf(float(value)) for value in exponents.ravel()], np.float32)
    size = priors[:, 2:] * growth.reshape(-1, 2)
    return np.concatenate([centre - size / 2, size], axis=1).astype(np.float32)


def decode_points(offsets: Float32, priors: Float32) -> Float32:
    """Turn regressed offsets into five points: prior centre + 0.1 offset prior size.

    Parameters
    ----------
    offsets : (n, 10) float32
        The network's ``landms`` output: x, y of five points.
    priors : (n, 4) float32
        From `make_priors`, the same rows.

    Returns
    -------
    (n, 5, 2) float32
        x, y in units of the input's side.
    """
    scaled = VARIANCES[0] * offsets.reshape(-1, 5, 2) * priors[:, None, 2:]
    return (priors[:, None, :2] + scaled).astype(np.float32)


def suppress(boxes: Float32, scores: Float32, threshold: float) -> list[int]:
    """Greedy non-maximum suppression.

    Parameters
    ----------
    boxes : (n, 4) float32
        x, y, width, height.
    scores : (n,) float32
        Higher is kept first; ties go to the lower index.
    threshold : float
        A box whose intersection over union with a kept one is above this is dropped.

    Returns
    -------
    list of int
        Indices of the kept boxes, best first.
    """
    low, high = boxes[:, :2], boxes[:, :2] + boxes[:, 2:]
    area = boxes[:, 2] * boxes[:, 3]
    order = np.argsort(-scores, kind="stable")
    kept: list[int] = []
    while order.size:
        best, rest = order[0], order[1:]
        kept.append(int(best))
        overlap = np.minimum(high[best], high[rest]) - np.maximum(low[best], low[rest])
        inside = np.prod(np.maximum(overlap, 0), axis=1)
        order = rest[inside <= threshold * (area[best] + area[rest] - inside)]
    return kept


class RetinaFace:
    """Face detector: boxes with five points, any number of faces.

    Parameters
    ----------
    model : path, optional
        The ONNX file; None takes ``retinaface_mobilenet025.onnx`` from the installed weights.
    threshold : float
        Lowest probability of a face that is reported, 0 to 1.
    overlap : float
        Of two boxes whose intersection over union is above this the weaker one is dropped.
    device : {'cpu', 'cuda', 'coreml', 'directml'}
        Where the network runs, see `pyfaceau.models.onnxsession.open_session`.

    Raises
    ------
    InputError
        If a threshold is outside 0 to 1.
    WeightsError
        If the model file is missing or is not this network.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | None = None,
        *,
        threshold: float = 0.5,
        overlap: float = 0.4,
        device: str = "cpu",
    ) -> None:
        for name, value in (("threshold", threshold), ("overlap", overlap)):
            if not 0 <= value <= 1:
                raise InputError(f"{name}: expected a number from 0 to 1, got {value}")
        shape = (1, 3, SIDE, SIDE)
        self._session = open_session(model, "retinaface_mobilenet025.onnx", shape, device)
        self._input = self._session.get_inputs()[0].name
        self._priors = make_priors()
        self.threshold = threshold
        self.overlap = overlap

    def detect(self, image: UInt8) -> tuple[FaceBox, ...]:
        """Find the faces of a picture.

        Parameters
        ----------
        image : (H, W, 3) uint8
            BGR.

        Returns
        -------
        tuple of FaceBox
            Best score first, in pixels of `image`; empty where there is no face.

        Raises
        ------
        InputError
            If `image` is not an 8-bit BGR picture.
        """
        picture = check_image("image", image, channels=(3,))
        tensor, size = _letterbox(picture)
        offsets, scores, points = self._session.run(None, {self._input: tensor})
        candidates = np.flatnonzero(scores[0, :, 1] >= self.threshold)
        priors = self._priors[candidates]
        boxes = decode_boxes(offsets[0, candidates], priors)
        score = scores[0, candidates, 1]
        fives = decode_points(points[0, candidates], priors)
        factor = SIDE * np.array(picture.shape[1::-1]) / size
        faces = []
        for i in suppress(boxes, score, self.overlap):
            x, y = (float(v) for v in boxes[i, :2] * factor)
            width, height = (float(v) for v in boxes[i, 2:] * factor)
            five = (fives[i] * factor).astype(np.float32)
            faces.append(FaceBox(x, y, width, height, float(score[i]), five))
        return tuple(faces)


@dataclass(frozen=True, eq=False)
class LandmarkBoxes:
    """RetinaFace where boxes of the 68 landmarks are wanted.

    A box of the landmarks is that of the face moved by (-0.0249 w, 0.2609 h) and scaled by
    (1.0639, 0.7552): medians over 248 annotated pictures of people. OpenFace starts from boxes of
    MTCNN; a fit that starts from these is not OpenFace's to the last bit.

    Attributes
    ----------
    detector : RetinaFace
        Finds the faces.
    """

    detector: RetinaFace

    def faces(self, image: UInt8) -> tuple[FaceBox, ...]:
        """Find the landmark boxes of a picture.

        Parameters
        ----------
        image : (H, W, 3) uint8
            BGR.

        Returns
        -------
        tuple of FaceBox
            Best score first, in pixels of `image`; empty where there is no face.

        Raises
        ------
        InputError
            If `image` is not an 8-bit BGR picture.
        """
        return tuple(
            FaceBox(
                face.x - 0.0249 * face.width,
                face.y + 0.2609 * face.height,
                1.0639 * face.width,
                0.7552 * face.height,
                face.score,
                face.points5,
            )
            for face in self.detector.detect(image)
        )


def _letterbox(image: UInt8) -> tuple[Float32, NDArray[np.float64]]:
    """Return the network's input (1, 3, 640, 640) and the width, height the picture takes in it."""
    height, width = image.shape[:2]
    scale = SIDE / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    if scale < 1:
        small = np.empty((size[1], size[0], 3), np.uint8)
        shrink(np.ascontiguousarray(image), small)
        image = small
    elif size != (width, height):
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), dtype=np.uint8)
    tensor = np.zeros((1, 3, SIDE, SIDE), dtype=np.float32)
    planes = np.moveaxis(image, 2, 0)
    for plane, mean, out in zip(planes, MEAN_BGR, tensor[0], strict=True):
        np.subtract(plane, np.float32(mean), out=out[: size[1], : size[0]])
    return tensor, np.array(size, dtype=np.float64)
