"""Who did what: the audit log, of one project and of the whole installation."""

from typing import Annotated

from fastapi import APIRouter, Query

from app.api.access import Admin, Parts, Viewer
from app.api.parameters import LARGEST_ID, PREFIX, Limit, ProjectName
from app.api.problems import problems
from app.shown.actions import ActionOut, shown
from app.shown.pages import Paged

router = APIRouter(prefix=PREFIX, tags=["actions"])
Before = Annotated[
    int, Query(ge=0, le=LARGEST_ID, description="`next` of the page before; 0 for the newest.")
]


@router.get(
    "/projects/{name}/actions",
    summary="Who did what in a project, newest first",
    responses=problems(401, 403, 404, 422),
)
def list_project_actions(
    caller: Viewer, name: ProjectName, parts: Parts, before: Before = 0, limit: Limit = 100
) -> Paged[ActionOut]:
    with parts.store.transaction() as tx:
        return shown(tx.events.actions(tx.projects.by_name(name).id, before, limit))


@router.get(
    "/actions",
    summary="Who did what anywhere, newest first",
    description="With keys, and with projects that are erased by now.",
    responses=problems(401, 403, 422),
)
def list_actions(
    caller: Admin, parts: Parts, before: Before = 0, limit: Limit = 100
) -> Paged[ActionOut]:
    with parts.store.transaction() as tx:
        return shown(tx.events.actions(None, before, limit))
