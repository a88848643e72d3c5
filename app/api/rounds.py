"""Rounds: start, watch, steer."""

from typing import Annotated

from fastapi import APIRouter, Header, Response

from app.api.access import Operator, Parts, Viewer, acting
from app.api.parameters import PREFIX, After, Limit, ProjectName, RoundNumber
from app.api.problems import problems
from app.api.round_requests import RoundStart
from app.rounds import commands
from app.shown.pages import Paged
from app.shown.replays import ReplayOut
from app.shown.rounds import RoundOut, is_open, read
from app.shown.selections import SelectionOut

router = APIRouter(prefix=PREFIX, tags=["rounds"])
IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=200,
        pattern=r"^[\x20-\x7e]+$",
        description="The same key gives the same round, however often the request is repeated.",
    ),
]
LOCATION = {"Location": {"description": "The round.", "schema": {"type": "string"}}}


@router.post(
    "/projects/{name}/rounds",
    status_code=202,
    summary="Start the next round",
    description="Answers at once; a worker does the rest. Watch the round, or its events. With "
    "`auto` further rounds follow by themselves until a stopping rule holds; a round that is open "
    "already becomes the first of them.",
    responses={
        **problems(401, 403, 404, 409, 422),
        202: {"description": "The round is planned.", "headers": LOCATION},
    },
)
def start_round(
    caller: Operator,
    name: ProjectName,
    parts: Parts,
    response: Response,
    body: RoundStart | None = None,
    idempotency_key: IdempotencyKey = None,
) -> RoundOut:
    round_ = commands.start_round(
        parts.store,
        name,
        actor=acting(caller),
        auto=body.auto if body else False,
        key_id=caller.id,
        idempotency_key=idempotency_key or "",
    )
    response.headers["Location"] = f"/api/v1/projects/{name}/rounds/{round_.number}"
    return read(parts.store, name, round_.number)


@router.get(
    "/projects/{name}/rounds",
    summary="Rounds, oldest first",
    responses=problems(401, 403, 404, 422),
)
def list_rounds(
    caller: Viewer, name: ProjectName, parts: Parts, after: After = 0, limit: Limit = 100
) -> Paged[RoundOut]:
    with parts.store.transaction() as tx:
        project = tx.projects.by_name(name)
        page = tx.views.rounds(project.id, after, limit)
        any_open = any(is_open(one["state"]) for one in page.items)
        now = tx.items.counts(project.id) if any_open else None
    return Paged(items=[RoundOut.of(one, now) for one in page.items], next=page.next)


@router.get(
    "/projects/{name}/rounds/{number}",
    summary="One round with its steps",
    responses=problems(401, 403, 404, 422),
)
def get_round(caller: Viewer, name: ProjectName, number: RoundNumber, parts: Parts) -> RoundOut:
    return read(parts.store, name, number)


@router.get(
    "/projects/{name}/rounds/{number}/selections",
    summary="The batch of a round, most valuable first",
    responses=problems(401, 403, 404, 422),
)
def list_selections(
    caller: Viewer,
    name: ProjectName,
    number: RoundNumber,
    parts: Parts,
    after: After = 0,
    limit: Limit = 100,
) -> Paged[SelectionOut]:
    with parts.store.transaction() as tx:
        round_ = tx.rounds.by_number(tx.projects.by_name(name).id, number)
        page = tx.views.selections(round_.project_id, number, after, limit)
    return Paged(items=[SelectionOut.of(one) for one in page.items], next=page.next)


@router.post(
    "/projects/{name}/rounds/{number}/cancel",
    status_code=202,
    summary="Cancel a round",
    description="Unanswered items go back to the pool; answers already given are kept.",
    responses=problems(401, 403, 404, 409, 422),
)
def cancel_round(
    caller: Operator, name: ProjectName, number: RoundNumber, parts: Parts
) -> RoundOut:
    commands.cancel_round(parts.store, name, number, actor=acting(caller))
    return read(parts.store, name, number)


@router.post(
    "/projects/{name}/rounds/{number}/finish",
    status_code=202,
    summary="Close a round with the answers there are",
    description="Unanswered items go back to the pool; the classifier is trained and measured.",
    responses=problems(401, 403, 404, 409, 422),
)
def finish_round(
    caller: Operator, name: ProjectName, number: RoundNumber, parts: Parts
) -> RoundOut:
    commands.finish_round(parts.store, name, number, actor=acting(caller))
    return read(parts.store, name, number)


@router.post(
    "/projects/{name}/rounds/{number}/resume",
    status_code=202,
    summary="Take up a failed round where it failed",
    responses=problems(401, 403, 404, 409, 422),
)
def resume_round(
    caller: Operator, name: ProjectName, number: RoundNumber, parts: Parts
) -> RoundOut:
    commands.resume_round(parts.store, name, number, actor=acting(caller))
    return read(parts.store, name, number)


@router.get(
    "/projects/{name}/rounds/{number}/replay",
    summary="Make a round again and compare",
    description="From the records, as `rounds replay` does: features, classifiers and batch, byte "
    "for byte. Nothing is written. It takes as long as the round's own training and choosing.",
    responses=problems(401, 403, 404, 409, 422, 503),
)
def replay_round(caller: Viewer, name: ProjectName, number: RoundNumber, parts: Parts) -> ReplayOut:
    return ReplayOut(**parts.replayer(name, number).as_json())
