"""What is measured of a face once its landmarks are known: place, pose, gaze, features."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from pyfaceau.alignment.aligner import FaceAligner
from pyfaceau.alignment.mask import read_triangles
from pyfaceau.asymmetry.half import HalfFitter
from pyfaceau.asymmetry.split import FaceSplitter
from pyfaceau.config import Config, Models
from pyfaceau.features.fhog import fhog
from pyfaceau.features.geometry import geometry_descriptor
from pyfaceau.gaze.gaze import NO_GAZE, estimate_gaze, eye_landmarks_3d
from pyfaceau.models.weights import locate
from pyfaceau.output.openface_csv import Layout
from pyfaceau.pdm.model import PDM
from pyfaceau.pdm.pose import head_pose
from pyfaceau.pdm.space import landmarks_3d
from pyfaceau.prediction.models import AUModels
from pyfaceau.prediction.predictor import predict_picture
from pyfaceau.refinement.eyes import EyeFitter
from pyfaceau.tracking.abilities import network_of, refiner_of
from pyfaceau.tracking.gray import in_gray
from pyfaceau.tracking.tracker import Tracker
from pyfaceau.types import (
    AlignedFace,
    Camera,
    FaceFeatures,
    Frame,
    FrameResult,
    TrackedFace,
    UInt8,
)


class FaceMeasurer:
    """The stages after the landmarks, for one face in one picture; knows nothing of the last.

    Parameters
    ----------
    models : Models
        Model files.

    Attributes
    ----------
    pdm : PDM
        The 68-point shape model.
    eyes : EyeFitter or None
        Fits the eyes of faces that come without; None where no eyes are wanted.

    Raises
    ------
    WeightsError
        If a model file is missing or altered.
    """

    def __init__(self, models: Models) -> None:
        self.pdm = PDM.load(locate(models.pdm))
        self.eyes: EyeFitter | None = None
        self._triangulation = locate(models.triangulation)
        self._aligner = FaceAligner(self.pdm, self._triangulation)
        self._au_folder = locate(models.au_predictors)
        self._au_models: dict[bool, AUModels] = {}

    def layout(self, layout: Layout) -> Layout:
        """Return a table's layout as it is: OpenFace's.

        Parameters
        ----------
        layout : Layout
            Any.

        Returns
        -------
        Layout
            The same.
        """
        return layout

    def au_models(self, static: bool) -> AUModels:
        """Return the action-unit models, read when first asked for.

        Parameters
        ----------
        static : bool
            Those that know no neutral face.

        Returns
        -------
        AUModels
            The models.
        """
        if static not in self._au_models:
            self._au_models[static] = AUModels.load(self._au_folder, static)
        return self._au_models[static]

    def splitter(self, config: Config, tracker: Tracker, threads: int) -> FaceSplitter:
        """Return what divides faces into halves.

        Parameters
        ----------
        config : Config
            Says whether the recording is mirrored.
        tracker : Tracker
            Each half is fitted as it fits faces, with the eyes that it is to have.
        threads : int
            As for `FaceSplitter`.

        Returns
        -------
        FaceSplitter
            By this object's shape model and triangles.
        """
        triangles = read_triangles(self._triangulation)
        fitter = HalfFitter(self.pdm, refiner_of(tracker), network_of(tracker), self.eyes)
        return FaceSplitter(
            self.pdm, self._aligner, triangles, config.mirrored_input, fitter, threads
        )

    def possible(self, groups: Iterable[str]) -> tuple[str, ...]:
        """Return those groups of columns that can be measured: no gaze where no eyes are fitted.

        Parameters
        ----------
        groups : iterable of str
            Keys of `pyfaceau.output.openface_csv.GROUPS`.

        Returns
        -------
        tuple of str
            Some of them.
        """
        return tuple(name for name in groups if name != "gaze" or self.eyes is not None)

    def with_eyes(self, frame: Frame, face: TrackedFace) -> TrackedFace:
        """Fit the eyes of a face that comes without, where eyes are wanted.

        Parameters
        ----------
        frame : Frame
            The picture.
        face : TrackedFace
            A face in it.

        Returns
        -------
        TrackedFace
            With eyes, and landmarks that agree with them, see `EyeFitter.refine`.
        """
        if self.eyes is None or face.eyes is not None:
            return face
        return self.eyes.refine(in_gray(frame), face)

    def place(
        self,
        frame: Frame,
        face: TrackedFace,
        camera: Camera,
        face_id: int = 0,
        *,
        gaze: bool = True,
    ) -> FrameResult:
        """Put a face into camera space.

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
            Estimate the gaze; OpenFace's zeros stand for it otherwise.

        Returns
        -------
        FrameResult
            Without action units; without gaze where no eyes are fitted.
        """
        points = landmarks_3d(self.pdm, face.shape, face.landmarks, camera)
        pose = head_pose(self.pdm, face.shape, face.landmarks, camera)
        result = FrameResult(
            frame.index,
            frame.timestamp,
            face,
            points,
            pose,
            face_id=face_id,
            marks=frame.marks,
        )
        if self.eyes is None:
            return result
        fits = face.eyes or self.eyes.nothing()
        eyes = eye_landmarks_3d(self.eyes.pdms, fits, camera)
        direction = estimate_gaze(points, eyes, pose) if gaze else NO_GAZE
        return replace(result, face=replace(face, eyes=fits), gaze=direction, eyes_3d=eyes)

    def features(self, image: UInt8, face: TrackedFace) -> tuple[AlignedFace, FaceFeatures]:
        """Align a face and describe it to the action-unit models.

        The shape model is fitted anew to the landmarks, as OpenFace does: the tracker's own fit is
        another one.

        Parameters
        ----------
        image : (H, W, 3) uint8
            BGR picture.
        face : TrackedFace
            A face in it.

        Returns
        -------
        AlignedFace
            What the features were measured on.
        FaceFeatures
            What the models see.
        """
        fit = self.pdm.calc_params(face.landmarks)
        aligned = self._aligner.align(image, face.landmarks, fit)
        geometry = geometry_descriptor(self.pdm, fit.params_local)
        return aligned, FaceFeatures(fhog(aligned.image), geometry)

    def align(self, image: UInt8, face: TrackedFace, size: int, scale: float, mask: bool) -> UInt8:
        """Align a face at a size of choice.

        Parameters
        ----------
        image : (H, W, 3) uint8
            BGR picture.
        face : TrackedFace
            A face in it.
        size : int
            Side of the aligned face, pixels.
        scale : float
            Pixels per mm of the shape model.
        mask : bool
            Blacken what is outside the face.

        Returns
        -------
        (size, size, 3) uint8
            The aligned face.
        """
        fit = self.pdm.calc_params(face.landmarks)
        aligned = self._aligner.align(image, face.landmarks, fit, size=size, scale=scale, mask=mask)
        return aligned.image

    def with_static_units(self, frame: Frame, result: FrameResult) -> FrameResult:
        """Predict action units from this picture alone.

        Parameters
        ----------
        frame : Frame
            The picture.
        result : FrameResult
            As from `place`.

        Returns
        -------
        FrameResult
            With `aligned`, `features` and action units of the static models, 0 to 5.
        """
        aligned, features = self.features(frame.image, result.face)
        units = predict_picture(self.au_models(static=True), features)
        return replace(result, aligned=aligned, features=features, action_units=units)
