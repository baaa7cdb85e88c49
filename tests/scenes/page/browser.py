"""Debian's Chromium, driven by Playwright: one browser, a context for each visitor."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Frame, Page, expect, sync_playwright

from sandbox.places import ROOT, TESTS
from scenes.packages import is_missing

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
AXE = TESTS / "browser" / "vendor" / "axe.min.js"
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
PAGE = "/plugin/credentials"
PICTURES = ROOT / "docs" / "images"
TAKE_PICTURES = "TAKE_PICTURES"
"""Set: the tests save what they see to docs/images."""


def needs_chromium() -> None:
    """A missing browser is named; where CI ran, it is red."""
    if not Path(CHROMIUM).exists():
        is_missing("chromium")


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


def visitor(browser: Browser, url: str, *, dark: bool = False, width: int = 1400) -> Page:
    """Somebody who has not logged in; what their browser complains of fails the test at `complaints`."""
    context = browser.new_context(
        base_url=url, viewport={"width": width, "height": 950}, color_scheme="dark" if dark else "light"
    )
    context.set_default_timeout(30_000)
    return context.new_page()


def log_in(page: Page, user: str, password: str) -> None:
    """By Airflow's own form."""
    page.goto(PAGE)
    page.locator("input[name=username]").fill(user)
    page.locator("input[name=password]").fill(password)
    page.locator("button[type=submit]").click()
    page.wait_for_url("**/plugin/credentials*")


def frame(page: Page) -> Frame:
    """The page's own frame inside Airflow's, once it has read what it shows."""
    handle = page.locator("iframe").element_handle()
    inside = handle.content_frame() if handle else None
    assert inside is not None
    inside.wait_for_selector("main[aria-busy=false]")
    return inside


def serious(page: Page | Frame) -> list[str]:
    """What axe finds that keeps people out, as rule and place."""
    page.evaluate(AXE.read_text())
    found: dict[str, Any] = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in found["violations"]
        if one["impact"] in {"serious", "critical"}
        for node in one["nodes"][:3]
    ]


def set_theme(page: Page, theme: str) -> None:
    """As Airflow's own switch does."""
    page.evaluate(f"() => {{ document.documentElement.className = '{theme}'; }}")


def picture(page: Page, name: str, *, whole: bool = False) -> None:
    """Save what is seen, where somebody asked for pictures."""
    if os.environ.get(TAKE_PICTURES):
        page.screenshot(path=PICTURES / f"{name}.png", full_page=whole)


def drawn(place: Page | Frame) -> None:
    """Wait until both pictures are there."""
    place.locator("canvas").last.scroll_into_view_if_needed()
    expect(place.locator("canvas[data-drawn]")).to_have_count(2)
