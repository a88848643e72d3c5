"""Sessions of the dashboard: a signed cookie that holds which key logged in, never the key."""

import hmac
import secrets
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends, Form, Request
from fastapi.responses import RedirectResponse
from itsdangerous import BadData, URLSafeTimedSerializer
from starlette.responses import Response

from app.api.access import Parts, allowed
from app.api.wiring import ApiParts
from app.core.acting import Actor, Via, by_key
from app.core.entities import ApiKey, Role
from app.core.errors import NotAllowed

COOKIE = "rounds_session"
LOGIN_COOKIE = "rounds_login"
WEEK = 7 * 24 * 3600
HOUR = 3600


@dataclass(frozen=True, slots=True)
class Session:
    """Who is logged in. `csrf` must come back with every form."""

    key: ApiKey
    csrf: str

    @property
    def actor(self) -> Actor:
        return by_key(self.key, Via.PAGE)

    @property
    def may_steer(self) -> bool:
        return self.key.role.allows(Role.OPERATOR)

    @property
    def may_administer(self) -> bool:
        return self.key.role.allows(Role.ADMIN)


class LoginNeeded(Exception):
    """Nobody is logged in; the answer is the way to the login page and back."""

    def __init__(self, wanted: str) -> None:
        self.wanted = wanted


def begin(response: Response, request: Request, parts: ApiParts, key: ApiKey) -> None:
    """Log a key in."""
    value = {"key": key.id, "csrf": secrets.token_urlsafe(24)}
    _set(response, request, parts, COOKIE, _signer(parts, "session").dumps(value), WEEK)


def end(response: Response) -> None:
    response.delete_cookie(COOKIE)


def session_of(request: Request, parts: ApiParts) -> Session | None:
    """The session, if its cookie is ours, young enough, and its key still good."""
    try:
        value = _signer(parts, "session").loads(request.cookies.get(COOKIE, ""), max_age=WEEK)
    except BadData:
        return None
    with parts.store.transaction() as tx:
        key = tx.keys.get(value["key"])
    if key is None or key.revoked_at is not None:
        return None
    request.state.key_name = key.name
    return Session(key, value["csrf"])


def viewer(request: Request, parts: Parts) -> Session:
    """Whoever is logged in may read."""
    session = session_of(request, parts)
    if session is None:
        query = f"?{request.url.query}" if request.url.query else ""
        raise LoginNeeded(request.url.path + query if request.method == "GET" else "/")
    return session


def operator(
    session: Annotated[Session, Depends(viewer)], csrf: Annotated[str, Form()] = ""
) -> Session:
    """May act, and sent the form from a page of ours."""
    check_token(session.csrf, csrf)
    allowed(session.key, Role.OPERATOR)
    return session


def sender(
    session: Annotated[Session, Depends(viewer)], csrf: Annotated[str, Form()] = ""
) -> Session:
    """Sent the form from a page of ours, whatever the role."""
    check_token(session.csrf, csrf)
    return session


Viewer = Annotated[Session, Depends(viewer)]
Operator = Annotated[Session, Depends(operator)]
Sender = Annotated[Session, Depends(sender)]


def check_token(expected: str, given: str) -> None:
    if not hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace")):
        raise NotAllowed("The form is out of date. Go back, reload the page, and send it again.")


def login_token(request: Request, response_cookie: str, parts: ApiParts) -> str:
    """What the login form carries beside the cookie; nobody elsewhere can make the pair."""
    return _signer(parts, "login").dumps(request.cookies.get(LOGIN_COOKIE) or response_cookie)


def check_login_token(request: Request, parts: ApiParts, given: str) -> None:
    try:
        expected = _signer(parts, "login").loads(given, max_age=HOUR)
    except BadData:
        expected = None
    cookie = request.cookies.get(LOGIN_COOKIE)
    if not cookie or expected != cookie:
        raise NotAllowed("The login form is out of date. Open it again.")


def set_login_cookie(response: Response, request: Request, parts: ApiParts, fresh: str) -> None:
    value = request.cookies.get(LOGIN_COOKIE) or fresh
    _set(response, request, parts, LOGIN_COOKIE, value, HOUR)


def login_redirect(wanted: str) -> RedirectResponse:
    query = f"?{urlencode({'next': wanted})}" if wanted != "/" else ""
    return RedirectResponse(f"/login{query}", 303)


def safe_path(wanted: str) -> str:
    """Where to go after the login: an address of ours, or the front page."""
    ours = wanted.startswith("/") and wanted[1:2] not in ("/", "\\") and wanted.isprintable()
    return wanted if ours else "/"


def _set(
    response: Response, request: Request, parts: ApiParts, name: str, value: str, seconds: int
) -> None:
    secure = (parts.public_url or str(request.url)).startswith("https://")
    response.set_cookie(name, value, max_age=seconds, httponly=True, samesite="lax", secure=secure)


def _signer(parts: ApiParts, purpose: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(parts.cookie_secret, salt=f"rounds.{purpose}")
