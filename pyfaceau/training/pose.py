"""Head rotation from six points, by which PFLD's auxiliary branch is taught."""

from __future__ import annotations

import torch

POSE_POINTS = (36, 39, 42, 45, 33, 48, 54, 8)
"""Corners of the eyes, base of the nose, corners of the mouth, chin."""

_HEAD = (
    (-45.0, -32.0, 26.0),
    (-16.0, -31.0, 20.0),
    (16.0, -31.0, 20.0),
    (45.0, -32.0, 26.0),
    (0.0, 12.0, 2.0),
    (-26.0, 36.0, 16.0),
    (26.0, 36.0, 16.0),
    (0.0, 74.0, 18.0),
)
"""Where they lie in a head, mm: x to the picture's right, y down, z away from the camera.

Rounded proportions of an adult's face. As a target for an auxiliary branch they need not be
anybody's: they order faces by their rotation.
"""


def head_rotation(points: torch.Tensor) -> torch.Tensor:
    """Return the rotation of heads by weak perspective.

    Least squares of the two rows of a scaled rotation, made orthonormal: DeMenthon and Davis,
    "Model-based object pose in 25 lines of code", IJCV 1995, section 3, without the iteration.

    Parameters
    ----------
    points : (n, 68, 2) float32
        Landmarks, y down. Where one of `POSE_POINTS` is NaN, the result is that of a frontal face.

    Returns
    -------
    (n, 3) float32
        Rotations about x, y and z, radians, R = Rx Ry Rz, all 0 for a frontal, upright face.
    """
    head = points.new_tensor(_HEAD).double()
    head = head - head.mean(dim=0)
    seen = points[:, list(POSE_POINTS)].double()
    usable = torch.isfinite(seen).all(dim=2).all(dim=1)
    frontal = head[:, :2].expand_as(seen)
    seen = torch.where(usable[:, None, None], seen, frontal)
    seen = seen - seen.mean(dim=1, keepdim=True)
    rows = torch.linalg.pinv(head) @ seen  # (n, 3, 2): columns are the scaled first two rows of R
    first = torch.nn.functional.normalize(rows[:, :, 0], dim=1)
    second = rows[:, :, 1] - (rows[:, :, 1] * first).sum(1, keepdim=True) * first
    second = torch.nn.functional.normalize(second, dim=1)
    third = torch.linalg.cross(first, second)
    y = torch.asin(first[:, 2].clamp(-1, 1))
    x = torch.atan2(-second[:, 2], third[:, 2])
    z = torch.atan2(-first[:, 1], first[:, 0])
    return torch.stack([x, y, z], dim=1).float()
