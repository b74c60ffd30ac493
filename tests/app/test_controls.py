"""What a person presses on the start page, in a real browser: curves, export, side bar."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from PIL import Image

import pyfaceau
from pyfaceau.cli.command import main
from tests.app.test_server import served
from tests.chromium import CHROMIUM, opened, upload
from tests.landmarks.test_network import write

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytest.importorskip("streamlit", reason="needs the extra app")
pytest.importorskip("playwright.sync_api", reason="needs playwright")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")

DESKTOP = {"width": 1300, "height": 1400}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, weights_dir: Path) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("app")) as (_, address):
        yield address


def started(browser: Browser, address: str) -> Page:
    page = opened(browser, address, viewport=DESKTOP)
    page.get_by_text("Drop a file, or choose one").wait_for()
    return page


@pytest.fixture
def measured(browser: Browser, address: str, shared: Path) -> Page:
    """Open the page of a measured video."""
    page = started(browser, address)
    upload(page, shared / "samples/video/single_face.mp4")
    page.locator(".js-plotly-plot .trace").first.wait_for()
    return page


def downloaded(page: Page, press: str) -> Path:
    with page.expect_download() as download:
        page.locator(press).first.click()
    return Path(download.value.path())


def table_of(page: Page, tmp_path: Path) -> pd.DataFrame:
    with page.expect_download() as download:
        page.get_by_role("button", name="Table (CSV)").click()
    download.value.save_as(tmp_path / "a.csv")
    return pyfaceau.read(tmp_path / "a.csv")


def test_a_click_in_a_curve_moves_the_picture(measured: Page) -> None:
    measured.get_by_text("single_face.mp4, 0.000 s").wait_for()
    mark = measured.locator(".js-plotly-plot .scatterlayer .point").nth(40)
    mark.scroll_into_view_if_needed()
    place = mark.bounding_box()
    assert place is not None
    at = place["x"] + place["width"] / 2, place["y"] + place["height"] / 2
    measured.mouse.move(*at, steps=5)
    measured.wait_for_timeout(500)  # Plotly looks for what is under the pointer
    measured.mouse.click(*at)
    measured.get_by_text("single_face.mp4, 1.333 s").wait_for()
    assert measured.get_by_role("slider").input_value() == "41"


def test_figures_are_saved_as_png_and_svg(measured: Page) -> None:
    save = '.modebar-btn[data-title^="Download plot"]'
    measured.locator(".js-plotly-plot").hover()
    with Image.open(downloaded(measured, save)) as picture:
        assert picture.format == "PNG"
        assert picture.width > DESKTOP["width"] / 2
    measured.get_by_text("svg", exact=True).click()
    measured.wait_for_timeout(1500)
    measured.locator(".js-plotly-plot").hover()
    text = downloaded(measured, save).read_text(encoding="utf-8")
    assert text.startswith("<svg")
    assert "time, s" in text


def test_suggestions_are_taken_or_dismissed(measured: Page) -> None:
    measured.get_by_role("button", name="Suggest actions").click()
    measured.get_by_role("button", name="Take").first.wait_for()
    proposed = measured.get_by_role("button", name="Take").count()
    measured.get_by_role("button", name="Take").first.click()
    text = downloaded(measured, "button:has-text('Actions (CSV)')").read_text()
    assert len(text.splitlines()) == 2
    left = measured.get_by_role("button", name="Take")
    left.nth(proposed - 1).wait_for(state="detached")
    assert left.count() == proposed - 1


def test_profile_free_has_columns_of_its_own(
    browser: Browser,
    shared: Path,
    landmarker: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYFACEAU_WEIGHTS_DIR", str(landmarker.parent))
    with served(tmp_path) as (_, address):
        page = started(browser, address)
        _measure_with_free(page, shared / "samples/video/single_face.mp4")
        table = table_of(page, tmp_path)
    assert "AU12_bs" in table
    assert "AU12_r" not in table
    assert len(table) == 72


def _measure_with_free(page: Page, video: Path) -> None:
    page.get_by_role("combobox", name="Profile").click()
    page.get_by_role("option", name="free").click()
    page.get_by_text("Its models are for any use").wait_for()
    upload(page, video)
    page.get_by_text("another measurement than OpenFace's action units").wait_for()


def test_a_network_of_ones_own_is_chosen(
    browser: Browser, address: str, shared: Path, tmp_path: Path
) -> None:
    network = write(tmp_path / "own.onnx", {"pyfaceau.channels": "gray"}, planes=1)
    page = started(browser, address)
    page.get_by_test_id("stSidebar").locator("input[type=file]").set_input_files(network)
    page.get_by_text("own.onnx").wait_for()
    page.wait_for_timeout(1000)
    upload(page, shared / "samples/video/single_face.mp4")
    page.locator(".js-plotly-plot").wait_for()
    expected = tmp_path / "expected.csv"
    video = str(shared / "samples/video/single_face.mp4")
    command = [video, "-o", str(expected), "--landmarks", str(network)]
    main.main(command, standalone_mode=False)
    pd.testing.assert_frame_equal(table_of(page, tmp_path), pyfaceau.read(expected))
