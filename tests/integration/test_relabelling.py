"""Labels renamed, merged and split in a project that has answers already."""

import pytest

from app.api import rounds as api_rounds
from app.core.entities import RoundState
from app.core.errors import Conflict
from app.rounds.relabelling import edit_labels
from app.rounds.replaying import replay
from tests.factories import all_rows, make_store
from tests.played import PlayedProject

pytestmark = pytest.mark.postgres
NEW = ["money back", "late", "lost", "praise"]
MAPPING = {"refund": "money back", "delivery": None}


@pytest.fixture
def shop(database_url, tmp_path):
    store = make_store(database_url)
    yield PlayedProject(store, tmp_path, count=120)
    store.engine.dispose()


def current(shop):
    found = all_rows(shop.store, "SELECT item_id, value->>'label' AS label FROM current_labels "
                     "WHERE project_id = 1")  # fmt: skip
    return {one["item_id"]: one["label"] for one in found}


def edit(shop):
    project = edit_labels(shop.store, "shop", NEW, MAPPING, actor="test")
    shop.truth = {
        text: {"refund": "money back", "delivery": "late"}.get(label, label)
        for text, label in shop.truth.items()
    }
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
    shown = {n: api_rounds.read(shop.store, "shop", n) for n in (1, 2, 3)}
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
