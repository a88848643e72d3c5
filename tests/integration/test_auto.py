"""Rounds that follow each other: in the transaction that ends one, until a rule stops them."""

import pytest

from app.core.entities import RoundState
from app.core.errors import Conflict, WrongInput
from app.core.stopping.rules import Verdict
from app.rounds import api_keys, commands, projects, sentences
from app.shown import projects as shown_projects
from app.shown import rounds as shown_rounds
from tests.factories import all_rows, import_rows, sample_texts
from tests.played import PlayedProject

pytestmark = pytest.mark.postgres


@pytest.fixture
def played(store, tmp_path):
    return lambda **settings: PlayedProject(store, tmp_path, **{"count": 120, **settings})


def start(project, **more):
    return commands.start_round(project.store, "shop", actor="test", auto=True, **more).number


def project_of(played):
    with played.store.transaction() as tx:
        return tx.projects.by_name("shop")


def rules_of(played, number):
    shown = shown_rounds.read(played.store, "shop", number)
    return {one.rule: one for one in shown.stopping}


def test_rounds_follow_each_other_until_the_bound(played):
    shop = played(stopping={"max_rounds": 3})
    assert start(shop) == 1
    for number in (1, 2, 3):
        shop.play(number)
    assert len(all_rows(shop.store, "SELECT id FROM rounds")) == 3
    project = project_of(shop)
    assert project.auto_since is None
    assert project.stopped["rules"] == ["max_rounds"]
    said = sentences.of_run(project)
    assert "3 of at most 3 rounds" in said
    assert "rounds start shop --auto" in said
    with pytest.raises(Conflict, match=r"stopping\.max_rounds"):
        start(shop)
    assert project_of(shop).stopped, "an attempt that fails leaves the reason where it was"


def test_a_stopped_run_goes_on_with_a_raised_bound(played):
    shop = played(stopping={"max_rounds": 1})
    start(shop)
    shop.play(1)
    projects.change_project(shop.store, "shop", {"stopping": {"max_rounds": 2}}, actor="test")
    assert start(shop) == 2
    shop.play(2)
    assert project_of(shop).stopped["round"] == 2


def test_the_next_round_begins_with_the_end_of_the_last_or_not_at_all(played, monkeypatch):
    """Killed in the closing transaction, the worker leaves the round open and starts none."""
    shop = played()
    start(shop)
    shop.run_until(1, RoundState.ANNOTATING)
    shop.answer(1)
    shop.run_until(1, RoundState.EVALUATING)

    class Killed(BaseException):
        pass

    def die(*_, **__):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr("app.rounds.automatic.starting.plan_round", die)
        with pytest.raises(Killed):
            shop.tick()
    assert [one["state"] for one in all_rows(shop.store, "SELECT state FROM rounds")] == [
        "evaluating"
    ]
    with shop.store.transaction() as tx:
        tx.sql.run("UPDATE rounds SET lease_until = now() - interval '1 s'")
    shop.run_until(1, RoundState.CLOSED)
    assert [
        one["number"] for one in all_rows(shop.store, "SELECT number FROM rounds ORDER BY 1")
    ] == [1, 2]


def test_every_rule_leaves_its_evidence_with_each_round(played):
    shop = played(
        stopping={
            "stable_rounds": 1,
            "f_change": 0.001,
            "f_change_rounds": 1,
            "plateau_rounds": 1,
            "max_cost": 5,
        }
    )
    for _ in range(2):
        shop.play(shop.start())
    first, second = rules_of(shop, 1), rules_of(shop, 2)
    assert set(first) == {
        "max_cost", "pool_exhausted", "no_labels", "plateau", "stable", "f_change",
    }  # fmt: skip
    assert first["stable"].verdict == Verdict.UNKNOWN
    assert -1 <= second["stable"].evidence["kappas"][0] <= 1
    assert second["f_change"].evidence["changes"][0] >= 0
    # there is a test split, and nothing may stop by it
    assert second["plateau"].verdict == Verdict.UNKNOWN
    run = shown_projects.read(shop.store, "shop").run
    assert (run.auto, run.judged_after) == (False, 2)
    with shop.store.transaction() as tx:
        assert {one["kind"] for one in tx.views.metrics(shop.project.id)} == {"held_out"}


def test_the_validation_split_can_stop_a_run(played):
    shop = played(stopping={"target_accuracy": 0.3})
    held_out = sample_texts(90, seed=9, held_out=0.0)
    import_rows(
        shop.store, [{**one, "id": f"v{one['id']}", "split": "validation"} for one in held_out]
    )
    start(shop)
    shop.play(1)
    assert project_of(shop).stopped["rules"] == ["target_accuracy"]
    evidence = rules_of(shop, 1)["target_accuracy"].evidence
    assert evidence["n"] == 90
    assert evidence["low"] > 0.3


def test_auto_takes_up_an_open_round_and_can_be_switched_off(played):
    shop = played()
    number = shop.start()
    assert start(shop) == number
    shop.run_until(number, RoundState.ANNOTATING)
    projects.change_project(shop.store, "shop", {"auto": False}, actor="test")
    shop.answer(number)
    shop.run_until(number, RoundState.CLOSED)
    assert len(all_rows(shop.store, "SELECT id FROM rounds")) == 1
    assert project_of(shop).stopped is None
    with pytest.raises(WrongInput, match="false only"):
        projects.change_project(shop.store, "shop", {"auto": True}, actor="test")


def test_a_cancelled_round_ends_the_run_and_rounds_without_labels_do_too(played):
    shop = played()
    start(shop)
    shop.run_until(1, RoundState.ANNOTATING)
    commands.cancel_round(shop.store, "shop", 1, actor="test")
    shop.run_until(1, RoundState.CANCELLED)
    assert project_of(shop).stopped["rules"] == ["cancelled"]
    assert start(shop) == 2
    shop.run_until(2, RoundState.ANNOTATING)
    commands.finish_round(shop.store, "shop", 2, actor="test")
    shop.run_until(2, RoundState.CLOSED)
    assert project_of(shop).stopped["rules"] == ["no_labels"]


def test_a_full_day_puts_the_next_round_off(played):
    shop = played(stopping={"labels_a_day": 5})
    start(shop)
    shop.play(1)
    (next_,) = all_rows(
        shop.store,
        "SELECT state, extract(epoch FROM due_at - now()) / 3600 AS hours "
        "FROM rounds WHERE number = 2",
    )
    assert next_["state"] == "planned"
    assert 23 < next_["hours"] <= 24
    assert project_of(shop).auto_since is not None


def test_a_repeated_request_gives_the_same_round(played):
    shop = played()
    with shop.store.transaction() as tx:
        key = api_keys.create_key(shop.store, "k", "operator", actor="test")[0]
        del tx
    asked = {"key_id": key.id, "idempotency_key": "once"}
    assert start(shop, **asked) == start(shop, **asked) == 1


def test_money_is_counted_for_people_and_llms_alike(played):
    shop = played(stopping={"max_cost": 1.0, "price_per_hour": 3600.0})
    shop.play(shop.start())
    # the annotator's clock goes a millisecond an answer: a tenth of a cent each, 11 pauses
    spent = rules_of(shop, 1)["max_cost"].evidence["so_far"]
    assert spent == pytest.approx(0.011, abs=1e-6)
    with shop.store.transaction() as tx:
        tx.sql.run(
            "INSERT INTO llm_calls (project_id, purpose, provider, model, prompt, fingerprint, "
            "outcome, answer, cost, seconds) VALUES (:project, 'label', 'p', 'm', 'label.v1', "
            "sha256('x'), 'answered', '{}', 1000000, 1)",
            project=shop.project.id,
        )
    with pytest.raises(Conflict, match=r"1\.01 of at most 1 dollars.*stopping\.max_cost"):
        shop.start()
