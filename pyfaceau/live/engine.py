"""The threads of a live session: one captures, one measures; a window has its own.

A picture that comes while another is measured waits in a place for one; a newer one takes that
place. So what is seen is never older than one frame's work, however slow the machine.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

from pyfaceau.errors import PyfaceauError
from pyfaceau.live.calibration import LiveUnits
from pyfaceau.live.latest import Latest
from pyfaceau.live.message import LiveFrame, Sides
from pyfaceau.live.recorder import Recorder
from pyfaceau.live.source import Captured, Source
from pyfaceau.pipeline.video import FullPythonAUPipeline
from pyfaceau.types import Camera, SplitFace

logger = logging.getLogger(__name__)

_WARM = 3


class LiveEngine:
    """Measures what a source shows, and hands it to whoever listens.

    Parameters
    ----------
    pipeline : FullPythonAUPipeline
        What measures; nobody else may use it meanwhile.
    units : LiveUnits
        Of the same action-unit models.
    source : Source
        The pictures.
    window : bool
        A window will call `shown`.
    sides : tuple of LiveUnits, optional
        For the patient's left and right half, where the pipeline splits faces.

    Attributes
    ----------
    began : threading.Event
        Set when the first picture has come.
    error : PyfaceauError or None
        Why the session ended, where it did not end well.
    recording : Path or None
        The file that is being recorded.
    recorded : list of str
        What is to be said of the recordings that are done.
    """

    def __init__(
        self,
        pipeline: FullPythonAUPipeline,
        units: LiveUnits,
        source: Source,
        window: bool = False,
        sides: tuple[LiveUnits, LiveUnits] | None = None,
    ) -> None:
        self._pipeline, self._units, self._source = pipeline, units, source
        self._sides = sides
        self._window = window
        self._captured: Latest[Captured] = Latest()
        self._listeners: list[Latest[LiveFrame]] = []
        self._wishes: list[Callable[[], None]] = []
        self._wishes_lock = threading.Lock()
        self._stopped = threading.Event()
        self.began = threading.Event()
        self._recorder: Recorder | None = None
        self._gaze = pipeline.config.landmarks != "pfld"
        self._mesh = not pipeline.config.has_units
        height, width = source.first.shape[:2]
        self._camera: Camera = pipeline.config.lens.camera(width, height)
        self._threads = [
            threading.Thread(target=self._capture, name="live capture", daemon=True),
            threading.Thread(target=self._track, name="live tracking", daemon=True),
        ]
        self.error: PyfaceauError | None = None
        self.recorded: list[str] = []

    def listen(self, listener: Latest[LiveFrame]) -> Latest[LiveFrame]:
        """Add a listener, before `start` or while frames come.

        Parameters
        ----------
        listener : Latest
            Where each frame is put; it is closed at the end.

        Returns
        -------
        Latest
            The same.
        """
        self._wish(lambda: self._listeners.append(listener))
        return listener

    def start(self) -> None:
        """Get the models ready on the first picture, then let the clock run."""
        for number in range(_WARM):
            self._pipeline.process_frame(self._source.first, number / 30)
        self._pipeline.reset()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End the session; what was captured and not yet measured is left out."""
        self._stopped.set()
        self._captured.close()

    def join(self) -> None:
        """Wait until everything is measured and written."""
        for thread in self._threads:
            while thread.is_alive():
                thread.join(0.2)  # so that Ctrl-C is heard

    @property
    def mirrored(self) -> bool:
        """Whether the patient's left is on the image's left."""
        return self._pipeline.config.mirrored_input

    @property
    def running(self) -> bool:
        """Whether frames may still come."""
        return any(thread.is_alive() for thread in self._threads)

    @property
    def recording(self) -> Path | None:
        """The file that is being recorded."""
        recorder = self._recorder
        return None if recorder is None else recorder.path

    def record(self, path: str | Path | None) -> None:
        """Begin a recording with the next frame, or end the one that is going on.

        Parameters
        ----------
        path : str, Path or None
            The file; None ends.
        """
        self._wish(lambda: self._record(path))

    def take_neutral(self) -> None:
        """Take the face of the last half second as the neutral one."""
        self._wish(self._take_neutral)

    def shown(self, frame: LiveFrame) -> None:
        """Note that the window has drawn a frame.

        Parameters
        ----------
        frame : LiveFrame
            The frame.
        """
        recorder = self._recorder
        if recorder is not None:
            recorder.shown(frame.index, time.monotonic())

    def _wish(self, wish: Callable[[], None]) -> None:
        """Have something done by the tracking thread, between two frames."""
        with self._wishes_lock:
            self._wishes.append(wish)

    def _fulfil(self) -> None:
        with self._wishes_lock:
            wishes, self._wishes = self._wishes, []
        for wish in wishes:
            wish()

    def _record(self, path: str | Path | None) -> None:
        if self._recorder is not None:
            recorder, self._recorder = self._recorder, None
            done = recorder.finish(partial=self.error is not None)
            self.recorded.append(f"{done}: {recorder.rows} frames")
        if path is not None:
            split = self._sides is not None
            self._recorder = Recorder(path, self._gaze, self._window, split, self._mesh)

    def _take_neutral(self) -> None:
        sides = self._sides or ()
        if not all(part.seen for part in (self._units, *sides)):
            turned = ", or it was turned away" if sides else ""
            logger.warning("no neutral face taken: no face was seen yet%s", turned)
            return
        taken = [n for part in (self._units, *sides) if (n := part.take_neutral())]
        self._pipeline.calibrate(*taken)

    def _capture(self) -> None:
        try:
            for captured in self._source.frames():
                self.began.set()
                if self._stopped.is_set():
                    break
                self._captured.put(captured)
        except PyfaceauError as error:
            self.error = error
        finally:
            self._captured.close()

    def _track(self) -> None:
        try:
            while (captured := self._captured.take()) is not None:
                self._fulfil()
                frame = self._measure(captured)
                if self._recorder is not None:
                    self._recorder.write(frame)
                for listener in self._listeners:
                    listener.put(frame)
        except PyfaceauError as error:
            self.error = error
        finally:
            self.stop()
            self._end()

    def _end(self) -> None:
        """Close the recording and tell who listens."""
        try:
            self._fulfil()
            self._record(None)
        except PyfaceauError as error:
            self.error = self.error or error
        for listener in self._listeners:
            listener.close()

    def _measure(self, captured: Captured) -> LiveFrame:
        result = self._pipeline.process_frame(captured.image, captured.timestamp)
        units = self._units.update(result.action_units, result.features)
        return LiveFrame(
            image=captured.image,
            result=result,
            units=units,
            camera=self._camera,
            index=captured.index,
            timestamp=captured.timestamp,
            clock=captured.clock,
            latency=time.monotonic() - captured.clock,
            dropped=self._captured.dropped,
            neutral="taken" if self._units.taken else "running",
            sides=self._measure_sides(result.split),
        )

    def _measure_sides(self, split: SplitFace | None) -> Sides | None:
        """Return the action units of the halves, where faces are split."""
        if self._sides is None:
            return None
        halves = split or SplitFace(None, None, 1.0)
        left, right = self._sides
        return (
            left.update(halves.units[0], halves.left),
            right.update(halves.units[1], halves.right),
        )
