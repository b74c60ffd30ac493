"""The exceptions that pyfaceau raises, and the checks that raise them.

Bad input raises at the edge, with one line that names the argument, what was expected and what
came. An expected failure (no face in a frame) is not an exception: it is a value that carries its
reason, see `pyfaceau.types.TrackedFace`.
"""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

T = TypeVar("T")


class PyfaceauError(Exception):
    """Base of all exceptions of this package; its text is one line fit for a user."""


class InputError(PyfaceauError, ValueError):
    """An argument, option or file is not what was expected."""


class WeightsError(PyfaceauError):
    """A model file is missing, truncated, altered or not what its name says."""


class VideoError(PyfaceauError):
    """A video or picture cannot be opened or decoded."""


class OutputError(PyfaceauError):
    """An output file or folder cannot be written."""


def check_array(
    name: str,
    value: Any,
    shape: tuple[int | None, ...],
    dtype: DTypeLike,
    *,
    finite: bool = True,
) -> NDArray[Any]:
    """Return `value` as a C-contiguous array of `dtype`, or raise naming what came instead.

    Parameters
    ----------
    name : str
        The argument's name, for the message.
    value : array_like
        What the caller passed.
    shape : tuple of int or None
        Expected shape; None matches any length.
    dtype : dtype_like
        Expected dtype; numeric input is cast to it where no information of kind is lost
        (never float to integer).
    finite : bool
        Refuse NaN and infinities.

    Returns
    -------
    ndarray
        C-contiguous array of the given dtype; the caller's own array where it already fits.

    Raises
    ------
    InputError
        If shape, kind or finiteness is not as expected.
    """
    array = value if type(value) is np.ndarray else _array(name, value)
    if array.shape != shape and not _matches(array.shape, shape):
        expected = _described(shape, dtype)
        raise InputError(f"{name}: expected {expected}, got shape {array.shape} {array.dtype}")
    if array.dtype != dtype or not array.flags.c_contiguous:
        array = _cast(name, array, shape, dtype)
    # Looking for the byte 0 among the flags is exact and far cheaper than their `all()`; unlike a
    # sum of squares it cannot overflow, and it does not give up the GIL for a small array.
    if finite and array.dtype.kind == "f" and 0 in np.isfinite(array).tobytes():
        raise InputError(f"{name}: expected finite numbers, got NaN or infinity")
    return array


def _array(name: str, value: Any) -> NDArray[Any]:
    """Return `value` as an array, or refuse what has none, such as rows of unequal length."""
    try:
        return np.asarray(value)
    except ValueError as error:
        raise InputError(f"{name}: expected an array, got rows of unequal length") from error


def _matches(shape: tuple[int, ...], wanted: tuple[int | None, ...]) -> bool:
    """Tell whether a shape is the wanted one, None standing for any length."""
    return len(shape) == len(wanted) and all(
        m is None or n == m for n, m in zip(shape, wanted, strict=True)
    )


def _cast(
    name: str, array: NDArray[Any], shape: tuple[int | None, ...], dtype: DTypeLike
) -> NDArray[Any]:
    """Return a C-contiguous array of `dtype`, or refuse to turn one kind of number into another."""
    if array.dtype != dtype and (
        array.dtype.kind not in "buif" or not np.can_cast(array.dtype, dtype, casting="same_kind")
    ):
        expected = _described(shape, dtype)
        raise InputError(f"{name}: expected {expected}, got dtype {array.dtype}")
    return np.ascontiguousarray(array, dtype=dtype)


def _described(shape: tuple[int | None, ...], dtype: DTypeLike) -> str:
    """Return a wanted shape and dtype in words."""
    lengths = ", ".join("n" if n is None else str(n) for n in shape)
    return f"({lengths}) {np.dtype(dtype).name}"


def check_image(name: str, value: Any, *, channels: tuple[int, ...] = (1, 3)) -> NDArray[np.uint8]:
    """Return `value` as a C-contiguous uint8 picture, gray (H, W) or BGR (H, W, 3).

    Parameters
    ----------
    name : str
        The argument's name, for the message.
    value : array_like
        What the caller passed.
    channels : tuple of int
        Accepted numbers of channels, of 1 and 3.

    Returns
    -------
    ndarray
        (H, W) or (H, W, 3) uint8.

    Raises
    ------
    InputError
        If it is not an 8-bit picture with one of the accepted channel counts and at least a pixel.
    """
    array = value if type(value) is np.ndarray else _array(name, value)
    if array.ndim == 3 and array.shape[2] == 1 and 1 in channels:
        array = array[:, :, 0]
    count = 1 if array.ndim == 2 else array.shape[2] if array.ndim == 3 else 0
    if count not in channels or array.dtype != np.uint8 or array.size == 0:
        kinds = " or ".join({1: "(H, W)", 3: "(H, W, 3) BGR"}[c] for c in channels) + " uint8"
        raise InputError(f"{name}: expected {kinds}, got shape {array.shape} {array.dtype}")
    return np.ascontiguousarray(array)


def check_type(name: str, value: Any, kind: type[T]) -> T:
    """Return `value`, or raise naming what came instead of a value of this package.

    Parameters
    ----------
    name : str
        The argument's name, for the message.
    value : object
        What the caller passed.
    kind : type
        What is expected, such as `pyfaceau.types.FaceBox`.

    Returns
    -------
    object
        `value`.

    Raises
    ------
    InputError
        If it is not one.
    """
    if not isinstance(value, kind):
        raise InputError(f"{name}: expected a {kind.__name__}, got {type(value).__name__}")
    return value
