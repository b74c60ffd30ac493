"""A shape model from points in pictures alone: non-rigid structure from motion.

Torresani, Hertzmann, Bregler, "Nonrigid structure-from-motion: estimating shape and motion with
hierarchical priors", PAMI 2008, section 4: points are a weak perspective view of a mean shape that
is bent along a few directions by normally distributed amounts. Expectation maximisation finds all
of them; it begins from rigid factorisation (Tomasi, Kanade, "Shape and motion from image streams
under orthography", IJCV 1992).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pyfaceau.errors import InputError
from pyfaceau.pdm.model import PDM
from pyfaceau.training.data import FaceSample
from pyfaceau.training.layouts import MIRROR_68, OUTER_EYES
from pyfaceau.types import Float64

EYES_MM = 90.0
"""Distance of the eyes' outer corners of an adult, mm: pictures say nothing of size."""

FEWEST = 30
"""Faces, mirror images included, in which a point must be annotated for each direction."""

LEAST_TURN = 8.0
"""Root mean square rotation of the heads, degrees, from which depth can be told."""

_NOSE, _TEMPLES = 30, (0, 16)


@dataclass
class _State:
    """What is being found; F faces, n points, K directions.

    Attributes
    ----------
    scale, turn, shift : (F,), (F, 3, 3), (F, 2) float64
        Of each face.
    bent : (n, 3, 1 + K) float64
        Mean shape, then the directions.
    amounts, moments : (F, 1 + K), (F, 1 + K, 1 + K) float64
        Expected amounts, the first 1, and their products.
    variance : float
        Of the points about the model.
    """

    scale: Float64
    turn: Float64
    shift: Float64
    bent: Float64
    amounts: Float64
    moments: Float64
    variance: float


def shape_model_of_pictures(samples: Sequence[FaceSample], modes: int = 12, steps: int = 60) -> PDM:
    """Return the shape model of annotated faces and of their mirror images.

    Parameters
    ----------
    samples : sequence of FaceSample
        Faces of many people, many of them turned.
    modes : int
        Number of modes.
    steps : int
        Steps of expectation maximisation.

    Returns
    -------
    PDM
        mm for adults; the heads' mean rotation is the model's frontal pose, z points away from the
        camera.

    Raises
    ------
    InputError
        If there are too few faces for the modes, or they turn too little to show depth.
    """
    if not 1 <= modes <= 60:
        raise InputError(f"modes: expected 1 to 60, got {modes}")
    points, known = _normalised(samples)
    fewest = int(known.sum(axis=0).min())
    if fewest < max(FEWEST, 3 * modes):
        raise InputError(
            f"data: expected {-(-max(FEWEST, 3 * modes) // 2)} faces or more with each point for "
            f"{modes} modes, got {fewest // 2}"
        )
    state = _rigid(points, known, modes)
    for _ in range(steps):
        _expect(state, points, known)
        _maximise(state, points, known)
        _turn(state, points, known)
    return _model(state)


def _normalised(samples: Sequence[FaceSample]) -> tuple[Float64, NDArray[np.bool_]]:
    """Return centred points of one size, with mirror images, 0 where unknown; and where known."""
    points = np.array([s.points for s in samples], np.float64).reshape(-1, 68, 2)
    points = np.concatenate([points, points[:, MIRROR_68] * [-1, 1]])
    points -= np.nanmean(points, axis=1, keepdims=True)
    sides = np.nanmax(points, axis=1) - np.nanmin(points, axis=1)
    points /= np.sqrt(sides.prod(axis=1))[:, None, None]
    known = np.isfinite(points[:, :, 0]) & np.isfinite(points[:, :, 1])
    return np.where(known[:, :, None], points, 0.0), known


def _rigid(points: Float64, known: NDArray[np.bool_], modes: int) -> _State:
    """Return where to begin: one shape, seen by turned cameras."""
    count, n = known.shape
    mean = points.sum(axis=0) / known.sum(axis=0)[:, None]
    filled = np.where(known[:, :, None], points, mean)
    shift = filled.mean(axis=1)
    rows = (filled - shift[:, None]).transpose(0, 2, 1).reshape(2 * count, n)
    u, values, vt = np.linalg.svd(rows, full_matrices=False)
    root = np.sqrt(values[:3])
    upgrade = _upgrade((u[:, :3] * root).reshape(count, 2, 3))
    cameras = (u[:, :3] * root).reshape(count, 2, 3) @ upgrade
    shape = np.linalg.solve(upgrade, root[:, None] * vt[:3]).T
    a, s, b = np.linalg.svd(cameras, full_matrices=False)
    turn = _whole(a @ b)
    middle = _nearest(turn.sum(axis=0))
    turn, shape = turn @ middle.T, shape @ middle.T
    if shape[_NOSE, 2] > shape[list(_TEMPLES), 2].mean():  # seen from behind: the other solution
        turn, shape = _whole(turn[:, :2] * [1, 1, -1]), shape * [1, 1, -1]
    angle = np.degrees(np.arccos(np.clip((np.trace(turn, axis1=1, axis2=2) - 1) / 2, -1, 1)))
    spread = float(np.sqrt(np.mean(angle**2)))
    if spread < LEAST_TURN:
        raise InputError(
            f"data: expected heads turned by {LEAST_TURN:g} degrees or more (root mean square), "
            f"got {spread:.1f}: depth cannot be told"
        )
    bent = np.zeros((n, 3, 1 + modes))
    bent[:, :, 0] = shape
    noise = np.random.default_rng(0).standard_normal((n, 3, modes))
    bent[:, :, 1:] = 0.01 * np.ptp(shape) * noise
    start = np.zeros((count, 1 + modes))
    start[:, 0] = 1
    moments = start[:, :, None] * start[:, None]
    return _State(s.mean(axis=1), turn, shift, bent, start, moments, 1e-4)


def _upgrade(cameras: Float64) -> Float64:
    """Return the map that makes both rows of each camera equally long and orthogonal."""
    first, second = cameras[:, 0], cameras[:, 1]
    pairs = [(0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2)]

    def products(x: Float64, y: Float64) -> Float64:
        return np.stack([x[:, i] * y[:, j] + (i != j) * x[:, j] * y[:, i] for i, j in pairs], 1)

    same, other = products(first, first), products(second, second)
    # Both conditions of each face by its size, and one that excludes zero.
    rows = np.concatenate([same - other, products(first, second), (same + other).sum(0)[None]])
    target = np.zeros(len(rows))
    target[-1] = 2 * len(cameras)
    found = np.linalg.lstsq(rows, target, rcond=None)[0]
    square = np.empty((3, 3))
    for value, (i, j) in zip(found, pairs, strict=True):
        square[i, j] = square[j, i] = value
    values, vectors = np.linalg.eigh(square)
    if not values[0] > 1e-6 * values[2]:
        raise InputError(
            "data: expected heads turned in many directions, got such that depth cannot be told"
        )
    upgrade: Float64 = vectors * np.sqrt(values)
    return upgrade


def _whole(two: Float64) -> Float64:
    """Return rotations of their first two rows."""
    return np.concatenate([two, np.cross(two[:, 0], two[:, 1])[:, None]], axis=1)


def _nearest(matrix: Float64) -> Float64:
    """Return the rotations nearest to matrices."""
    u, _, vt = np.linalg.svd(matrix)
    u[..., :, 2] *= np.linalg.det(u @ vt)[..., None]
    rotation: Float64 = u @ vt
    return rotation


def _seen(state: _State) -> Float64:
    """Return mean and directions as each face shows them, (F, n, 2, 1 + K)."""
    cameras = state.scale[:, None, None] * state.turn[:, :2]
    seen: Float64 = np.einsum("fab,nbk->fnak", cameras, state.bent, optimize=True)
    return seen


def _expect(state: _State, points: Float64, known: NDArray[np.bool_]) -> None:
    """Find the amounts by which each face is bent; and the variance that is left."""
    seen = _seen(state) * known[:, :, None, None]
    rest = (points - state.shift[:, None]) * known[:, :, None] - seen[..., 0]
    ways = seen[..., 1:].reshape(len(points), -1, seen.shape[3] - 1)
    rest = rest.reshape(len(points), -1)
    gram = ways.transpose(0, 2, 1) @ ways
    spread = np.linalg.inv(gram / state.variance + np.eye(ways.shape[2]))
    pull = (ways.transpose(0, 2, 1) @ rest[:, :, None])[:, :, 0]
    amounts = (spread @ pull[:, :, None])[:, :, 0] / state.variance
    state.amounts[:, 1:] = amounts
    state.moments = state.amounts[:, :, None] * state.amounts[:, None]
    state.moments[:, 1:, 1:] += spread
    left = rest - (ways @ amounts[:, :, None])[:, :, 0]
    total = (left**2).sum() + np.einsum("fij,fji->", gram, spread)
    state.variance = float(total / (2 * known.sum()))


def _maximise(state: _State, points: Float64, known: NDArray[np.bool_]) -> None:
    """Find mean and directions, each point's by least squares over all faces."""
    cameras = state.scale[:, None, None] * state.turn[:, :2]
    n, _, width = state.bent.shape
    squares = cameras.transpose(0, 2, 1) @ cameras
    each = np.einsum("fab,fkl->fakbl", squares, state.moments).reshape(len(points), -1)
    left = (known.T.astype(np.float64) @ each).reshape(n, 3 * width, 3 * width)
    moved = (points - state.shift[:, None]) * known[:, :, None]
    right = np.einsum("fna,fab,fk->nbk", moved, cameras, state.amounts, optimize=True)
    solved = np.linalg.solve(left, right.reshape(n, -1, 1))
    state.bent = solved.reshape(n, 3, width)
    _standardise(state)


def _standardise(state: _State) -> None:
    """Let the amounts have mean 0 and variance 1 over the faces: far fewer steps are needed.

    Liu, Rubin, Wu, "Parameter expansion to accelerate EM", Biometrika 1998.
    """
    mean = state.amounts[:, 1:].mean(axis=0)
    spread = state.moments[:, 1:, 1:].mean(axis=0) - np.outer(mean, mean)
    root = np.linalg.cholesky(spread)
    state.bent[:, :, 0] += state.bent[:, :, 1:] @ mean
    state.bent[:, :, 1:] = state.bent[:, :, 1:] @ root
    state.amounts[:, 1:] = np.linalg.solve(root, (state.amounts[:, 1:] - mean).T).T


def _turn(state: _State, points: Float64, known: NDArray[np.bool_]) -> None:
    """Find scale, rotation and shift of each face: one step of Gauss and Newton."""
    shapes = np.einsum("nbk,fk->fnb", state.bent, state.amounts)
    turned = shapes @ state.turn.transpose(0, 2, 1)
    x, y, z = np.moveaxis(shapes, 2, 0)
    zero = np.zeros_like(x)
    about = [np.stack(v, 2) for v in ((zero, -z, y), (z, zero, -x), (-y, x, zero))]
    scale = state.scale[:, None, None]
    columns = [turned[:, :, :2]]
    columns += [scale * (way @ state.turn.transpose(0, 2, 1))[:, :, :2] for way in about]
    columns += [np.broadcast_to(axis, turned[:, :, :2].shape) for axis in np.eye(2)]
    jacobian = np.stack(columns, 3) * known[:, :, None, None]
    rest = (points - state.shift[:, None] - scale * turned[:, :, :2]) * known[:, :, None]
    jacobian = jacobian.reshape(len(points), -1, 6)
    gram = jacobian.transpose(0, 2, 1) @ jacobian + 1e-9 * np.eye(6)
    pull = jacobian.transpose(0, 2, 1) @ rest.reshape(len(points), -1, 1)
    step = np.linalg.solve(gram, pull)[:, :, 0]
    state.scale = state.scale + step[:, 0]
    state.shift = state.shift + step[:, 4:]
    a, b, c = step[:, 1:4].T
    one = np.ones_like(a)
    small = np.stack([one, -c, b, c, one, -a, -b, a, one], axis=1).reshape(-1, 3, 3)
    state.turn = _nearest(state.turn @ small)


def _model(state: _State) -> PDM:
    """Return the model: level, centred, in mm, its directions orthogonal."""
    middle = _nearest(state.turn.sum(axis=0))
    bent = np.einsum("ab,nbk->nak", middle, state.bent)
    mean = bent[:, :, 0] - bent[:, :, 0].mean(axis=0)
    eyes = np.linalg.norm(mean[OUTER_EYES[0]] - mean[OUTER_EYES[1]])
    factor = EYES_MM / eyes
    # Shapes are centred, and as large as the mean: size is the camera's.
    flat = bent[:, :, 1:] - bent[:, :, 1:].mean(axis=0)
    flat = flat.transpose(1, 0, 2).reshape(mean.size, -1) * factor
    u, values, _ = np.linalg.svd(flat, full_matrices=False)
    return PDM(
        (factor * mean.T).ravel().astype(np.float32),
        np.ascontiguousarray(u, np.float32),
        (values**2).astype(np.float32),
    )
