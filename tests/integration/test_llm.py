"""LLMs on a real Postgres: asked once, booked always, within the caps, never taken for people."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy.exc import IntegrityError

from app.adapters.llm.configured import ConfiguredProviders
from app.adapters.postgres.store import PostgresStore
from app.core.entities import Project, ResponseStatus, Revision
from app.core.errors import BudgetSpent, Conflict, NotAllowed, Refused, WrongInput
from app.core.llm.entities import Purpose
from app.llm.desk import Desk
from app.llm.doubting import doubt
from app.llm.judging import judge
from app.llm.labelling import adopt, estimate_labels, label
from app.llm.selecting import estimate_select, select
from app.llm.trusting import trust
from app.rounds import commands, projects
from app.rounds.merging import merge_project
from tests.factories import all_rows
from tests.llm_project import desk_with_server, llm_project, simulated, texts, truth

pytestmark = pytest.mark.postgres
CALL = 180
"""What a call to the test's server costs, in millionths of a dollar."""


def calls(store: PostgresStore, more: str = "") -> list[dict[str, Any]]:
    return all_rows(store, f"SELECT * FROM llm_calls {more} ORDER BY id")


def test_items_are_labelled_once_and_booked(store: PostgresStore) -> None:
    llm_project(store, texts(12))
    with desk_with_server(store, truth(12)) as (desk, server):
        told = label(desk, "shop")
        assert (told.items, told.answered, told.asked, told.cost) == (12, 12, 12, 12 * CALL)
        assert sorted(server.asked) == sorted(truth(12))
        again = label(desk, "shop")
        assert (again.answered, again.asked, again.cost) == (12, 0, 0)
    booked = calls(store)
    assert {one["outcome"] for one in booked} == {"answered"}
    assert {one["prompt"] for one in booked} == {"label.v1"}
    assert {one["tokens_in"] for one in booked} == {100}
    assert all(one["seconds"] > 0 and len(one["item_ids"]) == 1 for one in booked)
    answers = all_rows(store, "SELECT i.fields->>'text' AS text, a.value->>'label' AS label "
                              "FROM llm_answers a JOIN items i ON i.id = a.item_id")  # fmt: skip
    assert {one["text"]: one["label"] for one in answers} == truth(12)
    assert not all_rows(store, "SELECT * FROM llm_reservations")


def test_no_more_calls_run_at_once_than_the_settings_say(store: PostgresStore) -> None:
    llm_project(store, texts(24))
    with desk_with_server(store, truth(24), concurrency=3) as (desk, server):
        server.seconds = 0.02
        done: list[tuple[int, int]] = []
        label(desk, "shop", progress=lambda so_far, total: done.append((so_far, total)))
        assert 2 <= server.most_at_once <= 3
    assert done[-1] == (24, 24)
    assert done == sorted(done)


def test_equal_texts_are_asked_about_once(store: PostgresStore) -> None:
    rows = [{"id": f"h{n}", "text": "the same", "split": "test", "label": "a"} for n in range(3)]
    llm_project(store, rows)
    with desk_with_server(store, {}) as (desk, server):
        assert label(desk, "shop", gold=True).answered == 3
        assert server.asked == ["the same"]


def test_another_wording_of_the_task_is_another_question(store: PostgresStore) -> None:
    llm_project(store, texts(2))
    with desk_with_server(store, truth(2)) as (desk, _):
        label(desk, "shop")
        projects.change_project(store, "shop", {"guidelines": "Look again."}, actor="test")
        assert label(desk, "shop").asked == 2


@pytest.mark.parametrize("fault", ["malformed", "unknown_label"])
def test_what_cannot_be_read_is_repaired_once(store: PostgresStore, fault: str) -> None:
    llm_project(store, texts(1))
    with desk_with_server(store, truth(1)) as (desk, server):
        server.faults.append(fault)
        told = label(desk, "shop")
        assert (told.answered, told.asked, told.cost) == (1, 2, 2 * CALL)
        assert label(desk, "shop").asked == 0
    assert [one["outcome"] for one in calls(store)] == ["malformed", "answered"]
    assert [one["prompt"] for one in calls(store)] == ["label.v1", "repair.v1"]


def test_what_stays_unreadable_goes_to_people_and_is_never_kept_as_an_answer(
    store: PostgresStore,
) -> None:
    llm_project(store, texts(2))
    with desk_with_server(store, truth(2), concurrency=1) as (desk, server):
        server.faults.extend(["malformed", "unknown_label"])
        told = label(desk, "shop")
        assert (told.answered, len(told.unanswered)) == (1, 1)
        assert not any("text" in why for why in told.unanswered.values())
        assert label(desk, "shop").answered == 2  # a failure is asked again


def test_a_refusal_is_unanswered_and_paid_for(store: PostgresStore) -> None:
    llm_project(store, texts(1))
    with desk_with_server(store, truth(1)) as (desk, server):
        server.faults.append("refusal")
        told = label(desk, "shop")
    assert (told.answered, told.asked, told.cost) == (0, 1, CALL)
    assert [one["outcome"] for one in calls(store)] == ["refused"]


def test_an_answer_that_is_cut_off_is_booked_at_the_most_it_can_have_cost(
    store: PostgresStore,
) -> None:
    llm_project(store, texts(1))
    with desk_with_server(store, truth(1)) as (desk, server):
        server.faults.append("cut")
        told = label(desk, "shop")
        assert told.answered == 0
        assert told.cost > CALL
    assert [one["outcome"] for one in calls(store)] == ["lost"]


def test_a_wrong_key_stops_at_once_and_costs_nothing(store: PostgresStore) -> None:
    llm_project(store, texts(30))
    with desk_with_server(store, truth(30), concurrency=2, key_env="WRONG") as (desk, server):
        desk.providers._environment = {"WRONG": "sk-not-the-key"}  # type: ignore[attr-defined]
        with pytest.raises(Refused) as refused:
            label(desk, "shop")
        assert sum(server.paths.values()) <= 2
    booked = calls(store)
    assert "sk-not-the-key" not in str(refused.value) + str(booked)
    assert {one["outcome"] for one in booked} == {"failed"}
    assert sum(one["cost"] for one in booked) == 0


@pytest.mark.parametrize("cap", [{"max_cost": 0.01}, {"max_cost_a_round": 0.01}])
def test_a_cap_is_never_passed_and_what_arrived_before_is_kept(
    store: PostgresStore, cap: dict[str, float]
) -> None:
    project = llm_project(store, texts(40), **cap)
    number = None
    if "max_cost_a_round" in cap:
        number = _round_of_everything(store, project.id)
    with (
        desk_with_server(store, truth(40), concurrency=4) as (desk, _),
        pytest.raises(BudgetSpent, match=next(iter(cap)).replace(".", r"\.")),
    ):
        label(desk, "shop", round_number=number)
    spent = sum(one["cost"] for one in calls(store))
    assert 0 < spent <= 10_000
    assert len(calls(store)) == spent // CALL
    assert not all_rows(store, "SELECT * FROM llm_reservations")


def _round_of_everything(store: PostgresStore, project_id: int, audit: int = 0) -> int:
    round_ = commands.start_round(store, "shop", actor="test")
    with store.transaction() as tx:
        tx.sql.run(
            "INSERT INTO selections (project_id, round_id, item_id, rank, slice, strategy, score, "
            "reason) SELECT :project, :round, id, row_number() OVER (ORDER BY id), "
            "CASE WHEN row_number() OVER (ORDER BY id) <= :audit THEN 'audit' ELSE 'active' END, "
            "'random.v1', 0, 'test' FROM items WHERE project_id = :project",
            audit=audit,
            project=project_id,
            round=round_.id,
        )
    return round_.number


def test_money_set_aside_by_a_process_that_is_gone_is_booked_as_lost(store: PostgresStore) -> None:
    llm_project(store, texts(1))
    with desk_with_server(store, truth(1)) as (desk, _):
        sitting = desk.begin("shop", Purpose.LABEL, None)
        with store.transaction() as tx:
            tx.llm_calls.reserve(sitting.account, 5_000, 0.0)
        label(desk, "shop")
    assert [(one["outcome"], one["cost"]) for one in calls(store)] == [
        ("lost", 5_000), ("answered", CALL)]  # fmt: skip


def test_nothing_is_sent_that_the_project_does_not_allow(store: PostgresStore) -> None:
    rows = [{"id": "x", "text": "shown", "secret": "hidden", "email": "a@b.c"}]
    llm_project(store, rows, allow=["judge"])
    projects.change_project(store, "shop", {"llm": {"max_cost": 1}}, actor="test")
    with desk_with_server(store, {}) as (desk, server):
        with pytest.raises(NotAllowed, match="label"):
            label(desk, "shop")
        assert not server.bodies
        projects.change_project(store, "shop", {"llm": {"allow": ["label"]}}, actor="test")
        label(desk, "shop")
        (body,) = server.bodies
        assert "hidden" not in str(body)
        assert "a@b.c" not in str(body)
    with pytest.raises(WrongInput, match="secret"):
        projects.change_project(store, "shop", {"llm": {"fields": ["secret"]}}, actor="test")


def test_a_provider_must_be_one_of_the_servers(store: PostgresStore) -> None:
    llm_project(store, texts(1), provider="http://evil")
    with desk_with_server(store, {}) as (desk, _), pytest.raises(WrongInput, match="Known: it"):
        label(desk, "shop")


def test_adopted_labels_are_signed_and_give_way_to_people(store: PostgresStore) -> None:
    project = llm_project(store, [*texts(4), {"id": "own", "text": "mine", "label": "b"}])
    with desk_with_server(store, truth(4)) as (desk, _):
        label(desk, "shop")
        assert adopt(desk, "shop", actor="test").labels == 4
        assert adopt(desk, "shop", actor="test").labels == 0
    found = all_rows(store, "SELECT i.external_id AS item, l.source, l.confidence "
                            "FROM current_labels l JOIN items i ON i.id = l.item_id "
                            "ORDER BY 1")  # fmt: skip
    assert {one["source"] for one in found[:4]} == {"llm:it/test-model"}
    assert {one["confidence"] for one in found[:4]} == {0.9}
    assert found[4]["source"] == "import"
    with store.transaction() as tx:
        assert len(tx.labels.current(project.id)) == 5
    item = all_rows(store, "SELECT id FROM items WHERE external_id = 'i0'")[0]["id"]
    _answer(store, project, item)
    merge_project(_parts(store), project)
    (now,) = all_rows(store, f"SELECT source FROM current_labels WHERE item_id = {item}")
    assert now["source"] == "human"


def _answer(store: PostgresStore, project: Project, item: int) -> None:
    """A person answers in Argilla, and it is collected."""
    moment = datetime.now(UTC)
    with store.transaction() as tx:
        dataset = tx.annotations.add_dataset(project, uuid4(), "http://argilla")
        revision = Revision(
            response_id=uuid4(), record_id=uuid4(), item_id=item, user_id=uuid4(), username="anna",
            status=ResponseStatus.SUBMITTED, values={"label": "b"},
            inserted_at=moment, updated_at=moment,
        )  # fmt: skip
        assert tx.annotations.record(dataset, [revision]) == 1


def _parts(store: PostgresStore) -> Any:
    return SimpleNamespace(store=store)


def test_no_llm_may_label_what_is_held_out(store: PostgresStore) -> None:
    rows = [*texts(1), {"id": "held", "text": "held out", "split": "test", "label": "a"}]
    project = llm_project(store, rows)
    with desk_with_server(store, {}) as (desk, _):
        assert label(desk, "shop", gold=True).answered == 1  # to learn how far it can be trusted
        assert adopt(desk, "shop", actor="test").labels == 0
    (held,) = all_rows(store, "SELECT id FROM items WHERE split = 'test'")
    with pytest.raises(IntegrityError, match="held out"), store.transaction() as tx:
        tx.sql.run(
            "INSERT INTO labels (project_id, item_id, value, source, supersedes) SELECT :project, "
            "item_id, value, 'llm:x/y', id FROM labels WHERE item_id = :item",
            project=project.id,
            item=held["id"],
        )


def test_the_audit_slice_is_left_to_people(store: PostgresStore) -> None:
    project = llm_project(store, texts(4))
    number = _round_of_everything(store, project.id, audit=1)
    with desk_with_server(store, truth(4)) as (desk, _):
        assert label(desk, "shop", round_number=number).answered == 4
        assert adopt(desk, "shop", actor="test").labels == 3


def _gold(count: int) -> list[dict[str, Any]]:
    known = truth(count)
    return [{**row, "label": known[row["text"]]} for row in texts(count)]


def test_confidence_routes_only_after_it_was_measured(store: PostgresStore, tmp_path: Any) -> None:
    """S4: the well calibrated model may, the boastful may not, and neither before 100 items."""
    gold = _gold(400)
    llm_project(store, [*gold, *[{"id": f"u{n}", "text": f"u{n}"} for n in range(5)]])
    known = {**truth(400), **{f"u{n}": "a" for n in range(5)}}
    given = {
        "it": simulated(tmp_path, known, error=0.1, concurrency=1),
        "boastful": simulated(tmp_path, known, error=0.2, confidence="overconfident"),
    }
    desk = Desk(store, ConfiguredProviders(given))
    label(desk, "shop", gold=True, limit=99)
    assert "1 more items" in trust(desk, "shop").plain.reason
    for provider in ("it", "boastful"):
        label(desk, "shop", gold=True, provider=provider)
        label(desk, "shop", provider=provider)
    honest, boastful = trust(desk, "shop"), trust(desk, "shop", provider="boastful")
    assert honest.plain.n == 400
    assert honest.agreement == pytest.approx(0.9, abs=0.04)
    assert honest.plain.may_route
    assert not boastful.plain.may_route
    assert boastful.recalibrated is not None
    assert boastful.recalibrated.calibration_error is not None
    assert boastful.plain.calibration_error is not None
    assert boastful.recalibrated.calibration_error < boastful.plain.calibration_error
    with pytest.raises(Conflict, match="may not decide"):
        adopt(desk, "shop", provider="boastful", min_confidence=0.9, actor="test")
    adopted = adopt(desk, "shop", min_confidence=0.5, actor="test")
    assert adopted.labels + adopted.left_to_people >= 5


def test_weak_labels_start_from_nothing_and_weigh_less(store: PostgresStore, tmp_path: Any) -> None:
    llm_project(store, texts(40))
    desk = Desk(store, ConfiguredProviders({"it": simulated(tmp_path, truth(40), error=0.15)}))
    label(desk, "shop", purpose=Purpose.WEAK_LABELS)
    adopted = adopt(desk, "shop", purpose=Purpose.WEAK_LABELS, min_confidence=0.85, actor="test")
    assert 0 < adopted.labels < 40
    assert adopted.labels + adopted.left_to_people == 40
    weakest = all_rows(store, "SELECT min(confidence) AS least FROM current_labels")
    assert weakest[0]["least"] >= 0.85


def test_a_selection_goes_the_whole_way_of_the_protocol(store: PostgresStore) -> None:
    """200 texts a prompt, 32 picks, and what it makes up, repeats or leaves out."""
    llm_project(store, texts(450))
    with desk_with_server(store, {}) as (desk, server):
        server.faults.append("strange_ids")
        chosen, names = select(desk, "shop", 32)
        assert len(set(chosen.items)) == len(names) == 32
        assert (chosen.unknown, chosen.repeated, chosen.filled) == (1, 1, 0)
        assert chosen.prompts == 2  # the rest was asked for again
        assert [len(one.splitlines()) for one in server.asked] == [200, 200]
        assert "Choose 32 of these 200 texts" in str(server.bodies[0])
    assert {one["purpose"] for one in calls(store)} == {"select"}


def test_places_that_a_selector_leaves_empty_are_filled_and_it_says_so(
    store: PostgresStore,
) -> None:
    llm_project(store, texts(50))
    with desk_with_server(store, {}) as (desk, server):
        server.always = "refusal"
        chosen, names = select(desk, "shop", 10)
    assert (len(names), chosen.filled) == (10, 10)


def test_doubt_is_seen_from_asking_several_times(store: PostgresStore, tmp_path: Any) -> None:
    llm_project(store, texts(30))
    desk = Desk(store, ConfiguredProviders({"it": simulated(tmp_path, truth(29), error=0.3)}))
    found = doubt(desk, "shop", samples=5)
    assert len(found) == 30
    assert found[0].entropy == 1.0
    assert "i29" in [one.item for one in found if one.label is None]
    assert [one.entropy for one in found] == sorted((one.entropy for one in found), reverse=True)
    assert len(calls(store, "WHERE outcome = 'answered'")) == 29 * 5


def test_a_judge_keeps_its_figures_apart(store: PostgresStore, tmp_path: Any) -> None:
    llm_project(store, _gold(40))
    desk = Desk(store, ConfiguredProviders({"it": simulated(tmp_path, truth(40), error=0.25)}))
    judged = judge(desk, "shop")
    figures = judged.figures["judge_and_person"]
    assert figures["items"] == 40
    assert len(judged.disagreements) == round(40 * (1 - figures["agreement"]))
    assert all(one.rationale for one in judged.disagreements)
    (kept,) = all_rows(store, "SELECT * FROM llm_judgements")
    assert kept["kind"] == "judged_disagreement"
    assert kept["prompt"] == "judge.v1"
    assert not all_rows(store, "SELECT * FROM evaluations")
    assert {one["source"] for one in all_rows(store, "SELECT source FROM labels")} == {"import"}


def test_an_estimate_asks_nobody_and_learns_from_calls(store: PostgresStore) -> None:
    llm_project(store, texts(60))
    with desk_with_server(store, truth(60)) as (desk, server):
        guess = estimate_labels(desk, "shop")
        assert (guess.calls, guess.known_from) == (60, 0)
        assert guess.low < guess.middle < guess.high
        assert estimate_select(desk, "shop", 32).calls == 1
        assert not server.bodies
        cost = label(desk, "shop", limit=25).cost
        known = estimate_labels(desk, "shop", limit=25)
        assert known.known_from == 25
        assert known.low <= cost <= known.high
