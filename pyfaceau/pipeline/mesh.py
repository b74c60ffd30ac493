"""What is measured of a face that is followed by its mesh."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from pyfaceau.config import Config
from pyfaceau.errors import InputError
from pyfaceau.mesh.bundle import Bundle
from pyfaceau.mesh.canonical import HeadAligner, mesh_in_space, pose_in_space
from pyfaceau.mesh.irises import CORNERS, IRISES, gaze_of_irises
from pyfaceau.mesh.points68 import points68
from pyfaceau.mesh.units import mesh_units
from pyfaceau.numerics.rotation import euler_to_matrix
from pyfaceau.output.mesh_table import mesh_layout
from pyfaceau.output.openface_csv import Layout
from pyfaceau.types import (
    BLENDSHAPES,
    MESH_UNITS,
    Camera,
    FaceMesh,
    Frame,
    FrameResult,
    Gaze,
    HeadPose,
    TrackedFace,
    UInt8,
)

if TYPE_CHECKING:
    from pyfaceau.pipeline.measurement import FaceMeasurer

_SWAPPED = np.array(
    [
        BLENDSHAPES.index(name.replace("Left", "?").replace("Right", "Left").replace("?", "Right"))
        for name in BLENDSHAPES
    ]
)
_NO_GAZE = Gaze(np.zeros((2, 3), np.float32), np.zeros(2, np.float32))
_NO_POSE = HeadPose(np.zeros(3, np.float32), np.zeros(3, np.float32))


def measurer_for(config: Config) -> FaceMeasurer | MeshMeasurer:
    """Return what measures the faces of a profile.

    Parameters
    ----------
    config : Config
        The settings.

    Returns
    -------
    FaceMeasurer or MeshMeasurer
        Ready.

    Raises
    ------
    InputError
        If the profile asks for what a mesh cannot give.
    WeightsError
        If a model file is missing or altered.
    """
    if config.landmarks == "mesh":
        return MeshMeasurer(config)
    from pyfaceau.pipeline.measurement import FaceMeasurer

    return FaceMeasurer(config.models)


class MeshMeasurer:
    """The stages after the landmarks, for a face with a mesh; in the place of `FaceMeasurer`.

    Parameters
    ----------
    config : Config
        The settings.

    Attributes
    ----------
    pdm : None
        There is no shape model.
    eyes : None
        Irises are part of the mesh.

    Raises
    ------
    InputError
        If halves of faces are asked for.
    WeightsError
        If the model file is missing or altered.
    """

    pdm = None

    def __init__(self, config: Config) -> None:
        if config.split_face:
            raise InputError("split_face: expected false: profile free has no action-unit models")
        self.eyes = None
        self._mirrored = config.mirrored_input
        self._aligner = HeadAligner(Bundle.load(config.models.mesh).face)

    def layout(self, layout: Layout) -> Layout:
        """Return a table's layout with the columns that a mesh has.

        Parameters
        ----------
        layout : Layout
            `VIDEO`, `SEVERAL` or `PICTURE`.

        Returns
        -------
        Layout
            See `pyfaceau.output.mesh_table.mesh_layout`.
        """
        return mesh_layout(layout)

    def possible(self, groups: Iterable[str]) -> tuple[str, ...]:
        """Return those groups of columns that can be measured.

        Parameters
        ----------
        groups : iterable of str
            Keys of `pyfaceau.output.openface_csv.GROUPS`.

        Returns
        -------
        tuple of str
            All: the layout leaves out what a mesh has not.
        """
        return tuple(groups)

    def with_eyes(self, _: Frame, face: TrackedFace) -> TrackedFace:
        """Return the face as it is.

        Parameters
        ----------
        _ : Frame
            Not used.
        face : TrackedFace
            A face.

        Returns
        -------
        TrackedFace
            The same.
        """
        return face

    def place(
        self,
        frame: Frame,
        face: TrackedFace,
        camera: Camera,
        face_id: int = 0,
        *,
        gaze: bool = True,
    ) -> FrameResult:
        """Put a face into camera space and read its expression.

        Parameters
        ----------
        frame : Frame
            The picture.
        face : TrackedFace
            A face in it.
        camera : Camera
            What took it.
        face_id : int
            Its number.
        gaze : bool
            Estimate the gaze; zeros stand for it otherwise.

        Returns
        -------
        FrameResult
            Zeros where there is no face. Of a mirrored recording the blendshapes of the sides are
            exchanged, so that left is the patient's left.
        """
        empty = FrameResult(
            frame.index,
            frame.timestamp,
            face,
            np.zeros((68, 3), np.float32),
            _NO_POSE,
            _NO_GAZE,
            face_id=face_id,
            marks=frame.marks,
            mesh_units=np.zeros(len(MESH_UNITS)),
        )
        if face.mesh is None:
            return empty
        mesh = face.mesh
        if self._mirrored:
            mesh = FaceMesh(mesh.points, mesh.blendshapes[_SWAPPED])
        fit = self._aligner.fit(mesh.points)
        pose = pose_in_space(fit, camera)
        space = mesh_in_space(mesh.points, fit, camera)
        turn = euler_to_matrix(pose.rotation).astype(np.float64)
        corners = space[np.array(CORNERS)]
        return replace(
            empty,
            face=replace(face, mesh=mesh),
            landmarks_3d=points68(space).astype(np.float32),
            pose=pose,
            gaze=gaze_of_irises(space[list(IRISES)], corners, turn) if gaze else _NO_GAZE,
            mesh_units=mesh_units(mesh),
        )

    def with_static_units(self, _: Frame, result: FrameResult) -> FrameResult:
        """Return the result as it is: its units are known.

        Parameters
        ----------
        _ : Frame
            Not used.
        result : FrameResult
            As from `place`.

        Returns
        -------
        FrameResult
            The same.
        """
        return result

    def align(self, *_: object) -> UInt8:
        """Refuse to align: aligned faces are OpenFace's.

        Parameters
        ----------
        *_ : object
            Not used.

        Returns
        -------
        uint8
            Never.

        Raises
        ------
        InputError
            Always.
        """
        raise InputError("aligned: profile free has no shape model to align faces by")
