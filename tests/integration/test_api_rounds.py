"""Rounds, labels and exports over HTTP, on a project whose rounds were really worked."""

import csv
import io
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.core.entities import RoundState
from app.core.errors import Refused
from app.rounds import commands
from tests.factories import import_rows, items, make_project
from tests.played import PlayedProject
from tests.serving import api

pytestmark = pytest.mark.postgres
ROUNDS = "/api/v1/projects/shop/rounds"


@pytest.fixture
def client(store):
    with api(store, "operator") as client:
        yield client


@pytest.fixture
def played(store, tmp_path):
    return PlayedProject(store, tmp_path)


def test_a_round_is_planned_and_read(client, store):
    make_project(store, batch_size=5)
    import_rows(store, items(10))
    started = client.post(ROUNDS)
    assert started.status_code == 202
    assert started.headers["location"] == f"{ROUNDS}/1"
    read = client.get(started.headers["location"]).json()
    assert (read["number"], read["state"], read["batch_size"]) == (1, "planned", 5)
    assert (read["labelled"], read["pool"], read["metrics"]) == (0, 10, {})
    project = client.get("/api/v1/projects/shop").json()
    assert project["open_round"] == {"number": 1, "state": "planned"}


def test_what_was_deleted_in_argilla_is_told_and_brought_back(client, played):
    number = played.start()
    played.run_until(number, RoundState.ANNOTATING)
    for dataset_id in list(played.tool.datasets):
        played.tool.delete_dataset(dataset_id)
    played.run_until(number, RoundState.FAILED)
    (problem,) = client.get("/api/v1/projects/shop").json()["problems"]
    assert problem["kind"] == "dataset"
    asked = client.post("/api/v1/projects/shop/repair")
    assert asked.status_code == 202
    assert asked.json()["open_round"] == {"number": number, "state": "annotating"}
    played.tick()
    assert client.get("/api/v1/projects/shop").json()["problems"] == []
    played.answer(number)
    played.run_until(number, RoundState.CLOSED)


def test_the_same_idempotency_key_gives_the_same_round(client, store):
    make_project(store)
    import_rows(store, items(10))
    key = {"Idempotency-Key": "k-1"}
    numbers = [client.post(ROUNDS, headers=key).json()["number"] for _ in range(3)]
    assert numbers == [1, 1, 1]
    assert len(client.get(ROUNDS).json()["items"]) == 1
    make_project(store, "other")
    other = client.post("/api/v1/projects/other/rounds", headers=key)
    assert other.status_code == 409
    assert client.post(ROUNDS, headers={"Idempotency-Key": "x" * 201}).status_code == 422


def test_of_two_concurrent_starts_one_wins(client, store):
    make_project(store)
    import_rows(store, items(10))
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: client.post(ROUNDS).status_code, range(8)))
    assert sorted(answers) == [202] + [409] * 7


def test_a_project_without_items_says_so(client, store):
    make_project(store)
    answer = client.post(ROUNDS)
    assert answer.status_code == 409
    assert "Import some first" in answer.json()["detail"]


def test_a_round_is_steered(client, played):
    number = played.start()
    played.run_until(number, RoundState.ANNOTATING)
    assert client.post(f"{ROUNDS}/{number}/resume").status_code == 409
    asked = client.post(f"{ROUNDS}/{number}/finish")
    assert (asked.status_code, asked.json()["finish_requested"]) == (202, True)
    played.run_until(number, RoundState.CLOSED)
    assert client.post(f"{ROUNDS}/{number}/finish").status_code == 202
    assert client.post(f"{ROUNDS}/{number}/cancel").status_code == 409
    again = played.start()
    played.run_until(again, RoundState.ANNOTATING)
    assert client.post(f"{ROUNDS}/{again}/cancel").json()["cancel_requested"]
    played.run_until(again, RoundState.CANCELLED)
    assert client.get(f"{ROUNDS}/{again}").json()["state"] == "cancelled"


def test_a_failed_round_shows_why_and_is_resumed(client, played):
    played.tool.fail_next("push", Refused("The key is not good."))
    number = played.start()
    played.run_until(number, RoundState.FAILED)
    read = client.get(f"{ROUNDS}/{number}").json()
    assert read["state"] == "failed"
    assert read["failed_in"] == "pushing"
    assert read["error"]["title"] == "The key is not good."
    assert client.post(f"{ROUNDS}/{number}/finish").status_code == 409
    assert client.post(f"{ROUNDS}/{number}/resume").json()["state"] == "pushing"
    played.run_until(number, RoundState.ANNOTATING)


def test_closed_rounds_keep_what_they_were(client, played):
    for _ in range(2):
        played.play(played.start())
    rounds = client.get(ROUNDS).json()["items"]
    assert [one["labelled"] for one in rounds] == [12, 24]
    assert rounds[0]["pool"] - rounds[1]["pool"] == 12
    for one in rounds:
        assert {"accuracy", "macro_f1", "micro_f1", "log_loss", "ece", "n"} <= set(one["metrics"])
        assert "confusion" not in one["metrics"]
        assert one["counts"]["answered"] == one["counts"]["pushed"] == 12
        assert one["argilla"]["dataset_id"]
    whole = client.get(f"{ROUNDS}/2").json()
    assert "confusion" in whole["metrics"]
    assert [step["name"] for step in whole["steps"]][:3] == ["planned", "training", "scoring"]
    metrics = client.get("/api/v1/projects/shop/metrics").json()["items"]
    assert [one["labels"] for one in metrics] == [12, 24]
    first = client.get(f"{ROUNDS}?limit=1").json()
    assert ([one["number"] for one in first["items"]], first["next"]) == ([1], 1)
    second = client.get(f"{ROUNDS}?limit=1&after={first['next']}").json()
    assert [one["number"] for one in second["items"]] == [2]


def test_a_batch_tells_why_each_item_is_in_it_and_what_it_became(client, played):
    for _ in range(2):
        played.play(played.start())
    chosen = client.get(f"{ROUNDS}/2/selections").json()["items"]
    assert [one["rank"] for one in chosen] == list(range(1, 13))
    for one in chosen:
        assert one["reason"]
        assert one["fields"]["text"]
        assert one["label"]["label"] == played.truth[one["fields"]["text"]]
        assert one["annotators"] == ["annotator-1"]
        assert one["classifier_version"]
    assert {one["slice"] for one in chosen} == {"active", "audit"}
    assert client.get(f"{ROUNDS}/9/selections").status_code == 404


def test_labels_are_paged_and_exported_with_their_provenance(client, played):
    played.play(played.start())
    seen, after = [], 0
    while after is not None:
        page = client.get(f"/api/v1/projects/shop/labels?limit=7&after={after}").json()
        seen += page["items"]
        after = page["next"]
    human = [one for one in seen if one["source"] == "human"]
    assert len(human) == 12
    assert all(one["round"] == 1 and one["reason"] for one in human)
    lines = client.get("/api/v1/projects/shop/export").text.splitlines()
    exported = [json.loads(line) for line in lines]
    assert [one["id"] for one in exported] == [one["item"] for one in seen]
    assert all(one["label"] == played.truth[one["text"]] for one in exported)
    table = client.get("/api/v1/projects/shop/export?format=csv")
    assert table.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert [one["id"] for one in rows] == [one["id"] for one in exported]
    assert [one["label"] for one in rows] == [one["label"] for one in exported]
    assert client.get("/api/v1/projects/shop/export?format=xml").status_code == 422


def test_an_export_can_be_imported_again(client, played):
    played.play(played.start())
    exported = client.get("/api/v1/projects/shop/export").content
    labels = list(played.project.task.labels)
    make_project(played.store, "copy", labels=labels)
    answer = client.post(
        "/api/v1/projects/copy/items",
        content=exported,
        headers={"Content-Type": "application/x-ndjson"},
    )
    told = answer.json()
    assert (told["rejected"], told["labelled"]) == (0, told["received"])


def test_formulas_in_texts_do_not_run_in_a_spreadsheet(client, store):
    make_project(store)
    texts = ["=1+1", "+1", "-1", "@x", "\t=1", 'a "quoted", text', "plain"]
    import_rows(store, [{"id": t, "text": t, "label": "praise"} for t in texts])
    table = client.get("/api/v1/projects/shop/export?format=csv").text
    cells = {one["text"] for one in csv.DictReader(io.StringIO(table, newline=""))}
    assert cells == {"'=1+1", "'+1", "'-1", "'@x", "'\t=1", 'a "quoted", text', "plain"}


def test_project_settings_are_changed_and_kept(client, store):
    body = {
        "name": "mail",
        "task": {"type": "single_label", "labels": ["spam", "ham"], "guidelines": "Is it spam?"},
        "batch_size": 7,
        "stopping": {"max_labels": 100},
        "strategy_options": {"beta": 25},
    }
    made = client.post("/api/v1/projects", json=body)
    assert made.status_code == 201
    assert made.headers["location"] == "/api/v1/projects/mail"
    stopping = made.json()["stopping"]
    assert (stopping["max_rounds"], stopping["max_labels"]) == (None, 100)
    assert client.post("/api/v1/projects", json=body).status_code == 409
    changed = client.patch("/api/v1/projects/mail", json={"batch_size": 9, "guidelines": "New."})
    assert (changed.json()["batch_size"], changed.json()["task"]["guidelines"]) == (9, "New.")
    assert changed.json()["strategy_options"] == {"beta": 25}
    listed = client.get("/api/v1/projects").json()["items"]
    assert [one["name"] for one in listed] == ["mail"]
    paused = client.patch("/api/v1/projects/mail", json={"state": "paused"})
    assert paused.json()["state"] == "paused"
    assert "paused" in client.post("/api/v1/projects/mail/rounds").json()["detail"]


def test_items_are_paged(client, store):
    make_project(store)
    import_rows(store, [*items(5), {"id": "copy", "text": "TEXT number  1"}])
    first = client.get("/api/v1/projects/shop/items?limit=4").json()
    rest = client.get(f"/api/v1/projects/shop/items?limit=4&after={first['next']}").json()
    found = [*first["items"], *rest["items"]]
    assert [one["id"] for one in found] == ["i0", "i1", "i2", "i3", "i4", "copy"]
    assert [one["duplicate"] for one in found] == [False] * 5 + [True]
    assert rest["next"] is None


def test_commands_and_http_speak_of_the_same_round(client, store):
    make_project(store)
    import_rows(store, items(10))
    commands.start_round(store, "shop", actor="test")
    assert client.get(f"{ROUNDS}/1").json()["actor"] == "test"


def test_an_admin_deletes_a_project_by_its_name_and_restores_it(client, store):
    make_project(store)
    address = "/api/v1/projects/shop"
    assert client.delete(f"{address}?confirm=shop").status_code == 403
    with api(store, "admin") as admin:
        assert admin.delete(f"{address}?confirm=shops").status_code == 422
        deleted = admin.delete(f"{address}?confirm=shop&days=2&with_argilla=true")
        assert (deleted.status_code, deleted.json()["state"]) == (202, "archived")
        assert deleted.json()["erase_argilla"] is True
        assert admin.patch(address, json={"state": "active"}).status_code == 409
        restored = admin.post(f"{address}/restore").json()
        assert (restored["state"], restored["erase_at"]) == ("paused", None)
        assert admin.post(f"{address}/restore").status_code == 409


def test_auto_mode_is_asked_for_and_switched_off(client, store):
    make_project(store)
    import_rows(store, [{"id": f"a{n}", "text": f"word {n}"} for n in range(30)])
    started = client.post("/api/v1/projects/shop/rounds", json={"auto": True})
    assert started.status_code == 202
    assert client.get("/api/v1/projects/shop").json()["run"]["auto"] is True
    off = client.patch("/api/v1/projects/shop", json={"auto": False})
    assert off.json()["run"] == {
        "auto": False, "since": None, "stopped": None, "judged_after": None, "rules": [],
    }  # fmt: skip
    assert client.post("/api/v1/projects/shop/rounds", json={"auto": "yes"}).status_code == 422
