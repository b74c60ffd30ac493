"""A session: what is measured, dropped, recorded; cameras that vanish, disks that are full."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pyfaceau.errors import OutputError, VideoError
from pyfaceau.live import recorder as recording
from pyfaceau.live.latest import Latest
from pyfaceau.live.message import LiveFrame
from pyfaceau.output.reading import read
from pyfaceau.types import SPLIT_UNITS
from tests.live.doubles import STAMP, engine, run


def test_a_slow_machine_drops_frames_and_its_times_say_so(tmp_path: Path) -> None:
    session = engine(count=60, work=0.02, rushed=True)
    session.record(tmp_path / "slow.csv")
    run(session)
    table = pd.read_csv(tmp_path / "slow.csv")
    assert len(table) < 60
    assert table.frame.iloc[-1] == 60, "the newest is never dropped"
    np.testing.assert_allclose(table.timestamp, (table.frame - 1) * STAMP, atol=1e-4)
    assert table.frame.is_monotonic_increasing
    assert table.dropped.iloc[-1] == 60 - len(table)
    assert session.recorded == [f"{tmp_path / 'slow.csv'}: {len(table)} frames"]


def test_a_fast_machine_measures_every_frame(tmp_path: Path) -> None:
    session = engine(count=12)
    session.record(tmp_path / "fast.csv")
    run(session)
    table = read(tmp_path / "fast.csv")
    assert table.index.tolist() == list(range(1, 13))
    assert table.success.tolist() == [1, 1, 0] * 4
    # without a face there are zeros; levels are those so far: the lowest score had 0
    assert (table[table.success == 0].filter(like="AU") == 0).all(axis=None)
    np.testing.assert_allclose(table.AU02_r[:2], [0, 1])
    assert "gaze_0_x" not in table
    assert session.error is None


def test_halves_are_recorded_and_sent(tmp_path: Path) -> None:
    session = engine(count=3, split=True)
    session.record(tmp_path / "sides.csv")
    frames: list[LiveFrame] = []
    session.listen(Everything(frames))
    run(session)
    table = read(tmp_path / "sides.csv")
    assert tuple(table.columns[-71:]) == SPLIT_UNITS
    assert table.split_hidden.tolist() == [0.8, 0.1, 1.0]
    assert table.AU12_r_left.tolist()[1:2] == [4.0]
    assert table.AU12_r_right.tolist()[1:2] == [1.0]
    assert table.AU12_r_left.isna().tolist() == [True, False, True]
    turned, seen, missing = (frame.message()["sides"] for frame in frames)
    assert turned == {
        "left": {"au_r": None, "au_c": None},
        "right": {"au_r": None, "au_c": None},
        "hidden": 0.8,
    }
    assert (seen["left"]["au_r"]["AU45_r"], seen["right"]["au_r"]["AU45_r"]) == (4.0, 1.0)
    assert missing["hidden"] == 1.0
    assert json.loads(frames[1].line())["sides"] == seen


def test_each_half_has_a_neutral_face_of_its_own(caplog: pytest.LogCaptureFixture) -> None:
    session = engine(count=1, split=True)
    run(session)
    session._take_neutral()
    assert "no face was seen yet, or it was turned away" in caplog.text
    assert session._pipeline.calibrations == []
    session = engine(count=2, split=True)
    run(session)
    session._take_neutral()
    ((whole, sides),) = session._pipeline.calibrations
    assert len({id(whole), *map(id, sides)}) == 3
    assert all(part.taken for part in session._sides)


class Everything:
    """A listener that keeps all frames."""

    def __init__(self, frames: list[LiveFrame]) -> None:
        self.put = frames.append

    def close(self) -> None: ...


def test_gaze_is_recorded_where_eyes_are_fitted(tmp_path: Path) -> None:
    session = engine(count=3, landmarks="clnf")
    session.record(tmp_path / "eyes.csv")
    run(session)
    row = read(tmp_path / "eyes.csv").iloc[0]
    assert (row.gaze_0_x, row.gaze_1_z) == (0.6, -0.8)


def test_a_camera_that_vanishes_leaves_a_partial_recording(tmp_path: Path) -> None:
    session = engine(count=5, vanishes=True)
    session.record(tmp_path / "cut.csv")
    run(session)
    assert isinstance(session.error, VideoError)
    assert "unplugged" in str(session.error)
    assert len(pd.read_csv(tmp_path / "cut.partial.csv")) == 5
    assert not (tmp_path / "cut.csv").exists()


def test_a_full_disk_ends_the_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> list[str]:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(recording, "row", full)
    session = engine(count=5)
    session.record(tmp_path / "full.csv")
    run(session)
    assert isinstance(session.error, OutputError)
    assert (
        str(session.error) == f"{tmp_path / 'full.csv'}: cannot be written: No space left on device"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["full.partial.csv"]


def test_recordings_begin_and_end_while_frames_come(tmp_path: Path) -> None:
    session = engine(count=1_000_000)
    frames = session.listen(Latest())
    session.start()
    first = frames.take()
    session.record(tmp_path / "a.csv")
    while session.recording is None:
        assert frames.take() is not None
    session.record(None)
    while session.recording is not None:
        assert frames.take() is not None
    session.take_neutral()
    while (frame := frames.take()) is not None and frame.neutral == "running":
        pass
    session.stop()
    session.join()
    assert first is not None
    assert frame is not None
    table = pd.read_csv(tmp_path / "a.csv")
    assert first.index + 1 < table.frame.min() <= table.frame.max() < frame.index + 1
    assert not session.running


def test_a_slow_listener_slows_nobody() -> None:
    session = engine(count=40)
    sleepy, quick = session.listen(Latest()), session.listen(Latest())
    seen: list[LiveFrame] = []

    def watch() -> None:
        while (frame := quick.take()) is not None:
            seen.append(frame)

    watcher = threading.Thread(target=watch)
    watcher.start()
    run(session)
    watcher.join(5)
    assert sleepy.dropped >= 38
    last = sleepy.take()
    assert last is not None
    assert last.index == 39
    assert len(seen) + quick.dropped == sleepy.dropped + 1


def test_shown_frames_have_their_latency(tmp_path: Path) -> None:
    session = engine(count=8, window=True)
    session.record(tmp_path / "shown.csv")

    class Window(Latest[LiveFrame]):
        """Draws every second frame."""

        def put(self, value: LiveFrame) -> None:
            if value.index % 2:
                session.shown(value)

    session.listen(Window())
    run(session)
    table = pd.read_csv(tmp_path / "shown.csv")
    assert table.frame.tolist() == list(range(1, 9))
    assert table.shown_ms[::2].isna().all()
    shown = table[1:7:2]
    assert (shown.shown_ms >= shown.latency_ms).all()
