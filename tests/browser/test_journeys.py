"""What a lead does from the first visit to the export, on a real Argilla with a real worker."""

import io
import json
import zipfile
from collections import Counter

import pandas as pd
import pytest
from playwright.sync_api import expect

from app.core.entities import RoundState
from app.main import create_app
from tests.browser.argilla_ui import ArgillaUi
from tests.browser.watched import Dashboard, watched
from tests.factories import all_rows, import_rows, make_store, sample_texts
from tests.faults.nursery import Nursery
from tests.faults.site import site_on
from tests.serving import make_parts, serving, wait_until

pytestmark = [pytest.mark.postgres, pytest.mark.browser]
PATIENCE = 60
TEXTS = sample_texts(240, seed=5)
TRUTH = {row["text"]: row["label"] for row in TEXTS}
POOL = [row for row in TEXTS if row["split"] == "train"]


@pytest.fixture
def site(postgres, _migrated_template, argilla, tmp_path_factory):
    folder = tmp_path_factory.mktemp("journey")
    with (
        Nursery(folder) as nursery,
        site_on(postgres, _migrated_template, argilla, folder / "site", nursery) as it,
    ):
        yield it


@pytest.fixture
def lead(site):
    """Somebody at the dashboard of the site, logged in."""
    app = create_app(make_parts(site.store, heartbeat_seconds=0.3))
    with serving(app) as base, watched() as (page, watch):
        dashboard = Dashboard(page, base, watch)
        dashboard.log_in(site.store)
        yield dashboard


def sent(site, number):
    """The records of a round, the most valuable first."""
    of_round = [one for one in site.crowd.records(site.dataset_id())
                if one["metadata"]["round"] == number]  # fmt: skip
    return sorted(of_round, key=lambda one: one["metadata"]["rank"])


@pytest.mark.argilla
def test_a_round_is_watched_explained_and_finished_early(site, lead, argilla):
    page = lead.page
    lead.follow("shop")
    lead.press("Start the next round")
    lead.expect_text("The round was started.")
    worker = site.worker()
    lead.expect_text("Round 1 is waiting for 8 of 8 answers.")
    lead.check()

    # why was this one picked?
    page.locator("#rounds").get_by_role("link", name="1", exact=True).click()
    lead.expect_heading("Round 1")
    lead.check()
    first, *others = sent(site, 1)
    row = page.locator("#batch tbody tr").first
    expect(row).to_contain_text(first["fields"]["text"])
    row.get_by_role("link", name="1", exact=True).click()
    lead.expect_heading("Rank 1")
    lead.expect_text(f"Chosen because: {first['metadata']['reason']}.")
    lead.expect_text(first["fields"]["text"])
    lead.check()
    in_argilla = page.get_by_role("link", name="pushed").get_attribute("href")
    ui = ArgillaUi(page.context.new_page(), site.to_argilla.url)
    ui.log_in(argilla.annotators[0])
    ui.page.goto(in_argilla)
    ui.expect_record(first["fields"]["text"], 8)
    ui.choose(TRUTH[first["fields"]["text"]])
    ui.submit()

    # some have answered; the rest is not worth the waiting
    lead.follow("shop")
    for record in others[:4]:
        site.crowd.answer(record, argilla.annotators[1])
    lead.expect_text("Round 1 is waiting for 3 of 8 answers.")
    lead.follow("Finish with the answers there are")
    lead.expect_heading("Finish round 1?")
    lead.expect_text("It closes with the 5 of 8 answers there are.")
    lead.expect_text("3 unanswered items go back to the pool and disappear from Argilla.")
    lead.check()
    lead.follow("Leave it open")
    assert site.round(1).state == RoundState.ANNOTATING
    lead.follow("Finish with the answers there are")
    lead.press("Finish round 1")
    lead.expect_text("Round 1 is closed: accuracy")
    expect(page.locator("#rounds tbody tr").first).to_contain_text("5 of 5")
    lead.check()
    worker.kill()
    assert {one["external_id"] for one in sent(site, 1)} == {
        one["external_id"] for one in (first, *others[:4])
    }
    lead.tab("Audit log")
    lead.expect_text("finished round 1 with the answers there were")


def label_by_import(site, count=40):
    """Half of the pool comes with labels, three of them wrong; the wrong ones by item."""
    rows, wrong = [dict(row) for row in POOL[:count]], {}
    for row in rows:
        if row["label"] == "refund" and len(wrong) < 3:
            row["label"] = "praise"
            wrong[row["id"]] = row["text"]
    import_rows(site.store, rows)
    return wrong


def labels_now(site):
    rows = all_rows(site.store, "SELECT i.external_id AS item, l.value->>'label' AS label "
                    "FROM current_labels l JOIN items i ON i.id = l.item_id")  # fmt: skip
    return {row["item"]: row["label"] for row in rows}


def settled(site, number):
    """Closed, and measured."""
    measured = "SELECT FROM measuring m JOIN rounds r ON r.id = m.round_id " \
               "WHERE r.number = :number AND m.done_at IS NOT NULL"  # fmt: skip
    return bool(all_rows(site.store, measured, number=number))


@pytest.mark.argilla
def test_doubted_labels_are_sent_back_decided_again_and_exported(site, lead, argilla):
    page, annotator = lead.page, argilla.annotators[0]
    wrong = label_by_import(site)
    worker = site.worker()
    site.start()
    wait_until(lambda: site.round(1).state == RoundState.ANNOTATING, PATIENCE)
    for record in sent(site, 1):
        site.crowd.answer(record, annotator)
    wait_until(lambda: settled(site, 1), PATIENCE)

    # which labels does the classifier not believe?
    lead.open("/projects/shop")
    lead.tab("Doubts")
    rows = page.locator("#doubts tbody tr")
    doubted = [row for row in rows.all() if row.locator("input").get_attribute("value") in wrong]
    assert doubted, f"none of {list(wrong)} is doubted"
    for row in doubted:
        expect(row).to_contain_text("praise")
        row.get_by_role("checkbox").check()
    again = {row.locator("input").get_attribute("value") for row in doubted}
    lead.press("Send back to Argilla")
    lead.expect_text("A round of doubted labels was started.")
    lead.expect_text(f"Round 2 is waiting for {len(again)} of {len(again)} answers.")
    lead.check()

    # an annotator sees them in Argilla, without a hint of what they were
    asked = sent(site, 2)
    assert {one["metadata"]["item"] for one in asked} == again
    assert [one["suggestions"] for one in asked] == [[]] * len(again)
    ui = ArgillaUi(page.context.new_page(), site.to_argilla.url)
    ui.log_in(annotator)
    ui.page.goto(page.get_by_role("link", name="Annotate in Argilla").get_attribute("href"))
    for record in asked:
        ui.expect_record(record["fields"]["text"], len(asked))
        ui.choose(TRUTH[record["fields"]["text"]])
        ui.submit()
    lead.expect_text("Round 2 is closed: accuracy")
    assert {labels_now(site)[item] for item in again} == {"refund"}
    worker.kill()
    lead.tab("Doubts")
    for item in again:
        expect(page.locator(f'#doubts input[value="{item}"]')).to_have_count(0)

    # and all of it leaves
    lead.tab("Export")
    known = labels_now(site)
    lead.expect_text(f"{len(known)} labels can be taken along")
    table = pd.read_csv(lead.download("Labels as a table").path())
    assert dict(zip(table["id"], table["label"], strict=True)) == known
    assert set(table.loc[table["id"].isin(again), "round"]) == {2}
    lines = lead.download("Labels as JSON Lines").path().read_text().splitlines()
    assert {row["id"]: row["label"] for row in map(json.loads, lines)} == known
    parquet = pd.read_parquet(lead.download("Labels as Parquet").path())
    assert Counter(parquet["label"]) == Counter(known.values())
    rounds = lead.download("Every round")
    assert rounds.suggested_filename == "shop-rounds.zip"
    with zipfile.ZipFile(rounds.path()) as archive:
        results = pd.read_csv(io.BytesIO(archive.read("results.tsv")), sep="\t")
        assert list(results["round"]) == [1, 2]
    with zipfile.ZipFile(lead.download("A Hugging Face dataset").path()) as archive:
        assert archive.testzip() is None
        assert "README.md" in archive.namelist()


def test_a_first_visit_leads_to_a_project_and_each_page_says_what_comes_next(
    database_url, tmp_path
):
    store = make_store(database_url)
    file = tmp_path / "tickets.csv"
    rows = [f"{row['text']},{row['label'] if n < 90 else ''}" for n, row in enumerate(TEXTS[:120])]
    file.write_text("Body,Category\n" + "\n".join(rows))
    with serving(create_app(make_parts(store))) as base, watched() as (page, watch):
        lead = Dashboard(page, base, watch)
        lead.log_in(store)
        lead.expect_text("There is no project yet.")
        lead.expect_text("rounds init tickets")
        lead.check()
        lead.follow("New project")
        lead.check()
        page.get_by_label("Name").fill("tickets")
        page.get_by_label("File").set_input_files(file)
        lead.press("Create and import")
        lead.expect_text("120 of 120 rows became items.")
        lead.check()
        lead.open("/projects/tickets")
        lead.expect_text("tickets is ready for its first round")
        for tab, words in NOTHING_YET.items():
            lead.tab(tab)
            lead.expect_text(words)
        lead.tab("tickets")
        lead.press("Start the next round")
        lead.expect_text("The round was started.")
        lead.check()
    store.engine.dispose()


NOTHING_YET = {
    "Data": "in the pool",
    "Annotators": "As soon as somebody answers in Argilla",
    "Quality": "It is measured when a round closes",
    "Doubts": "When a round has closed, a worker looks",
    "Money": "Nothing was spent yet.",
    "Export": "labels can be taken along",
    "Settings": "tickets is active",
    "Audit log": "created the project",
}
