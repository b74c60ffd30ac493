"""Quality flags: each raised by what it is for, and by nothing else."""

from __future__ import annotations

import csv
import gzip
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from pyfaceau.media.picture import open_frames
from pyfaceau.output.quality import COLUMNS, FLAGS, Quality, QualityWriter, Watch
from pyfaceau.types import AlignedFace, FrameResult, HeadPose, ShapeFit, TrackedFace

F32 = np.float32
GRID = np.stack(np.meshgrid(np.arange(17), np.arange(4)), -1).reshape(68, 2).astype(F32)
TEXTURE = np.random.default_rng(0).integers(60, 180, (112, 112, 3), "u1")


def result(index: int = 0, **more: Any) -> FrameResult:
    """Return a frame that nothing speaks against."""
    points = GRID * 12 + 100 + more.pop("move", 0)
    points[36], points[45] = (100, 100), (100 + more.pop("eyes", 80), 100)
    angles = np.radians(more.pop("angles", (0, 0, 0))).astype(F32)
    face = TrackedFace(
        True,
        True,
        more.pop("confidence", 0.95),
        points,
        ShapeFit(np.zeros(6, F32), np.zeros(34, F32)),
    )
    aligned = AlignedFace(more.pop("image", TEXTURE), np.zeros((2, 3), F32))
    pose = HeadPose(np.zeros(3, F32), angles)
    time = more.pop("time", index / 25)
    return FrameResult(index, time, face, np.zeros((68, 3), F32), pose, aligned=aligned)


def audit(tmp_path: Path, frames: list[FrameResult], repeated: tuple[int, ...] = ()) -> Quality:
    with QualityWriter(tmp_path / "a.quality.csv.gz", 25.0) as writer:
        for frame in frames:
            writer.write(frame, frame.index in repeated)
        return writer.finish()


def raised(quality: Quality) -> set[str]:
    return {flag for flag, count in quality.counts.items() if count}


def test_a_good_video_has_no_flag(tmp_path: Path):
    quality = audit(tmp_path, [result(k) for k in range(10)])
    assert (quality.frames, quality.usable, quality.tracked, quality.dropped) == (10, 10, 10, 0)
    assert raised(quality) == set()
    assert quality.warnings() == []


@pytest.mark.parametrize(
    ("flag", "odd"),
    [
        ("low_confidence", {"confidence": 0.5}),
        ("pose", {"angles": (0, 35, 0)}),
        ("pose", {"angles": (-28, 0, 0)}),
        ("pose", {"angles": (0, 0, 31)}),
        ("small_face", {"eyes": 25}),
        ("blurred", {"image": cv2.GaussianBlur(TEXTURE, (0, 0), 9)}),
        ("dark", {"image": TEXTURE // 6 + 1}),
        ("bright", {"image": TEXTURE // 6 + 220}),
    ],
)
def test_each_flag_is_raised_by_its_cause(tmp_path: Path, flag: str, odd: dict[str, Any]):
    quality = audit(tmp_path, [result(0), result(1, **odd), result(2)])
    assert quality.counts[flag] == 1
    assert raised(quality) - {"blurred", "jump"} <= {flag}
    assert quality.usable == 2


def test_a_leap_of_the_landmarks(tmp_path: Path):
    frames = [result(0), result(1), result(2, move=40), result(3, move=40)]
    assert audit(tmp_path, frames).counts["jump"] == 1


def test_lost_faces_with_their_reasons(tmp_path: Path):
    lost = replace(result(1).face, success=False, reason="no detection")
    quality = audit(tmp_path, [result(0), replace(result(1), face=lost), result(2, move=90)])
    assert (quality.counts["no_face"], quality.tracked) == (1, 2)
    assert quality.reasons == {"no detection": 1}
    assert quality.counts["jump"] == 0  # the face may have gone anywhere meanwhile
    assert quality.warnings() == ["only 2 of 3 frames are usable: no_face in 1"]


def test_dropped_and_repeated_frames(tmp_path: Path):
    times = [0.0, 0.04, 0.2, 0.24, 0.25]
    frames = [result(k, time=time) for k, time in enumerate(times)]
    quality = audit(tmp_path, frames, repeated=(1,))
    assert (quality.dropped, quality.counts["duplicated"], quality.usable) == (3, 1, 5)
    assert quality.warnings() == [
        "3 frames are missing by the clock",
        "1 frames repeat the one before",
    ]


def test_the_file_has_a_row_per_frame(tmp_path: Path):
    audit(tmp_path, [result(0), result(1, angles=(1, -40, 2))])
    with gzip.open(tmp_path / "a.quality.csv.gz", "rt") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == COLUMNS.split(",")
    assert [row["usable"] for row in rows] == ["1", "0"]
    assert (rows[1]["pitch"], rows[1]["yaw"], rows[1]["roll"]) == ("1.0", "-40.0", "2.0")
    assert [flag for flag in FLAGS if rows[1][flag] == "1"] == ["pose"]
    assert [path.name for path in tmp_path.iterdir()] == ["a.quality.csv.gz"]


def test_a_lying_head_is_not_turned_away(tmp_path: Path):
    lying = replace(result(1, angles=(0, 0, 90)), turn=1, marks=frozenset({"turned"}))
    away = replace(result(2, angles=(40, 0, 90)), turn=1, marks=frozenset({"turned"}))
    with QualityWriter(tmp_path / "a.quality.csv.gz", 25.0, aspect=16 / 15) as writer:
        for frame in (lying, away):
            writer.write(frame)
        quality = writer.finish()
    with gzip.open(tmp_path / "a.quality.csv.gz", "rt") as file:
        rows = list(csv.DictReader(file))
    assert [row["turn"] for row in rows] == ["90", "90"]
    assert [row["pixel_aspect"] for row in rows] == ["1.0667", "1.0667"]
    assert [row["pose"] for row in rows] == ["0", "1"]
    assert [float(row["roll"]) for row in rows] == [0, 0]
    assert abs(float(rows[1]["yaw"])) == 40
    assert "2 frames were measured turned by 90 degrees" in quality.warnings()


def test_a_video_without_frames_is_not_usable():
    assert Quality().usable_share == 0


def test_repeated_pictures_are_seen(tmp_path):
    for k, value in enumerate((1, 1, 2, 2, 1)):
        cv2.imwrite(str(tmp_path / f"{k}.png"), np.full((48, 64, 3), value, "u1"))
    with Watch(open_frames(tmp_path)) as watch:
        assert [frame.index for frame in watch if frame.index in watch.repeated] == [1, 3]
    assert (watch.path, watch.width, watch.height, watch.frame_count) == (tmp_path, 64, 48, 5)
