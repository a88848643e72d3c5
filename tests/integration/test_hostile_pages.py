"""Content that means harm, or is merely strange, on every page: shown, and nothing more."""

import csv
import io
import re

import pytest

from app.core.acting import Via, by_key
from app.core.importing import RowLimits
from app.rounds import commands, projects
from app.rounds.measuring.measurer import Measurer
from tests.browsing import log_in
from tests.factories import all_rows, import_rows
from tests.played import PlayedProject
from tests.serving import make_key

pytestmark = pytest.mark.postgres
SCRIPT = "<script>alert(1)</script>"
IMAGE = "\"'><img src=x onerror=alert(1)>"
RIGHT_TO_LEFT = "\u202eright to left\u2066"
FORMULA = '=HYPERLINK("http://x")'
EMOJI = "🧑‍🚀 👩🏽‍🔬 e\u0301\u0301\u0301"
LONG = "x" * 1_000_000
TEXTS = (SCRIPT, IMAGE, RIGHT_TO_LEFT, FORMULA, EMOJI, LONG)
SHOP = "/projects/shop"
PAGES = (
    SHOP, f"{SHOP}/imported", f"{SHOP}/data", f"{SHOP}/annotators", f"{SHOP}/quality",
    f"{SHOP}/doubts", f"{SHOP}/money", f"{SHOP}/export", f"{SHOP}/settings", f"{SHOP}/actions",
    f"{SHOP}/delete", f"{SHOP}/rounds/1", f"{SHOP}/rounds/2", f"{SHOP}/rounds/2/cancel",
    f"{SHOP}/rounds/2/finish", f"{SHOP}/labels",
)  # fmt: skip
FILES = (
    "curve",
    "classes",
    "confusion",
    "calibration",
    "doubts",
    "money",
    "actions",
    "rounds/1/map",
)


def harmless(page):
    """Nothing that was imported, typed or named has become a part of the page."""
    text = page.text
    assert not re.search(r"<script(?! src=\"/static/)", text)
    assert "<img" not in text
    assert not re.search(r"<[a-z][^<>]*\son\w+=", text)
    return text


def test_hostile_content_is_shown_and_does_nothing(browser, store, tmp_path):
    played = PlayedProject(store, tmp_path, count=120, batch_size=60)
    labels = [*played.project.task.labels, SCRIPT, FORMULA, RIGHT_TO_LEFT]
    with store.transaction() as tx:
        tx.schemas.change(played.project, labels, {}, "test")
    rows = [{"id": f"{n}{text[:60]}", "text": f"{text}{n}"} for n, text in enumerate(TEXTS)]
    more = [{"id": f"gold {n}", "text": f"gold {label}", "label": label, "split": "test"}
            for n, label in enumerate(labels)]  # fmt: skip
    rejected = [{"id": SCRIPT, "text": ""}, {"id": "e", "text": SCRIPT, "label": IMAGE}]
    limits = RowLimits(max_text_chars=2_000_000)
    report = import_rows(store, [*rows, *more, *rejected], limits=limits, source=f"{SCRIPT}.csv")
    assert (report.created, report.rejected) == (len(rows) + len(more), 2)
    played.truth.update({row["text"]: SCRIPT for row in rows})
    wicked = by_key(make_key(store, "operator", f"{FORMULA} {SCRIPT}")[0], Via.API)
    projects.change_project(store, "shop", {"guidelines": f"</textarea>{SCRIPT}"}, actor=wicked)
    for _ in range(2):
        played.play(commands.start_round(store, "shop", actor=wicked).number)
    measurer = Measurer(played.parts, name="measurer")
    while measurer.tick():
        pass

    log_in(browser, store, "admin")
    for path in PAGES:
        page = browser.get(path)
        assert page.status_code in (200, 409), path
        assert len(harmless(page)) < 1_000_000, f"{path} shows long texts in full"
    assert "Every item of the pool is labelled." in browser.get(f"{SHOP}/rounds/2").text
    chosen = all_rows(
        store,
        "SELECT r.number, s.rank FROM selections s JOIN rounds r ON r.id = s.round_id "
        "JOIN items i ON i.id = s.item_id WHERE i.external_id = ANY(:ids)",
        ids=[row["id"] for row in rows],
    )
    assert len(chosen) == len(rows), "two rounds ask for the whole pool"
    shown = [
        harmless(browser.get(f"{SHOP}/rounds/{one['number']}/selections/{one['rank']}"))
        for one in chosen
    ]
    assert any(LONG in page for page in shown), "the page of one item has its whole text"
    assert any(RIGHT_TO_LEFT in page and 'dir="auto"' in page for page in shown)
    for name in FILES:
        answer = browser.get(f"{SHOP}/{name}.csv")
        cells = [cell for row in csv.reader(io.StringIO(answer.text)) for cell in row]
        bad = [one for one in cells if one.startswith(("=", "@", "+"))]
        assert (answer.status_code, bad) == (200, []), name
