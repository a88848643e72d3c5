"""What operators do on pages: start a round, and finish, cancel or resume it."""

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from app.api.access import Parts, allowed
from app.api.parameters import ProjectName, RoundNumber
from app.core.entities import Role
from app.core.errors import WrongInput
from app.rounds import commands, deleting, projects
from app.shown.rounds import read
from app.web.rendering import page
from app.web.sessions import Operator, Viewer

router = APIRouter()
Steering = Literal["finish", "cancel", "resume"]
COMMANDS = {
    "finish": commands.finish_round,
    "cancel": commands.cancel_round,
    "resume": commands.resume_round,
}


@router.post("/projects/{name}/rounds")
def start_round(
    session: Operator,
    name: ProjectName,
    parts: Parts,
    auto: Annotated[str, Form(max_length=10)] = "",
) -> RedirectResponse:
    commands.start_round(parts.store, name, actor=session.actor, auto=bool(auto))
    return _back(name, "auto" if auto else "started")


@router.post("/projects/{name}/audit")
def start_audit(session: Operator, name: ProjectName, parts: Parts) -> RedirectResponse:
    commands.start_audit(parts.store, name, None, actor=session.actor)
    return _back(name, "audit")


@router.post("/projects/{name}/duel")
def start_duel(session: Operator, name: ProjectName, parts: Parts) -> RedirectResponse:
    commands.start_duel(parts.store, name, actor=session.actor)
    return _back(name, "duel")


@router.post("/projects/{name}/auto-off")
def auto_off(session: Operator, name: ProjectName, parts: Parts) -> RedirectResponse:
    projects.change_project(parts.store, name, {"auto": False}, actor=session.actor)
    return _back(name, "auto-off")


@router.get("/projects/{name}/rounds/{number}/{steering}")
def ask_first(
    request: Request,
    session: Viewer,
    name: ProjectName,
    number: RoundNumber,
    steering: Literal["finish", "cancel"],
    parts: Parts,
) -> HTMLResponse:
    """Says what will happen before it does."""
    allowed(session.key, Role.OPERATOR)
    return page(
        request,
        "confirm.html",
        parts=parts,
        session=session,
        name=name,
        round=read(parts.store, name, number),
        steering=steering,
    )


@router.post("/projects/{name}/rounds/{number}/{steering}")
def steer_round(
    session: Operator,
    name: ProjectName,
    number: RoundNumber,
    steering: Steering,
    parts: Parts,
    typed_name: Annotated[str, Form(max_length=100)] = "",
) -> RedirectResponse:
    if steering == "cancel" and typed_name.strip() != name:
        raise WrongInput(
            f"To cancel the round, type the project's name, {name}.", field="typed_name"
        )
    COMMANDS[steering](parts.store, name, number, actor=session.actor)
    return _back(name, steering)


@router.get("/projects/{name}/delete")
def ask_to_delete(
    request: Request, session: Viewer, name: ProjectName, parts: Parts
) -> HTMLResponse:
    """Says what will go, and asks for the name."""
    allowed(session.key, Role.ADMIN)
    with parts.store.transaction() as tx:
        project = tx.projects.by_name(name)
        counts = tx.items.counts(project.id)
    return page(
        request,
        "delete.html",
        parts=parts,
        session=session,
        project=project,
        counts=counts,
        days=deleting.DAYS_OF_GRACE,
    )


@router.post("/projects/{name}/delete")
def delete_project(
    session: Operator,
    name: ProjectName,
    parts: Parts,
    typed_name: Annotated[str, Form(max_length=100)] = "",
    with_argilla: Annotated[str, Form(max_length=10)] = "",
) -> RedirectResponse:
    allowed(session.key, Role.ADMIN)
    deleting.delete_project(
        parts.store,
        name,
        confirmed=typed_name.strip(),
        actor=session.actor,
        with_argilla=bool(with_argilla),
    )
    return _back(name, "deleted")


@router.post("/projects/{name}/restore")
def restore_project(session: Operator, name: ProjectName, parts: Parts) -> RedirectResponse:
    allowed(session.key, Role.ADMIN)
    deleting.restore_project(parts.store, name, actor=session.actor)
    return _back(name, "restored")


def _back(name: str, done: str) -> RedirectResponse:
    return RedirectResponse(f"/projects/{name}?done={done}", 303)
