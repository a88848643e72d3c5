"""Figures, costs and doubts as they are read: refused in words where they are not valid."""

import html
import json
import re
from contextlib import contextmanager

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from app.cli.program import program
from app.core.entities import RoundState
from app.core.errors import WrongInput
from app.main import create_app
from app.rounds import commands
from app.rounds.measuring.measurer import Measurer
from tests.played import PlayedProject
from tests.serving import bearer, make_key, make_parts

pytestmark = pytest.mark.postgres
SHOP = "/api/v1/projects/shop"


@pytest.fixture
def shop(store, tmp_path):
    return PlayedProject(store, tmp_path, 200, audit_fraction=0.5, batch_size=30)


@pytest.fixture
def get(shop):
    _, key = make_key(shop.store, "viewer")
    with TestClient(create_app(make_parts(shop.store))) as client:

        def ask(path):
            answer = client.get(f"{SHOP}/{path}", headers=bearer(key))
            assert answer.status_code == 200, answer.text
            return answer.json()

        yield ask


def shop_item(shop, name):
    with shop.store.transaction() as tx:
        return tx.measurements.current(shop.project.id, [name])[name]["id"]


@contextmanager
def logged_in(shop):
    _, key = make_key(shop.store, "operator", name="looks at pages")
    with TestClient(create_app(make_parts(shop.store))) as browser:
        token = re.search(r'name="csrf" value="([^"]+)"', browser.get("/login").text)[1]
        browser.post("/login", data={"key": key, "csrf": token})
        yield browser


def test_a_page_says_once_that_nothing_is_measured_yet(shop):
    shop.play(shop.start())
    with logged_in(shop) as browser:
        project = html.unescape(browser.get("/projects/shop").text)
    assert "<h2>Random checks have not been counted yet</h2>" in project
    assert project.count("No closed round has been measured yet.") == 1
    assert "Draw a fresh audit of 100" not in project


def test_a_round_can_be_looked_at_while_it_is_being_measured(shop):
    shop.play(shop.start())
    with shop.store.transaction() as tx:
        given = {"classifier_id": None, "made_from": {}, "figures": {"said": "Half is covered."}}
        tx.measurements.add(shop.round(1), "pool", **given)
    with logged_in(shop) as browser:
        assert "Half is covered." in browser.get("/projects/shop/rounds/1").text


def pages(shop, *, accuracy, covered):
    """The blocks on the pages of the project and of the round."""
    with logged_in(shop) as browser:
        project = html.unescape(browser.get("/projects/shop").text)
        assert accuracy in project
        assert "Draw a fresh audit of 100" in project
        assert covered in html.unescape(browser.get("/projects/shop/rounds/3").text)


def again(shop, get, item):
    """A doubted label is decided again by the one who gave it."""
    number = commands.relabel_doubts(shop.store, "shop", [item], actor="test").number
    shop.run_until(number, RoundState.ANNOTATING)
    (one,) = shop.out(number)
    assert (one.item.external_id, one.chosen.slice) == (item, "relabel")
    shop.tick()
    assert shop.round(number).state == RoundState.ANNOTATING, "the old answer settles nothing"
    truth = shop.truth[one.item.fields["text"]]
    shop.play(number)
    with shop.store.transaction() as tx:
        labels = {one["item"]: one for one in tx.views.labels(shop.project.id, 0, 500).items}
        made = tx.measurements.chosen(shop.round(number).result_id)
    assert labels[item]["value"] == {"label": truth}
    (known,) = [one for one in made if one.item_id == shop_item(shop, item)]
    assert (known.slice != "relabel", known.round_number) == (True, 3), "it stays what it was"
    assert item not in {one["item"] for one in get("doubts")["doubts"]}
    with pytest.raises(WrongInput, match="is not doubted"):
        commands.relabel_doubts(shop.store, "shop", [item], actor="test")


def measured(shop):
    worker = Measurer(shop.parts, name="measurer")
    while worker.tick():
        pass


def test_before_the_first_round_everything_says_why_it_is_not_there(get):
    told = get("estimates")
    assert told["accuracy"]["estimate"] is None
    assert "from 12 randomly chosen checks on" in told["accuracy"]["said"]
    assert told["forecast"]["half"]["gain"] is None
    assert get("ledger")["per_label"]["reason"].startswith("Nobody has labelled")
    assert get("doubts")["doubts"] == []


def test_a_project_is_read_after_its_rounds_were_measured(shop, get, database_url, monkeypatch):
    for _ in range(2):
        shop.play(shop.start())
    third = shop.start()
    shop.run_until(third, RoundState.ANNOTATING)
    mistaken = {}
    for one in shop.out(third):
        truth = shop.truth[one.item.fields["text"]]
        said = "praise" if truth == "refund" and len(mistaken) < 3 else truth
        if said != truth:
            mistaken[one.item.external_id] = said
        shop.tool.answer(f"item-{one.item.id}", said)
    shop.run_until(third, RoundState.CLOSED)
    assert get("estimates")["waiting"] == 3
    measured(shop)

    told = get("estimates")
    assert (told["accuracy"]["round"], told["accuracy"]["checks"]) == (3, 30)
    assert told["accuracy"]["said"].startswith("About ")
    assert told["forecast"]["half"]["said"].startswith("Too few random checks (30)")
    assert told["waiting"] == 0

    doubted = get("doubts")
    assert doubted["round"] == 3
    found = {one["item"] for one in doubted["doubts"]} & set(mistaken)
    assert mistaken.items() & {one["item"]: one["label"] for one in doubted["doubts"]}.items()
    figures = get("rounds/3/figures")["figures"]
    assert figures["accuracy"]["look"]["at"] == 20

    again(shop, get, found.pop())

    compared = get("compare?first=1&second=3")
    assert compared["items"] == figures["held_out"]["items"] > 30
    assert compared["gain"]["low"] <= compared["gain"]["value"] <= compared["gain"]["high"]
    same = get("compare?first=2&second=2")
    assert (same["p_value"], same["only_first_right"]) == (1.0, 0)
    assert "cannot tell" in same["said"]

    ledger = get("ledger")
    assert ledger["labels"] == 90
    assert ledger["next_half"]["labels"] == 45
    assert ledger["gain"]["interval"] is None

    pages(shop, accuracy=get("estimates")["accuracy"]["said"], covered=figures["pool"]["said"])

    monkeypatch.setenv("ROUNDS_DATABASE_URL", database_url)
    for command in ("estimates", "ledger", "doubts"):
        told = CliRunner().invoke(program, [command, "shop", "--json"])
        assert told.exit_code == 0, told.output
        assert json.loads(told.stdout) == get(command)
        assert CliRunner().invoke(program, [command, "shop"]).exit_code == 0
    told = CliRunner().invoke(program, ["compare", "shop", "1", "3"])
    assert "held-out items" in " ".join(told.output.split())
    assert CliRunner().invoke(program, ["compare", "shop", "1", "9"]).exit_code == 1
