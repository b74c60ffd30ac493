"""Losses over landmarks; points that are not annotated (NaN) weigh nothing."""

from __future__ import annotations

import math

import torch

LOSSES = ("mse", "wing")


def landmark_loss(
    found: torch.Tensor, truth: torch.Tensor, kind: str, weights: torch.Tensor | None = None
) -> torch.Tensor:
    """Return the mean loss over faces and points.

    Parameters
    ----------
    found, truth : (n, 68, 2) float32
        Points in units of the crop's side; NaN in `truth` where not annotated.
    kind : {'mse', 'wing'}
        Squared distance, or Wing loss.
    weights : (n,) float32, optional
        Of the faces.

    Returns
    -------
    () float32
        The loss.
    """
    known = torch.isfinite(truth)
    error = torch.where(known, found - torch.where(known, truth, found.detach()), 0.0)
    loss = error.square() if kind == "mse" else wing(error)
    if weights is not None:
        loss = loss * weights[:, None, None]
    return loss.sum() / known.sum().clamp(min=1)


def wing(error: torch.Tensor, width: float = 10 / 256, curvature: float = 2 / 256) -> torch.Tensor:
    """Return the Wing loss of errors: logarithmic where small, linear where large.

    Feng, Kittler, Awais, Huber, Wu, "Wing loss for robust facial landmark localisation with
    convolutional neural networks", CVPR 2018, equation 5: ``w ln(1 + |x| / e)`` for ``|x| < w``,
    else ``|x| - C``. There w = 10 and e = 2 pixels of a crop of 256; here errors are in units of
    the crop's side.

    Parameters
    ----------
    error : tensor float32
        Errors.
    width, curvature : float
        w and e.

    Returns
    -------
    tensor float32
        Of the same shape.
    """
    size = error.abs()
    constant = width - width * math.log1p(width / curvature)
    return torch.where(size < width, width * torch.log1p(size / curvature), size - constant)


def pose_weights(found: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Return how much each face weighs by the error of its pose: sum of 1 - cos of the angles'.

    Guo et al., "PFLD: A practical facial landmark detector", arXiv 1902.10859, equation 2, with
    one class of faces.

    Parameters
    ----------
    found, truth : (n, 3) float32
        Rotations about x, y and z, radians.

    Returns
    -------
    (n,) float32
        0 to 6.
    """
    return (1 - torch.cos(found - truth)).sum(dim=1)
