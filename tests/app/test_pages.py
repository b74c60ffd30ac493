"""The other pages in a real browser: before and after, and a study while it goes on."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from pyfaceau.cli.study import study as study_group
from pyfaceau.study.inputs import StudyVideo
from pyfaceau.study.ledger import Ledger
from tests.app.test_server import served
from tests.chromium import CHROMIUM, opened, upload

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytest.importorskip("streamlit", reason="needs the extra app")
pytest.importorskip("playwright.sync_api", reason="needs playwright")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")

PHONE = {"width": 390, "height": 844}
MINUS = "\N{MINUS SIGN}"


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a study of three videos: done with a report, failed, waiting."""
    folder = tmp_path_factory.mktemp("study")
    with Ledger(folder, create=True) as ledger:
        ledger.enter([StudyVideo(Path(f"/v/{n}.mov"), f"{n}.mov", "P1", n) for n in "abc"])
        ledger.update({"a.mov": {"state": "done", "frames": 72, "warnings": "2 cuts"}})
        ledger.update({"b.mov": {"state": "failed", "error": "/v/b.mov: no frame in it"}})
    (folder / "a.mov.html").write_text("<p>the report of a</p>")
    return folder


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, study: Path) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("app")
    with served(folder, "--folder", str(study)) as (_, address):
        yield address


def test_a_study_shows_states_reasons_and_reports(
    browser: Browser, address: str, study: Path
) -> None:
    page = opened(browser, address, "Study")
    page.get_by_text("2 of 3 videos finished").wait_for()
    page.get_by_test_id("stDataFrame").wait_for()
    with page.expect_download() as download:
        page.get_by_role("button", name="Report: a.mov").click()
    assert Path(download.value.path()).read_text() == "<p>the report of a</p>"
    assert page.get_by_role("button", name="Try failed videos again").count() == 0
    with Ledger(study) as ledger:
        ledger.update({"c.mov": {"state": "done"}})
    page.get_by_text("3 of 3 videos finished").wait_for()  # by itself
    page.get_by_text("Allow changes").click()
    page.get_by_role("button", name="Try failed videos again").wait_for()


def test_a_failed_video_is_tried_again(
    browser: Browser, shared: Path, weights_dir: Path, tmp_path: Path
) -> None:
    video = tmp_path / "videos" / "a.mp4"
    video.parent.mkdir()
    video.write_bytes(b"not yet copied")
    tables = tmp_path / "tables"
    done = CliRunner().invoke(study_group, ["run", str(video.parent), "-o", str(tables)])
    assert done.exit_code == 1, done.output
    shutil.copy(shared / "samples/video/single_face.mp4", video)
    with served(tmp_path, "--folder", str(tables)) as (_, address):
        page = opened(browser, address, "Study")
        page.get_by_text("Allow changes").click()
        page.get_by_role("button", name="Try failed videos again").click()
        page.get_by_text("1 done").first.wait_for()
    with Ledger(tables) as ledger:
        [row] = ledger.rows()
    assert (row["state"], row["frames"]) == ("done", 72)


def test_two_videos_lie_one_over_the_other(
    browser: Browser, address: str, shared: Path, weights_dir: Path
) -> None:
    page = opened(browser, address, "Compare", viewport={"width": 1300, "height": 1400})
    page.get_by_text("Before and after").wait_for()
    page.locator("input[type=file]").nth(1).wait_for(state="attached")
    for place, name in enumerate(("single_face.mp4", "d0.mp4")):
        upload(page, shared / "samples/video" / name, place)
        page.get_by_text(name).first.wait_for()
    page.get_by_text("before: single_face.mp4").wait_for()
    page.get_by_text("after: d0.mp4").wait_for()
    page.locator(".js-plotly-plot").wait_for()
    legend = page.locator(".js-plotly-plot .legendtext")
    assert [text.split(":")[0] for text in legend.all_text_contents()] == ["before", "after"]
    ticks = page.locator(".js-plotly-plot .xtick")
    assert MINUS not in "".join(ticks.all_text_contents())
    slider = page.get_by_role("slider").first
    slider.focus()
    for _ in range(40):
        slider.press("ArrowRight")
    page.get_by_text("Begin each at the picture shown").click()
    page.locator(".js-plotly-plot .xtick", has_text=MINUS).first.wait_for()


@pytest.mark.parametrize("name", ["", "Compare", "Study"])
def test_pages_fit_a_phone(browser: Browser, address: str, name: str) -> None:
    page = opened(browser, address, name, viewport=PHONE)
    page.get_by_role("heading").first.wait_for()
    page.wait_for_timeout(1000)
    wide = page.evaluate("document.documentElement.scrollWidth")
    main = page.get_by_test_id("stMain").evaluate("e => e.scrollWidth")
    assert (wide, main) == (PHONE["width"], PHONE["width"])
