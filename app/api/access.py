"""Who may do what: a key in the Authorization header, and the role a route needs."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from app.api.wiring import ApiParts, parts_of
from app.core.acting import Actor, Via, by_key
from app.core.entities import ApiKey, Role
from app.core.errors import NotAllowed, NotAuthenticated
from app.rounds import api_keys

bearer = HTTPBearer(
    auto_error=False,
    description="An API key, made with `rounds keys create` or `POST /api/v1/keys`.",
)
Parts = Annotated[ApiParts, Depends(parts_of)]
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]


def needs(role: Role) -> Callable[..., ApiKey]:
    """A dependency that lets keys of this role, or a greater one, pass."""

    def caller(request: Request, parts: Parts, credentials: Credentials) -> ApiKey:
        if credentials is None:
            raise NotAuthenticated(
                "This needs an API key, sent as the header `Authorization: Bearer <key>`."
            )
        key = api_keys.authenticate(parts.store, credentials.credentials)
        request.state.key_name = key.name
        return allowed(key, role)

    caller.role = role  # type: ignore[attr-defined]  # the test that walks the routes reads it
    return caller


def allowed(key: ApiKey, role: Role) -> ApiKey:
    """The key, if its role is enough."""
    if not key.role.allows(role):
        raise NotAllowed(
            f"This needs the role {role.value}; the key {key.name!r} has {key.role.value}.",
            needed=role.value,
        )
    return key


def acting(caller: ApiKey) -> Actor:
    """The caller as commands know it."""
    return by_key(caller, Via.API)


Viewer = Annotated[ApiKey, Depends(needs(Role.VIEWER))]
Operator = Annotated[ApiKey, Depends(needs(Role.OPERATOR))]
Admin = Annotated[ApiKey, Depends(needs(Role.ADMIN))]
