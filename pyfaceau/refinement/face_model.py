"""The face's landmark model: 68 points, refined by part models, judged by a validator.

The hierarchy: the 68-point model is fitted, its points start the part models (inner face, left
eye, right eye), the parts' points replace its own, and the shape model is fitted to the result.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pyfaceau.models.modelfile import mend
from pyfaceau.models.weights import locate, resolve
from pyfaceau.refinement.early_termination import fit_starts
from pyfaceau.refinement.fits import FaceFit
from pyfaceau.refinement.point_model import EYE, INNER, FitParameters, PointModel, list_entries
from pyfaceau.refinement.validator import DetectionValidator
from pyfaceau.types import EyeFit, FaceBox, Float32, ShapeFit, UInt8

VALID = float(np.float32(0.725))
"""A fit is accepted when the validator's confidence, a float32 value, is above this one."""

CECLM = "main_ceclm_general"
"""Stem of the list file whose fit has parameters of its own."""

PARTS_SCALE = 0.9
"""Parts are fitted to the picture when the face is larger than this, pixels per mm."""

HYPOTHESES: tuple[tuple[float, float, float], ...] = (
    (0, 0, 0), (0, -0.5236, 0), (0, 0.5236, 0), (0, -0.96, 0), (0, 0.96, 0), (0, 0, 0.5236),
    (0, 0, -0.5236), (0, -1.57, 0), (0, 1.57, 0), (0, -1.22, 0.698), (0, 1.22, -0.698),
)  # fmt: skip
"""Head rotations that a new face is tried at: pitch, yaw, roll, radians."""


@dataclass(frozen=True, eq=False)
class Part:
    """A part model and the landmarks it shares with the face.

    Attributes
    ----------
    name : str
        For instance ``"left_eye_28"``.
    model : PointModel
        The part's own shape model and patch experts.
    face_points, part_points : (k,) int
        Indices of the shared landmarks in the face and in the part.
    """

    name: str
    model: PointModel
    face_points: NDArray[np.intp]
    part_points: NDArray[np.intp]

    def fit(self, gray: UInt8, landmarks: Float32, large: bool) -> tuple[ShapeFit, Float32]:
        """Fit the part from the face's points.

        Parameters
        ----------
        gray : (H, W) uint8
            Picture.
        landmarks : (68, 2) float32
            The face's points, pixels.
        large : bool
            The face is large enough for the part to be looked for in the picture.

        Returns
        -------
        ShapeFit
            Parameters of the part.
        (n, 2) float32
            Its points, pixels.
        """
        pdm = self.model.pdm
        shared = np.zeros((pdm.n_points, 2), np.float32)
        shared[self.part_points] = landmarks[self.face_points]
        fitted = pdm.calc_params(shared)
        if large:
            windows = self.model.parameters.windows_init
            fitted = self.model.fit(gray, fitted, windows, rate=False).shape
        return fitted, pdm.shape_2d(fitted)


@dataclass(frozen=True, eq=False)
class FaceModel:
    """The hierarchy of landmark models with its validator.

    Attributes
    ----------
    main : PointModel
        68 points.
    parts : tuple of Part
        In the order in which they overwrite the face's points.
    validator : DetectionValidator
        Judge of fits.
    """

    main: PointModel
    parts: tuple[Part, ...]
    validator: DetectionValidator

    @classmethod
    def load(
        cls,
        list_file: str | Path = "main_clnf_general.txt",
        parameters: FitParameters | None = None,
    ) -> FaceModel:
        """Read a model by its list file.

        Parameters
        ----------
        list_file : str or Path
            ``main_clnf_general.txt`` (CCNF experts), ``main_clm_general.txt`` (SVR experts) or
            ``main_ceclm_general.txt`` (CEN experts), in the weights folder or by path.
        parameters : FitParameters, optional
            How to fit the 68-point model. A list file of the stem ``main_ceclm_general`` has them
            changed by `FitParameters.for_ceclm`, as in OpenFace.

        Returns
        -------
        FaceModel
            The model.

        Raises
        ------
        WeightsError
            If a file is missing or damaged.
        """
        path = locate(list_file)
        parameters = parameters or FitParameters()
        if path.stem == CECLM:
            parameters = parameters.for_ceclm()
        main = validator = None
        parts = []
        for words in list_entries(path):
            if words[0] == "LandmarkDetector":
                main = PointModel.load(resolve(path, words[1]), parameters)
            elif words[0] == "LandmarkDetector_part":
                parts.append(_load_part(path, words[1:]))
            elif words[0] == "DetectionValidator":
                validator = DetectionValidator.load(resolve(path, words[1]))
        if main is None or validator is None:
            raise mend(path, "names no landmark detector or no validator")
        return cls(main, tuple(parts), validator)

    def from_box(self, box: FaceBox, rotation: tuple[float, float, float] = (0, 0, 0)) -> ShapeFit:
        """Return the start of a fit: the mean shape in a box, see `PDM.params_from_box`.

        Parameters
        ----------
        box : FaceBox
            Box of the landmarks.
        rotation : (float, float, float)
            Pitch, yaw and roll, radians.

        Returns
        -------
        ShapeFit
            The shape that fills the box.
        """
        return self.main.pdm.params_from_box(box, rotation)

    def fit(self, gray: UInt8, start: ShapeFit, *, tracked: bool = False) -> FaceFit:
        """Fit the hierarchy and judge the result.

        Parameters
        ----------
        gray : (H, W) uint8
            Picture.
        start : ShapeFit
            Where the 68-point model starts.
        tracked : bool
            The start is the accepted fit of the frame before, so smaller windows will do.

        Returns
        -------
        FaceFit
            Result, accepted or not.
        """
        parameters = self.main.parameters
        windows = parameters.windows_track if tracked else parameters.windows_init
        return self.fit_windows(gray, start, windows)

    def fit_windows(self, gray: UInt8, start: ShapeFit, windows: tuple[int, ...]) -> FaceFit:
        """Fit the hierarchy with windows of one's own, and judge the result.

        Parameters
        ----------
        gray : (H, W) uint8
            Picture.
        start : ShapeFit
            Where the 68-point model starts.
        windows : tuple of int
            Side of its response maps at each scale; 0 skips the scale.

        Returns
        -------
        FaceFit
            Result, accepted or not.
        """
        fit = self.main.fit(gray, start, windows)
        shape, landmarks, parts = self._refine(gray, fit.shape)
        confidence = 0.0
        if fit.ok:
            confidence = self.validator.check(gray, landmarks, shape.params_global[1:4])
        return FaceFit(
            shape, landmarks, parts, fit.likelihood, confidence, confidence > VALID, fit.view,
            fit.iterations, fit.converged, fit.final_update, confidence > VALID,
        )  # fmt: skip

    def fit_box(self, gray: UInt8, box: FaceBox, hypotheses: int = len(HYPOTHESES)) -> FaceFit:
        """Fit from a box, at several head rotations; the likeliest wins, the first of equals.

        A model with a rule for it does not finish every rotation, see `early_termination`.

        Parameters
        ----------
        gray : (H, W) uint8
            Picture.
        box : FaceBox
            Box of the landmarks.
        hypotheses : int
            How many of `HYPOTHESES` to try.

        Returns
        -------
        FaceFit
            The chosen fit, accepted or not.
        """
        starts = (self.from_box(box, r) for r in HYPOTHESES[:hypotheses])
        rule = self.main.early_termination
        if rule is not None:
            coarsest, *finer = self.main.parameters.windows_init
            return fit_starts(
                rule,
                starts,
                lambda start: self.main.fit(gray, start, (coarsest,)),
                lambda start: self.fit_windows(gray, start, (0, *finer)),
            )
        return max((self.fit(gray, start) for start in starts), key=lambda fit: fit.likelihood)

    def empty_parts(self) -> tuple[tuple[ShapeFit, Float32], ...]:
        """Return the parts before any fit: unit scale, all else zero."""
        models = [part.model.pdm for part in self.parts]
        return tuple(
            (blank_shape(pdm.n_modes), np.zeros((pdm.n_points, 2), np.float32)) for pdm in models
        )

    def eyes(self, parts: tuple[tuple[ShapeFit, Float32], ...]) -> tuple[EyeFit, EyeFit] | None:
        """Return the two eyes among fitted parts.

        Parameters
        ----------
        parts : tuple of (ShapeFit, (n, 2) float32)
            From a fit.

        Returns
        -------
        (EyeFit, EyeFit) or None
            Of the eye on the image's left, of the one on its right; None where the model has none.
        """
        found = {part.name: fit for part, fit in zip(self.parts, parts, strict=True)}
        if "left_eye_28" not in found or "right_eye_28" not in found:
            return None
        (left, left_points), (right, right_points) = found["left_eye_28"], found["right_eye_28"]
        return EyeFit(left_points, left), EyeFit(right_points, right)

    def _refine(
        self, gray: UInt8, shape: ShapeFit
    ) -> tuple[ShapeFit, Float32, tuple[tuple[ShapeFit, Float32], ...]]:
        """Fit the parts from the face's points, put their points in, fit the face again."""
        landmarks = self.main.pdm.shape_2d(shape)
        large = bool(shape.params_global[0] > PARTS_SCALE)
        merged = landmarks.copy()
        parts = []
        for part in self.parts:
            fitted, points = part.fit(gray, landmarks, large)
            merged[part.face_points] = points[part.part_points]
            parts.append((fitted, points))
        if large and parts:
            shape = self.main.pdm.calc_params(merged)
            landmarks = self.main.pdm.shape_2d(shape)
        return shape, landmarks, tuple(parts)


def blank_shape(modes: int) -> ShapeFit:
    """Return the parameters before any fit: unit scale, all else zero.

    Parameters
    ----------
    modes : int
        Non-rigid parameters.

    Returns
    -------
    ShapeFit
        Parameters.
    """
    return ShapeFit(np.array([1, 0, 0, 0, 0, 0], np.float32), np.zeros(modes, np.float32))


def _load_part(path: Path, words: list[str]) -> Part:
    """Read one part: list file, name, then pairs of face and part landmark."""
    inner_list = resolve(path, words[0])
    name, pairs = words[1], np.array(words[2:], dtype=np.intp).reshape(-1, 2)
    [entry] = [words for words in list_entries(inner_list) if words[0] == "LandmarkDetector"]
    parameters = INNER if name == "inner" else EYE
    model = PointModel.load(resolve(inner_list, entry[1]), parameters)
    return Part(name, model, pairs[:, 0], pairs[:, 1])
