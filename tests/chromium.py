"""Debian's Chromium, and what tests do in it."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = (
    "--no-sandbox --disable-gpu --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
PATIENCE = 120_000
"""Milliseconds that a busy machine may take."""

LIMIT, CLOSING = 300.0, 60.0
"""Seconds that a test may have the browser, and that its pages may take to close."""


class Chromium:
    """A browser for one test after the other, started anew where it has come to a standstill.

    Some of Playwright's calls wait for as long as it takes, such as the one that closes a context.

    Parameters
    ----------
    driver : Playwright
        What starts it.
    arguments : str
        Of its command line, beside `ARGUMENTS`.
    """

    def __init__(self, driver: Playwright, *arguments: str) -> None:
        self._driver = driver
        self._mark = f"--of-these-tests={uuid.uuid4()}"
        self._arguments = [*ARGUMENTS.split(), *arguments, self._mark]
        self._browser: Browser | None = None

    @contextmanager
    def lent(self, seconds: float = LIMIT) -> Iterator[Browser]:
        """Lend the browser for so many seconds at most, and close its pages."""
        from playwright.sync_api import Error

        if self._browser is None or not self._browser.is_connected():
            self._browser = self._driver.chromium.launch(
                executable_path=CHROMIUM, args=self._arguments
            )
        with self._killed_after(seconds):
            yield self._browser
        with self._killed_after(CLOSING), suppress(Error):
            for context in self._browser.contexts:
                context.close()

    def close(self) -> None:
        """End the browser."""
        if self._browser is not None:
            with self._killed_after(CLOSING):
                self._browser.close()

    @contextmanager
    def _killed_after(self, seconds: float) -> Iterator[None]:
        """Kill the browser unless something is done in time; whoever waits for it gets an error."""
        timer = threading.Timer(seconds, self._kill)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _kill(self) -> None:
        """Kill the browser with all its processes, which are a group of their own."""
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError):
                if self._mark.encode() in entry.read_bytes().split(b"\0"):
                    os.killpg(int(entry.parent.name), signal.SIGKILL)


def opened(browser: Browser, address: str, name: str = "", **options: Any) -> Page:
    """Open one of the app's pages in a session of its own, with options of Playwright's context."""
    page = browser.new_context(accept_downloads=True, **options).new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(f"{address}/{name.lower()}")
    return page


def upload(page: Page, file: Any, place: int = 0) -> None:
    """Give a file to one of the page's uploads."""
    page.get_by_test_id("stMain").locator("input[type=file]").nth(place).set_input_files(file)
