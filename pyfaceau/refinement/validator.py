"""The detection validator, which says whether a fitted shape lies on a face.

A face is warped triangle by triangle to a 60x60 reference shape, normalised, and given to a small
convolutional network that was trained on fits of known quality; OpenFace writes its verdict into
the column ``confidence`` and takes a fit for good above 0.725 (Baltrusaitis, Robinson, Morency,
"OpenFace: an open source facial behavior analysis toolkit", WACV 2016, section 3.1). The bits are
OpenFace's, on every machine: see `pyfaceau.numerics.cnn`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pyfaceau.errors import check_array, check_image
from pyfaceau.models.modelfile import BinaryReader, mend
from pyfaceau.numerics.cnn import Network, read_network
from pyfaceau.refinement._validator_kernels import surround, warp_triangles
from pyfaceau.types import Float32, Float64, Int32, UInt8

MARGIN = np.float32(3)
"""Pixels around the landmarks that the warp may read."""
_NETWORK_MODEL = 3


@dataclass(frozen=True, eq=False)
class _View:
    """What belongs to one head orientation.

    `pixels` are places of the mask's m pixels in the flattened reference picture, column by column;
    `triangles`, `alpha`, `beta`, `owner` and `grid` are as `warp_triangles` takes them.
    """

    mean: Float32
    deviation: Float32
    network: Network
    triangles: Int32
    alpha: Float32
    beta: Float32
    owner: Int32
    grid: Float32
    pixels: NDArray[np.int64]
    shape: tuple[int, int]

    def features(self, gray: UInt8, points: Float32) -> Float32:
        """Return the normalised warped pixels, (m,) float32."""
        values = np.empty(len(self.pixels), np.float32)
        warp_triangles(
            gray, points, self.triangles, self.alpha, self.beta, self.owner, self.grid, values
        )
        exact = values.astype(np.float64)
        mean = np.add.reduce(exact) / exact.size
        variance = np.add.reduce(exact * exact) / exact.size - mean * mean
        deviation = np.float32(np.sqrt(max(variance, 0.0)))
        inverse = np.float32(1.0 / np.float64(deviation)) if deviation else np.float32(1)
        values = (values - np.float32(mean)) * inverse
        normalised: Float32 = (values - self.mean) / self.deviation
        return normalised

    def confidence(self, features: Float32) -> float:
        """Return the network's verdict on normalised pixels."""
        image = np.zeros(self.shape, np.float32)
        image.reshape(-1)[self.pixels] = features
        outputs = self.network(image[None, None])[0]
        classes = outputs.size
        return float(np.float32((classes - 0.5 - int(outputs.argmax())) / classes))


class DetectionValidator:
    """Rates fits of 68 landmarks; made by `DetectionValidator.load`.

    Parameters
    ----------
    centres : (n, 3) float64
        Pitch, yaw and roll of the n views, radians.
    views : tuple
        What belongs to each view.
    """

    def __init__(self, centres: Float64, views: tuple[_View, ...]) -> None:
        self._centres = centres
        self._views = views

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> DetectionValidator:
        """Read a model file.

        Parameters
        ----------
        path : path
            ``validator_cnn.txt`` (30 classes) or ``validator_cnn_68.txt`` (20 classes, used with
            the CE-CLM landmark model); binary, whatever the name says.

        Returns
        -------
        DetectionValidator
            Ready for use.

        Raises
        ------
        WeightsError
            If the file is missing, altered, or a validator that is no network.
        """
        reader = BinaryReader(os.fspath(path))
        if reader.int32() != _NETWORK_MODEL:
            raise mend(reader.path, "not a validator with a convolutional network")
        count = reader.int32()
        centres = [np.deg2rad(reader.matrix().ravel()) for _ in range(count)]
        views = tuple(_read_view(reader) for _ in range(count))
        reader.expect_end()
        return cls(np.array(centres), views)

    def check(self, gray: UInt8, landmarks: Float32, rotation: Float32) -> float:
        """Rate a fit.

        Parameters
        ----------
        gray : (H, W) uint8
            The picture.
        landmarks : (68, 2) float32
            x, y, pixels.
        rotation : (3,) float32
            The shape model's pitch, yaw and roll, radians; chooses the nearest of the file's views.

        Returns
        -------
        float
            Confidence from 0.5 / n to 1 - 0.5 / n in steps of 1 / n for n classes, a float32
            value; 0 where the face covers less than two pixels of the picture in x or y.

        Raises
        ------
        InputError
            If an argument has another shape or type, or is not finite.
        """
        gray = check_image("gray", gray, channels=(1,))
        landmarks = check_array("landmarks", landmarks, (68, 2), np.float32)
        rotation = check_array("rotation", rotation, (3,), np.float32)
        window = _window(landmarks, gray.shape)
        if window is None:
            return 0.0
        x0, y0, x1, y1 = window
        points = landmarks - np.array([x0, y0], np.float32)
        view = self._view(rotation)
        return view.confidence(view.features(gray[y0:y1, x0:x1], points))

    def _view(self, rotation: Float32) -> _View:
        distances = np.square(self._centres - rotation).sum(axis=1)
        return self._views[int(distances.argmin())]


def _window(landmarks: Float32, shape: tuple[int, ...]) -> tuple[int, int, int, int] | None:
    """Return the part of the picture around the landmarks, x0, y0, x1, y1, or None if too small."""
    left, top, right, bottom = surround(landmarks, MARGIN)
    x0, y0 = max(int(left), 0), max(int(top), 0)
    x1, y1 = min(int(right), shape[1] - 1), min(int(bottom), shape[0] - 1)
    return None if x1 - x0 <= 1 or y1 - y0 <= 1 else (x0, y0, x1, y1)


def _read_view(reader: BinaryReader) -> _View:
    mean, deviation = (reader.matrix().astype(np.float32).ravel() for _ in range(2))
    network = read_network(reader, implicit=True)
    count, left, top = reader.int32(), reader.float64(), reader.float64()
    reader.matrix()  # the reference shape itself: its triangles' coefficients follow
    triangles, ids, mask = (reader.matrix().astype(np.int32) for _ in range(3))
    alpha, beta = (reader.matrix().astype(np.float32) for _ in range(2))
    columns, rows = np.nonzero(mask.T)
    if not len(rows) == count == len(mean):
        raise mend(reader.path, "mask and mean face do not fit, the file is altered")
    grid = np.stack([columns, rows], axis=1).astype(np.float32) + np.array([left, top], np.float32)
    return _View(
        mean=mean,
        deviation=deviation,
        network=network,
        triangles=triangles,
        alpha=alpha,
        beta=beta,
        owner=ids[rows, columns],
        grid=grid,
        pixels=rows * mask.shape[1] + columns,
        shape=(mask.shape[0], mask.shape[1]),
    )
