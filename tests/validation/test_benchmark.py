"""The benchmark's arithmetic, its stages and its loop; the timings themselves are not tested."""

from __future__ import annotations

import importlib
import mmap
from pathlib import Path
from typing import Any

import pytest

from pyfaceau.media.video import VideoReader
from validation import benchmark
from validation.benchmark import beside_the_limit, marginal, missed, render
from validation.loop import loop_video
from validation.workload import STAGES, resident_mib


def figures(ratio: float, rss: float, growth: float) -> dict[str, Any]:
    """Return figures of a profile ``default`` that takes `ratio` times the limit."""
    two = {"wall": 2 * ratio, "cpu": 3.0, "start": 0.5, "rss": rss}
    two |= {"wall_ratio": ratio, "cpu_ratio": 1.5}
    stage = {"calls": 100, "median_ms": 0.5, "wall_ms": 60.0, "cpu_ms": 55.0}
    profile = {
        "first frame": {"cold": 30.0, "warm": 1.5, "loaded": 1.0},
        "cores": {2: two},
        "stages": {"frames": 100, "wall": 0.2, "cpu": 0.15, "stages": {"decode": stage}},
        "growth": {
            "ms_4000": 2.0,
            "ms_20000": 2 * growth,
            "rss_4000": 300,
            "rss_20000": 300,
            "ms_ratio": growth,
            "rss_ratio": 1.0,
        },
    }
    limit = {"wall": 2.0, "cpu": 2.0, "decode": 0.6, "network": 1.4}
    return {"video": "clip", "help": 0.3, "limit": limit, "profiles": {"default": profile}}


def test_marginal_time_leaves_start_up_out() -> None:
    # one second of start-up, 2 ms a frame
    short, long = {"wall": 1.2, "frames": 100}, {"wall": 1.6, "frames": 300}
    assert marginal(short, long, "wall") == pytest.approx(2.0)


def test_ratios_are_taken_within_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine three times slower in the second of three rounds changes no ratio."""
    pace = iter([1.0, 1.0, 3.0, 3.0, 1.0, 1.0])

    def round_of(what: str, *_: object, **__: object) -> dict[str, float]:
        ms = next(pace) * (2.0 if what == "limit" else 2.5)
        return dict.fromkeys(("wall", "cpu", "decode", "network", "start", "rss"), ms)

    monkeypatch.setattr(benchmark, "round_of", round_of)
    limits: list[dict[str, float]] = []
    found = beside_the_limit("default", (Path("a"), Path("b")), 2, 3, limits)
    assert [limit["wall"] for limit in limits] == [2.0, 6.0, 2.0]
    assert (found["wall"], found["wall_ratio"], found["cpu_ratio"]) == (2.5, 1.25, 1.25)


def test_bars() -> None:
    assert missed(figures(1.32, 300, 1.0)) == []
    assert missed(figures(1.4, 390, 1.1)) == [
        "default: 1.40 x the limit, bar 1.33",
        "default: peak RSS 390 MiB, bar 381",
        "default: ms grows by 1.100",
    ]


def test_report_by_hand() -> None:
    report = render(figures(1.25, 300, 1.0), {"command": "python -m x"})
    assert "0.600 ms + landmark network 1.400 ms = **2.000 ms per frame**" in report
    assert "| default | 2 | 2.500 | 400 | 3.000 | 1.50 | 1.25 | 1.33 | 0.50 | 300 |" in report
    assert "| decode | 100 | 0.500 | 0.600 | 0.550 | 30.0 % |" in report
    assert "| rest | 100 | - | 1.400 | 0.950 | 70.0 % |" in report


@pytest.mark.parametrize("target", sorted(STAGES))
def test_every_stage_exists(target: str) -> None:
    module, _, path = target.partition(":")
    owner = importlib.import_module(module)
    for part in path.split("."):
        owner = getattr(owner, part)
    assert callable(owner)


def test_loop_repeats_the_pictures(shared: Path, tmp_path: Path) -> None:
    source = shared / "samples" / "video" / "2015-10-15-15-14.avi"
    once, twice = tmp_path / "once.avi", tmp_path / "twice.avi"
    count = loop_video(source, 1, once)
    assert loop_video(source, 2, twice) == 2 * count
    with VideoReader(once) as a, VideoReader(twice) as b:
        first = [frame.image.sum() for frame in a]
        assert [frame.image.sum() for frame in b] == first * 2


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux tells its memory")
def test_memory_is_in_mib() -> None:
    before = resident_mib("VmRSS")
    # a mapping of its own: what malloc hands out may be memory of an earlier test
    with mmap.mmap(-1, 64 << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as block:
        for page in range(0, len(block), mmap.PAGESIZE):
            block[page] = 1
        after = resident_mib("VmRSS")
    assert before is not None
    assert after is not None
    assert after - before == pytest.approx(64, abs=4)
