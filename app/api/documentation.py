"""The OpenAPI page: FastAPI's, with our errors in place of its own."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from app.api.problems import MEDIA_TYPE, Problem, problems


def add_documentation(app: FastAPI) -> None:
    """Let the application describe itself as it is; made when first asked for."""

    def describe() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _described(app)
        return app.openapi_schema

    app.openapi = describe  # type: ignore[method-assign]


def _described(app: FastAPI) -> dict[str, Any]:
    schema = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    shapes = schema["components"]["schemas"]
    shapes["Problem"] = Problem.model_json_schema()
    for name in ("HTTPValidationError", "ValidationError"):
        shapes.pop(name, None)
    for path in schema["paths"].values():
        for operation in path.values():
            _put_right(operation["responses"])
    return schema


def _put_right(responses: dict[str, Any]) -> None:
    """The framework documents its own 422 wherever there is a parameter; ours is a problem."""
    content = responses.get("422", {}).get("content", {})
    if content and MEDIA_TYPE not in content:
        responses["422"] = problems(422)[422]
