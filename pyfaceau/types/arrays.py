"""The arrays of values: their types, and how a frozen value stores one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
UInt8 = NDArray[np.uint8]
Int16 = NDArray[np.int16]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
UInt16 = NDArray[np.uint16]
UInt32 = NDArray[np.uint32]


def store(instance: Any, name: str, array: NDArray[Any]) -> None:
    """Store a checked array in a frozen instance, read-only.

    Parameters
    ----------
    instance : dataclass instance
        The value under construction.
    name : str
        Its field.
    array : ndarray
        What the field holds from now on.
    """
    view = array.view()
    view.setflags(False)  # write=False, by position: half the time
    object.__setattr__(instance, name, view)
