"""Every error as application/problem+json (RFC 9457), whoever raised it."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from app.core.errors import NotAuthenticated, RoundsError, Unavailable, WrongInput

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 5
log = structlog.get_logger()

CODES = {
    400: "malformed",
    401: "not-authenticated",
    403: "not-allowed",
    404: "not-found",
    405: "method-not-allowed",
    408: "upload-stalled",
    409: "conflict",
    413: "too-large",
    415: "media-type",
    422: "wrong-input",
    500: "unexpected",
    502: "refused",
    503: "unavailable",
}


class Problem(BaseModel):
    """What went wrong and what to do. Further members carry the evidence, such as `rejections`."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=["urn:rounds:problem:conflict"])
    title: str = Field(examples=["Conflict"])
    status: int = Field(examples=[409])
    detail: str = Field(
        examples=["Round 3 is still open (is annotating). A project has one open round."]
    )
    instance: str = Field(examples=["/api/v1/projects/tickets/rounds"])
    code: str = Field(examples=["conflict"])
    field: str | None = Field(None, description="The input that is wrong, where there is one.")


def problem(
    status: int,
    detail: str,
    instance: str,
    *,
    code: str | None = None,
    field: str | None = None,
    evidence: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """The error as a response; evidence can add members but never replace the standard ones."""
    code = code or CODES.get(status, "error")
    content = {
        **(evidence or {}),
        "type": f"urn:rounds:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": instance,
        "code": code,
        "field": field,
    }
    return JSONResponse(content, status, headers=headers, media_type=MEDIA_TYPE)


def of_rounds_error(path: str, error: RoundsError) -> JSONResponse:
    """An error of ours, with the headers that HTTP expects beside it."""
    headers = {}
    if isinstance(error, NotAuthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, Unavailable):
        headers["Retry-After"] = str(RETRY_SECONDS)
        log.warning("request.unavailable", reason=error.message)
    return problem(
        error.status,
        public_reason(error),
        path,
        code=error.code,
        field=error.field if isinstance(error, WrongInput) else None,
        evidence=error.evidence,
        headers=headers,
    )


def public_reason(error: RoundsError) -> str:
    """The message; of what lies outside, not the part that may name hosts and users."""
    return error.message.partition(": ")[0] if isinstance(error, Unavailable) else error.message


def of_http_error(app: FastAPI, path: str, error: HTTPException) -> JSONResponse:
    """An error of the framework: no such route, wrong method, body too large."""
    headers = dict(error.headers or {})
    if error.status_code == 405 and (methods := _methods_at(app, path)):
        headers["Allow"] = ", ".join(methods)
    detail = error.detail
    if detail == HTTPStatus(error.status_code).phrase:
        detail = {
            404: "There is nothing at this address.",
            405: "This address does not know that method.",
        }.get(error.status_code, detail)
    return problem(error.status_code, detail, path, headers=headers)


def _methods_at(app: FastAPI, path: str) -> list[str]:
    """Every method of the address: the framework tells only those of the first route it met."""
    for template, operations in app.openapi()["paths"].items():
        if compile_path(template)[0].fullmatch(path):
            return sorted(method.upper() for method in operations)
    return []


def of_invalid_request(path: str, error: RequestValidationError) -> JSONResponse:
    """Values of the wrong shape: the first in words, all of them as evidence, none repeated."""
    errors = [{"field": _place(one["loc"]), "reason": one["msg"]} for one in error.errors()]
    if any(one["type"] == "json_invalid" for one in error.errors()):
        return problem(400, "The body is not valid JSON.", path)
    first = errors[0] if errors else {"field": None, "reason": "The request cannot be read."}
    detail = f"{first['field']}: {first['reason']}." if first["field"] else str(first["reason"])
    return problem(422, detail, path, field=first["field"], evidence={"errors": errors})


def _place(location: tuple[Any, ...]) -> str:
    inside = [str(part) for part in location[1:]] or [str(location[0])]
    return ".".join(inside)[:200].encode("utf-8", "replace").decode()


def of_defect(path: str) -> JSONResponse:
    """A defect of ours: nothing of it leaves the house but that it happened."""
    return problem(
        500, "Something unforeseen happened. The service's log has the trace; report it.", path
    )


def add_problem_handlers(app: FastAPI) -> None:
    """Make every error of this application a problem."""

    async def ours(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RoundsError)  # noqa: S101 - registered for nothing else
        return of_rounds_error(request.url.path, error)

    async def framework(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)  # noqa: S101
        return of_http_error(request.app, request.url.path, error)

    async def invalid(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)  # noqa: S101
        return of_invalid_request(request.url.path, error)

    app.add_exception_handler(RoundsError, ours)
    app.add_exception_handler(HTTPException, framework)
    app.add_exception_handler(RequestValidationError, invalid)


_MEANINGS = {
    400: "The body cannot be read.",
    401: "No key, or one that is unknown or revoked.",
    403: "The key is good; its role is not enough.",
    404: "There is no such thing.",
    408: "The upload stalled.",
    409: "The state does not allow this now.",
    413: "The body is too large.",
    415: "This kind of body is not understood.",
    422: "A value that cannot be taken; `field` names it.",
    500: "A defect of ours.",
    502: "A service that was asked said no.",
    503: "The database does not answer; try again.",
}
Responses = dict[int | str, dict[str, Any]]


def problems(*statuses: int) -> Responses:
    """The documentation of the errors a route can answer with."""
    return {
        status: {
            "description": _MEANINGS[status],
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in (*statuses, 500, 503)
    }
