"""A round can be cancelled in every state, between two steps and in the middle of one."""

import threading

import pytest

from app.core.entities import RoundState
from app.rounds import commands
from app.rounds.leases import RoundLease
from tests.factories import all_rows
from tests.played import PlayedProject

pytestmark = pytest.mark.postgres
OPEN = [state for state in RoundState if not state.is_over and state != RoundState.FAILED]


@pytest.fixture
def shop(store, tmp_path):
    return PlayedProject(store, tmp_path, count=120)


def bring_to(shop, number, state):
    if state in (RoundState.MERGING, RoundState.EVALUATING):
        shop.run_until(number, RoundState.ANNOTATING)
        shop.answer(number)
    shop.run_until(number, state)


@pytest.mark.parametrize("state", OPEN)
def test_between_two_steps(shop, state):
    number = shop.start()
    bring_to(shop, number, state)
    commands.cancel_round(shop.store, "shop", number, actor="test")
    shop.tick()
    assert shop.round(number).state == RoundState.CANCELLED
    out = all_rows(shop.store, "SELECT state FROM pushes WHERE state IN ('planned', 'pushed')")
    answered = state in (RoundState.MERGING, RoundState.EVALUATING)
    assert len(out) == (12 if answered else 0)
    shop.play(shop.start())


def test_in_the_middle_of_a_step_that_takes_long(shop, monkeypatch):
    """The step hears of it at its next check, and leaves its work to the cancellation."""
    number = shop.start()
    shop.run_until(number, RoundState.PUSHING)
    reached, go_on = threading.Event(), threading.Event()
    push = shop.tool.push
    keepers = []
    enter = RoundLease.__enter__
    monkeypatch.setattr(RoundLease, "__enter__", lambda one: keepers.append(one) or enter(one))

    def slow_push(*given):
        reached.set()
        assert go_on.wait(60)
        return push(*given)

    monkeypatch.setattr(shop.tool, "push", slow_push)
    monkeypatch.setattr("app.rounds.pushing.BATCH", 4)
    step = threading.Thread(target=shop.tick)
    step.start()
    assert reached.wait(60)
    commands.cancel_round(shop.store, "shop", number, actor="test")
    assert keepers[-1]._cancelled.wait(60), "looked for once a second while a step works"
    go_on.set()
    step.join(60)
    assert shop.tool.calls.count("push") == 1, "two more parts were pushed for nothing"
    shop.tick()
    assert shop.round(number).state == RoundState.CANCELLED
    assert [len(one.records) for one in shop.tool.datasets.values()] == [0]
