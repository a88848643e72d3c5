"""Long runs: workers ask, a few items at a time, and every face shows how far they are."""

from pathlib import Path
from typing import Any

import pytest

from app.adapters.llm.configured import ConfiguredProviders
from app.adapters.postgres.store import PostgresStore
from app.core.errors import Conflict
from app.core.llm.entities import Purpose
from app.llm import jobs
from app.llm.desk import Desk
from app.rounds import projects
from tests.factories import all_rows
from tests.llm_project import desk_with_server, llm_project, simulated, texts, truth
from tests.serving import api

pytestmark = pytest.mark.postgres
COUNT = 250


@pytest.fixture
def desk(store: PostgresStore, tmp_path: Path) -> Desk:
    """`shop` with 250 texts, and an LLM that knows all of them."""
    llm_project(store, texts(COUNT))
    given = simulated(tmp_path, truth(COUNT), error=0.0, price_in=1.0, price_out=4.0)
    return Desk(store, ConfiguredProviders({"it": given}))


def begin(desk: Desk, **more: Any) -> int:
    what: dict[str, Any] = {"purpose": Purpose.LABEL, "limit": 1_000, "actor": "test", **more}
    return jobs.begin(desk, "shop", **what).id


def job(store: PostgresStore) -> dict[str, Any]:
    return all_rows(store, "SELECT * FROM llm_jobs ORDER BY id DESC LIMIT 1")[0]


def test_a_long_run_by_rest(desk: Desk, store: PostgresStore) -> None:
    with api(store, providers=desk.providers) as client:
        path = "/api/v1/projects/shop/llm/jobs"
        expected = client.post(path, json={"purpose": "label", "estimate": True}).json()
        assert expected["calls"] == COUNT
        begun = client.post(path, json={"purpose": "label"})
        assert begun.status_code == 202
        assert (begun.json()["items"], begun.json()["done"]) == (COUNT, 0)
        again = client.post(path, json={"purpose": "judge"})
        assert again.status_code == 422  # nobody has labelled anything
        assert client.post(path, json={"purpose": "label"}).status_code == 409
        assert jobs.work_on_next(desk)
        half = client.get(f"{path}/{begun.json()['id']}").json()
        assert 0 < half["done"] < COUNT
        assert half["done"] == half["answered"] == half["asked"]
        while jobs.work_on_next(desk):
            pass
        (done,) = client.get(path).json()["items"]
        assert (done["state"], done["answered"], done["unanswered"]) == ("done", COUNT, 0)
        assert expected["low"] < done["cost"] < expected["high"]
        cancel = client.post(f"{path}/{done['id']}/cancel")
        assert "is done already" in cancel.json()["detail"]
        assert client.get(f"{path}/999999").status_code == 404
    assert len(all_rows(store, "SELECT * FROM llm_answers")) == COUNT


def test_one_that_was_cancelled_goes_on_where_it_was(desk: Desk, store: PostgresStore) -> None:
    first = begin(desk)
    jobs.work_on_next(desk)
    assert jobs.cancel(desk, "shop", first, actor="test").state == "cancelled"
    assert not jobs.work_on_next(desk)
    answered = len(all_rows(store, "SELECT * FROM llm_answers"))
    assert 0 < answered < COUNT
    begin(desk)
    while jobs.work_on_next(desk):
        pass
    assert job(store)["told"]["asked"] == COUNT - answered
    with pytest.raises(Conflict, match="cancelled already"):
        jobs.cancel(desk, "shop", first, actor="test")


def test_one_whose_worker_is_gone_is_taken_up_by_another(desk: Desk, store: PostgresStore) -> None:
    begin(desk)
    with store.transaction() as tx:
        assert tx.llm_jobs.claim(300.0) is not None  # and dies
    assert not jobs.work_on_next(desk)
    with store.transaction() as tx:
        tx.sql.run("UPDATE llm_jobs SET due_at = now()")
    while jobs.work_on_next(desk):
        pass
    assert job(store)["state"] == "done"


def test_two_workers_do_no_part_twice(desk: Desk, store: PostgresStore) -> None:
    begin(desk)
    with store.transaction() as tx:
        slow = tx.llm_jobs.claim(0.0)
    assert slow is not None
    assert jobs.work_on_next(desk)
    with store.transaction() as tx:
        assert not tx.llm_jobs.advance(slow, 20, {"answered": 20})
    assert job(store)["told"]["answered"] == job(store)["done"]


def test_a_cap_ends_it_with_the_reason(desk: Desk, store: PostgresStore) -> None:
    projects.change_project(store, "shop", {"llm": {"max_cost": 0.03}}, actor="test")
    begin(desk)
    while jobs.work_on_next(desk):
        pass
    found = job(store)
    assert found["state"] == "failed"
    assert "llm.max_cost" in found["problem"]
    spent = all_rows(store, "SELECT sum(cost) AS spent FROM llm_calls")
    assert 0 < spent[0]["spent"] <= 30_000


def test_a_permission_that_is_taken_back_ends_it(desk: Desk, store: PostgresStore) -> None:
    begin(desk)
    projects.change_project(store, "shop", {"llm": {"allow": []}}, actor="test")
    assert jobs.work_on_next(desk)
    assert "llm.allow" in job(store)["problem"]
    assert not all_rows(store, "SELECT * FROM llm_calls")


def test_what_may_pass_is_tried_again_and_what_will_not_ends_it(store: PostgresStore) -> None:
    llm_project(store, texts(3))
    with desk_with_server(store, truth(3), base_url="http://127.0.0.1:9/v1") as (away, _):
        begin(away)
        assert jobs.work_on_next(away)
    assert (job(store)["state"], job(store)["attempts"]) == ("running", 1)
    with store.transaction() as tx:
        tx.sql.run("UPDATE llm_jobs SET due_at = now()")
    with desk_with_server(store, truth(3), key_env="WRONG") as (refused, _):
        refused.providers._environment = {"WRONG": "sk-not-the-key"}  # type: ignore[attr-defined]
        assert jobs.work_on_next(refused)
    assert job(store)["state"] == "failed"
    assert "sk-not-the-key" not in job(store)["problem"]


def test_a_judge_keeps_its_figures_when_it_is_through(store: PostgresStore, tmp_path: Path) -> None:
    known = truth(30)
    llm_project(store, [{**row, "label": known[row["text"]]} for row in texts(30)])
    desk = Desk(store, ConfiguredProviders({"it": simulated(tmp_path, known, error=0.2)}))
    begin(desk, purpose=Purpose.JUDGE)
    while jobs.work_on_next(desk):
        assert not all_rows(store, "SELECT * FROM llm_judgements") or job(store)["state"] == "done"
    (kept,) = all_rows(store, "SELECT * FROM llm_judgements")
    assert kept["items"] == 30
