"""Part of a video: which frames come, and that they keep their numbers and times."""

from __future__ import annotations

import cv2
import pytest

from pyfaceau.errors import InputError
from pyfaceau.media.picture import open_frames
from pyfaceau.media.selected import selected
from pyfaceau.types import Selection
from tests.video_files import pictures, write_video


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    """Return a video of 25 frames at 25 frames per second."""
    return write_video(tmp_path_factory.mktemp("video") / "a.mp4", pictures(25))


def taken(video, **values):
    with open_frames(video) as source, selected(source, Selection(**values)) as part:
        return [(frame.index, round(frame.timestamp, 3)) for frame in part], part


@pytest.mark.parametrize(
    ("values", "indices"),
    [
        ({}, range(25)),
        ({"start": 0.2}, range(5, 25)),
        ({"start": 0.2, "end": 0.4}, range(5, 11)),
        ({"start": 0.21, "end": 0.4, "every": 2}, (6, 8, 10)),
        ({"every": 10}, (0, 10, 20)),
        ({"rate": 5.0}, (0, 5, 10, 15, 20)),
        ({"rate": 10.0}, (0, 3, 5, 8, 10, 13, 15, 18, 20, 23)),
        ({"rate": 100.0}, range(25)),
        ({"max_frames": 3, "start": 0.4}, (10, 11, 12)),
    ],
)
def test_frames_keep_their_numbers_and_times(video, values, indices):
    frames, _ = taken(video, **values)
    assert frames == [(index, round(index / 25, 3)) for index in indices]


def test_the_rate_holds_over_an_uneven_clock(tmp_path):
    ticks = [0, 40, 45, 50, 55, 60, 300, 301, 302, 500]
    video = write_video(tmp_path / "a.mp4", pictures(10), ticks=ticks)
    assert [index for index, _ in taken(video, rate=10.0)[0]] == [0, 6, 7, 8, 9]


def test_what_the_part_says_of_itself(video):
    with open_frames(video) as source:
        assert selected(source, Selection()) is source
        assert selected(source, Selection(every=5)).fps == 5.0
        assert selected(source, Selection(rate=10.0)).frame_count == 10
        assert selected(source, Selection(start=0.2, end=0.4)).frame_count == 5
        assert selected(source, Selection(max_frames=7)).frame_count == 7


def test_a_part_that_is_not_there_is_refused(video, tmp_path):
    with pytest.raises(InputError, match=r"a time in the video, which ends at 0\.960 s, got 9"):
        taken(video, start=9.0)
    with pytest.raises(InputError, match="roi: expected a part of the 64x48 picture"):
        taken(video, roi=(0, 0, 100, 10))
    cv2.imwrite(str(tmp_path / "a.png"), pictures(1)[0])
    with pytest.raises(InputError, match="expected a video, got a folder of pictures"):
        taken(tmp_path, start=1.0)
    assert taken(tmp_path, every=2)[0] == [(0, 0.0)]
