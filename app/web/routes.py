"""All pages."""

from pathlib import Path

from fastapi import APIRouter, FastAPI
from fastapi.staticfiles import StaticFiles

from app.web import (
    actions,
    annotators,
    audit,
    data,
    doubts,
    exporting,
    labels,
    live,
    login,
    money,
    new_project,
    projects,
    quality,
    reference,
    settings,
)  # fmt: skip
from app.web.errors import add_error_pages

STATIC = Path(__file__).parent / "static"


def add_pages(app: FastAPI) -> None:
    """The dashboard, its errors and its files. After the API: it shows the API's errors."""
    router = APIRouter(include_in_schema=False)
    parts = (
        login, new_project, projects, annotators, audit, data, quality, doubts, money, exporting,
        labels, settings, live, actions, reference,
    )  # fmt: skip
    for part in parts:
        router.include_router(part.router)
    app.include_router(router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    add_error_pages(app)
