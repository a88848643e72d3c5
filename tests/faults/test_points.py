"""A worker that dies at every boundary of a step and at named points inside ends where an
undisturbed one ends."""

import signal

import pytest

from tests.faults.nursery import Nursery
from tests.faults.points import along_a_round
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
