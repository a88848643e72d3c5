"""Tells an open page that it is out of date; the page then fetches itself anew."""

from collections.abc import Sequence
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse

from app.api.access import Parts
from app.api.events import as_frames, event_stream, live, project_id_of, resume_point
from app.api.news import News
from app.api.parameters import LARGEST_ID, ProjectName
from app.core.entities import Event
from app.core.errors import NotAuthenticated
from app.web.sessions import session_of

router = APIRouter()


@router.get("/projects/{name}/live")
async def watch_page(
    request: Request,
    name: ProjectName,
    parts: Parts,
    after: Annotated[int, Query(ge=0, le=LARGEST_ID)] = 0,
) -> StreamingResponse:
    session = await to_thread.run_sync(session_of, request, parts)
    if session is None:
        raise NotAuthenticated("The session has ended. Log in again.")
    project_id = await to_thread.run_sync(project_id_of, parts.store, name)
    news: News = request.app.state.news
    news.check_room()
    start = resume_point(request.headers.get("last-event-id"), after)
    events = live(news, parts, project_id, start, session.key.id)
    return event_stream(as_frames(events, _changed))


def _changed(events: Sequence[Event]) -> str:
    return f"id: {events[-1].id}\ndata: changed\n\n"
