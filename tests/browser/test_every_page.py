"""Every page, wide and narrow, light and dark: legible, within its window, usable by everybody."""

import pytest
from playwright.sync_api import expect

from app.core.entities import RoundState
from tests.browser.axe import violations
from tests.browser.test_dashboard import base, log_in, page, played, store  # noqa: F401
from tests.factories import make_project

pytestmark = [pytest.mark.postgres, pytest.mark.browser]
SHOP = "/projects/shop"
PAGES = (
    "/",
    "/new",
    "/actions",
    SHOP,
    f"{SHOP}/imported",
    f"{SHOP}/data",
    f"{SHOP}/annotators",
    f"{SHOP}/quality",
    f"{SHOP}/doubts",
    f"{SHOP}/money",
    f"{SHOP}/settings",
    f"{SHOP}/actions",
    f"{SHOP}/delete",
    f"{SHOP}/rounds/1",
    f"{SHOP}/rounds/1/selections/1",
    f"{SHOP}/rounds/2",
    f"{SHOP}/rounds/2/cancel",
    f"{SHOP}/rounds/2/finish",
    f"{SHOP}/rounds/9",
    "/projects/empty",
    "/projects/empty/data",
    "/projects/empty/annotators",
    "/projects/empty/quality",
    "/projects/empty/doubts",
    "/projects/empty/money",
    "/projects/empty/actions",
    "/docs",
)


@pytest.mark.parametrize(
    ("width", "scheme"), [(1440, "light"), (390, "dark")], ids=["desk", "phone"]
)
def test_everybody_can_use_every_page(page, base, store, played, width, scheme):  # noqa: F811
    long = "a class whose name is as long as names of classes are allowed to be, and then some more"
    make_project(store, "empty", labels=["yes", long[:80]])
    played.play(played.start())
    played.run_until(played.start(), RoundState.ANNOTATING)
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    log_in(page, base, store, "admin")
    wrong = {}
    for path in PAGES:
        page.goto(base + path)
        if page.evaluate("document.documentElement.scrollWidth") > width:
            wrong[path] = ["wider than its window"]
        if found := violations(page):
            wrong[path] = [*wrong.get(path, []), *found]
    page.problems.clear()  # the browser notes the 404 of the round that there is not
    assert wrong == {}


def test_a_round_is_started_with_the_keyboard_alone(page, base, store, played):  # noqa: F811
    played.play(played.start())
    log_in(page, base, store)
    page.goto(base + SHOP)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="To the content")).to_be_focused()
    page.keyboard.press("Enter")
    start = page.get_by_role("button", name="Start the next round")
    seen = []
    for _ in range(40):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        seen.append(focused.inner_text())
        style = "(e) => getComputedStyle(e).outlineStyle + getComputedStyle(e).stroke"
        assert focused.evaluate(style) != "nonenone", f"nobody sees that {seen[-1]!r} is focused"
        if start.evaluate("(e) => e === document.activeElement"):
            break
    expect(start).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("The round was started.")).to_be_visible()


def test_points_of_charts_say_their_numbers_to_the_keyboard(page, base, store, played):  # noqa: F811
    played.play(played.start())
    log_in(page, base, store)
    page.goto(base + SHOP)
    point = page.locator(".point").first
    expect(point.locator("text")).to_be_hidden()
    point.focus()
    expect(point.locator("text")).to_be_visible()
    page.goto(base + SHOP + "/rounds/1")
    page.locator("a.point").first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Rank 1")).to_be_visible()


def test_the_check_itself_finds_what_is_wrong(page):  # noqa: F811
    page.set_content("<html><body><img src='data:,'><p style='color: #aaa'>faint</p></body></html>")
    found = " ".join(violations(page))
    assert "image-alt" in found
    assert "color-contrast" in found
