"""The way a still picture goes, from file to table: every face in it, each by itself."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pyfaceau.config import Config
from pyfaceau.errors import check_image
from pyfaceau.media.picture import read_boxes, read_picture
from pyfaceau.output.beside import Origin, Outputs
from pyfaceau.output.openface_csv import PICTURE, OpenFaceCSV, selected_groups
from pyfaceau.pipeline.mesh import measurer_for
from pyfaceau.pipeline.recorder import Written, record
from pyfaceau.refinement.face_model import HYPOTHESES
from pyfaceau.tracking.abilities import eyes_of
from pyfaceau.tracking.fitter import FaceFitter
from pyfaceau.tracking.gray import with_gray
from pyfaceau.tracking.tracker import make_fitter, upright_detector
from pyfaceau.tracking.turning import turned_back, turned_by, turned_camera, upright, upright_turn
from pyfaceau.types import Camera, FaceBox, Frame, FrameResult, UInt8

SMALLEST_SIDE = 43
"""A picture of fewer pixels high or wide has no face that could be measured."""


class PicturePipeline:
    """Still pictures in, the table of OpenFace's FaceLandmarkImg out.

    Every face that the detector finds is fitted, from its box alone, and reported with its
    confidence, also where the fit is poor. Action units come from the static models.

    Parameters
    ----------
    config : Config, str or Path, optional
        The profile: settings, or name or path of a file of them; ``'default'`` if not given.
    fitter : FaceFitter, optional
        What finds and fits faces; made as the profile says if not given.

    Raises
    ------
    InputError
        If the profile is unknown or holds what it cannot.
    WeightsError
        If a model file is missing, truncated or altered.
    """

    def __init__(
        self,
        config: Config | str | Path | None = None,
        *,
        fitter: FaceFitter | None = None,
    ) -> None:
        self.config = config if isinstance(config, Config) else Config.load(config or "default")
        self._measurer = measurer_for(self.config)
        views = len(HYPOTHESES) if self.config.multi_view else 1
        self._fitter = fitter or make_fitter(self.config, self._measurer.pdm, views)
        self._measurer.eyes = eyes_of(self._fitter)
        self._detect = upright_detector(self.config)

    def faces(
        self,
        image: Any,
        boxes: Iterable[FaceBox] | None = None,
        groups: Iterable[str] | None = None,
    ) -> tuple[FrameResult, ...]:
        """Find and measure all faces of a picture.

        Parameters
        ----------
        image : (H, W, 3) uint8
            BGR picture.
        boxes : iterable of FaceBox, optional
            Boxes of the 68 landmarks of each face; looked for if not given.
        groups : iterable of str, optional
            Action units are not computed where ``aus`` is not among them.

        Returns
        -------
        tuple of FrameResult
            One per face, ``face_id`` counting from 0; empty where there is no face.

        Raises
        ------
        InputError
            If `image` is not such a picture.
        """
        picture = check_image("image", image, channels=(3,))
        return self._faces(Frame(picture, 0, 0.0), boxes, "aus" in selected_groups(groups))

    def _faces(
        self, frame: Frame, boxes: Iterable[FaceBox] | None, action_units: bool
    ) -> tuple[FrameResult, ...]:
        """Find and measure all faces of a picture, in the turn in which they are upright."""
        height, width = frame.image.shape[:2]
        camera = self.config.lens.camera(width, height, still=True)
        frame = turned_by(frame, self._turn(frame.image) if boxes is None else 0)
        results = self._upright_faces(
            upright(frame), turned_camera(camera, frame), boxes, action_units
        )
        return tuple(turned_back(result, frame) for result in results)

    def _turn(self, picture: UInt8) -> int:
        """Return the quarter turns after which a picture's best face is upright."""
        if self._detect is None or min(picture.shape[:2]) < SMALLEST_SIDE:
            return int(self.config.reading.rotate.replace("auto", "0")) // 90
        return upright_turn(picture, self._detect) or 0

    def _upright_faces(
        self, frame: Frame, camera: Camera, boxes: Iterable[FaceBox] | None, action_units: bool
    ) -> list[FrameResult]:
        frame = with_gray(frame)
        if boxes is None and min(frame.image.shape[:2]) < SMALLEST_SIDE:
            fits = []
        elif boxes is None:
            fits = [self._fitter.fit(frame, box) for box in self._fitter.find(frame.image)]
        else:
            fits = [self._fitter.fit_given(frame, box) for box in boxes]
        results = []
        for number, face in enumerate(fit for fit in fits if fit.landmarks.any()):
            with_eyes = self._measurer.with_eyes(frame, face)
            result = self._measurer.place(frame, with_eyes, camera, number)
            if action_units:
                result = self._measurer.with_static_units(frame, result)
            results.append(result)
        return results

    def write_csv(
        self,
        path: str | Path,
        output_csv: str | Path,
        groups: Iterable[str] | None = None,
        boxes_file: str | Path | None = None,
        outputs: Outputs | None = None,
    ) -> Written:
        """Process a picture into a table on disk.

        Parameters
        ----------
        path : str or Path
            The picture.
        output_csv : str or Path
            The table, one row per face. Where there is no face it has no row; OpenFace writes no
            file then.
        groups : iterable of str, optional
            Groups of columns, keys of `pyfaceau.output.openface_csv.GROUPS`; all that can be
            computed if not given.
        boxes_file : str or Path, optional
            Boxes of the faces, see `pyfaceau.media.picture.read_boxes`; looked for if not given.
        outputs : Outputs, optional
            Files to be written beside the table; none if not given.

        Returns
        -------
        Written
            The table, its rows, the files beside it.

        Raises
        ------
        VideoError
            If the picture cannot be read.
        InputError
            If the boxes cannot be read.
        OutputError
            If the table or a file beside it cannot be written.
        """
        selected = self._measurer.possible(selected_groups(groups))
        beside, layout = outputs or Outputs(), self._measurer.layout(PICTURE)
        frame = Frame(read_picture(path), 0, 0.0)
        boxes = None if boxes_file is None else read_boxes(boxes_file)
        size = frame.image.shape[1], frame.image.shape[0]
        camera = self.config.lens.camera(*size, still=True)
        origin = Origin(Path(path), size, camera, still=True)
        with (
            OpenFaceCSV(output_csv, selected, layout, header=self.config.header) as table,
            beside.opened(origin, table, self._measurer.align) as sinks,
        ):
            faces = self._faces(frame, boxes, "aus" in selected or beside.features)
            return record([(frame, faces)], table, sinks=sinks)
