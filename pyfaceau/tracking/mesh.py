"""Following a face by its mesh: where it was says where to look next."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from pyfaceau.mesh.bundle import Bundle
from pyfaceau.mesh.canonical import HeadAligner
from pyfaceau.mesh.finder import FaceFinder
from pyfaceau.mesh.network import Blendshapes, MeshNetwork
from pyfaceau.mesh.points68 import points68
from pyfaceau.mesh.region import FaceRegion
from pyfaceau.types import FaceBox, FaceMesh, Frame, Selection, ShapeFit, TrackedFace, UInt8

PRESENT = 0.5
"""Probability of a face below which there is none."""

_LOOKS = 3
"""A new face is looked at so often, each time in the square around what was found."""

_NO_SHAPE = ShapeFit(np.zeros(6, np.float32), np.zeros(0, np.float32))


class MeshFitter:
    """Finds faces and fits a mesh to each; knows no track.

    Parameters
    ----------
    bundle : Bundle
        The networks.
    threads : int
        That share the work of the mesh; no digit depends on it.
    """

    def __init__(self, bundle: Bundle, threads: int = 1) -> None:
        self._finder = FaceFinder(bundle.detector)
        self._network = MeshNetwork(bundle.mesh, threads)
        self._blendshapes = Blendshapes(bundle.blendshapes)
        self._aligner = HeadAligner(bundle.face)

    @classmethod
    def load(cls, path: str | Path, threads: int = 1) -> MeshFitter:
        """Load the networks.

        Parameters
        ----------
        path : str or Path
            ``face_landmarker.task``, or its name within the weights folder.
        threads : int
            As of the class.

        Returns
        -------
        MeshFitter
            Ready.

        Raises
        ------
        InputError
            If the runtime is not installed.
        WeightsError
            If the file is missing or altered.
        """
        return cls(Bundle.load(path), threads)

    def find(self, image: UInt8) -> tuple[FaceBox, ...]:
        """Find faces.

        Parameters
        ----------
        image : (H, W, 3) uint8
            BGR picture.

        Returns
        -------
        tuple of FaceBox
            Those of the detector's in which the mesh network sees a face too, largest first. The
            picture's parts are looked at where there is none in all of it.
        """
        for boxes in self._finder.looks(image):
            faces = [box for box in boxes if self._is_face(image, box)]
            if faces:
                return tuple(faces)
        return ()

    def _is_face(self, image: UInt8, box: FaceBox) -> bool:
        return self._network(image, FaceRegion.of_box(box))[1] >= PRESENT

    def fit(self, frame: Frame, box: FaceBox) -> TrackedFace:
        """Fit a face that is seen for the first time.

        Parameters
        ----------
        frame : Frame
            The picture.
        box : FaceBox
            Its box.

        Returns
        -------
        TrackedFace
            The fit; false where there is no face after all.
        """
        region = FaceRegion.of_box(box)
        for look in range(_LOOKS):
            face = self.see(frame.image, region, last=look == _LOOKS - 1)
            if face.mesh is None:
                break
            region = FaceRegion.of_points(face.mesh.points)
        return face

    fit_given = fit

    def follow(self, frame: Frame, face: TrackedFace) -> TrackedFace:
        """Look for a face again, where it was in the picture before.

        Parameters
        ----------
        frame : Frame
            The picture.
        face : TrackedFace
            What was said of the picture before.

        Returns
        -------
        TrackedFace
            False, with zeros, where there is none any more.
        """
        if face.mesh is None:
            return no_face("the face was lost")
        return self.see(frame.image, FaceRegion.of_points(face.mesh.points))

    def see(self, image: UInt8, region: FaceRegion, *, last: bool = True) -> TrackedFace:
        """Look for a face in a region, once.

        Parameters
        ----------
        image : (H, W, 3) uint8
            BGR picture.
        region : FaceRegion
            Where.
        last : bool
            No further look follows: tell its expression too.

        Returns
        -------
        TrackedFace
            False, with zeros, where there is none.
        """
        points, presence = self._network(image, region)
        if presence < PRESENT:
            return no_face("the face was lost", presence)
        shapes = self._blendshapes(points) if last else np.zeros(52, np.float32)
        return TrackedFace(
            True,
            True,
            presence,
            points68(points[:, :2]).astype(np.float32),
            self._aligner.fit(points).shape,
            mesh=FaceMesh(points, shapes),
        )


def no_face(reason: str, confidence: float = 0.0) -> TrackedFace:
    """Return what stands for a face where there is none.

    Parameters
    ----------
    reason : str
        Why.
    confidence : float
        0 to 1.

    Returns
    -------
    TrackedFace
        False, and zeros.
    """
    return TrackedFace(
        False, False, confidence, np.zeros((68, 2), np.float32), _NO_SHAPE, reason=reason
    )


class MeshTracker:
    """Follows one face by its mesh; looks for one where there is no track.

    Kartynnik, Ablavatski, Grishchenko and Grundmann, "Real-time facial surface geometry from
    monocular video on mobile GPUs", 2019, section 2: the detector runs on the first frame and where
    the mesh network finds its face gone. Nothing is smoothed over time: a row depends on where the
    face was in the last, and on nothing else.

    Parameters
    ----------
    fitter : MeshFitter
        Finds faces and meshes.

    Attributes
    ----------
    selection : Selection
        Whose face is followed.
    """

    def __init__(self, fitter: MeshFitter) -> None:
        self._fitter = fitter
        self.selection = Selection()
        self.reset()

    @classmethod
    def load(cls, path: str | Path, threads: int = 1) -> MeshTracker:
        """Load the networks, see `MeshFitter.load`.

        Parameters
        ----------
        path : str or Path
            The file.
        threads : int
            As of `MeshFitter`.

        Returns
        -------
        MeshTracker
            Ready for the first frame.
        """
        return cls(MeshFitter.load(path, threads))

    def reset(self) -> None:
        """Forget everything: a new video starts."""
        self._region: FaceRegion | None = None

    def update(self, frame: Frame) -> TrackedFace:
        """Follow the face into the next frame.

        Parameters
        ----------
        frame : Frame
            The frame; after a cut the face is looked for anew.

        Returns
        -------
        TrackedFace
            False, with zeros, where there is no face.
        """
        face = no_face("no face was found")
        if self._region is not None and "cut" not in frame.marks:
            face = self._fitter.see(frame.image, self._region)
        if not face:
            face = self._found(frame, self._fitter.find(frame.image))
        self._region = None if face.mesh is None else FaceRegion.of_points(face.mesh.points)
        return face

    def _found(self, frame: Frame, boxes: Iterable[FaceBox]) -> TrackedFace:
        """Fit the face that is wanted of those that the detector found."""
        boxes = self.selection.inside(tuple(boxes))
        wanted = self.selection.choose(boxes)
        if wanted is None:
            return no_face("no face was found" if not boxes else "the face wanted is not there")
        return self._fitter.fit(frame, wanted)
