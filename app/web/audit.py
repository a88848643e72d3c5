"""The audit log as a page: who did what, in a project or everywhere."""

import json
from collections.abc import Sequence

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from app.api.access import Parts, allowed
from app.api.actions import Before
from app.api.parameters import ProjectName
from app.api.wiring import ApiParts
from app.core.entities import Role
from app.shown.actions import ActionOut, shown
from app.shown.pages import Paged
from app.web.rendering import ago, page
from app.web.sessions import Viewer
from app.web.tables import csv_file

router = APIRouter()
ROWS = 50
MOST = 10_000  # in a file
COLUMNS = ("at", "by", "did", "via", "project", "round", "kind")


@router.get("/projects/{name}/actions")
def project_actions(
    request: Request, session: Viewer, name: ProjectName, parts: Parts, before: Before = 0
) -> HTMLResponse:
    found = _of_project(parts, name, before, ROWS)
    return page(
        request,
        "actions.html",
        parts=parts,
        session=session,
        name=name,
        found=found,
        first_page=before == 0,
        sentence=_sentence(found.items),
        here=f"/projects/{name}/actions",
    )


@router.get("/projects/{name}/actions.csv")
def project_actions_file(session: Viewer, name: ProjectName, parts: Parts) -> Response:
    return _file(f"{name}-actions", _of_project(parts, name, 0, MOST).items)


@router.get("/actions")
def all_actions(
    request: Request, session: Viewer, parts: Parts, before: Before = 0
) -> HTMLResponse:
    allowed(session.key, Role.ADMIN)
    found = _everywhere(parts, before, ROWS)
    return page(
        request,
        "actions.html",
        parts=parts,
        session=session,
        name=None,
        found=found,
        first_page=before == 0,
        sentence=_sentence(found.items),
        here="/actions",
    )


@router.get("/actions.csv")
def all_actions_file(session: Viewer, parts: Parts) -> Response:
    allowed(session.key, Role.ADMIN)
    return _file("actions", _everywhere(parts, 0, MOST).items)


def _of_project(parts: ApiParts, name: str, before: int, limit: int) -> Paged[ActionOut]:
    with parts.store.transaction() as tx:
        return shown(tx.events.actions(tx.projects.by_name(name).id, before, limit))


def _everywhere(parts: ApiParts, before: int, limit: int) -> Paged[ActionOut]:
    with parts.store.transaction() as tx:
        return shown(tx.events.actions(None, before, limit))


def _sentence(newest_first: Sequence[ActionOut]) -> str:
    if not newest_first:
        return "Nobody has done anything yet."
    last = newest_first[0]
    return f"{last.by} {last.did}, {ago(last.at)}."


def _file(name: str, found: Sequence[ActionOut]) -> Response:
    lines = [one.model_dump(mode="json") for one in found]
    rows = [[*(line[c] for c in COLUMNS), json.dumps(line["detail"])] for line in lines]
    return csv_file(name, [*COLUMNS, "detail"], rows)
