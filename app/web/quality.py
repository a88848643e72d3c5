"""The page about the classifier: where it errs, and whether its confidence can be believed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from app.api.access import Parts
from app.api.parameters import ProjectName
from app.api.wiring import ApiParts
from app.core.errors import NotFound
from app.web.calibration import calibration_of
from app.web.rendering import count, page
from app.web.sessions import Viewer
from app.web.tables import csv_file

router = APIRouter()
AtRound = Annotated[int | None, Query(alias="round", ge=1, le=2**31 - 1)]
MATRIX = 20  # classes up to which the whole matrix is drawn
PAIRS, PAIRS_BESIDE_MATRIX = 30, 10
GOOD_ENOUGH = 0.99  # an F1 above which no class need be named
SHADES = 5


@dataclass(frozen=True, slots=True)
class Mistake:
    """So many items of one class were taken for another."""

    gold: str
    said: str
    items: int
    of: int


@router.get("/projects/{name}/quality")
def quality_page(
    request: Request, session: Viewer, name: ProjectName, parts: Parts, at: AtRound = None
) -> HTMLResponse:
    measured = _measured(parts, name, at)
    metrics = measured["metrics"] if measured else {}
    pairs = mistakes(metrics)
    drawn = len(metrics.get("classes", ())) <= MATRIX
    return page(
        request,
        "quality.html",
        parts=parts,
        session=session,
        name=name,
        at=at,
        measured=measured,
        metrics=metrics,
        sentence=_sentence(measured),
        calibration=calibration_of(metrics),
        pairs=pairs[: PAIRS_BESIDE_MATRIX if drawn else PAIRS],
        mistaken=len(pairs),
        confused=_finding(pairs),
        matrix=_shaded(metrics) if drawn else None,
        per_class=by_score(metrics),
    )


@router.get("/projects/{name}/confusion.csv")
def confusion_file(
    session: Viewer, name: ProjectName, parts: Parts, at: AtRound = None
) -> Response:
    metrics = _sure(parts, name, at)
    lines = [
        [gold, *row] for gold, row in zip(metrics["classes"], metrics["confusion"], strict=True)
    ]
    return csv_file(f"{name}-confusion", ["label \\ predicted", *metrics["classes"]], lines)


@router.get("/projects/{name}/calibration.csv")
def calibration_file(
    session: Viewer, name: ProjectName, parts: Parts, at: AtRound = None
) -> Response:
    bins = _sure(parts, name, at).get("calibration", [])
    head = ["low", "high", "items", "confidence", "accuracy"]
    return csv_file(f"{name}-calibration", head, [[one[key] for key in head] for one in bins])


def mistakes(metrics: Mapping[str, Any]) -> Sequence[Mistake]:
    """What is taken for what, most often first."""
    classes, rows = metrics.get("classes", ()), metrics.get("confusion", ())
    found = [
        Mistake(gold, said, items, sum(row))
        for gold, row in zip(classes, rows, strict=True)
        for said, items in zip(classes, row, strict=True)
        if items and said != gold
    ]
    return sorted(found, key=lambda one: (-one.items, one.gold, one.said))


def by_score(metrics: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Each class that occurs, the worst first."""
    found = [one for one in metrics.get("per_class", ()) if one["support"]]
    return sorted(found, key=lambda one: (one["f1"], one["label"]))


def _sentence(measured: Mapping[str, Any] | None) -> str:
    if measured is None:
        return "The classifier was not measured yet."
    metrics = measured["metrics"]
    told = (
        f"After round {measured['round']} the classifier is right on {metrics['accuracy']:.1%} of "
        f"{count(metrics['n'])} held-out items"
    )
    worst = by_score(metrics)
    if len(worst) < 2 or worst[0]["f1"] > GOOD_ENOUGH:
        return f"{told}."
    return f"{told}; it is least good at {worst[0]['label']}, with an F1 of {worst[0]['f1']:.0%}."


def _finding(pairs: Sequence[Mistake]) -> str:
    if not pairs:
        return "No class is taken for another"
    most = pairs[0]
    return (
        f"{most.gold} is taken for {most.said} most often: {count(most.items)} of {count(most.of)}"
    )


def _shaded(metrics: Mapping[str, Any]) -> Sequence[tuple[str, Sequence[tuple[int, int]]]]:
    """Rows of the matrix; each cell with how dark it is, by its share of the row."""
    return [
        (gold, [(items, _shade(items, sum(row))) for items in row])
        for gold, row in zip(metrics.get("classes", ()), metrics.get("confusion", ()), strict=True)
    ]


def _shade(items: int, of: int) -> int:
    return 0 if not items else 1 + round((SHADES - 1) * items / of)


def _measured(parts: ApiParts, name: str, at: int | None) -> Mapping[str, Any] | None:
    with parts.store.transaction() as tx:
        return tx.views.measured(tx.projects.by_name(name).id, at)


def _sure(parts: ApiParts, name: str, at: int | None) -> Mapping[str, Any]:
    measured = _measured(parts, name, at)
    if measured is None:
        raise NotFound("Nothing was measured there.")
    metrics: Mapping[str, Any] = measured["metrics"]
    return metrics
