"""The named arrays of an ONNX file, without running it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pyfaceau.errors import WeightsError
from pyfaceau.types import Float32

_GRAPH, _INITIALIZER = 7, 5
_DIMS, _TYPE, _FLOATS, _NAME, _RAW = 1, 2, 4, 8, 9
_FLOAT = 1


def read_arrays(path: Path) -> dict[str, Float32]:
    """Return a model's constant float32 arrays by name.

    Parameters
    ----------
    path : Path
        An ONNX file: a protocol buffer, of which only the initializers are looked at.

    Returns
    -------
    dict of str to float32 array
        Read-only.

    Raises
    ------
    WeightsError
        If the file is no protocol buffer.
    """
    try:
        arrays = {}
        for number, graph in _fields(memoryview(path.read_bytes())):
            if number == _GRAPH and isinstance(graph, memoryview):
                for inner, tensor in _fields(graph):
                    if inner == _INITIALIZER and isinstance(tensor, memoryview):
                        arrays.update(_array(tensor))
    except (IndexError, ValueError) as error:
        raise WeightsError(f"{path}: not a readable ONNX model ({error})") from None
    return arrays


def _array(tensor: memoryview) -> dict[str, Float32]:
    """Return a tensor under its name; nothing where it is not of float32."""
    dims: list[int] = []
    name, data, kind = "", memoryview(b""), 0
    for number, value in _fields(tensor):
        if isinstance(value, memoryview):
            if number == _NAME:
                name = str(value, "utf-8")
            elif number in (_RAW, _FLOATS):
                data = value
            elif number == _DIMS:
                dims += _varints(value)
        elif number == _DIMS:
            dims.append(value)
        elif number == _TYPE:
            kind = value
    return {name: np.frombuffer(data, "<f4").reshape(dims)} if kind == _FLOAT else {}


def _fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Yield field numbers and values: integers, or bytes for what has a length."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, at = _varint(data, at)
            yield number, value
        elif wire == 2:
            length, at = _varint(data, at)
            if at + length > len(data):
                raise ValueError("it ends early")
            yield number, data[at : at + length]
            at += length
        elif wire in (1, 5):
            at += 8 if wire == 1 else 4
        else:
            raise ValueError(f"field {number} is of no known kind")


def _varints(data: memoryview) -> list[int]:
    values, at = [], 0
    while at < len(data):
        value, at = _varint(data, at)
        values.append(value)
    return values


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    """Return an integer of seven bits a byte, low ones first, and where it ends."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
