"""The next batch is brought while the last answers are still coming, and what waits is suggested
anew by every classifier."""

import pytest

from app.core.closing import Rule, rule_met
from app.core.closing_rules import Closing
from app.core.entities import RoundState, Standing
from app.core.errors import Unavailable, WrongInput
from app.core.projects import settings_from
from app.rounds import commands, projects, sentences
from app.shown import rounds as shown_rounds
from tests.factories import all_rows
from tests.played import PlayedProject

pytestmark = pytest.mark.postgres


@pytest.fixture
def played(store, tmp_path):
    given = {"count": 120, "batch_size": 10, "prefetch": 2, "audit_fraction": 0}
    return lambda **settings: PlayedProject(store, tmp_path, **{**given, **settings})


def begin(shop):
    number = commands.start_round(shop.store, "shop", actor="test", auto=True).number
    shop.run_until(number, RoundState.ANNOTATING)
    return number


def bring(shop, number):
    """The worker works until the round, which may not be planned yet, waits for answers."""
    shop.run_until(number - 1, RoundState.CLOSED)
    shop.run_until(number, RoundState.ANNOTATING)


def next_batch(shop, number):
    """All but two of a round answered, and the next one out."""
    shop.answer(number, skip=2)
    bring(shop, number + 1)
    return number + 1


def shown(shop, number):
    return shown_rounds.read(shop.store, "shop", number)


def selections(shop, number):
    with shop.store.transaction() as tx:
        return tx.views.selections(shop.project.id, number, 0, 100).items


def left_of(shop, number):
    return [one for one in selections(shop, number) if one["handed_on_to"]]


def record(shop, item):
    (dataset,) = shop.tool.datasets.values()
    return dataset.records[item]


def name_of(selection, shop):
    rows = all_rows(shop.store, "SELECT id FROM items WHERE external_id = :e", e=selection["item"])
    return f"item-{rows[0]['id']}"


def answer(shop, selection, **more):
    shop.tool.answer(name_of(selection, shop), shop.truth[selection["fields"]["text"]], **more)


@pytest.mark.parametrize(
    ("standing", "finish", "rule"),
    [
        (Standing(10, 8, 0, 1.0), False, Rule.PREFETCH),
        (Standing(10, 7, 0, 1.0), False, None),
        (Standing(10, 7, 2, 1.0), False, None),
        (Standing(2, 0, 0, 1.0), False, None),
        (Standing(10, 10, 0, 1.0), False, Rule.ALL_ANSWERED),
        (Standing(10, 8, 0, 1.0), True, Rule.FINISH),
    ],
)
def test_the_rule(standing, finish, rule):
    assert rule_met(Closing(), standing, finish=finish, prefetch=2) == rule


def test_a_prefetch_of_the_whole_batch_is_refused():
    with pytest.raises(WrongInput, match="At most 9; 0 is off"):
        settings_from({"batch_size": 10, "prefetch": 10})


def test_the_next_batch_is_out_before_the_last_answers_and_these_count_in_it(played):
    shop = played()
    assert next_batch(shop, begin(shop)) == 2
    first, second = shown(shop, 1), shown(shop, 2)
    assert (first.closed_by, first.counts.handed_on, first.counts.withdrawn) == ("prefetch", 2, 0)
    assert second.taken_over.model_dump() == {"items": 2, "waiting": 2}
    assert "2 that were left over" in sentences.of_round(second.model_dump())
    assert "It waits for 12 items" in second.waits_for
    left = left_of(shop, 1)
    assert [one["handed_on_to"] for one in left] == [2, 2]
    for one in left:
        answer(shop, one)
    shop.answer(2, skip=2)
    bring(shop, 3)
    labels = {one["item"]: one for one in selections(shop, 1)}
    assert all(labels[one["item"]]["label"] for one in left), (
        "answers given in the next round count"
    )
    of_label = all_rows(
        shop.store,
        "SELECT round_id, count(*) FROM labels WHERE source = 'human' GROUP BY 1 ORDER BY 1",
    )
    assert [row["count"] for row in of_label] == [10, 8], "each label names the round that asked"
    assert (shown(shop, 2).taken_over.waiting, shown(shop, 3).taken_over.items) == (0, 2)


def test_what_nobody_answers_is_taken_over_again_and_again_until_its_time_is_over(played):
    shop = played(closing={"hours": 48})
    next_batch(shop, begin(shop))
    shop.answer(2)
    bring(shop, 3)
    assert [one["handed_on_to"] for one in left_of(shop, 1)] == [3, 3]
    assert shown(shop, 2).taken_over.items == 2
    assert shown(shop, 3).taken_over.waiting == 2
    with shop.store.transaction() as tx:
        tx.sql.run("UPDATE pushes SET pushed_at = pushed_at - interval '3 days' "
                   "WHERE round_id = (SELECT min(round_id) FROM pushes)")  # fmt: skip
    shop.answer(3)
    bring(shop, 4)
    assert [one["push_state"] for one in left_of(shop, 1)] == ["withdrawn", "withdrawn"]
    assert shown(shop, 4).taken_over.waiting == 0


def test_finishing_takes_back_what_was_taken_over_too(played):
    shop = played()
    next_batch(shop, begin(shop))
    projects.change_project(shop.store, "shop", {"auto": False}, actor="test")
    commands.finish_round(shop.store, "shop", 2, actor="test")
    shop.run_until(2, RoundState.CLOSED)
    (dataset,) = shop.tool.datasets.values()
    assert len(dataset.records) == 8
    assert {one["push_state"] for one in left_of(shop, 1)} == {"withdrawn"}


@pytest.mark.parametrize(
    "settings", [{"stopping": {"max_rounds": 1}}, {"stopping": {"max_labels": 1}}]
)
def test_the_last_round_waits_for_all_answers(played, settings):
    """Nothing would be brought, so nothing is gained by closing early."""
    shop = played()
    begin(shop)
    projects.change_project(shop.store, "shop", settings, actor="test")
    shop.answer(1, skip=2)
    for _ in range(3):
        shop.tick()
    assert shop.round(1).state == (
        RoundState.ANNOTATING if "max_rounds" in settings["stopping"] else shop.round(1).state
    )


def test_a_round_started_by_hand_waits_for_all_answers(played):
    shop = played()
    shop.run_until(shop.start(), RoundState.ANNOTATING)
    shop.answer(1, skip=1)
    for _ in range(3):
        shop.tick()
    assert shop.round(1).state == RoundState.ANNOTATING


def test_what_a_run_left_behind_when_it_stopped_is_taken_over_by_the_next_round(played):
    shop = played()
    begin(shop)
    shop.answer(1, skip=2)
    shop.run_until(1, RoundState.MERGING)
    projects.change_project(shop.store, "shop", {"auto": False}, actor="test")
    shop.run_until(1, RoundState.CLOSED)
    assert len(all_rows(shop.store, "SELECT id FROM rounds")) == 1
    late, waiting = (one for one in selections(shop, 1) if not one["label"])
    answer(shop, late)
    with shop.store.transaction() as tx:
        tx.sql.run("UPDATE projects SET collect_after = now() - interval '1 s'")
    shop.tick()
    shop.run_until(shop.start(), RoundState.ANNOTATING)
    assert [one["item"] for one in left_of(shop, 1)] == [waiting["item"]]


# --- suggestions ---


def agents(shop, number):
    return {
        one["item"]: record(shop, name_of(one, shop)).suggestion for one in left_of(shop, number)
    }


def test_what_waits_is_suggested_anew_after_each_training(played):
    shop = played()
    next_batch(shop, begin(shop))
    left = left_of(shop, 1)
    for one in left:
        assert one["classifier_version"] is None, "chosen in a cold start, without a suggestion"
        now = record(shop, name_of(one, shop))
        assert now.suggestion.agent == one["refreshed"]["classifier_version"]
        assert now.metadata["classifier_version"] == now.suggestion.agent
        assert now.metadata["prediction"] == now.suggestion.value
        assert (now.metadata["round"], now.metadata["reason"]) == (1, one["reason"])
    before = agents(shop, 1)
    shop.answer(2)
    bring(shop, 3)
    after = agents(shop, 1)
    assert all(before[one["item"]].agent != after[one["item"]].agent for one in left)
    done = {one.name: one.detail for one in shown(shop, 2).steps}
    assert done["evaluating"]["refreshed"] == 2
    assert done["evaluating"]["left_alone"] == 0
    events = all_rows(shop.store, "SELECT detail FROM events WHERE kind = 'items.carried_over'")
    assert [one["detail"] for one in events] == [
        {"left_by": 1, "items": 2},
        {"left_by": 2, "items": 2},
    ]


def test_work_in_progress_is_not_touched(played):
    shop = played()
    next_batch(shop, begin(shop))
    drafted, other = left_of(shop, 1)
    before = agents(shop, 1)
    shop.tool.draft(name_of(drafted, shop), shop.project.task.labels[0])
    shop.answer(2)
    bring(shop, 3)
    after = agents(shop, 1)
    assert after[drafted["item"]] == before[drafted["item"]]
    assert after[other["item"]] != before[other["item"]]
    detail = next(one.detail for one in shown(shop, 2).steps if one.name == "evaluating")
    assert (detail["refreshed"], detail["left_alone"]) == (1, 1)


def test_a_draft_begun_at_the_last_moment_is_not_touched(played):
    shop = played()
    next_batch(shop, begin(shop))
    drafted = left_of(shop, 1)[0]
    before = agents(shop, 1)
    refresh = shop.tool.refresh

    def at_the_last_moment(dataset_id, records):
        shop.tool.draft(name_of(drafted, shop), shop.project.task.labels[0])
        return refresh(dataset_id, records)

    shop.tool.refresh = at_the_last_moment
    shop.answer(2)
    bring(shop, 3)
    assert agents(shop, 1)[drafted["item"]] == before[drafted["item"]]
    assert next(one for one in left_of(shop, 1))["refreshed"]["classifier_version"] == (
        before[drafted["item"]].agent
    )


def test_an_audit_item_that_waits_carries_no_suggestion(played):
    shop = played(audit_fraction=0.5)
    begin(shop)
    shop.play(1)
    bring(shop, 2)
    audit = [one for one in selections(shop, 2) if one["slice"] == "audit"]
    for one in selections(shop, 2):
        if one["item"] not in {it["item"] for it in audit[:2]}:
            answer(shop, one)
    bring(shop, 3)
    assert {one["item"] for one in left_of(shop, 2)} == {one["item"] for one in audit[:2]}
    for one in left_of(shop, 2):
        now = record(shop, name_of(one, shop))
        assert (now.suggestion, "prediction" in now.metadata) == (None, False)


def test_a_failure_after_argilla_took_the_suggestions_changes_nothing(played):
    shop = played()
    next_batch(shop, begin(shop))
    shop.tool.fail_next("refresh", Unavailable("gone"), after_commit=True)
    shop.answer(2)
    bring(shop, 3)
    noted = all_rows(shop.store, "SELECT selection_id, classifier_id FROM refreshed_suggestions")
    assert len({tuple(one.values()) for one in noted}) == len(noted)
    for one in left_of(shop, 1):
        assert (
            record(shop, name_of(one, shop)).suggestion.agent
            == (one["refreshed"]["classifier_version"])
        )


# --- several annotators ---


def test_an_item_with_one_of_two_answers_waits_on_and_one_in_dispute_too(played):
    shop = played(overlap=2, max_overlap=3)
    begin(shop)
    half, disputed, *rest = selections(shop, 1)
    for one in rest:
        answer(shop, one, by="annotator-1")
        answer(shop, one, by="annotator-2")
    answer(shop, half, by="annotator-1")
    answer(shop, disputed, by="annotator-1")
    wrong = next(x for x in shop.project.task.labels if x != shop.truth[disputed["fields"]["text"]])
    shop.tool.answer(name_of(disputed, shop), wrong, by="annotator-2")
    bring(shop, 2)
    now = {one["item"]: one for one in selections(shop, 1)}
    for one in (half, disputed):
        assert (now[one["item"]]["handed_on_to"], now[one["item"]]["label"]) == (2, None)
    answer(shop, half, by="annotator-2")
    queue = next(d for d in shop.tool.datasets.values() if d.spec.name.endswith("-disputed"))
    answer(shop, disputed, by="annotator-3", dataset_id=queue.dataset_id)
    for one in selections(shop, 2):
        answer(shop, one, by="annotator-1")
        answer(shop, one, by="annotator-2")
    bring(shop, 3)
    now = {one["item"]: one["label"] for one in selections(shop, 1)}
    assert now[half["item"]] and now[disputed["item"]]
    assert shown(shop, 2).closed_by == "all_answered"
