"""What died is started again: at once the first time, then with growing pauses."""

import pytest

from app.core.errors import Unavailable
from app.embedded.keepalive import GOOD_SECONDS, LONGEST_PAUSE, Keepalive


class Patient:
    """Something that runs until told otherwise."""

    def __init__(self, *, curable: bool = True) -> None:
        self.alive = True
        self.curable = curable
        self.restarts: list[float] = []
        self.now = 0.0

    def restart(self) -> None:
        self.restarts.append(self.now)
        if not self.curable:
            raise Unavailable("no room")
        self.alive = True


class Ward:
    """A keepalive with a clock that the test moves."""

    def __init__(self, patient: Patient) -> None:
        self.patient = patient
        self.said: list[str] = []
        self.keepalive = Keepalive(self.said.append)
        self.keepalive.keep("Patient", lambda: patient.alive, patient.restart)

    def at(self, moment: float) -> None:
        self.patient.now = moment
        self.keepalive.check(moment)


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> float:
    monkeypatch.setattr("app.embedded.keepalive.time.monotonic", lambda: 0.0)
    return 0.0


def test_the_first_death_is_mended_at_once_and_said(start: float) -> None:
    ward = Ward(Patient())
    ward.at(1)
    assert ward.said == []
    ward.patient.alive = False
    ward.at(2)
    assert ward.patient.restarts == [2]
    assert "Patient ended unexpectedly" in ward.said[0]


def test_pauses_grow_up_to_a_limit(start: float) -> None:
    ward = Ward(Patient())
    for quarter in range(4 * 120):
        ward.patient.alive = False
        ward.at(quarter / 4)
    pauses = [b - a for a, b in zip(ward.patient.restarts, ward.patient.restarts[1:], strict=False)]
    assert pauses == sorted(pauses)
    assert pauses[0] <= 1.25
    assert max(pauses) <= LONGEST_PAUSE + 0.25


def test_a_long_healthy_time_forgives_earlier_deaths(start: float) -> None:
    ward = Ward(Patient())
    for moment in (1.0, 2.0, 3.0, 4.0):
        ward.patient.alive = False
        ward.at(moment)
    ward.at(50)
    assert ward.patient.alive
    later = ward.patient.restarts[-1] + GOOD_SECONDS + 10
    ward.patient.alive = False
    ward.at(later)
    assert ward.patient.restarts[-1] == later


def test_a_restart_that_fails_is_said_and_tried_again(start: float) -> None:
    ward = Ward(Patient(curable=False))
    ward.patient.alive = False
    for moment in range(10):
        ward.at(float(moment))
    assert len(ward.patient.restarts) > 2
    assert any("no room" in line for line in ward.said)
