"""The harness around the figures, on a reference of two made-up videos."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from pyfaceau.errors import VideoError
from validation.conformance import as_json, main, missed, render, run_videos
from validation.reference import Reference

HEADER = "frame, success, AU01_r, AU01_c"
ROWS = ["1, 0, 0.00, 0.00", "2, 1, 0.00, 0.00", "3, 1, 1.00, 1.00", "4, 1, 2.00, 1.00"]
NOISE = {"good": {"kernel": {"mean_r": 0.99, "lm_px": 0.02}}}


class Copyist:
    """A pipeline that writes the reference, with one class changed, and fails on ``bad``."""

    def process_video(self, video_path: str, output_csv: str) -> None:
        """Write all rows."""
        if Path(video_path).stem == "bad":
            raise VideoError("bad.mp4: cannot be decoded")
        rows = [*ROWS[:3], "4, 1, 2.00, 0.00"]
        Path(output_csv).write_text("\n".join([HEADER, *rows]) + "\n")


@pytest.fixture
def reference(tmp_path: Path) -> Reference:
    """Return a reference of the videos ``good`` and ``bad``."""
    shared = tmp_path / "shared"
    for name in ("good", "bad"):
        table = shared / "reference" / "video" / f"{name}.csv.gz"
        video = shared / "samples" / "video" / f"{name}.mp4"
        table.parent.mkdir(parents=True, exist_ok=True)
        video.parent.mkdir(parents=True, exist_ok=True)
        table.write_bytes(gzip.compress("\n".join([HEADER, *ROWS, ""]).encode()))
        video.touch()
    return Reference(shared)


def test_figures_reach_the_report(reference: Reference, tmp_path: Path) -> None:
    run = run_videos(reference, reference.names(), Copyist(), tmp_path)
    report = render(run, "default", NOISE, {"command": "python -m x", "commit": "abc"})
    assert "- command: `python -m x`\n- commit: abc\n" in report
    # four of four rows, three frames, all flags equal, r 1 (one AU of one), 2 of 3 classes equal
    row = "| good | 4/4 | 3 | 1.0000 | 1.0000 | 1.0000 | 1/1 | 0.0000 | 0.0000 | 0.6667 |"
    assert row in report
    assert "| AU01 | 1.000 | 1.0000 | 0.0000 | 0.0000 | 0.6667 |" in report
    assert "| good | equal | 3/4 | 2/3 | 15/16 |" in report
    assert "- bad: bad.mp4: cannot be decoded" in report


def test_report_of_another_landmark_model_says_so(reference: Reference, tmp_path: Path) -> None:
    run = run_videos(reference, ["good"], Copyist(), tmp_path)
    assert "this profile has its CE-CLM" in render(run, "ceclm", NOISE, {"commit": "abc"})
    assert "this profile has" not in render(run, "openface", NOISE, {"commit": "abc"})


def test_models_that_are_not_installed_end_the_run_with_what_installs_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PYFACEAU_WEIGHTS_DIR", str(tmp_path))
    with pytest.raises(SystemExit) as ended:
        main(["--config", "ceclm", "--shared", str(tmp_path)])
    assert ended.value.code == 2
    assert "pyfaceau weights install" in capsys.readouterr().err


def test_json_has_the_same_figures(reference: Reference, tmp_path: Path) -> None:
    run = run_videos(reference, ["good"], Copyist(), tmp_path)
    figures = json.loads(as_json(run, "default", {"commit": "abc"}))
    video = figures["videos"]["good"]
    assert (video["mean_r"], video["presences"]["AU01_c"]) == (1.0, pytest.approx(2 / 3))
    assert (video["text"]["rows_equal"], figures["commit"]) == (3, "abc")


def test_only_the_exact_profile_has_bars(reference: Reference, tmp_path: Path) -> None:
    run = run_videos(reference, ["good"], Copyist(), tmp_path)
    assert missed(run, "default", NOISE) == []
    assert missed(run, "openface", NOISE) == ["good: px none misses 0.0500"]
    assert "px none misses 0.0500" in render(run, "openface", NOISE, {})


def test_a_failed_video_is_listed(reference: Reference, tmp_path: Path) -> None:
    run = run_videos(reference, ["bad"], Copyist(), tmp_path)
    assert missed(run, "default", {}) == ["bad: bad.mp4: cannot be decoded"]


def test_no_reference_says_where_it_looked(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="give its folder with --shared"):
        Reference(tmp_path).names()
