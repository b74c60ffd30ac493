"""Landmarks of a table in the face's own axes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pyfaceau.asymmetry.midline import PARTNERS
from pyfaceau.types import Float64

if TYPE_CHECKING:
    import pandas as pd

_BLOCK = 4096
_POSE = ("pose_Tx", "pose_Ty", "pose_Tz", "pose_Rx", "pose_Ry", "pose_Rz")


@dataclass(frozen=True, eq=False)
class FaceFrames:
    """A face in N frames: x to the image's right along the line through the irises, y down.

    The origin is the middle between the irises, the unit the distance between the outer corners of
    the eyes. NaN where there is no face.

    Attributes
    ----------
    points : (N, 68, 2) float64
        Landmarks, iBUG order.
    irises : (N, 2, 2) float64
        Centres of the irises, on the image's left first; y is 0. Where they are between the corners
        of the eyes is the median over all frames: neither a look aside nor a lid that covers an
        iris turns the axes.
    iris_widths : (N,) float64
        Mean width of both irises; NaN where the table has no eye landmarks.
    lid_openings : (N, 2) float64
        Mean y of each eye's lower lid (eye-model points 15 to 19) less that of its upper lid (9 to
        13); NaN where the table has no eye landmarks.
    """

    points: Float64
    irises: Float64
    iris_widths: Float64
    lid_openings: Float64

    def mirrored(self) -> FaceFrames:
        """Return the mirrored face: sides exchanged, x reversed.

        Returns
        -------
        FaceFrames
            Of which the image's left side is this one's right.
        """
        turn = np.array([-1.0, 1.0])
        return FaceFrames(
            self.points[:, PARTNERS] * turn,
            self.irises[:, ::-1] * turn,
            self.iris_widths,
            self.lid_openings[:, ::-1],
        )

    def empty(self) -> FaceFrames:
        """Return as many frames without a face.

        Returns
        -------
        FaceFrames
            All NaN.
        """
        nothing = np.nan
        values = (self.points, self.irises, self.iris_widths, self.lid_openings)
        return FaceFrames(*(value * nothing for value in values))


def picture_frames(table: pd.DataFrame) -> FaceFrames:
    """Return the face as the picture shows it: roll and distance taken out, no more.

    Parameters
    ----------
    table : DataFrame
        With ``x_0`` ... ``y_67`` and perhaps ``eye_lmk_x_0`` ... .

    Returns
    -------
    FaceFrames
        The irises are the means of their eight points (0 to 7, 28 to 35); without eye landmarks the
        middles between the corners of each eye stand for them.
    """
    points = _columns(table, "xy", 68)
    points[~_seen(table)] = np.nan
    return _in_axes(points, _eye_points(table, points))


def frontal_frames(table: pd.DataFrame) -> FaceFrames | None:
    """Return the face as it looks from the front: landmarks in space, head pose taken out.

    A landmark in space lies on the ray of its pixel at the depth of the fitted shape; it is
    shifted by the head's translation and turned back by its rotation, R = Rx Ry Rz, and its x and
    y are taken. Points of the eyes lie on their rays at the mean depth of the eye's six landmarks;
    what a ray is follows from the table itself, as x = fx X / Z + cx.

    Parameters
    ----------
    table : DataFrame
        With ``X_0`` ... ``Z_67`` and ``pose_Tx`` ... ``pose_Rz``.

    Returns
    -------
    FaceFrames or None
        None where the table has no such columns.
    """
    if "X_0" not in table or "Z_67" not in table or any(name not in table for name in _POSE):
        return None
    seen = _seen(table)
    space = _columns(table, "XYZ", 68)
    space[~seen | (space[:, :, 2] <= 0).any(axis=1)] = np.nan
    pose = table[list(_POSE)].to_numpy(np.float64)
    eyes = _frontal_eyes(table, space, pose)
    points = _frontal(space, pose)
    del space
    return _in_axes(points, eyes)


def _frontal_eyes(table: pd.DataFrame, space: Float64, pose: Float64) -> Float64 | None:
    """Return points of the eyes, (N, 40, 2), seen from the front of the head."""
    flat = _columns(table, "xy", 68)
    eyes = _eye_points(table, flat)
    return None if eyes is None else _frontal(_lifted(eyes, flat, space), pose)


def _seen(table: pd.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return which rows have a face."""
    if "success" in table:
        return (table["success"] == 1).to_numpy()
    return np.ones(len(table), np.bool_)


def _columns(table: pd.DataFrame, axes: str, count: int, prefix: str = "") -> Float64:
    """Return points from columns such as x_0 ... y_67, (N, count, axes)."""
    names = [f"{prefix}{axis}_{i}" for axis in axes for i in range(count)]
    points = np.empty((len(table), count, len(axes)))
    for place, name in enumerate(names):
        points[:, place % count, place // count] = table[name].to_numpy()
    return points


def _eye_points(table: pd.DataFrame, points: Float64) -> Float64 | None:
    """Return iris (8) and lids (12) of each eye in the picture, (N, 40, 2), left eye first."""
    if "eye_lmk_x_0" not in table:
        return None
    eyes = _columns(table, "xy", 56, "eye_lmk_")[:, [*range(20), *range(28, 48)]]
    eyes[np.isnan(points).any(axis=(1, 2))] = np.nan
    return eyes


def _lifted(eyes: Float64, flat: Float64, space: Float64) -> Float64:
    """Return points of the eyes in space, (N, 40, 3)."""
    depths = np.stack([space[:, 36:42, 2].mean(axis=1), space[:, 42:48, 2].mean(axis=1)], axis=1)
    depth = np.repeat(depths, 20, axis=1)
    lifted = np.empty((*depth.shape, 3))
    lifted[:, :, 2] = depth
    rows = np.isfinite(space).all(axis=(1, 2))
    for axis in (1, 0):
        rays = (space[rows, :, axis] / space[rows, :, 2]).ravel()
        pixels = flat[rows, :, axis].ravel()
        if len(rays) < 2:
            return np.full((*eyes.shape[:2], 3), np.nan)
        spread = rays - rays.mean()
        slope = float(spread @ pixels / (spread @ spread))
        centre = pixels.mean() - slope * rays.mean()
        lifted[:, :, axis] = (eyes[:, :, axis] - centre) / slope * depth
    return lifted


def _frontal(points: Float64, pose: Float64) -> Float64:
    """Return x and y of points in space, seen from the front of the head."""
    flat = np.empty((*points.shape[:2], 2))
    for rows in _blocks(len(points)):
        turned = points[rows] - pose[rows, None, :3]
        for axis in (0, 1, 2):  # R = Rx Ry Rz: undone from the left
            angle = pose[rows, 3 + axis, None]
            sine, cosine = np.sin(angle), np.cos(angle)
            i, j = [(1, 2), (2, 0), (0, 1)][axis]
            first, second = turned[:, :, i].copy(), turned[:, :, j].copy()
            turned[:, :, i] = cosine * first + sine * second
            turned[:, :, j] = cosine * second - sine * first
        flat[rows] = turned[:, :, :2]
    return flat


def _blocks(rows: int) -> list[slice]:
    """Return slices of rows: of a long video, what is on the way takes no memory to speak of."""
    return [slice(start, start + _BLOCK) for start in range(0, rows, _BLOCK)]


def _in_axes(points: Float64, eyes: Float64 | None) -> FaceFrames:
    """Return a face in its own axes."""
    pairs = [(36, 39), (42, 45)]
    between = np.stack([(points[:, i] + points[:, j]) / 2 for i, j in pairs], axis=1)
    unit = np.hypot(*(points[:, 45] - points[:, 36]).T)
    rough = _Axes.along(between, unit)
    if eyes is None:
        width = np.full(len(points), np.nan)
        lids = np.full((len(points), 2, 12, 2), np.nan)
        steady = rough.place(between)
    else:
        rings, lids = np.split(eyes.reshape(len(eyes), 2, 20, 2), [8], axis=2)
        centres = rings.mean(axis=2)
        across = rings - centres[:, :, None]
        width = 2 * np.hypot(across[..., 0], across[..., 1]).mean(axis=(1, 2))
        steady = _median(rough.place(centres))
    axes = _Axes.along(steady, np.ones(len(points)))
    heights = axes.place(rough.place(lids.reshape(len(lids), 24, 2)))[..., 1].reshape(-1, 2, 12)
    openings = heights[:, :, 7:].mean(axis=2) - heights[:, :, 1:6].mean(axis=2)
    return FaceFrames(axes.place(rough.place(points)), axes.place(steady), width / unit, openings)


def _median(places: Float64) -> Float64:
    """Return for each frame the median over all of them; NaN where a frame has none."""
    known = np.isfinite(places).all(axis=(1, 2))
    out = np.full(places.shape, np.nan)
    if known.any():
        out[known] = np.median(places[known], axis=0)
    return out


@dataclass(frozen=True, eq=False)
class _Axes:
    """Axes of each frame: origin (N, 2), rotation (N, 2, 2), unit (N,)."""

    origin: Float64
    rotation: Float64
    unit: Float64

    @classmethod
    def along(cls, pair: Float64, unit: Float64) -> _Axes:
        """Return axes whose x runs through two points, (N, 2, 2), from the middle between them."""
        along = pair[:, 1] - pair[:, 0]
        along /= np.hypot(along[:, 0], along[:, 1])[:, None]
        x, y = along.T
        rotation = np.stack([np.stack([x, y], axis=1), np.stack([-y, x], axis=1)], axis=1)
        return cls(pair.mean(axis=1), rotation, unit)

    def place(self, points: Float64) -> Float64:
        """Return points, (N, k, 2), in these axes."""
        placed = np.empty(points.shape)
        for rows in _blocks(len(points)):
            shifted = points[rows] - self.origin[rows, None]
            turned = np.einsum("nij,nkj->nki", self.rotation[rows], shifted)
            placed[rows] = turned / self.unit[rows, None, None]
        return placed
