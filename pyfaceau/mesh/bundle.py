"""The file ``face_landmarker.task``: a .zip of three networks and the canonical face."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pyfaceau.errors import WeightsError
from pyfaceau.models.weights import locate
from pyfaceau.types import Float64, Int32

FILE = "face_landmarker.task"

_PARTS = {
    "detector": "face_detector.tflite",
    "mesh": "face_landmarks_detector.tflite",
    "blendshapes": "face_blendshapes.tflite",
}
_GEOMETRY = "geometry_pipeline_metadata_landmarks.binarypb"
_VERTICES = 468
_FLOATS_PER_VERTEX = 5  # x, y, z, u, v
_MM = 10.0  # the file is in centimetres


@dataclass(frozen=True, eq=False)
class CanonicalFace:
    """The neutral face that the mesh is a picture of.

    Attributes
    ----------
    vertices : (468, 3) float64
        mm; x to the image's right, y down, z away from the camera, where the face looks into it.
    basis : (n,) int32
        Vertices that move least with expressions, for the rigid alignment.
    weights : (n,) float64
        Their weights.
    """

    vertices: Float64
    basis: Int32
    weights: Float64


@dataclass(frozen=True, eq=False)
class Bundle:
    """Everything in the file.

    Attributes
    ----------
    path : Path
        The file.
    detector, mesh, blendshapes : bytes
        The networks, TensorFlow Lite.
    face : CanonicalFace
        The canonical face.
    """

    path: Path
    detector: bytes
    mesh: bytes
    blendshapes: bytes
    face: CanonicalFace

    @classmethod
    def load(cls, path: str | Path = FILE) -> Bundle:
        """Read the file.

        Parameters
        ----------
        path : str or Path
            The file, or its name within the weights folder.

        Returns
        -------
        Bundle
            Its parts.

        Raises
        ------
        WeightsError
            If it is missing or altered, is no .zip, or lacks a part.
        """
        found = locate(path)
        try:
            with zipfile.ZipFile(found) as archive:
                parts = {key: archive.read(name) for key, name in _PARTS.items()}
                face = read_geometry(archive.read(_GEOMETRY))
        except KeyError as error:
            raise _unfit(found, f"a part is missing, {error.args[0]}") from None
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
            raise _unfit(found, f"not a .task file ({error})") from None
        except (ValueError, IndexError, struct.error) as error:
            raise _unfit(found, f"its canonical face cannot be read ({error})") from None
        return cls(found, **parts, face=face)


def _unfit(path: Path, problem: str) -> WeightsError:
    return WeightsError(f"{path}: {problem}; delete it, then: pyfaceau weights install free")


def read_geometry(data: bytes) -> CanonicalFace:
    """Decode the canonical face.

    Parameters
    ----------
    data : bytes
        Protocol buffer: field 1 the mesh (its field 3 the vertices, float32 x y z u v, cm, y up, z
        towards the camera), field 2, repeated, the basis (1 vertex, 2 weight).

    Returns
    -------
    CanonicalFace
        In mm and the package's axes.

    Raises
    ------
    ValueError
        If it is no such message.
    """
    numbers: list[float] = []
    basis: list[int] = []
    weights: list[float] = []
    for field, value in _fields(data):
        if field == 1 and isinstance(value, bytes):
            for inner, item in _fields(value):
                if inner == 3 and isinstance(item, bytes):
                    numbers += np.frombuffer(item, "<f4").tolist()
        elif field == 2 and isinstance(value, bytes):
            entry = dict(_fields(value))
            weight = entry.get(2, b"")
            basis.append(int(entry.get(1, 0)))
            weights.append(struct.unpack("<f", weight if isinstance(weight, bytes) else b"")[0])
    if len(numbers) != _VERTICES * _FLOATS_PER_VERTEX or not basis:
        raise ValueError(f"expected {_VERTICES} vertices and a basis, got {len(numbers)} numbers")
    if max(basis) >= _VERTICES or min(weights) < 0:
        raise ValueError("its basis names vertices that are not there")
    vertices = np.array(numbers).reshape(_VERTICES, _FLOATS_PER_VERTEX)[:, :3]
    return CanonicalFace(
        vertices * [_MM, -_MM, -_MM], np.array(basis, np.int32), np.array(weights, np.float64)
    )


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield the fields of a protocol buffer: number, and value or bytes."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        kind, field = key & 7, key >> 3
        if kind == 0:
            value, at = _varint(data, at)
            yield field, value
            continue
        length = {1: 8, 5: 4}.get(kind)
        if kind == 2:
            length, at = _varint(data, at)
        if length is None or at + length > len(data):
            raise ValueError("not a protocol buffer")
        yield field, data[at : at + length]
        at += length


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Return a number of variable length, and where the next begins."""
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
