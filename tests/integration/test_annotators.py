"""Annotators and their agreement over HTTP, on the command line and as a page."""

import json
import re

import pytest
from fastapi.testclient import TestClient

from app.cli.annotators import annotators
from app.core.agreement import NOBODY
from app.core.entities import RoundState
from app.main import create_app
from tests.factories import make_project
from tests.played import PlayedProject
from tests.serving import api, make_key, make_parts

pytestmark = pytest.mark.postgres
ANNOTATORS = "/api/v1/projects/shop/annotators"


@pytest.fixture
def client(store):
    with api(store, "viewer") as client:
        yield client


def answered_by_two(store, folder):
    played = PlayedProject(store, folder, count=60, batch_size=8, overlap=2, adjudication="none")
    number = played.start()
    played.run_until(number, RoundState.ANNOTATING)
    played.answer(number)
    for n, one in enumerate(played.out(number)):
        true = played.truth[one.item.fields["text"]]
        other = next(label for label in played.project.task.labels if label != true)
        said = other if n == 0 else true
        played.tool.answer(f"item-{one.item.id}", said, by="annotator-2")
    played.run_until(number, RoundState.CLOSED)
    return played


def test_agreement_is_told_and_kept_with_the_round(client, store, tmp_path):
    answered_by_two(store, tmp_path)
    told = client.get(ANNOTATORS).json()
    assert (told["answers"], told["items"], told["items_with_several"]) == (16, 8, 8)
    one, two = told["annotators"]
    assert (one["name"], two["name"]) == ("annotator-1", "annotator-2")
    assert one["with_others"] == {"value": 7 / 8, "items": 8, "reason": None}
    assert one["with_label"] == {"value": 1.0, "items": 7, "reason": None}
    (pair,) = told["pairs"]
    assert (pair["same"], pair["kappa"]["items"]) == (7, 8)
    assert 0 < told["alpha"]["value"] < 1
    (then,) = told["rounds"]
    assert (then["round"], then["alpha"]) == (1, told["alpha"])
    # figures of agreement are not figures of the classifier
    kinds = {one["kind"] for one in client.get("/api/v1/projects/shop/metrics").json()["items"]}
    assert kinds == {"held_out"}


def test_without_answers_it_says_so(client, store):
    make_project(store)
    told = client.get(ANNOTATORS).json()
    assert told["annotators"] == []
    assert told["alpha"] == {"value": None, "items": 0, "reason": NOBODY}
    assert client.get("/api/v1/projects/none/annotators").status_code == 404


def test_the_page_and_the_command(store, tmp_path, database_url, monkeypatch, capsys):
    answered_by_two(store, tmp_path)
    monkeypatch.setenv("ROUNDS_DATABASE_URL", database_url)
    monkeypatch.setenv("ROUNDS_HOME", str(tmp_path / "home"))
    capsys.readouterr()  # what the worker logged
    annotators("shop", as_json=True)
    found = json.loads(capsys.readouterr().out)
    assert found["items_with_several"] == 8
    annotators("shop", as_json=False)
    assert "2 annotators have given 16 answers." in capsys.readouterr().out
    with TestClient(create_app(make_parts(store)), headers={"Accept": "text/html"}) as browser:
        token = re.search(r'name="csrf" value="([^"]+)"', browser.get("/login").text)[1]
        browser.post("/login", data={"key": make_key(store, "viewer")[1], "csrf": token})
        page = browser.get("/projects/shop/annotators").text
        assert "2 annotators have given 16 answers. On 8 items" in page
        assert page.count("annotator-2") == 2
        assert 'href="/projects/shop/annotators"' in browser.get("/projects/shop").text
