"""CEN patch expert files made on the spot from CCNF ones, in the format of OpenFace's own.

Each expert's neurons become a first layer, a rising piecewise linear function of their sum the two
layers after, a logistic function the last. Half of every bias stands in the column of ones and half
in the bias vector. As in the files that OpenFace's authors publish, one of two mirrored landmarks
of the frontal view and all of the views turned the other way have no layers.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from pyfaceau.refinement.ccnf import CCNFExperts

MIRROR_VIEWS = (0, 6, 5, 4, 3, 2, 1)
ACTIVATIONS = (0, 2, 1, 0)
"""Logistic, rectifier, identity, logistic."""
_PAIRS = [(n, 16 - n) for n in range(8)] + [(n, 43 - n) for n in range(17, 22)]
_PAIRS += [(31, 35), (32, 34), (36, 45), (37, 44), (38, 43), (39, 42), (40, 47), (41, 46)]
_PAIRS += [(48, 54), (49, 53), (50, 52), (59, 55), (58, 56), (60, 64), (61, 63), (67, 65)]


def mirror_points() -> np.ndarray:
    """Return each of the 68 landmarks' mirror image."""
    table = np.arange(68)
    for left, right in _PAIRS:
        table[left], table[right] = right, left
    return table


@dataclass
class Record:
    """One expert as a file has it."""

    layers: list[tuple[int, np.ndarray, np.ndarray]]
    """Activation, bias (K,), weights (K, C)."""
    confidence: float


@dataclass
class ExpertFile:
    """The contents of a file."""

    scale: float
    centres: np.ndarray
    visibility: np.ndarray
    records: list[list[Record]]


def rewrite(ccnf: CCNFExperts, rng: np.random.Generator) -> list[list[Record]]:
    """Return networks for CCNF experts, (views, landmarks)."""
    records = []
    for v, row in enumerate(ccnf.visibility):
        records.append([])
        for n, visible in enumerate(row):
            spare = v > 3 or (v == 0 and any(n == right for _, right in _PAIRS))
            layers = [] if spare or not visible else _layers(ccnf.weights[v, n], ccnf.alphas[v, n])
            records[-1].append(Record(layers, float(rng.uniform(0.3, 1.0))))
    return records


def _layers(weights: np.ndarray, alphas: np.ndarray) -> list[tuple[int, np.ndarray, np.ndarray]]:
    """Return logistic(rising function of the sum of neurons)."""
    thresholds = np.linspace(-0.2, 0.8, 26)
    first = weights.astype(np.float64)
    first[:, 0] /= 2
    second = np.repeat(2 * alphas[None], 26, axis=0)
    third = (1 + np.sin(np.arange(13 * 26))).reshape(13, 26) / 26
    fourth = np.ones((1, 13))
    biases = (first[:, 0], -thresholds, np.linspace(-0.1, 0.1, 13), np.array([-4.0]))
    f32 = np.float32
    return [
        (code, bias.astype(f32), matrix.astype(f32))
        for code, bias, matrix in zip(
            ACTIVATIONS, biases, (first, second, third, fourth), strict=True
        )
    ]


def random_records(rng: np.random.Generator, visibility: np.ndarray, *widths: int) -> list:
    """Return networks of random weights, such as 300, 100, 50, 1; all views have their own."""
    sizes = (122, *widths)
    codes = (*(2, 1, 0)[: len(widths) - 1], 0)

    def one() -> Record:
        layers = [
            (code, rng.normal(size=k).astype("f4"), rng.normal(size=(k, c)).astype("f4") / c**0.5)
            for code, (c, k) in zip(codes, pairwise(sizes), strict=True)
        ]
        return Record(layers, 1.0)

    return [[one() if seen else Record([], 1.0) for seen in row] for row in visibility]


def matrix(values: np.ndarray) -> bytes:
    """Return a binary matrix."""
    code = {"f4": 5, "f8": 6, "i4": 4}[values.dtype.str[1:]]
    return struct.pack("<3i", *values.shape, code) + values.tobytes()


def write(path: Path, file: ExpertFile, mirror_views: tuple[int, ...] = MIRROR_VIEWS) -> Path:
    """Write a file of experts."""
    views = len(file.centres)
    parts = [struct.pack("<di", file.scale, views)]
    parts += [matrix(np.degrees(centre).reshape(3, 1)) for centre in file.centres]
    parts += [matrix(row.astype("i4").reshape(-1, 1)) for row in file.visibility]
    parts.append(matrix(mirror_points().astype("i4").reshape(1, -1)))
    parts.append(matrix(np.array([mirror_views], "i4")))
    for record in (record for row in file.records for record in row):
        parts.append(struct.pack("<4i", 6, 11, 11, len(record.layers)))
        for activation, bias, weights in record.layers:
            parts += [struct.pack("<i", activation), matrix(bias.reshape(-1, 1)), matrix(weights)]
        parts.append(struct.pack("<d", record.confidence))
    path.write_bytes(b"".join(parts))
    return path


def four_scales(weights_dir: Path) -> list[ExpertFile]:
    """Return experts at 0.25, 0.35, 0.5 and, from the inner face's and the last, 1.0."""
    rng = np.random.default_rng(68)
    files = []
    for name in ("0.25", "0.35", "0.5", "0.5"):
        ccnf = CCNFExperts.load(weights_dir / f"ccnf_patches_{name}_general.txt")
        records = rewrite(ccnf, rng)
        files.append(ExpertFile(ccnf.scale, ccnf.centres, ccnf.visibility, records))
    files[-1].scale = 1.0
    return files


def model(weights_dir: Path, folder: Path) -> Path:
    """Write a model of generated experts and return its list file; it has a name of its own."""
    for file in four_scales(weights_dir):
        write(folder / f"made_{file.scale:.2f}.dat", file)
    lines = [f"PatchesCEN made_{scale:.2f}.dat" for scale in (0.25, 0.35, 0.5, 1.0)]
    lines += ["PDM pdms/In-the-wild_aligned_PDM_68.txt", "EarlyTermination early_term_cen_of.txt"]
    (folder / "made_cen.txt").write_text("\n".join(lines))
    main = (weights_dir / "main_ceclm_general.txt").read_text()
    path = folder / "made_main.txt"
    path.write_text(main.replace("cen_general.txt", "made_cen.txt"))
    return path
