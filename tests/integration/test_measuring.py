"""Closed rounds are measured beside the loop: once, from records, whatever dies meanwhile."""

import threading

import pytest

from app.core.entities import RoundState
from app.core.errors import LeaseLost
from app.rounds.measuring.job import MEASURES
from app.rounds.measuring.measurer import Measurer
from tests.factories import all_rows
from tests.played import PlayedProject

pytestmark = pytest.mark.postgres


@pytest.fixture
def played(store, tmp_path):
    return lambda **settings: PlayedProject(store, tmp_path, **{"count": 150, **settings})


@pytest.fixture
def shop(played):
    """Three closed rounds, of which the last two brought six random checks each."""
    project = played(audit_fraction=0.5)
    for _ in range(3):
        project.play(project.start())
    return project


def measurer(project):
    return Measurer(project.parts, name="measurer", lease_seconds=30)


def measure_all(project):
    while measurer(project).tick():
        pass


def figures(project, kind):
    with project.store.transaction() as tx:
        return tx.measurements.history(project.project.id, kind)


def as_stored(project):
    return all_rows(
        project.store,
        "SELECT m.kind, r.number, m.figures, m.made_from FROM measurements m "
        "JOIN rounds r ON r.id = m.round_id ORDER BY r.number, m.kind",
    )


def test_accuracy_is_refused_in_words_and_then_told_with_its_interval(shop):
    assert all_rows(shop.store, "SELECT 1 FROM measurements") == [], "no round waits for it"
    measure_all(shop)
    first, second, third = figures(shop, "accuracy")
    assert first["said"].startswith("Too few random checks (0)")
    assert second["estimate"] is None
    assert third["checks"] == 12
    told = third["estimate"]["remaining"]
    assert 0 <= told["low"] < told["value"] <= told["high"] <= 1
    assert third["said"].startswith("About ")
    assert third["look"]["at"] == 10, "the first look, and it is taken once"
    assert second["look"] is None


def test_measuring_again_gives_the_same(shop):
    measure_all(shop)
    before = as_stored(shop)
    assert {one["kind"] for one in before} == set(MEASURES)
    with shop.store.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE measurements DISABLE TRIGGER USER")
        connection.exec_driver_sql("DELETE FROM measurements; UPDATE measuring SET done_at = NULL")
        connection.exec_driver_sql("ALTER TABLE measurements ENABLE TRIGGER USER")
    measure_all(shop)
    assert as_stored(shop) == before


def test_one_who_is_killed_leaves_the_work_to_the_next(shop, monkeypatch):
    class Killed(BaseException):
        pass

    def die(*_):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setitem(MEASURES, list(MEASURES)[-1], die)
        with pytest.raises(Killed):
            measurer(shop).tick()
    done = {one["kind"] for one in as_stored(shop)}
    assert done == set(list(MEASURES)[:-1]), "what was found before is kept"
    assert not measurer(shop).tick(), "its lease still runs"
    with shop.store.transaction() as tx:
        tx.sql.run("UPDATE measuring SET lease_until = now() - interval '1 s'")
    measure_all(shop)
    assert len(as_stored(shop)) == 3 * len(MEASURES)


def test_one_who_slept_through_the_lease_writes_nothing(shop):
    with shop.store.transaction() as tx:
        slept = tx.measurements.claim("sleeper", 0.0)
    measure_all(shop)
    with pytest.raises(LeaseLost), shop.store.transaction() as tx:
        tx.measurements.guard(slept)


def test_a_worker_that_stops_gives_the_round_back(shop, monkeypatch):
    stop = threading.Event()

    def asked_to_stop(material, before):
        stop.set()
        material.work.check()

    with monkeypatch.context() as patched:
        patched.setitem(MEASURES, next(iter(MEASURES)), asked_to_stop)
        measurer(shop).tick(stop)
    assert as_stored(shop) == []
    measure_all(shop)
    assert len(as_stored(shop)) == 3 * len(MEASURES)


def test_a_defect_holds_up_no_other_round(shop, monkeypatch):
    def broken(*_):
        raise ValueError("a defect")

    monkeypatch.setitem(MEASURES, "accuracy", broken)
    for _ in range(3):
        measurer(shop).tick()
        with shop.store.transaction() as tx:
            tx.sql.run("UPDATE measuring SET due_at = now()")
    first = all_rows(shop.store, "SELECT error, done_at FROM measuring ORDER BY round_id")[0]
    assert first["done_at"] is not None
    assert "ValueError" in first["error"]["title"]


def test_the_next_round_does_not_wait(shop):
    number = shop.start()
    shop.run_until(number, RoundState.ANNOTATING)
    with shop.store.transaction() as tx:
        assert tx.measurements.waiting(shop.project.id) == 3
