"""The way of a video with several people: every face that is followed has its rows."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from pathlib import Path

from pyfaceau.config import Config
from pyfaceau.errors import InputError
from pyfaceau.media.picture import FrameSource, open_frames
from pyfaceau.media.selected import selected as selected_frames
from pyfaceau.output.beside import Origin, Outputs
from pyfaceau.output.openface_csv import SEVERAL, OpenFaceCSV, selected_groups
from pyfaceau.overlap import ahead, check_threads
from pyfaceau.pipeline.mesh import measurer_for
from pyfaceau.pipeline.progress import with_progress
from pyfaceau.pipeline.recorder import Seen, Written, record
from pyfaceau.pipeline.watching import Watching
from pyfaceau.tracking.abilities import eyes_of
from pyfaceau.tracking.fitter import FaceFitter
from pyfaceau.tracking.identity import Identities
from pyfaceau.tracking.multi import MultiFaceTracker
from pyfaceau.tracking.tracker import make_fitter
from pyfaceau.tracking.turning import measured_upright, upright
from pyfaceau.types import Camera, Frame, FrameResult, TrackedFace


class MultiFacePipeline:
    """Video of up to four people at a time in, the table of OpenFace's FaceLandmarkVidMulti out.

    Action units come from the static models: a slot is no person whose neutral face could be
    learnt. One object serves any number of videos; each starts from nothing.

    Parameters
    ----------
    config : Config, str or Path, optional
        The profile: settings, or name or path of a file of them; ``'default'`` if not given.
    verbose : bool
        Show a progress bar where standard error is a terminal.
    fitter : FaceFitter, optional
        What finds and fits faces; made as the profile says if not given.
    threads : int, optional
        With 2 or more, decoding, tracking and measuring overlap; no digit depends on it. The
        number of usable cores if not given.

    Raises
    ------
    InputError
        If the profile is unknown or holds what it cannot, or `threads` is less than 1.
    WeightsError
        If a model file is missing, truncated or altered.
    """

    def __init__(
        self,
        config: Config | str | Path | None = None,
        verbose: bool = False,
        *,
        fitter: FaceFitter | None = None,
        threads: int | None = None,
    ) -> None:
        self.config = config if isinstance(config, Config) else Config.load(config or "default")
        self.verbose = verbose
        self.threads = check_threads(threads)
        # One turn for all: a camera's, not a patient's.
        self._watching = Watching(self.config, one=False)
        self._measurer = measurer_for(self.config)
        fitter = fitter or make_fitter(self.config, self._measurer.pdm, 0)
        self._measurer.eyes = eyes_of(fitter)
        self._tracker = MultiFaceTracker(fitter, Identities() if self.config.identities else None)

    def write_csv(
        self,
        video_path: str | Path,
        output_csv: str | Path,
        groups: Iterable[str] | None = None,
        outputs: Outputs | None = None,
    ) -> Written:
        """Process a video into a table on disk, in memory that does not grow with the video.

        Parameters
        ----------
        video_path : str or Path
            The video, or a folder of pictures.
        output_csv : str or Path
            The table: a row for each frame and face. Where reading fails or is interrupted, what
            there is goes to ``NAME.partial.csv``.
        groups : iterable of str, optional
            Groups of columns, keys of `pyfaceau.output.openface_csv.GROUPS`; all that can be
            computed if not given.
        outputs : Outputs, optional
            Files to be written beside the table; none if not given.

        Returns
        -------
        Written
            The table, its rows, the files beside it.

        Raises
        ------
        InputError
            If the profile selects nothing of the video, or one face.
        VideoError
            If the video cannot be read to its end, after the partial table is written.
        OutputError
            If the table or a file beside it cannot be written.
        """
        selected = self._measurer.possible(selected_groups(groups))
        beside, layout = outputs or Outputs(), self._measurer.layout(SEVERAL)
        selection = self.config.selection
        if selection.of_people:
            raise InputError("face, roi: expected none where several faces are followed")
        with open_frames(video_path, **self.config.opening) as opened:
            frames = selected_frames(opened, selection)
            origin = Origin.of(frames, self.config.lens)
            with (
                OpenFaceCSV(output_csv, selected, layout, header=self.config.header) as table,
                beside.opened(origin, table, self._measurer.align) as sinks,
                closing(self._seen(frames, "aus" in selected or beside.features)) as seen,
            ):
                written = record(seen, table, sinks=sinks)
        self._watching.report(frames, video_path, written)
        return written

    def results(
        self, frames: FrameSource, groups: Iterable[str] | None = None
    ) -> Iterator[FrameResult]:
        """Yield what is known of each face in each frame.

        Parameters
        ----------
        frames : FrameSource
            An open video or sequence of pictures.
        groups : iterable of str, optional
            Action units are not computed where ``aus`` is not among them.

        Yields
        ------
        FrameResult
            Frame by frame, faces in the order of `face_id`.

        Raises
        ------
        VideoError
            If the video cannot be read to its end, after the last frame that can.
        """
        with closing(self._seen(frames, "aus" in selected_groups(groups))) as seen:
            for _, results in seen:
                yield from results

    def _seen(self, frames: FrameSource, action_units: bool) -> Generator[Seen, None, None]:
        """Yield each frame with its faces."""
        camera = self.config.lens.camera(frames.width, frames.height)
        self._tracker.reset()
        with ahead(self._watching.frames(frames), self.threads) as decoded:
            tracked = ((frame, self._tracker.update(upright(frame))) for frame in decoded)
            with ahead(tracked, self.threads) as followed:
                for frame, faces in with_progress(followed, frames.frame_count, self.verbose):
                    found = [one for one in faces if one[1].landmarks.any()]
                    yield (
                        frame,
                        [self._seen_one(frame, camera, *one, action_units) for one in found],
                    )

    def _seen_one(
        self, frame: Frame, camera: Camera, number: int, face: TrackedFace, action_units: bool
    ) -> FrameResult:
        """Take a face through the stages after the landmarks, in the upright picture."""

        def measure(frame: Frame, camera: Camera) -> FrameResult:
            seen = self._measurer.with_eyes(frame, face) if face.ok else face
            result = self._measurer.place(frame, seen, camera, number, gaze=face.ok)
            return self._measurer.with_static_units(frame, result) if action_units else result

        return measured_upright(frame, camera, measure)
