"""FaceMap 3DMM: 68 landmarks and head pose by a network that answers a 3-D face model's parameters.

Qualcomm's network (AI Hub models, ``facemap_3dmm``, BSD 3-Clause) sees 128x128 pixels and answers
265 values:

    ======== ==================== =====================
    index    meaning              value from output v
    ======== ==================== =====================
    0-218    identity             3 v
    219-257  expression           v / 2 + 1 / 2
    258-260  pitch, yaw, roll     v pi / 2, radians
    261-262  tx, ty               60 v
    263      f                    150 v + 450
    264      not used
    ======== ==================== =====================

With the mean face M (68, 3) and the bases S (204, 219) and E (204, 39), interleaved x, y, z:
X = M + S id + E exp; V = X R', R = Ry(-yaw) Rx(-pitch) Rx(-pi) Rz(-roll); u = (Vx + tx) f / 500
and v likewise (depth is the constant 500), and (u + 64) / 128 is the place in the crop, in units
of its side.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike

from pyfaceau.errors import InputError, WeightsError, check_array, check_image
from pyfaceau.landmarks.crop import Crop, cut, whole
from pyfaceau.models.archive import unpacked_network
from pyfaceau.models.onnxsession import free_shape, open_any_session
from pyfaceau.models.weights import locate
from pyfaceau.types import Float32, Float64, UInt8
from pyfaceau.types.arrays import store

VALUES = 265
SIDE = 128
NORMALISATIONS = ("none", "0_1", "-1_1", "imagenet")
"""What pixel values are turned into: left at 0 to 255, or 0 to 1, -1 to 1, or the mean and standard
deviation of ImageNet (0.485, 0.456, 0.406; 0.229, 0.224, 0.225, red first)."""
ARCHIVE = "facemap_3dmm-onnx-float.zip"

_IDENTITY, _EXPRESSION = 219, 39
_DEPTH = 500.0
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class FaceMapFace:
    """A decoded face.

    Attributes
    ----------
    points : (68, 2) float64
        iBUG order, pixels of the picture.
    pose : (3,) float64
        Pitch (positive looks up), yaw (positive turns the nose to the image's right), roll
        (positive is clockwise in the image), radians.
    shape : (68, 3) float64
        The face model's points before they are turned: its own units, x right, y up, z towards
        the camera.
    """

    points: Float64
    pose: Float64
    shape: Float64


@dataclass(frozen=True, eq=False)
class FaceMapDecoder:
    """Turns the network's 265 values into landmarks and pose.

    Attributes
    ----------
    mean : (68, 3) float64
        The mean face.
    identity : (204, 219) float64
        What each identity value adds to it, interleaved x, y, z.
    expression : (204, 39) float64
        What each expression value adds.
    """

    mean: Float64
    identity: Float64
    expression: Float64

    def __post_init__(self) -> None:
        shapes = {"mean": (68, 3), "identity": (204, 219), "expression": (204, 39)}
        for name, shape in shapes.items():
            store(self, name, check_array(name, getattr(self, name), shape, np.float64))

    @classmethod
    def load(cls, folder: str | os.PathLike[str] | None = None) -> FaceMapDecoder:
        """Read the decoder's arrays.

        Parameters
        ----------
        folder : path, optional
            Holds ``meanFace.npy``, ``shapeBasis.npy`` and ``blendShape.npy``; the installed ones
            if not given.

        Returns
        -------
        FaceMapDecoder
            Ready to be called.

        Raises
        ------
        WeightsError
            If a file is missing, altered or of another size.
        """
        return cls(
            _asset(folder, "meanFace", (68, 3)),
            _asset(folder, "shapeBasis", (204, _IDENTITY)),
            _asset(folder, "blendShape", (204, _EXPRESSION)),
        )

    def __call__(self, values: ArrayLike, crop: Crop) -> FaceMapFace:
        """Decode one face.

        Parameters
        ----------
        values : (265,) array_like
            As the network gives them.
        crop : tuple of int
            What it saw: x0, y0, x1, y1, first and last pixels.

        Returns
        -------
        FaceMapFace
            Landmarks and pose.

        Raises
        ------
        InputError
            If there are not 265 values, one is not finite, or the crop is empty.
        """
        v = check_array("values", values, (VALUES,), np.float64)
        x0, y0, x1, y1 = crop
        if x1 < x0 or y1 < y0:
            raise InputError(f"crop: expected x0 <= x1 and y0 <= y1, got {tuple(crop)}")
        identity, expression = 3 * v[:_IDENTITY], v[_IDENTITY : _IDENTITY + _EXPRESSION] / 2 + 0.5
        pose = v[258:261] * (math.pi / 2)
        offsets = self.identity @ identity + self.expression @ expression
        shape = self.mean + offsets.reshape(68, 3)
        turned = shape @ _rotation(*pose).T
        seen = (turned[:, :2] + 60 * v[261:263]) * ((150 * v[263] + 450) / _DEPTH)
        size = np.array([x1 - x0 + 1, y1 - y0 + 1])
        return FaceMapFace((seen + SIDE / 2) * (size / SIDE) + (x0, y0), pose, shape)


class FaceMap3DMM:
    """The network.

    Parameters
    ----------
    model : path, optional
        The .onnx file, its external data beside it; None takes what ``pyfaceau weights install
        facemap --unchecked`` has fetched.
    normalize : {'0_1', 'none', '-1_1', 'imagenet'}
        What pixel values are turned into.
    bgr : bool
        Feed blue first; the network wants red first.
    input_name, output_name : str, optional
        Which, of a model that has several; the first if not given.
    device : {'cpu', 'cuda', 'coreml', 'directml'}
        Where the network runs, see `pyfaceau.models.onnxsession.open_session`.

    Attributes
    ----------
    path : Path
        The model file.
    values : int or None
        How many values it answers; None where the model does not say.

    Raises
    ------
    InputError
        If `normalize` is none of these.
    WeightsError
        If the model cannot be read, lacks an input or output of that name, or sees anything but
        one picture of three colours.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | None = None,
        *,
        normalize: str = "0_1",
        bgr: bool = False,
        input_name: str | None = None,
        output_name: str | None = None,
        device: str = "cpu",
    ) -> None:
        if normalize not in NORMALISATIONS:
            raise InputError(f"normalize: expected {', '.join(NORMALISATIONS)}, got {normalize!r}")
        self.path = network_file(model)
        self._session = open_any_session(self.path, device)
        self._normalize, self._bgr = normalize, bgr
        entry = _named(self.path, "input", self._session.get_inputs(), input_name)
        out = _named(self.path, "output", self._session.get_outputs(), output_name)
        self._input, self._output = entry.name, out.name
        self._layout = _picture_layout(self.path, entry)
        lengths = free_shape(out)[1:]
        self.values = None if None in lengths else math.prod(n for n in lengths if n)

    def __call__(self, image: UInt8, crop: Crop | None = None) -> Float32:
        """Run the network on one face.

        Parameters
        ----------
        image : (H, W, 3) or (H, W) uint8
            BGR or gray.
        crop : tuple of int, optional
            x0, y0, x1, y1: first and last pixels of the face; black where it reaches outside the
            picture. The whole picture if not given.

        Returns
        -------
        (n,) float32
            What it answers, flat: 265 values of the true network.

        Raises
        ------
        InputError
            If `image` is no 8-bit picture or the crop is empty.
        WeightsError
            If the network does not run on it.
        """
        picture = check_image("image", image)
        if picture.ndim == 2:
            picture = np.repeat(picture[:, :, None], 3, axis=2)
        tensor = self._tensor(cut(picture, crop or whole(picture)))
        try:
            answer = self._session.run([self._output], {self._input: tensor})[0]
        except Exception as error:  # onnxruntime's exceptions share no base but Exception
            reason = " ".join(str(error).split())[:200]
            raise WeightsError(f"{self.path}: does not run ({reason}); see --inspect") from error
        return np.asarray(answer, np.float32).ravel()

    def _tensor(self, crop: UInt8) -> Float32:
        """Return a crop as the network wants it."""
        axes, (height, width) = self._layout
        small = cv2.resize(crop, (width, height), interpolation=cv2.INTER_LINEAR)
        values = (small if self._bgr else small[:, :, ::-1]).astype(np.float64)
        if self._normalize == "0_1":
            values /= 255
        elif self._normalize == "-1_1":
            values = values / 127.5 - 1
        elif self._normalize == "imagenet":
            step = -1 if self._bgr else 1
            values = (values / 255 - _MEAN[::step]) / _DEVIATION[::step]
        tensor = values.transpose(2, 0, 1) if axes == "NCHW" else values
        return np.ascontiguousarray(tensor[None], np.float32)


def network_file(model: str | os.PathLike[str] | None = None) -> Path:
    """Return the network's ONNX file.

    Parameters
    ----------
    model : path, optional
        An .onnx file, or a .zip with one; None takes the installed FaceMap.

    Returns
    -------
    Path
        The file, unpacked where it came in an archive.

    Raises
    ------
    WeightsError
        If it is missing or the archive is damaged.
    """
    path = locate(ARCHIVE if model is None else os.fspath(model))
    return unpacked_network(path) if path.suffix == ".zip" else path


def describe(model: str | os.PathLike[str]) -> str:
    """Say what an ONNX model takes and gives.

    Parameters
    ----------
    model : path
        The file.

    Returns
    -------
    str
        A line for each input and output: name, type, shape.

    Raises
    ------
    WeightsError
        If it is no readable model.
    """
    session = open_any_session(model)
    sides = (("input", session.get_inputs()), ("output", session.get_outputs()))
    return "\n".join(
        f"{side:<6} {value.name}: {value.type}, shape "
        f"({', '.join('n' if n is None else str(n) for n in free_shape(value))})"
        for side, values in sides
        for value in values
    )


def _rotation(pitch: float, yaw: float, roll: float) -> Float64:
    """Return Ry(-yaw) Rx(-pitch) Rx(-pi) Rz(-roll)."""
    cx, sx = math.cos(-pitch - math.pi), math.sin(-pitch - math.pi)
    cy, sy = math.cos(-yaw), math.sin(-yaw)
    cz, sz = math.cos(-roll), math.sin(-roll)
    x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return np.asarray(y @ x @ z, dtype=np.float64)


def _asset(folder: str | os.PathLike[str] | None, name: str, shape: tuple[int, int]) -> Float64:
    """Read one of the decoder's arrays."""
    path = Path(folder) / f"{name}.npy" if folder else Path(f"{name}.npy")
    path = locate(path)
    try:
        array = np.load(path, allow_pickle=False).reshape(shape)
    except (ValueError, OSError, EOFError) as error:
        raise WeightsError(f"{path}: expected {shape[0]}x{shape[1]} numbers ({error})") from None
    return np.asarray(array, dtype=np.float64)


def _named(path: Path, kind: str, values: list[Any], name: str | None) -> Any:
    """Return the input or output of a name, or the first."""
    for value in values:
        if name in (None, value.name):
            return value
    known = ", ".join(value.name for value in values)
    raise WeightsError(f"{path}: no {kind} {name!r}, the model has {known}; see --inspect")


def _picture_layout(path: Path, value: Any) -> tuple[str, tuple[int, int]]:
    """Return the axes of a picture input and its height and width."""
    shape = free_shape(value)
    if len(shape) == 4 and value.type == "tensor(float)" and shape[0] in (None, 1):
        if shape[1] == 3:
            return "NCHW", (shape[2] or SIDE, shape[3] or SIDE)
        if shape[3] == 3:
            return "NHWC", (shape[1] or SIDE, shape[2] or SIDE)
    raise WeightsError(
        f"{path}: expected an input (1, 3, 128, 128) float32, got {value.name} {value.type} "
        f"{shape}; see --inspect"
    )
