"""Airflow with the page, and people before it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page

from scenes.airflow.office import Office
from scenes.page import browser as seen


@dataclass
class Desk:
    """Airflow, and a browser before it; `state` is where Airflow finds its folder of documents."""

    office: Office
    browser: Browser
    passwords: dict[str, str]
    state: Path

    @property
    def url(self) -> str:
        return self.office.sandbox.airflow.url

    def visit(self, user: str, *, dark: bool = False, width: int = 1400) -> Page:
        page = seen.visitor(self.browser, self.url, dark=dark, width=width)
        seen.log_in(page, user, self.passwords[user])
        return page

    @contextmanager
    def shelf(self, folder: Path) -> Iterator[None]:
        """Another folder in the place of Airflow's."""
        own = self.state.readlink()
        self._point_to(folder)
        try:
            yield
        finally:
            self._point_to(own)

    def _point_to(self, folder: Path) -> None:
        beside = self.state.with_name("beside")
        beside.symlink_to(folder)
        beside.replace(self.state)
