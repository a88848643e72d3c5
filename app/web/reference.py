"""The reference of the API as a page, made from its own description; no script, nothing fetched."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from app.api.access import Parts
from app.web.rendering import page
from app.web.sessions import session_of

router = APIRouter()
TAGS = (
    "projects", "items", "rounds", "results", "bundles", "llm", "actions", "keys", "webhooks",
    "health",
)  # fmt: skip
OK = ("200", "201", "202", "204")


@dataclass(frozen=True, slots=True)
class Operation:
    """One route as it is shown."""

    tag: str
    method: str
    path: str
    summary: str
    description: str
    parameters: list[Mapping[str, Any]]
    body_types: list[str]
    body_example: str
    answer: str
    answer_example: str
    errors: list[tuple[str, str]]
    open: bool


@router.get("/docs")
def reference_page(request: Request, parts: Parts) -> HTMLResponse:
    described = request.app.openapi()
    return page(
        request,
        "reference.html",
        parts=parts,
        session=session_of(request, parts),
        title=described["info"]["title"],
        about=described["info"]["description"],
        groups=grouped(operations_of(described)),
    )


def grouped(operations: Iterable[Operation]) -> list[tuple[str, list[Operation]]]:
    """By tag, in the order in which somebody who begins needs them."""
    found = list(operations)
    return [(tag, [one for one in found if one.tag == tag]) for tag in TAGS]


def operations_of(described: Mapping[str, Any]) -> Iterator[Operation]:
    for path, methods in described["paths"].items():
        for method, one in methods.items():
            body = one.get("requestBody", {}).get("content", {})
            status = next(status for status in OK if status in one["responses"])
            yield Operation(
                tag=one["tags"][0],
                method=method.upper(),
                path=path,
                summary=one["summary"],
                description=one.get("description", ""),
                parameters=one.get("parameters", []),
                body_types=list(body),
                body_example=_first_example(body, described),
                answer=f"{status} {one['responses'][status]['description']}",
                answer_example=_first_example(
                    one["responses"][status].get("content", {}), described
                ),
                errors=[
                    (code, response["description"])
                    for code, response in one["responses"].items()
                    if code >= "400"
                ],
                open="security" not in one,
            )


def _first_example(content: Mapping[str, Any], described: Mapping[str, Any]) -> str:
    for media in content.values():
        example = media.get("example")
        if example is None:
            example = next(iter(_shape(media["schema"], described).get("examples", [])), None)
        if example is not None:
            shown = example if isinstance(example, str) else json.dumps(example, indent=2)
            return shown.rstrip()
    return ""


def _shape(schema: Mapping[str, Any], described: Mapping[str, Any]) -> Mapping[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    return described["components"]["schemas"][name] if name else schema
