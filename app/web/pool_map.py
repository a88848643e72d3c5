"""A map of the pool as SVG, with the items of a batch marked where they lie."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WIDTH, HEIGHT, MARGIN = 560, 420, 14
GRID = 8  # parts of the map, each way
MOST_MARKED = 500  # a batch beyond that is a cloud of its own


@dataclass(frozen=True, slots=True)
class Pick:
    x: float
    y: float
    rank: int
    audit: bool


@dataclass(frozen=True, slots=True)
class PoolMap:
    title: str
    others: Sequence[tuple[float, float]]
    picks: Sequence[Pick]
    width: int = WIDTH
    height: int = HEIGHT


def map_of(points: Sequence[Mapping[str, Any]]) -> PoolMap | None:
    """None before a batch was chosen, or where nothing was laid out."""
    if not any(one["rank"] for one in points):
        return None
    placed = [(one, *place) for one, place in zip(points, _places(points), strict=True)]
    picks = [
        Pick(x, y, one["rank"], one["slice"] == "audit") for one, x, y in placed if one["rank"]
    ]
    return PoolMap(
        title=_finding(placed),
        others=[(x, y) for one, x, y in placed if not one["rank"]],
        picks=picks[:MOST_MARKED],
    )


def _places(points: Sequence[Mapping[str, Any]]) -> list[tuple[float, float]]:
    """On the drawing; both axes in the same scale, for distances are what the map shows."""
    xs, ys = [one["x"] for one in points], [one["y"] for one in points]
    spread = max(max(xs) - min(xs), (max(ys) - min(ys)) * WIDTH / HEIGHT, 1e-9)
    scale = (WIDTH - 2 * MARGIN) / spread
    left, top = (max(xs) + min(xs)) / 2, (max(ys) + min(ys)) / 2
    return [
        (WIDTH / 2 + scale * (x - left), HEIGHT / 2 - scale * (y - top))
        for x, y in zip(xs, ys, strict=True)
    ]


def _finding(placed: Sequence[tuple[Mapping[str, Any], float, float]]) -> str:
    """How much of the map the batch reaches."""
    parts = {_part(x, y) for _, x, y in placed}
    chosen = [_part(x, y) for one, x, y in placed if one["rank"]]
    reached = len(set(chosen))
    items = "1 item lies" if len(chosen) == 1 else f"{len(chosen):,} items lie"
    return f"The batch's {items} in {reached} of the {len(parts)} parts of the map that hold any"


def _part(x: float, y: float) -> tuple[int, int]:
    return int(GRID * x / WIDTH), int(GRID * y / HEIGHT)
