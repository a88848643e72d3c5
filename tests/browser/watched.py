"""A page whose console and whose requests are watched, and the dashboard as a person uses it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Download, Page, Request, expect

from app.ports.store import Store
from tests.browser.axe import violations
from tests.browser.chromium import open_page
from tests.serving import make_key

HERE = ("127.0.0.1", "localhost", None)  # None: data and blobs
EXPECTED = ("401",)


@dataclass
class Watch:
    """What went wrong on a page although it looks right."""

    problems: list[str] = field(default_factory=list)

    def over(self, page: Page) -> None:
        page.on("request", self._request)
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", self._console)

    def expect(self, words: str) -> None:
        """The browser complains of something that was meant, such as a refused form."""
        assert any(words in one for one in self.problems), (words, self.problems)
        self.problems = [one for one in self.problems if words not in one]

    def _request(self, request: Request) -> None:
        if urlsplit(request.url).hostname not in HERE:
            self.problems.append(f"asked for {request.url}")

    def _console(self, said: ConsoleMessage) -> None:
        """Errors of scripts, and what the content-security policy has stopped."""
        if said.type == "error" and not any(one in said.text for one in EXPECTED):
            self.problems.append(said.text)


@dataclass
class Dashboard:
    """One person at our pages."""

    page: Page
    base: str
    watch: Watch

    def log_in(self, store: Store, role: str = "operator") -> None:
        _, key = make_key(store, role)
        self.page.goto(self.base)
        self.page.get_by_label("API key").fill(key)
        self.page.get_by_role("button", name="Log in").click()
        self.expect_heading("Projects")

    def open(self, path: str) -> None:
        self.page.goto(self.base + path)

    def tab(self, words: str) -> None:
        """Another page of the project; it must be usable by everybody."""
        pages = self.page.get_by_role("navigation", name="Pages of the project")
        pages.get_by_role("link", name=words, exact=True).click()
        expect(pages.locator("[aria-current]")).to_have_text(words)
        self.check()

    def press(self, words: str) -> None:
        self.page.get_by_role("button", name=words, exact=True).click()

    def follow(self, words: str) -> None:
        self.page.get_by_role("main").get_by_role("link", name=words, exact=True).click()

    def expect_heading(self, words: str) -> None:
        expect(self.page.get_by_role("heading", name=words, level=1)).to_be_visible()

    def expect_text(self, words: str) -> None:
        expect(self.page.get_by_text(words).first).to_be_visible()

    def check(self) -> None:
        """Nothing on the page as it is now shuts anybody out."""
        assert violations(self.page) == []

    def download(self, words: str) -> Download:
        with self.page.expect_download() as waiting:
            self.follow(words)
        return waiting.value


@contextmanager
def watched() -> Iterator[tuple[Page, Watch]]:
    """A fresh page; at the end nothing may have gone wrong on it."""
    with open_page() as page:
        watch = Watch()
        watch.over(page)
        yield page, watch
        assert watch.problems == []
