"""Errors on pages: the same words as in the API, as a page."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import Scope

from app.api.problems import of_defect
from app.api.wiring import parts_of
from app.core.errors import RoundsError
from app.web.rendering import page
from app.web.sessions import LoginNeeded, login_redirect, session_of

MACHINES = ("/api/", "/webhooks/", "/healthz", "/readyz", "/metrics", "/openapi.json", "/static/")
Handler = Callable[[Request, Exception], Awaitable[Response]]


def wants_page(scope: Scope) -> bool:
    """Whether a person looks at this address, rather than a program."""
    path = scope["path"]
    accepts = Headers(scope=scope).get("accept", "")
    return "text/html" in accepts and not path.startswith(MACHINES)


def add_error_pages(app: FastAPI) -> None:
    """Show people what the API's handlers would tell programs, and those not logged in the door."""

    async def to_login(request: Request, error: Exception) -> Response:
        assert isinstance(error, LoginNeeded)  # noqa: S101 - registered for nothing else
        return login_redirect(error.wanted)

    app.add_exception_handler(LoginNeeded, to_login)
    for kind in (RoundsError, HTTPException, RequestValidationError):
        told: Any = app.exception_handlers[kind]
        app.add_exception_handler(kind, _for_people(told))


def _for_people(told: Handler) -> Handler:
    async def handler(request: Request, error: Exception) -> Response:
        answer = await told(request, error)
        return _as_page(request, answer) if wants_page(request.scope) else answer

    return handler


def _as_page(request: Request, answer: Response) -> Response:
    problem = json.loads(bytes(answer.body))
    parts = parts_of(request)
    shown = page(
        request,
        "error.html",
        parts=parts,
        session=_session_if_possible(request) if answer.status_code < 500 else None,
        status=answer.status_code,
        problem=problem,
    )
    for name in ("allow", "retry-after"):
        if name in answer.headers:
            shown.headers[name] = answer.headers[name]
    return shown


def _session_if_possible(request: Request) -> Any:
    try:
        return session_of(request, parts_of(request))
    except RoundsError:
        return None


DEFECT_PAGE = """<!doctype html><html lang="en"><title>Rounds</title>
<link rel="stylesheet" href="/static/style.css"><main class="narrow">
<h1>Something unforeseen happened</h1>
<p class="lead">The service's log has the trace; please report it.</p>
<p><a href="/">To the projects</a></p></main></html>"""


def defect_answer(scope: Scope) -> Response:
    """What is sent when nothing else caught an error."""
    if wants_page(scope):
        return Response(DEFECT_PAGE, 500, media_type="text/html; charset=utf-8")
    return of_defect(scope["path"])
