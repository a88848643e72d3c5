"""Labels that the classifier contradicts, and the button that has them decided again."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from app.api.access import Parts
from app.api.parameters import ProjectName
from app.rounds import commands
from app.shown import estimates
from app.web.rendering import page
from app.web.sessions import Operator, Viewer
from app.web.tables import csv_file

router = APIRouter()
SHOWN = 50


@router.get("/projects/{name}/doubts")
def doubts_page(request: Request, session: Viewer, name: ProjectName, parts: Parts) -> HTMLResponse:
    found = estimates.doubts(parts.store, name)
    with parts.store.transaction() as tx:
        project = tx.projects.by_name(name)
        opened = tx.rounds.open(project.id)
    return page(
        request,
        "doubts.html",
        parts=parts,
        session=session,
        name=name,
        found=found,
        shown=found.doubts[:SHOWN],
        may_send=session.may_steer and opened is None and project.state.value == "active",
        opened=opened,
    )


@router.post("/projects/{name}/doubts")
def send_back(
    session: Operator,
    name: ProjectName,
    parts: Parts,
    item: Annotated[list[str] | None, Form(max_length=SHOWN)] = None,
) -> RedirectResponse:
    """The marked ones; the clearest if none is marked."""
    commands.relabel_doubts(parts.store, name, item or None, actor=session.actor)
    return RedirectResponse(f"/projects/{name}?done=doubts", 303)


@router.get("/projects/{name}/doubts.csv")
def doubts_file(session: Viewer, name: ProjectName, parts: Parts) -> Response:
    found = estimates.doubts(parts.store, name)
    head = ["item", "label", "label_probability", "believed", "believed_probability", "source"]
    lines = [[getattr(one, column) for column in head] for one in found.doubts]
    return csv_file(f"{name}-doubts", head, lines)
