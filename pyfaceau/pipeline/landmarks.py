"""Faces of pictures to landmarks, by any of the package's models: a table and overlays."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from pyfaceau.config import Config, profiles
from pyfaceau.errors import InputError, OutputError, PyfaceauError
from pyfaceau.landmarks import facemap_3dmm
from pyfaceau.landmarks.crop import crop_from_box, cut, whole
from pyfaceau.media.picture import read_picture
from pyfaceau.output.point_drawing import draw_crop, draw_points
from pyfaceau.output.target import Target, writing
from pyfaceau.types import FaceBox, Float64, Frame, UInt8

MODELS = ("onet", "pfld", "clnf", "facemap", "free")
"""Models by name."""

ONET_MARGIN = 0.1
"""ONet's crop is the square around RetinaFace's box, wider by this share."""


@dataclass(frozen=True, eq=False)
class FoundPoints:
    """One face's landmarks.

    Attributes
    ----------
    score : float
        What the model thinks of it, 0 to 1; of a model without opinion the detector's.
    points : (n, 2) float64
        Pixels; NaN where there is no face.
    crop : tuple of float
        x0, y0, x1, y1 of what the model saw, pixels.
    reason : str
        Why there are no points; empty where there are.
    """

    score: float
    points: Float64
    crop: tuple[float, float, float, float]
    reason: str = ""


class PointModel(Protocol):
    """Finds the points of a face in a box."""

    count: int

    def find(self, image: UInt8, box: FaceBox | None) -> FoundPoints:
        """Find the points of one face.

        Parameters
        ----------
        image : (H, W, 3) uint8
            BGR picture.
        box : FaceBox or None
            Where the face is; None where it fills the picture.

        Returns
        -------
        FoundPoints
            Its points, or the reason why there are none.
        """

    def boxes(self, image: UInt8) -> Sequence[FaceBox]:
        """Find the faces of a picture.

        Parameters
        ----------
        image : (H, W, 3) uint8
            BGR picture.

        Returns
        -------
        sequence of FaceBox
            Empty where there is none.
        """


class _Detected:
    """Models that look into RetinaFace's boxes."""

    count = 68

    def __init__(self) -> None:
        from pyfaceau.detection.retinaface import RetinaFace

        self._detector = RetinaFace()

    def boxes(self, image: UInt8) -> Sequence[FaceBox]:
        return self._detector.detect(image)


class _ONet(_Detected):
    count = 5

    def __init__(self, model: str | None = None) -> None:
        from pyfaceau.landmarks.onet import FaceLandmarkModel

        super().__init__()
        self._model = FaceLandmarkModel(model)

    def find(self, image: UInt8, box: FaceBox | None) -> FoundPoints:
        crop = whole(image)
        if box is not None:
            crop = crop_from_box(box, ONET_MARGIN)
        seen = cut(image, crop)
        score, points = self._model.face_landmarks(seen)
        found = points.astype(np.float64) + crop[:2]
        reason = "" if np.isfinite(found).all() else f"no face: score {score:.2f} is below 0.7"
        return FoundPoints(score, found, crop, reason)


class _Network(_Detected):
    def __init__(self, model: str | None = None) -> None:
        from pyfaceau.landmarks.network import open_network

        super().__init__()
        self._model = open_network(model)

    def find(self, image: UInt8, box: FaceBox | None) -> FoundPoints:
        box = box or _whole_box(image)
        found = self._model.predict(image, box)
        return FoundPoints(found.confidence, found.points.astype(np.float64), _corners(box))


class _FaceMap(_Detected):
    def __init__(self, model: str | None = None) -> None:
        super().__init__()
        self._model = facemap_3dmm.FaceMap3DMM(model)
        self._decode = facemap_3dmm.FaceMapDecoder.load()

    def find(self, image: UInt8, box: FaceBox | None) -> FoundPoints:
        crop = whole(image)
        if box is not None:
            crop = crop_from_box(box)
        values = self._model(image, crop)
        score = 1.0 if box is None else box.score
        if not np.isfinite(values).all():
            missing = np.full((68, 2), np.nan)
            return FoundPoints(0.0, missing, crop, "the network answers NaN or infinity")
        return FoundPoints(score, self._decode(values, crop).points, crop)


class _Profile:
    """A profile of the pipeline, which finds its faces by itself."""

    count = 68

    def __init__(self, profile: str) -> None:
        from pyfaceau.pipeline.mesh import measurer_for
        from pyfaceau.tracking.tracker import make_fitter

        config = Config.load(profile)
        self._fitter = make_fitter(config, measurer_for(config).pdm, 1)

    def boxes(self, image: UInt8) -> Sequence[FaceBox]:
        return self._fitter.find(image)

    def find(self, image: UInt8, box: FaceBox | None) -> FoundPoints:
        from pyfaceau.tracking.gray import with_gray

        box = box or _whole_box(image)
        face = self._fitter.fit_given(with_gray(Frame(image, 0, 0.0)), box)
        points = face.landmarks.astype(np.float64)
        reason = "" if points.any() else face.reason or "no fit"
        if reason:
            points = np.full((68, 2), np.nan)
        return FoundPoints(face.confidence, points, _corners(box), reason)


def open_model(name: str) -> PointModel:
    """Load a landmark model.

    Parameters
    ----------
    name : str
        One of `MODELS`, or the path of an ONNX network: ONet, FaceMap, or of 68 points as
        `pyfaceau.landmarks.network` reads it.

    Returns
    -------
    PointModel
        Ready to find.

    Raises
    ------
    InputError
        If there is no model of that name.
    WeightsError
        If a model file is missing, altered or none of these networks.
    """
    simple: dict[str, Callable[[], PointModel]]
    simple = {"onet": _ONet, "pfld": _Network, "facemap": _FaceMap}
    if name in simple:
        return simple[name]()
    if name == "clnf" or (name == "free" and name in profiles()):
        return _Profile("openface" if name == "clnf" else name)
    if name.lower().endswith(".onnx"):
        return _of_file(name)
    raise InputError(f"model: expected {', '.join(MODELS)} or PATH.onnx, got {name!r}")


def _of_file(path: str) -> PointModel:
    """Load an ONNX file as the network that its outputs say it is."""
    from pyfaceau.models.onnxsession import free_shape, open_any_session

    session = open_any_session(path)
    lengths = {(free_shape(value) or (None,))[-1] for value in session.get_outputs()}
    if {2, 4, 10} <= lengths:
        return _ONet(path)
    if facemap_3dmm.VALUES in lengths:
        return _FaceMap(path)
    return _Network(path)


def write_landmarks(
    model: PointModel, pictures: Iterable[Path], folder: str | Path, crops: bool = False
) -> list[str]:
    """Find landmarks in pictures; write ``landmarks.csv`` and ``NAME_overlay.jpg`` of each.

    The table has a row for each face, and one for each picture without: ``file, face, status,
    reason, score, x0, y0, x1, y1, x_0, ..., y_0, ...``, pixels.

    Parameters
    ----------
    model : PointModel
        From `open_model`.
    pictures : iterable of Path
        The pictures.
    folder : str or Path
        Where the files go; made if it does not exist.
    crops : bool
        Each picture is the crop of a face; otherwise faces are looked for.

    Returns
    -------
    list of str
        Pictures that could not be read or measured, each with its reason.

    Raises
    ------
    InputError
        If two pictures would have one overlay.
    OutputError
        If a file cannot be written.
    """
    folder = Path(folder)
    pictures = list(pictures)
    _check_names(pictures)
    problems = []
    target = Target(folder / "landmarks.csv", (".csv",))
    axes = [f"{axis}_{i}" for axis in "xy" for i in range(model.count)]
    with ExitStack() as stack:
        stack.enter_context(writing(target.path))
        stack.callback(target.discard)
        with target.part.open("w", encoding="utf-8", newline="") as stream:
            table = csv.writer(stream, lineterminator="\n")
            table.writerow([*"file face status reason score x0 y0 x1 y1".split(), *axes])
            for path in pictures:
                try:
                    image = read_picture(path)
                    faces = list(_faces(model, image, crops))
                except OutputError:
                    raise
                except PyfaceauError as error:
                    problems.append(str(error) if str(path) in str(error) else f"{path}: {error}")
                    table.writerow([path, "", "failed", error, *[""] * (5 + len(axes))])
                    continue
                table.writerows(_rows(path, faces, len(axes)))
                _overlay(folder / f"{path.stem}_overlay.jpg", image, faces)
        target.commit()
    return problems


def _check_names(pictures: Sequence[Path]) -> None:
    seen: dict[str, Path] = {}
    for path in pictures:
        other = seen.setdefault(os.path.normcase(path.stem), path)
        if other is not path:
            raise InputError(f"{other} and {path} would both be drawn as {path.stem}_overlay.jpg")


def _faces(model: PointModel, image: UInt8, crops: bool) -> Iterator[FoundPoints]:
    """Yield what a model finds in a picture."""
    if crops:
        yield model.find(image, None)
    else:
        yield from (model.find(image, box) for box in model.boxes(image))


def _rows(path: Path, faces: Sequence[FoundPoints], cells: int) -> Iterator[list[object]]:
    """Yield a picture's rows."""
    if not faces:
        yield [path, "", "no_face", "no face detected", *[""] * (5 + cells)]
    for number, face in enumerate(faces):
        values = [f"{v:.3f}" if math.isfinite(v) else "" for v in face.points.T.ravel().tolist()]
        status = "no_face" if face.reason else "ok"
        corners = [f"{v:.1f}" for v in face.crop]
        yield [path, number, status, face.reason, f"{face.score:.4f}", *corners, *values]


def _overlay(path: Path, image: UInt8, faces: Sequence[FoundPoints]) -> None:
    """Write a picture with its faces' points in it."""
    picture = image.copy()
    line = max(1, round(max(image.shape) / 600))
    for face in faces:
        draw_crop(picture, face.crop, line)
        few = round((face.crop[2] - face.crop[0]) / 80) if len(face.points) < 68 else 0
        draw_points(picture, face.points, point_size=max(line + 1, few), line_width=line)
    write_jpeg(path, picture)


def write_jpeg(path: Path, image: UInt8) -> None:
    """Write a picture as JPEG, whole or not at all.

    Parameters
    ----------
    path : Path
        The file.
    image : (H, W, 3) uint8
        BGR.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    target = Target(path, (".jpg",))
    with writing(path):
        _, data = cv2.imencode(".jpg", image)
        target.part.write_bytes(data.tobytes())
    target.commit()


def _whole_box(image: UInt8) -> FaceBox:
    return FaceBox(0.0, 0.0, float(image.shape[1]), float(image.shape[0]))


def _corners(box: FaceBox) -> tuple[float, float, float, float]:
    return box.x, box.y, box.x + box.width, box.y + box.height
