"""Pages of what labels cost and of which labels are doubted."""

import csv
import io
import re

import pytest

from app.core.entities import RoundState
from app.rounds import projects
from app.rounds.measuring.measurer import Measurer
from tests.browsing import log_in
from tests.factories import all_rows, make_project
from tests.played import PlayedProject

pytestmark = pytest.mark.postgres


def test_before_anything_was_spent_or_doubted_the_pages_say_what_to_do(browser, store):
    make_project(store)
    log_in(browser, store)
    money = browser.get("/projects/shop/money").text
    assert "Nothing was spent yet." in money
    assert "stopping.price_per_hour" in money
    assert "When a round has closed" in browser.get("/projects/shop/doubts").text


def test_money_says_what_a_label_took(browser, store, tmp_path):
    played = PlayedProject(store, tmp_path, count=120)
    played.play(played.start())
    projects.change_project(store, "shop", {"stopping": {"price_per_hour": 20}}, actor="test")
    log_in(browser, store)
    page = browser.get("/projects/shop/money").text
    assert re.search(r"12 labels took \d+ minutes of people&#39;s time", page)
    assert "At $20.00 an hour" in page
    lines = list(csv.DictReader(io.StringIO(browser.get("/projects/shop/money.csv").text)))
    assert [(one["kind"], one["answers"]) for one in lines] == [("person", "12")]


def test_doubted_labels_are_shown_marked_and_sent_back(browser, store, tmp_path):
    played = PlayedProject(store, tmp_path, 200, audit_fraction=0.5, batch_size=30)
    for _ in range(2):
        played.play(played.start())
    played.run_until(played.start(), RoundState.ANNOTATING)
    mistaken = 0
    for one in played.out(3):
        truth = played.truth[one.item.fields["text"]]
        wrong = truth == "refund" and mistaken < 3
        mistaken += wrong
        played.tool.answer(f"item-{one.item.id}", "praise" if wrong else truth)
    played.run_until(3, RoundState.CLOSED)
    measurer = Measurer(played.parts, name="measurer")
    while measurer.tick():
        pass
    csrf = log_in(browser, store)
    page = browser.get("/projects/shop/doubts").text
    items = re.findall(r'name="item" value="([^"]+)"', page)
    assert items
    assert len(browser.get("/projects/shop/doubts.csv").text.splitlines()) > 1
    answer = browser.post("/projects/shop/doubts", data={"csrf": csrf, "item": items[:1]})
    assert answer.headers["location"].endswith("done=doubts")
    assert "A round of doubted labels was started." in browser.get(answer.headers["location"]).text
    (action,) = all_rows(store, "SELECT via, round FROM actions ORDER BY id DESC LIMIT 1")
    assert action == {"via": "page", "round": 4}
    assert "Round 4 is open." in browser.get("/projects/shop/doubts").text
