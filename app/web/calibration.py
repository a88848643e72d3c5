"""The calibration curve as SVG: how often predictions are right against how sure they were."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SIZE = 360
LEFT, TOP, BOTTOM, RIGHT = 52, 12, 44, 16
FAITHFUL = 0.02  # a gap of confidence and accuracy that is not worth a word


@dataclass(frozen=True, slots=True)
class Dot:
    """One bin, placed."""

    x: float
    y: float
    r: float
    items: int
    confidence: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class Calibration:
    title: str
    dots: Sequence[Dot]
    ticks: Sequence[tuple[float, float, str]]
    """Where on the x axis, where on the y axis, and what stands there."""
    size: int = SIZE
    left: int = LEFT
    right: int = SIZE - RIGHT
    top: int = TOP
    bottom: int = SIZE - BOTTOM


def calibration_of(metrics: Mapping[str, Any]) -> Calibration | None:
    """None for rounds that were measured before bins were kept."""
    bins = metrics.get("calibration")
    if not bins:
        return None
    items = sum(one["items"] for one in bins)
    dots = [
        Dot(
            _x(one["confidence"]),
            _y(one["accuracy"]),
            3 + 9 * (one["items"] / items) ** 0.5,
            one["items"],
            one["confidence"],
            one["accuracy"],
        )
        for one in bins
    ]
    ticks = [(_x(part / 4), _y(part / 4), f"{25 * part}%") for part in range(5)]
    return Calibration(_finding(bins, items, metrics["ece"]), dots, ticks)


def _finding(bins: Sequence[Mapping[str, Any]], items: int, error: float) -> str:
    gap = sum(one["items"] * (one["confidence"] - one["accuracy"]) for one in bins) / items
    if abs(gap) < FAITHFUL:
        return f"Its confidence can be believed: it is off by {error:.1%} on average"
    way = "surer than it should be" if gap > 0 else "less sure than it could be"
    return f"It is {way}, by {abs(100 * gap):.0f} points over all"


def _x(share: float) -> float:
    return LEFT + (SIZE - LEFT - RIGHT) * share


def _y(share: float) -> float:
    return SIZE - BOTTOM - (SIZE - TOP - BOTTOM) * share
