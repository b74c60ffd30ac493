"""Writing action-unit models in OpenFace's binary format, with the lists that name them."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from pyfaceau.errors import OutputError, check_array
from pyfaceau.prediction.models import N_FEATURES, AUModels
from pyfaceau.types import AU_INTENSITIES, AU_PRESENCES, Float64

LISTS = {"best": "AU_all_best.txt", "static": "AU_all_static.txt"}
"""List files that `AUModels.load` reads, by what they are of."""


def write_models(folder: Path, best: AUModels, static: AUModels, mean: ArrayLike) -> list[Path]:
    """Write models that `AUModels.load`, and OpenFace, read.

    A file is little-endian: int32 type (0 static, 1 dynamic regressor; 4 static, 5 dynamic
    classifier); the cutoff, float64, of type 1; the mean, a 1 x 4702 matrix; the weights, 4702 x 1;
    the bias, float64; the values of a positive and of any other score, float64, of types 4 and 5. A
    matrix is its rows, columns and 6 (float64) as int32, and its elements.

    Parameters
    ----------
    folder : Path
        Where to; is made.
    best, static : AUModels
        Of ``AU_all_best.txt`` and ``AU_all_static.txt``.
    mean : (4702,) float64
        Subtracted from every face's features. One for all files, as OpenFace takes that of the
        first; scores do not depend on it.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    InputError
        If `mean` is anything else.
    OutputError
        If they cannot be written.
    """
    centre = check_array("mean", mean, (N_FEATURES,), np.float64)
    written = []
    try:
        for kind, models in (("best", best), ("static", static)):
            lines = []
            for position, name in enumerate(AU_INTENSITIES + AU_PRESENCES):
                sort = "dynamic" if models.dynamic[position] else "static"
                machine = "svr" if name.endswith("_r") else "svm"
                entry = f"{machine}_{kind}/{name[:4]}_{sort}.dat"
                path = folder / entry
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(_packed(models, position, centre))
                written.append(path)
                lines.append(f"{entry} {name[:4]}")
            (folder / LISTS[kind]).write_text("\n".join(lines), encoding="utf-8")
            written.append(folder / LISTS[kind])
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written: {error.strerror or error}") from None
    return written


def _packed(models: AUModels, position: int, mean: Float64) -> bytes:
    """Return a model file."""
    weights = models.weights[:, position]
    bias = float(models.offsets[position] + mean @ weights)
    dynamic = bool(models.dynamic[position])
    parts = [_matrix(mean[None]), _matrix(weights[:, None]), struct.pack("<d", bias)]
    at = position - len(AU_INTENSITIES)
    if at >= 0:
        return b"".join([struct.pack("<i", 4 + dynamic), *parts, models.classes[at].tobytes()])
    head = struct.pack("<i", int(dynamic))
    if dynamic:
        head += struct.pack("<d", float(models.cutoffs[position]))
    return b"".join([head, *parts])


def _matrix(values: Float64) -> bytes:
    return struct.pack("<3i", *values.shape, 6) + np.ascontiguousarray(values, "<f8").tobytes()
