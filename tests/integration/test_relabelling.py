"""Labels renamed, merged and split in a project that has answers already."""

import pytest

from app.core.entities import RoundState
from app.core.errors import Conflict
from app.rounds import commands, projects, sentences
from app.rounds.relabelling import edit_in_flight, edit_labels
from app.rounds.replaying import replay
from app.shown import rounds as shown_rounds
from tests.factories import all_rows
from tests.played import PlayedProject
from tests.serving import api

pytestmark = pytest.mark.postgres
NEW = ["money back", "late", "lost", "praise"]
MAPPING = {"refund": "money back", "delivery": None}


@pytest.fixture
def shop(store, tmp_path):
    return PlayedProject(store, tmp_path, count=120)


def current(shop):
    found = all_rows(shop.store, "SELECT item_id, value->>'label' AS label FROM current_labels "
                     "WHERE project_id = 1")  # fmt: skip
    return {one["item_id"]: one["label"] for one in found}


def think_in_new_labels(shop):
    """From here on the annotator answers by them."""
    shop.truth = {
        text: {"refund": "money back", "delivery": "late"}.get(label, label)
        for text, label in shop.truth.items()
    }


def edit(shop):
    project = edit_labels(shop.store, "shop", NEW, MAPPING, actor="test")
    think_in_new_labels(shop)
    return project


def test_finished_work_is_carried_over_and_the_rest_is_looked_at_again(shop):
    shop.play(shop.start())
    before = current(shop)
    answers = all_rows(shop.store, "SELECT * FROM annotations ORDER BY id")
    project = edit(shop)
    assert (project.schema_version, list(project.task.labels)) == (2, NEW)
    assert current(shop) == {
        item: {"refund": "money back"}.get(label, label)
        for item, label in before.items()
        if label != "delivery"
    }
    assert all_rows(shop.store, "SELECT * FROM annotations ORDER BY id") == answers
    (carried,) = all_rows(
        shop.store,
        "SELECT DISTINCT l.source, cardinality(l.annotation_ids) AS answers, l.annotators "
        "FROM current_labels l WHERE l.value->>'label' = 'money back' AND l.round_id IS NOT NULL",
    )
    assert carried == {"source": "human", "answers": 1, "annotators": ["annotator-1"]}
    again = {item for item, label in before.items() if label == "delivery"}
    with shop.store.transaction() as tx:
        pool = set(tx.items.candidates(shop.project.id).tolist())
    held_out = {r["id"] for r in all_rows(shop.store, "SELECT id FROM items WHERE split <> 'pool'")}
    assert again - held_out <= pool


def test_the_next_round_asks_by_the_new_labels_and_old_rounds_stay_what_they_were(shop):
    shop.play(shop.start())
    shop.play(shop.start())
    edit(shop)
    shop.play(shop.start())
    assert len(shop.tool.datasets) == 2
    newest = list(shop.tool.datasets.values())[-1]
    assert list(newest.spec.question.options) == NEW
    assert set(current(shop).values()) <= set(NEW)
    shown = {n: shown_rounds.read(shop.store, "shop", n) for n in (1, 2, 3)}
    assert [one.schema_version for one in shown.values()] == [1, 1, 2]
    assert {one["label"] for one in shown[2].metrics["per_class"]} == {
        "refund", "delivery", "praise",
    }  # fmt: skip
    assert all(replay(shop.parts, "shop", n).same for n in (1, 2, 3))


def test_an_answer_edited_in_the_old_dataset_counts_by_its_new_name(shop):
    shop.play(shop.start())
    (one,) = [o for o in shop.out(1) if shop.truth[o.item.fields["text"]] == "praise"][:1]
    edit(shop)
    shop.tool.answer(f"item-{one.item.id}", "refund")
    shop.play(shop.start())
    assert current(shop)[one.item.id] == "money back"


def test_an_item_looked_at_again_takes_its_new_answer(shop):
    shop.play(shop.start())
    items = {o.item.id for o in shop.out(1)
             if shop.truth[o.item.fields["text"]] == "delivery"}  # fmt: skip
    assert items
    edit(shop)
    with shop.store.transaction() as tx:  # leave no other candidates
        tx.sql.run(
            "UPDATE items SET split = 'validation' WHERE split = 'pool' AND NOT EXISTS "
            "(SELECT FROM selections s WHERE s.item_id = items.id)"
        )
        tx.sql.run("UPDATE projects SET items_changed_at = clock_timestamp()")
    number = shop.start()
    shop.run_until(number, RoundState.ANNOTATING)
    assert {o.item.id for o in shop.out(number)} == items
    newest = list(shop.tool.datasets)[-1]
    for item in items:
        shop.tool.answer(f"item-{item}", "late", dataset_id=newest)
    shop.run_until(number, RoundState.CLOSED)
    assert {current(shop)[item] for item in items} == {"late"}


def test_labels_are_not_edited_while_people_annotate_by_them(shop):
    number = shop.start()
    with pytest.raises(Conflict, match=f"Round {number} is open"):
        edit_labels(shop.store, "shop", NEW, MAPPING, actor="test")


def in_flight(shop):
    project = edit_in_flight(shop.store, "shop", NEW, MAPPING, actor="test")
    think_in_new_labels(shop)
    return project


def test_an_edit_in_flight_finishes_the_round_and_the_next_asks_by_the_new_labels(shop):
    number = commands.start_round(shop.store, "shop", actor="test", auto=True).number
    shop.run_until(number, RoundState.ANNOTATING)
    shop.answer(number, skip=4)
    project = in_flight(shop)
    assert (project.schema_version, list(project.label_edit.labels)) == (1, NEW)
    assert sentences.of_label_edit(project) == (
        "When the open round is over, the labels become: money back, late, lost, praise."
    )
    with pytest.raises(Conflict, match="waits for the end of round 1"):
        edit_in_flight(shop.store, "shop", NEW, MAPPING, actor="test")
    shop.run_until(number, RoundState.CLOSED)
    with shop.store.transaction() as tx:
        project = tx.projects.by_name("shop")
        following = tx.rounds.open(project.id)
    assert (project.schema_version, project.label_edit) == (2, None)
    assert (following.number, following.schema_version) == (2, 2)
    assert set(current(shop).values()) <= set(NEW)
    counts = shown_rounds.read(shop.store, "shop", number).counts
    assert counts.answered == counts.pushed
    assert counts.withdrawn >= 4, "and those whose label is looked at again"
    shop.play(2)
    assert len(shop.tool.datasets) == 2
    assert replay(shop.parts, "shop", number).same


def test_an_edit_in_flight_without_a_round_is_done_at_once(shop):
    shop.play(shop.start())
    assert in_flight(shop).schema_version == 2


def test_a_cancelled_round_carries_out_the_edit_too(shop):
    number = shop.start()
    shop.run_until(number, RoundState.ANNOTATING)
    in_flight(shop)
    commands.cancel_round(shop.store, "shop", number, actor="test")
    shop.run_until(number, RoundState.CANCELLED)
    with shop.store.transaction() as tx:
        assert tx.projects.by_name("shop").schema_version == 2


def test_what_a_round_left_behind_is_taken_back_from_the_old_dataset(shop):
    """Prefetching stopped; then the labels change: a draft stays, the rest returns to the pool."""
    projects.change_project(shop.store, "shop", {"prefetch": 3}, actor="test")
    commands.start_round(shop.store, "shop", actor="test", auto=True)
    shop.run_until(1, RoundState.ANNOTATING)
    shop.answer(1, skip=3)
    shop.run_until(1, RoundState.MERGING)
    projects.change_project(shop.store, "shop", {"auto": False}, actor="test")
    shop.run_until(1, RoundState.CLOSED)
    drafted, *free = [one.item for one in shop.out(1)[:3]]
    shop.tool.draft(f"item-{drafted.id}", "refund")
    edit(shop)
    shop.run_until(shop.start(), RoundState.ANNOTATING)
    states = all_rows(shop.store, "SELECT p.item_id, p.state FROM pushes p JOIN rounds r "
                      "ON r.id = p.round_id WHERE r.number = 1 ORDER BY p.item_id")  # fmt: skip
    states = {one["item_id"]: one["state"] for one in states}
    assert states[drafted.id] == "pushed"
    assert {states[one.id] for one in free} == {"withdrawn"}
    old, _ = shop.tool.datasets.values()
    assert len(old.records) == 10


def test_an_edit_in_flight_over_rest_shows_what_waits(shop):
    shop.run_until(shop.start(), RoundState.ANNOTATING)
    asked = {"labels": NEW, "mapping": MAPPING}
    with api(shop.store) as client:
        refused = client.post("/api/v1/projects/shop/labels/edit", json=asked)
        assert (refused.status_code, "in_flight" in refused.text) == (409, True)
        taken = client.post("/api/v1/projects/shop/labels/edit", json={**asked, "in_flight": True})
        assert (taken.status_code, taken.json()["label_edit"]["labels"]) == (200, NEW)
        assert taken.json()["schema_version"] == 1
        shop.run_until(1, RoundState.CLOSED)
        now = client.get("/api/v1/projects/shop").json()
        assert (now["schema_version"], now["label_edit"]) == (2, None)
