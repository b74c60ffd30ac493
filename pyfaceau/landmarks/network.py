"""Landmark networks of any maker: 68 points from a square crop, as the ONNX file says.

A file names its interface in ONNX ``metadata_props``, text under the keys of `INTERFACE_KEYS`. One
without any is taken to be built as PFLD is, see `pyfaceau.landmarks.pfld`.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from pyfaceau.errors import WeightsError, check_image
from pyfaceau.landmarks import _kernels
from pyfaceau.landmarks.pfld import LANDMARK_BOX, PFLD, PFLD_FILE, SIDE, check_crops, crop_from_box
from pyfaceau.models.onnxsession import free_shape, open_any_session
from pyfaceau.types import FaceBox, Float32, Float64, Landmarks68, UInt8

INTERFACE_KEYS = {
    "pyfaceau.landmarks": "68",
    "pyfaceau.channels": "rgb",
    "pyfaceau.range": "0 1",
    "pyfaceau.crop": "1.2 -0.08",
    "pyfaceau.output": "xy",
    "pyfaceau.units": "side",
    "pyfaceau.offset": "0 0",
}
"""Keys that a file can have, with what each is taken to be where it is missing."""

_GRAY = np.array([0.299, 0.587, 0.114], np.float32)
"""Weights of red, green and blue, ITU-R BT.601."""

_WORDS = {
    "pyfaceau.channels": ("rgb", "bgr", "gray"),
    "pyfaceau.output": ("xy", "xxyy"),
    "pyfaceau.units": ("side", "pixels", "centred"),
}


@dataclass(frozen=True)
class Interface:
    """What a landmark network wants to see, and how its answer reads.

    Attributes
    ----------
    side : int
        Side of the square input, pixels.
    channels : {'rgb', 'bgr', 'gray'}
        Planes of the input, which is (k, 3, side, side), for gray (k, 1, side, side). Gray is
        0.299 R + 0.587 G + 0.114 B.
    low, high : float
        What black and white are in the input.
    factor, down : float
        Side of the crop and its centre below the centre of the landmarks' box, in units of the
        box's longer side; the line through the eyes lies level.
    output : {'xy', 'xxyy'}
        The answer's 136 numbers are x, y of point 0, then of point 1, ...; or all x, then all y.
    units : {'side', 'pixels', 'centred'}
        They are fractions of the side, pixels, or -1 to 1 from the crop's edge to its other edge.
        A crop's first pixel is centred at 0 (-1 where centred).
    offset : (float, float)
        What the network adds to x and y, pixels of the crop; it is taken off.
    """

    side: int = SIDE
    channels: str = "rgb"
    low: float = 0.0
    high: float = 1.0
    factor: float = LANDMARK_BOX[0]
    down: float = LANDMARK_BOX[1]
    output: str = "xy"
    units: str = "side"
    offset: tuple[float, float] = (0.0, 0.0)

    @property
    def planes(self) -> int:
        """Number of planes of the input."""
        return 1 if self.channels == "gray" else 3

    def metadata(self) -> dict[str, str]:
        """Return the texts by which an ONNX file says this.

        Returns
        -------
        dict of str to str
            For ``metadata_props``; the side stands in the input's shape.
        """
        return {
            "pyfaceau.landmarks": "68",
            "pyfaceau.channels": self.channels,
            "pyfaceau.range": f"{self.low:g} {self.high:g}",
            "pyfaceau.crop": f"{self.factor:g} {self.down:g}",
            "pyfaceau.output": self.output,
            "pyfaceau.units": self.units,
            "pyfaceau.offset": f"{self.offset[0]:g} {self.offset[1]:g}",
        }

    @classmethod
    def read(
        cls, metadata: Mapping[str, str], shape: tuple[int | None, ...], where: str
    ) -> Interface:
        """Read what a file says of itself.

        Parameters
        ----------
        metadata : mapping of str to str
            Its ``metadata_props``; keys that do not begin with ``pyfaceau.`` are let be.
        shape : tuple of int or None
            Shape of its input, None where free.
        where : str
            The file, for messages.

        Returns
        -------
        Interface
            What was said; what was not is as in `INTERFACE_KEYS`.

        Raises
        ------
        WeightsError
            If a key or value is unknown, or the input's shape is another.
        """
        said = {**INTERFACE_KEYS, **_known(metadata, where)}
        if said["pyfaceau.landmarks"] != "68":
            raise WeightsError(
                f"{where}: expected a network of 68 landmarks, got one of "
                f"{said['pyfaceau.landmarks']}"
            )
        low, high = _two(said, "pyfaceau.range", where)
        factor, down = _two(said, "pyfaceau.crop", where)
        if low == high or factor <= 0:
            raise WeightsError(
                f"{where}: expected pyfaceau.range of two different numbers and pyfaceau.crop with "
                f"a positive first, got {low:g} {high:g} and {factor:g} {down:g}"
            )
        planes = 1 if said["pyfaceau.channels"] == "gray" else 3
        side = shape[-1] if len(shape) == 4 else None
        if shape[1:] != (planes, side, side) or shape[0] is not None or not side:
            raise WeightsError(
                f"{where}: expected an input of shape (n, {planes}, side, side) with a "
                f"free first, got {shape}"
            )
        return cls(
            side,
            said["pyfaceau.channels"],
            low,
            high,
            factor,
            down,
            said["pyfaceau.output"],
            said["pyfaceau.units"],
            _two(said, "pyfaceau.offset", where),
        )


class LandmarkNetwork:
    """A landmark network that says in its file what it wants to see.

    Parameters
    ----------
    model : path
        The ONNX file.
    device : {'cpu', 'cuda', 'coreml', 'directml'}
        Where the network runs, see `pyfaceau.models.onnxsession.open_session`.

    Attributes
    ----------
    interface : Interface
        What the file says.

    Raises
    ------
    WeightsError
        If the file is missing, no network of 68 landmarks, or of an interface that is not known.
    """

    def __init__(self, model: str | os.PathLike[str], *, device: str = "cpu") -> None:
        self._session = open_any_session(model, device)
        inputs, where = self._session.get_inputs(), os.fspath(model)
        if len(inputs) != 1:
            raise WeightsError(f"{where}: expected one input, got {len(inputs)}")
        metadata = self._session.get_modelmeta().custom_metadata_map
        self.interface = Interface.read(metadata, free_shape(inputs[0]), where)
        self._input = inputs[0].name
        known = self.interface
        answer = self._run(np.zeros((1, known.planes, known.side, known.side), np.float32))
        if answer.size != 136:
            raise WeightsError(
                f"{where}: expected 136 numbers, x and y of 68 landmarks, as the first output, "
                f"got shape {answer.shape}"
            )

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
        """Find the landmarks in crops of one picture.

        Parameters
        ----------
        image : (H, W, 3) uint8
            BGR.
        crops : (k, 2, 3) array_like
            Matrices from picture pixels to the pixels of PFLD's crop, see
            `pyfaceau.landmarks.pfld.crop_from_box` and `crop_from_points`; this network's own crop
            is laid around the same face.

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
        known = self.interface
        matrices = own_crops(check_crops(crops), known)
        tensor = np.empty((len(matrices), 3, known.side, known.side), np.float32)
        _kernels.network_input(picture, matrices, tensor)
        answer = in_units_of_side(self._run(normalised(tensor, known)), known)
        found = np.empty((len(matrices), 68, 2), np.float32)
        _kernels.points_in_picture(answer, matrices, known.side, *known.offset, found)
        return found

    def _run(self, tensor: Float32) -> Float32:
        answer: Float32 = self._session.run(None, {self._input: tensor})[0]
        return answer


def open_network(
    model: str | os.PathLike[str] | None = None, *, device: str = "cpu"
) -> PFLD | LandmarkNetwork:
    """Open a landmark network.

    Parameters
    ----------
    model : path, optional
        The ONNX file; None takes PFLD from the installed weights.
    device : {'cpu', 'cuda', 'coreml', 'directml'}
        Where the network runs.

    Returns
    -------
    PFLD or LandmarkNetwork
        PFLD where the file says nothing of its interface.

    Raises
    ------
    WeightsError
        If the file is missing, no network of 68 landmarks, or of an interface that is not known.
    """
    if model is None or Path(model).name == PFLD_FILE:
        return PFLD(model, device=device)
    session = open_any_session(model)
    if any(key.startswith("pyfaceau.") for key in session.get_modelmeta().custom_metadata_map):
        return LandmarkNetwork(model, device=device)
    inputs = [free_shape(each) for each in session.get_inputs()]
    outputs = [math.prod(n or 1 for n in free_shape(each)) for each in session.get_outputs()]
    if inputs != [(None, 3, SIDE, SIDE)] or outputs[:1] != [136]:
        raise WeightsError(
            f"{os.fspath(model)}: expected PFLD's interface, input (n, 3, {SIDE}, {SIDE}) and "
            f"136 numbers out, got {inputs} and {outputs}; a network of another interface says "
            f"so in its metadata_props: {', '.join(INTERFACE_KEYS)}"
        )
    return PFLD(model, device=device)


def own_crops(crops: Float64, interface: Interface) -> Float64:
    """Return a network's crops of faces for which PFLD's are known.

    Parameters
    ----------
    crops : (k, 2, 3) float64
        Matrices from picture pixels to those of PFLD's crop.
    interface : Interface
        The network's.

    Returns
    -------
    (k, 2, 3) float64
        Matrices from picture pixels to those of its crop.
    """
    factor, down = LANDMARK_BOX
    box = SIDE / factor  # longer side of the landmarks' box, pixels of PFLD's crop
    scale = interface.side / (interface.factor * box)
    centre = np.array([(SIDE - 1) / 2, (SIDE - 1) / 2 + (interface.down - down) * box])
    result = crops * scale
    result[:, :, 2] += (interface.side - 1) / 2 - scale * centre
    return result


def normalised(tensor: Float32, interface: Interface) -> Float32:
    """Return the input of a network.

    Parameters
    ----------
    tensor : (k, 3, side, side) float32
        Red, green, blue, 0 to 1.
    interface : Interface
        The network's.

    Returns
    -------
    (k, planes, side, side) float32
        As it wants to see it.
    """
    if interface.channels == "gray":
        tensor = np.einsum("kchw,c->khw", tensor, _GRAY)[:, None]
    elif interface.channels == "bgr":
        tensor = tensor[:, ::-1]
    result: Float32 = tensor * np.float32(interface.high - interface.low)
    result += np.float32(interface.low)
    return result


def in_units_of_side(answer: Float32, interface: Interface) -> Float32:
    """Return a network's answer in units of its crop's side.

    Parameters
    ----------
    answer : (k, ...) float32
        136 numbers each.
    interface : Interface
        The network's.

    Returns
    -------
    (k, 68, 2) float32
        Pixels of the crop divided by its side.
    """
    count = len(answer)
    points = answer.reshape(count, 68, 2)
    if interface.output == "xxyy":
        points = answer.reshape(count, 2, 68).swapaxes(1, 2)
    if interface.units == "pixels":
        points = points / np.float32(interface.side)
    elif interface.units == "centred":
        points = (points + 1) * np.float32((interface.side - 1) / (2 * interface.side))
    return np.ascontiguousarray(points, np.float32)


def _known(metadata: Mapping[str, str], where: str) -> dict[str, str]:
    """Return the entries of this package, all of them known."""
    said = {
        key: " ".join(text.split()).lower()
        for key, text in metadata.items()
        if key.startswith("pyfaceau.") and not key.startswith("pyfaceau.card")
    }
    for key, text in said.items():
        if key not in INTERFACE_KEYS:
            raise WeightsError(
                f"{where}: unknown {key} in metadata_props; known are {', '.join(INTERFACE_KEYS)}"
            )
        if key in _WORDS and text not in _WORDS[key]:
            raise WeightsError(f"{where}: {key}: expected {' or '.join(_WORDS[key])}, got {text!r}")
    return said


def _two(said: Mapping[str, str], key: str, where: str) -> tuple[float, float]:
    """Return an entry that is two numbers."""
    try:
        one, other = (float(word) for word in said[key].split())
    except ValueError:
        one = other = math.nan
    if not (math.isfinite(one) and math.isfinite(other)):
        raise WeightsError(f"{where}: {key}: expected two numbers, got {said[key]!r}")
    return one, other
