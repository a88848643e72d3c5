"""Log in with an API key, log out, choose light or dark."""

import secrets
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from app.api.access import Parts
from app.core.errors import NotAuthenticated
from app.rounds import api_keys
from app.web.rendering import THEME_COOKIE, THEMES, page
from app.web.sessions import (
    Sender,
    begin,
    check_login_token,
    end,
    login_token,
    safe_path,
    session_of,
    set_login_cookie,
)

router = APIRouter()
YEAR = 365 * 24 * 3600


@router.get("/login")
def login_form(request: Request, parts: Parts, next: str = "/") -> Response:  # noqa: A002
    if session_of(request, parts) is not None:
        return RedirectResponse(safe_path(next), 303)
    return _form(request, parts, next, "", 200)


@router.post("/login")
def login(
    request: Request,
    parts: Parts,
    key: Annotated[str, Form(max_length=500)] = "",
    csrf: Annotated[str, Form(max_length=1000)] = "",
    next: Annotated[str, Form(max_length=2000)] = "/",  # noqa: A002
) -> Response:
    check_login_token(request, parts, csrf)
    try:
        found = api_keys.authenticate(parts.store, key.strip())
    except NotAuthenticated:
        return _form(request, parts, next, "This key is unknown or revoked.", 401)
    request.state.key_name = found.name
    response = RedirectResponse(safe_path(next), 303)
    begin(response, request, parts, found)
    return response


def _form(request: Request, parts: Parts, wanted: str, problem: str, status: int) -> Response:
    fresh = secrets.token_urlsafe(24)
    response = page(
        request,
        "login.html",
        parts=parts,
        session=None,
        status=status,
        problem=problem,
        token=login_token(request, fresh, parts),
        wanted=safe_path(wanted),
    )
    set_login_cookie(response, request, parts, fresh)
    return response


@router.post("/logout")
def logout(session: Sender) -> Response:
    response = RedirectResponse("/login", 303)
    end(response)
    return response


@router.post("/theme")
def choose_theme(
    session: Sender,
    theme: Annotated[str, Form()] = "",
    back: Annotated[str, Form(max_length=2000)] = "/",
) -> Response:
    response = RedirectResponse(safe_path(back), 303)
    if theme in THEMES:
        response.set_cookie(THEME_COOKIE, theme, max_age=YEAR, httponly=True, samesite="lax")
    else:
        response.delete_cookie(THEME_COOKIE)
    return response
