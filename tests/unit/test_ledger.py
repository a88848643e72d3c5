"""What labels cost, and when a price cannot be told."""

import pytest

from app.core.ledger import NO_GAIN, NOTHING_MEASURED, Spent, next_half, per_label, per_point

SPENT = Spent(labels=100, hours=2.0, price_per_hour=30.0, llm=5.0)


def test_a_label_costs_its_share_of_people_and_llms() -> None:
    assert per_label(SPENT).minutes == pytest.approx(1.2)
    assert per_label(SPENT).dollars == pytest.approx(0.65)


def test_a_point_costs_what_the_labels_between_did() -> None:
    price = per_point(SPENT, [(20, 0.5), (60, 0.6), (100, 0.7)])
    assert price.minutes == pytest.approx(80 * 1.2 / 20)
    assert price.dollars == pytest.approx(80 * 0.65 / 20)


def test_where_nothing_was_gained_or_measured_there_is_no_price() -> None:
    assert per_point(SPENT, [(20, 0.7), (60, 0.7)]).reason == NO_GAIN
    assert per_point(SPENT, [(20, 0.7)]).reason == NOTHING_MEASURED
    assert per_label(Spent(0, 0.0, 30.0, 0.0)).dollars is None


def test_half_as_many_again_at_the_pace_so_far() -> None:
    coming = next_half(SPENT)
    assert coming is not None
    assert (coming.labels, coming.minutes) == (50, pytest.approx(60))
    assert next_half(Spent(0, 0.0, 30.0, 0.0)) is None
