"""The dashboard in a real browser: log in, look, act, and see it change by itself."""

import re

import pytest
from playwright.sync_api import expect

from app.core.entities import RoundState
from app.main import create_app
from tests.browser.chromium import open_page
from tests.browser.watched import Dashboard, Watch
from tests.factories import all_rows, import_rows
from tests.serving import make_parts, serving

pytestmark = [pytest.mark.postgres, pytest.mark.browser]


def test_a_round_is_watched_from_start_to_end_without_a_reload(page, dashboard, store, played):
    dashboard.log_in(store)
    page.get_by_role("navigation").get_by_role("link", name="shop").click()
    expect(page.get_by_text("shop is ready for its first round")).to_be_visible()
    page.get_by_role("button", name="Start the next round").click()
    expect(page.get_by_text("The round was started.")).to_be_visible()
    live = page.locator("#live")
    expect(live).to_have_text("Live")
    page.evaluate("window.sameDocument = true")

    played.run_until(1, RoundState.ANNOTATING)
    expect(page.get_by_text("Round 1 is waiting for 12 of 12 answers.")).to_be_visible()
    expect(page.get_by_role("link", name="Annotate in Argilla")).to_be_visible()
    played.answer(1, skip=5)
    played.tick()
    expect(page.get_by_text("Round 1 is waiting for 5 of 12 answers.")).to_be_visible()
    expect(page.locator("#rounds tbody tr").first).to_contain_text("7 of 12")
    played.answer(1)
    played.run_until(1, RoundState.CLOSED)
    expect(page.get_by_text(re.compile("Round 1 is closed: accuracy"))).to_be_visible()
    expect(page.locator(".point")).to_have_count(1)
    expect(page.get_by_role("button", name="Start the next round")).to_be_visible()
    assert page.evaluate("window.sameDocument")


def test_what_a_person_has_opened_and_focused_survives_a_change(page, dashboard, store, played):
    played.play(played.start())
    dashboard.log_in(store)
    dashboard.open("/projects/shop")
    expect(page.locator("#live")).to_have_text("Live")
    page.get_by_text("The same as a table").click()
    page.get_by_role("button", name="Start the next round").focus()
    played.play(played.start())
    expect(page.locator("#curve-table tbody tr")).to_have_count(2)
    expect(page.locator("#curve-table")).to_have_attribute("open", "")
    expect(page.get_by_role("button", name="Start the next round")).to_be_focused()


def test_the_page_says_when_it_is_no_longer_live(page, watch, store, played):
    with serving(create_app(make_parts(store))) as base:
        dashboard = Dashboard(page, base, watch)
        dashboard.log_in(store)
        dashboard.open("/projects/shop")
        expect(page.locator("#live")).to_have_text("Live")
    expect(page.locator("#live")).to_contain_text("No longer live")
    watch.problems.clear()  # the browser itself complains of the lost connection


def test_a_project_is_made_from_a_file(page, dashboard, store, tmp_path):
    file = tmp_path / "tickets.csv"
    lines = [f"where is parcel {n},{'delivery' if n % 2 else 'refund'}" for n in range(90)]
    file.write_text("Body,Category\n" + "\n".join(lines) + "\nno label yet,\n")
    dashboard.log_in(store)
    page.get_by_role("link", name="New project").click()
    page.get_by_label("Name").fill("tickets")
    page.get_by_label("File").set_input_files(file)
    page.get_by_text("Columns and sizes").click()
    page.get_by_label("Items a round").fill("many")
    page.get_by_role("button", name="Create and import").click()
    expect(page.get_by_role("alert")).to_contain_text("batch_size must be a whole number")
    dashboard.watch.expect("422")
    assert page.get_by_label("Name").input_value() == "tickets"
    page.get_by_label("Items a round").fill("1")
    page.get_by_label("File").set_input_files(file)
    page.get_by_role("button", name="Create and import").click()
    expect(page.get_by_text("91 of 91 rows became items.")).to_be_visible()
    page.get_by_role("button", name="Start round 1").click()
    expect(page.get_by_text("The round was started.")).to_be_visible()


def test_a_round_is_cancelled_by_typing_the_name(page, dashboard, store, played):
    played.run_until(played.start(), RoundState.ANNOTATING)
    dashboard.log_in(store)
    dashboard.open("/projects/shop")
    page.get_by_role("link", name="Cancel the round").click()
    expect(page.get_by_text("12 unanswered items go back to the pool")).to_be_visible()
    page.get_by_label(re.compile("Type the project")).fill("shop")
    page.get_by_role("button", name="Cancel round 1").click()
    expect(page.get_by_text("The round will be cancelled")).to_be_visible()
    played.run_until(1, RoundState.CANCELLED)
    expect(page.get_by_text("Round 1 was cancelled")).to_be_visible()


def test_tables_sort_by_their_heads(page, dashboard, store, played):
    played.play(played.start())
    played.run_until(played.start(), RoundState.ANNOTATING)
    dashboard.log_in(store, "viewer")
    dashboard.open("/projects/shop/rounds/2")
    score = page.locator("#batch tbody td:last-child")
    page.locator("#batch").get_by_role("button", name="Score").click()
    values = [float(text) for text in score.all_inner_texts()]
    assert values == sorted(values)
    page.locator("#batch").get_by_role("button", name="Score").click()
    assert [float(text) for text in score.all_inner_texts()] == values[::-1]


def test_hostile_texts_stay_texts(page, dashboard, store, played):
    text = "<script>document.title = 'owned'</script><img src=x onerror=\"document.title='owned'\">"
    import_rows(store, [{"id": f"{text}{n}", "text": f"{text} {n}"} for n in range(40)])
    with store.transaction() as tx:
        tx.sql.run("UPDATE projects SET settings = settings || '{\"batch_size\": 60}'")
    played.run_until(played.start(), RoundState.ANNOTATING)
    dashboard.log_in(store, "viewer")
    dashboard.open("/projects/shop/rounds/1")
    expect(page.get_by_text("onerror").first).to_be_visible()
    assert "owned" not in page.title()
    assert page.locator("main img, main script").count() == 0


def test_all_works_without_javascript(base, store, played):
    with open_page() as plain:
        page = plain.context.browser.new_context(java_script_enabled=False).new_page()
        dashboard = Dashboard(page, base, Watch())
        dashboard.log_in(store)
        dashboard.open("/projects/shop")
        expect(page.get_by_text("Reload the page to see what is new.")).to_be_visible()
        page.get_by_role("button", name="Start the next round").click()
        expect(page.get_by_text("The round was started.")).to_be_visible()
        page.get_by_role("button", name="Log out").click()
        expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    assert all_rows(store, "SELECT actor FROM rounds") == [{"actor": "operator"}]
