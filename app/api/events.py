"""Events of a project as server-sent events: first what was, then what happens."""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from typing import Annotated

import structlog
from anyio import to_thread
from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse

from app.api.access import Parts, Viewer
from app.api.news import News
from app.api.parameters import LARGEST_ID, PREFIX, ProjectName
from app.api.problems import problems
from app.api.wiring import ApiParts
from app.core.entities import Event
from app.core.errors import RoundsError
from app.ports.store import Store

router = APIRouter(prefix=PREFIX, tags=["rounds"])
log = structlog.get_logger()
BATCH = 500
RECONNECT_MS = 2000
EXAMPLE = (
    "id: 17\nevent: round.annotating\n"
    'data: {"id": 17, "at": "2026-01-05T10:00:07+00:00", "kind": "round.annotating", '
    '"actor": "worker-1", "round": 3, "detail": {"seconds": 0.4}}\n\n'
)


@router.get(
    "/projects/{name}/events",
    summary="Watch a project (server-sent events)",
    description="Everything after `Last-Event-ID` (or `after`; from the beginning without either), "
    "then live. A comment is sent now and then as a sign of life. With `follow=false` the stream "
    "ends when what has happened so far is told.",
    response_class=StreamingResponse,
    responses={
        **problems(401, 403, 404, 422),
        200: {
            "description": "Events; `event` is their kind, `data` is JSON.",
            "content": {"text/event-stream": {"schema": {"type": "string"}, "example": EXAMPLE}},
        },
    },
)
async def watch_project(
    request: Request,
    caller: Viewer,
    name: ProjectName,
    parts: Parts,
    after: Annotated[int, Query(ge=0, le=LARGEST_ID)] = 0,
    follow: bool = True,
    last_event_id: Annotated[
        str | None, Header(description="Sent by clients when they reconnect.")
    ] = None,
) -> StreamingResponse:
    project_id = await to_thread.run_sync(project_id_of, parts.store, name)
    start = resume_point(last_event_id, after)
    if not follow:
        return event_stream(replay(parts.store, project_id, start))
    news: News = request.app.state.news
    news.check_room()
    events = live(news, parts, project_id, start, caller.id)
    return event_stream(as_frames(events, frames))


def event_stream(frames: AsyncIterator[str]) -> StreamingResponse:
    """The response; proxies must not hold it back."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(frames, media_type="text/event-stream", headers=headers)


def resume_point(last_event_id: str | None, after: int) -> int:
    """Where the client was; what it says in the header counts more than the address."""
    if last_event_id and last_event_id.isascii() and last_event_id.isdigit():
        return min(int(last_event_id[:19]), LARGEST_ID)
    return after


async def live(
    news: News, parts: ApiParts, project_id: int, after: int, key_id: int
) -> AsyncGenerator[Sequence[Event], None]:
    """Batches of events as they come; an empty one is a sign of life. Ends when the key does."""
    with news.of(project_id) as bell:
        while True:
            found = await to_thread.run_sync(_since, parts.store, project_id, after)
            if found:
                after = found[-1].id
                yield found
            elif not await bell.wait(parts.heartbeat_seconds):
                if not await to_thread.run_sync(_key_is_good, parts.store, key_id):
                    return
                yield ()


async def as_frames(
    batches: AsyncGenerator[Sequence[Event], None], written: Callable[[Sequence[Event]], str]
) -> AsyncIterator[str]:
    """The stream as text. If the database goes, it ends; clients come back by themselves."""
    yield f"retry: {RECONNECT_MS}\n\n"
    async with aclosing(batches) as open_batches:
        try:
            async for batch in open_batches:
                yield written(batch) if batch else ": still here\n\n"
        except RoundsError as problem:
            log.warning("events.ended", reason=problem.message)


async def replay(store: Store, project_id: int, after: int) -> AsyncIterator[str]:
    """What has happened so far."""
    while found := await to_thread.run_sync(_since, store, project_id, after):
        after = found[-1].id
        yield frames(found)


def frames(events: Sequence[Event]) -> str:
    return "".join(frame(event) for event in events)


def frame(event: Event) -> str:
    data = {
        "id": event.id,
        "at": event.at.isoformat(),
        "kind": event.kind,
        "actor": event.actor,
        "round": event.round_number,
        "detail": event.detail,
    }
    return f"id: {event.id}\nevent: {event.kind}\ndata: {json.dumps(data)}\n\n"


def project_id_of(store: Store, name: str) -> int:
    with store.transaction() as tx:
        return tx.projects.by_name(name).id


def _since(store: Store, project_id: int, after: int) -> Sequence[Event]:
    with store.transaction() as tx:
        return tx.events.since(project_id, after, BATCH)


def _key_is_good(store: Store, key_id: int) -> bool:
    with store.transaction() as tx:
        key = tx.keys.get(key_id)
    return key is not None and key.revoked_at is None
