"""Fixtures of the tests that look at pages in a real browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from app.adapters.postgres.store import PostgresStore
from app.main import create_app
from tests.browser.watched import Dashboard, Watch, watched
from tests.played import PlayedProject
from tests.serving import make_parts, serving


@pytest.fixture
def played(store: PostgresStore, tmp_path: Path) -> PlayedProject:
    return PlayedProject(store, tmp_path, count=200)


@pytest.fixture
def base(store: PostgresStore) -> Iterator[str]:
    """Where the dashboard is."""
    with serving(create_app(make_parts(store, heartbeat_seconds=0.3))) as url:
        yield url


@pytest.fixture
def watched_page() -> Iterator[tuple[Page, Watch]]:
    with watched() as both:
        yield both


@pytest.fixture
def page(watched_page: tuple[Page, Watch]) -> Page:
    return watched_page[0]


@pytest.fixture
def watch(watched_page: tuple[Page, Watch]) -> Watch:
    """What went wrong on that page; what was meant to is said with `expect`."""
    return watched_page[1]


@pytest.fixture
def dashboard(page: Page, base: str, watch: Watch) -> Dashboard:
    """Somebody at the dashboard, not logged in."""
    return Dashboard(page, base, watch)
