"""Augmentation of whole batches: every picture is sampled once, through one affine map of its own.

A turn, a shift, a zoom and the mirror are one matrix, by which the points go too, so that they
follow the pixels by construction. Colour and occlusion change pixels only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from pyfaceau.errors import InputError
from pyfaceau.training.crops import MARGIN
from pyfaceau.training.layouts import MIRROR_68


@dataclass(frozen=True)
class Augmentation:
    """How far training faces are changed; 0 leaves a thing as it is.

    Attributes
    ----------
    turn : float
        Largest rotation, degrees.
    shift : float
        Largest offset in x and in y, sides of the crop.
    zoom : float
        Largest change of size: 0.2 for sides of 0.83 to 1.2.
    mirror : float
        Share of faces that are mirrored.
    colour : float
        Largest change of brightness, contrast, saturation and gamma: 0.3 for 30 %.
    gray : float
        Share of faces that lose their colour.
    occlusion : float
        Share of faces of which a rectangle is covered.
    noise : float
        Largest standard deviation of added noise, white being 1.
    """

    turn: float = 25.0
    shift: float = 0.07
    zoom: float = 0.15
    mirror: float = 0.5
    colour: float = 0.3
    gray: float = 0.2
    occlusion: float = 0.3
    noise: float = 0.03

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not (np.isfinite(value) and value >= 0):
                raise InputError(f"{name}: expected 0 or more, got {value}")


NONE = Augmentation(0, 0, 0, 0, 0, 0, 0, 0)
"""Faces as they are."""


def maps(
    count: int, size: int, side: int, how: Augmentation, generator: torch.Generator
) -> torch.Tensor:
    """Draw maps from the pixels of a crop to those of what was cut out.

    Parameters
    ----------
    count : int
        Number of faces.
    size : int
        Side of what was cut out, pixels.
    side : int
        Side of the crop that the network sees, pixels.
    how : Augmentation
        How far they go.
    generator : torch.Generator
        Source of chance, on the CPU.

    Returns
    -------
    (count, 2, 3) float32
        Matrices; a mirrored one has a negative determinant.
    """
    draw = torch.rand((5, count), generator=generator, dtype=torch.float64)
    spread = 2 * draw - 1
    angle = torch.deg2rad(how.turn * spread[0])
    zoom = torch.exp(spread[1] * np.log1p(how.zoom))
    scale = zoom * (size / (MARGIN * side))
    c, s = scale * torch.cos(angle), scale * torch.sin(angle)
    sign = torch.where(draw[4] < how.mirror, -1.0, 1.0).double()
    matrix = torch.empty((count, 2, 3), dtype=torch.float64)
    matrix[:, 0, 0], matrix[:, 0, 1] = c * sign, -s
    matrix[:, 1, 0], matrix[:, 1, 1] = s * sign, c
    shift = how.shift * spread[2:4].T * (size / MARGIN)
    middle = torch.full((2, 1), (side - 1) / 2, dtype=torch.float64)
    matrix[:, :, 2] = (size - 1) / 2 + shift - (matrix[:, :, :2] @ middle)[:, :, 0]
    return matrix.float()


def sample(images: torch.Tensor, matrices: torch.Tensor, side: int) -> torch.Tensor:
    """Sample pictures through maps, bilinearly; outside of them is black.

    Parameters
    ----------
    images : (n, 3, size, size) float32
        What was cut out.
    matrices : (n, 2, 3) float32
        From pixels of the result to those of `images`.
    side : int
        Side of the result, pixels.

    Returns
    -------
    (n, 3, side, side) float32
        The crops.
    """
    axis = torch.arange(side, dtype=torch.float32, device=images.device)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    grid = torch.stack([x, y, torch.ones_like(x)], dim=-1).reshape(1, side * side, 3)
    where = grid @ matrices.transpose(1, 2)
    where = where.reshape(-1, side, side, 2) * (2 / (images.shape[-1] - 1)) - 1
    return functional.grid_sample(images, where, padding_mode="zeros", align_corners=True)


def move_points(points: torch.Tensor, matrices: torch.Tensor) -> torch.Tensor:
    """Take points to where `sample` takes their pixels; mirrored faces are renumbered.

    Parameters
    ----------
    points : (n, 68, 2) float32
        Pixels of what was cut out.
    matrices : (n, 2, 3) float32
        From pixels of the crop to those.

    Returns
    -------
    (n, 68, 2) float32
        Pixels of the crop.
    """
    turn = matrices[:, :, :2]
    moved = (points - matrices[:, None, :, 2]) @ torch.linalg.inv(turn).transpose(1, 2)
    mirrored = torch.linalg.det(turn) < 0
    order = torch.as_tensor(MIRROR_68, device=points.device)
    return torch.where(mirrored[:, None, None], moved[:, order], moved)


def recolour(images: torch.Tensor, how: Augmentation, generator: torch.Generator) -> torch.Tensor:
    """Change brightness, contrast, saturation and gamma, drop colour, add noise.

    Parameters
    ----------
    images : (n, 3, h, w) float32
        Red, green, blue, 0 to 1.
    how : Augmentation
        How far.
    generator : torch.Generator
        Source of chance, on the CPU.

    Returns
    -------
    (n, 3, h, w) float32
        0 to 1.
    """
    n = len(images)
    draw = torch.rand((6, n, 1, 1, 1), generator=generator).to(images.device)
    factor = torch.exp((2 * draw[:4] - 1) * float(np.log1p(how.colour)))
    gray = luminance(images)
    keep = torch.where(draw[4] < how.gray, torch.zeros_like(factor[0]), factor[2])
    images = gray + (images - gray) * keep
    mean = gray.mean(dim=(2, 3), keepdim=True)
    images = mean * factor[0] + (images - mean) * factor[1]
    images = images.clamp(1e-6, 1) ** factor[3]
    if how.noise > 0:
        noise = torch.randn(images[:, :1].shape, generator=generator).to(images.device)
        images = images + noise * (draw[5] * how.noise)
    return images.clamp(0, 1)


def occlude(images: torch.Tensor, how: Augmentation, generator: torch.Generator) -> torch.Tensor:
    """Cover a rectangle of some faces with one colour.

    Parameters
    ----------
    images : (n, 3, h, w) float32
        Pictures.
    how : Augmentation
        How many.
    generator : torch.Generator
        Source of chance, on the CPU.

    Returns
    -------
    (n, 3, h, w) float32
        Sides of the rectangles are 0.1 to 0.4 of the picture's; the middle lies anywhere.
    """
    n, _, height, width = images.shape
    draw = torch.rand((8, n, 1, 1), generator=generator).to(images.device)
    y = torch.arange(height, device=images.device)[None, :, None] / height
    x = torch.arange(width, device=images.device)[None, None, :] / width
    covered = (x - draw[0]).abs() < 0.05 + 0.15 * draw[2]
    covered = covered & ((y - draw[1]).abs() < 0.05 + 0.15 * draw[3])
    covered = covered & (draw[4] < how.occlusion)
    colour = draw[5:8].permute(1, 0, 2, 3)
    return torch.where(covered[:, None], colour, images)


def luminance(images: torch.Tensor) -> torch.Tensor:
    """Return the gray of pictures.

    Parameters
    ----------
    images : (n, 3, h, w) float32
        Red, green, blue.

    Returns
    -------
    (n, 1, h, w) float32
        0.299 R + 0.587 G + 0.114 B, ITU-R BT.601.
    """
    weights = images.new_tensor([0.299, 0.587, 0.114])
    return torch.einsum("nchw,c->nhw", images, weights)[:, None]


def make_batch(
    images: torch.Tensor,
    points: torch.Tensor,
    side: int,
    how: Augmentation,
    generator: torch.Generator,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Make what a network is trained on.

    Parameters
    ----------
    images : (n, size, size, 3) uint8
        What was cut out, BGR.
    points : (n, 68, 2) float32
        Its points, pixels.
    side : int
        Side of the crops, pixels.
    how : Augmentation
        How far the faces are changed.
    generator : torch.Generator
        Source of chance, on the CPU.

    Returns
    -------
    crops : (n, 3, side, side) float32
        Red, green, blue, 0 to 1.
    moved : (n, 68, 2) float32
        Their points, pixels of the crop.
    """
    matrices = maps(len(images), images.shape[1], side, how, generator).to(images.device)
    planes = images.permute(0, 3, 1, 2).flip(1).float() / 255
    crops = sample(planes, matrices, side)
    if how.colour or how.gray or how.noise:
        crops = recolour(crops, how, generator)
    if how.occlusion:
        crops = occlude(crops, how, generator)
    return crops, move_points(points, matrices)
