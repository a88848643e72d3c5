"""A headless Chromium that talks to nobody but this machine."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Route, expect, sync_playwright

PATIENCE_MS = 30_000
PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium_or_skip() -> str:
    """Where Chromium is; a machine without one cannot run these tests."""
    for program in PROGRAMS:
        if (found := shutil.which(program)) is not None:
            return found
    pytest.skip("no Chromium on this machine (Debian: apt-get install chromium)")


@contextmanager
def open_page() -> Iterator[Page]:
    """A page in a fresh browser; what it asks from elsewhere is not answered."""
    program = chromium_or_skip()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        try:
            context = browser.new_context(viewport={"width": 1400, "height": 900})
            context.set_default_timeout(PATIENCE_MS)
            expect.set_options(timeout=PATIENCE_MS)
            context.route("**/*", _only_this_machine)
            yield context.new_page()
        finally:
            browser.close()


def _only_this_machine(route: Route) -> None:
    host = urlsplit(route.request.url).hostname
    if host in ("127.0.0.1", "localhost"):
        route.continue_()
    else:
        route.abort()
