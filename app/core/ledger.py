"""What labels have cost, and what the next ones will: time and money by the records alone."""

from collections.abc import Sequence
from dataclasses import dataclass

NOTHING_MEASURED = "Fewer than two rounds have an accuracy on held-out items."
NO_GAIN = "Accuracy on held-out items has not risen, so a point gained has no price."
NO_LABELS = "Nobody has labelled anything yet."


@dataclass(frozen=True, slots=True)
class Spent:
    """So far. `labels` are those that people gave."""

    labels: int
    hours: float
    price_per_hour: float
    llm: float

    @property
    def people(self) -> float:
        return self.hours * self.price_per_hour

    @property
    def total(self) -> float:
        return self.people + self.llm


@dataclass(frozen=True, slots=True)
class Price:
    """Of one thing, or the reason why it has none."""

    minutes: float | None
    dollars: float | None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Next:
    """What half as many labels again would take, at the pace and price so far."""

    labels: int
    minutes: float
    dollars: float


def per_label(spent: Spent) -> Price:
    if not spent.labels:
        return Price(None, None, NO_LABELS)
    return Price(60 * spent.hours / spent.labels, spent.total / spent.labels)


def per_point(spent: Spent, curve: Sequence[tuple[int, float]]) -> Price:
    """Of a point of accuracy on held-out items. `curve` has labels and accuracy of each round that
    measured one: what was spent between the first and the last is shared out by labels."""
    if len(curve) < 2 or not spent.labels:
        return Price(None, None, NOTHING_MEASURED)
    (first, began), (last, now) = curve[0], curve[-1]
    points = 100 * (now - began)
    if points <= 0:
        return Price(None, None, NO_GAIN)
    labels, each = last - first, per_label(spent)
    minutes, dollars = (each.minutes or 0.0) * labels, (each.dollars or 0.0) * labels
    return Price(minutes / points, dollars / points)


def next_half(spent: Spent) -> Next | None:
    """None while nobody has labelled anything."""
    each = per_label(spent)
    if each.minutes is None or each.dollars is None:
        return None
    labels = (spent.labels + 1) // 2
    return Next(labels, each.minutes * labels, each.dollars * labels)
