"""Recordings that break quietly: sizes, pixels, clocks, damage, scenes."""

from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfaceau.media.clock import StreamClock
from pyfaceau.media.notes import Notes
from pyfaceau.media.scene import with_cuts
from pyfaceau.media.video import VideoReader
from pyfaceau.types import Frame
from tests.video_files import pictures


def write(
    path: Path,
    images: list[np.ndarray],
    *,
    codec: str = "libx264",
    aspect: Fraction | None = None,
    start: int = 0,
) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        if aspect is not None:
            stream.codec_context.sample_aspect_ratio = aspect
        for index, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            frame.pts, frame.time_base = start + index, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def joined(path: Path, *parts: Path) -> Path:
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


@pytest.mark.parametrize(("codec", "suffix"), [("libx264", ".ts"), ("mpeg2video", ".mpg")])
def test_other_sizes_are_brought_to_the_first_as_opencv_does(
    tmp_path: Path, codec: str, suffix: str
) -> None:
    small = [cv2.resize(image, (64, 48)) for image in pictures(6, 160, 120)]
    one = write(tmp_path / f"a{suffix}", pictures(6, 160, 120), codec=codec)
    two = write(tmp_path / f"b{suffix}", small, codec=codec, start=6)
    path = joined(tmp_path / f"x{suffix}", one, two)
    with VideoReader(path) as video:
        frames = list(video)
    assert {frame.image.shape for frame in frames} == {(120, 160, 3)}
    resized = [frame.index for frame in frames if "resized" in frame.marks]
    assert resized == list(range(len(frames) - len(resized), len(frames)))
    assert 4 <= len(resized) <= 6
    capture = cv2.VideoCapture(str(path))
    for frame in frames:
        ok, image = capture.read()
        assert ok
        np.testing.assert_array_equal(frame.image, image)


@pytest.mark.parametrize(
    ("codec", "suffix"), [("libx264", ".mp4"), ("mpeg4", ".avi"), ("mpeg2video", ".mpg")]
)
@pytest.mark.parametrize("aspect", [Fraction(16, 11), Fraction(3, 4)])
def test_pixels_are_made_square(tmp_path: Path, codec: str, suffix: str, aspect: Fraction) -> None:
    if codec == "mpeg2video":
        aspect = Fraction(4, 3)  # of the few that MPEG-2 can say
    path = write(tmp_path / f"a{suffix}", pictures(3, 96, 72), codec=codec, aspect=aspect)
    with VideoReader(path, square=False) as video:
        stored = [frame.image.shape for frame in video]
        said = video.aspect
    assert set(stored) == {(72, 96, 3)}
    if said == 1:
        pytest.skip("the container does not carry the ratio")
    with VideoReader(path) as video:
        shapes = {frame.image.shape for frame in video}
        assert (video.height, video.width, 3) in shapes
    [(height, width, _)] = shapes
    assert (width, height) == ((round(96 * said), 72) if said > 1 else (96, round(72 / said)))


def test_anamorphic_and_square_agree(tmp_path: Path) -> None:
    wide = pictures(3, 128, 72)
    squeezed = [cv2.resize(image, (96, 72), interpolation=cv2.INTER_AREA) for image in wide]
    path = write(tmp_path / "a.mp4", squeezed, aspect=Fraction(4, 3))
    with VideoReader(path) as video:
        frames = list(video)
    assert frames[0].image.shape == (72, 128, 3)
    assert np.abs(frames[0].image.astype(int) - wide[0]).mean() < 12


@pytest.mark.parametrize("suffix", [".ts", ".mpg"])
def test_a_restarted_clock_is_continued(tmp_path: Path, suffix: str) -> None:
    codec = "libx264" if suffix == ".ts" else "mpeg2video"
    one = write(tmp_path / f"a{suffix}", pictures(10), codec=codec)
    path = joined(tmp_path / f"x{suffix}", one, one)
    with VideoReader(path) as video:
        frames = list(video)
    times = np.array([frame.timestamp for frame in frames])
    assert (np.diff(times) > 0).all()
    assert (np.diff(times) < 1).all()
    assert len(frames) > 10
    assert sum("clock" in frame.marks for frame in frames) >= 1


class Stamped:
    """A decoder's frame with a stamp."""

    def __init__(self, pts: int | None) -> None:
        self.pts = pts


@given(st.lists(st.none() | st.integers(-(10**7), 10**7), min_size=1, max_size=40))
def test_any_clock_runs_forward(stamps: list[int | None]) -> None:
    clock = StreamClock(0, Fraction(1, 1000), 25.0)
    times = [clock.time(k, Stamped(pts))[0] for k, pts in enumerate(stamps)]  # type: ignore[arg-type]
    assert times[0] >= 0
    assert all(later > earlier for earlier, later in itertools.pairwise(times))
    assert not any(f"{time:.3f}".startswith("-") for time in times)


def test_a_clock_that_leaps_a_day_is_continued_by_its_own_step() -> None:
    clock = StreamClock(0, Fraction(1, 1000), 25.0)
    day = 86_400_000
    stamps = [0, 40, 80, day, day + 40, day + 80]
    found = [clock.time(k, Stamped(pts)) for k, pts in enumerate(stamps)]  # type: ignore[arg-type]
    np.testing.assert_allclose([time for time, _ in found], np.arange(6) * 0.04)
    assert [corrected for _, corrected in found] == [False, False, False, True, False, False]


def test_a_pause_stays_a_pause() -> None:
    clock = StreamClock(0, Fraction(1, 1000), 25.0)
    found = [clock.time(k, Stamped(pts)) for k, pts in enumerate([0, 40, 60_040])]  # type: ignore[arg-type]
    assert found[-1] == (60.04, False)


def test_a_raw_stream_has_no_clock_and_takes_a_rate(tmp_path: Path) -> None:
    path = write(tmp_path / "a.h264", pictures(5))
    with VideoReader(path) as video:
        assert video.clockless
        assert Notes().lines(video) == [
            "the stream has no clock: 25 frames/s assumed, --fps sets it"
        ]
    with VideoReader(path, fps=50.0) as video:
        assert [frame.timestamp for frame in video] == [0, 0.02, 0.04, 0.06, 0.08]
        assert not video.clockless


def test_reported_damage_is_marked(shared: Path) -> None:
    folder = shared / "cases/reported-damage"
    with VideoReader(folder / "lossy.ts") as video:
        damaged = [frame.index for frame in video if "damaged" in frame.marks]
    assert len(damaged) >= 8
    assert min(damaged) > 12
    assert max(damaged) < 46
    with VideoReader(folder / "control.ts") as video:
        assert not any(frame.marks for frame in video)


def scene(seed: int, count: int) -> list[np.ndarray]:
    """Return a still scene in which a spot moves."""
    rng = np.random.default_rng(seed)
    base = cv2.resize(rng.integers(0, 255, (6, 8, 3), np.uint8), (160, 120))
    frames = []
    for k in range(count):
        image = base.copy()
        cv2.circle(image, (20 + 5 * k % 120, 60), 15, (255, 255, 255), -1)
        frames.append(image)
    return frames


def cuts_of(images: list[np.ndarray]) -> list[int]:
    frames = [Frame(image, k, k / 25) for k, image in enumerate(images)]
    found = list(with_cuts(frames))
    assert [frame.index for frame in found] == list(range(len(images)))
    return [frame.index for frame in found if "cut" in frame.marks]


def test_cuts_are_found_and_flashes_are_none() -> None:
    one, two, three = (scene(seed, 10) for seed in (1, 2, 3))
    assert cuts_of([*one, *two, *three]) == [10, 20]
    assert cuts_of(one) == []
    flash = [*one[:5], np.full((120, 160, 3), 255, np.uint8), *one[5:]]
    assert cuts_of(flash) == []
    darker = [*one[:5], *(image // 3 for image in one[5:])]  # a light goes out
    assert cuts_of(darker) == []
    assert cuts_of([*one, *two[:1]]) == [10]  # the last frame alone


def test_recordings_without_a_cut_have_none(shared: Path) -> None:
    for name in ("d12.mp4", "changeLighting.wmv", "WDA_AlexandriaOcasioCortez_000.mp4"):
        with VideoReader(shared / "samples/video" / name) as video:
            assert not any("cut" in frame.marks for frame in with_cuts(video)), name
