"""The page of a project's settings. What a person changes goes through the checks that REST and the
command line have too; what they find wrong stands beside the field."""

from collections.abc import Mapping
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.datastructures import FormData

from app.api.access import Parts, allowed
from app.api.parameters import ProjectName
from app.api.wiring import ApiParts
from app.core.entities import Project, Role
from app.core.errors import RoundsError, WrongInput
from app.rounds import projects
from app.web.rendering import page
from app.web.sessions import Operator, Session, Viewer, check_token
from app.web.settings_form import SECTIONS, changes, entry, written

router = APIRouter()
STATES = {
    "active": "The project is active again.",
    "paused": "The project is paused: no round starts until it is active again.",
    "archived": "The project is archived.",
}


@router.get("/projects/{name}/settings")
def settings_page(
    request: Request, session: Viewer, name: ProjectName, parts: Parts, done: str = ""
) -> HTMLResponse:
    shown = {"saved": "Saved. It holds from the next round on.", **STATES}.get(done)
    return _form(request, parts, session, _project(parts, name), said=shown)


@router.post("/projects/{name}/settings")
async def save_settings(
    request: Request, session: Viewer, name: ProjectName, parts: Parts
) -> Response:
    allowed(session.key, Role.OPERATOR)
    async with request.form(max_files=0, max_fields=100) as form:
        check_token(session.csrf, str(form.get("csrf", "")))
        return await to_thread.run_sync(_save, request, parts, session, name, form)


@router.post("/projects/{name}/state")
def set_state(
    session: Operator,
    name: ProjectName,
    parts: Parts,
    state: Annotated[str, Form(max_length=20)] = "",
) -> RedirectResponse:
    projects.change_project(parts.store, name, {"state": state}, actor=session.actor)
    return RedirectResponse(f"/projects/{name}/settings?done={state}", 303)


def _save(
    request: Request, parts: ApiParts, session: Session, name: str, form: FormData
) -> Response:
    project = _project(parts, name)
    typed = {key: value for key, value in form.items() if isinstance(value, str)}
    try:
        given = changes(typed, written(project))
        if given:
            projects.change_project(
                parts.store, name, given, actor=session.actor, encoders=parts.encoders
            )
    except RoundsError as problem:
        return _form(request, parts, session, project, typed=typed, problem=problem)
    return RedirectResponse(f"/projects/{name}/settings?done=saved", 303)


def _form(
    request: Request,
    parts: ApiParts,
    session: Session,
    project: Project,
    *,
    typed: Mapping[str, str] | None = None,
    problem: RoundsError | None = None,
    said: str | None = None,
) -> HTMLResponse:
    values = {**written(project), **(typed or {})}
    wrong = problem.field or "" if isinstance(problem, WrongInput) else ""
    return page(
        request,
        "settings.html",
        parts=parts,
        session=session,
        status=problem.status if problem else 200,
        project=project,
        sections={
            title: [entry(name, values, wrong, problem) for name in names]
            for title, names in SECTIONS.items()
        },
        problem=problem.message if problem else None,
        wrong=wrong,
        said=said,
    )


def _project(parts: ApiParts, name: str) -> Project:
    with parts.store.transaction() as tx:
        return tx.projects.by_name(name)
