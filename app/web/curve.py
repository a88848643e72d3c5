"""The learning curve as SVG: accuracy on held-out items against labels, with its interval."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10, sqrt
from typing import Any

WIDTH, HEIGHT = 720, 300
LEFT, RIGHT, TOP, BOTTOM = 64, 96, 16, 48
MOST_POINTS = 200
Z = 1.96  # 95 %


@dataclass(frozen=True, slots=True)
class Point:
    """What one round measured."""

    round: int
    labels: int
    accuracy: float
    macro_f1: float | None
    n: int
    low: float
    high: float
    x: float = 0.0
    y: float = 0.0


@dataclass(frozen=True, slots=True)
class Tick:
    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Curve:
    """Everything that the template draws; `points` is all there is, `drawn` at most 200 of them."""

    title: str
    points: Sequence[Point]
    drawn: Sequence[Point]
    line: str
    band: str
    x_ticks: Sequence[Tick]
    y_ticks: Sequence[Tick]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


def curve_of(metrics: Sequence[Mapping[str, Any]]) -> Curve | None:
    """The curve of a project's evaluations, None before there is one."""
    points = [_point(one) for one in metrics]
    if not points:
        return None
    most = _round_up(max(point.labels for point in points))
    drawn = [_placed(point, most) for point in _thinned(points)]
    return Curve(
        title=_finding(points),
        points=points,
        drawn=drawn,
        line=" ".join(f"{p.x:.1f},{p.y:.1f}" for p in drawn),
        band=_band(drawn),
        x_ticks=[Tick(_x(value, most), f"{value:,}") for value in _steps(most)],
        y_ticks=[Tick(_y(part / 4), f"{25 * part}%") for part in range(5)],
    )


def interval(accuracy: float, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share of n."""
    if n <= 0:
        return 0.0, 1.0
    centre = (accuracy + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z / (1 + Z**2 / n) * sqrt(accuracy * (1 - accuracy) / n + Z**2 / (4 * n**2))
    return max(0.0, centre - half), min(1.0, centre + half)


def _point(one: Mapping[str, Any]) -> Point:
    accuracy, n = one["accuracy"], one["n"] or 0
    low, high = interval(accuracy, n)
    return Point(one["round"], one["labels"], accuracy, one["macro_f1"], n, low, high)


def _placed(point: Point, most: int) -> Point:
    return Point(
        point.round,
        point.labels,
        point.accuracy,
        point.macro_f1,
        point.n,
        point.low,
        point.high,
        x=_x(point.labels, most),
        y=_y(point.accuracy),
    )


def _finding(points: Sequence[Point]) -> str:
    """The title says what the curve shows."""
    first, last = points[0], points[-1]
    now = f"Accuracy is {last.accuracy:.1%} with {last.labels:,} labels"
    if len(points) == 1:
        return f"{now}, measured on {last.n:,} held-out items"
    change = 100 * (last.accuracy - first.accuracy)
    if abs(change) < 0.05:
        return f"{now}, as after round {first.round}"
    way = "up" if change > 0 else "down"
    return f"{now}, {abs(change):.1f} points {way} since round {first.round}"


def _thinned(points: Sequence[Point]) -> Sequence[Point]:
    """Evenly, and always with the last."""
    if len(points) <= MOST_POINTS:
        return points
    step = (len(points) - 1) / (MOST_POINTS - 1)
    return [points[round(index * step)] for index in range(MOST_POINTS)]


def _band(drawn: Sequence[Point]) -> str:
    if len(drawn) < 2:
        return ""
    upper = [f"{p.x:.1f},{_y(p.high):.1f}" for p in drawn]
    lower = [f"{p.x:.1f},{_y(p.low):.1f}" for p in reversed(drawn)]
    return " ".join([*upper, *lower])


def _x(labels: float, most: int) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * labels / most


def _y(share: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share


def _round_up(value: int) -> int:
    """The next value at which an axis may end."""
    step = _step(max(value, 4))
    return max(step, ceil(value / step) * step)


def _step(most: int) -> int:
    """1, 2 or 5 times a power of ten, so that there are at most five steps."""
    power = 10 ** floor(log10(most / 5)) if most > 5 else 1
    return int(next(power * factor for factor in (1, 2, 5, 10) if power * factor * 5 >= most))


def _steps(most: int) -> Sequence[int]:
    return range(0, most + 1, _step(most))
