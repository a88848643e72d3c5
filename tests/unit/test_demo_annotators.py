"""How a simulated annotator errs."""

import pytest

from app.demo.annotators import SimulatedAnnotator

LABELS = ("refund", "delivery", "praise")


def annotator(error_rate: float, seed: int = 0) -> SimulatedAnnotator:
    return SimulatedAnnotator("ann", "key", error_rate=error_rate, seed=seed)


def answers(who: SimulatedAnnotator, count: int = 2000) -> list[str]:
    return [who.label_for(f"text {number}", "refund", LABELS) for number in range(count)]


def test_they_err_as_often_as_they_should_and_in_every_direction() -> None:
    given = answers(annotator(0.2))
    assert sum(label != "refund" for label in given) / len(given) == pytest.approx(0.2, abs=0.03)
    assert set(given) == set(LABELS)


def test_without_errors_they_are_right_and_with_only_errors_never() -> None:
    assert set(answers(annotator(0.0))) == {"refund"}
    assert "refund" not in answers(annotator(1.0))


def test_they_read_the_same_text_the_same_way_each_time() -> None:
    assert answers(annotator(0.3)) == answers(annotator(0.3))
    assert answers(annotator(0.3)) != answers(annotator(0.3, seed=1))


def test_with_a_single_label_there_is_nothing_to_mistake() -> None:
    assert annotator(1.0).label_for("text", "refund", ("refund",)) == "refund"
