"""Data, settings and quality of a project, as pages."""

import csv
import io
import re

import pytest

from app.core.entities import RoundState
from app.ports.store import RestsOn
from tests.browsing import log_in, table
from tests.factories import all_rows, import_rows, items, make_project
from tests.played import PlayedProject

pytestmark = pytest.mark.postgres


@pytest.fixture
def shop(browser, store):
    make_project(store)
    return log_in(browser, store, "admin")


# --- data ---


def test_data_begins_with_what_to_do(browser, shop):
    page = browser.get("/projects/shop/data").text
    assert "There are no items yet." in page
    assert "rounds import shop" in page


def test_data_says_what_there_is(browser, shop, store):
    copies = [{"id": f"c{n}", "text": "the same"} for n in range(4)]
    gold = [{"id": "g", "text": "money", "label": "refund", "split": "test"}]
    import_rows(store, [*items(10), *copies, *gold, {"id": "bad", "text": ""}])
    import_rows(store, items(1, label="praise"))
    page = browser.get("/projects/shop/data").text
    assert "11 items are in the pool, 1 are held out to measure with; 3 duplicates" in page
    assert table(page, "splits")[0][1:] == ["14", "3"]
    assert [row[:2] + row[3:4] for row in table(page, "classes")] == [
        ["refund", "0", "1"],
        ["delivery", "0", "0"],
        ["praise", "1", "0"],
    ]
    assert "3 of 3 classes have fewer than 3 labels" in page
    assert table(page, "copied") == [["c0", "the same", "3"]]
    assert "The text that came most often came 4 times" in page
    assert len(table(page, "imports")) == 2
    assert "Line 16" in page
    file = browser.get("/projects/shop/classes.csv").text
    assert list(csv.reader(io.StringIO(file)))[1] == ["refund", "0", "1"]


def test_figures_are_counted_once_for_each_state_of_the_data(shop, store):
    import_rows(store, items(5))
    project = all_rows(store, "SELECT id FROM projects")[0]["id"]
    counted = []

    def count():
        counted.append(1)
        return {"n": len(counted)}

    def look(basis):
        with store.transaction() as tx:
            return tx.figures.kept(project, "tried", basis, count)

    assert [look(RestsOn.ITEMS)["n"] for _ in range(3)] == [1, 1, 1]
    import_rows(store, items(6))
    assert [look(RestsOn.ITEMS)["n"] for _ in range(2)] == [2, 2]
    assert look(RestsOn.LABELS)["n"] == 3
    import_rows(store, items(1, label="praise"))
    assert [look(RestsOn.LABELS)["n"] for _ in range(2)] == [4, 4]


def test_where_nothing_may_be_written_figures_are_counted(shop, store):
    import_rows(store, items(5))
    with store.snapshot() as tx:
        project = tx.projects.by_name("shop").id
        assert tx.items.counts(project).pool == 5
    assert all_rows(store, "SELECT FROM kept_figures WHERE name = 'imported'") == []


# --- settings ---


def settings_of(browser):
    """What the form would send if nothing was typed."""
    page = browser.get("/projects/shop/settings").text
    named = dict(re.findall(r'<input id="([\w.]+)" name="\1" value="([^"]*)"', page))
    for name, choices in re.findall(r'<select id="([\w.]+)".*?>(.*?)</select>', page, re.DOTALL):
        named[name] = re.search(r"<option selected>(.*?)</option>", choices)[1]
    named["guidelines"] = re.search(r"<textarea.*?>(.*?)</textarea>", page, re.DOTALL)[1]
    return named


def save(browser, csrf, **typed):
    given = {**settings_of(browser), **{k.replace("__", "."): v for k, v in typed.items()}}
    return browser.post("/projects/shop/settings", data={"csrf": csrf, **given})


def test_only_what_was_typed_is_changed(browser, shop, store):
    assert save(browser, shop).status_code == 303
    assert all_rows(store, "SELECT FROM actions WHERE kind = 'project.changed'") == []
    answer = save(
        browser,
        shop,
        batch_size="7",
        audit_fraction="0.25",
        closing__hours="",
        stopping__max_labels="300",
        strategy_options='{"beta": 100}',
        guidelines="What is wanted?\r\nThink.",
    )
    assert answer.status_code == 303, re.findall(r'role="alert".*?</div>', answer.text, re.DOTALL)
    with store.transaction() as tx:
        project = tx.projects.by_name("shop")
    settings = project.settings
    assert (settings.batch_size, settings.audit_fraction) == (7, 0.25)
    assert (settings.closing.hours, settings.stopping.max_labels) == (None, 300)
    assert settings.strategy_options == {"beta": 100}
    assert project.task.guidelines == "What is wanted?\nThink."
    (action,) = all_rows(store, "SELECT detail FROM actions WHERE kind = 'project.changed'")
    assert set(action["detail"]["changes"]) == {
        "batch_size", "audit_fraction", "closing", "stopping", "strategy_options", "guidelines",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("field", "typed", "says"),
    [
        ("batch_size", "many", "batch_size must be a whole number from 1 to 10000."),
        ("batch_size", "", "batch_size must have a value; before it was 20."),
        ("audit_fraction", "0.7", "audit_fraction must be from 0 to 0.5."),
        ("stopping.max_labels", "0", "stopping.max_labels must be"),
        ("strategy", "clairvoyance", "clairvoyance"),
        ("strategy_options", "{", "strategy_options must be an object"),
        ("llm.allow", "everything", "llm.allow must be a list of"),
    ],
)
def test_what_cannot_be_is_said_beside_its_field(
    browser,
    shop,
    store,
    field,
    typed,
    says,
):
    answer = save(browser, shop, **{field: typed, "seed": "5"})
    assert answer.status_code == 422
    assert says in answer.text.replace("&#39;", "'")
    assert "Nothing was changed" in answer.text
    assert re.search(rf'id="{field}"[^>]*aria-invalid="true"', answer.text), field
    assert 'name="seed" value="5"' in answer.text, "what was typed is not lost"
    with store.transaction() as tx:
        assert tx.projects.by_name("shop").settings.seed == 0


def test_a_project_is_paused_and_taken_up_again(browser, shop, store):
    for state in ("paused", "archived", "active"):
        answer = browser.post("/projects/shop/state", data={"csrf": shop, "state": state})
        assert answer.headers["location"].endswith(f"done={state}")
        assert f"shop is {state}:" in browser.get("/projects/shop/settings").text
    wrong = browser.post("/projects/shop/state", data={"csrf": shop, "state": "asleep"})
    assert wrong.status_code == 422


def test_viewers_see_settings_and_cannot_send_them(browser, store):
    make_project(store)
    csrf = log_in(browser, store, "viewer")
    page = browser.get("/projects/shop/settings").text
    assert "<fieldset disabled>" in page
    assert "Delete it" not in page
    assert browser.post("/projects/shop/settings", data={"csrf": csrf}).status_code == 403


# --- quality ---


def test_quality_begins_with_how_to_measure(browser, shop):
    page = browser.get("/projects/shop/quality").text
    assert "The classifier was not measured yet." in page
    assert browser.get("/projects/shop/confusion.csv").status_code == 404


def test_quality_adds_up(browser, store, tmp_path):
    played = PlayedProject(store, tmp_path)
    for _ in range(2):
        played.play(played.start())
    log_in(browser, store)
    page = browser.get("/projects/shop/quality").text
    with store.transaction() as tx:
        measured = tx.views.measured(played.project.id, None)
    metrics = measured["metrics"]
    assert measured["round"] == 2
    assert f"right on {metrics['accuracy']:.1%} of {metrics['n']} held-out items" in page
    matrix = list(csv.reader(io.StringIO(browser.get("/projects/shop/confusion.csv").text)))
    assert [[int(one) for one in row[1:]] for row in matrix[1:]] == metrics["confusion"]
    bins = list(csv.DictReader(io.StringIO(browser.get("/projects/shop/calibration.csv").text)))
    assert sum(int(one["items"]) for one in bins) == metrics["n"]
    assert page.count('class="point"') == len(bins)
    assert len(table(page, "per-class")) == 3
    first = browser.get("/projects/shop/quality?round=1").text
    assert "After round 1 " in first
    assert played.round(2).state == RoundState.CLOSED


# --- the map of a round ---


def test_a_map_shows_where_the_batch_lies(browser, store, tmp_path):
    played = PlayedProject(store, tmp_path)
    assert "<figure" not in browser.get("/projects/shop/rounds/1").text
    for _ in range(2):
        played.play(played.start())
    log_in(browser, store)
    page = browser.get("/projects/shop/rounds/2").text
    batch = played.round(2).batch_size
    assert f"The batch's {batch} items lie in".replace("'", "&#39;") in page
    assert page.count('<a class="point') == batch
    assert page.count('<a class="point audit"') >= 1
    maps = [
        list(csv.DictReader(io.StringIO(browser.get(f"/projects/shop/rounds/{n}/map.csv").text)))
        for n in (1, 2)
    ]
    assert [one["rank"] for one in maps[1] if one["rank"]] == [str(n + 1) for n in range(batch)]
    first, second = ({one["item_id"]: (one["x"], one["y"]) for one in found} for found in maps)
    both = set(first) & set(second)
    assert len(both) > 100
    assert all(first[one] == second[one] for one in both), "rounds share a plane"


def test_the_round_says_how_to_make_it_again(browser, store, tmp_path):
    played = PlayedProject(store, tmp_path)
    played.run_until(played.start(), RoundState.ANNOTATING)
    log_in(browser, store)
    page = browser.get("/projects/shop/rounds/1").text
    assert "rounds replay 1 --project shop" in page
    assert "status=submitted" in page
    assert "status=pending" in browser.get("/projects/shop/rounds/1/selections/1").text
