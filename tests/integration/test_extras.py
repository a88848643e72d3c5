"""A fresh audit and the duel: rounds of their own, labelled unprompted, told once."""

import random

import pytest
from fastapi.testclient import TestClient

from app.core.entities import RoundState
from app.core.errors import Conflict, WrongInput
from app.core.estimation.duel import DuelVerdict
from app.core.types import Slice
from app.main import create_app
from app.rounds import commands
from app.rounds.measuring import reading
from app.rounds.measuring.measurer import Measurer
from tests.factories import all_rows
from tests.played import PlayedProject
from tests.serving import bearer, make_key, make_parts

pytestmark = pytest.mark.postgres
SHOP = "/api/v1/projects/shop"


@pytest.fixture
def played(store, tmp_path):
    return lambda **settings: PlayedProject(store, tmp_path, **settings)


def unsettle(shop):
    """Some texts are labelled at random, so that different labels teach different things."""
    draw = random.Random(1)
    labels = sorted(set(shop.truth.values()))
    for text in shop.truth:
        if draw.random() < 0.4:
            shop.truth[text] = draw.choice(labels)


def measure_last(shop):
    """The rounds before it would be measured first; here nobody asks about them."""
    with shop.store.transaction() as tx:
        tx.sql.run(
            "UPDATE measuring SET done_at = now() "
            "WHERE round_id < (SELECT max(round_id) FROM measuring)"
        )
    assert Measurer(shop.parts, name="measurer").tick()


def estimates(shop):
    with shop.store.transaction() as tx:
        return reading.estimates(tx, tx.projects.by_name("shop"))


def unprompted(shop, number):
    (dataset,) = shop.tool.datasets.values()
    names = [f"item-{one.item.id}" for one in shop.out(number)]
    return all(dataset.records[name].suggestion is None for name in names)


def test_a_fresh_audit_is_drawn_at_random_and_told_exactly(played):
    shop = played(count=150)
    with pytest.raises(Conflict, match="no classifier to audit"):
        commands.start_audit(shop.store, "shop", 20, actor="test")
    for _ in range(2):
        shop.play(shop.start())
    with pytest.raises(WrongInput, match="from 1 to 1000"):
        commands.start_audit(shop.store, "shop", 0, actor="test")
    number = commands.start_audit(shop.store, "shop", 20, actor="test").number
    shop.run_until(number, RoundState.ANNOTATING)
    out = shop.out(number)
    assert len(out) == 20
    assert {one.chosen.slice for one in out} == {Slice.AUDIT}
    assert unprompted(shop, number)
    right = sum(
        one.chosen.prediction["label"] == shop.truth[one.item.fields["text"]] for one in out
    )
    shop.play(number)
    measure_last(shop)
    told = estimates(shop)["fresh_audit"]
    assert (told["checks"], told["right"], told["round"]) == (20, right, number)
    assert told["accuracy"]["low"] < right / 20 <= told["accuracy"]["high"]
    assert shop.start() == number + 1, "rounds go on as before"


def test_the_duel_is_fought_once_at_its_time(played):
    shop = played(count=420, audit_fraction=0.5, batch_size=40)
    unsettle(shop)
    _, key = make_key(shop.store, "operator")
    with TestClient(create_app(make_parts(shop.store))) as client:

        def start():
            return client.post(f"{SHOP}/duel", headers=bearer(key))

        assert start().status_code == 409
        for _ in range(4):
            shop.play(shop.start())
        measure_last(shop)
        assert estimates(shop)["duel"]["offered"]
        answer = start()
        assert answer.status_code == 202, answer.text
        number = answer.json()["number"]
        shop.run_until(number, RoundState.ANNOTATING)
        assert {one.chosen.slice for one in shop.out(number)} == {Slice.DUEL}
        assert unprompted(shop, number)
        shop.play(number)
        assert "given once" in start().json()["detail"]
    measure_last(shop)
    told = estimates(shop)["duel"]
    assert told["verdict"] in set(DuelVerdict)
    assert told["gap"]["low"] <= told["gap"]["value"] <= told["gap"]["high"]
    assert told["pooled"]["projects"] == 1
    (stored,) = all_rows(shop.store, "SELECT figures FROM measurements WHERE kind = 'duel'")
    found = stored["figures"]
    assert found["labels"] == len(shop.out(number))
    assert found["a_side"] == 60
    with shop.store.transaction() as tx:
        checks = [one["checks"] for one in tx.measurements.history(shop.project.id, "accuracy")]
    assert checks == [60, 60], "the duel's labels are no random checks"
    trained = all_rows(
        shop.store,
        "SELECT labels FROM classifier_versions ORDER BY number DESC LIMIT 1",
    )
    assert trained[0]["labels"] == 160 + len(shop.out(number)), "but they are trained on"
