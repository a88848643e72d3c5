"""The audit log: who gave a command is kept in the transaction of its effect."""

import csv
import io

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from app.cli.program import program
from app.core.acting import Via, by_key
from app.core.errors import Conflict
from app.main import create_app
from app.rounds import commands, deleting, projects
from tests.browsing import log_in
from tests.factories import all_rows, import_rows, items, make_project
from tests.serving import bearer, make_key, make_parts

pytestmark = pytest.mark.postgres
SHOP = "/api/v1/projects/shop"


@pytest.fixture
def client(store):
    app = create_app(make_parts(store))
    with TestClient(app, follow_redirects=False) as client:
        yield client


def actions(store):
    columns = "kind, actor, via, key_id, login, project, round"
    return all_rows(store, f"SELECT {columns} FROM actions ORDER BY id")


def test_each_way_of_asking_is_kept_with_who_asked(client, store, database_url, monkeypatch):
    monkeypatch.setenv("ROUNDS_DATABASE_URL", database_url.replace("+psycopg", ""))
    monkeypatch.setenv("LOGNAME", "anna")
    make_project(store)
    import_rows(store, items(10))
    key, plain = make_key(store, "operator", "bert")

    assert client.post(f"{SHOP}/rounds", headers=bearer(plain)).status_code == 202
    csrf = log_in(client, store, "admin")
    page = "/projects/shop/rounds/1/cancel"
    assert client.post(page, data={"csrf": csrf, "typed_name": "shop"}).status_code == 303
    assert CliRunner().invoke(program, ["set", "shop", "batch_size=7"]).exit_code == 0

    api, dashboard, shell = actions(store)
    assert api["kind"] == "round.planned"
    assert (api["actor"], api["via"], api["key_id"], api["round"]) == ("bert", "api", key.id, 1)
    assert (dashboard["kind"], dashboard["via"]) == ("round.cancel_requested", "page")
    assert (shell["kind"], shell["login"], shell["key_id"]) == ("project.changed", "anna", None)
    assert {one["project"] for one in (api, dashboard, shell)} == {"shop"}


def test_what_fails_leaves_no_action(store):
    make_project(store)
    import_rows(store, items(10))
    anna = by_key(make_key(store, "operator", "anna")[0], Via.API)
    commands.start_round(store, "shop", actor=anna)
    with pytest.raises(Conflict):
        commands.start_round(store, "shop", actor=anna)
    assert [one["kind"] for one in actions(store)] == ["round.planned"]


def test_the_machinery_leaves_events_but_no_actions(store):
    make_project(store)
    assert actions(store) == []
    assert all_rows(store, "SELECT FROM events WHERE kind = 'project.created'")


def test_who_deleted_a_project_is_known_when_it_is_gone(client, store):
    make_project(store)
    key, plain = make_key(store, "admin", "anna")
    deleting.delete_project(store, "shop", confirmed="shop", actor=by_key(key, Via.PAGE), days=1)
    with store.transaction() as tx:
        tx.projects.erase("shop")
    (found,) = client.get("/api/v1/actions", headers=bearer(plain)).json()["items"]
    assert (found["by"], found["did"]) == ("anna", "deleted the project, for good in 1 days")
    assert found["project"] == "shop"


def test_a_project_shows_its_own_and_pages_go_back_in_time(client, store):
    make_project(store)
    make_project(store, "other")
    key, plain = make_key(store, "viewer", "anna")
    anna = by_key(key, Via.API)
    for size in (3, 4, 5):
        projects.change_project(store, "shop", {"batch_size": size}, actor=anna)
    projects.change_project(store, "other", {"batch_size": 9}, actor=anna)
    first = client.get(f"{SHOP}/actions?limit=2", headers=bearer(plain)).json()
    then = client.get(f"{SHOP}/actions?limit=2&before={first['next']}", headers=bearer(plain))
    sizes = [one["detail"]["changes"]["batch_size"] for one in first["items"]]
    assert sizes == [5, 4]
    assert [one["detail"]["changes"]["batch_size"] for one in then.json()["items"]] == [3]
    assert then.json()["next"] is None


def test_the_page_says_it_in_words_and_the_file_is_harmless(client, store):
    make_project(store)
    log_in(client, store, "viewer")
    empty = client.get("/projects/shop/actions").text
    assert "Nobody has done anything yet." in empty
    wicked = by_key(make_key(store, "operator", "=cmd()")[0], Via.API)
    projects.change_project(store, "shop", {"batch_size": 3}, actor=wicked)
    page = client.get("/projects/shop/actions").text
    assert "=cmd() changed batch_size, just now." in page
    lines = list(csv.DictReader(io.StringIO(client.get("/projects/shop/actions.csv").text)))
    assert lines[0]["by"] == "'=cmd()"
    assert client.get("/actions").status_code == 403


def test_the_command_line_lists_them(store, database_url, monkeypatch):
    monkeypatch.setenv("ROUNDS_DATABASE_URL", database_url.replace("+psycopg", ""))
    make_project(store)
    assert "Nobody has done" in CliRunner().invoke(program, ["actions", "shop"]).stdout
    key = by_key(make_key(store, "operator", "anna")[0], Via.API)
    projects.change_project(store, "shop", {"batch_size": 3}, actor=key)
    assert "changed batch_size" in CliRunner().invoke(program, ["actions"]).stdout
