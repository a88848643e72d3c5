"""A worker that dies at every boundary of a step and at named points inside ends where an
undisturbed one ends."""

import signal

import pytest

from tests.faults.nursery import Nursery
from tests.faults.points import along_a_round, where_something_is_left
from tests.faults.site import Site, site_on
from tests.serving import wait_until

pytestmark = [pytest.mark.postgres, pytest.mark.argilla]


@pytest.fixture(scope="module")
def nursery(tmp_path_factory):
    with Nursery(tmp_path_factory.mktemp("workers")) as nursery:
        yield nursery


@pytest.fixture
def site_at(postgres, _migrated_template, argilla, nursery, tmp_path):
    def make(name, **more):
        return site_on(postgres, _migrated_template, argilla, tmp_path / name, nursery, **more)

    return make


def play(site: Site, rounds: int, deadly: list[str]) -> None:
    """Rounds one after the other, with a death of the worker at each point in the first of them."""
    for _ in range(rounds):
        number = site.start()
        while deadly:
            point = deadly.pop(0)
            worker = site.worker(strikes=(point, signal.SIGKILL))
            # the last answer waits until everything about collecting has been died of
            finish = not any(one.startswith("collect") for one in [point, *deadly])
            site.play(number, until=lambda who=worker: not who.alive, finish=finish)
            site.expire_leases()
        worker = site.worker()
        site.play(number)
        worker.kill()
        site.expire_leases()


def test_death_at_every_named_point_changes_nothing(site_at):
    with site_at("calm") as site:
        play(site, 2, [])
        calm, tally = site.outcome(), site.check()
    assert tally.wrong() == {}
    with site_at("killed") as site:
        play(site, 2, along_a_round())
        killed, tally = site.outcome(), site.check()
    assert tally.wrong() == {}
    assert tally.items == 16
    assert killed == calm


def play_in_a_row(site: Site, deadly: list[str]) -> None:
    """Two rounds of auto mode, the second begun before the first has all answers."""
    site.start(auto=True)
    while deadly:
        worker = site.worker(strikes=(deadly.pop(0), signal.SIGKILL))
        site.play(1, until=lambda who=worker: not who.alive)
        site.expire_leases()
    worker = site.worker()
    for number in (1, 2):
        site.play(number)
    worker.kill()


def test_death_while_items_are_left_to_the_next_round_changes_nothing(site_at):
    settings = {"prefetch": 3, "stopping": {"max_rounds": 2}, "audit_fraction": 0}
    with site_at("calm", **settings) as site:
        play_in_a_row(site, [])
        calm, tally = site.outcome(), site.check()
    assert tally.wrong() == {}
    left = [one for one in calm["chosen"] if one["waited_in"] > one["number"]]
    assert len(left) == 3
    assert all(len(one["refreshed"]) == 1 for one in left)
    with site_at("killed", **settings) as site:
        play_in_a_row(site, where_something_is_left())
        killed, tally = site.outcome(), site.check()
    assert tally.wrong() == {}
    assert killed == calm


@pytest.mark.parametrize("points", [
    ["push: sent, not noted", "collect: read, not stored", "before the end of merging",
     "train: written, not recorded"],
])  # fmt: skip
def test_a_worker_that_slept_through_its_lease_changes_nothing_when_it_wakes(site_at, points):
    with site_at("slept") as site:
        for point in points:
            number = site.start()
            sleeper = site.worker(strikes=(point, signal.SIGSTOP))
            site.play(number, until=lambda who=sleeper: who.asleep, finish="merging" in point
                      or "train" in point)  # fmt: skip
            site.expire_leases()
            other = site.worker()
            site.play(number)
            before = site.outcome()
            sleeper.wake()
            wait_until(lambda who=sleeper: "step.lease_lost" in who.log())
            assert site.outcome() == before
            sleeper.kill()
            other.kill()
        assert site.check().wrong() == {}
