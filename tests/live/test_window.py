"""The window, drawn where nobody looks: keys, bars, the end; what is said without a display."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

os.environ["QT_QPA_PLATFORM"] = "offscreen"
QtCore = pytest.importorskip("PySide6.QtCore", exc_type=ImportError)
QtWidgets = pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)

QtGui = pytest.importorskip("PySide6.QtGui", exc_type=ImportError)

from pyfaceau.cli.command import main  # noqa: E402
from pyfaceau.errors import InputError  # noqa: E402
from pyfaceau.live import bars, window  # noqa: E402
from pyfaceau.live.latest import Latest  # noqa: E402
from tests.live.doubles import engine, run  # noqa: E402


@pytest.fixture(scope="module")
def app():
    return QtWidgets.QApplication.instance() or QtWidgets.QApplication([])


def press(shown, key: str) -> None:
    kind = QtCore.QEvent.Type.KeyPress
    shown.keyPressEvent(QtGui.QKeyEvent(kind, 0, QtCore.Qt.KeyboardModifier.NoModifier, key))


def wait(app, until) -> None:
    deadline = QtCore.QDeadlineTimer(5000)
    while not until():
        assert not deadline.hasExpired()
        app.processEvents(QtCore.QEventLoop.ProcessEventsFlag.AllEvents, 10)


def test_keys_record_take_the_neutral_face_and_quit(app, tmp_path: Path) -> None:
    session = engine(count=100_000, work=0.01, window=True, landmarks="clnf")
    shown = window.LiveWindow(session, "test", lambda: tmp_path / "r.csv")
    shown.show()
    session.start()
    wait(app, lambda: shown._frame is not None)
    press(shown, "r")
    wait(app, lambda: session.recording is not None and shown._frame.index % 3 == 0)
    press(shown, "n")
    wait(app, lambda: shown._frame.neutral == "taken" and shown._frame.units is not None)
    picture = shown.grab().toImage()
    colours = {picture.pixelColor(x, y).name() for x in range(640, 900, 3) for y in range(500)}
    assert {bars.ACTIVE, window._BACK} <= colours, "bars of units that are present"
    press(shown, "R")
    wait(app, lambda: session.recording is None)
    press(shown, "q")
    assert not shown.isVisible()
    session.join()
    table = pd.read_csv(tmp_path / "r.csv")
    assert table.shown_ms.notna().any()
    assert (table.shown_ms.dropna() < 5000).all()


@pytest.mark.parametrize("mirrored", [False, True])
def test_halves_stand_where_they_are_in_the_picture(app, mirrored: bool) -> None:
    session = engine(count=2, split=True, window=True)
    frames = session.listen(Latest())
    run(session)
    frame = frames.take()
    image = QtGui.QImage(300, 500, QtGui.QImage.Format.Format_RGB32)
    image.fill(0)
    painter = QtGui.QPainter(image)
    bars.paint_units(painter, QtCore.QRectF(0, 0, 300, 500), frame, mirrored)
    painter.end()
    lit = [x for x in range(300) if image.pixelColor(x, 26 + 13).name() == bars.ACTIVE]
    middle = 48 + (300 - 48) / 2
    left = sum(x < middle for x in lit)
    right = len(lit) - left
    long, short = (left, right) if mirrored else (right, left)
    assert long == pytest.approx(4 * short, rel=0.1), "4 of the patient's left, 1 of the right"


def test_the_window_closes_with_the_video(app, tmp_path: Path) -> None:
    session = engine(count=5, work=0.01, window=True)
    window.run_window(session, "test", lambda: tmp_path / "r.csv")
    session.join()
    assert session.error is None
    assert not session.running


def test_without_a_display(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("QT_QPA_PLATFORM")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(InputError, match="live: no display to open a window on"):
        window.check_display()
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    window.check_display()


def test_the_command_on_a_file(shared: Path, weights_dir: Path, tmp_path: Path) -> None:
    video = shared / "samples/video/single_face.mp4"
    out = tmp_path / "live.csv"
    args = ["live", "--file", str(video), "--record", str(out), "--seconds", "2", "--split-face"]
    done = CliRunner().invoke(main, args)
    assert done.exit_code == 0, done.output
    table = pd.read_csv(out)
    assert table.success.mean() > 0.9
    assert table.timestamp.is_monotonic_increasing
    assert table.timestamp.iloc[-1] > 0
    assert table.shown_ms.notna().any()
    assert table.AU12_r_left.notna().any()


def test_wrong_use_is_one_line(tmp_path: Path) -> None:
    for args, message in (
        (["--camera", "0", "--file", "x"], "--camera and --file: give one of them"),
        (["--token", "x"], "--token goes with --serve"),
        (["--file", str(tmp_path / "none.mp4")], "none.mp4"),
        (["--camera", "98"], "program may not; try --camera with another number, or --file VIDEO"),
    ):
        done = CliRunner().invoke(main, ["live", *args])
        assert done.exit_code != 0
        assert message in done.stderr.splitlines()[-1]
