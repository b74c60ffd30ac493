"""What covers a face: by hand, and drawn over a picture of a person."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from pyfaceau.alignment.covered import EYE_COVERED, MOUTH_COVERED, appearance, covered
from pyfaceau.errors import InputError
from pyfaceau.pipeline.video import FullPythonAUPipeline
from pyfaceau.types import AlignedFace, Float32, UInt8

AS_IT_IS = np.array([[1, 0, 0], [0, 1, 0]], np.float32)


def places() -> Float32:
    """Return landmarks of an aligned face, those that are looked at in their places."""
    points = np.full((68, 2), 56, np.float32)
    for first, last, corner, size in (
        (36, 42, (30, 35), (16, 6)),
        (42, 48, (66, 35), (16, 6)),
        (48, 68, (42, 78), (28, 12)),
    ):
        t = np.linspace(0, 2 * np.pi, last - first, endpoint=False)
        ring = np.stack([1 + np.cos(t), 1 + np.sin(t)], axis=1) / 2
        points[first:last] = np.array(corner) + ring * size
    points[[27, 30, 33]] = [[56, 40], [56, 60], [56, 66]]
    points[[39, 42]] = [[46, 38], [66, 38]]
    return points


def face() -> UInt8:
    """Return a picture with edges everywhere: a gray chequerboard."""
    y, x = np.mgrid[:112, :112]
    gray = np.where((x // 2 + y // 2) % 2, 150, 110).astype(np.uint8)
    return np.repeat(gray[..., None], 3, axis=2)


def test_edges_and_gray_levels_by_hand() -> None:
    points = places()
    plain = AlignedFace(face(), AS_IT_IS)
    edges, apart = appearance(plain, points)
    assert edges == pytest.approx(1.0, abs=0.1)
    assert apart < 0.05
    assert covered(plain, points) == frozenset()
    masked = face()
    masked[72:] = 130
    assert covered(AlignedFace(masked, AS_IT_IS), points) == {MOUTH_COVERED}
    patched = face()
    patched[25:50, 20:56] //= 3  # 130 becomes 43: apart by 87 / 86.5
    assert appearance(AlignedFace(patched, AS_IT_IS), points)[1] == pytest.approx(1.0, abs=0.05)
    assert covered(AlignedFace(patched, AS_IT_IS), points) == {EYE_COVERED}


def test_the_mirrored_face_says_the_same() -> None:
    points, picture = places(), face()
    picture[25:50, 20:56] //= 2
    turned = points.copy()
    turned[:, 0] = 111 - turned[:, 0]
    turned[36:48] = turned[[45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40]]
    mirrored = AlignedFace(np.ascontiguousarray(picture[:, ::-1]), AS_IT_IS)
    assert covered(mirrored, turned) == covered(AlignedFace(picture, AS_IT_IS), points)


def test_points_outside_and_wrong_points() -> None:
    outside = AlignedFace(face(), np.array([[1, 0, 500], [0, 1, 500]], np.float32))
    assert len(appearance(outside, places())) == 2
    with pytest.raises(InputError, match="landmarks"):
        covered(outside, places()[:5])


def test_a_patch_over_one_eye_of_a_person_is_said(
    shared: Path, weights_dir: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from pyfaceau.media.video import VideoReader

    pipeline = FullPythonAUPipeline()
    with VideoReader(shared / "samples" / "video" / "single_face.mp4") as video:
        frames = [frame.image for frame, _ in zip(video, range(6), strict=False)]
    plain = pipeline.process_image(frames[0])
    assert pipeline._watching.look(plain) is plain
    points = plain.face.landmarks
    width = float(np.hypot(*(points[45] - points[36])))
    centre = tuple(int(v) for v in points[42:48].mean(axis=0))
    folder = tmp_path / "patched"
    folder.mkdir()
    for k, frame in enumerate(frames):
        axes = (int(0.26 * width), int(0.2 * width))
        drawn = cv2.ellipse(frame.copy(), centre, axes, 0, 0, 360, (235, 235, 235), -1)
        cv2.imwrite(str(folder / f"{k}.png"), drawn)
    pipeline.process_video(folder)
    assert "one eye that looks covered" in caplog.text
    assert "a mouth that looks covered" not in caplog.text
