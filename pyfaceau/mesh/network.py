"""The networks behind the detector: 478 points of a face, and 52 coefficients of its expression."""

from __future__ import annotations

import numpy as np

from pyfaceau.mesh.region import FaceRegion
from pyfaceau.mesh.runtime import Network
from pyfaceau.types import MESH_POINTS, Float32, UInt8

SIZE = 256
"""Side of what the mesh network sees, pixels."""


class MeshNetwork:
    """478 points: 468 of the face's surface, five of each iris.

    Grishchenko, Ablavatski, Kartynnik, Raveendran and Grundmann, "Attention Mesh: High-fidelity
    face mesh prediction in real-time", 2020.

    Parameters
    ----------
    model : bytes
        The network.
    threads : int
        That share its work; no digit depends on it.
    """

    def __init__(self, model: bytes, threads: int = 1) -> None:
        outputs = (3 * MESH_POINTS, 1, 1)
        self._network = Network(model, "face mesh", (1, SIZE, SIZE, 3), outputs, threads)

    def __call__(self, image: UInt8, region: FaceRegion) -> tuple[Float32, float]:
        """Find the points of the face in a region.

        Parameters
        ----------
        image : (H, W, 3) uint8
            BGR picture.
        region : FaceRegion
            Where to look.

        Returns
        -------
        points : (478, 3) float32
            x, y in pixels; z, smaller nearer to the camera, in pixels as well.
        presence : float
            Probability that there is a face, 0 to 1.
        """
        seen = region.cut(image, SIZE)[None, :, :, ::-1].astype(np.float32) / np.float32(255)
        points, logit, _ = self._network(seen)
        presence = 1 / (1 + float(np.exp(-np.clip(logit[0], -80, 80))))
        return region.back(points.reshape(-1, 3), SIZE), presence


class Blendshapes:
    """52 coefficients, 0 to 1, of a face's points, see `pyfaceau.types.BLENDSHAPES`.

    Grishchenko, Yan, Zanfir, Bazavan, Zanfir, Raveendran, Grundmann and Sminchisescu, "Blendshapes
    GHUM: Real-time monocular facial blendshape prediction", 2023.

    Parameters
    ----------
    model : bytes
        The network.
    """

    def __init__(self, model: bytes) -> None:
        self._network = Network(model, "blendshapes", (1, len(_SUBSET), 2), (52,))

    def __call__(self, points: Float32) -> Float32:
        """Return a face's coefficients.

        Parameters
        ----------
        points : (478, 3) float32
            As from `MeshNetwork`; place, size and unit do not matter.

        Returns
        -------
        (52,) float32
            0 to 1.
        """
        (values,) = self._network(np.ascontiguousarray(points[None, _SUBSET, :2], np.float32))
        return np.clip(values, 0, 1)


_SUBSET = np.array(
    """
    0 1 4 5 6 7 8 10 13 14 17 21 33 37 39 40 46 52 53 54 55 58 61 63 65 66 67 70 78 80 81 82 84 87
    88 91 93 95 103 105 107 109 127 132 133 136 144 145 146 148 149 150 152 153 154 155 157 158 159
    160 161 162 163 168 172 173 176 178 181 185 191 195 197 234 246 249 251 263 267 269 270 276 282
    283 284 285 288 291 293 295 296 297 300 308 310 311 312 314 317 318 321 323 324 332 334 336 338
    356 361 362 365 373 374 375 377 378 379 380 381 382 384 385 386 387 388 389 390 397 398 400 402
    405 409 415 454 466 468 469 470 471 472 473 474 475 476 477
    """.split(),
    np.int32,
)
"""The points that the network was trained on (MediaPipe Face Landmarker, Apache-2.0)."""
