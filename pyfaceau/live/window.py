"""The window of a live session, drawn with Qt, whose names its handlers of events bear."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

import numpy as np

from pyfaceau.errors import InputError
from pyfaceau.live.engine import LiveEngine
from pyfaceau.live.latest import Latest
from pyfaceau.live.message import LiveFrame
from pyfaceau.output.drawing import draw_face

try:
    from PySide6 import QtCore, QtGui, QtWidgets

    from pyfaceau.live.bars import FAINT, INK, paint_units
except ImportError:
    raise InputError(
        "live: the window needs Qt: pip install 'pyfaceau[gui]'; --json and --serve need none"
    ) from None

_PANEL = 260
_BACK, _WARN = "#1d2026", "#e06060"
_HELP = "q quit   r record   n take the neutral face"
_RUNNING = "levels are learnt as the video goes on: the first seconds are less sure"
_TAKEN = "levels are those of the neutral face that was taken"


def check_display() -> None:
    """Refuse to open a window where there is no display; Qt would end the program.

    Raises
    ------
    InputError
        If there is none.
    """
    offscreen = os.environ.get("QT_QPA_PLATFORM", "").startswith(("offscreen", "minimal"))
    if not sys.platform.startswith("linux") or offscreen:
        return
    named = any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    probe = "from PySide6.QtGui import QGuiApplication; QGuiApplication([])"
    if (
        not named
        or subprocess.run(  # noqa: S603 - this interpreter
            [sys.executable, "-c", probe], capture_output=True, check=False, timeout=60
        ).returncode
    ):
        raise InputError(
            "live: no display to open a window on; --json and --serve need none, and "
            "QT_QPA_PLATFORM=offscreen runs without showing anything"
        )


class LiveWindow(QtWidgets.QWidget):
    """Shows the newest frame with what was measured in it.

    Parameters
    ----------
    engine : LiveEngine
        Not started yet.
    name : str
        What is shown: the camera or file.
    recording : callable
        Gives the name of a new recording, for the key ``r``.
    """

    arrived = QtCore.Signal()

    def __init__(self, engine: LiveEngine, name: str, recording: Callable[[], Path]) -> None:
        super().__init__()
        self._engine, self._recording = engine, recording
        self._frame: LiveFrame | None = None
        self._picture: QtGui.QImage | None = None
        self._drawn = -1
        self._times: deque[float] = deque(maxlen=60)
        self._late: deque[float] = deque(maxlen=60)
        self.setWindowTitle(f"pyfaceau live: {name}")
        self.resize(900, 560)
        self.arrived.connect(self._renew)
        self._frames = engine.listen(Latest(self.arrived.emit))

    def keyPressEvent(self, event: QtGui.QKeyEvent) -> None:  # noqa: N802  # numpydoc ignore=PR01
        """Do what a key stands for."""
        key = event.text().lower()
        if key == "q":
            self.close()
        elif key == "r":
            self._engine.record(None if self._engine.recording else self._recording())
        elif key == "n":
            self._engine.take_neutral()

    def closeEvent(self, event: QtGui.QCloseEvent) -> None:  # noqa: N802  # numpydoc ignore=PR01
        """End the session with the window."""
        self._engine.stop()
        event.accept()

    def _renew(self) -> None:
        """Draw the newest frame's marks into its picture, and ask to be painted."""
        frame = self._frames.take(wait=False)
        if frame is not None:
            image = frame.image.copy()
            if frame.result.face.success:
                draw_face(image, frame.result, frame.camera)
            height, width = image.shape[:2]
            kind = QtGui.QImage.Format.Format_BGR888
            self._picture = QtGui.QImage(image.data, width, height, 3 * width, kind).copy()
            self._frame = frame
            self.repaint()
        elif self._frames.closed:
            self.close()

    def paintEvent(self, _event: QtGui.QPaintEvent) -> None:  # noqa: N802  # numpydoc ignore=PR01
        """Paint picture, bars and status."""
        painter = QtGui.QPainter(self)
        painter.fillRect(self.rect(), QtGui.QColor(_BACK))
        frame = self._frame
        if frame is None or self._picture is None:
            painter.setPen(QtGui.QColor(INK))
            painter.drawText(self.rect(), _CENTRE, "getting ready ...")
            painter.end()
            return
        self._paint_picture(painter, self._picture)
        area = QtCore.QRectF(self.width() - _PANEL + 12, 10, _PANEL - 24, self.height() - 20)
        paint_units(painter, area, frame, self._engine.mirrored)
        self._paint_status(painter, frame)
        painter.end()
        if frame.index != self._drawn:
            self._drawn = frame.index
            self._engine.shown(frame)
            now = time.monotonic()
            self._times.append(now)
            self._late.append(now - frame.clock)

    def _paint_picture(self, painter: QtGui.QPainter, picture: QtGui.QImage) -> None:
        room = QtCore.QRect(0, 0, self.width() - _PANEL, self.height() - 66)
        size = picture.size().scaled(room.size(), QtCore.Qt.AspectRatioMode.KeepAspectRatio)
        place = QtCore.QRect(QtCore.QPoint(0, 0), size)
        place.moveCenter(room.center())
        painter.drawImage(place, picture)

    def _paint_status(self, painter: QtGui.QPainter, frame: LiveFrame) -> None:
        face, top = frame.result.face, self.height() - 62
        painter.setPen(QtGui.QColor(INK if face.success else _WARN))
        state = f"confidence {face.confidence:.2f}" if face.success else face.reason or "no face"
        gaze = frame.result.gaze
        if face.success and gaze is not None:
            x, y = np.degrees(gaze.angles.astype(float))
            state += f"   gaze {x:+.0f}, {y:+.0f} degrees"
        painter.drawText(QtCore.QPointF(10, top + 14), state)
        painter.setPen(QtGui.QColor(INK))
        rate, late = self._pace()
        pace = f"{rate:.0f} frames/s   latency {late:.0f} ms   {frame.dropped} dropped"
        painter.drawText(QtCore.QPointF(10, top + 32), pace)
        painter.setPen(QtGui.QColor(FAINT))
        note = _TAKEN if frame.neutral == "taken" else _RUNNING
        painter.drawText(QtCore.QPointF(10, top + 50), f"{_HELP}      {note}")
        if (path := self._engine.recording) is not None:
            painter.setPen(QtGui.QColor(_WARN))
            painter.drawText(QtCore.QPointF(300, top + 14), f"recording {path.name}")

    def _pace(self) -> tuple[float, float]:
        """Return frames shown per second and their median latency, ms."""
        if len(self._times) < 2:
            return 0.0, 0.0
        span = self._times[-1] - self._times[0]
        return (len(self._times) - 1) / max(span, 1e-9), float(np.median(self._late)) * 1000


_CENTRE = QtCore.Qt.AlignmentFlag.AlignCenter


def run_window(engine: LiveEngine, name: str, recording: Callable[[], Path]) -> None:
    """Show a session until it ends or the window is closed.

    Parameters
    ----------
    engine : LiveEngine
        Not started yet.
    name : str
        What is shown.
    recording : callable
        Gives the name of a new recording.
    """
    app = QtWidgets.QApplication.instance() or QtWidgets.QApplication(["pyfaceau"])
    window = LiveWindow(engine, name, recording)
    window.show()
    app.processEvents()
    engine.start()
    listening = QtCore.QTimer()  # lets Python hear Ctrl-C, which closes the window below
    listening.timeout.connect(lambda: None)
    listening.start(200)
    app.exec()
    engine.stop()
