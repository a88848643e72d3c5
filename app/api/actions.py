"""Who did what: the audit log, of one project and of the whole installation."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from app.api.access import Admin, Parts, Viewer
from app.api.parameters import LARGEST_ID, PREFIX, Limit, Paged, ProjectName
from app.api.problems import problems
from app.core.acting import Via
from app.ports.store import Page
from app.rounds import deeds

router = APIRouter(prefix=PREFIX, tags=["actions"])
Before = Annotated[
    int, Query(ge=0, le=LARGEST_ID, description="`next` of the page before; 0 for the newest.")
]
EXAMPLE: Any = {
    "id": 41,
    "at": "2026-01-05T10:00:07Z",
    "by": "anna",
    "did": "started round 3",
    "kind": "round.planned",
    "via": "api",
    "key_id": 7,
    "login": None,
    "project": "tickets",
    "round": 3,
    "detail": {},
}


class ActionOut(BaseModel):
    """One command of one person. It was written in the transaction of its effect, and stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    id: int
    at: datetime
    by: str = Field(description="The key's name, or the user at the command line.")
    did: str = Field(description="In words.")
    kind: str
    via: Via
    key_id: int | None = Field(description="The key; null at the command line.")
    login: str | None = Field(description="The user of the machine, at the command line.")
    project: str | None = Field(description="Null for what is about no project, such as keys.")
    round: int | None
    detail: dict[str, Any]

    @classmethod
    def of(cls, one: Mapping[str, Any]) -> "ActionOut":
        return cls(**{**one, "by": deeds.doer(one), "did": deeds.told(one)})


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


def shown(page: Page) -> Paged[ActionOut]:
    return Paged(items=[ActionOut.of(one) for one in page.items], next=page.next)
