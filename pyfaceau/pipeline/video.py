"""The way a frame goes, from video to table."""

from __future__ import annotations

import tempfile
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyfaceau.asymmetry.units import SplitPredictor, restart, split_predictor
from pyfaceau.config import Config
from pyfaceau.errors import InputError, check_image
from pyfaceau.features.running_median import Calibration
from pyfaceau.media.picture import FrameSource, open_frames
from pyfaceau.media.selected import selected as selected_frames
from pyfaceau.output.beside import Origin, Outputs
from pyfaceau.output.openface_csv import SPLIT, VIDEO, OpenFaceCSV, read_table, selected_groups
from pyfaceau.overlap import ahead, check_threads
from pyfaceau.pipeline.arguments import with_arguments
from pyfaceau.pipeline.mesh import MeshMeasurer, measurer_for
from pyfaceau.pipeline.progress import with_progress
from pyfaceau.pipeline.recorder import Seen, Written, record
from pyfaceau.pipeline.watching import Watching
from pyfaceau.prediction.predictor import AUPredictor
from pyfaceau.tracking.abilities import eyes_of
from pyfaceau.tracking.tracker import Tracker, choose_face, make_tracker, track
from pyfaceau.tracking.turning import TurningTracker, measured_upright
from pyfaceau.types import Camera, Float64, Frame, FrameResult, Selection, TrackedFace

if TYPE_CHECKING:
    import pandas as pd


class FullPythonAUPipeline:
    """Face video in, OpenFace's table out.

    One object serves any number of videos, one after the other; each starts from nothing. Model
    files are paths, or names within the weights folder; those not given are the profile's.

    Parameters
    ----------
    retinaface_model : str or Path, optional
        RetinaFace network, ONNX.
    pfld_model : str or Path, optional
        PFLD network, ONNX.
    pdm_file : str or Path, optional
        68-point shape model.
    au_models_dir : str or Path, optional
        Folder of the action-unit models.
    triangulation_file : str or Path, optional
        Triangles that cover the face.
    patch_expert_file : str or Path, optional
        Patch experts of the refinement of chosen points. Naming another file than the profile's
        chooses that method; naming the profile's own changes nothing.
    use_clnf_refinement : bool, optional
        Refine the landmark network's points; the profile's choice if not given.
    use_batched_predictor : bool
        Accepted for the scripts that pass it: all models are one product either way.
    verbose : bool
        Show a progress bar where standard error is a terminal.
    config : Config, str or Path, optional
        The profile: settings, or name or path of a file of them; ``'default'`` if not given.
    tracker : Tracker, optional
        What gives each frame's landmarks; made as the profile says if not given.
    threads : int, optional
        With 2 or more, decoding, tracking and measuring of a video overlap; no digit depends on
        it. The number of usable cores if not given.

    Raises
    ------
    InputError
        If the profile is unknown or holds what it cannot, or `threads` is less than 1.
    WeightsError
        If a model file is missing, truncated or altered.
    """

    def __init__(
        self,
        retinaface_model: str | Path | None = None,
        pfld_model: str | Path | None = None,
        pdm_file: str | Path | None = None,
        au_models_dir: str | Path | None = None,
        triangulation_file: str | Path | None = None,
        patch_expert_file: str | Path | None = None,
        use_clnf_refinement: bool | None = None,
        use_batched_predictor: bool = True,  # noqa: ARG002 - part of the published signature
        verbose: bool = False,
        *,
        config: Config | str | Path | None = None,
        tracker: Tracker | None = None,
        threads: int | None = None,
    ) -> None:
        settings = config if isinstance(config, Config) else Config.load(config or "default")
        files = {
            "retinaface": retinaface_model,
            "pfld": pfld_model,
            "pdm": pdm_file,
            "au_predictors": au_models_dir,
            "triangulation": triangulation_file,
            "patch_experts": patch_expert_file,
        }
        self.config = with_arguments(settings, files, use_clnf_refinement)
        self.verbose = verbose
        self.threads = check_threads(threads)
        self._build(tracker)
        self.reset()

    def _build(self, tracker: Tracker | None) -> None:
        """Load the stages."""
        self._measurer = measurer_for(self.config)
        self.layout = self._measurer.layout(SPLIT if self.config.split_face else VIDEO)
        tracker = tracker or make_tracker(self.config, self._measurer.pdm, self.threads)
        self._tracker = TurningTracker(tracker)
        self._measurer.eyes = eyes_of(tracker)
        self.calibrate(None)
        self._watching = Watching(self.config)
        choose_face(self._tracker, self.config.selection)

    def calibrate(self, calibration: Calibration | None, *sides: Calibration) -> None:
        """Choose what gives the person's neutral face, from the next video on.

        Parameters
        ----------
        calibration : Calibration or None
            Such as `pyfaceau.features.neutral.IntervalMedian`; None for OpenFace's running median.
        *sides : Calibration
            Of the patient's left and right half, where faces are split; else copies of it.
        """
        self._predictor: AUPredictor | None = None
        self._sides: SplitPredictor | None = None
        if isinstance(self._measurer, MeshMeasurer):
            return
        models, smooth = self._measurer.au_models(self.config.static_aus), self.config.smoothing
        self._predictor = AUPredictor(models, calibration, smooth=smooth)
        if self.config.split_face:
            splitter = self._measurer.splitter(self.config, self._tracker.inner, self.threads)
            self._sides = split_predictor(models, sides or (calibration,) * 2, smooth, splitter)

    def reset(self) -> None:
        """Forget everything that was seen: a new video starts."""
        self._tracker.reset()
        for each in (self._predictor, self._sides):
            if each is not None:
                each.reset()
        self._camera: Camera | None = None
        self._next_index = 0

    def process_video(
        self,
        video_path: str | Path,
        output_csv: str | Path | None = None,
        groups: Iterable[str] | None = None,
        selection: Selection | None = None,
        *,
        max_frames: int | None = None,
    ) -> pd.DataFrame:
        """Process a video into a table.

        Parameters
        ----------
        video_path : str or Path
            The video, or a folder of pictures that is one.
        output_csv : str or Path, optional
            Where the table is written; nowhere if not given.
        groups : iterable of str, optional
            Groups of columns, keys of `pyfaceau.output.openface_csv.GROUPS`; all that can be
            computed if not given.
        selection : Selection, optional
            Which part of the video, and whose face; the profile's if not given.
        max_frames : int, optional
            So many frames at most, instead of the selection's number.

        Returns
        -------
        DataFrame
            The table as written: one row per frame, numbers rounded as in the file.

        Raises
        ------
        InputError
            If nothing of the video is selected, or a value makes no sense.
        VideoError
            If the video cannot be read to its end; see `write_csv`.
        OutputError
            If the table cannot be written.
        """
        if max_frames is not None:
            if max_frames < 1:
                raise InputError(f"max_frames: expected 1 or more, got {max_frames}")
            selection = replace(selection or self.config.selection, max_frames=max_frames)
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "table.csv" if output_csv is None else output_csv
            written = self.write_csv(video_path, target, groups, selection=selection)
            return read_table(written.path)

    def write_csv(
        self,
        video_path: str | Path,
        output_csv: str | Path,
        groups: Iterable[str] | None = None,
        outputs: Outputs | None = None,
        selection: Selection | None = None,
    ) -> Written:
        """Process a video into a table on disk, in memory that does not grow with the video.

        Parameters
        ----------
        video_path : str or Path
            The video, or a folder of pictures that is one.
        output_csv : str or Path
            The table. The name exists from the moment when the table is whole; what there is when
            reading is interrupted or fails goes to ``NAME.partial.csv``.
        groups : iterable of str, optional
            As for `process_video`.
        outputs : Outputs, optional
            Files to be written beside the table; none if not given.
        selection : Selection, optional
            Which part of the video, and whose face; the profile's if not given.

        Returns
        -------
        Written
            The table, its rows, the files beside it.

        Raises
        ------
        InputError
            If nothing of the video is selected, or a value makes no sense.
        VideoError
            If the video cannot be read to its end, after the partial table is written.
        OutputError
            If the table or a file beside it cannot be written.
        """
        selected = selected_groups(groups)
        beside = outputs or Outputs()
        with open_frames(video_path, **self.config.opening) as opened:
            video = self._select(opened, selection)
            origin = Origin.of(video, self.config.lens)
            with (
                OpenFaceCSV(output_csv, selected, self.layout, header=self.config.header) as table,
                beside.opened(origin, table, self._measurer.align) as sinks,
            ):
                units = self.action_units if "aus" in selected and self.layout.at_end else None
                with closing(self._seen(video, "aus" in selected or beside.features)) as seen:
                    written = record(seen, table, units, sinks)
        self._watching.report(video, video_path, written)
        return written

    def action_units(self, rows: int) -> tuple[Float64, ...]:
        """Return what only the whole video can tell, once its `results` are taken.

        Parameters
        ----------
        rows : int
            Frames, from the first on, that are asked for.

        Returns
        -------
        intensities : (rows, 17) float64
            0 to 5.
        presences : (rows, 18) float64
            0 or 1.
        split : (rows, 71) float64
            Where faces are split only, see `SplitPredictor.finish`.

        Raises
        ------
        InputError
            If the calibration saw no neutral face.
        """
        units = self._predictor.finish() if self._predictor else ()
        split = () if self._sides is None else (self._sides.finish(),)
        return tuple(values[:rows] for values in (*units, *split))

    def results(
        self, video: FrameSource | str | Path, groups: Iterable[str] | None = None
    ) -> Iterator[FrameResult]:
        """Yield what is known of each frame of a video when it is read.

        Parameters
        ----------
        video : FrameSource, str or Path
            The video, or a folder of pictures: of it, what the profile selects; or what gives
            frames, which are all taken.
        groups : iterable of str, optional
            As for `process_video`; action units are not computed where ``aus`` is not among them.

        Yields
        ------
        FrameResult
            One per decoded frame. Action units are raw: the person's zero level, clipping and
            smoothing need the whole video.

        Raises
        ------
        VideoError
            If the video cannot be read to its end, after the last frame that can.
        """
        if isinstance(video, (str, Path)):
            with open_frames(video, **self.config.opening) as opened:
                yield from self.results(self._select(opened), groups)
            return
        choose_face(self._tracker, self.config.selection)
        with closing(self._seen(video, "aus" in selected_groups(groups))) as seen:
            yield from (result for _, results in seen for result in results)

    def _select(self, video: FrameSource, selection: Selection | None = None) -> FrameSource:
        """Choose frames and face; the profile's if no selection is given."""
        selection = selection or self.config.selection
        choose_face(self._tracker, selection)
        return selected_frames(video, selection)

    def _seen(self, video: FrameSource, action_units: bool) -> Generator[Seen, None, None]:
        """Yield each frame of a video with what is known of it; decoding and tracking run ahead."""
        self.reset()
        with (
            ahead(self._watching.frames(video), self.threads) as frames,
            ahead(track(self._tracker, frames), self.threads) as faces,
        ):
            for frame, face in with_progress(faces, video.frame_count, self.verbose):
                yield frame, (self._measure(frame, face, action_units),)

    def process_frame(self, image: Any, timestamp: float = 0.0) -> FrameResult:
        """Process the next picture of a live or otherwise decoded video.

        Parameters
        ----------
        image : (H, W, 3) uint8
            BGR picture. What was learnt from the pictures before is used; `reset` forgets it.
        timestamp : float
            Seconds; passed on.

        Returns
        -------
        FrameResult
            As from `results`.

        Raises
        ------
        InputError
            If `image` is not such a picture.
        """
        frame = Frame(image, self._next_index, timestamp)
        return self._measure(frame, self._tracker.update(frame), True)

    def process_image(self, image: Any) -> FrameResult:
        """Process a picture that stands for itself, with static action-unit models.

        Parameters
        ----------
        image : (H, W, 3) uint8
            BGR picture. The pipeline is reset before and after.

        Returns
        -------
        FrameResult
            Action units clipped to 0 .. 5; None where there is no face.

        Raises
        ------
        InputError
            If `image` is not such a picture.
        """
        frame = Frame(check_image("image", image, channels=(3,)), 0, 0.0)
        self.reset()
        result = self._measure(frame, self._tracker.update(frame), False)
        if result.face.ok:
            result = self._measurer.with_static_units(frame, result)
        self.reset()
        return result

    def _measure(self, frame: Frame, face: TrackedFace, action_units: bool) -> FrameResult:
        """Take a frame through the stages after the landmarks."""
        self._next_index = frame.index + 1
        self._camera = self._camera or self.config.lens.camera(*frame.image.shape[1::-1])
        return measured_upright(
            frame, self._camera, lambda frame, camera: self._see(frame, camera, face, action_units)
        )

    def _see(
        self, frame: Frame, camera: Camera, face: TrackedFace, action_units: bool
    ) -> FrameResult:
        """Measure a face in the picture in which it is upright."""
        face = self._measurer.with_eyes(frame, face) if face.success else face
        result = self._measurer.place(frame, face, camera, gaze=face.success)
        if not action_units or self._predictor is None or isinstance(self._measurer, MeshMeasurer):
            return result
        if self._watching.starts_anew(frame):
            restart(self._predictor, self._sides)
        halves = None if self._sides is None else self._sides.see(frame, face)
        if not face.ok:
            return replace(result, action_units=self._predictor.update(None, frame.timestamp))
        aligned, features = self._measurer.features(frame.image, face)
        units = self._predictor.update(features, frame.timestamp)
        split = None if halves is None else halves.result()  # one was described beside all this
        result = replace(result, aligned=aligned, features=features, action_units=units)
        return self._watching.look(replace(result, split=split))
