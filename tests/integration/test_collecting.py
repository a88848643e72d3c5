"""Looking into the annotation tool: what it costs, and what it makes of things that are missing."""

from collections import Counter

import pytest
from sqlalchemy import event

from app.core.entities import RoundState
from app.core.errors import Refused
from app.ports.annotation_tool import RecordOut
from app.rounds import collecting, commands, projects, repairing
from app.rounds.work import Work
from tests.factories import all_rows, import_rows, sample_texts
from tests.played import PlayedProject

pytestmark = pytest.mark.postgres


@pytest.fixture
def shop(store, tmp_path):
    return PlayedProject(store, tmp_path)


def out_at_once(shop):
    """The first round, with its batch in Argilla."""
    number = shop.start()
    shop.run_until(number, RoundState.ANNOTATING)
    return number


def calls_of(shop, ticks=1):
    shop.tool.calls.clear()
    for _ in range(ticks):
        shop.tick()
    return Counter(shop.tool.calls)


def events(shop, kind):
    return [
        row["detail"]
        for row in all_rows(shop.store, "SELECT detail FROM events WHERE kind = :k", k=kind)
    ]


def answer(shop, one, **more):
    shop.tool.answer(f"item-{one.item.id}", shop.truth[one.item.fields["text"]], **more)


# --- what a look costs ---


@pytest.mark.parametrize("rounds_before", [0, 2])
def test_an_idle_poll_is_one_request_however_large_the_dataset(shop, rounds_before):
    for _ in range(rounds_before):
        shop.play(shop.start())
    out_at_once(shop)
    shop.tick()
    assert calls_of(shop, ticks=5) == {"last_activity": 5}


def test_an_idle_poll_reads_as_few_rows_of_a_large_project_as_of_a_small_one(shop):
    out_at_once(shop)
    shop.tick()
    small = cost_of(shop)
    shop.answer(1)
    shop.run_until(1, RoundState.CLOSED)
    shop.play(shop.start())
    more = sample_texts(400, seed=9, held_out=0.0)
    import_rows(shop.store, [{"id": f"m{one['id']}", "text": one["text"]} for one in more])
    out_at_once(shop)
    shop.tick()
    assert cost_of(shop) == small
    assert small["statements"] < 20
    assert small["rows"] < 20


def cost_of(shop):
    """Of one look that finds nothing new."""
    cost = {"statements": 0, "rows": 0}

    def count(connection, cursor, statement, *_):
        if statement.startswith("UPDATE rounds SET due_at = now() - "):
            return  # what this test does to time
        cost["statements"] += 1
        cost["rows"] += max(0, cursor.rowcount)

    event.listen(shop.store.engine, "after_cursor_execute", count)
    assert calls_of(shop) == {"last_activity": 1}
    event.remove(shop.store.engine, "after_cursor_execute", count)
    return cost


def test_an_answer_makes_us_look_at_the_batch_alone(shop):
    shop.play(shop.start())
    number = out_at_once(shop)
    shop.tick()
    answer(shop, shop.out(number)[0])
    assert calls_of(shop)["look"] == 0
    assert calls_of(shop) == {"last_activity": 1}
    assert len(all_rows(shop.store, "SELECT id FROM annotations")) == 13


def test_records_that_are_not_the_newest_are_found_by_looking_at_all(shop):
    number = out_at_once(shop)
    shop.tick()
    (dataset_id,) = shop.tool.datasets
    hers = [RecordOut(f"mine-{n}", {"text": "mine"}, {}) for n in range(20)]
    shop.tool.push(dataset_id, hers)
    answer(shop, shop.out(number)[0])
    assert calls_of(shop)["look"] == 1
    assert len(all_rows(shop.store, "SELECT id FROM annotations")) == 1


def test_an_edit_of_an_earlier_round_is_in_before_the_round_moves_on(shop):
    shop.play(shop.start())
    old = shop.out(1)[0]
    number = out_at_once(shop)
    shop.tick()
    shop.tool.answer(f"item-{old.item.id}", "praise", status="discarded")
    shop.tick()
    shop.answer(number)
    shop.run_until(number, RoundState.CLOSED)
    newest = all_rows(
        shop.store, "SELECT value FROM newest_labels WHERE item_id = :i", i=old.item.id
    )
    assert newest == [{"value": None}]


# --- what is missing ---


def test_a_deleted_record_is_told_and_holds_nothing_up(shop):
    number = out_at_once(shop)
    lost, *rest = shop.out(number)
    shop.tool.delete_record(f"item-{lost.item.id}")
    for one in rest:
        answer(shop, one)
    shop.run_until(number, RoundState.CLOSED)
    assert events(shop, "records.lost") == [{"records": 1}]
    with shop.store.transaction() as tx:
        assert lost.item.id in tx.items.candidates(shop.project.id)
        counts = tx.rounds.counts(shop.round(number).id)
    assert (counts.withdrawn, counts.lost, counts.labelled) == (1, 0, 11)


def test_a_record_deleted_with_its_answer_costs_no_label(shop):
    shop.play(shop.start())
    one = shop.out(1)[0]
    shop.tool.delete_record(f"item-{one.item.id}")
    collecting.collect_late(_work(shop))
    with shop.store.transaction() as tx:
        tx.annotations.look_at_all(shop.project.id)
    for _ in range(2):
        collecting.collect_project(shop.runner.parts, shop.project)
    shop.play(shop.start())
    with shop.store.transaction() as tx:
        assert one.item.id in {label.item_id for label in tx.labels.current(shop.project.id)}
        assert one.item.id not in tx.items.candidates(shop.project.id)
    assert events(shop, "records.lost") == [{"records": 1}]


def test_an_annotator_without_an_account_any_more_keeps_the_labels(shop):
    shop.play(shop.start())
    (dataset,) = shop.tool.datasets.values()
    gone = shop.tool.users.pop("annotator-1")
    for record in dataset.records.values():
        record.responses.pop(gone)
    for _ in range(2):
        with shop.store.transaction() as tx:
            tx.annotations.look_at_all(shop.project.id)
        collecting.collect_project(shop.runner.parts, shop.project)
    with shop.store.transaction() as tx:
        assert len(tx.labels.current(shop.project.id)) == 12
    assert events(shop, "annotator.gone") == [{"user_id": str(gone)}]


def test_a_dataset_deleted_by_hand_is_told_once_and_costs_no_label(shop):
    shop.play(shop.start())
    for dataset_id in list(shop.tool.datasets):
        shop.tool.delete_dataset(dataset_id)
    for _ in range(2):
        collecting.collect_late(_work(shop))
    assert len(events(shop, "dataset.unreachable")) == 1
    (dataset,) = all_rows(shop.store, "SELECT problem FROM datasets")
    assert "no dataset" in dataset["problem"]
    shop.play(shop.start())
    assert all_rows(shop.store, "SELECT problem FROM datasets") == [{"problem": None}]
    with shop.store.transaction() as tx:
        assert len(tx.labels.current(shop.project.id)) == 24


def test_a_round_waits_for_a_permission_that_was_taken_away(shop):
    number = out_at_once(shop)
    for _ in range(shop.runner.step_attempts + 2):
        shop.tool.fail_next("last_activity", Refused("Argilla does not allow our key this."))
    for _ in range(shop.runner.step_attempts + 2):
        shop.tick()
    now = shop.round(number)
    assert (now.state, now.error["title"]) == (
        RoundState.ANNOTATING,
        "Argilla does not allow our key this.",
    )
    assert len(events(shop, "step.failed")) == 1, "told once, not every time it is tried"
    shop.answer(number)
    shop.run_until(number, RoundState.CLOSED)
    assert all_rows(shop.store, "SELECT problem FROM datasets") == [{"problem": None}]


# --- discards ---


def discarded_once(shop):
    """A closed round of which one item was discarded; that item."""
    number = out_at_once(shop)
    one, *_ = shop.out(number)
    shop.tool.discard(f"item-{one.item.id}")
    shop.answer(number, skip=1)
    shop.run_until(number, RoundState.CLOSED)
    return one


def test_a_discarded_item_is_not_asked_for_again(shop):
    one = discarded_once(shop)
    with shop.store.transaction() as tx:
        assert one.item.id not in tx.items.candidates(shop.project.id)


def test_by_the_projects_wish_it_returns_to_the_pool_until_it_is_discarded_again(shop):
    projects.change_project(shop.store, "shop", {"on_discard": "return"}, actor="test")
    one = discarded_once(shop)
    name = f"item-{one.item.id}"
    with shop.store.transaction() as tx:
        assert one.item.id in tx.items.candidates(shop.project.id)
        # nothing else may be chosen
        tx.sql.run(
            "UPDATE items SET split = 'validation' WHERE split = 'pool' AND id <> :id "
            "AND NOT EXISTS (SELECT FROM selections s WHERE s.item_id = items.id)",
            id=one.item.id,
        )
    number = out_at_once(shop)
    assert [again.item.id for again in shop.out(number)] == [one.item.id]
    shop.tick()
    assert shop.round(number).state == RoundState.ANNOTATING, "the old discard settles nothing"
    shop.tool.discard(name)
    shop.run_until(number, RoundState.CLOSED)
    with shop.store.transaction() as tx:
        assert one.item.id not in tx.items.candidates(shop.project.id)
    kept = all_rows(shop.store, "SELECT status FROM annotations WHERE item_id = :i", i=one.item.id)
    assert [row["status"] for row in kept] == ["discarded", "discarded"]


# --- repair ---


def test_a_dataset_deleted_by_hand_is_made_anew_and_the_answers_count(shop):
    number = out_at_once(shop)
    answered, *rest = shop.out(number)
    answer(shop, answered)
    shop.tick()
    for dataset_id in list(shop.tool.datasets):
        shop.tool.delete_dataset(dataset_id)
    shop.run_until(number, RoundState.FAILED)
    (finding, failure) = repairing.examine(shop.runner.parts, shop.project)
    assert "deleted in Argilla" in finding
    assert "has failed" in failure
    commands.repair_project(shop.store, "shop", actor="test")
    shop.tick()
    (dataset,) = shop.tool.datasets.values()
    assert set(dataset.records) == {f"item-{one.item.id}" for one in rest}
    assert events(shop, "round.repaired") == [{"pushed_again": 11}]
    assert repairing.examine(shop.runner.parts, shop.project) == []
    shop.answer(number)
    shop.run_until(number, RoundState.CLOSED)
    with shop.store.transaction() as tx:
        assert len(tx.labels.current(shop.project.id)) == 12


def test_deleted_records_are_found_by_a_look_that_changes_nothing_and_brought_back(shop):
    number = out_at_once(shop)
    lost = shop.out(number)[:2]
    for one in lost:
        shop.tool.delete_record(f"item-{one.item.id}")
    before = all_rows(shop.store, "SELECT * FROM pushes ORDER BY selection_id")
    (finding,) = repairing.examine(shop.runner.parts, shop.project)
    assert finding == "records of the open round that were deleted in Argilla: 2"
    assert all_rows(shop.store, "SELECT * FROM pushes ORDER BY selection_id") == before
    commands.repair_project(shop.store, "shop", actor="test")
    shop.tick()
    assert len(shop.out(number)) == 12
    with shop.store.transaction() as tx:
        assert tx.views.problems(shop.project.id) == []
    shop.answer(number)
    shop.run_until(number, RoundState.CLOSED)


def test_a_repair_without_an_open_round_looks_at_everything(shop):
    shop.play(shop.start())
    one = shop.out(1)[0]
    shop.tool.delete_answer(f"item-{one.item.id}")
    commands.repair_project(shop.store, "shop", actor="test")
    shop.tick()
    with shop.store.transaction() as tx:
        assert len(tx.labels.current(shop.project.id)) == 11


def _work(shop):
    with shop.store.transaction() as tx:
        round_ = tx.rounds.by_number(shop.project.id, 1)
    return Work(shop.runner.parts, shop.project, round_, lambda: None)
