"""Weights in ``.npy`` files that hold a dictionary, read without running what a pickle says.

Python ports of MTCNN keep their weights as ``numpy.save(path, {layer: {name: array}})``, which is
a pickle inside a ``.npy`` file. A pickle can name any function of the machine; here it can name the
three things that such a dictionary is made of, and nothing else.
"""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyfaceau.errors import WeightsError
from pyfaceau.models.modelfile import read_bytes

Weights = dict[str, dict[str, NDArray[Any]]]
"""Arrays by layer and name."""

_LARGEST = 1 << 30


def read_weight_dict(path: str | Path) -> Weights:
    """Read a ``.npy`` dictionary of weights.

    Parameters
    ----------
    path : str or Path
        The file, of Python 2 or 3.

    Returns
    -------
    dict of dict of ndarray
        Arrays by layer and name.

    Raises
    ------
    WeightsError
        If the file is missing, is none, or holds anything but dictionaries, text and arrays of
        numbers.
    """
    path = Path(path)
    data = read_bytes(path, _LARGEST)
    try:
        value = _payload(data)
    except _RefusedError as error:
        raise WeightsError(
            f"{path}: holds {error}, which is not read from a file: only dictionaries of arrays are"
        ) from None
    except Exception as error:  # whatever a damaged pickle causes
        reason = " ".join(str(error).split()) or type(error).__name__
        raise WeightsError(f"{path}: not a readable .npy dictionary ({reason[:200]})") from error
    if not isinstance(value, dict) or not all(_is_layer(layer) for layer in value.values()):
        raise WeightsError(f"{path}: expected a dictionary of layers, each a dictionary of arrays")
    return {str(name): dict(layer) for name, layer in value.items()}


def _payload(data: bytes) -> Any:
    """Return what is stored in the bytes of a .npy file."""
    stream = io.BytesIO(data)
    version = np.lib.format.read_magic(stream)
    read = {(1, 0): np.lib.format.read_array_header_1_0}.get(
        version, np.lib.format.read_array_header_2_0
    )
    shape, _, dtype = read(stream)
    if shape or dtype != np.dtype(object):
        raise ValueError(f"an array of shape {shape} {dtype}, no dictionary")
    array = _Unpickler(stream, encoding="latin1").load()
    return array.item() if isinstance(array, np.ndarray) else array


def _is_layer(layer: Any) -> bool:
    return isinstance(layer, dict) and all(
        isinstance(array, np.ndarray) and array.dtype.kind in "fiu" for array in layer.values()
    )


class _RefusedError(Exception):
    """A pickle names what it may not."""


class _Unpickler(pickle.Unpickler):
    """Builds dictionaries, numbers, text and arrays; refuses every other class and function."""

    def find_class(self, module: str, name: str) -> Any:
        if module in ("numpy.core.multiarray", "numpy._core.multiarray") and name == "_reconstruct":
            return _reconstruct
        if module in ("numpy.core.numeric", "numpy._core.numeric") and name == "_frombuffer":
            return _from_buffer
        if (module, name) == ("numpy", "ndarray"):
            return np.ndarray
        if (module, name) == ("numpy", "dtype"):
            return np.dtype
        if (module, name) == ("_codecs", "encode"):  # how protocol 2 spells the bytes of an array
            return _latin1
        raise _RefusedError(f"{module}.{name}")


def _reconstruct(kind: Any, _shape: Any, _code: Any) -> NDArray[Any]:
    """Return the empty array that the pickle fills next."""
    if kind is not np.ndarray:
        raise _RefusedError(repr(kind))
    return np.empty(0, np.int8)


def _from_buffer(data: Any, dtype: Any, shape: Any, order: Any) -> NDArray[Any]:
    """Return an array as protocol 5 stores it."""
    array: NDArray[Any] = np.frombuffer(data, dtype).reshape(shape, order=order)
    return array


def _latin1(text: str, encoding: str) -> bytes:
    if encoding != "latin1":
        raise _RefusedError(f"text of encoding {encoding}")
    return text.encode("latin1")
