"""Debian's Chromium under Playwright, where both are installed; pages are opened and measured in it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from api_server import get, timed

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PAINT = """
new Promise((done) => new PerformanceObserver((list, self) => {
    for (const entry of list.getEntriesByName("first-contentful-paint")) { self.disconnect(); done(entry.startTime); }
}).observe({ type: "paint", buffered: true }))
"""


def missing() -> str | None:
    """What there is no browser for; None: there is one."""
    if shutil.which("chromium") is None:
        return "no chromium is installed (Debian: apt-get install chromium)"
    try:
        import playwright.sync_api  # noqa: F401, PLC0415
    except ImportError:
        return "no playwright is installed (pip install playwright)"
    return None


@contextmanager
def chromium() -> "Iterator[Browser]":
    """A browser without a window, for as long as the block runs."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


def first_paint(url: str) -> float:
    """Seconds from asking for a page to its first paint; without a browser, until it is there."""
    if missing() is not None:
        return timed(lambda: get(url))
    with chromium() as browser:
        page = browser.new_page()
        page.goto(url)
        return float(page.evaluate(PAINT)) / 1000
