"""Every way to choose works in a project, not only in an experiment."""

import pytest

from app.core.entities import RoundState
from app.core.errors import WrongInput
from app.core.strategies import STRATEGIES
from app.rounds import commands, projects
from app.rounds.replaying import replay
from tests.factories import all_rows, make_project
from tests.played import PlayedProject

pytestmark = pytest.mark.postgres


def chosen(shop, number):
    shop.run_until(number, RoundState.ANNOTATING)
    return [one.chosen for one in shop.out(number)]


def set_(shop, **settings):
    projects.change_project(shop.store, "shop", settings, actor="test")


def test_every_strategy_that_asks_no_llm_makes_a_round_that_can_be_made_again(store, tmp_path):
    shop = PlayedProject(store, tmp_path, count=150, batch_size=5)
    shop.play(shop.start())
    asking_nobody = [name for name, one in STRATEGIES.items() if one.advice is None]
    for name in asking_nobody:
        set_(shop, strategy=name)
        number = shop.start()
        assert len(chosen(shop, number)) == 5, name
        assert shop.round(number).checkpoint["strategy_used"] == name
        commands.cancel_round(store, "shop", number, actor="test")
        shop.run_until(number, RoundState.CANCELLED)
        if STRATEGIES[name].needs_committee:
            assert replay(shop.parts, "shop", number).same


def test_rules_raise_what_they_match(store, tmp_path):
    shop = PlayedProject(store, tmp_path, batch_size=10, audit_fraction=0.0)
    shop.play(shop.start())
    word = max(
        (word for text in shop.truth for word in text.split()),
        key=lambda word: (sum(word in text.split() for text in shop.truth) < 60, len(word)),
    )
    rules = [{"pattern": rf"\b{word}\b", "weight": 50}]
    set_(shop, strategy="heuristic", strategy_options={"rules": rules})
    number = shop.start()
    picks = chosen(shop, number)
    raised = [one for one in picks if "raised ×50.0 by your rules" in one.reason]
    texts = {one.item.id: one.item.fields["text"] for one in shop.out(number)}
    assert raised
    assert all(word in texts[one.item_id] for one in raised)
    assert replay(shop.parts, "shop", number).same


def test_a_rule_may_go_by_metadata(store, tmp_path):
    shop = PlayedProject(store, tmp_path, batch_size=5, audit_fraction=0.0)
    shop.play(shop.start())
    with store.transaction() as tx:
        tx.sql.run('UPDATE items SET metadata = \'{"channel": "mail"}\' WHERE id % 9 = 0')
    rules = [{"metadata": "channel", "equals": "mail", "weight": 100}]
    set_(shop, strategy="heuristic", strategy_options={"rules": rules, "beta": 1})
    assert {one.item_id % 9 for one in chosen(shop, shop.start())} == {0}


def test_an_experts_list_begins_a_project(store, tmp_path):
    shop = PlayedProject(store, tmp_path, batch_size=4)
    known = all_rows(store, "SELECT id, external_id FROM items WHERE split = 'pool' LIMIT 40")
    wanted = [one["external_id"] for one in known[7:39:8]][::-1]
    options = {"cold_start": "expert_list", "expert_items": [*wanted, "nobody"]}
    set_(shop, strategy_options=options)
    number = shop.start()
    shop.run_until(number, RoundState.ANNOTATING)
    assert [one.item.external_id for one in shop.out(number)] == wanted
    assert {one.reason for one in chosen(shop, number)} == {"named by an expert"}
    assert replay(shop.parts, "shop", number).same


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"strategy_options": {"odd": 1}}, "odd"),
        ({"strategy_options": {"beta": 0}}, "beta"),
        ({"strategy_options": {"rules": [{"pattern": "("}]}}, "rules"),
        ({"strategy_options": {"expert_rows": [1]}}, "expert_rows"),
        ({"strategy_options": {"expert_items": [1]}}, "expert_items"),
        ({"classifier_options": {"self_training": "maybe"}}, "self_training"),
        ({"classifier_options": {"incumbent": "logistic.v1"}}, "incumbent"),
    ],
)
def test_options_that_cannot_be_are_refused_when_they_are_set(store, settings, field):
    with pytest.raises(WrongInput) as caught:
        make_project(store, **settings)
    assert caught.value.field == field


def test_what_auto_chose_defends_its_place(store, tmp_path):
    shop = PlayedProject(store, tmp_path, count=400, batch_size=60, classifier="auto")
    for _ in range(3):
        shop.play(shop.start())
    reports = [
        one["report"]
        for one in all_rows(store, "SELECT report FROM classifier_versions ORDER BY number")
    ]
    assert "incumbent" not in reports[0]
    assert [one["incumbent"] for one in reports[1:]] == [one["chosen"] for one in reports[:-1]]
    assert all(one["why"] for one in reports)
    assert replay(shop.parts, "shop", 3).same
