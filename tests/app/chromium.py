"""Debian's Chromium, and what tests do in it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = (
    "--no-sandbox --disable-gpu --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
PATIENCE = 120_000
"""Milliseconds that a busy machine may take."""


def opened(browser: Browser, address: str, name: str = "", **options: Any) -> Page:
    """Open one of the app's pages in a session of its own, with options of Playwright's context."""
    page = browser.new_context(accept_downloads=True, **options).new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(f"{address}/{name.lower()}")
    return page


def upload(page: Page, file: Any, place: int = 0) -> None:
    """Give a file to one of the page's uploads."""
    page.get_by_test_id("stMain").locator("input[type=file]").nth(place).set_input_files(file)
