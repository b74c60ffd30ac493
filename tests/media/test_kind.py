"""What an input is, by its bytes: every format under a wrong name, one frame and several."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from pyfaceau.errors import VideoError
from pyfaceau.media.animation import Animation
from pyfaceau.media.kind import content_of, is_input
from pyfaceau.media.picture import open_frames, passed_over, pictures_in, read_picture
from pyfaceau.media.video import VideoReader
from tests.video_files import pictures, write_video

pillow_heif = pytest.importorskip("pillow_heif")
pillow_heif.register_heif_opener()


def rgb(count: int = 1, width: int = 96, height: int = 64) -> list[Image.Image]:
    return [Image.fromarray(p[:, :, ::-1].copy()) for p in pictures(count, width, height)]


def save(path: Path, name: str, frames: list[Image.Image], **options: object) -> Path:
    stream = io.BytesIO()
    more = {"save_all": True, "append_images": frames[1:]} if len(frames) > 1 else {}
    frames[0].save(stream, name, **more, **options)
    path.write_bytes(stream.getvalue())
    return path


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("JPEG", "jpeg"),
        ("PNG", "png"),
        ("BMP", "bmp"),
        ("TIFF", "tiff"),
        ("WEBP", "webp"),
        ("JPEG2000", "jpeg2000"),
        ("GIF", "gif"),
        ("AVIF", "avif"),
        ("HEIF", "heif"),
    ],
)
@pytest.mark.parametrize("called", ["photo.jpg", "clip.mp4", "nothing"])
def test_a_still_is_a_still_under_any_name(
    tmp_path: Path, name: str, kind: str, called: str
) -> None:
    path = save(tmp_path / called, name, rgb())
    content = content_of(path)
    assert (content.format, content.kind, content.pictures) == (kind, "still", 1)
    picture = read_picture(path)
    assert picture.shape == (64, 96, 3)
    if name in ("PNG", "BMP", "TIFF"):
        np.testing.assert_array_equal(picture, pictures(1, 96, 64)[0])
    else:
        assert np.abs(picture.astype(int) - pictures(1, 96, 64)[0]).mean() < 40
    with pytest.raises(VideoError, match=f"expected a video, got a still picture .{kind}."):
        VideoReader(path)


@pytest.mark.parametrize("name", ["GIF", "PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize("called", ["photo.jpg", "clip.mp4"])
def test_several_frames_are_a_video(tmp_path: Path, name: str, called: str) -> None:
    path = save(tmp_path / called, name, rgb(5), duration=40)
    assert content_of(path).kind == "video"
    with open_frames(path) as video:
        frames = list(video)
        assert isinstance(video, Animation) == (name in ("WEBP", "AVIF"))
    assert [frame.index for frame in frames] == [0, 1, 2, 3, 4]
    np.testing.assert_allclose([f.timestamp for f in frames], np.arange(5) * 0.04, atol=1e-3)
    assert not np.array_equal(frames[0].image, frames[4].image)


@pytest.mark.parametrize("name", ["WEBP", "GIF", "PNG"])
def test_an_animation_of_one_frame_is_a_still(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a"
    stream = io.BytesIO()
    rgb()[0].save(stream, name, save_all=True, duration=40)
    path.write_bytes(stream.getvalue())
    assert content_of(path).kind == "still"


def test_a_tiff_of_many_pages_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "scan.tif", "TIFF", rgb(200, 8, 8))
    assert content_of(path).pictures == 2
    with pytest.raises(VideoError, match="expected one picture, got several pages"):
        read_picture(path)


def test_tiles_are_put_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Phones store a HEIC as a grid of 512-pixel tiles."""
    monkeypatch.setattr(pillow_heif.options, "GRID_TILE_SIZE", 512)
    smooth = rgb(1, 96, 64)[0].resize((1400, 1100), Image.Resampling.BICUBIC)
    path = save(tmp_path / "photo.heic", "HEIF", [smooth], quality=90)
    assert b"grid" in path.read_bytes()
    picture = read_picture(path)
    assert picture.shape == (1100, 1400, 3)
    expected = np.asarray(smooth)[:, :, ::-1].astype(int)
    for rows in (slice(0, 512), slice(512, 1024), slice(1024, 1100)):
        for columns in (slice(0, 512), slice(512, 1024), slice(1024, 1400)):
            assert np.abs(picture[rows, columns] - expected[rows, columns]).mean() < 25


def test_heic_goes_by_its_boxes_and_not_by_exif(tmp_path: Path) -> None:
    """The standard (ISO/IEC 23008-12) makes EXIF orientation a remark; boxes turn the picture."""
    exif = Image.Exif()
    exif[0x0112] = 6
    path = save(tmp_path / "photo.heic", "HEIF", rgb(1, 96, 64), exif=exif)
    assert b"irot" not in path.read_bytes()
    assert read_picture(path).shape == (64, 96, 3)


@pytest.mark.parametrize("orientation", range(2, 9))
def test_rotation_and_mirroring_boxes_are_applied(tmp_path: Path, orientation: int) -> None:
    ramp = np.mgrid[0:48, 0:80]
    levels = np.stack([ramp[1] * 3, ramp[0] * 5, ramp[0] * 0 + 90], -1).astype(np.uint8)
    exif = Image.Exif()
    exif[0x0112] = orientation  # Pillow writes it as the boxes irot and imir
    path = tmp_path / "a.avif"
    Image.fromarray(levels).save(path, exif=exif.tobytes(), quality=100)
    data = path.read_bytes()
    assert b"irot" in data or b"imir" in data
    turned = Image.fromarray(levels)
    turned.getexif()[0x0112] = orientation
    expected = np.asarray(ImageOps.exif_transpose(turned))[:, :, ::-1].astype(int)
    got = read_picture(path)
    assert got.shape == expected.shape
    assert np.abs(got - expected).mean() < 4


def test_a_cut_heic_is_refused_in_one_line(tmp_path: Path) -> None:
    path = save(tmp_path / "photo.heic", "HEIF", rgb(1, 640, 480))
    path.write_bytes(path.read_bytes()[:-800])
    with pytest.raises(VideoError, match=r"photo\.heic: ") as caught:
        read_picture(path)
    assert "\n" not in str(caught.value)


def test_motion_jpeg_is_a_video_and_a_jpeg_with_a_film_behind_it_a_still(tmp_path: Path) -> None:
    raw = write_video(tmp_path / "a.mjpeg", pictures(4), codec="mjpeg", pix_fmt="yuvj420p")
    assert content_of(raw).kind == "video"
    photo = save(tmp_path / "photo.jpg", "JPEG", rgb())
    film = write_video(tmp_path / "b.mp4", pictures(4))
    photo.write_bytes(photo.read_bytes() + film.read_bytes())
    assert content_of(photo).kind == "still"


@pytest.mark.parametrize("name", ["._a.png", ".DS_Store", "Thumbs.db", ".hidden.mov", "__MACOSX"])
def test_what_systems_leave_is_no_input(tmp_path: Path, name: str) -> None:
    assert not is_input(name)
    save(tmp_path / "a.png", "PNG", rgb())
    (tmp_path / name).write_bytes(b"\0" * 24)
    (tmp_path / "notes.txt").write_text("x")
    assert [path.name for path in pictures_in(tmp_path)] == ["a.png"]
    assert [path.name for path in passed_over(tmp_path)] == ["notes.txt"]


def test_the_same_bytes_have_the_same_kind_under_each_name(shared: Path) -> None:
    folder = shared / "cases/still-suffix"
    base = read_picture(folder / "photo.jpg")
    for name in ("same_bytes.jfif", "photo.heic", "photo.avif", "photo.gif"):
        assert content_of(folder / name).kind == "still"
        assert np.abs(read_picture(folder / name).astype(int) - base).mean() < 6
