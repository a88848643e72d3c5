"""The page on which labels are edited: what would change is shown, then it is done or left."""

import html
import re

import pytest
from typer.testing import CliRunner

from app.cli.program import program
from app.core.entities import RoundState
from app.core.tasks import TaskSpec
from app.core.tasks.editing import as_written
from app.rounds import relabelling
from tests.browsing import log_in, table
from tests.factories import all_rows, import_rows, make_project
from tests.played import PlayedProject
from tests.serving import api

pytestmark = pytest.mark.postgres
LABELS = "/projects/shop/labels"


@pytest.fixture
def labelled(store):
    """Two refunds, one of them twice; a delivery in the pool and one held out; no praise."""
    make_project(store)
    gold = {"id": "g", "text": "held out", "label": "delivery", "split": "test"}
    import_rows(store, [
        {"id": "a", "text": "money", "label": "refund"},
        {"id": "b", "text": "money", "label": "refund"},
        {"id": "c", "text": "parcel", "label": "delivery"},
        gold,
    ])  # fmt: skip


def sent(page):
    """The form of a page as a browser sends it back."""
    found = re.findall(r'<input[^>]* name="([^"]+)"[^>]* value="([^"]*)"', page.text)
    return {name: html.unescape(value) for name, value in found}


def now(store):
    rows = all_rows(store, "SELECT i.external_id AS item, l.value->>'label' AS label "
                    "FROM current_labels l JOIN items i ON i.id = l.item_id")  # fmt: skip
    return {row["item"]: row["label"] for row in rows}


def test_what_somebody_wrote_beside_each_label():
    task = TaskSpec("single_label", ("a, b", "c", "d", "e", "f"))
    written = {"a, b": "a, b", "c": " x ", "d": "x", "e": "e1, e2", "f": ""}
    labels, mapping = as_written(task, written, ["new"])
    assert labels == ["a, b", "x", "e1", "e2", "new"]
    assert mapping == {"c": "x", "d": "x", "e": None, "f": None}


def test_an_edit_is_shown_then_confirmed_by_name(browser, store, labelled):
    csrf = log_in(browser, store)
    page = browser.get(LABELS)
    assert table(page.text, "labels") == [
        ["refund", "", "2", "0"], ["delivery", "", "1", "1"], ["praise", "", "0", "0"],
    ]  # fmt: skip
    form = {**sent(page), "label-0": "money back", "label-1": "late, lost", "added": "other"}
    shown = browser.post(LABELS, data=form)
    assert "2 labels would get another name, 2 would be taken back: " \
           "1 of the pool, 1 of held-out items." in shown.text  # fmt: skip
    assert table(shown.text, "changes") == [
        ["refund", "money back", "2", "0"],
        ["delivery", "looked at again, as late, lost", "1", "1"],
    ]
    before = now(store)
    unsure = browser.post(LABELS, data={**sent(shown), "typed_name": "other"})
    assert (unsure.status_code, now(store)) == (422, before)
    assert "type the project&#39;s name" in unsure.text
    done = browser.post(LABELS, data={**sent(shown), "typed_name": "shop"})
    assert done.headers["location"] == f"{LABELS}?done=changed"
    assert now(store) == {"a": "money back", "b": "money back"}
    (task,) = all_rows(store, "SELECT task->'labels' AS labels FROM projects")
    assert task["labels"] == ["money back", "late", "lost", "praise", "other"]
    again = browser.post(LABELS, data={**form, "csrf": csrf})
    assert again.status_code == 409
    assert "changed meanwhile" in again.text
    assert 'value="money back"' in again.text


def test_what_is_wrong_stands_beside_what_was_written(browser, store, labelled):
    log_in(browser, store)
    form = sent(browser.get(LABELS))
    same = browser.post(LABELS, data=form)
    assert (same.status_code, "Nothing would change." in same.text) == (422, True)
    few = browser.post(LABELS, data={**form, "label-0": "one", "label-1": "one", "label-2": "one"})
    assert few.status_code == 422
    assert few.text.count('value="one"') == 3
    assert browser.post(LABELS, data={**form, "csrf": "no"}).status_code == 403


def one_more(store, label):
    """Somebody gives a label while somebody else looks at what an edit would change."""
    import_rows(store, [{"id": "late", "text": f"late {label}", "label": label}])


def test_what_was_agreed_to_is_done_or_nothing(browser, store, labelled):
    log_in(browser, store)
    form = {**sent(browser.get(LABELS)), "label-2": "thanks"}
    shown = browser.post(LABELS, data=form)
    assert "0 labels would get another name" in shown.text
    one_more(store, "praise")
    before = now(store)
    again = browser.post(LABELS, data=sent(shown))
    assert (again.status_code, now(store)) == (409, before)
    assert "this is not what you agreed to" in again.text
    assert table(again.text, "changes") == [["praise", "thanks", "1", "0"]]
    done = browser.post(LABELS, data=sent(again))
    assert done.headers["location"] == f"{LABELS}?done=changed"
    assert now(store) == {**before, "late": "thanks"}


def test_a_label_that_stays_what_it_is_may_be_given_meanwhile(browser, store, labelled):
    log_in(browser, store)
    shown = browser.post(LABELS, data={**sent(browser.get(LABELS)), "label-1": "parcel"})
    one_more(store, "praise")
    assert browser.post(LABELS, data=sent(shown)).status_code == 303
    assert (now(store)["late"], now(store)["c"]) == ("praise", "parcel")


def test_what_is_taken_back_is_agreed_to_by_name_each_time(browser, store, labelled):
    log_in(browser, store)
    shown = browser.post(LABELS, data={**sent(browser.get(LABELS)), "label-2": ""})
    one_more(store, "praise")
    again = browser.post(LABELS, data={**sent(shown), "typed_name": "shop"})
    assert (again.status_code, "1 would be taken back" in again.text) == (409, True)
    assert browser.post(LABELS, data=sent(again)).status_code == 422
    assert now(store)["late"] == "praise"
    browser.post(LABELS, data={**sent(again), "typed_name": "shop"})
    assert "late" not in now(store)


def test_over_rest_what_is_expected_is_done_or_nothing(store, labelled):
    body = {"labels": ["refund", "praise"], "mapping": {"delivery": None}}
    at = "/api/v1/projects/shop/labels"
    with api(store) as client:
        expected = client.post(f"{at}/foresee", json=body).json()["fingerprint"]
        one_more(store, "delivery")
        before = now(store)
        for more in ({}, {"in_flight": True}):
            refused = client.post(f"{at}/edit", json={**body, **more, "expected": expected})
            assert (refused.status_code, refused.json()["code"]) == (409, "not-as-foreseen")
        assert now(store) == before
        by_now = client.post(f"{at}/foresee", json=body).json()["fingerprint"]
        assert refused.json()["fingerprint"] == by_now != expected
        assert client.post(f"{at}/edit", json={**body, "expected": by_now}).status_code == 200
    assert set(now(store).values()) == {"refund"}


def test_a_label_given_between_the_check_and_the_act_stops_the_page_too(
    browser, store, labelled, monkeypatch
):
    """The page looks once to see whether a name must be typed; the edit looks again, under lock."""
    log_in(browser, store)
    shown = browser.post(LABELS, data={**sent(browser.get(LABELS)), "label-2": "thanks"})
    edit = relabelling.edit_labels

    def too_late(*given, **more):
        one_more(store, "praise")
        return edit(*given, **more)

    monkeypatch.setattr(relabelling, "edit_labels", too_late)
    again = browser.post(LABELS, data=sent(shown))
    assert (again.status_code, now(store)["late"]) == (409, "praise")
    assert table(again.text, "changes") == [["praise", "thanks", "1", "0"]]


def test_who_may_read_sees_the_labels_and_cannot_change_them(browser, store, labelled):
    log_in(browser, store, "viewer")
    page = browser.get(LABELS)
    assert "See what would change" not in page.text
    assert browser.post(LABELS, data={**sent(page), "label-0": "x"}).status_code == 403


def test_with_a_round_open_the_page_offers_to_finish_it_first(browser, store, tmp_path):
    played = PlayedProject(store, tmp_path, count=120)
    played.run_until(played.start(), RoundState.ANNOTATING)
    played.answer(1, skip=5)
    played.tick()
    log_in(browser, store)
    form = {**sent(browser.get(LABELS)), "label-0": "late"}
    shown = browser.post(LABELS, data=form)
    assert "finished first, with the 7 of 12 answers there are" in shown.text
    done = browser.post(LABELS, data=sent(shown))
    assert done.headers["location"] == f"{LABELS}?done=asked"
    waiting = browser.get(LABELS).text
    assert "When the open round is over, the labels become: late" in waiting
    assert "See what would change" not in waiting
    played.run_until(1, RoundState.CLOSED)
    assert set(now(store).values()) <= {"late", "praise", "refund"}


def test_command_and_rest_foresee_the_same(store, labelled, database_url, monkeypatch, tmp_path):
    with api(store, "viewer") as client:
        body = {"labels": ["refund", "praise"], "mapping": {"delivery": None}}
        answer = client.post("/api/v1/projects/shop/labels/foresee", json=body)
        wrong = client.post("/api/v1/projects/shop/labels/foresee", json={"labels": ["refund"]})
    assert answer.json() == {
        "said": "0 labels would get another name, 2 would be taken back: 1 of the pool, 1 of "
        "held-out items.",
        "labels": ["refund", "praise"],
        "mapping": {"refund": "refund", "delivery": None, "praise": "praise"},
        "carried": 0,
        "taken_back": [{"label": "delivery", "pool": 1, "held_out": 1}],
        "fingerprint": answer.json()["fingerprint"],
    }
    assert wrong.status_code == 422
    monkeypatch.setenv("ROUNDS_DATABASE_URL", database_url.replace("+psycopg", ""))
    monkeypatch.setenv("ROUNDS_HOME", str(tmp_path))
    drop = ["relabel", "shop", "--drop", "delivery"]
    said = CliRunner().invoke(program, [*drop, "--dry-run"])
    assert "2 would be taken back" in " ".join(said.output.split())
    expected = answer.json()["fingerprint"]
    assert f"--expected {expected}" in " ".join(said.output.split())
    one_more(store, "delivery")
    refused = CliRunner().invoke(program, [*drop, "--expected", expected])
    assert (refused.exit_code, len(now(store))) == (1, 5)
    assert "nothing was changed" in " ".join(refused.stderr.split())
