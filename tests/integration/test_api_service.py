"""Webhooks, health and metrics."""

import base64
import json
import secrets
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4, uuid5

import pytest
from fastapi.testclient import TestClient
from standardwebhooks import Webhook

from app.adapters.postgres.engine import make_engine
from app.adapters.postgres.store import PostgresStore
from app.core.entities import RoundState
from app.core.errors import Refused, Unavailable
from app.main import create_app
from app.rounds import commands
from tests.factories import all_rows, make_store
from tests.played import PlayedProject
from tests.serving import make_parts

pytestmark = pytest.mark.postgres
SECRET = "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
HOOK = "/webhooks/argilla"


@pytest.fixture
def client(store):
    app = create_app(make_parts(store, webhook_secret=lambda: SECRET))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def response_event(dataset_id):
    record = {"id": str(uuid4()), "fields": {"text": "secret"}, "dataset": {"id": str(dataset_id)}}
    return {
        "type": "response.created",
        "version": 1,
        "data": {"id": str(uuid4()), "record": record},
    }


def signed(body, secret=SECRET, age=timedelta()):
    at = datetime.now(tz=UTC) - age
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign("msg_1", at, body),
    }


def send(client, payload, **how):
    body = json.dumps(payload)
    return client.post(HOOK, content=body, headers=signed(body, **how))


@pytest.fixture
def waiting(store, tmp_path):
    """A project whose round waits for answers and is not due for long."""
    played = PlayedProject(store, tmp_path)
    played.run_until(played.start(), RoundState.ANNOTATING)
    with store.transaction() as tx:
        tx.sql.run("UPDATE rounds SET due_at = now() + interval '1 hour', "
                   "updated_at = now() - interval '1 minute'")  # fmt: skip
    return played


def is_due(store):
    return all_rows(store, "SELECT due_at <= now() AS due FROM rounds")[0]["due"]


def dataset_of(played):
    return next(iter(played.tool.datasets))


def test_a_signed_webhook_makes_the_round_due_now(client, store, waiting):
    assert not is_due(store)
    answer = send(client, response_event(dataset_of(waiting)))
    assert (answer.status_code, answer.content) == (204, b"")
    assert is_due(store)


def looks_again_after(store):
    """Seconds from the last look at a round to the next."""
    query = "SELECT extract(epoch FROM due_at - updated_at)::float8 AS s, hastened FROM rounds"
    return all_rows(store, query)[0]


def answer_event(played, item, **changes):
    """As Argilla tells of an answer to this item, by `annotator-1` and true unless changed."""
    (dataset_id,) = played.tool.datasets
    record = played.tool.datasets[dataset_id].records.get(f"item-{item.id}")
    data = {
        "id": str(uuid5(dataset_id, str(item.id))),
        "status": "submitted",
        "values": {"label": {"value": played.truth[item.fields["text"]]}},
        "record": {
            "id": str(record.record_id if record else uuid4()),
            "external_id": f"item-{item.id}",
            "dataset": {"id": str(dataset_id)},
        },
        "user": {"id": str(played.tool.users["annotator-1"]), "username": "annotator-1"},
        "inserted_at": "2026-01-02T03:04:05.678901",
        "updated_at": "2026-01-02T03:04:05.678901",
    }
    return {"type": "response.created", "version": 1, "data": {**data, **changes}}


def told(store):
    return all_rows(store, "SELECT item_id, status, username, response_updated_at AS at "
                           "FROM annotations ORDER BY id")  # fmt: skip


@pytest.mark.parametrize("when", [RoundState.MERGING, RoundState.CLOSED])
def test_an_answer_that_goes_with_its_deleted_record_counts(client, store, waiting, when):
    """No look will ever see it: Argilla deletes a record that is being answered."""
    item = waiting.out(1)[0].item
    event = answer_event(waiting, item)
    waiting.answer(1, skip=1)
    commands.finish_round(store, "shop", 1, actor="test")
    waiting.run_until(1, when)
    assert item.id not in {one["item_id"] for one in told(store)}
    send(client, event)
    waiting.run_until(1, RoundState.CLOSED)
    waiting.run_until(waiting.start(), RoundState.ANNOTATING)
    (label,) = all_rows(store, "SELECT value, annotators, round_id FROM current_labels "
                               f"WHERE item_id = {item.id}")  # fmt: skip
    assert label["value"] == {"label": waiting.truth[item.fields["text"]]}
    assert label["annotators"] == ["annotator-1"]
    assert item.id not in {one.item.id for one in waiting.out(2)}


def test_an_answer_that_was_told_is_found_once(client, store, waiting):
    """Told twice, then seen by a look; then an older message comes late."""
    item = waiting.out(1)[0].item
    waiting.answer(1, skip=11)
    waiting.tool.answer(f"item-{item.id}", waiting.truth[item.fields["text"]])
    seen = next(iter(waiting.tool.datasets.values())).records[f"item-{item.id}"].responses
    (given,) = seen.values()
    moment = given.updated_at.isoformat()
    event = answer_event(
        waiting, item, id=str(given.response_id), inserted_at=moment, updated_at=moment
    )
    send(client, event)
    send(client, event)
    waiting.tick()
    send(client, answer_event(waiting, item, id=str(given.response_id), status="draft"))
    mine = [one for one in told(store) if one["item_id"] == item.id]
    assert [(one["status"], one["at"]) for one in mine] == [("submitted", given.updated_at)]


@pytest.mark.parametrize(
    "changes",
    [
        {"values": None},
        {"values": {"label": "refund"}},
        {"status": "pending"},
        {"user": None},
        {"updated_at": "yesterday"},
        {"record": {"id": str(uuid4()), "external_id": "by-hand"}},
        {"id": "x"},
    ],
    ids="-".join,
)
def test_an_answer_that_is_told_badly_is_left_to_a_look(client, store, waiting, changes):
    item = waiting.out(1)[0].item
    event = answer_event(waiting, item)
    dataset = event["data"]["record"]["dataset"]
    event["data"] |= changes
    event["data"]["record"] = {**event["data"]["record"], "dataset": dataset}
    assert send(client, event).status_code == 204
    assert told(store) == []
    assert is_due(store)


def test_many_webhooks_lead_to_few_looks(client, store, waiting):
    send(client, response_event(dataset_of(waiting)))
    waiting.runner.tick()
    before = waiting.tool.calls.count("last_activity")
    with store.transaction() as tx:
        tx.sql.run("UPDATE rounds SET due_at = now() + interval '1 hour'")
    for _ in range(20):
        send(client, response_event(dataset_of(waiting)))
    assert looks_again_after(store) == {"s": 0.5, "hastened": True}
    waiting.tick()
    assert waiting.tool.calls.count("last_activity") == before + 1
    assert looks_again_after(store)["hastened"] is False


def test_a_webhook_that_calls_during_a_look_is_not_forgotten(client, store, waiting):
    """What it tells of may have come too late for that look."""
    waiting.parts = replace(waiting.parts, poll_seconds=60.0)
    waiting.runner.parts = waiting.parts
    look = waiting.tool.last_activity

    def called(dataset_id):
        found = look(dataset_id)
        waiting.tool.last_activity = look
        send(client, response_event(dataset_id))
        return found

    waiting.tool.last_activity = called
    waiting.tick()
    assert looks_again_after(store)["s"] == 0.5
    waiting.tick()
    assert looks_again_after(store)["s"] == 60


@pytest.mark.parametrize(
    "how",
    [
        {"secret": "whsec_" + base64.b64encode(b"forged" * 4).decode()},
        {"age": timedelta(minutes=6)},
        {"age": -timedelta(minutes=6)},
    ],
    ids=["forged", "old", "from the future"],
)
def test_what_is_forged_or_old_is_refused(client, store, waiting, how):
    answer = send(client, response_event(dataset_of(waiting)), **how)
    assert (answer.status_code, answer.json()["code"]) == (401, "not-authenticated")
    assert not is_due(store)


def test_a_changed_body_and_missing_or_odd_signatures_are_refused(client):
    body = json.dumps(response_event(uuid4()))
    good = signed(body)
    assert client.post(HOOK, content=body + " ", headers=good).status_code == 401
    assert client.post(HOOK, content=body).status_code == 401
    assert client.post(HOOK, content=b"\xff", headers=good).status_code == 401
    odd = {**good, "webhook-signature": "x", "webhook-timestamp": "never"}
    assert client.post(HOOK, content=body, headers=odd).status_code == 401


@pytest.mark.parametrize(
    "payload",
    [
        response_event(UUID(int=1)),
        {"type": "response.created", "data": {"id": "no dataset anywhere"}},
        {"type": "dataset.updated", "data": {"id": str(UUID(int=2))}},
        {"type": "record.updated", "data": {"dataset": {"id": "odd"}}},
        {"data": None},
        [],
        None,
    ],
)
def test_what_is_none_of_ours_is_taken_and_changes_nothing(client, payload):
    assert send(client, payload).status_code == 204


def test_without_a_secret_there_is_no_webhook(store):
    with TestClient(create_app(make_parts(store))) as client:
        answer = send(client, response_event(uuid4()))
    assert answer.status_code == 404
    assert "polling" in answer.json()["detail"]


def test_ready_says_of_each_part_how_it_is(client, store):
    answer = client.get("/readyz")
    assert answer.status_code == 200
    told = answer.json()
    assert told["status"] == "ready"
    assert {name: one["state"] for name, one in told["checks"].items()} == {
        "database": "ok",
        "migrations": "ok",
        "argilla": "ok",
    }
    assert told["workers"]["seen_in_the_last_minute"] == 0
    assert "No worker" in told["workers"]["note"]
    store.worker_seen("one")
    assert client.get("/readyz").json()["workers"] == {
        "seen_in_the_last_minute": 1,
        "note": None,
    }


@pytest.mark.parametrize(
    "problem", [Unavailable("Argilla does not answer: host a:1"), Refused("The key is not good.")]
)
def test_not_ready_without_argilla(store, problem):
    def ping():
        raise problem

    with TestClient(create_app(make_parts(store, ping_tool=ping))) as client:
        answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["argilla"]["state"] == "down"
    assert "host" not in answer.text
    assert answer.json()["checks"]["database"]["state"] == "ok"


def test_a_check_that_hangs_is_not_waited_for(store, monkeypatch):
    monkeypatch.setattr("app.api.health.PATIENCE", 0.1)
    release = threading.Event()
    parts = make_parts(store, ping_tool=lambda: release.wait(30) and None)
    with TestClient(create_app(parts)) as client:
        answer = client.get("/readyz")
        release.set()
    assert answer.status_code == 503
    assert answer.json()["checks"]["argilla"]["state"] == "slow"


def test_not_ready_before_migrations(empty_database_url):
    store = make_store(empty_database_url)
    with TestClient(create_app(make_parts(store))) as client:
        answer = client.get("/readyz")
    store.engine.dispose()
    assert answer.status_code == 503
    checks = answer.json()["checks"]
    assert (checks["database"]["state"], checks["migrations"]["state"]) == ("ok", "down")
    assert "rounds migrate" in checks["migrations"]["reason"]


def test_without_a_database_the_process_lives_and_says_what_is_wrong():
    engine = make_engine("postgresql://nobody@127.0.0.1:1/none")
    app = create_app(make_parts(PostgresStore(engine)))
    with TestClient(app, raise_server_exceptions=False) as client:
        assert client.get("/healthz").json() == {"status": "alive"}
        assert client.get("/readyz").json()["checks"]["database"]["state"] == "down"
        answer = client.get("/api/v1/projects", headers={"Authorization": "Bearer x"})
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert answer.headers["retry-after"]
    assert "127.0.0.1" not in answer.text


def test_metrics_count_and_name_nobody(client, waiting):
    client.get("/nowhere/shop")
    client.get("/api/v1/projects/shop")
    text = client.get("/metrics").text
    assert "rounds_projects 1.0" in text
    assert "rounds_open_rounds 1.0" in text
    assert 'route="/api/v1/projects/{name}",status="401"' in text
    assert 'route="unmatched",status="404"' in text
    assert "shop" not in text
