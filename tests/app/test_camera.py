"""A picture by the camera, in a real browser with a pretended one."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import cv2
import pytest

import pyfaceau
from pyfaceau.media.video import VideoReader
from tests.app.test_server import served
from tests.chromium import CHROMIUM, Chromium, opened

pytest.importorskip("streamlit", reason="needs the extra app")
playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")


def test_a_picture_is_taken_and_measured(tmp_path: Path, shared: Path, weights_dir: Path) -> None:
    film = tmp_path / "face.mjpeg"
    with VideoReader(shared / "samples/video/single_face.mp4") as video:
        film.write_bytes(cv2.imencode(".jpg", next(iter(video)).image)[1].tobytes() * 2)
    fake = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    fake += [f"--use-file-for-fake-video-capture={film}"]
    with (
        playwright.sync_playwright() as driver,
        closing(Chromium(driver, *fake)) as chromium,
        chromium.lent() as browser,
        served(tmp_path) as (_, address),
    ):
        page = opened(browser, address)
        page.get_by_text("Take a picture with the camera").click()
        page.wait_for_function(
            "() => { const v = document.querySelector('video'); return v && v.currentTime > 0.5 }"
        )  # until then the picture is black
        page.get_by_role("button", name="Take Photo").click()
        page.get_by_test_id("stImage").locator("img").wait_for()
        with page.expect_download() as download:
            page.get_by_role("button", name="Table (CSV)").click()
        download.value.save_as(tmp_path / "a.csv")
    table = pyfaceau.read(tmp_path / "a.csv")
    assert table.index.name == "face"
    assert table["confidence"].tolist() == [pytest.approx(0.95, abs=0.05)]
