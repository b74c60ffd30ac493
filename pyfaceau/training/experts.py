"""Patch experts from areas: support vector regressors and CCNF, in OpenFace's formats."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from torch.nn import functional

from pyfaceau.errors import InputError
from pyfaceau.refinement._kernels import AREA, SIDE
from pyfaceau.refinement._kernels_ccnf import NEURONS
from pyfaceau.training.files import write_whole
from pyfaceau.training.patches import Areas
from pyfaceau.types import Float32, Float64

WINDOWS = (3, 5, 7, 9, 11)
"""Sides of the maps that fields are written for."""

FEWEST = 10
"""A point that fewer areas show gets no expert."""


@dataclass(frozen=True, eq=False)
class TrainedSVR:
    """Linear regressors on the picture and on its squared gradient, one scale, one frontal view.

    Attributes
    ----------
    scale : float
        Pixels per mm.
    weights : (68, 2, 11, 11) float64
        Templates by row and column of the patch.
    scalings, biases : (68, 2) float64
        From correlation to the logistic function's argument.
    confidence : (68,) float64
        Correlation of the response with what was asked for; 0 where there is no expert.
    """

    scale: float
    weights: Float64
    scalings: Float64
    biases: Float64
    confidence: Float64


@dataclass(frozen=True, eq=False)
class TrainedCCNF:
    """Neurons and fields, one scale, one frontal view.

    Attributes
    ----------
    scale : float
        Pixels per mm.
    weights : (68, 7, 11, 11) float32
        Neurons, by row and column of the normalised patch.
    biases : (68, 7) float32
        Of the neurons.
    alphas : (68, 7) float64
        Weights of the neurons.
    betas : (68, 2) float64
        Weights of the field's components.
    confidence : (68,) float64
        Correlation of the response with what was asked for; 0 where there is no expert.
    """

    scale: float
    weights: Float32
    biases: Float32
    alphas: Float64
    betas: Float64
    confidence: Float64


def train_svr(areas: Areas, cost: float = 1.0, seed: int = 0) -> TrainedSVR:
    """Train support vector regressors.

    Saragih, Lucey, Cohn, "Deformable model fitting by regularized landmark mean-shift", IJCV 2011,
    section 3: a linear regressor per point, whose output a logistic function makes a probability.

    Parameters
    ----------
    areas : Areas
        What to learn from.
    cost : float
        Of an error.
    seed : int
        Decides which positions are seen.

    Returns
    -------
    TrainedSVR
        The experts.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.svm import LinearSVR

    rng = np.random.default_rng(seed)
    weights, numbers = np.zeros((68, 2, SIDE, SIDE)), np.zeros((3, 68, 2))
    for i in np.flatnonzero(areas.known.sum(axis=1) >= FEWEST):
        chosen = areas.known[i]
        target = areas.targets[i, chosen].reshape(-1)
        seen = _positions(target, rng)
        for m, plane in enumerate((areas.pixels[i, chosen], _gradients(areas.pixels[i, chosen]))):
            patches = _normalised(plane)[seen]
            machine = LinearSVR(
                C=cost, epsilon=0.05, loss="squared_epsilon_insensitive", dual=False
            )
            machine.fit(patches, target[seen])
            template = machine.coef_ - machine.coef_.mean()
            template /= np.linalg.norm(template) or 1.0
            score = patches @ template
            logistic = LogisticRegression(C=1e3)
            logistic.fit(score[:, None], target[seen] > 0.5)
            weights[i, m] = template.reshape(SIDE, SIDE)
            said = 1 / (1 + np.exp(-(score * logistic.coef_[0, 0] + logistic.intercept_[0])))
            fit = np.corrcoef(said, target[seen])[0, 1]
            numbers[:, i, m] = logistic.coef_[0, 0], logistic.intercept_[0], max(fit, 0.01)
    return TrainedSVR(areas.scale, weights, numbers[0], numbers[1], numbers[2].mean(axis=1))


def _positions(
    target: Float32, rng: np.random.Generator
) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Return positions near the point, and four times as many others."""
    near, far = np.flatnonzero(target > 0.5), np.flatnonzero(target <= 0.5)
    count = min(len(far), 4 * len(near) + 1)
    return np.sort(np.concatenate([near, rng.choice(far, count, replace=False)]))


def _gradients(areas: Float32) -> Float32:
    """Return the squared length of central differences, 0 on the border."""
    out = np.zeros_like(areas)
    dx = areas[:, 1:-1, 2:] - areas[:, 1:-1, :-2]
    dy = areas[:, 2:, 1:-1] - areas[:, :-2, 1:-1]
    out[:, 1:-1, 1:-1] = dx * dx + dy * dy
    return out


def _normalised(areas: Float32) -> Float64:
    """Return the patches of areas, (k, 121), mean 0, norm 1; positions row by row."""
    patches = sliding_window_view(areas, (SIDE, SIDE), axis=(1, 2)).reshape(-1, AREA)
    centred = patches - patches.mean(axis=1, keepdims=True, dtype=np.float64)
    norm = np.linalg.norm(centred, axis=1, keepdims=True)
    result: Float64 = centred / np.where(norm > 0, norm, 1)
    return result


def components(window: int) -> Float32:
    """Return the components of a field.

    Baltrusaitis, Robinson, Morency, "Constrained local neural fields for robust facial landmark
    detection in the wild", ICCV Workshops 2013, section 3.1: neighbours are alike, and two
    positions 4 to 6 apart are not both high.

    Parameters
    ----------
    window : int
        Side w of the map.

    Returns
    -------
    (2, w * w, w * w) float32
        ``D - S`` of neighbours along rows and columns, and ``D + S`` of those 4 to 6 apart, where D
        has the sums of S.
    """
    y, x = np.divmod(np.arange(window * window), window)
    squares = (x[:, None] - x) ** 2 + (y[:, None] - y) ** 2
    alike = (squares == 1).astype(np.float32)
    apart = ((squares >= 16) & (squares <= 36)).astype(np.float32)
    return np.stack([np.diag(alike.sum(1)) - alike, np.diag(apart.sum(1)) + apart])


def train_ccnf(
    areas: Areas, epochs: int = 30, batch: int = 32, lr: float = 0.3, seed: int = 0
) -> TrainedCCNF:
    """Train CCNF experts, all points at a time.

    The response is that of Baltrusaitis et al. (ECCV 2014): neurons of the normalised patch, and
    the mean of a Gaussian field over the map. It is fitted by least squares of the map, not by the
    field's likelihood.

    Parameters
    ----------
    areas : Areas
        What to learn from.
    epochs, batch : int
        Times through them, and areas of each point in a step.
    lr : float
        Adam's learning rate, falling to 0 along half a cosine.
    seed : int
        Decides start and order.

    Returns
    -------
    TrainedCCNF
        The experts.
    """
    generator = torch.Generator().manual_seed(seed)
    window, count = areas.targets.shape[2], areas.pixels.shape[1]
    rows = np.flatnonzero(areas.known.sum(axis=1) >= FEWEST)
    n = len(rows)
    pixels = torch.from_numpy(areas.pixels[rows])
    known = torch.from_numpy(areas.known[rows])
    targets = torch.from_numpy(areas.targets[rows]).reshape(n, count, window * window)
    weights = (torch.randn((n, AREA, NEURONS), generator=generator) * 0.5).requires_grad_()
    biases = torch.zeros((n, 1, NEURONS), requires_grad=True)
    alphas = torch.zeros((n, NEURONS), requires_grad=True)
    betas = torch.full((n, 2), -3.0, requires_grad=True)
    numbers = (weights, biases, alphas, betas, torch.from_numpy(components(window)).double())
    optimizer = torch.optim.Adam(numbers[:4], lr=lr)
    steps, done = epochs * -(-count // batch), 0
    for _ in range(epochs if n else 0):
        for chosen in torch.randperm(count, generator=generator).split(batch):
            optimizer.param_groups[0]["lr"] = lr * 0.5 * (1 + np.cos(np.pi * done / steps))
            found = _respond(pixels[:, chosen], *numbers)
            error = (found - targets[:, chosen]).square().mean(dim=2) * known[:, chosen]
            optimizer.zero_grad(set_to_none=True)
            (error.sum(dim=1) / known[:, chosen].sum(dim=1).clamp(min=1)).sum().backward()
            optimizer.step()
            done += 1
    result = TrainedCCNF(
        areas.scale,
        np.zeros((68, NEURONS, SIDE, SIDE), np.float32),
        np.zeros((68, NEURONS), np.float32),
        np.zeros((68, NEURONS)),
        np.zeros((68, 2)),
        np.zeros(68),
    )
    with torch.no_grad():
        result.weights[rows] = weights.transpose(1, 2).reshape(n, NEURONS, SIDE, SIDE).numpy()
        result.biases[rows] = biases[:, 0].numpy()
        result.alphas[rows] = functional.softplus(alphas).double().numpy() + 1e-3
        result.betas[rows] = functional.softplus(betas).double().numpy()
        for k, i in enumerate(rows):
            w, b, alpha, beta = (each[k : k + 1] for each in numbers[:4])
            found = _respond(pixels[k : k + 1], w, b, alpha, beta, numbers[4])
            seen = areas.known[i]
            pair = found[0].numpy()[seen].ravel(), targets[k].numpy()[seen].ravel()
            result.confidence[i] = max(float(np.corrcoef(*pair)[0, 1]), 0.01)
    return result


def _respond(
    pixels: torch.Tensor,
    weights: torch.Tensor,
    biases: torch.Tensor,
    alphas: torch.Tensor,
    betas: torch.Tensor,
    field: torch.Tensor,
) -> torch.Tensor:
    """Return the maps of areas (n, k, side, side), (n, k, w * w)."""
    n, count = pixels.shape[:2]
    patches = functional.unfold(pixels.flatten(0, 1)[:, None], SIDE).transpose(1, 2)
    patches = patches - patches.mean(dim=2, keepdim=True)
    patches = functional.normalize(patches, dim=2).reshape(n, -1, AREA)
    alpha = functional.softplus(alphas) + 1e-3
    hidden = torch.sigmoid(torch.baddbmm(biases, patches, weights))
    maps = (2 * (hidden @ alpha[:, :, None])).reshape(n, count, -1)
    beta = functional.softplus(betas).double()
    identity = torch.eye(field.shape[1], dtype=torch.float64)
    total = alpha.double().sum(1)[:, None, None] * identity
    precision = 2 * (total + torch.einsum("nc,cij->nij", beta, field))
    sigma = torch.linalg.inv(precision).float()
    return maps @ sigma


def write_svr(experts: TrainedSVR, path: Path) -> None:
    """Write experts as OpenFace's ``svr_patches_*.txt``.

    Parameters
    ----------
    experts : TrainedSVR
        The experts.
    path : Path
        The file.

    Raises
    ------
    InputError
        If there is no expert.
    OutputError
        If it cannot be written.
    """
    visible = _visible(experts.confidence)
    lines = ["# scaling factor of training", f"{experts.scale:.6f}", "# number of views", "1"]
    lines += ["# centers of the views", _text(np.zeros((3, 1)), 6)]
    lines += ["# visibility indices per view", _text(visible[:, None].astype(np.int64), 4)]
    lines.append("# the patches themselves")
    for i in range(68):
        lines.append(f"3 {SIDE} {SIDE} {2 * int(visible[i])}")
        for m in range(2 * int(visible[i])):
            trust = experts.confidence[i] / 2
            lines.append(
                f"2 {m} {trust:.9g} {experts.scalings[i, m]:.9g} {experts.biases[i, m]:.9g}"
            )
            lines.append(_text(experts.weights[i, m].T, 6))
    write_whole(("\n".join(lines) + "\n").encode("ascii"), path)


def write_ccnf(experts: TrainedCCNF, path: Path) -> None:
    """Write experts as OpenFace's ``ccnf_patches_*.txt``, which is binary.

    Parameters
    ----------
    experts : TrainedCCNF
        The experts.
    path : Path
        The file.

    Raises
    ------
    InputError
        If there is no expert.
    OutputError
        If it cannot be written.
    """
    visible = _visible(experts.confidence)
    data = struct.pack("<di", experts.scale, 1)
    data += _binary(np.zeros((3, 1), "<f8"), 6) + _binary(visible[:, None].astype("<i4"), 4)
    data += struct.pack("<i", len(WINDOWS))
    for window in WINDOWS:
        parts = components(window)
        data += struct.pack("<2i", window, len(parts))
        data += b"".join(_binary(part.astype("<f4"), 5) for part in parts)
    for i in range(68):
        if not visible[i]:
            data += struct.pack("<5i", 5, SIDE, SIDE, 0, 0)
            continue
        data += struct.pack("<4i", 5, SIDE, SIDE, NEURONS)
        for k in range(NEURONS):
            data += struct.pack("<2i", 2, 0)
            data += struct.pack("<3d", 1.0, experts.biases[i, k], experts.alphas[i, k])
            data += _binary(experts.weights[i, k].astype("<f4"), 5)
        data += struct.pack("<3d", *experts.betas[i], experts.confidence[i])
    write_whole(data, path)


def _visible(confidence: Float64) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    visible = confidence > 0
    if not visible.any():
        raise InputError(f"data: expected {FEWEST} areas or more of some point, got none")
    return visible


def _text(matrix: Sequence[Sequence[float]] | np.ndarray, code: int) -> str:
    """Return a text matrix."""
    rows = np.asarray(matrix)
    body = "\n".join(" ".join(f"{value:.9g}" for value in row) for row in rows)
    return f"{rows.shape[0]}\n{rows.shape[1]}\n{code}\n{body}"


def _binary(matrix: np.ndarray, code: int) -> bytes:
    return struct.pack("<3i", *matrix.shape, code) + np.ascontiguousarray(matrix).tobytes()
