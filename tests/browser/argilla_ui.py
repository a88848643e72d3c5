"""Argilla's web UI in the words of a person who uses it."""

import re
from dataclasses import dataclass, field

from playwright.sync_api import Locator, Page, Response, expect

from tests.services import ArgillaUser


@dataclass
class ArgillaUi:
    """One person at one browser window."""

    page: Page
    url: str
    failures: list[str] = field(default_factory=list)
    """Requests that the server answered with an error."""

    def __post_init__(self) -> None:
        self.page.on("response", self._note_failure)

    def log_in(self, user: ArgillaUser) -> None:
        self.page.goto(f"{self.url}/sign-in")
        self.page.locator("input").first.fill(user.username)
        self.page.locator("input[type=password]").fill(user.password)
        self.page.keyboard.press("Enter")
        self.page.get_by_text("Your datasets").wait_for()

    def open(self, dataset: str, *, status: str = "pending", sort: str = "") -> None:
        """By a link such as the one we print for annotators."""
        query = f"page=1&status={status}" + (f"&sort={sort}" if sort else "")
        self.page.goto(f"{self.url}/dataset/{dataset}/annotation-mode?{query}")
        self.page.get_by_text("Guidelines").first.wait_for()

    def open_from_home(self, name: str) -> None:
        self.page.get_by_text(name).click()
        self.page.get_by_text("Guidelines").first.wait_for()

    def expect_record(self, text: str, count: int | None = None) -> None:
        """This is the record in front of us, one of so many."""
        expect(self.page.get_by_text(text, exact=True).first).to_be_visible()
        if count is not None:
            self.expect_record_count(count)

    def expect_record_count(self, count: int) -> None:
        """The queue is that long."""
        expect(self.page.get_by_label("Total Records").first).to_have_text(f"of {count}")

    def expect_nothing(self) -> None:
        """The search found no record."""
        expect(self.page.get_by_text(re.compile("You have no .* records matching"))).to_be_visible()

    def expect_suggestion(self, label: str, score: str) -> None:
        """The suggested answer, marked as such, with its confidence."""
        chosen = self.page.locator(".label-active", has_text=label)
        expect(chosen).to_be_visible()
        expect(chosen).to_contain_text(score)

    def read_guidelines(self) -> Locator:
        panel = self.page.get_by_role("button", name="Expand Panel").first
        panel.click()
        return self.page.locator(".panel__content").first

    def filter_by_term(self, name: str, term: str) -> None:
        self._open_metadata_filter(name)
        with self.page.expect_response(_is_search):
            self.page.locator(".metadata-filter .labels-selector__items").get_by_text(term).click()
        self._close_menus()

    def filter_from(self, name: str, lowest: str) -> None:
        self._open_metadata_filter(name)
        first = self.page.locator(".metadata-filter input[type=number]").first
        with self.page.expect_response(_is_search):
            first.fill(lowest)  # not Enter: that would submit the record behind the menu
            first.blur()
        self._close_menus()

    def clear_filters(self) -> None:
        with self.page.expect_response(_is_search):
            self.page.get_by_role("button", name="Reset").click()

    def sort_by(self, name: str) -> None:
        self.page.locator(".sort-filter button").first.click()
        with self.page.expect_response(_is_search):
            self.page.locator(".sort-filter").get_by_text(name, exact=True).click()
        self._close_menus()

    def turn_sort(self) -> None:
        """The other way round."""
        self.page.locator(".sort-filter button").first.click()
        with self.page.expect_response(_is_search):
            self.page.locator(".sort-selector-item__direction").first.click()
        self._close_menus()

    def search(self, text: str) -> None:
        box = self.page.locator(".search-area__input").first
        if not box.is_visible():
            self.page.locator(".search-area__icon").first.click()
        with self.page.expect_response(_is_search):
            box.fill(text)
            box.press("Enter")

    def choose(self, label: str) -> None:
        self.page.locator(".label-text", has_text=label).first.click()

    def select_all_in_bulk_view(self) -> None:
        """The list of records instead of one at a time, and all of the list ticked."""
        self.page.get_by_label("Switch to Bulk Mode").click()
        self.page.locator(".wrapper__records__header .checkbox__container").first.click()

    def submit(self) -> None:
        self._send("Submit")

    def discard(self) -> None:
        self._send("Discard")

    def save_draft(self) -> None:
        self._send("Save as draft")

    def expect_progress(self, **counts: int) -> None:
        """My own counts, as the panel at the bottom shows them."""
        counters = self.page.locator(".my-progress__list .status-counter")
        if counters.count() == 0:
            self.page.locator(".panel__header", has_text="Submitted").click()
        for name, count in counts.items():
            counter = counters.filter(has_text=re.compile(name, re.IGNORECASE))
            expect(counter.locator(".status-counter__counter")).to_have_text(str(count))

    def show(self, status: str) -> None:
        """Another queue: pending, draft, discarded or submitted."""
        self.page.locator(".filter-status button").first.click()
        self.page.locator(f".filter-status .option.{status}").click()

    def _send(self, button: str) -> None:
        with self.page.expect_response(_is_response_of_a_person):
            self.page.get_by_role("button", name=button).click()

    def _open_metadata_filter(self, name: str) -> None:
        if not self.page.locator(".metadata-filter").is_visible():
            self.page.get_by_role("button", name="Filters").click()
        self.page.locator(".metadata-filter button").first.click()
        self.page.locator(".category__item", has_text=name).click()

    def _close_menus(self) -> None:
        self.page.mouse.click(600, 750)

    def _note_failure(self, answer: Response) -> None:
        if answer.status >= 400:
            self.failures.append(f"{answer.status} {answer.request.method} {answer.url}")


def _is_search(answer: Response) -> bool:
    return "/records/search" in answer.url


def _is_response_of_a_person(answer: Response) -> bool:
    return answer.request.method in ("POST", "PUT") and "/responses" in answer.url
