"""Every page, wide and narrow, light and dark: legible, within its window, usable by everybody."""

import csv
import io

import pytest
from playwright.sync_api import expect

from app.core.entities import RoundState
from app.rounds import relabelling
from app.rounds.measuring.measurer import Measurer
from tests.browser.axe import COLOURS, violations
from tests.factories import LABELS, import_rows, make_project, sample_texts

pytestmark = [pytest.mark.postgres, pytest.mark.browser]
LONG = "a class whose name is as long as names of classes are allowed to be, and then some more"[
    :80
]
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
    f"{SHOP}/export",
    f"{SHOP}/settings",
    f"{SHOP}/labels",
    f"{SHOP}/actions",
    f"{SHOP}/delete",
    f"{SHOP}/rounds/1",
    f"{SHOP}/rounds/1/selections/1",
    f"{SHOP}/rounds/2",
    f"{SHOP}/rounds/2/cancel",
    f"{SHOP}/rounds/2/finish",
    f"{SHOP}/rounds/9",
    "/projects/empty",
    "/projects/empty/imported",
    "/projects/empty/data",
    "/projects/empty/annotators",
    "/projects/empty/quality",
    "/projects/empty/doubts",
    "/projects/empty/money",
    "/projects/empty/export",
    "/projects/empty/settings",
    "/projects/empty/actions",
    "/docs",
)
CHARTS = {  # where it is: the table that says the same
    SHOP: "#curve-table",
    f"{SHOP}/quality": "#calibration",
    f"{SHOP}/rounds/1": "#batch",
}


@pytest.fixture
def measured(store, played):
    """A project whose first round was measured, with doubted labels and a class of a long name."""
    wrong = [{**row, "label": LABELS[n % 3]} for n, row in enumerate(sample_texts(200, seed=3)[:40])
             if row["split"] == "train"]  # fmt: skip
    import_rows(store, wrong)
    relabelling.edit_labels(store, "shop", [*LABELS, LONG], {}, actor="test")
    played.play(played.start())
    assert Measurer(played.parts, name="measurer").tick()
    return played


@pytest.mark.parametrize("width", [1280, 390], ids=["desk", "phone"])
def test_everybody_can_use_every_page(page, dashboard, store, measured, width):
    make_project(store, "empty", labels=["yes", LONG])
    measured.run_until(measured.start(), RoundState.ANNOTATING)
    page.set_viewport_size({"width": width, "height": 900})
    dashboard.open("/login")
    wrong = {"/login": _wrong(page, width)}
    dashboard.log_in(store, "admin")
    for path in PAGES:
        dashboard.open(path)
        wrong[path] = _wrong(page, width)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    dashboard.watch.expect("404")  # a round that there is not
    assert {path: found for path, found in wrong.items() if found} == {}


def _wrong(page, width):
    """In light and dark; what is wrong with more than colours is wrong in both."""
    page.emulate_media(color_scheme="light")
    found = violations(page)
    if page.evaluate("document.documentElement.scrollWidth") > width:
        found.append("wider than its window")
    if page.evaluate("[...document.querySelectorAll('.scroll:has(.stacked)')]"
                     ".some((one) => one.scrollWidth > one.clientWidth)"):  # fmt: skip
        found.append("a stacked table has to be scrolled sideways")
    page.emulate_media(color_scheme="dark")
    return found + violations(page, COLOURS)


def test_a_round_is_started_with_the_keyboard_alone(page, dashboard, store, played):
    played.play(played.start())
    dashboard.log_in(store)
    dashboard.open(SHOP)
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


def test_every_chart_is_read_by_keyboard_and_as_a_table(page, dashboard, base, store, measured):
    dashboard.log_in(store)
    for path, table in CHARTS.items():
        dashboard.open(path)
        figure = page.locator("figure.curve")
        title = figure.locator("svg").get_attribute("aria-label")
        expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()
        points = _points_by_keyboard(page, figure)
        if (summary := figure.locator("summary")).count():
            summary.focus()
            page.keyboard.press("Enter")
        rows = page.locator(f"{table} tbody tr")
        expect(rows.first).to_be_visible()
        assert rows.count() == len(points)
        assert _lines_of_csv(page, base, figure, with_rank="map" in figure.get_attribute("class")) \
            == len(points)  # fmt: skip


def _points_by_keyboard(page, figure):
    """From one point to the next by Tab: each has a name and shows its figures."""
    points = figure.locator(".point")
    names = []
    points.first.focus()
    for point in points.all():
        expect(point).to_be_focused()
        expect(point.locator("text")).to_be_visible()
        names.append(point.get_attribute("aria-label"))
        page.keyboard.press("Tab")
    read_out = figure.locator("svg").aria_snapshot()
    assert len(set(names)) == len(names)
    assert [name for name in names if name not in read_out] == []
    return names


def _lines_of_csv(page, base, figure, *, with_rank):
    """How many of its lines are points; a map's file has the pool around them too."""
    href = figure.get_by_role("link", name="CSV").get_attribute("href")
    lines = list(csv.DictReader(io.StringIO(page.request.get(base + href).text())))
    return sum(1 for one in lines if one["rank"]) if with_rank else len(lines)


def test_a_pick_on_the_map_leads_to_its_reason_by_keyboard(page, dashboard, store, played):
    played.run_until(played.start(), RoundState.ANNOTATING)
    dashboard.log_in(store)
    dashboard.open(f"{SHOP}/rounds/1")
    page.locator("a.point").first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Rank 1")).to_be_visible()


def test_paper_gets_charts_and_tables_and_nothing_to_press(page, dashboard, base, store, measured):
    dashboard.log_in(store)
    page.context.add_cookies([{"name": "rounds_theme", "value": "dark", "url": base}])
    page.emulate_media(media="print", color_scheme="dark")
    for path in (*CHARTS, f"{SHOP}/doubts", f"{SHOP}/money", f"{SHOP}/data"):
        dashboard.open(path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.locator("table").first).to_be_visible()
        pressed = page.locator("nav, form > button, .button, .filled, .skip")
        assert [one.inner_text() for one in pressed.all() if one.is_visible()] == [], path
        colours = "[getComputedStyle(document.body).backgroundColor, " \
                  "getComputedStyle(document.body).color]"  # fmt: skip
        assert page.evaluate(colours) == ["rgb(255, 255, 255)", "rgb(27, 31, 36)"]
        if path in CHARTS:
            expect(page.locator("figure.curve svg")).to_be_visible()
            expect(page.locator(f"{CHARTS[path]} tbody td").first).to_be_visible()


def test_the_check_itself_finds_what_is_wrong(page):
    page.set_content("<html><body><img src='data:,'><p style='color: #aaa'>faint</p></body></html>")
    found = " ".join(violations(page))
    assert "image-alt" in found
    assert "color-contrast" in found
