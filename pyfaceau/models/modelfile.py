"""Reading OpenFace's model files: binary matrices, text matrices, list files.

A binary matrix is three little-endian int32 (rows, columns, type) and the elements row by row; a
text matrix is the same as numbers in text. The type is OpenCV's depth code: 0 uint8, 1 int8,
2 uint16, 3 int16, 4 int32, 5 float32, 6 float64.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyfaceau.errors import WeightsError

_DTYPES = ("u1", "i1", "<u2", "<i2", "<i4", "<f4", "<f8")


def mend(path: Path, problem: str) -> WeightsError:
    """Return the error for a model file that cannot be used, naming the command that mends it.

    Parameters
    ----------
    path : Path
        The file.
    problem : str
        What is wrong with it, a clause.

    Returns
    -------
    WeightsError
        To be raised by the caller.
    """
    return WeightsError(f"{path}: {problem}; mend it with: pyfaceau weights install")


def read_bytes(path: str | Path, most: int = -1) -> bytes:
    """Read a model file, or say which file is missing and what installs it.

    Parameters
    ----------
    path : str or Path
        The file.
    most : int
        Read no more than so many bytes; all if negative.

    Returns
    -------
    bytes
        Its contents.

    Raises
    ------
    WeightsError
        If it cannot be read.
    """
    try:
        with Path(path).open("rb") as file:
            return file.read(most)
    except FileNotFoundError:
        raise mend(Path(path), "model file is missing") from None
    except OSError as error:
        raise mend(Path(path), f"model file cannot be read ({error.strerror})") from None


class BinaryReader:
    """Reads a binary model file front to back; a file that ends early or goes on is refused.

    Parameters
    ----------
    path : str or Path
        The file.

    Raises
    ------
    WeightsError
        Here and from every method, where the file is missing or is not what is read from it.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._data = read_bytes(path)
        self._at = 0

    def _take(self, size: int) -> bytes:
        end = self._at + size
        if size < 0 or end > len(self._data):
            raise mend(self.path, f"model file ends early, at byte {len(self._data)}")
        piece = self._data[self._at : end]
        self._at = end
        return piece

    def int32(self) -> int:
        """Read one int32."""
        return int(struct.unpack("<i", self._take(4))[0])

    def float64(self) -> float:
        """Read one float64."""
        return float(struct.unpack("<d", self._take(8))[0])

    def float32s(self, count: int) -> NDArray[np.float32]:
        """Read a number of float32.

        Parameters
        ----------
        count : int
            How many.

        Returns
        -------
        (count,) float32
            Native byte order.
        """
        return np.frombuffer(self._take(4 * count), "<f4").astype(np.float32)

    def records(self, kind: np.dtype[Any], count: int) -> NDArray[Any]:
        """Read a number of records.

        Parameters
        ----------
        kind : dtype
            Of one record, little-endian and packed.
        count : int
            How many.

        Returns
        -------
        (count,) array of `kind`
            Read-only.
        """
        return np.frombuffer(self._take(kind.itemsize * count), kind)

    def matrix(self) -> NDArray[Any]:
        """Read one binary matrix as a 2-D array of its own dtype."""
        rows, columns, code = self.int32(), self.int32(), self.int32()
        if rows < 0 or columns < 0 or not 0 <= code < len(_DTYPES):
            raise mend(self.path, f"no matrix at byte {self._at - 12}, the file is altered")
        dtype = np.dtype(_DTYPES[code])
        data = np.frombuffer(self._take(rows * columns * dtype.itemsize), dtype)
        return data.astype(dtype.newbyteorder("=")).reshape(rows, columns)

    def expect_end(self) -> None:
        """Refuse the file if anything is left."""
        if self._at != len(self._data):
            raise mend(self.path, f"{len(self._data) - self._at} bytes too many in model file")


class TextReader:
    """Reads a text model file token by token; lines that start with ``#`` are comments.

    Parameters
    ----------
    path : str or Path
        The file.

    Raises
    ------
    WeightsError
        Here and from every method, where the file is missing or is not what is read from it.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        text = read_bytes(path).decode("utf-8", errors="replace")
        lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
        self._tokens = " ".join(lines).split()
        self._at = 0

    def numbers(self, count: int) -> NDArray[np.float64]:
        """Read a number of numbers.

        Parameters
        ----------
        count : int
            How many.

        Returns
        -------
        (count,) float64
            The numbers.
        """
        tokens = self._tokens[self._at : self._at + count]
        if count < 0 or len(tokens) != count:
            raise mend(self.path, "model file ends early")
        self._at += count
        try:
            return np.array(tokens, dtype=np.float64)
        except ValueError:
            raise mend(self.path, "model file holds text where a number belongs") from None

    def integer(self) -> int:
        """Read one integer."""
        return int(self.numbers(1)[0])

    def matrix(self) -> NDArray[np.float64]:
        """Read one text matrix as a 2-D float64 array."""
        rows, columns, code = self.integer(), self.integer(), self.integer()
        if rows < 0 or columns < 0 or not 0 <= code < len(_DTYPES):
            raise mend(self.path, "no matrix where one belongs, the file is altered")
        return self.numbers(rows * columns).reshape(rows, columns)

    def expect_end(self) -> None:
        """Refuse the file if anything is left."""
        if self._at != len(self._tokens):
            raise mend(self.path, f"{len(self._tokens) - self._at} numbers too many in model file")
