"""ONet alone: the third stage of MTCNN, five points and a probability from a crop of a face.

Zhang, Zhang, Li, Qiao, "Joint face detection and alignment using multi-task cascaded convolutional
networks", IEEE Signal Processing Letters 23 (2016). The network sees 48x48 pixels, RGB, (v - 127.5)
/ 128, and answers a probability, the offsets of a tighter box and five points in units of the
crop's sides.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyfaceau.errors import InputError, WeightsError, check_image
from pyfaceau.models.modelfile import BinaryReader
from pyfaceau.models.onnxsession import free_shape, open_any_session
from pyfaceau.models.weightdict import read_weight_dict
from pyfaceau.models.weights import locate
from pyfaceau.numerics.cnn import (
    Convolution,
    Dense,
    Layer,
    MaxPool,
    Network,
    Rectifier,
    read_network,
)
from pyfaceau.types import Float32, Float64, UInt8

SIDE = 48
SMALLEST = 12
"""Side of the smallest crop that is looked at, pixels."""
THRESHOLD = 0.7
"""A crop of less than this probability has no face; MTCNN's own threshold of this stage."""

_MIRRORED = [1, 0, 2, 4, 3]
_LAYERS = ("conv1", "conv2", "conv3", "conv4")
_POOLS = ((3, 2), (3, 2), (2, 2))
_HEADS = ("conv6-1", "conv6-2", "conv6-3")

Run = Callable[[Float32], tuple[Float64, Float64, Float64]]
"""Planes (3, k, 48, 48) to probabilities (k,), offsets (k, 2, 2) of corners, points (k, 5, 2)."""


class FaceLandmarkModel:
    """Five points of the face in a crop.

    The crop is looked at as it is and as its mirror image, and so is the square around the face
    that the network makes out in it; the points are those of the second look, the mean of both.
    So it matters little how the crop was cut.

    Parameters
    ----------
    model_path : path, optional
        ``ONet.dat`` (OpenFace's format), an ``.onnx`` file, or an ``.npy`` dictionary of the
        layout of ``det3.npy``, which is read without running the pickle in it; None takes the
        installed ``mtcnn_detector/ONet.dat``. An ONNX network whose input is (n, 48, 48, 3) sees
        pictures with x and y swapped, as all that descend from the Caffe model do; one of
        (n, 3, 48, 48) sees them upright.

    Raises
    ------
    WeightsError
        If the file is missing, altered or not this network.
    """

    def __init__(self, model_path: str | os.PathLike[str] | None = None) -> None:
        path = Path(os.fspath(model_path or "mtcnn_detector/ONet.dat"))
        readers = {".dat": _from_dat, ".onnx": _from_onnx, ".npy": _from_npy}
        if path.suffix.lower() not in readers:
            raise WeightsError(f"{path}: expected ONet as .dat, .onnx or .npy")
        self._run: Run = readers[path.suffix.lower()](path)

    def face_landmarks(self, cropped_face_image: UInt8) -> tuple[float, Float32]:
        """Find the five points of a face.

        Parameters
        ----------
        cropped_face_image : (H, W, 3) or (H, W) uint8
            BGR or gray; a face that fills most of the crop. 12 pixels or more each way.

        Returns
        -------
        score : float
            Probability that there is a face, 0 to 1.
        points : (5, 2) float32
            Eye on the image's left, eye on its right, nose, mouth corners left and right; pixels
            of the crop, (0, 0) the centre of its first pixel. NaN where the score is below 0.7:
            no face has no points.

        Raises
        ------
        InputError
            If the crop is no 8-bit picture, or smaller than 12 pixels.
        """
        crop = check_image("cropped_face_image", cropped_face_image)
        height, width = crop.shape[:2]
        if min(height, width) < SMALLEST:
            raise InputError(
                f"cropped_face_image: expected a face of {SMALLEST} or more pixels each way, "
                f"got {width}x{height}"
            )
        if crop.ndim == 2:
            crop = np.repeat(crop[:, :, None], 3, axis=2)
        whole = np.array([[-0.5, -0.5], [width - 0.5, height - 0.5]])
        _, corners, _ = self._look(crop, whole)
        score, _, points = self._look(crop, _square(corners))
        if score < THRESHOLD:
            points = np.full((5, 2), np.nan)
        return score, points.astype(np.float32)

    def _look(self, image: UInt8, box: Float64) -> tuple[float, Float64, Float64]:
        """Return the probability, the corners (2, 2) of the face and its points, pixels."""
        planes = _planes(image, box)
        scores, offsets, points = self._run(np.stack([planes, planes[:, :, ::-1]], axis=1))
        mirrored = points[1, _MIRRORED] * (-1, 1) + (1, 0)
        turned = np.stack([offsets[1, ::-1, 0] * -1, offsets[1, :, 1]], axis=1)
        size = box[1] - box[0]
        corners = box + (offsets[0] + turned) / 2 * size
        return float(scores.mean()), corners, box[0] + (points[0] + mirrored) / 2 * size


def _square(corners: Float64) -> Float64:
    """Return the square around a box's centre, as wide as its longer side but not below 12."""
    half = max(float(np.abs(corners[1] - corners[0]).max()), SMALLEST) / 2
    return np.asarray(corners.mean(axis=0) + np.array([[-half], [half]]))


def _planes(image: UInt8, box: Float64) -> Float32:
    """Return a box of a picture as the network's input, (3, 48, 48): R, G, B.

    Linear interpolation, widened where it shrinks; continuous in the box, so that the least
    difference between two machines stays the least. The crop's edge goes on outside of it.
    """
    across = _taps(box[0, 0], box[1, 0], image.shape[1])
    down = _taps(box[0, 1], box[1, 1], image.shape[0])
    seen = np.einsum("iy,yxc,jx->cij", down, image.astype(np.float64), across, optimize=True)
    return np.asarray((seen[::-1] - 127.5) * 0.0078125, dtype=np.float32)


def _taps(first: float, last: float, count: int) -> Float64:
    """Return (48, count): how much each pixel of a line adds to each sample of a stretch of it."""
    step = (last - first) / SIDE
    reach = max(step, 1.0)
    centres = first + (np.arange(SIDE) + 0.5) * step
    places = np.arange(np.floor(first - reach), np.ceil(last + reach) + 1)
    near = np.maximum(0, 1 - np.abs(places - centres[:, None]) / reach)
    near /= near.sum(axis=1, keepdims=True)
    taps = np.zeros((count, SIDE))
    np.add.at(taps, np.clip(places, 0, count - 1).astype(np.int64), near.T)
    return np.asarray(taps.T)


def _from_dat(path: Path) -> Run:
    reader = BinaryReader(locate(path))
    network = read_network(reader)
    reader.expect_end()
    return _run_network(path, network)


def _from_npy(path: Path) -> Run:
    """Read the dictionary: kernels (x, y, inputs, outputs), maps flattened x, y, map."""
    layers = read_weight_dict(locate(path))

    def get(layer: str, name: str) -> Float32:
        try:
            return np.ascontiguousarray(layers[layer][name], np.float32)
        except KeyError:
            raise WeightsError(
                f"{path}: expected ONet in the layout of det3.npy, got no {layer}/{name}"
            ) from None

    def slopes(number: int) -> Rectifier:
        return Rectifier(get(f"prelu{number}", "alpha").ravel())

    try:
        chain: list[Layer] = []
        for number, name in enumerate(_LAYERS, 1):
            kernels, bias = get(name, "weights"), get(name, "biases").ravel()
            flat = kernels.transpose(3, 2, 0, 1).reshape(len(bias), -1)
            weights = np.concatenate([flat, bias[:, None]], axis=1)
            chain += [Convolution(weights, (kernels.shape[1], kernels.shape[0])), slopes(number)]
            chain += [MaxPool((n, n), (s, s)) for n, s in _POOLS[number - 1 : number]]
        dense = get("conv5", "weights").reshape(3, 3, -1, 256).transpose(2, 0, 1, 3)
        dense = np.ascontiguousarray(dense.reshape(-1, 256))
        chain += [Dense(dense, get("conv5", "biases").ravel()), slopes(5)]
        heads = np.concatenate([get(name, "weights") for name in _HEADS], axis=1)
        bias = np.concatenate([get(name, "biases").ravel() for name in _HEADS])
    except ValueError as error:
        raise WeightsError(f"{path}: not the shapes of ONet ({error})") from None
    return _run_network(path, Network((*chain, Dense(heads, bias))))


def _run_network(path: Path, network: Network) -> Run:
    """Return what runs a network of ours, once it has shown that it is ONet."""

    def run(planes: Float32) -> tuple[Float64, Float64, Float64]:
        out = network(planes).astype(np.float64)
        return _answers(1 / (1 + np.exp(out[:, 0] - out[:, 1])), out[:, 2:6], out[:, 6:])

    try:
        shape = network(np.zeros((3, 1, SIDE, SIDE), np.float32)).shape
    except (InputError, ValueError, IndexError) as error:
        raise WeightsError(f"{path}: not ONet ({error})") from None
    if shape != (1, 16):
        raise WeightsError(f"{path}: expected ONet's 16 outputs, got shape {shape}")
    return run


def _from_onnx(path: Path) -> Run:
    session = open_any_session(path)
    inputs = [free_shape(value) for value in session.get_inputs()]
    upright = inputs[0][1:] == (3, SIDE, SIDE) if inputs else False
    outputs = {(free_shape(v) or (None,))[-1]: v.name for v in session.get_outputs()}
    if len(inputs) != 1 or inputs[0][1:] not in ((3, SIDE, SIDE), (SIDE, SIDE, 3)):
        raise WeightsError(
            f"{path}: expected ONet's input (n, 3, 48, 48) or (n, 48, 48, 3), got {inputs}"
        )
    if not {2, 4, 10} <= outputs.keys():
        raise WeightsError(
            f"{path}: expected ONet's outputs of 2, 4 and 10 values, got {list(outputs)}"
        )
    name, wanted = session.get_inputs()[0].name, [outputs[2], outputs[4], outputs[10]]

    def run(planes: Float32) -> tuple[Float64, Float64, Float64]:
        tensor = planes.transpose((1, 0, 2, 3) if upright else (1, 3, 2, 0))
        answers: list[NDArray[Any]] = session.run(wanted, {name: np.ascontiguousarray(tensor)})
        odds, box, points = (answer.astype(np.float64) for answer in answers)
        if not np.allclose(odds.sum(axis=1), 1, atol=1e-3):
            raise WeightsError(f"{path}: expected two probabilities that add to 1, got {odds[0]}")
        return _answers(odds[:, 1], box, points)

    run(np.zeros((3, 1, SIDE, SIDE), np.float32))
    return run


def _answers(score: Float64, box: Float64, points: Float64) -> tuple[Float64, Float64, Float64]:
    """Put outputs into pairs x, y; corners have x, y, x, y, points all x, then all y."""
    return score, box.reshape(-1, 2, 2), points.reshape(-1, 2, 5).transpose(0, 2, 1)
