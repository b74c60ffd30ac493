"""What the tests' browser does when it comes to a standstill."""

from __future__ import annotations

import sys

import pytest

from tests.chromium import Chromium

Error = pytest.importorskip("playwright.sync_api", reason="needs Playwright").Error


@pytest.mark.skipif(sys.platform != "linux", reason="finds the browser in /proc")
def test_one_that_stands_still_is_killed_and_another_started(chromium: Chromium) -> None:
    with pytest.raises(Error, match="closed"), chromium.lent(2) as browser:
        browser.new_page().evaluate("() => { while (true) {} }")
    with chromium.lent() as browser:
        assert browser.new_page().evaluate("() => 6 * 7") == 42
    assert not browser.contexts
