"""A shape model from annotated 3-D points, in OpenFace's format."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from pyfaceau.errors import InputError
from pyfaceau.pdm.model import PDM
from pyfaceau.training.files import write_whole
from pyfaceau.types import Float64

ROUNDS = 20


def has_depth(path: Path) -> bool:
    """Return whether a file holds 3-D points.

    Parameters
    ----------
    path : Path
        Any file.

    Returns
    -------
    bool
        It is an ``.npz`` whose ``points`` are 3-D, or is no readable ``.npz`` with points at all
        though it is called so, which `read_shapes` then says.
    """
    if path.suffix.lower() != ".npz":
        return False
    try:
        with np.load(path, allow_pickle=False) as table:
            return table["points" if "points" in table else "ibug68"].shape[-1:] != (2,)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return True


def read_shapes(path: Path) -> Float64:
    """Read 3-D shapes.

    Parameters
    ----------
    path : Path
        ``.npz`` with ``points`` (n, 68, 3): mm, x to the picture's right, y down, z away from the
        camera; or (n, points, 3) of another part.

    Returns
    -------
    (n, points, 3) float64
        The shapes.

    Raises
    ------
    InputError
        If it is no such file, or holds too few shapes or numbers that are none.
    """
    try:
        with np.load(path, allow_pickle=False) as table:
            points = np.asarray(table["points"], np.float64)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: expected an .npz with points, got {error}") from error
    if points.ndim != 3 or points.shape[2] != 3 or len(points) < 2:
        raise InputError(
            f"{path}: expected points (n, points, 3) of two or more shapes, got {points.shape}"
        )
    if not np.isfinite(points).all():
        raise InputError(f"{path}: expected finite points, got NaN or infinity")
    return points


def shape_model(shapes: Float64, kept: float = 0.98) -> PDM:
    """Return the shape model of shapes: mean and principal components.

    Cootes, Taylor, Cooper, Graham, "Active shape models: their training and application", CVIU
    1995, section 3: shapes are aligned with their mean by rotation and translation (size is part of
    the shape, in mm), then decomposed.

    Parameters
    ----------
    shapes : (n, points, 3) float64
        Shapes, mm.
    kept : float
        Share of the variance that is kept, 0 to 1.

    Returns
    -------
    PDM
        The first shape's orientation is the model's.

    Raises
    ------
    InputError
        If `kept` is out of range or nothing varies.
    """
    if not 0 < kept <= 1:
        raise InputError(f"kept: expected a number above 0 and up to 1, got {kept}")
    aligned = shapes - shapes.mean(axis=1, keepdims=True)
    mean = aligned[0]
    for _ in range(ROUNDS):
        aligned = np.stack([shape @ _rotation(shape, mean) for shape in aligned])
        mean = aligned.mean(axis=0)
        mean = mean @ _rotation(mean, aligned[0])
    rows = (aligned - mean).transpose(0, 2, 1).reshape(len(shapes), -1)
    _, values, modes = np.linalg.svd(rows, full_matrices=False)
    variances = values**2 / max(1, len(shapes) - 1)
    total = variances.sum()
    if not total > 1e-9:
        raise InputError("shapes: expected shapes that differ, got the same ones")
    count = int(np.searchsorted(np.cumsum(variances) / total, kept - 1e-12)) + 1
    return PDM(
        mean.T.ravel().astype(np.float32),
        np.ascontiguousarray(modes[:count].T, np.float32),
        variances[:count].astype(np.float32),
    )


def _rotation(shape: Float64, target: Float64) -> Float64:
    """Return the rotation R with ``shape @ R`` nearest to `target`."""
    u, _, vt = np.linalg.svd(shape.T @ target)
    turn = np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    rotation: Float64 = u @ turn @ vt
    return rotation


def write_pdm(model: PDM, path: Path) -> None:
    """Write a shape model as OpenFace's text.

    Parameters
    ----------
    model : PDM
        The model.
    path : Path
        The file.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    parts = (
        ("The mean values of the components (in mm)", model.mean[:, None]),
        ("The principal components (eigenvectors), a column each", model.basis),
        ("The variances of the components (eigenvalues)", model.eigenvalues[None]),
    )
    lines = []
    for title, matrix in parts:
        lines += [f"# {title}", *(str(n) for n in (*matrix.shape, 6))]
        lines += [" ".join(f"{value:.9g}" for value in row) for row in matrix]
    write_whole(("\n".join(lines) + "\n").encode("ascii"), path)
