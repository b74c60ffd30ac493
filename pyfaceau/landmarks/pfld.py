"""PFLD: 68 landmarks from a square crop.

Guo, Li, Ma, Zhang, Ma, Ling, "PFLD: A practical facial landmark detector", arXiv 1902.10859.
The network sees 112 x 112 pixels, RGB in 0 to 1, and answers x, y in units of the crop's side.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from pyfaceau.errors import InputError, check_array, check_image, check_type
from pyfaceau.landmarks import _kernels
from pyfaceau.landmarks.pfld_network import PfldNetwork
from pyfaceau.models.manifest import manifest
from pyfaceau.models.onnxsession import open_session
from pyfaceau.models.onnxweights import read_arrays
from pyfaceau.models.weights import locate, problem
from pyfaceau.types import FaceBox, Float32, Float64, Landmarks68, UInt8

PFLD_FILE = "pfld_cunjian.onnx"
"""The file's name in the weights manifest."""

SIDE = 112

LANDMARK_BOX = (1.2, -0.08)
"""Side of the crop and its centre below the landmarks' box, in units of the box's longer side."""

DETECTOR_BOX = (0.92, 0.056)
"""The same for RetinaFace's box, which is as wide, but 1.31 times as high (it holds the brow)."""

OFFSET = (1.0, 0.6)
"""What the network adds to x and y, crop pixels.

A picture and its mirror image differ by twice the offset in x, whatever the true landmarks.
"""


def crop_from_box(box: FaceBox) -> Float64:
    """Return the crop for a face that a detector has found; the box is taken to whole pixels.

    The last bits of a detector's box may depend on the kind of processor; the crop does not.

    Parameters
    ----------
    box : FaceBox
        RetinaFace's box: brow to chin, pixels.

    Returns
    -------
    (2, 3) float64
        Matrix from picture pixels to crop pixels: an upright square.

    Raises
    ------
    InputError
        If `box` is no FaceBox.
    """
    check_type("box", box, FaceBox)
    factor, down = DETECTOR_BOX
    left, top = round(box.x), round(box.y)
    width, height = round(box.x + box.width) - left, round(box.y + box.height) - top
    longer = max(width, height, 1)
    x, y = left + width / 2, top + height / 2 + down * longer
    crop = np.empty((2, 3))
    _kernels.square_crop(x, y, factor * longer, 1.0, 0.0, SIDE, crop)
    return crop


def crop_from_points(points: ArrayLike) -> Float64:
    """Return the crop for a face whose landmarks are known, from the frame before or a first pass.

    The crop turns with the head: the line through the eyes lies level in it. Its side and centre
    are not rounded to pixels, so that a face that moves by a fraction of a pixel does not jump.

    Parameters
    ----------
    points : (68, 2) array_like
        Landmarks, pixels.

    Returns
    -------
    (2, 3) float64
        Matrix from picture pixels to crop pixels.

    Raises
    ------
    InputError
        If the array has another shape, is not finite or all points are the same.
    """
    shape = check_array("points", points, (68, 2), np.float64)
    crop = np.empty((2, 3))
    if not _kernels.crop_around(shape, *LANDMARK_BOX, SIDE, crop):
        raise InputError("points: expected landmarks of a face, got 68 times the same point")
    return crop


def check_crops(crops: ArrayLike) -> Float64:
    """Return matrices from picture to crop, or refuse what is none.

    Parameters
    ----------
    crops : (k, 2, 3) array_like
        Matrices.

    Returns
    -------
    (k, 2, 3) float64
        The same.

    Raises
    ------
    InputError
        If one is not finite or not invertible.
    """
    matrices = check_array("crops", crops, (None, 2, 3), np.float64)
    if not (np.abs(np.linalg.det(matrices[:, :, :2])) > 1e-9).all():
        raise InputError("crops: expected invertible matrices")
    return matrices


class PFLD:
    """Landmark network.

    Parameters
    ----------
    model : path, optional
        The ONNX file; None takes ``pfld_cunjian.onnx`` from the installed weights. On the CPU that
        content runs through kernels, with one answer on every kind of processor; any other file
        of this interface, and any other device, through ONNX Runtime.
    device : {'cpu', 'cuda', 'coreml', 'directml'}
        Where the network runs, see `pyfaceau.models.onnxsession.open_session`.

    Raises
    ------
    WeightsError
        If the model file is missing or is not this network.
    """

    def __init__(self, model: str | os.PathLike[str] | None = None, *, device: str = "cpu") -> None:
        self._network = _open(model, device)

    def predict(self, image: UInt8, box: FaceBox) -> Landmarks68:
        """Find the landmarks of a detected face.

        Parameters
        ----------
        image : (H, W, 3) uint8
            BGR.
        box : FaceBox
            Where a detector has found the face; may reach outside the picture.

        Returns
        -------
        Landmarks68
            Pixels; confidence is the detector's score.

        Raises
        ------
        InputError
            If `image` is not an 8-bit BGR picture, or `box` no FaceBox.
        """
        points = self.predict_crops(image, crop_from_box(box)[None])[0]
        return Landmarks68(points, box.score)

    def predict_crops(self, image: UInt8, crops: ArrayLike) -> Float32:
        """Find the landmarks in crops of one picture, all in one call of the network.

        What a crop holds of the outside of the picture is black; the landmarks are right there too.

        Parameters
        ----------
        image : (H, W, 3) uint8
            BGR.
        crops : (k, 2, 3) array_like
            Matrices from picture pixels to crop pixels, see `crop_from_box`, `crop_from_points`.

        Returns
        -------
        (k, 68, 2) float32
            Landmarks, pixels of `image`.

        Raises
        ------
        InputError
            If `image` is not an 8-bit BGR picture or `crops` not invertible matrices.
        """
        picture = check_image("image", image, channels=(3,))
        matrices = check_crops(crops)
        tensor = np.empty((len(matrices), 3, SIDE, SIDE), np.float32)
        _kernels.network_input(picture, matrices, tensor)
        answer = self._network(tensor)
        found = np.empty((len(matrices), 68, 2), np.float32)
        _kernels.points_in_picture(answer.reshape(-1, 68, 2), matrices, SIDE, *OFFSET, found)
        return found


def _open(model: str | os.PathLike[str] | None, device: str) -> Callable[[Float32], Float32]:
    """Return the network: kernels for the known file on the CPU, else ONNX Runtime."""
    path = locate(PFLD_FILE if model is None else os.fspath(model))
    known = manifest().get(PFLD_FILE)
    if device == "cpu" and known is not None and not problem(path, known):
        return PfldNetwork(read_arrays(path))
    session = open_session(model, PFLD_FILE, (None, 3, SIDE, SIDE), device)
    name = session.get_inputs()[0].name

    def run(crops: Float32) -> Float32:
        answer: Float32 = session.run(None, {name: crops})[0]
        return answer

    return run
