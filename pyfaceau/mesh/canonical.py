"""Head pose from a mesh, by aligning the canonical face to it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pyfaceau.mesh.bundle import CanonicalFace
from pyfaceau.mesh.points68 import points68
from pyfaceau.types import Camera, Float32, Float64, HeadPose, ShapeFit


@dataclass(frozen=True, eq=False)
class RigidFit:
    """The canonical face laid over a mesh by scaled orthographic projection.

    Attributes
    ----------
    scale : float
        Pixels per mm.
    rotation : (3, 3) float64
        From the canonical face's axes to the picture's.
    centre : (3,) float64
        Where the head's origin lies: x, y in pixels, z in the mesh's pixels.
    """

    scale: float
    rotation: Float64
    centre: Float64

    @property
    def shape(self) -> ShapeFit:
        """The same as parameters of a rigid shape model."""
        angles = _euler(self.rotation)
        x, y = self.centre[:2]
        return ShapeFit(np.array([self.scale, *angles, x, y], np.float32), np.zeros(0, np.float32))


class HeadAligner:
    """Lays the canonical face over meshes; the head's origin is the middle of its 68 points.

    Parameters
    ----------
    face : CanonicalFace
        The canonical face.
    """

    def __init__(self, face: CanonicalFace) -> None:
        self._basis = face.basis
        self._weights = face.weights / face.weights.sum()
        origin = points68(face.vertices).mean(axis=0)
        self._model = face.vertices[face.basis] - origin
        self._middle = self._weights @ self._model
        centred = self._model - self._middle
        self._weighted = centred * self._weights[:, None]
        self._spread = float((centred * self._weighted).sum())

    def fit(self, points: Float32) -> RigidFit:
        """Lay the canonical face over a mesh.

        Weighted orthogonal Procrustes with scale: Umeyama, "Least-squares estimation of
        transformation parameters between two point patterns", IEEE TPAMI 13(4), 1991, eqs. 40-42.

        Parameters
        ----------
        points : (478, 3) float32
            The mesh.

        Returns
        -------
        RigidFit
            The best in the least squares of the basis.
        """
        seen = points[self._basis].astype(np.float64)
        middle = self._weights @ seen
        u, singular, vt = np.linalg.svd((seen - middle).T @ self._weighted)
        sign = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
        rotation = (u * sign) @ vt
        scale = float(singular @ sign) / self._spread
        return RigidFit(scale, rotation, middle - scale * rotation @ self._middle)


def pose_in_space(fit: RigidFit, camera: Camera) -> HeadPose:
    """Put a head into camera space.

    Parameters
    ----------
    fit : RigidFit
        Of the head.
    camera : Camera
        Pinhole camera.

    Returns
    -------
    HeadPose
        The origin lies where the camera's focal length and the scale put it; the rotation is
        against the camera's axes: what orthographic projection sees is turned by the angle at
        which the head stands off the axis.
    """
    depth = camera.fx / fit.scale
    x = (fit.centre[0] - camera.cx) / camera.fx
    y = (fit.centre[1] - camera.cy) / camera.fy
    rotation = _towards(np.array([x, y, 1.0])) @ fit.rotation
    place = np.array([x * depth, y * depth, depth], np.float32)
    return HeadPose(place, _euler(rotation).astype(np.float32))


def mesh_in_space(points: Float32, fit: RigidFit, camera: Camera) -> Float64:
    """Put points of a mesh into camera space.

    Parameters
    ----------
    points : (n, 3) float32
        Points of the mesh.
    fit : RigidFit
        Of its head.
    camera : Camera
        Pinhole camera.

    Returns
    -------
    (n, 3) float64
        mm, camera space; in the picture they lie where the mesh has them.
    """
    depth = camera.fx / fit.scale + (points[:, 2] - fit.centre[2]) / fit.scale
    x = (points[:, 0] - camera.cx) / camera.fx * depth
    y = (points[:, 1] - camera.cy) / camera.fy * depth
    return np.column_stack([x, y, depth]).astype(np.float64)


def _towards(ray: Float64) -> Float64:
    """Return the shortest rotation from the camera's axis to a ray (Rodrigues)."""
    ray = ray / np.linalg.norm(ray)
    x, y, cosine = ray
    cross = np.array([[0.0, 0.0, x], [0.0, 0.0, y], [-x, -y, 0.0]])
    rotation: Float64 = np.eye(3) + cross + cross @ cross / (1 + cosine)
    return rotation


def _euler(rotation: Float64) -> Float64:
    """Return the angles of R = Rx Ry Rz, radians."""
    pitch = np.arctan2(-rotation[1, 2], rotation[2, 2])
    yaw = np.arcsin(np.clip(rotation[0, 2], -1, 1))
    return np.array([pitch, yaw, np.arctan2(-rotation[0, 1], rotation[0, 0])])
