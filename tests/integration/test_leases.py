"""Who may work on a round: leases and their fences on a real Postgres."""

import pytest

from app.core.entities import RoundState
from app.core.errors import LeaseLost
from app.rounds import commands
from tests.factories import import_rows, items, make_project

pytestmark = pytest.mark.postgres


@pytest.fixture
def store(store):
    make_project(store)
    import_rows(store, items(10))
    commands.start_round(store, "shop", actor="test")
    return store


def claim(store, worker="a"):
    with store.transaction() as tx:
        return tx.rounds.claim(worker, 30)


def test_a_round_is_one_workers_at_a_time_until_it_is_given_back(store):
    held = claim(store)
    assert claim(store, "b") is None
    with store.transaction() as tx:
        assert tx.rounds.extend(held.id, held.fence, 30)
        tx.rounds.advance(held, RoundState.TRAINING, {})
    assert claim(store, "b").fence == held.fence + 1


def test_a_lease_that_was_given_back_cannot_be_extended(store):
    """The keeper of a lease may look just while its step commits."""
    held = claim(store)
    with store.transaction() as tx:
        tx.rounds.advance(held, RoundState.TRAINING, {})
    with store.transaction() as tx:
        assert not tx.rounds.extend(held.id, held.fence, 30)
    assert claim(store, "b") is not None


def test_whoever_slept_through_the_lease_writes_nothing(store):
    held = claim(store)
    with store.transaction() as tx:
        tx.sql.run("UPDATE rounds SET lease_until = now() - interval '1 s'")
    assert claim(store, "b").fence == held.fence + 1
    for late in (
        lambda tx: tx.rounds.guard(held.id, held.fence),
        lambda tx: tx.rounds.advance(held, RoundState.TRAINING, {}),
        lambda tx: tx.rounds.wait(held, 0, {}),
        lambda tx: tx.rounds.fail(held, {"title": "t"}),
    ):
        with pytest.raises(LeaseLost), store.transaction() as tx:
            late(tx)
    with store.transaction() as tx:
        assert not tx.rounds.extend(held.id, held.fence, 30)
