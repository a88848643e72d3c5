"""When a round stops waiting, and that no answer is lost by it."""

import pytest

from app.cli.projects import rounds_of
from app.core.closing import Rule, rule_met
from app.core.closing_rules import Closing
from app.core.entities import RoundState, Standing
from app.core.errors import Unavailable
from app.rounds import commands
from tests.factories import all_rows
from tests.played import PlayedProject

pytestmark = pytest.mark.postgres


@pytest.fixture
def project(store, tmp_path):
    def make(**settings):
        return PlayedProject(store, tmp_path, count=60, **{"batch_size": 10, **settings})

    return make


def begin(played):
    number = played.start()
    played.run_until(number, RoundState.ANNOTATING)
    return number, [one.item for one in played.out(number)]


def answer(played, item, **more):
    played.tool.answer(f"item-{item.id}", played.truth[item.fields["text"]], **more)


def shown(played, number):
    return rounds_of(played.store, "shop")[number - 1]


def later(played, hours):
    """As if the batch had been pushed so much earlier."""
    with played.store.transaction() as tx:
        tx.sql.run("UPDATE pushes SET pushed_at = pushed_at - make_interval(secs => :s)",
                   s=hours * 3600)  # fmt: skip


def labelled(played):
    query = "SELECT item_id FROM current_labels WHERE source = 'human'"
    return {row["item_id"] for row in all_rows(played.store, query)}


@pytest.mark.parametrize(
    ("closing", "standing", "finish", "rule"),
    [
        (Closing(), Standing(10, 10, 0, 1.0), False, Rule.ALL_ANSWERED),
        (Closing(), Standing(10, 9, 0, 1.0), False, None),
        (Closing(), Standing(10, 9, 0, 200.0), False, Rule.HOURS),
        (Closing(hours=None), Standing(10, 0, 0, 9e9), False, None),
        (Closing(), Standing(10, 0, 0, 0.0), True, Rule.FINISH),
        (Closing(share=0.9), Standing(10, 9, 0, 1.0), False, Rule.SHARE),
        (Closing(share=0.9), Standing(10, 8, 2, 1.0), False, None),
        (Closing(share=0.01), Standing(10, 0, 0, 1.0), False, None),
        (Closing(), Standing(0, 0, 0, 0.0), False, Rule.ALL_ANSWERED),
    ],
)
def test_the_rules(closing, standing, finish, rule):
    assert rule_met(closing, standing, finish=finish) == rule


def test_enough_of_the_batch_closes_the_round_and_the_rest_returns_to_the_pool(project):
    played = project(closing={"share": 0.7})
    number, batch = begin(played)
    for item in batch[:6]:
        answer(played, item)
    played.tick()
    assert played.round(number).state == RoundState.ANNOTATING
    answer(played, batch[6])
    played.run_until(number, RoundState.CLOSED)
    now = shown(played, number)
    assert now.closed_by == "share"
    assert (now.counts.withdrawn, now.counts.labelled) == (3, 7)
    (dataset,) = played.tool.datasets.values()
    assert len(dataset.records) == 7
    detail = next(one.detail for one in played_steps(played, number) if one.name == "annotating")
    assert detail == {"closed_by": "share", "withdrawn": 3, "answered": 7, "disputed": 0,
                      "partly_answered": 0}  # fmt: skip


def played_steps(played, number):
    from app.shown.rounds import read

    return read(played.store, "shop", number).steps


def test_a_round_that_nobody_answers_is_over_after_its_time(project):
    played = project(closing={"hours": 48})
    number, batch = begin(played)
    answer(played, batch[0])
    later(played, 47)
    played.tick()
    assert played.round(number).state == RoundState.ANNOTATING
    later(played, 2)
    played.run_until(number, RoundState.CLOSED)
    assert shown(played, number).closed_by == "hours"
    assert labelled(played) == {batch[0].id}


def test_by_default_no_round_waits_for_longer_than_a_week(project):
    played = project()
    number, _ = begin(played)
    later(played, 169)
    played.run_until(number, RoundState.CLOSED)
    assert shown(played, number).closed_by == "hours"


def test_an_open_round_says_what_it_waits_for(project):
    played = project(closing={"hours": None})
    number, batch = begin(played)
    for item in batch[:7]:
        answer(played, item)
    played.tick()
    later(played, 30)
    with played.store.transaction() as tx:
        tx.sql.run("ALTER TABLE annotations DISABLE TRIGGER append_only")
        tx.sql.run("UPDATE annotations SET collected_at = collected_at - interval '26 hours'")
    assert shown(played, number).waits_for == (
        "It waits for 3 items; nothing was answered for 26 hours. "
        "Finish it, or set closing.hours for the next ones."
    )


def test_an_answer_between_the_last_look_and_the_withdrawal_counts(project):
    played = project()
    number, batch = begin(played)
    for item in batch[:5]:
        answer(played, item)
    commands.finish_round(played.store, "shop", number, actor="test")
    withdraw = played.tool.withdraw

    def at_the_last_moment(dataset_id, names, **more):
        answer(played, batch[5])
        return withdraw(dataset_id, names, **more)

    played.tool.withdraw = at_the_last_moment
    played.run_until(number, RoundState.CLOSED)
    assert labelled(played) == {item.id for item in batch[:6]}
    assert shown(played, number).counts.withdrawn == 4
    assert shown(played, number).closed_by == "finish"


def test_an_answer_after_the_withdrawal_counts_late(project):
    played = project()
    number, batch = begin(played)
    for item in batch[:5]:
        answer(played, item)
    answer(played, batch[5], status="draft")
    commands.finish_round(played.store, "shop", number, actor="test")
    played.run_until(number, RoundState.CLOSED)
    assert labelled(played) == {item.id for item in batch[:5]}
    # the draft was work in progress, so its record stayed; now it is submitted
    answer(played, batch[5])
    with played.store.transaction() as tx:
        tx.sql.run("UPDATE projects SET collect_after = now() - interval '1 s'")
    played.tick()
    assert labelled(played) == {item.id for item in batch[:6]}


def test_with_overlap_a_closed_round_takes_the_answers_there_are(project):
    played = project(overlap=2)
    number, batch = begin(played)
    for item in batch:
        answer(played, item, by="annotator-1")
    for item in batch[:3]:
        answer(played, item, by="annotator-2")
    commands.finish_round(played.store, "shop", number, actor="test")
    played.run_until(number, RoundState.CLOSED)
    assert labelled(played) == {item.id for item in batch}
    detail = next(one.detail for one in played_steps(played, number) if one.name == "annotating")
    assert (detail["withdrawn"], detail["partly_answered"]) == (0, 7)


def test_a_round_that_dies_while_it_closes_is_closed_by_the_same_rule(project):
    played = project(closing={"share": 0.5})
    number, batch = begin(played)
    for item in batch[:5]:
        answer(played, item)
    played.tool.fail_next("withdraw", Unavailable("gone"), after_commit=True)
    played.run_until(number, RoundState.CLOSED)
    now = shown(played, number)
    assert (now.closed_by, now.counts.withdrawn) == ("share", 5)


def test_a_dispute_does_not_hold_a_round_for_ever_and_can_be_decided_late(project):
    played = project(overlap=2, batch_size=4)
    number, batch = begin(played)
    for item in batch:
        answer(played, item, by="annotator-1")
        answer(played, item, by="annotator-2")
    other = next(one for one in played.project.task.labels
                 if one != played.truth[batch[0].fields["text"]])  # fmt: skip
    played.tool.answer(f"item-{batch[0].id}", other, by="annotator-2")
    for _ in range(4):
        played.tick()
    assert played.round(number).state == RoundState.ANNOTATING
    later(played, 200)
    played.run_until(number, RoundState.CLOSED)
    assert shown(played, number).counts.disputed == 1
    assert len(labelled(played)) == 3
    queue = next(d for d in played.tool.datasets.values() if d.spec.name.endswith("-disputed"))
    answer(played, batch[0], by="annotator-3", dataset_id=queue.dataset_id)
    played.run_until(played.start(), RoundState.ANNOTATING)
    assert batch[0].id in labelled(played)
    assert shown(played, number).counts.disputed == 0
