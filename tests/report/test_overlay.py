"""Marked videos: a frame for each row, what is drawn, what is refused."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from click.testing import CliRunner

from pyfaceau.cli import main
from pyfaceau.errors import InputError
from pyfaceau.report.drawing import draw_midline, draw_row, eyes_blurred, face_cut
from pyfaceau.report.faces import TableFaces
from pyfaceau.report.overlay import write_overlay
from pyfaceau.types import Camera
from tests.report.tables import SIZE, recording, write_recording, write_table


def frames_of(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]


def test_a_frame_for_each_row_with_marks_where_the_face_is(tmp_path: Path) -> None:
    video, table = write_recording(tmp_path)
    assert write_overlay(video, table, tmp_path / "out.mp4") == 50
    plain, marked = frames_of(video), frames_of(tmp_path / "out.mp4")
    assert len(marked) == 50
    assert marked[0].shape == (SIZE[1], SIZE[0], 3)
    differs = np.abs(plain[30].astype(int) - marked[30]).max(axis=2) > 60
    assert differs[40:95, 60:100].mean() > 5 * differs[100:, 100:].mean()


def test_rows_of_a_part_are_taken_by_their_frame_numbers(tmp_path: Path) -> None:
    video, _ = write_recording(tmp_path)
    part = write_table(tmp_path / "part.csv", recording().iloc[20:40:2])
    assert write_overlay(video, part, tmp_path / "out.mp4", units=[]) == 10
    plain, marked = frames_of(video), frames_of(tmp_path / "out.mp4")
    corner = np.s_[100:, 120:]  # nothing is drawn there
    for k, image in enumerate(marked):
        away = [np.abs(image[corner].astype(int) - p[corner]).mean() for p in plain]
        assert int(np.argmin(away)) == 20 + 2 * k


def test_blurred_eyes_hide_what_was_there() -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (120, 160, 3), np.uint8)
    points = TableFaces(recording()).face(0).landmarks
    blurred = eyes_blurred(image, points)
    eye = tuple(points[36:42].mean(axis=0).round().astype(int)[::-1])
    window = np.s_[eye[0] - 2 : eye[0] + 3, eye[1] - 2 : eye[1] + 3]
    assert blurred[window].std(axis=(0, 1)).max() < 0.3 * image[window].std(axis=(0, 1)).min()
    assert (blurred[90:] == image[90:]).all()  # the mouth stays


def test_frames_without_a_trusted_face_are_black_where_eyes_are_hidden(tmp_path: Path) -> None:
    video, _ = write_recording(tmp_path)
    data = recording()
    data.loc[5, "success"] = 0
    table = write_table(tmp_path / "t.csv", data)
    write_overlay(video, table, tmp_path / "out.mp4", blur_eyes=True, units=[])
    shown = frames_of(tmp_path / "out.mp4")
    assert shown[4][100:, 120:].max() < 20 < shown[5][100:, 120:].max()


def test_letters_change_sides_where_the_recording_is_mirrored() -> None:
    points = TableFaces(recording()).face(0).landmarks * 4
    plain, mirrored = (np.zeros((480, 640, 3), np.uint8) for _ in range(2))
    draw_midline(plain, points)
    draw_midline(mirrored, points, mirrored=True)
    left, right = np.s_[:, :200], np.s_[:, 440:]
    assert not (plain[left] == mirrored[left]).all()
    assert not (plain[right] == mirrored[right]).all()
    middle = np.s_[:, 315:326]
    assert (plain[middle] == mirrored[middle]).all()


def test_a_face_that_is_not_there_is_said() -> None:
    image = np.zeros((120, 160, 3), np.uint8)
    draw_row(image, None)
    assert image[:40, :80].max() > 200  # written at the top left
    assert image[60:].max() == 0


def test_cut_keeps_points_on_their_pixels() -> None:
    image = np.zeros((120, 160, 3), np.uint8)
    points = TableFaces(recording()).face(0).landmarks
    x, y = points[30].round().astype(int)
    image[y - 1 : y + 2, x - 1 : x + 2] = 255
    cut, moved = face_cut(image, points, 400)
    assert cut.shape[0] == 400
    bright = np.argwhere(cut[:, :, 0] > 200)[:, ::-1].mean(axis=0)
    assert np.abs(bright - moved[30]).max() < 400 / 60


def test_camera_follows_from_shape_and_pose() -> None:
    data = recording()
    data["pose_Tx"], data["pose_Ty"], data["pose_Tz"] = 30.0, -20.0, 500.0
    data["p_scale"] = 700 / 500
    data["p_tx"], data["p_ty"] = 90 + 700 * 30 / 500, 55 + 700 * -20 / 500
    camera = TableFaces(data).camera(160, 120)
    assert (camera.fx, camera.cx, camera.cy) == pytest.approx((700, 90, 55))
    guess = TableFaces(recording()).camera(160, 120)
    assert guess.lens.tolist() == Camera.for_size(160, 120).lens.tolist()


def test_what_cannot_be_is_refused(tmp_path: Path) -> None:
    video, table = write_recording(tmp_path)
    longer = write_table(tmp_path / "longer.csv", recording(60))
    with pytest.raises(InputError, match=r"has 50 frames, the table tells of frame 60"):
        write_overlay(video, longer, tmp_path / "a.mp4")
    with pytest.raises(InputError, match="expected columns of the table, got AU99_r"):
        write_overlay(video, table, tmp_path / "a.mp4", units=["AU99_r"])
    with pytest.raises(InputError, match="is the video itself"):
        write_overlay(video, table, video)
    assert {path.name for path in tmp_path.iterdir()} == {"video.mp4", "table.csv", "longer.csv"}


def test_command(tmp_path: Path) -> None:
    video, table = write_recording(tmp_path)
    out = tmp_path / "marked.mp4"
    done = CliRunner().invoke(main, ["overlay", str(video), str(table), "-o", str(out)])
    assert (done.exit_code, done.stdout) == (0, f"{out}: 50 frames\n")
    done = CliRunner().invoke(main, ["overlay", str(video), str(video), "-o", str(out)])
    assert done.exit_code == 1
    assert "cannot be read as a table" in done.output
