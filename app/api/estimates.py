"""Figures with their intervals, what they cost, and the labels that are doubted."""

from typing import Annotated

from fastapi import APIRouter, Query

from app.api.access import Operator, Parts, Viewer, acting
from app.api.parameters import PREFIX, ProjectName, RoundNumber
from app.api.problems import problems
from app.api.round_requests import AuditStart, RelabelStart
from app.rounds import commands
from app.shown.estimates import (
    ComparedOut,
    DoubtsOut,
    EstimatesOut,
    LedgerOut,
    MeasuredOut,
    compared,
    doubts,
    estimates,
    ledger_of,
)
from app.shown.rounds import RoundOut, read

router = APIRouter(prefix=PREFIX, tags=["results"])
LARGEST_ROUND = 2**31 - 1


@router.get(
    "/projects/{name}/estimates",
    summary="Accuracy and the gain of more labels, with intervals, or why they cannot be said",
    responses=problems(401, 403, 404),
)
def read_estimates(caller: Viewer, name: ProjectName, parts: Parts) -> EstimatesOut:
    return estimates(parts.store, name)


@router.get(
    "/projects/{name}/ledger",
    summary="What labels have cost, and what the next ones will",
    responses=problems(401, 403, 404),
)
def read_ledger(caller: Viewer, name: ProjectName, parts: Parts) -> LedgerOut:
    return ledger_of(parts.store, name)


@router.get(
    "/projects/{name}/doubts",
    summary="Labels that the classifier contradicts",
    responses=problems(401, 403, 404),
)
def read_doubts(caller: Viewer, name: ProjectName, parts: Parts) -> DoubtsOut:
    return doubts(parts.store, name)


@router.post(
    "/projects/{name}/audit",
    status_code=202,
    tags=["rounds"],
    summary="Start a fresh audit: random checks alone",
    description="Its batch is drawn uniformly and goes out without suggestions; when it is closed "
    "and measured, `fresh_audit` of the estimates has an exact figure of the classifier of now.",
    responses=problems(401, 403, 404, 409, 422),
)
def start_audit(
    caller: Operator, name: ProjectName, parts: Parts, body: AuditStart | None = None
) -> RoundOut:
    size = body.size if body else None
    round_ = commands.start_audit(parts.store, name, size, actor=acting(caller))
    return read(parts.store, name, round_.number)


@router.post(
    "/projects/{name}/duel",
    status_code=202,
    tags=["rounds"],
    summary="Ask, once, whether choosing beats random picks",
    description="Its batch is drawn where a classifier of chosen labels and one of as many random "
    "labels disagree. 409 says why it cannot be asked now.",
    responses=problems(401, 403, 404, 409),
)
def start_duel(caller: Operator, name: ProjectName, parts: Parts) -> RoundOut:
    round_ = commands.start_duel(parts.store, name, actor=acting(caller))
    return read(parts.store, name, round_.number)


@router.post(
    "/projects/{name}/doubts/relabel",
    status_code=202,
    tags=["rounds"],
    summary="Have doubted labels decided again in Argilla",
    description="A round of these items, shown without suggestion even to whoever labelled them. "
    "Their labels stand until the answers, old and new, come to something else.",
    responses=problems(401, 403, 404, 409, 422),
)
def relabel_doubts(
    caller: Operator, name: ProjectName, parts: Parts, body: RelabelStart | None = None
) -> RoundOut:
    items = body.items if body else None
    round_ = commands.relabel_doubts(parts.store, name, items, actor=acting(caller))
    return read(parts.store, name, round_.number)


@router.get(
    "/projects/{name}/compare",
    summary="Two rounds compared item by item on what is held out",
    responses=problems(401, 403, 404, 409, 422),
)
def compare_rounds(
    caller: Viewer,
    name: ProjectName,
    parts: Parts,
    first: Annotated[int, Query(ge=1, le=LARGEST_ROUND, examples=[3])],
    second: Annotated[int, Query(ge=1, le=LARGEST_ROUND, examples=[9])],
) -> ComparedOut:
    return compared(parts.store, name, first, second)


@router.get(
    "/projects/{name}/rounds/{number}/figures",
    summary="What was measured of a closed round",
    responses=problems(401, 403, 404),
)
def read_figures(
    caller: Viewer, name: ProjectName, number: RoundNumber, parts: Parts
) -> MeasuredOut:
    with parts.store.transaction() as tx:
        round_ = tx.rounds.by_number(tx.projects.by_name(name).id, number)
        figures = {kind: dict(one) for kind, one in tx.measurements.of_round(round_.id).items()}
    return MeasuredOut(round=number, closed_at=round_.closed_at, figures=figures)
