"""Patch experts that are convolutional expert networks (CEN).

Each expert is a small fully connected network on the normalised 11 x 11 patch: Zadeh,
Baltrusaitis, Morency, "Convolutional experts constrained local model for 3D facial landmark
detection", ICCV Workshops 2017. As OpenFace evaluates them: at every other position of a window,
with the positions between interpolated; experts of one half of the face, and of the head turned one
way, serve the other half by mirroring the picture.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pyfaceau.errors import InputError, WeightsError
from pyfaceau.models.modelfile import BinaryReader, mend
from pyfaceau.numerics.cnn import input_blocks
from pyfaceau.numerics.packed import GROUP, TILE, pack, tile_orders
from pyfaceau.refinement._kernels import AREA
from pyfaceau.refinement._kernels_cen import cen_responses
from pyfaceau.refinement.experts import PatchExperts, read_views
from pyfaceau.types import Float32, UInt8

Int64 = NDArray[np.int64]

_RECORD = 6
_MOST_LAYERS = 16


@dataclass(frozen=True, eq=False)
class _Layer:
    """One layer: activation(weights @ x + bias).

    Attributes
    ----------
    inputs, outputs : int
        Its shape; the first layer has 122 inputs: a 1, then the patch column by column.
    activation : int
        0: logistic; 2: max(z, 0); any other: z.
    parameters : float32
        Bias, then packed weights.
    """

    inputs: int
    outputs: int
    activation: int
    parameters: Float32


@dataclass(frozen=True, eq=False)
class CENExperts(PatchExperts):
    """CEN patch experts of one scale.

    Responses are the network's output at positions (i, j) where i + j is odd, else the mean of the
    neighbours that are. A mirrored expert has its own value of `confidence`, and may serve where
    that is 0.

    Attributes
    ----------
    mirror_points : (n,) int64
        Each landmark's mirror image, points on the mid-line their own.
    mirror_views : (views,) int64
        Each view's mirror image.
    layers : (views, n, L, 5) int64
        Per layer: inputs, outputs (0 where there is none), activation, place of its bias in
        `parameters`, row of `shapes`.
    shapes : (S, 2) int64
        Inputs and outputs of the layers, each pair once.
    parameters : float32
        Per layer: bias, then packed weights.
    """

    mirror_points: Int64
    mirror_views: Int64
    layers: Int64
    shapes: Int64
    parameters: Float32

    @classmethod
    def load(cls, path: str | Path) -> CENExperts:
        """Read a CEN patch expert file.

        Parameters
        ----------
        path : str or Path
            Binary file of one scale.

        Returns
        -------
        CENExperts
            Its experts.

        Raises
        ------
        WeightsError
            If the file is missing, cut short or altered, or a landmark has no expert, nor has its
            mirror image.
        """
        reader = BinaryReader(path)
        scale = reader.float64()
        views = reader.int32()
        centres, visibility = read_views(reader, views)
        mirror_points = _read_mirror(reader, visibility.shape[1])
        mirror_views = _read_mirror(reader, views)
        records = [_read_record(reader) for _ in range(visibility.size)]
        reader.expect_end()
        confidence = np.array([trust for _, trust in records], np.float32)
        layers, shapes, parameters = _pack([found for found, _ in records], visibility.shape)
        experts = cls(
            scale, centres, visibility, confidence.reshape(visibility.shape), mirror_points,
            mirror_views, layers, shapes, parameters,
        )  # fmt: skip
        try:
            experts.plans  # noqa: B018 - computed here so that a file without experts is refused
        except WeightsError as error:
            raise mend(reader.path, str(error)) from None
        return experts

    @cached_property
    def plans(self) -> tuple[Int64, ...]:
        """For each view the jobs of `cen_responses`, (jobs, 5)."""
        return tuple(self._plan(view) for view in range(len(self.visibility)))

    def _plan(self, view: int) -> Int64:
        """Say which expert serves each landmark of a view."""
        own = self.layers[view, :, 0, 1] > 0
        jobs: list[tuple[int, int, int, int, int]] = []
        if view == 0:
            for n in np.flatnonzero(own).tolist():
                partner = int(self.mirror_points[n])
                jobs.append((n, 0, partner if partner != n else -1, 0, n))
        else:
            for n in np.flatnonzero(self.visibility[view]).tolist():
                other = int(self.mirror_views[view]), int(self.mirror_points[n])
                if own[n]:
                    jobs.append((n, 0, -1, view, n))
                elif self.layers[other][0, 1] > 0:
                    jobs.append((n, 1, -1, *other))
        served = {n for job in jobs for n in (job[0], job[2])}
        missing = set(np.flatnonzero(self.visibility[view]).tolist()) - served
        if missing:
            raise WeightsError(f"no expert for landmark {min(missing)} in view {view}")
        return np.array(jobs, np.int64).reshape(-1, 5)

    @cached_property
    def _ends(self) -> Int64:
        """Blocks of inputs by shape of layer; empty blocks at the end fill the rows."""
        rows = [input_blocks(int(inputs)) for inputs, _ in self.shapes]
        longest = max(len(row) for row in rows)
        return np.array([np.pad(row, (0, longest - len(row)), "edge") for row in rows])

    @cached_property
    def _orders(self) -> dict[int, UInt8]:
        return {}

    def _orders_for(self, columns: int) -> UInt8:
        """Return the accumulation orders (shapes, tiles, groups) for so many columns."""
        if columns not in self._orders:
            outputs = self.shapes[:, 1].tolist()
            groups = -(-columns // GROUP)
            table = np.zeros((len(outputs), -(-max(outputs) // TILE), groups), np.uint8)
            for row, rows in zip(table, outputs, strict=True):
                orders = tile_orders(rows, columns)
                row[: len(orders)] = orders
            self._orders[columns] = table
        return self._orders[columns]

    def _respond(
        self,
        gray: UInt8,
        landmarks: Float32,
        chosen: NDArray[np.bool_],
        similarity: Float32,
        view: int,
        out: Float32,
    ) -> None:
        window = out.shape[1]
        if window < 3:
            raise InputError(f"window: expected 3 or more for networks, got {window}")
        positions = window * window // 2
        orders, joint = self._orders_for(positions), self._orders_for(2 * positions)
        lanes = joint.shape[2] * GROUP
        buffers = np.empty((2, (int(self.shapes[:, 1].max()) + TILE) * lanes), np.float32)
        cen_responses(
            gray, landmarks, chosen, similarity[0, 0], -similarity[0, 1], window,
            self.plans[view], self.layers, self.parameters, self._ends, orders, joint, buffers, out,
        )  # fmt: skip


def load_scales(paths: Sequence[str | Path]) -> tuple[CENExperts, ...]:
    """Read the CEN files of a model; as in OpenFace, the last one's mirror images serve all.

    Parameters
    ----------
    paths : sequence of str or Path
        Coarse to fine.

    Returns
    -------
    tuple of CENExperts
        One per file.

    Raises
    ------
    WeightsError
        As from `CENExperts.load`, or if files do not have the same views and landmarks.
    """
    scales = [CENExperts.load(path) for path in paths]
    last = scales[-1]
    if any(experts.visibility.shape != last.visibility.shape for experts in scales):
        raise mend(Path(paths[-1]), "expected as many views and landmarks as in the files before")
    points, views = last.mirror_points, last.mirror_views
    return tuple(replace(e, mirror_points=points, mirror_views=views) for e in scales)


def is_cen(start: bytes) -> bool:
    """Tell whether a binary patch expert file holds CENs.

    Parameters
    ----------
    start : bytes
        The file, or as much of its beginning as holds its views.

    Returns
    -------
    bool
        True where a table of mirror images follows the views.
    """
    try:
        (views,) = struct.unpack_from("<i", start, 8)
        centres = 12 + views * (12 + 3 * 8)
        (points,) = struct.unpack_from("<i", start, centres)
    except struct.error:
        return False
    end = centres + views * (12 + 4 * points)
    return start[end : end + 12] == struct.pack("<3i", 1, points, 4)


def _read_mirror(reader: BinaryReader, count: int) -> Int64:
    """Read a table of mirror images."""
    table = reader.matrix().ravel().astype(np.int64)
    if len(table) != count or table.min() < 0 or table.max() >= count:
        raise mend(reader.path, f"no table of {count} mirror images where one belongs")
    return table


def _read_record(reader: BinaryReader) -> tuple[list[_Layer], float]:
    """Read one expert: its layers, none where a mirrored one serves, and its confidence."""
    kind, _, _, count = (reader.int32() for _ in range(4))
    if kind != _RECORD or not 0 <= count <= _MOST_LAYERS:
        raise mend(reader.path, "no CEN patch expert where one belongs")
    layers: list[_Layer] = []
    inputs = 1 + AREA
    for _ in range(count):
        activation = reader.int32()
        bias = reader.matrix().astype(np.float32).ravel()
        weights = reader.matrix().astype(np.float32)
        if weights.shape != (len(bias), inputs) or not len(bias):
            raise mend(reader.path, f"a layer does not take the {inputs} values before it")
        parameters = np.concatenate([bias, pack(weights)])
        layers.append(_Layer(inputs, len(bias), activation, parameters))
        inputs = len(bias)
    if layers and inputs != 1:
        raise mend(reader.path, f"expected one response of a network, found {inputs}")
    return layers, reader.float64()


def _pack(records: list[list[_Layer]], shape: tuple[int, ...]) -> tuple[Int64, Int64, Float32]:
    """Return the tables `layers`, `shapes` and `parameters` of all experts."""
    table = np.zeros((len(records), max(1, *map(len, records)), 5), np.int64)
    shapes: dict[tuple[int, int], int] = {}
    pieces: list[Float32] = []
    at = 0
    for record, row in zip(records, table, strict=True):
        for layer, entry in zip(record, row, strict=False):
            place = shapes.setdefault((layer.inputs, layer.outputs), len(shapes))
            entry[:] = layer.inputs, layer.outputs, layer.activation, at, place
            pieces.append(layer.parameters)
            at += layer.parameters.size
    parameters = np.concatenate(pieces or [np.zeros(0, np.float32)])
    sizes = np.array(list(shapes), np.int64).reshape(-1, 2)
    return table.reshape(*shape, -1, 5), sizes, parameters
