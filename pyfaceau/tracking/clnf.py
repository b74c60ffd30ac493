"""The constrained local neural field as a landmark model of its own.

Baltrusaitis, Robinson, Morency, "Constrained Local Neural Fields for robust facial landmark
detection in the wild", ICCV Workshops 2013.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from pyfaceau.errors import InputError, check_array, check_image
from pyfaceau.models.modelfile import mend
from pyfaceau.numerics.warp import gray_from_bgr
from pyfaceau.refinement.face_model import HYPOTHESES, VALID, FaceModel
from pyfaceau.refinement.fits import FaceFit
from pyfaceau.refinement.point_model import SMALLEST_SCALE, FitParameters
from pyfaceau.types import FaceBox, Float32, ShapeFit, UInt8

if TYPE_CHECKING:
    from pyfaceau.tracking.openface import BoxDetector, OpenFaceTracker

_LARGEST = 1_000_000
_LISTS = {
    "clnf": "main_clnf_general.txt",
    "clm": "main_clm_general.txt",
    "ceclm": "main_ceclm_general.txt",
}

Info = dict[str, Any]


class CLNF:
    """Fit 68 landmarks to faces in pictures, and make trackers for videos.

    Parameters
    ----------
    model_dir : str or Path, optional
        Folder of the model files; the installed weights if not given.
    detector : {None, 'mtcnn', 'retinaface'}
        What `detect_and_fit` and `tracker` find faces with; None is ``'mtcnn'``, OpenFace's own.
    use_coreml : bool
        Accepted for scripts that pass it; the fit runs on the processor, with the same digits
        everywhere.
    regularization : float
        Weight of the prior on non-rigid parameters.
    max_iterations : int
        Optimiser steps in each phase, at most; 1 to 1000.
    convergence_threshold : float
        A phase ends when the shape moves by less, pixels over all coordinates.
    model : {'clnf', 'clm', 'ceclm'} or path
        Patch experts: CCNF, SVR, or CEN; or the list file (``.txt``) of a model of your own, as
        ``pyfaceau train experts`` writes it. Of ``'ceclm'``, as in OpenFace, `regularization`
        counts times 0.9, and a first fit goes by `pyfaceau.refinement.early_termination`.

    Raises
    ------
    InputError
        If an argument is not one of these.
    WeightsError
        If a model file is missing or damaged.
    """

    def __init__(
        self,
        model_dir: str | Path | None = None,
        detector: Literal["mtcnn", "retinaface"] | None = None,
        use_coreml: bool = False,  # noqa: ARG002 - part of the published signature
        regularization: float = 25.0,
        max_iterations: int = 5,
        convergence_threshold: float = 0.01,
        model: str | Path = "clnf",
    ) -> None:
        if detector not in (None, "mtcnn", "retinaface"):
            raise InputError(f"detector: expected 'mtcnn' or 'retinaface', got {detector!r}")
        own = Path(model).suffix == ".txt"
        if not own and model not in _LISTS:
            raise InputError(
                f"model: expected {' or '.join(map(repr, _LISTS))} or a list file, got {model!r}"
            )
        list_file = Path(model if own else _LISTS[str(model)])
        if model_dir is not None:
            list_file = Path(model_dir) / list_file
            if not list_file.is_file():
                raise mend(list_file, "model file is missing")
        parameters = FitParameters(
            regularisation=_positive("regularization", regularization),
            max_iterations=_count("max_iterations", max_iterations, 1000),
            threshold=_positive("convergence_threshold", convergence_threshold),
        )
        self.model = FaceModel.load(list_file, parameters)
        self._detector_name = detector or "mtcnn"
        self._detector: BoxDetector | None = None

    def fit(
        self,
        image: ArrayLike,
        face_bbox: tuple[float, float, float, float],
        initial_params: ShapeFit | ArrayLike | None = None,
        return_params: bool = False,
        hypotheses: int = 1,
    ) -> tuple[Float32, Info]:
        """Fit one face of a still picture.

        Parameters
        ----------
        image : (H, W, 3) or (H, W) uint8
            BGR or gray.
        face_bbox : (x, y, width, height)
            Box of the landmarks (brows to chin, ear to ear), pixels; must overlap the picture,
            with sides of 1 to a million pixels.
        initial_params : ShapeFit or (40,) array_like, optional
            Where to start instead of the mean shape in the box: 6 rigid, then 34 other parameters,
            of a face that such a box would frame.
        return_params : bool
            Also report the parameters.
        hypotheses : int
            Head rotations to start from, 1 to 11; the likeliest result wins.

        Returns
        -------
        landmarks : (68, 2) float32
            x, y, pixels; the best that was found even where the fit was not accepted.
        info : dict
            ``success``, ``reason`` (empty on success), ``converged``, ``iterations``,
            ``final_update`` (pixels that the shape moved in the last step taken, over all
            coordinates), ``bbox``, ``confidence`` (0 to 1; success is above 0.725), ``view``,
            ``likelihood``; with `return_params`, ``params`` (40,) float32.

        Raises
        ------
        InputError
            If picture, box or parameters are not such.
        """
        gray = _gray(image)
        box = _checked_box("face_bbox", face_bbox, gray)
        count = _count("hypotheses", hypotheses, len(HYPOTHESES))
        if initial_params is None:
            fit = self.model.fit_box(gray, box, count)
        else:
            fit = self.model.fit(gray, self._checked_start(initial_params, gray))
        return fit.landmarks, _info(fit, box, return_params)

    def detect_and_fit(
        self, image: ArrayLike, return_all_faces: bool = False, return_params: bool = False
    ) -> tuple[Any, Any]:
        """Find the faces of a still picture and fit them.

        Parameters
        ----------
        image : (H, W, 3) or (H, W) uint8
            BGR or gray.
        return_all_faces : bool
            All faces instead of the widest.
        return_params : bool
            As for `fit`.

        Returns
        -------
        landmarks : (68, 2) float32, or None where no face is found; a list of them
            Of the widest face, or of all in the detector's order.
        info : dict, or list of dict
            As from `fit`; where no face is found ``success`` is false and ``reason`` says so.

        Raises
        ------
        InputError
            If `image` is not such a picture.
        """
        picture = check_image("image", image)
        gray = _gray(picture)
        colour = picture if picture.ndim == 3 else np.repeat(picture[:, :, None], 3, axis=2)
        boxes = self._boxes().faces(colour)
        if not return_all_faces:
            boxes = (max(boxes, key=lambda box: box.width),) if boxes else ()
        fits = [self.model.fit_box(gray, box, 1) for box in boxes]
        infos = [_info(fit, box, return_params) for fit, box in zip(fits, boxes, strict=True)]
        if return_all_faces:
            return [fit.landmarks for fit in fits], infos
        if not fits:
            return None, {"success": False, "reason": "no face found", "confidence": 0.0}
        return fits[0].landmarks, infos[0]

    def tracker(self) -> OpenFaceTracker:
        """Return a tracker for one video: each frame starts from the one before.

        Returns
        -------
        OpenFaceTracker
            Takes frames by `update`; looks for the face again, at eleven head rotations, when it
            is lost.
        """
        from pyfaceau.tracking.openface import OpenFaceTracker

        return OpenFaceTracker(self.model, self._boxes())

    def _checked_start(self, params: ShapeFit | ArrayLike, gray: UInt8) -> ShapeFit:
        """Return parameters of a face that overlaps the picture."""
        if isinstance(params, ShapeFit):
            params = np.concatenate([params.params_global, params.params_local])
        pdm = self.model.main.pdm
        values = check_array("initial_params", params, (6 + pdm.n_modes,), np.float32)
        start = ShapeFit(values[:6], values[6:])
        points = pdm.shape_2d(start)
        low, size = points.min(axis=0), np.ptp(points, axis=0)
        _checked_box("initial_params", [*low, *size], gray)
        return start

    def _boxes(self) -> BoxDetector:
        """Return the detector, loaded on first use."""
        if self._detector is None:
            if self._detector_name == "mtcnn":
                from pyfaceau.detection.mtcnn import MTCNN

                self._detector = MTCNN()
            else:
                from pyfaceau.detection.retinaface import LandmarkBoxes, RetinaFace

                self._detector = LandmarkBoxes(RetinaFace())
        return self._detector


def _gray(image: ArrayLike) -> UInt8:
    """Return a checked picture in gray."""
    picture = check_image("image", image)
    return picture if picture.ndim == 2 else gray_from_bgr(picture)


def _positive(name: str, value: Any) -> float:
    """Return a positive, finite number."""
    number = isinstance(value, (int, float, np.integer, np.floating))
    if not (number and 0 < value < math.inf):
        raise InputError(f"{name}: expected a positive number, got {value!r}")
    return float(value)


def _count(name: str, value: Any, most: int) -> int:
    """Return a whole number from 1 to `most`."""
    if not (isinstance(value, (int, np.integer)) and 1 <= value <= most):
        raise InputError(f"{name}: expected a whole number from 1 to {most}, got {value!r}")
    return int(value)


def _checked_box(name: str, box: ArrayLike, gray: UInt8) -> FaceBox:
    """Return a box that overlaps the picture."""
    x, y, width, height = check_array(name, box, (4,), np.float64).tolist()
    if not (min(width, height) >= 1 and max(width, height) <= _LARGEST):
        raise InputError(
            f"{name}: expected a face with sides of 1 to {_LARGEST} pixels, "
            f"got {width:g}x{height:g}"
        )
    rows, columns = gray.shape
    if x >= columns or y >= rows or x + width <= 0 or y + height <= 0:
        raise InputError(
            f"{name}: expected a face that overlaps the {columns}x{rows} picture, "
            f"got one at ({x:g}, {y:g}, {width:g}, {height:g})"
        )
    return FaceBox(x, y, width, height)


def _info(fit: FaceFit, box: FaceBox, with_params: bool) -> Info:
    info: Info = {
        "success": fit.ok,
        "reason": "" if fit.ok else _why(fit),
        "converged": fit.converged,
        "iterations": fit.iterations,
        "final_update": fit.final_update,
        "bbox": (box.x, box.y, box.width, box.height),
        "confidence": fit.confidence,
        "view": fit.view,
        "likelihood": fit.likelihood,
    }
    if with_params:
        info["params"] = np.concatenate([fit.shape.params_global, fit.shape.params_local])
    return info


def _why(fit: FaceFit) -> str:
    if fit.confidence == 0.0:
        return f"the face fitted is smaller than {SMALLEST_SCALE} pixels per mm"
    return f"the validator rates the fit {fit.confidence:.3f}, more than {VALID:.3f} is needed"
