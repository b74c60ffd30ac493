"""Small convolutional networks in the arithmetic of OpenFace's reference binary, without a BLAS.

OpenFace evaluates a convolution as one float32 matrix product (positions x inputs) (inputs x
kernels). Its BLAS (OpenBLAS, Haswell kernels) sums every element with fused multiply-adds, either
in one chain over the inputs or in two (even and odd inputs, then added); which of the two depends
on the element's row and column alone (`gemm.order_blocks`), and more than 320 inputs are summed in
blocks (`input_blocks`). Here the same chains run with positions as vector lanes, so every machine
gets the reference's bits; the tests compare them with the library where SciPy is installed.

Maps are (channels, pictures, height, width) float32: several pictures of one size go through a
network together, and each comes out as if it had gone alone.
"""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pyfaceau.errors import InputError
from pyfaceau.models.modelfile import BinaryReader, mend
from pyfaceau.numerics import _cnn_kernels as kernels
from pyfaceau.numerics.gemm import order_blocks
from pyfaceau.types import Float32

Int64 = NDArray[np.int64]

_BLOCK = 320
_BLAS_OUTPUTS = 100
_CONVOLUTION, _POOL, _DENSE, _RECTIFIER = range(4)


class Layer(Protocol):
    """One layer of a network: maps or vectors in, maps or vectors out."""

    def __call__(self, x: Float32) -> Float32:
        """Return the layer's output; `x` is contiguous and may be overwritten."""
        ...


def input_blocks(inputs: int) -> NDArray[np.int64]:
    """Return the ends of the blocks of inputs that the reference sums separately.

    Parameters
    ----------
    inputs : int
        Length of the sum, bias included.

    Returns
    -------
    (n,) int64
        From 0 to `inputs`: blocks of 320; what remains between 320 and 640 is halved, the first
        half rounded up to a multiple of 8.
    """
    ends = [0]
    while ends[-1] < inputs:
        left = inputs - ends[-1]
        if left >= 2 * _BLOCK:
            left = _BLOCK
        elif left > _BLOCK:
            left = (left // 2 + 7) // 8 * 8
        ends.append(ends[-1] + left)
    return np.array(ends, dtype=np.int64)


@functools.lru_cache(maxsize=64)
def _chains(inputs: int) -> tuple[Int64, Int64]:
    """Return the two orders of summation: one chain, and two.

    Returns
    -------
    order : (2, inputs) int64
        Which input comes when: one after another, or block by block those of the even chain and
        then those of the odd one.
    ends : (2, blocks, 3) int64
        Where each block's first chain begins and ends, and its second.
    """
    pairs, ends = [], []
    for first, stop in itertools.pairwise(input_blocks(inputs).tolist()):
        eights = first + (stop - first) // 8 * 8
        odd = range(first + 1, eights, 2)
        pairs += [*range(first, eights, 2), *range(eights, stop), *odd]
        ends.append([(first, stop, stop), (first, stop - len(odd), stop)])
    order, bounds = np.array([range(inputs), pairs], np.int64), np.array(ends, np.int64)
    return order, bounds.transpose(1, 0, 2).copy()


@functools.lru_cache(maxsize=64)
def _offsets(shape: tuple[int, ...], size: tuple[int, int]) -> Int64:
    """Return where the inputs of a kernel begin in the strips of maps, in both orders, (2, k)."""
    maps, pictures, height, width = shape
    inner = width - size[1] + 1
    strips = np.arange(maps * size[1] + 1, dtype=np.int64) * (pictures * height * inner)
    inputs = (strips[:-1, None] + np.arange(size[0], dtype=np.int64) * inner).ravel()
    return np.append(inputs, strips[-1])[_chains(len(inputs) + 1)[0]]


@functools.lru_cache(maxsize=64)
def _jobs(positions: int, outputs: int) -> tuple[Int64, Int64]:
    """Return the jobs of `kernels.convolve` for maps of so many positions, and their vectors."""
    masks = np.ascontiguousarray(order_blocks(positions, outputs).T)
    groups = [list(same) for _, same in itertools.groupby(masks, key=bytes)]
    everywhere = kernels.cover(np.full(positions, True))
    jobs: list[list[int]] = []
    vectors: list[Int64] = []
    for order in (0, 1):
        stop, before = 0, None
        for group in groups:
            first, stop = stop, min(stop + 8 * len(group), outputs)
            found = kernels.cover(group[0] == order)
            if not order and len(everywhere) <= len(found):
                # The few others are summed too, which costs nothing, and overwritten: so
                # neighbouring groups of kernels share a job.
                found = everywhere
            if found is before:
                jobs[-1][1] = stop
            elif len(found):
                done = sum(map(len, vectors))
                jobs.append([first, stop, order, done, done + len(found)])
                vectors.append(found)
            before = found
    return np.array(jobs, np.int64), np.concatenate(vectors)


@dataclass(frozen=True, eq=False)
class Convolution:
    """Valid cross-correlation, stride 1.

    Attributes
    ----------
    weights : (outputs, inputs * width * height + 1) float32
        Input map by input map, each column by column; last the bias.
    size : tuple of int
        Height and width of the kernels.
    """

    weights: Float32
    size: tuple[int, int]

    def __call__(self, x: Float32) -> Float32:
        """Return (outputs, pictures, height, width) float32 of maps (inputs, ...)."""
        maps, pictures, height, width = x.shape
        rows, columns = self.size
        inner = (height - rows + 1, width - columns + 1)
        outputs, inputs = self.weights.shape
        if inputs != maps * rows * columns + 1 or min(inner) < 1:
            raise InputError(
                f"x: expected {(inputs - 1) // (rows * columns)} maps of at least "
                f"{rows}x{columns}, got {maps} of {height}x{width}"
            )
        offsets, ends = _offsets(x.shape, self.size), _chains(inputs)[1]
        jobs, vectors = _jobs(inner[0] * inner[1], outputs)
        out = np.empty((outputs, pictures, *inner), np.float32)
        kernels.convolve(
            np.ascontiguousarray(x), columns, offsets, self._ordered, ends, jobs, vectors, out
        )
        return out

    @functools.cached_property
    def _ordered(self) -> Float32:
        """The weights in both orders of summation, (2, outputs, inputs)."""
        order, _ = _chains(self.weights.shape[1])
        return np.ascontiguousarray(self.weights[:, order].transpose(1, 0, 2))


@dataclass(frozen=True)
class MaxPool:
    """Largest value of each window; windows reach over the border and are clipped there.

    Attributes
    ----------
    size, step : tuple of int
        Height and width of the windows, and of the way from one to the next.
    """

    size: tuple[int, int]
    step: tuple[int, int]

    def __call__(self, x: Float32) -> Float32:
        """Return (channels, pictures, h, w) float32, h and w = round((n - size) / step) + 1."""
        high, wide = (
            (2 * (n - size) + step) // (2 * step) + 1
            for n, size, step in zip(x.shape[2:], self.size, self.step, strict=True)
        )
        out = np.empty((*x.shape[:2], high, wide), np.float32)
        kernels.max_pool(
            x.reshape(-1, *x.shape[2:]), *self.size, *self.step, out.reshape(-1, high, wide)
        )
        return out


@dataclass(frozen=True, eq=False)
class Rectifier:
    """Parametric rectifier: v where v >= 0, else slope * v.

    Attributes
    ----------
    slopes : (channels,) float32 or None
        One slope per map (per element of a vector); None means 0.
    """

    slopes: Float32 | None = None

    def __call__(self, x: Float32) -> Float32:
        """Rectify maps (channels, ...) or vectors (pictures, channels) in place."""
        if self.slopes is None:
            kernels.rectify(x.reshape(-1))
        elif x.ndim == 2:
            np.copyto(x, self.slopes * x, where=x < 0)
        else:
            kernels.prelu(x.reshape(len(x), -1), self.slopes)
        return x


@dataclass(frozen=True, eq=False)
class Dense:
    """Fully connected layer, weights.T @ v + bias.

    From 100 outputs on the reference uses its BLAS, below it sums in float64. Maps are flattened
    map by map, each column by column; where there are as many maps as weights have rows, the layer
    acts on each position alone, as a 1x1 convolution.

    Attributes
    ----------
    weights : (inputs, outputs) float32
        As the model file stores them.
    bias : (outputs,) float32
        Added to each output.
    """

    weights: Float32
    bias: Float32

    def __call__(self, x: Float32) -> Float32:
        """Return (pictures, outputs), or (outputs, pictures, h, w) where it acts on positions."""
        inputs, outputs = self.weights.shape
        if x.ndim == 4 and len(x) == inputs:
            maps = np.empty((outputs, *x.shape[1:]), np.float32)
            kernels.dense_pointwise(
                x.reshape(inputs, -1), self.weights, self.bias, maps.reshape(outputs, -1)
            )
            return maps
        if x.ndim == 4:
            x = np.ascontiguousarray(x.transpose(1, 0, 3, 2)).reshape(x.shape[1], -1)
        if x.shape[1] != inputs:
            raise InputError(f"x: expected {inputs} values per picture, got {x.shape[1]}")
        out = np.empty((len(x), outputs), np.float32)
        if outputs < _BLAS_OUTPUTS:
            kernels.dense_double(x, self.weights, self.bias, out)
        else:
            kernels.dense_single(x, self._tiles, self.bias, _chains(inputs)[1][0], out)
        return out

    @functools.cached_property
    def _tiles(self) -> Float32:
        """The weights of sixteen outputs at a time, (tiles, inputs, 16), with zeros at the end."""
        inputs, outputs = self.weights.shape
        padded = np.pad(self.weights, ((0, 0), (0, -outputs % 16)))
        return np.ascontiguousarray(padded.reshape(inputs, -1, 16).transpose(1, 0, 2))


@dataclass(frozen=True)
class Network:
    """A chain of layers.

    Attributes
    ----------
    layers : tuple of Layer
        In the order in which they are applied.
    """

    layers: tuple[Layer, ...]

    def __call__(self, x: Float32) -> Float32:
        """Run the network.

        Parameters
        ----------
        x : (channels, pictures, height, width) float32
            Input maps.

        Returns
        -------
        ndarray
            (pictures, n) float32 after a fully connected layer, else (n, pictures, h, w).

        Raises
        ------
        InputError
            If the maps do not fit the first layer.
        """
        x = np.ascontiguousarray(x, np.float32)
        for layer in self.layers:
            x = layer(x)
        return x


def read_network(reader: BinaryReader, *, implicit: bool = False) -> Network:
    """Read one network from an open model file.

    Parameters
    ----------
    reader : BinaryReader
        Positioned at the number of layers.
    implicit : bool
        The dialect of OpenFace's detection validator: pooling (2x2, step 2) and rectifier (slope
        0) are stored without parameters.

    Returns
    -------
    Network
        The layers.

    Raises
    ------
    WeightsError
        If the file ends early or holds another kind of layer.
    """
    return Network(tuple(_read_layer(reader, implicit) for _ in range(reader.int32())))


def _read_layer(reader: BinaryReader, implicit: bool) -> Layer:
    kind = reader.int32()
    if kind == _CONVOLUTION:
        return _read_convolution(reader)
    if kind == _POOL:
        if implicit:
            return MaxPool((2, 2), (2, 2))
        width, height, step_x, step_y = (reader.int32() for _ in range(4))
        return MaxPool((height, width), (step_y, step_x))
    if kind == _DENSE:
        bias = reader.matrix()
        return Dense(reader.matrix(), bias.ravel())
    if kind == _RECTIFIER:
        return Rectifier(None if implicit else reader.matrix().ravel())
    raise mend(reader.path, f"no layer is of type {kind}, the file is altered")


def _read_convolution(reader: BinaryReader) -> Convolution:
    inputs, outputs = reader.int32(), reader.int32()
    bias = reader.float32s(outputs)
    kernels_in = np.stack([reader.matrix() for _ in range(inputs * outputs)])
    size = kernels_in.shape[1:]
    columns = kernels_in.reshape(inputs, outputs, *size).transpose(1, 0, 3, 2)
    weights = np.concatenate([columns.reshape(outputs, -1), bias[:, None]], axis=1)
    return Convolution(np.ascontiguousarray(weights), (int(size[0]), int(size[1])))
