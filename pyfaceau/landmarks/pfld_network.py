"""PFLD's network as kernels: one answer on every kind of processor.

The layers of Guo et al., "PFLD: A practical facial landmark detector", arXiv 1902.10859, table 1:
inverted residual blocks (Sandler et al., "MobileNetV2", CVPR 2018) and means over three scales.
Batch normalisation is folded into the weights, in float64.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping

import numpy as np

from pyfaceau.landmarks import _kernels_pfld as kernels
from pyfaceau.types import Float32

_EPSILON = float(np.float32(1e-5))
_BLOCKS = (
    ("conv3_1", 2, False),
    *((f"block3_{i}", 1, True) for i in range(2, 6)),
    ("conv4_1", 2, False),
    ("conv5_1", 1, False),
    *((f"block5_{i}", 1, True) for i in range(2, 7)),
    ("conv6_1", 1, False),
)
"""Inverted residuals: name in the file, step, whether the input is added to the output."""

_BUFFERS, _LARGEST = 4, 64 * 3136


class PfldNetwork:
    """The network, for one crop after another; several threads may use it.

    Parameters
    ----------
    arrays : mapping of str to float32 array
        The model file's arrays, by their names there.

    Raises
    ------
    KeyError
        If they are not those of this network.
    """

    def __init__(self, arrays: Mapping[str, Float32]) -> None:
        self._arrays = arrays
        self._constants: list[Float32] = []
        self._size = 0
        body = [
            self._unfold(0, 1, 3, 112),
            self._mix("conv1", "bn1", (1, 2), 56, True),
            self._each("dw_pool", "dw_bn", (2, 1), 56, 1, False),
            self._mix("conv1_extra", None, (1, 0), 56, True),
        ]
        side = 56
        for name, step, added in _BLOCKS:
            names = [(f"{name}.conv.{i}", f"{name}.conv.{i + 1}") for i in (0, 3, 6)]
            body.append(self._mix(*names[0], (0, 1), side, True))
            body.append(self._each(*names[1], (1, 2), side, step, True))
            side //= step
            body.append(self._mix(*names[2], (2, 0), side, False, 0 if added else -1))
        body.append(self._unfold(0, 1, 16, 14))
        body.append(self._mix("conv7.0", "conv7.1", (1, 2), 7, True))
        self._program = np.array(body, np.int64)
        self._flat = np.concatenate(self._constants)
        eighth, last = arrays["conv8.weight"], arrays["fc.weight"]
        self._eighth = np.ascontiguousarray(eighth.reshape(len(eighth), -1).T)
        self._last = np.ascontiguousarray(last.T)
        self._eighth_bias, self._last_bias = arrays["conv8.bias"], arrays["fc.bias"]
        self._own = threading.local()

    def __call__(self, crops: Float32) -> Float32:
        """Run the network.

        Parameters
        ----------
        crops : (k, 3, 112, 112) float32
            Red, green, blue, 0 to 1.

        Returns
        -------
        (k, 136) float32
            x, y of 68 points, in units of the crop's side.
        """
        if not hasattr(self._own, "buffers"):
            self._own.buffers = np.zeros((_BUFFERS, _LARGEST), np.float32)
        out = np.empty((len(crops), len(self._last_bias)), np.float32)
        for crop, points in zip(crops, out, strict=True):
            self._one(crop, self._own.buffers, points)
        return out

    def _one(self, crop: Float32, buffers: Float32, points: Float32) -> None:
        """Run the network on one crop: its layers, then the means of three scales."""
        buffers[0, : crop.size] = crop.reshape(-1)
        kernels.run(self._program, self._flat, buffers)
        large, small = (
            buffers[0, : 16 * 208].reshape(16, 208),
            buffers[2, : 32 * 64].reshape(32, 64),
        )
        seen = np.empty(16 + 32 + len(self._eighth_bias), np.float32)
        kernels.mean(large, 196, seen[:16])
        kernels.mean(small, 49, seen[16:48])
        seen[48:] = self._eighth_bias
        kernels.dense(np.ascontiguousarray(small[:, :49]).reshape(-1), self._eighth, seen[48:])
        np.maximum(seen[48:], 0, out=seen[48:])
        points[:] = self._last_bias
        kernels.dense(seen, self._last, points)

    def _mix(
        self,
        name: str,
        norm: str | None,
        way: tuple[int, int],
        side: int,
        positive: bool,
        added: int = -1,
    ) -> list[int]:
        """Return the step that sums over all maps."""
        weights, bias = self._folded(name, norm)
        columns = np.column_stack([bias, weights])
        blocks, at = [], 0
        while (left := len(weights) - at) > 0:
            rows = next(n for n in kernels.ROWS if n <= left)
            blocks.append(columns[at : at + rows].T.ravel())
            at += rows
        outputs, inputs = weights.shape
        place = self._store(np.concatenate(blocks))
        return [kernels.MIX, *way, added, inputs, outputs, side, 1, positive, place, 0]

    def _each(
        self, name: str, norm: str, way: tuple[int, int], side: int, step: int, positive: bool
    ) -> list[int]:
        """Return the step that correlates each map with its own kernel."""
        weights, bias = self._folded(name, norm)
        maps, places = len(weights), (self._store(weights.ravel()), self._store(bias))
        return [kernels.EACH, *way, -1, maps, maps, side, step, positive, *places]

    def _unfold(self, source: int, target: int, maps: int, side: int) -> list[int]:
        """Return the step that lays out the 3 x 3 neighbourhoods of every second pixel."""
        return [kernels.UNFOLD, source, target, -1, maps, 9 * maps, side, 2, False, 0, 0]

    def _folded(self, name: str, norm: str | None) -> tuple[Float32, Float32]:
        """Return flat kernels and what is added, normalisation folded in."""
        weights = self._arrays[f"{name}.weight"].astype(np.float64)
        flat = weights.reshape(len(weights), -1)
        bias = np.zeros(len(flat))
        if norm is not None:
            variance = self._arrays[f"{norm}.running_var"].astype(np.float64)
            gain = self._arrays[f"{norm}.weight"] / np.sqrt(variance + _EPSILON)
            flat = flat * gain[:, None]
            bias = self._arrays[f"{norm}.bias"] - self._arrays[f"{norm}.running_mean"] * gain
        return flat.astype(np.float32), bias.astype(np.float32)

    def _store(self, values: Float32) -> int:
        """Keep constants, and return where they begin."""
        start = self._size
        self._constants.append(values)
        self._size += values.size
        return start
