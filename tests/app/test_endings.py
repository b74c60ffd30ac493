"""Uploads that come to nothing, in a real browser: no face in them, no models installed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.app.test_server import folders, served
from tests.chromium import CHROMIUM, opened, upload
from tests.video_files import pictures, write_video

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytest.importorskip("streamlit", reason="needs the extra app")
pytest.importorskip("playwright.sync_api", reason="needs playwright")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")


def dropped(browser: Browser, address: str, video: Path) -> Page:
    """Open the start page and drop a video."""
    page = opened(browser, address)
    page.get_by_text("Drop a file, or choose one").wait_for()
    upload(page, video)
    return page


def files(parent: Path) -> list[str]:
    """Return the names of what the server's folder holds."""
    return sorted(p.name for f in folders(parent) for p in f.rglob("*") if p.is_file())


def test_a_video_without_a_face_says_so(
    browser: Browser, tmp_path: Path, weights_dir: Path
) -> None:
    video = write_video(tmp_path / "wall.mp4", pictures(6, 160, 120))
    with served(tmp_path) as (_, address):
        page = dropped(browser, address, video)
        page.get_by_text("wall.mp4: no face in any of its 6 frames.").wait_for()
        assert "Traceback" not in page.content()


def test_missing_models_are_told_with_the_remedy(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = tmp_path / "none"
    empty.mkdir()
    monkeypatch.setenv("PYFACEAU_WEIGHTS_DIR", str(empty))
    video = write_video(tmp_path / "wall.mp4", pictures(6, 160, 120))
    with served(tmp_path) as (_, address):
        page = dropped(browser, address, video)
        alert = page.get_by_test_id("stAlert").first
        alert.wait_for()
        said = alert.inner_text()
        assert said.startswith("wall.mp4: ")
        assert "pyfaceau weights install" in said
        assert "Traceback" not in page.content()
        assert not [name for name in files(tmp_path) if name.endswith((".csv", ".mp4"))]
