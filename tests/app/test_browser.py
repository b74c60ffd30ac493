"""The app in a real browser: upload, curves, slider, actions, downloads; bad uploads; privacy."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest
from PIL import Image

from pyfaceau.cli.command import main
from tests.app.test_server import folders, served
from tests.chromium import CHROMIUM, PATIENCE, upload

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytest.importorskip("streamlit", reason="needs the extra app")
pytest.importorskip("playwright.sync_api", reason="needs playwright")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, weights_dir: Path
) -> Iterator[tuple[Path, str]]:
    folder = tmp_path_factory.mktemp("app")
    with served(folder, "--limit", "50") as (_, address):
        yield folder, address


@pytest.fixture
def page(browser: Browser, server: tuple[Path, str]) -> Iterator[Page]:
    """Open a page that complains of what leaves the machine or fails in the browser."""
    context = browser.new_context(accept_downloads=True, viewport={"width": 1300, "height": 1400})
    opened = context.new_page()
    hosts: set[str] = set()
    errors: list[str] = []
    opened.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.goto(server[1])
    opened.set_default_timeout(PATIENCE)
    opened.get_by_text("Drop a file, or choose one").wait_for()
    yield opened
    assert hosts == {server[1].removeprefix("http://")}
    assert errors == []


def test_from_a_video_to_its_downloads(
    page: Page, server: tuple[Path, str], shared: Path, tmp_path: Path
) -> None:
    video = shared / "samples/video/single_face.mp4"
    upload(page, video)
    page.locator(".js-plotly-plot").wait_for()
    slider = page.get_by_role("slider")
    picture = page.get_by_test_id("stImage").locator("img")
    before = picture.get_attribute("src")
    slider.focus()
    for _ in range(3):
        slider.press("ArrowRight")
    page.get_by_text("single_face.mp4, 0.100 s").wait_for()
    assert picture.get_attribute("src") != before

    page.get_by_role("button", name="Begins at this picture").click()
    slider.focus()
    for _ in range(6):
        slider.press("ArrowRight")
    page.get_by_text("single_face.mp4, 0.300 s").wait_for()
    page.get_by_role("button", name="Ends at this picture").click()
    page.get_by_role("button", name="Add: 0.100 s to 0.300 s").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Actions (CSV)").click()
    assert Path(download.value.path()).read_text() == "action,start,end\nrest,0.100,0.300\n"

    with page.expect_download() as download:
        page.get_by_role("button", name="Table (CSV)").click()
    assert download.value.suggested_filename == "single_face.csv"
    expected = tmp_path / "expected.csv"
    main.main([str(video), "-o", str(expected)], standalone_mode=False)
    assert Path(download.value.path()).read_bytes() == expected.read_bytes()

    report = made(page, "Report (HTML)")
    text = report.read_text(encoding="utf-8")
    assert "data:image/jpeg" in text
    assert "single_face" in text
    assert str(tmp_path) not in text
    marked = made(page, "Marked video")
    with av.open(str(marked)) as opened:
        assert sum(1 for _ in opened.decode(video=0)) == 72


def made(page: Page, title: str) -> Path:
    """Have a file made and return where it was downloaded to."""
    page.get_by_role("button", name=f"Make: {title}").click()
    with page.expect_download() as download:
        page.get_by_role("button", name=f"Download: {title}").click()
    return Path(download.value.path())


def test_two_sessions_do_not_see_each_other(page: Page, browser: Browser, server: Any) -> None:
    other = browser.new_page()
    other.goto(server[1])
    other.get_by_text("Drop a file, or choose one").wait_for()
    upload(page, {"name": "mine.mp4", "mimeType": "video/mp4", "buffer": b"no video" * 999})
    page.get_by_text("mine.mp4: ").first.wait_for()
    other.reload()
    other.get_by_text("Drop a file, or choose one").wait_for()
    assert "mine.mp4" not in other.content()
    other.close()


def bomb() -> bytes:
    """Return a GIF of few bytes that claims a huge canvas."""
    picture = Image.fromarray(np.zeros((2, 2), np.uint8))
    stream = io.BytesIO()
    picture.save(stream, "GIF", save_all=True, append_images=[picture.point(lambda v: v + 1)])
    data = bytearray(stream.getvalue())
    data[6:10] = b"\xff\xff\xff\xff"
    return bytes(data)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("text.mp4", b"this is text\n" * 800_000),
        ("../../x", b"\x00" * 5000),
        ("bomb.gif", bomb()),
    ],
    ids=["text", "name", "bomb"],
)
def test_bad_uploads_are_told_in_one_message(
    page: Page, server: tuple[Path, str], name: str, content: bytes
) -> None:
    upload(page, {"name": name, "mimeType": "application/octet-stream", "buffer": content})
    alert = page.get_by_test_id("stAlert")
    alert.first.wait_for()
    said = alert.first.inner_text()
    plain = name.rsplit("/", 1)[-1]
    assert said.startswith(f"{plain}: ")
    assert said.count(plain) == 1
    assert "Traceback" not in page.content()
    assert str(server[0]) not in said
    kept = [path.name for folder in folders(server[0]) for path in folder.rglob("*")]
    assert plain not in kept


def test_upload_over_the_limit_is_refused(
    page: Page, server: tuple[Path, str], tmp_path: Path
) -> None:
    big = tmp_path / "big.mp4"
    with big.open("wb") as stream:
        stream.truncate(51 << 20)
    upload(page, big)
    page.get_by_text("File must be 50").first.wait_for()
    kept = [path for folder in folders(server[0]) for path in folder.rglob("upload-*")]
    assert all(path.stat().st_size < 50 << 20 for path in kept)


def test_files_go_when_the_browser_goes(browser: Browser, server: tuple[Path, str]) -> None:
    opened = browser.new_page()
    opened.goto(server[1])
    opened.get_by_text("Drop a file, or choose one").wait_for()
    [root] = folders(server[0])
    mine = set(root.iterdir())
    opened.close()
    for _ in range(60):
        if not (mine & set(root.iterdir())):
            return
        time.sleep(0.5)
    raise AssertionError("a session's folder outlived its browser")
