"""Server-sent events: what was, then what happens, in the order in which it became true."""

import json
import threading
from contextlib import contextmanager

import pytest

from app.rounds import api_keys, projects
from tests.factories import all_rows, import_rows, items, make_project
from tests.serving import api, bearer, make_key, wait_until

pytestmark = pytest.mark.postgres
EVENTS = "/api/v1/projects/shop/events"


@pytest.fixture
def store(store):
    make_project(store)
    return store


@pytest.fixture
def client(store):
    with api(store, "viewer", heartbeat_seconds=0.3) as client:
        yield client


def frames(lines):
    """Events (and comments, as `{"comment": …}`) from the lines of a stream."""
    frame = {}
    for line in lines:
        if line:
            name, _, value = line.partition(": ")
            frame[name or "comment"] = value
        elif frame:
            yield frame
            frame = {}


@contextmanager
def watching(client, query="", headers=None):
    with client.stream("GET", EVENTS + query, headers=headers) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield frames(answer.iter_lines())


def next_event(stream):
    return next(frame for frame in stream if "event" in frame)


def change(store, batch_size):
    projects.change_project(store, "shop", {"batch_size": batch_size}, actor="test")


def test_the_past_is_told_then_what_happens(client, store):
    change(store, 5)
    with watching(client) as stream:
        assert [next_event(stream)["event"] for _ in range(2)] == [
            "project.created",
            "project.changed",
        ]
        change(store, 6)
        told = next_event(stream)
        data = json.loads(told["data"])
        assert told["event"] == data["kind"] == "project.changed"
        assert str(data["id"]) == told["id"]
        assert data["detail"]["changes"] == {"batch_size": 6}
        assert data["actor"] == "test"


def test_whoever_reconnects_goes_on_where_they_were(client, store):
    for size in range(5, 10):
        change(store, size)
    with watching(client) as stream:
        ids = [next_event(stream)["id"] for _ in range(6)]
    with watching(client, headers={"Last-Event-ID": ids[3]}) as stream:
        assert [next_event(stream)["id"] for _ in range(2)] == ids[4:]
    with watching(client, f"?after={ids[4]}") as stream:
        assert next_event(stream)["id"] == ids[5]
    # what the client says it has seen counts more than the address it began with
    with watching(client, "?after=0", headers={"Last-Event-ID": ids[4]}) as stream:
        assert next_event(stream)["id"] == ids[5]
    with watching(client, headers={"Last-Event-ID": "odd"}) as stream:
        assert next_event(stream)["id"] == ids[0]


def test_without_following_the_stream_ends(client, store):
    import_rows(store, items(3))
    answer = client.get(EVENTS + "?follow=false")
    assert [one["event"] for one in frames(answer.text.split("\n"))] == [
        "project.created",
        "items.imported",
    ]


def test_a_quiet_stream_shows_that_it_is_alive_and_tells_its_pace(client):
    with watching(client) as stream:
        assert next(stream) == {"retry": "2000"}
        assert next_event(stream)["event"] == "project.created"
        assert next(stream) == {"comment": "still here"}


def test_other_projects_are_not_told(client, store):
    make_project(store, "other")
    with watching(client) as stream:
        next_event(stream)
        projects.change_project(store, "other", {"batch_size": 5}, actor="test")
        change(store, 8)
        assert json.loads(next_event(stream)["data"])["detail"]["changes"] == {"batch_size": 8}


def test_a_stream_ends_with_its_key(store):
    with api(store, "admin", heartbeat_seconds=0.2) as client:
        key, plain = make_key(store, "viewer")
        with watching(client, headers=bearer(plain)) as stream:
            next_event(stream)
            api_keys.revoke_key(store, key.name, actor="test")
            assert all("event" not in frame for frame in stream)


def test_streams_are_bounded_and_come_free_when_clients_leave(store):
    with api(store, "viewer", max_streams=2, heartbeat_seconds=0.2) as client:
        with watching(client) as one, watching(client) as two:
            next_event(one)
            next_event(two)
            refused = client.get(EVENTS)
            assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
        wait_until(lambda: listeners(store) == 0)
        with watching(client) as stream:
            assert next_event(stream)["event"] == "project.created"


def test_one_thread_and_one_connection_serve_all_streams(client, store):
    before = threading.active_count()
    with (
        watching(client) as one,
        watching(client) as two,
        watching(client) as three,
    ):
        for stream in (one, two, three):
            next_event(stream)
        wait_until(lambda: listeners(store) == 1)
        change(store, 7)
        assert {next_event(stream)["event"] for stream in (one, two, three)} == {"project.changed"}
        news = [thread for thread in threading.enumerate() if thread.name == "news"]
        assert len(news) == 1
    wait_until(lambda: listeners(store) == 0)
    assert before > 0


def test_streams_survive_the_loss_of_the_listening_connection(client, store):
    with watching(client) as stream:
        next_event(stream)
        wait_until(lambda: listeners(store) == 1)
        all_rows(
            store,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND query LIKE 'LISTEN%'",
        )
        change(store, 7)
        assert next_event(stream)["event"] == "project.changed"


def test_events_become_visible_in_the_order_of_their_ids(store):
    """Or a reader that has read up to 5 would never see a 4 that was committed after it."""
    slow, done = threading.Event(), threading.Event()

    def slow_writer():
        with store.transaction() as tx:
            tx.events.add("slow", "test", project_id=project_id)
            slow.set()
            done.wait(0.5)

    with store.transaction() as tx:
        project_id = tx.projects.by_name("shop").id
    writer = threading.Thread(target=slow_writer)
    writer.start()
    slow.wait()
    with store.transaction() as tx:
        tx.events.add("quick", "test", project_id=project_id)
    with store.transaction() as tx:
        seen = [event.kind for event in tx.events.since(project_id, 0, 100)]
    writer.join()
    assert seen == ["project.created", "slow", "quick"]


def listeners(store):
    return all_rows(
        store,
        "SELECT count(*) AS n FROM pg_stat_activity "
        "WHERE datname = current_database() AND query LIKE 'LISTEN%'",
    )[0]["n"]
